//! The app, and what stands before it: nothing, HAProxy, nginx, mitmproxy, or `rehearsal record`.
//!
//! They are told to end TLS and to begin it again towards the app, since that is what recording takes. Each
//! also has a port without TLS.

use crate::bench::process::{Started, free_port};
use crate::bench::shop::Recording;
use crate::bench::{Bench, tools};
use anyhow::Context as _;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Something to send requests to.
pub(super) struct Front {
    pub(super) name: &'static str,
    /// Its port for HTTP/1.1 over TLS, and that for HTTP/2.
    pub(super) http1: u16,
    pub(super) http2: u16,
    /// The one without TLS.
    pub(super) plain: u16,
    /// How many times fewer requests it gets, so that it does not take all the time.
    pub(super) slower: u64,
    /// Its process.
    pub(super) id: u32,
    pub(super) sent: Cell<u64>,
    /// Stopped when the front goes.
    _running: Option<Started>,
}

/// All of them; the recording is the last one.
pub(super) struct Fronts {
    pub(super) all: Vec<Front>,
    pub(super) recording: Recording,
}

/// What the app and nginx have in common; a single process each.
const NGINX: &str = "\
daemon off; master_process off; error_log stderr; pid FOLDER/NAME.pid;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; default_type application/json;
  http2_max_concurrent_streams 2000; ssl_certificate FOLDER/both.pem; ssl_certificate_key FOLDER/both.pem;
  client_body_temp_path FOLDER/NAME-1; proxy_temp_path FOLDER/NAME-2; fastcgi_temp_path FOLDER/NAME-3;
  uwsgi_temp_path FOLDER/NAME-4; scgi_temp_path FOLDER/NAME-5;
  upstream app { server 127.0.0.1:APP_TLS; keepalive 64; }
  server {
    listen 127.0.0.1:TLS ssl http2; listen 127.0.0.1:PLAIN;
LOCATIONS
  }
}
";
/// What nginx answers as the app: to a call of gRPC a message, which is a file, and a status behind it.
const APP: &str = "
    location / { return 200 '{\"status\":\"ok\"}'; }
    location /bench.Bench/ { default_type application/grpc; alias FOLDER/calls/; add_trailer grpc-status 0; error_page 405 =200 $uri; }";
