//! Where a history is: a SQLite file, or a schema of a PostgreSQL database that a team shares.
//!
//! A URL may hold a password. It is taken out when the URL is read: what is printed of a place has none.

use crate::HistoryError;
use rustls::ClientConfig;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Makes what TLS is laid with; the words say why it cannot.
pub type Tls = fn(&Wanted) -> Result<Arc<ClientConfig>, String>;

/// The tables of a team's history are in this schema, unless the URL names another.
const SCHEMA: &str = "rehearsal";
/// The longest name that PostgreSQL keeps, in bytes.
const MAX_NAME: usize = 63;

/// Where a history is. It displays without the password.
#[derive(Clone)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A schema of a PostgreSQL database.
    Server(Box<Server>),
}

/// A schema of a PostgreSQL database.
#[derive(Clone)]
pub struct Server {
    pub(crate) config: Config,
    pub(crate) schema: String,
    pub(crate) wanted: Wanted,
    pub(crate) tls: Tls,
}

/// What a server has to show before it is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of its certificate.
    pub check: Check,
    /// A file of authorities beside those of the system.
    pub roots: Option<PathBuf>,
}

/// How a certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Not at all: the connection is only encrypted.
    #[default]
    Nothing,
    /// A known authority has signed it.
    Authority,
    /// A known authority has signed it for the name of the server.
    Name,
}

