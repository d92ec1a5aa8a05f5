//! An app as many are: HTTP before a PostgreSQL database, with a pool of connections.
//!
//! It speaks the simple query protocol (PostgreSQL manual, "Message Flow") and no more of it than its own
//! statements need: a driver's own cost would be part of what is compared.

use super::apps::{answer, serve};
use super::process::loopback;
use super::servers::USER;
use anyhow::{Context as _, bail, ensure};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

/// No answer of the database to these statements is longer.
const LONGEST: usize = 1 << 16;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Ledger {
    #[arg(env = "PORT")]
    port: u16,
    /// Where the database is on loopback
    #[arg(env = "POSTGRES")]
    postgres: u16,
}

impl Ledger {
    /// `GET /accounts/<n>` reads a balance; `POST /withdrawals/<n>` takes 1 from it, in a transaction.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let pool: Mutex<Vec<Database>> = Mutex::default();
        serve(self.port, move |length, path, stream| {
            std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
            let idle = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut database = idle.map_or_else(|| Database::open(self.postgres), Ok)?;
            let number = path.rsplit('/').next().and_then(|last| last.parse::<u32>().ok());
            let account = number.with_context(|| format!("{path} names no account"))? % 100_000 + 1;
            let of = format!("FROM pgbench_accounts WHERE aid = {account}");
            let balance = match path.starts_with("/withdrawals/") {
                false => database.ask(&format!("SELECT abalance {of}"))?,
                true => {
                    database.ask("BEGIN")?;
                    database.ask(&format!(
                        "UPDATE pgbench_accounts SET abalance = abalance - 1 WHERE aid = {account}"
                    ))?;
                    let balance = database.ask(&format!("SELECT abalance {of}"))?;
                    database.ask("COMMIT")?;
                    balance
                }
            };
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(database);
            answer(stream, format!("{{\"account\":{account},\"balance\":{balance}}}").as_bytes())
        })
    }
}

/// A connection to the database.
struct Database(TcpStream);

impl Database {
    fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(loopback(port)).context("failed to reach the database")?;
        stream.set_nodelay(true)?;
        let mut database = Database(stream);
        let mut text = 196_608u32.to_be_bytes().to_vec();
        text.extend(format!("user\0{USER}\0database\0postgres\0\0").bytes());
        let length = u32::try_from(text.len() + 4)?;
        database.0.write_all(&[&length.to_be_bytes()[..], &text].concat())?;
        database.answer()?;
        Ok(database)
    }

    /// The first column of the last row; `null` when there is none.
    fn ask(&mut self, statement: &str) -> anyhow::Result<String> {
        let length = u32::try_from(statement.len() + 5)?;
        let head = [b"Q", &length.to_be_bytes()[..]].concat();
        self.0.write_all(&[&head, statement.as_bytes(), b"\0"].concat())?;
        self.answer()
    }

    /// Reads until the server waits for the next statement.
    fn answer(&mut self) -> anyhow::Result<String> {
        let mut said = "null".to_owned();
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head).context("the database hung up")?;
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            ensure!((4..LONGEST).contains(&length), "a message of {length} bytes");
            let mut body = vec![0; length - 4];
            self.0.read_exact(&mut body)?;
            match head[0] {
                b'Z' => return Ok(said),
                b'E' => bail!("the database says {}", String::from_utf8_lossy(&body)),
                // How many columns, and of each its length before it.
                b'D' => said = String::from_utf8_lossy(body.get(6..).unwrap_or_default()).into(),
                _ => {}
            }
        }
    }
}