/// What it does as a proxy.
const PROXY: &str = "
    location / { proxy_pass https://app; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_ssl_session_reuse on; }";
/// HTTP/2 is negotiated on both sides or on none, so each has a port of its own.
const HAPROXY: &str = "\
global
  maxconn 8192
  tune.h2.max-concurrent-streams 2000
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
listen http1
  bind 127.0.0.1:HTTP1 ssl crt FOLDER/both.pem alpn http/1.1
  server app 127.0.0.1:APP_TLS ssl verify none alpn http/1.1
listen http2
  bind 127.0.0.1:HTTP2 ssl crt FOLDER/both.pem alpn h2
  server app 127.0.0.1:APP_TLS ssl verify none alpn h2
listen plain
  bind 127.0.0.1:PLAIN
  server app 127.0.0.1:APP_PLAIN
";
/// A call's message of gRPC (five bytes before it say that it is not compressed, and its length).
const MESSAGE: &[u8] = b"\0\0\0\0\x05hello";

impl Fronts {
    /// Starts all that are installed, and says which versions they are. `name` is the recording's.
    pub(super) fn start(bench: &Bench, name: &str) -> anyhow::Result<(Self, Vec<String>)> {
        prepare(bench)?;
        let program = bench.tools.nginx().context("nginx, which is the app, is not installed")?;
        let mut notes = vec![tools::version(&program, "-v")];
        let alone = nginx(bench, &program, "alone", "alone", APP, None)?;
        let app = (alone.http1, alone.plain);
        let mut all = vec![alone];
        match bench.tools.haproxy() {
            Some(program) => {
                notes.push(tools::version(&program, "-v"));
                all.push(haproxy(bench, &program, app)?);
            }
            None => notes.push("HAProxy is not installed: not measured".into()),
        }
        all.push(nginx(bench, &program, "nginx", "nginx", PROXY, Some(app))?);
        match bench.tools.mitmdump() {
            Some(program) => {
                notes.push(tools::version(&program, "--version"));
                all.push(mitmproxy(bench, &program, app)?);
            }
            None => notes.push("mitmproxy is not installed: not measured".into()),
        }
        let (tls, plain) = (free_port()?, free_port()?);
        let file = configure(bench, "recorded", APP, tls, plain, None)?;
        let app = [program.as_path(), Path::new("-p"), bench.folder(), Path::new("-c"), &file];
        let recording = Recording::start(bench, name, tls, &app, |command| {
            // The authority is made in this folder, and nothing that the user has is touched.
            command.env("XDG_DATA_HOME", bench.folder().join("data"));
        })?;
        let id = recording.started.id();
        all.push(front("rehearsal record", [tls, tls, plain], id, None));
        Ok((Fronts { all, recording }, notes))
    }
}

fn front(name: &'static str, ports: [u16; 3], id: u32, running: Option<Started>) -> Front {
    let [http1, http2, plain] = ports;
    let slower = if name.starts_with("mitmproxy") { 10 } else { 1 };
    Front { name, http1, http2, plain, slower, id, sent: Cell::new(0), _running: running }
}

/// Makes the certificate, and what is called.
fn prepare(bench: &Bench) -> anyhow::Result<()> {
    let folder = bench.folder();
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    command.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout"]).arg(&key);
    command.arg("-out").arg(&certificate).stderr(Stdio::null());
    tools::run(&mut command)?;
    let both = [std::fs::read(certificate)?, std::fs::read(key)?].concat();
    std::fs::write(folder.join("both.pem"), both)?;
    std::fs::create_dir_all(folder.join("calls"))?;
    std::fs::write(folder.join("calls/Look"), MESSAGE)?;
    std::fs::write(folder.join("message"), MESSAGE).context("failed to write the message")
}

/// Writes nginx's settings.
fn configure(
    bench: &Bench,
    name: &str,
    locations: &str,
    tls: u16,
    plain: u16,
    app: Option<(u16, u16)>,
) -> anyhow::Result<PathBuf> {
    // The app has nobody behind it, and never asks for this one.
    let behind = app.map_or(1, |(tls, _)| tls);
    let text = NGINX.replace("LOCATIONS", locations).replace("APP_TLS", &behind.to_string());
    let text = text.replace(":TLS", &format!(":{tls}")).replace(":PLAIN", &format!(":{plain}"));
    let text = text.replace("NAME", name).replace("FOLDER", &bench.folder().display().to_string());
    let file = bench.folder().join(format!("{name}.conf"));
    std::fs::write(&file, text).context("failed to write nginx's settings")?;
    Ok(file)
}

fn nginx(
    bench: &Bench,
    program: &Path,
    name: &'static str,
    file: &str,
    locations: &str,
    app: Option<(u16, u16)>,
) -> anyhow::Result<Front> {
    let (tls, plain) = (free_port()?, free_port()?);
    let file = configure(bench, file, locations, tls, plain, app)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(bench.folder()).arg("-c").arg(file);
    let mut running = Started::new(bench.folder(), name, &mut command)?;
    running.listening(tls)?;
    Ok(front(name, [tls, tls, plain], running.id(), Some(running)))
}

fn haproxy(bench: &Bench, program: &Path, app: (u16, u16)) -> anyhow::Result<Front> {
    let [http1, http2, plain] = [free_port()?, free_port()?, free_port()?];
    let mut text = HAPROXY.replace("FOLDER", &bench.folder().display().to_string());
    let ports = [("APP_TLS", app.0), ("APP_PLAIN", app.1), ("HTTP1", http1), ("HTTP2", http2)];
    for (word, port) in ports.into_iter().chain([("PLAIN", plain)]) {
        text = text.replace(&format!(":{word}"), &format!(":{port}"));
    }
    let file = bench.folder().join("haproxy.cfg");
    std::fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.args(["-db", "-f"]).arg(file);
    let mut running = Started::new(bench.folder(), "haproxy", &mut command)?;
    running.listening(plain)?;
    Ok(front("HAProxy", [http1, http2, plain], running.id(), Some(running)))
}

fn mitmproxy(bench: &Bench, program: &Path, app: (u16, u16)) -> anyhow::Result<Front> {
    let (tls, plain) = (free_port()?, free_port()?);
    let mut command = Command::new(program);
    command.args(["-q", "--set", "ssl_insecure=true", "--set"]);
    command.arg(format!("confdir={}", bench.folder().display()));
    command.arg("--mode").arg(format!("reverse:https://127.0.0.1:{}@127.0.0.1:{tls}", app.0));
    command.arg("--mode").arg(format!("reverse:http://127.0.0.1:{}@127.0.0.1:{plain}", app.1));
    let mut running = Started::new(bench.folder(), "mitmproxy", &mut command)?;
    running.listening(tls)?;
    running.listening(plain)?;
    Ok(front("mitmproxy (reverse)", [tls, tls, plain], running.id(), Some(running)))
}
