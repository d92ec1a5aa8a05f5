//! What `rehearsal.yaml` may hold, and what is said of mistakes in it.

use super::{init_text, read};
use crate::yaml::{YamlError, parse};
use rehearsal_model::{CaptureWay, ClockSetting, EdgeSettings, SecretSettings, Settings};
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
timeout: 500ms
start-timeout: 2m
name-server: 192.0.2.1
max-body: 64KiB
trust-files: true
noise: [response.headers.date]
proto: api
edges:
  payments:
    addresses: payments.example:443
    owner: team-payments
    protocol: http
    real: true
    noise: [request.headers.x]
    client-certificate: certs/client.pem
    client-key: certs/client.key
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
        timeout: Duration::from_millis(500),
        start_timeout: Duration::from_secs(120),
        name_server: Some("192.0.2.1:53".parse().unwrap()),
        max_body: 64 << 10,
        trust_files: true,
        noise: words(&["response.headers.date"]),
        proto: words(&["api"]),
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
    };
    assert_eq!(settings(text), Ok(expected));
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
    let not_a_time = "`1969-01-01T00:00:00Z` is nothing that a clock can show; write `real`, \
                      `recorded`, `frozen`, or an instant from 1970 on such as `2026-01-31T10:00:00Z`";
    refuses("clock: 1969-01-01T00:00:00Z", &format!("line 1, column 8: {not_a_time}"));
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
    insta::assert_snapshot!(init_text(), @r#"
    # Settings of Rehearsal. All are optional: take the `#` off a line to set its key.

    # The command to run when none is given: a line for the shell, or a list of words.
    #command: ./app --port 8080

    # Variables added to the app's environment.
    #env:
    #  LOG_LEVEL: debug

    # How connections are captured: all of them by `seccomp`, or by `proxy` on explicit ports.
    #capture: seccomp

    # What the app's clock shows while it is tested: the time at which each test was recorded, running on (`recorded`) or standing (`frozen`), the `real` time, or an instant at which each test begins.
    #clock: recorded

    # How long one test may take before it fails.
    #timeout: 10s

    # How long the app may take until it listens.
    #start-timeout: 1m

    # The name server to ask while recording, instead of the one that the app asks.
    #name-server: 192.0.2.1:53

    # The largest body that is kept; a larger one is recorded by its length and hash.
    #max-body: 16MiB

    # Whether our certificate authority is shown to the app in the system's files of root certificates as well, for programs that read no variable; each file that the app opens costs some microseconds then.
    #trust-files: false

    # Paths that may differ in every test.
    #noise:
    #  - response.body.created_at

    # Where the schemas of gRPC messages are: .proto files, folders of them, or descriptor sets; a recording keeps what it was made with.
    #proto: api

    # What is known of single edges, by the name that each shall have.
    #edges:
    #  payments:
    #    # The addresses that are this edge, such as `payments.example:443` or `unix:/run/db.sock`.
    #    addresses: ["payments.example:443"]
    #    # Who answers for it.
    #    owner: team-payments
    #    # The protocol, when it is known beforehand.
    #    protocol: http
    #    # Whether `test` lets it through to the real dependency.
    #    real: false
    #    # Paths that may differ on this edge.
    #    noise: [body.sent_at]
    #    # A PEM file: the certificate, with its chain, of whoever calls this edge, when it asks for one.
    #    client-certificate: certs/client.pem
    #    # A PEM file: the key of `client-certificate`, unless it is in the same file.
    #    client-key: certs/client.key

    # What counts as a secret beyond, or other than, the built-in rules.
    #secrets:
    #  # Names of keys, headers and parameters whose values are replaced too.
    #  names: [x-internal-key]
    #  # Regular expressions; what they match is replaced too.
    #  patterns: ['acct_[0-9a-f]{16}']
    #  # Names of keys, headers and parameters whose values are kept though a rule says otherwise.
    #  keep: [csrf-token]
    "#);
}
