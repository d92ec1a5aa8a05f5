//! `rehearsal.yaml` to settings, with every mistake named by its place.

use super::fields::{DEFECTS, EDGE, QUARANTINE, SECRETS, SETTINGS};
use super::units::{parse_clock, parse_duration, parse_size};
use crate::schema::{Fields, nearest};
use crate::yaml::{Content, Key, Node, Spot, YamlError};
use regex::Regex;
use rehearsal_model::{
    CaptureWay, DefectSettings, EdgeSettings, Overlap, QuarantineSettings, SecretSettings,
    Settings, Tracker, Value,
};
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
        overlap: fields
            .text("overlap")
            .and_then(|text| Overlap::of_word(&text))
            .unwrap_or(default.overlap),
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
        groups: fields.pairs("groups").into_iter().map(read_group).collect::<Result<_, _>>()?,
        proto: fields.texts("proto"),
        reflection: fields.get("reflection").is_none() || fields.flag("reflection"),
        secrets: match fields.take("secrets") {
            Some(node) => read_secrets(node)?,
            None => SecretSettings::default(),
        },
        history: fields.text("history"),
        owners: fields.pairs("owners").into_iter().map(read_owner).collect(),
        quarantine: fields
            .list("quarantine")
            .into_iter()
            .map(read_quarantine)
            .collect::<Result<_, _>>()?,
        defects: match fields.take("defects") {
            Some(node) => read_defects(node)?,
            None => DefectSettings::default(),
        },
    })
}

fn read_owner((key, node): (Key, Node)) -> (String, Vec<String>) {
    let text = |node: &Node| node.scalar().and_then(Value::as_text).map(str::to_owned);
    let owners = match &node.content {
        Content::List(list) => list.iter().filter_map(text).collect(),
        _ => text(&node).into_iter().collect(),
    };
    (key.text, owners)
}

fn read_quarantine(node: Node) -> Result<QuarantineSettings, YamlError> {
    let mut fields = Fields::open(node, "a quarantine", &[QUARANTINE])?;
    let at = fields.get("until").map(|node| node.at);
    let until = fields.text("until").unwrap_or_default();
    let until = match (at, until.parse::<jiff::civil::Date>()) {
        (Some(at), Err(_)) => {
            return wrong(at, format!("`{until}` is no day such as `2026-12-31`"));
        }
        (_, day) => day.map_or(until, |day| day.to_string()),
    };
    Ok(QuarantineSettings {
        test: fields.text("test").unwrap_or_default(),
        owner: fields.text("owner").unwrap_or_default(),
        until,
        reason: fields.text("reason"),
    })
}

fn read_defects(node: Node) -> Result<DefectSettings, YamlError> {
    let mut fields = Fields::open(node, "the defects", &[DEFECTS])?;
    for name in ["token", "user"] {
        let Some(node) = fields.get(name) else { continue };
        let text = node.scalar().and_then(Value::as_text).unwrap_or_default();
        let plain = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
        if text.is_empty() || !text.chars().all(plain) {
            let problem = "this is the name of a variable such as `JIRA_TOKEN`, never the token \
                           itself, which is not to be written down";
            return wrong(node.at, problem);
        }
    }
    Ok(DefectSettings {
        tracker: fields
            .text("tracker")
            .and_then(|word| Tracker::of_word(&word))
            .unwrap_or_default(),
        url: fields.text("url"),
        project: fields.text("project"),
        token: fields.text("token"),
        user: fields.text("user"),
        issue_type: fields.text("issue-type"),
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

fn read_group((key, node): (Key, Node)) -> Result<(String, Vec<String>), YamlError> {
    let at = node.at;
    let Content::List(items) = node.content else { return Ok((key.text, Vec::new())) };
    let tests: Vec<String> = items
        .iter()
        .filter_map(|item| match item.scalar()? {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    match tests.is_empty() || tests.iter().any(String::is_empty) {
        true => wrong(at, format!("the group `{}` has no tests", key.text)),
        false => Ok((key.text, tests)),
    }
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

/// An address as connections show it: those to `localhost` show what that stands for, since nobody is asked
/// for it.
fn spelled(address: String) -> Vec<String> {
    let port = address.strip_prefix("localhost:").map(str::to_owned);
    let loopback = port.map(|port| [format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
    std::iter::once(address).chain(loopback.into_iter().flatten()).collect()
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
        addresses: fields.texts("addresses").into_iter().flat_map(spelled).collect(),
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
