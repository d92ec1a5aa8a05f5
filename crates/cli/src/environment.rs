//! Names of edges out of the app's environment: `PAYMENTS_URL=http://127.0.0.1:9002` says that the
//! edge at that address is called `payments`, also when the port is another one next time.

use rehearsal_model::{EdgeSettings, Settings};
use std::collections::BTreeMap;

/// What ends the name of a variable that says where a party is.
const ENDINGS: [&str; 12] = [
    "_BASE_URL",
    "_API_URL",
    "_URL",
    "_URI",
    "_ENDPOINT",
    "_ADDRESS",
    "_ADDR",
    "_DSN",
    "_SERVER",
    "_BROKERS",
    "_BROKER",
    "_HOST",
];

/// The ports of schemes that addresses may leave out.
const PORTS: [(&str, u16); 13] = [
    ("http", 80),
    ("https", 443),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("mysql", 3306),
    ("mariadb", 3306),
    ("redis", 6379),
    ("rediss", 6380),
    ("amqp", 5672),
    ("mongodb", 27017),
    ("nats", 4222),
    ("smtp", 25),
    ("mqtt", 1883),
];

/// Adds the edges that variables name, unless the settings name the address or the edge already
/// has the name.
pub(crate) fn name_edges(
    settings: &mut Settings,
    variables: impl IntoIterator<Item = (String, String)>,
) {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // A map, since the order of the environment is that of chance.
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    for (variable, value) in &variables {
        let Some(name) = name_of(variable) else { continue };
        let addresses = addresses(variable, value, &variables);
        if !addresses.is_empty() {
            found.entry(name).or_default().extend(addresses);
        }
    }
    for (name, addresses) in found {
        let taken =
            |address: &String| settings.edges.iter().any(|edge| edge.addresses.contains(address));
        let free: Vec<String> = addresses.into_iter().filter(|address| !taken(address)).collect();
        match settings.edges.iter_mut().find(|edge| edge.name == name) {
            _ if free.is_empty() => {}
            Some(edge) => edge.addresses.extend(free),
            None => {
                settings.edges.push(EdgeSettings { name, addresses: free, ..Default::default() });
            }
        }
    }
}

fn name_of(variable: &str) -> Option<String> {
    let stem = ENDINGS.iter().find_map(|ending| variable.strip_suffix(ending))?;
    let stem = stem.trim_matches('_');
    (!stem.is_empty() && !stem.ends_with("PROXY"))
        .then(|| stem.to_ascii_lowercase().replace('_', "-"))
}

/// The addresses that a value holds, as connections show them.
fn addresses(variable: &str, value: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let port_beside = variable
        .strip_suffix("_HOST")
        .and_then(|stem| variables.get(&format!("{stem}_PORT")))
        .and_then(|port| port.parse().ok());
    let mut addresses = Vec::new();
    for part in value.split(',') {
        let Some((host, port)) = host_and_port(part.trim(), port_beside) else { continue };
        match host.as_str() {
            "localhost" => {
                addresses.push(format!("127.0.0.1:{port}"));
                addresses.push(format!("[::1]:{port}"));
            }
            host => addresses.push(format!("{host}:{port}")),
        }
    }
    addresses
}

fn host_and_port(text: &str, port_beside: Option<u16>) -> Option<(String, u16)> {
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(s, rest)| (Some(s), rest));
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let scheme_port =
        scheme.and_then(|scheme| PORTS.iter().find(|known| known.0 == scheme)).map(|known| known.1);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && !port.ends_with(']') => {
            (host, port.parse().ok()?)
        }
        _ => (authority, scheme_port.or(port_beside)?),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    (!host.is_empty() && host.chars().all(plain)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &[(&str, &str)]) {
        let mut settings = Settings::default();
        let owned = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        name_edges(&mut settings, owned);
        let edges = settings.edges.iter().map(|edge| (edge.name.clone(), edge.addresses.join(" ")));
        let expected = expected.iter().map(|(name, at)| (name.to_string(), at.to_string()));
        assert_eq!(edges.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn variables_that_say_where_a_party_is_name_it() {
        check(
            &[
                ("PAYMENTS_URL", "http://127.0.0.1:9002/v1"),
                ("INVENTORY_BASE_URL", "http://localhost:9001"),
                ("DATABASE_URL", "postgres://shop:secret@db.example/shop"),
                ("REDIS_HOST", "cache"),
                ("REDIS_PORT", "6390"),
                ("KAFKA_BROKERS", "k1:9092, k2:9092"),
                ("HTTPS_PROXY_URL", "http://proxy:3128"),
                ("HOME", "/root"),
                ("EDITOR_URL", "no address"),
                ("V6_ADDR", "[::1]:80"),
            ],
            &[
                ("database", "db.example:5432"),
                ("inventory", "127.0.0.1:9001 [::1]:9001"),
                ("kafka", "k1:9092 k2:9092"),
                ("payments", "127.0.0.1:9002"),
                ("redis", "cache:6390"),
                ("v6", "[::1]:80"),
            ],
        );
    }

    #[test]
    fn settings_come_first() {
        let mut settings = Settings::default();
        let addresses = vec!["127.0.0.1:9002".to_owned()];
        settings.edges.push(EdgeSettings {
            name: "money".to_owned(),
            addresses: addresses.clone(),
            ..Default::default()
        });
        name_edges(&mut settings, [("PAY_URL".to_owned(), "http://127.0.0.1:9002".to_owned())]);
        assert_eq!(settings.edges.len(), 1);
    }
}