impl Place {
    /// That of a setting: a URL of PostgreSQL, or a path from `root`. `variable` is the environment's;
    /// its `PGPASSWORD` is the password where the URL has none.
    ///
    /// # Errors
    /// When it begins as a URL and is none that can be used.
    pub fn of(
        text: &str,
        root: &Path,
        variable: impl Fn(&str) -> Option<String>,
        tls: Tls,
    ) -> Result<Self, HistoryError> {
        if !text.contains("://") {
            return Ok(Place::File(root.join(text)));
        }
        let wrong = |problem: String| HistoryError::Url { problem };
        let (plain, given) = split(text).map_err(wrong)?;
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            wrong(std::error::Error::source(&error).map_or_else(String::new, ToString::to_string))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("it names no server".to_owned()));
        }
        if let Some(password) = variable("PGPASSWORD").filter(|_| config.get_password().is_none()) {
            config.password(password);
        }
        if config.get_user().is_none() {
            let user = variable("PGUSER").or_else(|| variable("USER"));
            config.user(user.ok_or_else(|| wrong("it names no user".to_owned()))?);
        }
        if config.get_application_name().is_none() {
            config.application_name("rehearsal");
        }
        let mut wanted = Wanted { roots: given.roots, ..Wanted::default() };
        (config, wanted.check) = match given.mode.as_deref() {
            None | Some("prefer") => (config, Check::Nothing),
            Some("disable") => (config.ssl_mode(SslMode::Disable).clone(), Check::Nothing),
            Some("require") if wanted.roots.is_none() => {
                (config.ssl_mode(SslMode::Require).clone(), Check::Nothing)
            }
            Some("require" | "verify-ca") => {
                (config.ssl_mode(SslMode::Require).clone(), Check::Authority)
            }
            Some("verify-full") => (config.ssl_mode(SslMode::Require).clone(), Check::Name),
            Some(_) => {
                let text = "`sslmode` is disable, prefer, require, verify-ca or verify-full";
                return Err(wrong(text.to_owned()));
            }
        };
        Ok(Place::Server(Box::new(Server { config, schema: given.schema, wanted, tls })))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = match self {
            Place::File(file) => return write!(out, "{}", file.display()),
            Place::Server(server) => server,
        };
        let config = &server.config;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
        let mut hosts: Vec<String> = hosts.collect();
        if hosts.is_empty() {
            hosts = addresses.collect();
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let user = config.get_user().unwrap_or_default();
        let database = config.get_dbname().unwrap_or(user);
        write!(out, "postgres://{user}@{}:{port}/{database}", hosts.join(","))?;
        if server.schema != SCHEMA {
            write!(out, "?schema={}", server.schema)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// What a URL says that PostgreSQL's client does not read itself.
struct Given {
    mode: Option<String>,
    roots: Option<PathBuf>,
    schema: String,
}

/// The URL without what is ours, and that. Nothing of the URL is in the words of a problem: a password
/// with a sign that is not escaped may be anywhere in it.
fn split(url: &str) -> Result<(String, Given), String> {
    let scheme = url.split("://").next().unwrap_or_default();
    if !["postgres", "postgresql"].contains(&scheme) {
        return Err("it has to begin with `postgres://`".to_owned());
    }
    if url.matches('@').count() > 1 {
        return Err("an `@` in a user or a password is written as `%40`".to_owned());
    }
    let mut given = Given { mode: None, roots: None, schema: SCHEMA.to_owned() };
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => given.mode = Some(mode.to_owned()),
            Some(("sslrootcert", file)) => given.roots = Some(PathBuf::from(plain(file))),
            Some(("schema", schema)) => given.schema = name(schema)?,
            _ => rest.push(pair),
        }
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    Ok((format!("{base}{query}"), given))
}

/// A name that needs no quotes in SQL.
fn name(text: &str) -> Result<String, String> {
    let plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    let begins = text.starts_with(|char: char| char.is_ascii_lowercase() || char == '_');
    if begins && text.chars().all(plain) && text.len() <= MAX_NAME && !text.starts_with("pg_") {
        return Ok(text.to_owned());
    }
    Err("`schema` is a name of small letters, digits and `_` of up to 63 signs".to_owned())
}

/// A path in a query, of which `/` may be escaped.
fn plain(text: &str) -> String {
    text.replace("%2F", "/").replace("%2f", "/").replace("%20", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Place, HistoryError> {
        let variable = |name: &str| (name == "PGPASSWORD").then(|| "of-the-environment".to_owned());
        Place::of(text, Path::new("/shop"), variable, |_| Err(String::new()))
    }

    #[track_caller]
    fn server(text: &str) -> Server {
        match of(text).unwrap() {
            Place::Server(server) => *server,
            Place::File(file) => panic!("{} is a file", file.display()),
        }
    }

    #[test]
    fn what_is_printed_has_no_password() {
        let place =
            of("postgresql://ci:s3cret@db.example:6543/shop?sslmode=require&schema=web").unwrap();
        assert_eq!(place.to_string(), "postgres://ci@db.example:6543/shop?schema=web");
        assert!(!format!("{place:?}").contains("s3cret"));
        for bad in [
            "mysql://u:s3cret@x/y",
            "postgres://u:s3@cret@x/y",
            "postgres://u:s3cret@/y",
            "postgres://u:s3cret@x:port/y",
            "postgres://u:s3cret@x/y?sslmode=s3cret",
            "postgres://u:s3cret@x/y?schema=S3CRET",
            "postgres://u:s3cret@x/y?sslkey=s3cret",
        ] {
            let problem = of(bad).unwrap_err().to_string();
            assert!(!problem.to_lowercase().contains("cret"), "{bad}: {problem}");
        }
    }

    #[test]
    fn the_environment_has_the_password_that_the_url_has_not() {
        let of = |url| server(url).config.get_password().map(<[u8]>::to_vec);
        assert_eq!(of("postgres://u@x/y"), Some(b"of-the-environment".to_vec()));
        assert_eq!(of("postgres://u:p%40@x/y"), Some(b"p@".to_vec()));
    }

    #[test]
    fn a_certificate_is_checked_as_the_url_says() {
        let of = |query: &str| {
            let server = server(&format!("postgres://u@x/y{query}"));
            (server.config.get_ssl_mode(), server.wanted.check)
        };
        assert_eq!(of(""), (SslMode::Prefer, Check::Nothing));
        assert_eq!(of("?sslmode=disable"), (SslMode::Disable, Check::Nothing));
        assert_eq!(of("?sslmode=require"), (SslMode::Require, Check::Nothing));
        let both = "?sslrootcert=%2Fca.pem&sslmode=require";
        assert_eq!(of(both), (SslMode::Require, Check::Authority));
        assert_eq!(of("?sslmode=verify-full"), (SslMode::Require, Check::Name));
    }

    #[test]
    fn anything_else_is_a_file() {
        assert_eq!(of("runs/history.db").unwrap().to_string(), "/shop/runs/history.db");
        assert_eq!(of("/var/history.db").unwrap().to_string(), "/var/history.db");
    }
}
