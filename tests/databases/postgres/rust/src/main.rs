//! The statements of corpus.py by rust-postgres, which is tokio-postgres: an app whose every answer
//! is the bytes that the driver got, with the types that it takes them for.
//!
//!     corpus PORT query|portal|simple STATEMENTS
//!     corpus PORT shop
//!
//! STATEMENTS is a file of lines: the path of a request, a tab, SQL. The database is named by the PG…
//! variables.

mod shop;

use postgres::types::{FromSql, Type};
use postgres::{Client, NoTls, Row, SimpleQueryMessage};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A value of any type, as it came.
struct Raw(String);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, Failure> {
        Ok(Raw(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn told(row: &Row) -> Result<String, Failure> {
    let each = row.columns().iter().enumerate().map(|(index, column)| {
        let value = row.try_get::<_, Option<Raw>>(index)?;
        let value = value.map_or("null".to_owned(), |raw| raw.0);
        Ok(format!("{} {} {value}", column.name(), column.type_()))
    });
    Ok(each.collect::<Result<Vec<_>, Failure>>()?.join("\n"))
}

fn ask(client: &mut Client, mode: &str, sql: &str) -> Result<String, Failure> {
    let rows = match mode {
        "query" => client.query(sql, &[])?,
        "portal" => {
            let mut transaction = client.transaction()?;
            let portal = transaction.bind(sql, &[])?;
            let mut rows = transaction.query_portal(&portal, 1)?;
            rows.extend(transaction.query_portal(&portal, 1)?);
            transaction.commit()?;
            rows
        }
        _ => {
            let found = client.simple_query(sql)?;
            return Ok(found.iter().map(simple).collect::<Vec<_>>().join("\n"));
        }
    };
    Ok(rows.iter().map(told).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn simple(message: &SimpleQueryMessage) -> String {
    match message {
        SimpleQueryMessage::Row(row) => (0..row.len())
            .map(|index| row.get(index).unwrap_or("null"))
            .collect::<Vec<_>>()
            .join("\n"),
        SimpleQueryMessage::CommandComplete(count) => format!("{count} rows"),
        _ => String::new(),
    }
}

fn connect() -> Result<Client, Failure> {
    let names = [
        ("host", "PGHOST"),
        ("port", "PGPORT"),
        ("user", "PGUSER"),
        ("password", "PGPASSWORD"),
        ("dbname", "PGDATABASE"),
    ];
    let place: Vec<String> = names
        .iter()
        .filter_map(|(key, name)| Some(format!("{key}='{}'", std::env::var(name).ok()?)))
        .collect();
    Ok(Client::connect(&place.join(" "), NoTls)?)
}

fn serve(
    mut stream: TcpStream,
    client: Option<&mut Client>,
    mode: &str,
    statements: &HashMap<&str, &str>,
) -> Result<(), Failure> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().ok_or("no request")??;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).ok_or("no path")?;
    let body = match client {
        None => shop::answer(path),
        Some(client) => ask(client, mode, statements.get(path).ok_or("no such statement")?),
    };
    let body = body.unwrap_or_else(|error| format!("error: {error}"));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (port, mode, text) = match &words[..] {
        [port, mode] if mode == "shop" => (port, mode, String::new()),
        [port, mode, file] => (port, mode, std::fs::read_to_string(file)?),
        _ => return Err("three words are needed, or a port and `shop`".into()),
    };
    let statements = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut client = if mode == "shop" { None } else { Some(connect()?) };
    for stream in TcpListener::bind(("127.0.0.1", port.parse()?))?.incoming() {
        // A caller that only looks whether anybody listens sends nothing.
        if let Err(error) = serve(stream?, client.as_mut(), mode, &statements) {
            eprintln!("{error}");
        }
    }
    Ok(())
}
