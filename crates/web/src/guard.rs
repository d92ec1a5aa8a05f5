//! Who may come in: the name by which we are called, the token, the cookie, and where a form comes from.
//!
//! A page of another site can make a browser ask us. By a name of its own that leads here (DNS
//! rebinding): the host must be ours. With the user's cookie: it is sent to nobody but our own pages,
//! and a form must come from one of them twice over. Nothing here reads or writes a socket.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};

/// Bytes of a secret.
const SECRET: usize = 32;

/// The secrets of one server.
pub(crate) struct Guard {
    address: SocketAddr,
    token: String,
    session: String,
    form: String,
}

impl Guard {
    /// With new secrets.
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        Ok(Guard { address, token: secret()?, session: secret()?, form: secret()? })
    }

    /// The address to open.
    pub(crate) fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
            IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        format!("http://{ip}:{}/?token={}", self.address.port(), self.token)
    }

    /// Whether a `Host` is ours: our address, or `localhost` where that is us, with our port. A name
    /// that leads here is not enough, since anybody can make one.
    pub(crate) fn is_our_host(&self, host: &str) -> bool {
        let Some((name, port)) = host.rsplit_once(':') else { return false };
        if port.parse() != Ok(self.address.port()) || port.starts_with(['+', '0']) {
            return false;
        }
        let own = self.address.ip();
        let here = own.is_loopback() || own.is_unspecified();
        if name.eq_ignore_ascii_case("localhost") {
            return here;
        }
        let ip = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(six) => six.parse().map(IpAddr::V6),
            None => name.parse().map(IpAddr::V4),
        };
        ip.is_ok_and(|ip| own.is_unspecified() || ip == own)
    }

    /// Whether a token is ours.
    pub(crate) fn is_token(&self, given: &str) -> bool {
        same(given, &self.token)
    }

    /// The cookie for whoever came with the token. Cookies know no ports, so its name has ours.
    pub(crate) fn cookie(&self) -> String {
        format!("{}={}; HttpOnly; SameSite=Strict; Path=/", self.cookie_name(), self.session)
    }

    fn cookie_name(&self) -> String {
        format!("rehearsal_{}", self.address.port())
    }

    /// Whether a `Cookie` header has ours (RFC 6265, section 4.2.1).
    pub(crate) fn is_let_in(&self, cookies: &str) -> bool {
        let name = self.cookie_name();
        let ours = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        let mut ours = ours.filter(|(known, _)| *known == name);
        ours.any(|(_, value)| same(value, &self.session))
    }

    /// What our own forms carry.
    pub(crate) fn form(&self) -> &str {
        &self.form
    }

    /// Whether a form is one of ours: the page that it stands on, by the browser's word (RFC 6454,
    /// section 7), and the secret that is in it.
    pub(crate) fn is_our_form(&self, origin: Option<&str>, host: &str, secret: &str) -> bool {
        let from = origin.and_then(|origin| origin.strip_prefix("http://"));
        from.is_some_and(|from| from.eq_ignore_ascii_case(host)) && same(secret, &self.form)
    }
}

/// Whether two texts are the same. The time that it takes does not depend on where they differ.
fn same(given: &str, ours: &str) -> bool {
    let (given, ours) = (given.as_bytes(), ours.as_bytes());
    let pairs = ours.iter().enumerate();
    let differing = pairs.fold(given.len() ^ ours.len(), |differing, (at, byte)| {
        differing | usize::from(given.get(at).copied().unwrap_or(0) ^ byte)
    });
    std::hint::black_box(differing) == 0
}

/// A text that nobody guesses, of letters and digits.
pub(crate) fn secret() -> io::Result<String> {
    let mut bytes = [0; SECRET];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str) -> Guard {
        Guard::new(address.parse().unwrap()).unwrap()
    }

    #[test]
    fn only_our_own_names_are_ours() {
        let own = guard("127.0.0.1:8080");
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080"] {
            assert!(own.is_our_host(host), "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "localhost",
            "evil.example:8080",
            "127.0.0.1:80",
            "127.0.0.2:8080",
            "localhost.evil.example:8080",
            "127.0.0.1:8080@evil.example:8080",
            "[::1]:8080",
            "localhost:08080",
            "localhost:+8080",
            "localhost:8080 ",
            "0.0.0.0:8080",
            ":8080",
        ] {
            assert!(!own.is_our_host(host), "{host}");
        }
        let wide = guard("0.0.0.0:8080");
        assert!(wide.is_our_host("192.0.2.7:8080") && !wide.is_our_host("evil.example:8080"));
        assert!(guard("[::1]:80").is_our_host("[::1]:80"));
    }

    #[test]
    fn a_secret_is_compared_whole() {
        let own = guard("127.0.0.1:8080");
        let token = own.url().rsplit_once('=').unwrap().1.to_owned();
        assert_eq!(token.len(), 2 * SECRET);
        assert!(own.is_token(&token));
        for wrong in
            ["", &token[1..], &format!("{token}0"), &token.to_uppercase().replace('0', "1")]
        {
            assert!(!own.is_token(wrong), "{wrong}");
        }
        assert_ne!(guard("127.0.0.1:8080").token, token);
    }

    #[test]
    fn a_cookie_and_a_form_of_somebody_else_are_refused() {
        let own = guard("127.0.0.1:8080");
        let cookie = own.cookie().split(';').next().unwrap().to_owned();
        assert!(own.is_let_in(&cookie) && own.is_let_in(&format!("a=b; {cookie}; c")));
        assert!(
            !own.is_let_in("") && !own.is_let_in("rehearsal_8080=") && !own.is_let_in(&cookie[1..])
        );
        let (host, form) = ("127.0.0.1:8080", own.form());
        assert!(own.is_our_form(Some("http://127.0.0.1:8080"), host, form));
        for origin in [
            None,
            Some("null"),
            Some("http://evil.example"),
            Some("https://127.0.0.1:8080"),
            Some(""),
        ] {
            assert!(!own.is_our_form(origin, host, form), "{origin:?}");
        }
        assert!(!own.is_our_form(Some("http://127.0.0.1:8080"), host, &own.session));
    }
}
