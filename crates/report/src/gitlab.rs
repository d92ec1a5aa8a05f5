//! What a run found as a Code Quality report of GitLab: an issue for each test that failed.

use crate::Report;
use crate::collect::{Collected, Done};
use crate::escape::visible;
use rehearsal_model::{Map, RunEvent, Value, json};
use std::io::{self, Write};

pub(crate) struct GitLab {
    out: Box<dyn Write + Send>,
    run: Collected,
}

impl GitLab {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        GitLab { out, run: Collected::default() }
    }
}

impl Report for GitLab {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        if self.run.event(event).is_none() {
            return Ok(());
        }
        let issues: Vec<Value> = self.run.broken().map(issue).collect();
        writeln!(self.out, "{}", json::to_string(&Value::List(issues)))?;
        self.out.flush()
    }
}

fn issue(done: &Done) -> Value {
    let finding = done.triage.as_ref().map_or("test-failed", |triage| &triage.cause.finding);
    let print = done.triage.as_ref().map_or("", |triage| &triage.cause.fingerprint);
    let owner = done.triage.as_ref().and_then(|triage| triage.ownership.as_ref());
    let owner = owner.map_or_else(String::new, |owner| format!(" ({})", owner.owners.join(", ")));
    let description = format!("{}: {}{}", visible(&done.name), done.message(), visible(&owner));
    let lines = Map::from([("begin", Value::from(1_i64))]);
    let location =
        Map::from([("path", Value::from(&*visible(&done.file))), ("lines", Value::Map(lines))]);
    Value::Map(Map::from([
        ("description", Value::from(description)),
        ("check_name", Value::from(finding)),
        // GitLab takes one fingerprint for one issue.
        ("fingerprint", Value::from(format!("{print}-{}", visible(&done.key())))),
        ("severity", Value::from(if done.is_excused() { "info" } else { "major" })),
        ("location", Value::Map(location)),
    ]))
}
