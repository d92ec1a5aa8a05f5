//! What `rehearsal.yaml` may hold, and what is said of mistakes in it.

use super::{init_text, read};
use crate::yaml::{YamlError, parse};
use rehearsal_model::{
    CaptureWay, ClockSetting, EdgeSettings, Overlap, QuarantineSettings, SecretSettings, Settings,
    Tracker,
};
use std::time::Duration;

fn settings(text: &str) -> Result<Settings, YamlError> {
    read(parse(text)?, &["http", "postgres"])
}

#[test]
fn everything_can_be_set() {
    let text = "\
command: [./shop, --port, '8080']
env: {PORT: 8080, DEBUG: true, NAME: shop}
capture: proxy
clock: 2026-01-31T10:00:00Z
overlap: recorded
timeout: 500ms
start-timeout: 2m
name-server: 192.0.2.1
max-body: 64KiB
trust-files: true
noise: [response.headers.date]
proto: api
reflection: false
edges:
  payments:
    addresses: payments.example:443
    owner: team-payments
    protocol: http
    real: true
    noise: [request.headers.x]
    client-certificate: certs/client.pem
    client-key: certs/client.key
groups:
  orders: [POST /orders, 3]
secrets:
  names: [pin]
  patterns: ['acct_\\d+']
  keep: [csrf]
";
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = Settings {
        command: Some(words(&["./shop", "--port", "8080"])),
        env: vec![pair("PORT", "8080"), pair("DEBUG", "true"), pair("NAME", "shop")],
        capture: CaptureWay::Proxy,
        clock: ClockSetting::At(rehearsal_model::Timestamp(1_769_853_600_000)),
        overlap: Overlap::Recorded,
        timeout: Duration::from_millis(500),
        start_timeout: Duration::from_secs(120),
        name_server: Some("192.0.2.1:53".parse().unwrap()),
        max_body: 64 << 10,
        trust_files: true,
        noise: words(&["response.headers.date"]),
        groups: vec![("orders".to_owned(), words(&["POST /orders", "3"]))],
        proto: words(&["api"]),
        reflection: false,
        edges: vec![EdgeSettings {
            name: "payments".to_owned(),
            addresses: words(&["payments.example:443"]),
            owner: Some("team-payments".to_owned()),
            protocol: Some("http".to_owned()),
            real: true,
            noise: words(&["request.headers.x"]),
            client_certificate: Some("certs/client.pem".to_owned()),
            client_key: Some("certs/client.key".to_owned()),
        }],
        secrets: SecretSettings {
            names: words(&["pin"]),
            patterns: words(&["acct_\\d+"]),
            keep: words(&["csrf"]),
        },
        ..Settings::default()
    };
    assert_eq!(settings(text), Ok(expected));
}

