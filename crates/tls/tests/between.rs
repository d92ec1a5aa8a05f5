//! An app and a server with Rehearsal's TLS between them, without a network: the server is one that is
//! played, under an authority of its own.

use rehearsal_model::{Certificate, Role};
use rehearsal_tls::{Authority, Between, Ends, Played, Roots, Seen};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;

/// What an app says that trusts only this authority, and what it hears.
async fn app(trusted: &Authority, protocols: &[&str], line: DuplexStream) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate().clone()).map_err(io::Error::other)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config =
        config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("shop.example").map_err(io::Error::other)?;
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, line).await?;
    tls.write_all(b"hello").await?;
    let mut heard = [0; 5];
    tls.read_exact(&mut heard).await?;
    let agreed = tls.get_ref().1.alpn_protocol().unwrap_or_default();
    Ok(format!("{} {}", String::from_utf8_lossy(&heard), String::from_utf8_lossy(agreed)))
}

/// The authorities of ours and of the server, and what stands between.
struct Stage {
    ours: Arc<Authority>,
    theirs: Arc<Authority>,
    between: Between,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = |name| Arc::new(Authority::in_folder(&folder.path().join(name)).unwrap());
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        let bundle = folder.path().join("roots.pem");
        std::fs::write(&bundle, theirs.pem()).unwrap();
        let roots = Roots::of_app(|name| (name == "SSL_CERT_FILE").then(|| bundle.clone().into()));
        let between = Between::new(Arc::clone(&ours), roots.unwrap()).unwrap();
        Stage { ours, theirs, between, _folder: folder }
    }

    /// Lets an app that trusts `trusted` call a server whose certificate is like that.
    async fn call(
        &self,
        trusted: &Authority,
        how: Certificate,
        protocols: &[&str],
    ) -> (io::Result<String>, Option<Certificate>) {
        let ((near, client), (server, far)) = (duplex(1 << 16), duplex(1 << 16));
        let played = Played::new(Arc::clone(&self.theirs), None).unwrap();
        let serving = async {
            let mut tls = played.accept(("shop.example", how), false, &[], far).await?;
            let mut heard = [0; 5];
            tls.read_exact(&mut heard).await?;
            tls.write_all(&heard.map(|byte| byte.to_ascii_uppercase())).await?;
            tls.flush().await
        };
        let mut seen = None;
        let carrying = async {
            let (party, role) = ("shop", Role::Outbound);
            let (host, unread) = ("10.0.0.7", Default::default());
            let ends = Ends { party, role, host, client, unread, midway: false, server };
            if let Ok((mut client, mut server)) = self.between.lay(ends, &mut seen).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        };
        let (said, _, _) = tokio::join!(app(trusted, protocols, near), serving, carrying);
        (said, seen.map(|Seen { certificate, .. }| certificate))
    }
}

#[tokio::test]
async fn an_app_talks_with_a_server_as_if_nobody_were_between() {
    let stage = Stage::new();
    let (said, seen) = stage.call(&stage.ours, Certificate::Valid, &["h2", "http/1.1"]).await;
    assert_eq!((said.unwrap().as_str(), seen), ("HELLO h2", Some(Certificate::Valid)));
    let (said, _) = stage.call(&stage.ours, Certificate::Valid, &[]).await;
    assert_eq!(said.unwrap(), "HELLO ");
    assert_eq!(stage.between.obstacle("shop"), None);
}

#[tokio::test]
async fn the_app_meets_the_flaw_that_the_server_has() {
    let stage = Stage::new();
    for (how, words) in [
        (Certificate::Expired, "expired"),
        (Certificate::Misnamed, "not valid for name"),
        (Certificate::Untrusted, "UnknownIssuer"),
        (Certificate::Early, "not valid yet"),
        (Certificate::SelfSigned, "UnknownIssuer"),
    ] {
        let (said, seen) = stage.call(&stage.ours, how, &[]).await;
        let error = said.unwrap_err().to_string();
        assert!(error.contains(words), "{how:?}: {error}");
        assert_eq!(seen, Some(how));
        assert_eq!(stage.between.obstacle("shop"), None, "nothing is wrong with us");
    }
}

#[tokio::test]
async fn an_app_that_trusts_others_only_is_left_alone_from_then_on() {
    let stage = Stage::new();
    let (said, _) = stage.call(&stage.theirs, Certificate::Valid, &[]).await;
    said.unwrap_err();
    let why = stage.between.obstacle("shop").unwrap();
    assert!(why.contains("only certificates of its own choice"), "{why}");
    assert_eq!(stage.between.obstacle("bank"), None);
}

#[tokio::test]
async fn what_cannot_be_read_is_given_back_untouched() {
    let stage = Stage::new();
    let ((mut near, client), (server, far)) = (duplex(1 << 16), duplex(1 << 16));
    // A server that speaks no TLS.
    drop(far);
    let mut hello = Vec::new();
    let calling = async {
        let (ours, (mut there, here)) = (&stage.ours, duplex(1 << 16));
        let copying = async {
            let mut bytes = [0; 4096];
            let count = there.read(&mut bytes).await.unwrap();
            hello.extend_from_slice(&bytes[..count]);
            near.write_all(&hello).await.unwrap();
            drop(there);
        };
        let _ = tokio::join!(app(ours, &[], here), copying);
    };
    let mut seen = None;
    let (party, role) = ("shop", Role::Outbound);
    let (host, unread) = ("10.0.0.7", Default::default());
    let ends = Ends { party, role, host, client, unread, midway: false, server };
    let ((), laid) = tokio::join!(calling, stage.between.lay(ends, &mut seen));
    let (_, first) = laid.unwrap_err().client.expect("the app was told nothing");
    assert_eq!((&first[..], seen), (&hello[..], None));
}
