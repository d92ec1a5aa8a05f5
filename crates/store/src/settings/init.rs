//! The text of a first `rehearsal.yaml`: every key explained, none set.

use super::fields::{DEFECTS, EDGE, QUARANTINE, SECRETS, SETTINGS};
use super::units::{format_duration, format_size};
use rehearsal_model::Settings;
use rehearsal_model::shape::Field;

/// A `rehearsal.yaml` in which every key stands as a comment with what it means; a value is the
/// default, or an example where there is none.
#[must_use]
pub fn init_text() -> String {
    let mut out = String::from(
        "# Settings of Rehearsal. All are optional: take the `#` off a line to set its key.\n",
    );
    let default = Settings::default();
    for field in SETTINGS {
        out.push('\n');
        explain(&mut out, field, "");
        match field.name {
            "command" => out.push_str("#command: ./app --port 8080\n"),
            "env" => out.push_str("#env:\n#  LOG_LEVEL: debug\n"),
            "capture" => out.push_str("#capture: seccomp\n"),
            "clock" => out.push_str("#clock: recorded\n"),
            "overlap" => set(&mut out, "overlap", "none"),
            "timeout" => set(&mut out, "timeout", &format_duration(default.timeout)),
            "start-timeout" => {
                set(&mut out, "start-timeout", &format_duration(default.start_timeout));
            }
            "name-server" => set(&mut out, "name-server", "192.0.2.1:53"),
            "max-body" => set(&mut out, "max-body", &format_size(default.max_body)),
            "trust-files" => set(&mut out, "trust-files", "false"),
            "noise" => out.push_str("#noise:\n#  - response.body.created_at\n"),
            "groups" => out.push_str("#groups:\n#  orders: [POST /orders, GET /orders]\n"),
            "proto" => set(&mut out, "proto", "api"),
            "reflection" => set(&mut out, "reflection", "true"),
            "edges" => {
                out.push_str("#edges:\n#  payments:\n");
                nested(&mut out, EDGE, "    ", |name| match name {
                    "addresses" => "[\"payments.example:443\"]",
                    "owner" => "team-payments",
                    "protocol" => "http",
                    "real" => "false",
                    "client-certificate" => "certs/client.pem",
                    "client-key" => "certs/client.key",
                    _ => "[body.sent_at]",
                });
            }
            "history" => set(&mut out, "history", "rehearsal/runs/history.db"),
            "owners" => out.push_str("#owners:\n#  \"POST /orders*\": team-checkout\n"),
            "quarantine" => {
                out.push_str("#quarantine:\n");
                listed(&mut out, QUARANTINE, |name| match name {
                    "test" => "checkout/12",
                    "owner" => "team-payments",
                    "until" => "2026-12-31",
                    _ => "the bank rounds otherwise until they release",
                });
            }
            "defects" => {
                out.push_str("#defects:\n");
                nested(&mut out, DEFECTS, "  ", |name| match name {
                    "tracker" => "local",
                    "url" => "https://example.atlassian.net",
                    "project" => "SHOP",
                    "token" => "JIRA_TOKEN",
                    "user" => "JIRA_USER",
                    _ => "Bug",
                });
            }
            _ => {
                out.push_str("#secrets:\n");
                nested(&mut out, SECRETS, "  ", |name| match name {
                    "names" => "[x-internal-key]",
                    "patterns" => "['acct_[0-9a-f]{16}']",
                    _ => "[csrf-token]",
                });
            }
        }
    }
    out
}

fn set(out: &mut String, name: &str, value: &str) {
    out.push_str(&format!("#{name}: {value}\n"));
}

fn nested(out: &mut String, fields: &[Field], indent: &str, example: impl Fn(&str) -> &str) {
    for field in fields {
        explain(out, field, indent);
        out.push_str(&format!("#{indent}{}: {}\n", field.name, example(field.name)));
    }
}

/// The fields of the one item of a list.
fn listed(out: &mut String, fields: &[Field], example: impl Fn(&str) -> &str) {
    for (place, field) in fields.iter().enumerate() {
        explain(out, field, "    ");
        let indent = if place == 0 { "  - " } else { "    " };
        out.push_str(&format!("#{indent}{}: {}\n", field.name, example(field.name)));
    }
}

/// Inside a block the explanation is a comment twice, so that taking the first sign off each line
/// leaves valid settings.
fn explain(out: &mut String, field: &Field, indent: &str) {
    match indent {
        "" => out.push_str(&format!("# {}.\n", field.doc)),
        indent => out.push_str(&format!("#{indent}# {}.\n", field.doc)),
    }
}