#[test]
fn what_is_said_of_runs_can_be_set() {
    let text = "\
history: /var/lib/history.db
owners:
  '*': all
  POST /orders*: [team-a, team-b]
quarantine:
  - {test: checkout/12, owner: team-payments, until: 2026-12-31, reason: the bank rounds}
  - {test: GET /, owner: me, until: 2027-01-01}
defects: {tracker: jira, url: https://x.example, project: SHOP, token: TOKEN_1, user: WHO, issue-type: Bug}
";
    let settings = settings(text).unwrap();
    assert_eq!(settings.history.as_deref(), Some("/var/lib/history.db"));
    let owners = [("*", vec!["all"]), ("POST /orders*", vec!["team-a", "team-b"])];
    let owners = owners.map(|(pattern, owners)| {
        (pattern.to_owned(), owners.into_iter().map(str::to_owned).collect::<Vec<_>>())
    });
    assert_eq!(settings.owners, owners);
    let quarantine = |test: &str, owner: &str, until: &str, reason: Option<&str>| {
        let [test, owner, until] = [test, owner, until].map(str::to_owned);
        QuarantineSettings { test, owner, until, reason: reason.map(str::to_owned) }
    };
    let expected = [
        quarantine("checkout/12", "team-payments", "2026-12-31", Some("the bank rounds")),
        quarantine("GET /", "me", "2027-01-01", None),
    ];
    assert_eq!(settings.quarantine, expected);
    assert_eq!(settings.defects.tracker, Tracker::Jira);
    assert_eq!(settings.defects.token.as_deref(), Some("TOKEN_1"));
    refuses(
        "quarantine: [{test: a, owner: b}]",
        "line 1, column 14: the key `until` is missing: The last day on which it holds, such as `2026-12-31`",
    );
    refuses(
        "quarantine: [{test: a, owner: b, until: soon}]",
        "line 1, column 41: `soon` is no day such as `2026-12-31`",
    );
    refuses(
        "defects: {token: ghp_secret}",
        "line 1, column 18: this is the name of a variable such as `JIRA_TOKEN`, never the token \
         itself, which is not to be written down",
    );
}

#[test]
fn what_is_absent_has_its_default() {
    for text in ["", "# nothing\n", "{}", "edges: {}\n"] {
        assert_eq!(settings(text), Ok(Settings::default()), "{text:?}");
    }
    let clock = |word| settings(&format!("clock: {word}")).unwrap().clock;
    assert_eq!([clock("real"), clock("recorded")], [ClockSetting::Real, ClockSetting::Recorded]);
    assert_eq!(clock("frozen"), ClockSetting::Frozen);
    let line = settings("command: ./shop --port 8080 | tee log").unwrap().command.unwrap();
    assert_eq!(line, ["sh", "-c", "./shop --port 8080 | tee log"]);
}

#[track_caller]
fn refuses(text: &str, message: &str) {
    assert_eq!(settings(text).unwrap_err().to_string(), message);
}

#[test]
fn mistakes_are_named_with_their_place() {
    refuses("a", "line 1, column 1: expected the settings as a map, found text");
    refuses("timeuot: 1s", "line 1, column 1: unknown key `timeuot`; did you mean `timeout`?");
    refuses(
        "timeout: 10",
        "line 1, column 10: expected a duration such as `10s`, found an integer",
    );
    refuses("timeout: 0s", "line 1, column 10: nothing can be done in no time; give a longer one");
    refuses(
        "max-body: 1MB",
        "line 1, column 11: `1MB` is not a size; write it as `512B`, `16KiB`, `64MiB` or `1GiB`",
    );
    refuses(
        "capture: ebpf",
        "line 1, column 10: `ebpf` is not known here; it can be `seccomp` or `proxy`",
    );
    let not_a_time = "expected `real`, `recorded` or `frozen` or an instant such as \
                      `2026-01-31T10:00:00.000Z`, found text";
    refuses("clock: noon", &format!("line 1, column 8: {not_a_time}"));
    for out in ["1969-12-31T23:59:59Z", "2262-04-11T23:47:17Z", "9999-01-01T00:00:00Z"] {
        let no_clock = "is a time that no clock can show: the app's counts nanoseconds since 1970, which end \
                        in 2262; write an instant from 1970 to 2199";
        refuses(&format!("clock: {out}"), &format!("line 1, column 8: `{out}` {no_clock}"));
    }
    refuses("command: []", "line 1, column 10: the command is empty");
    refuses("command: [1]", "line 1, column 11: expected text, found an integer; put it in quotes");
    refuses("command: {}", "line 1, column 10: expected text or a list, found a map");
    refuses("env:\n  A=B: c", "line 2, column 3: `A=B` cannot be the name of a variable");
    refuses(
        "env: {A: [b]}",
        "line 1, column 10: expected text or a whole number or `true` or `false`, found a list",
    );
    refuses(
        "edges:\n  db: {protocol: postgresql}",
        "line 2, column 18: the protocol `postgresql` is not known; did you mean `postgres`?",
    );
    refuses(
        "edges:\n  db: {protocol: smtp}",
        "line 2, column 18: the protocol `smtp` is not known; known are http, postgres",
    );
    refuses("edges:\n  db: {}\n  db: {}", "line 3, column 3: the key `db` is there twice");
    refuses(
        "secrets: {patterns: ['(']}",
        "line 1, column 22: `(` is no regular expression: unclosed group",
    );
}

#[test]
fn the_first_file_is_valid_either_way() {
    let text = init_text();
    assert_eq!(settings(&text), Ok(Settings::default()));
    let open: Vec<&str> = text
        .lines()
        .map(|line| {
            if line.starts_with("# ") && !line.contains("  ") {
                line
            } else {
                line.strip_prefix('#').unwrap_or(line)
            }
        })
        .collect();
    let open = open.join("\n");
    let set = settings(&open).unwrap();
    assert_eq!((set.timeout, set.max_body), (Settings::default().timeout, 16 << 20));
    assert_eq!(set.edges[0].addresses, ["payments.example:443"]);
    assert_eq!(set.secrets.keep, ["csrf-token"]);
}

#[test]
fn the_first_file_explains_every_key() {
    insta::assert_snapshot!(init_text());
}

#[test]
fn localhost_is_what_connections_to_it_show() {
    let text = "edges:\n  db: {addresses: [\"localhost:5432\", db.test:5432]}\n";
    let read = settings(text).unwrap();
    let expected = ["localhost:5432", "127.0.0.1:5432", "[::1]:5432", "db.test:5432"];
    assert_eq!(read.edges[0].addresses, expected);
}
