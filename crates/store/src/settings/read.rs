//! `rehearsal.yaml` to settings, with every mistake named by its place.

use super::fields::{EDGE, SECRETS, SETTINGS};
use super::units::{parse_clock, parse_duration, parse_size};
use crate::schema::{Fields, nearest};
use crate::yaml::{Content, Key, Node, Spot, YamlError};
use regex::Regex;
use rehearsal_model::{CaptureWay, EdgeSettings, SecretSettings, Settings, Value};
use std::net::SocketAddr;
use std::time::Duration;

/// Reads settings. `protocols` are the names that an edge may give; an empty file sets nothing.
pub(crate) fn read(node: Node, protocols: &[&str]) -> Result<Settings, YamlError> {
    if node.scalar() == Some(&Value::Null) {
        return Ok(Settings::default());
    }
    let mut fields = Fields::open(node, "the settings", &[SETTINGS])?;
    let default = Settings::default();
    let capture = fields.text("capture");
    let edges = fields.pairs("edges").into_iter().map(|edge| read_edge(edge, protocols));
    Ok(Settings {
        edges: edges.collect::<Result<_, _>>()?,
        command: read_command(&mut fields)?,
        env: fields.pairs("env").into_iter().map(read_variable).collect::<Result<_, _>>()?,
        capture: match capture.as_deref() {
            Some("proxy") => CaptureWay::Proxy,
            Some("seccomp") => CaptureWay::Seccomp,
            _ => default.capture,
        },
        clock: match fields.get("clock").map(|node| node.at) {
            Some(at) => parse_clock(&fields.text("clock").unwrap_or_default())
                .or_else(|error| wrong(at, error.to_string()))?,
            None => default.clock,
        },
        timeout: read_duration(&mut fields, "timeout")?.unwrap_or(default.timeout),
        start_timeout: read_duration(&mut fields, "start-timeout")?
            .unwrap_or(default.start_timeout),
        name_server: read_name_server(&mut fields)?,
        max_body: fields
            .text("max-body")
            .and_then(|text| parse_size(&text).ok())
            .unwrap_or(default.max_body),
        trust_files: fields.flag("trust-files"),
        noise: fields.texts("noise"),
        proto: fields.texts("proto"),
        secrets: match fields.take("secrets") {
            Some(node) => read_secrets(node)?,
            None => SecretSettings::default(),
        },
    })
}

/// A single text is a line for the shell, as it would be typed.
fn read_command(fields: &mut Fields) -> Result<Option<Vec<String>>, YamlError> {
    let Some(node) = fields.get("command") else { return Ok(None) };
    let (at, line) = (node.at, matches!(node.content, Content::Scalar(_)));
    let words = fields.texts("command");
    if words.first().is_none_or(String::is_empty) {
        return wrong(at, "the command is empty");
    }
    Ok(Some(match line {
        true => ["sh", "-c"].map(str::to_owned).into_iter().chain(words).collect(),
        false => words,
    }))
}

fn read_variable((key, node): (Key, Node)) -> Result<(String, String), YamlError> {
    if key.text.is_empty() || key.text.contains(['=', '\0']) {
        return wrong(key.at, format!("`{}` cannot be the name of a variable", key.text));
    }
    let value = match node.scalar() {
        Some(Value::Text(text)) if text.contains('\0') => {
            return wrong(node.at, "a variable cannot hold a NUL character");
        }
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(truth)) => truth.to_string(),
        _ => String::new(),
    };
    Ok((key.text, value))
}

fn read_duration(fields: &mut Fields, name: &str) -> Result<Option<Duration>, YamlError> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let at = node.at;
    let duration = fields.text(name).and_then(|text| parse_duration(&text).ok());
    match duration {
        Some(Duration::ZERO) => wrong(at, "nothing can be done in no time; give a longer one"),
        duration => Ok(duration),
    }
}

/// An address with or without a port, which is 53 then.
fn read_name_server(fields: &mut Fields) -> Result<Option<SocketAddr>, YamlError> {
    let Some(node) = fields.get("name-server") else { return Ok(None) };
    let at = node.at;
    let text = fields.text("name-server").unwrap_or_default();
    let with_port = text.parse().ok();
    let address = with_port.or_else(|| Some(SocketAddr::new(text.parse().ok()?, 53)));
    match address {
        Some(address) => Ok(Some(address)),
        None => wrong(at, format!("`{text}` is no address such as `192.0.2.1` or `192.0.2.1:53`")),
    }
}

fn read_edge((key, node): (Key, Node), protocols: &[&str]) -> Result<EdgeSettings, YamlError> {
    let mut fields = Fields::open(node, "an edge", &[EDGE])?;
    if let Some(node) = fields.get("protocol") {
        let name = node.scalar().and_then(Value::as_text).unwrap_or_default();
        if !protocols.contains(&name) {
            let hint = match nearest(name, protocols.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", protocols.join(", ")),
            };
            return wrong(node.at, format!("the protocol `{name}` is not known; {hint}"));
        }
    }
    Ok(EdgeSettings {
        name: key.text,
        addresses: fields.texts("addresses"),
        owner: fields.text("owner"),
        protocol: fields.text("protocol"),
        real: fields.flag("real"),
        noise: fields.texts("noise"),
        client_certificate: fields.text("client-certificate"),
        client_key: fields.text("client-key"),
    })
}

fn read_secrets(node: Node) -> Result<SecretSettings, YamlError> {
    let mut fields = Fields::open(node, "the secrets", &[SECRETS])?;
    if let Some(Node { content: Content::List(patterns), .. }) = fields.get("patterns") {
        for node in patterns {
            let pattern = node.scalar().and_then(Value::as_text).unwrap_or_default();
            if let Err(error) = Regex::new(pattern) {
                let reason = error.to_string();
                let reason =
                    reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                return wrong(node.at, format!("`{pattern}` is no regular expression: {reason}"));
            }
        }
    }
    Ok(SecretSettings {
        names: fields.texts("names"),
        patterns: fields.texts("patterns"),
        keep: fields.texts("keep"),
    })
}

fn wrong<T>(at: Spot, problem: impl Into<String>) -> Result<T, YamlError> {
    Err(YamlError { at, problem: problem.into() })
}
