//! The corpora of the databases by Rust's drivers: an app whose every answer is what the driver understood.
//!
//!     corpus PORT DRIVER FILE
//!     corpus PORT shop
//!     corpus tls URL
//!
//! DRIVER is tokio-postgres-{query,portal,typed,simple}, sqlx-postgres-{prepared,raw}, mysql-async-{text,binary,compressed},
//! sqlx-mysql-{prepared,raw}, redis-{2,3} or mongodb. FILE says what to send for the path of a request, as the corpus of the
//! database has written it; paths that begin with /api/ are the driver's own. Servers are named by the environment, as the
//! suite of each says.

mod mongo;
mod mysql_async;
mod redis;
mod shop;
mod sqlx_mysql;
mod sqlx_postgres;
mod tls;
mod tokio_postgres;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Told = Result<String, Failure>;

/// A driver with its connections.
pub(crate) trait Driver {
    /// What it understood of what it was told in answer to a path; an error is an answer, too.
    fn answer<'a>(&'a mut self, path: &'a str) -> Pin<Box<dyn Future<Output = Told> + 'a>>;
}

/// What the environment says, which must be there.
pub(crate) fn env(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

/// Bytes as text if they are some, else in hexadecimal.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => format!("{text:?}"),
        Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Lines of two parts with a tab between: the values of each key, in order.
pub(crate) fn pairs(text: &str) -> HashMap<String, Vec<String>> {
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once('\t')) {
        known.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    known
}

/// The one value of a key.
pub(crate) fn one<'a>(known: &'a HashMap<String, Vec<String>>, path: &str) -> Result<&'a str, Failure> {
    match known.get(path).map(Vec::as_slice) {
        Some([sql]) => Ok(sql),
        _ => Err(format!("there is no one statement for {path}").into()),
    }
}

async fn connect(driver: &str, file: Option<&str>) -> Result<Box<dyn Driver>, Failure> {
    let text = file.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
    let (name, mode) = driver.rsplit_once('-').unwrap_or((driver, ""));
    Ok(match name {
        "shop" => Box::new(shop::Shop),
        "tokio-postgres" => Box::new(tokio_postgres::Postgres::connect(mode, pairs(&text)).await?),
        "sqlx-postgres" => Box::new(sqlx_postgres::Postgres::connect(mode, pairs(&text)).await?),
        "mysql-async" => Box::new(mysql_async::Mysql::connect(mode, pairs(&text)).await?),
        "sqlx-mysql" => Box::new(sqlx_mysql::Mysql::connect(mode, pairs(&text)).await?),
        "redis" => Box::new(redis::Redis::connect(mode, &text).await?),
        "mongodb" => Box::new(mongo::Mongo::connect(&text).await?),
        _ => return Err(format!("there is no driver {driver}").into()),
    })
}

async fn serve(stream: TcpStream, driver: &mut dyn Driver) -> Result<(), Failure> {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(()); // Somebody only looked whether anybody listens.
        }
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line);
    }
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).ok_or("no path")?;
    let body = driver.answer(path).await.unwrap_or_else(|error| format!("error: {error}"));
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    stream.flush().await?;
    Ok(())
}

async fn run(words: &[String]) -> Result<(), Failure> {
    let (port, driver, file) = match words {
        [port, driver] if driver == "shop" => (port, driver, None),
        [port, driver, file] => (port, driver, Some(file.as_str())),
        _ => return Err("three words are needed, or a port and `shop`".into()),
    };
    let mut driver = connect(driver, file).await?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        if let Err(error) = serve(stream, driver.as_mut()).await {
            eprintln!("{error}");
        }
    }
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [tls, url] = &words[..]
        && tls == "tls"
    {
        match tls::ask(url) {
            Ok(said) => print!("{said}"),
            Err(why) => print!("failed: {}", tls::kind(&why)),
        }
        return Ok(());
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&words))
}
