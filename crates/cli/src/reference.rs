//! docs/cli.md, written from the command line itself. It compares; it changes the file only when
//! asked to by `UPDATE=1`.

use crate::arguments::Arguments;
use clap::{Arg, ArgAction, Command, CommandFactory};
use std::fmt::Write;
use std::path::Path;

#[test]
fn cli_reference_is_up_to_date() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md"));
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let present = std::fs::read_to_string(path).unwrap_or_default();
    let hint = "run `UPDATE=1 cargo test -p rehearsal --bin rehearsal cli_reference`";
    assert!(present == page, "docs/cli.md is stale; {hint} and commit the result");
}

fn page() -> String {
    let mut program = Arguments::command();
    program.build();
    let mut page = String::from(
        "# The command line\n\nWritten from the program by a test; `rehearsal help` says the same. \
         Options of every command stand first.\n\n",
    );
    let global: Vec<&Arg> = program.get_arguments().filter(|arg| arg.is_global_set()).collect();
    options(&mut page, &global);
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        if command.get_name() != "help" {
            section(&mut page, command);
        }
    }
    page
}

fn section(page: &mut String, command: &Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let _ = write!(
        page,
        "\n## {}\n\n{about}.\n\n    {}\n\n",
        command.get_name(),
        usage.replace('\n', "\n    ")
    );
    let own: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_global_set()).collect();
    options(page, &own);
    if let Some(after) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{}\n```\n", after.to_string().trim());
    }
}

/// A table of arguments; those that every command has from clap are left out.
fn options(page: &mut String, args: &[&Arg]) {
    let shown = |arg: &&&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    let mut rows = args.iter().filter(shown).peekable();
    if rows.peek().is_none() {
        return;
    }
    page.push_str("| option | what it does |\n|---|---|\n");
    for arg in rows {
        let _ = writeln!(page, "| {} | {} |", names(arg), meaning(arg));
    }
}

fn names(arg: &Arg) -> String {
    let value = arg
        .get_value_names()
        .filter(|_| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append))
        .map(|names| names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" "));
    let value = value.unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let text = match names.is_empty() {
        true if arg.is_last_set() => format!("-- {value}..."),
        true => value,
        false => format!("{} {value}", names.join(", ")),
    };
    format!("`{}`", text.trim())
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` {help}", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    let takes = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    if takes && !values.is_empty() {
        let _ = write!(text, ".<br>{}", values.join("; "));
    }
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes && !defaults.is_empty() {
        let _ = write!(text, ".<br>Default: `{}`", defaults.join(" "));
    }
    text
}
