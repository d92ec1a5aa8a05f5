//! docs/settings.md, written from the shapes that the reader checks against. It compares; it changes
//! the file only when asked to by `UPDATE=1`.

use super::fields::SETTINGS;
use super::init::init_text;
use super::units::{format_duration, format_size};
use rehearsal_model::Settings;
use rehearsal_model::shape::{Field, Shape};
use std::fmt::Write;
use std::path::Path;

#[test]
fn settings_reference_is_up_to_date() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md"));
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let present = std::fs::read_to_string(path).unwrap_or_default();
    let hint = "run `UPDATE=1 cargo test -p rehearsal-store settings_reference`";
    assert!(present == page, "docs/settings.md is stale; {hint} and commit the result");
}

fn page() -> String {
    let mut page = String::from(
        "# Settings\n\nWhat `rehearsal.yaml` may say, all of it optional. Written from the program by \
         a test. An unknown key is an error that names the line and the nearest known key; editors \
         can check the file against [rehearsal.schema.json](../schemas/rehearsal.schema.json).\n\n\
         | key | value | what it means | when absent |\n|---|---|---|---|\n",
    );
    rows(&mut page, SETTINGS, "");
    let _ = write!(page, "\n`rehearsal init` writes this file to begin with:\n\n```yaml\n");
    page.push_str(&init_text());
    page.push_str("```\n");
    page
}

fn rows(page: &mut String, fields: &[Field], before: &str) {
    for field in fields {
        let key = format!("{before}{}", field.name);
        let kind = kind(&field.shape);
        let _ = writeln!(page, "| `{key}` | {kind} | {} | {} |", field.doc, absent(&key));
        match field.shape {
            Shape::Map(inner) => rows(page, inner, &format!("{key}.")),
            Shape::Named(Shape::Map(inner)) => rows(page, inner, &format!("{key}.<name>.")),
            _ => {}
        }
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".to_owned(),
        Shape::Text | Shape::Data => "text".to_owned(),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Integer => "a number".to_owned(),
        Shape::Duration => "a time such as `500ms`, `10s`, `2m`".to_owned(),
        Shape::Size => "a size such as `16KiB`, `64MiB`".to_owned(),
        Shape::Timestamp => "an instant".to_owned(),
        Shape::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        Shape::List(inner) => format!("a list of {}", plural(inner)),
        Shape::Named(inner) => format!("names, each with {}", self::kind(inner)),
        Shape::Map(_) => "the keys below".to_owned(),
        Shape::Either(kinds) => kinds.iter().map(kind).collect::<Vec<_>>().join(", or "),
    }
}

fn plural(shape: &Shape) -> String {
    match shape {
        Shape::Text => "texts".to_owned(),
        other => kind(other),
    }
}

fn absent(key: &str) -> String {
    let default = Settings::default();
    match key {
        "capture" => "`seccomp`".to_owned(),
        "clock" => "`recorded`".to_owned(),
        "overlap" => "`none`".to_owned(),
        "timeout" => format!("`{}`", format_duration(default.timeout)),
        "start-timeout" => format!("`{}`", format_duration(default.start_timeout)),
        "max-body" => format!("`{}`", format_size(default.max_body)),
        "reflection" => "`true`".to_owned(),
        "trust-files" | "edges.<name>.real" => "`false`".to_owned(),
        _ => String::new(),
    }
}
