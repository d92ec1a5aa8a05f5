//! `rehearsal dedup`: which tests cover the same, and on demand only the first of them.

use crate::arguments::Dedup;
use crate::coverage::Coverage;
use crate::error::{CliError, Outcome};
use crate::live::count;
use crate::selection;
use rehearsal_model::TestId;
use rehearsal_report::visible;
use rehearsal_store::Project;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// Numbers of covered tests that are shown of each.
const SHOWN: usize = 12;

/// A test, and those that cover what it does.
struct Group {
    id: TestId,
    name: String,
    others: Vec<TestId>,
}

pub(super) fn run(arguments: &Dedup, folder: &Path) -> Result<Outcome, CliError> {
    let project = Project::open(folder)?;
    let chosen = selection::choose(&project, &arguments.recordings, &[])?;
    let (mut page, mut covered, mut all) = (String::new(), 0, 0);
    for chosen in chosen {
        let coverage = Coverage::of(&chosen.recording.manifest.edges);
        let (mut groups, mut places): (Vec<Group>, HashMap<String, usize>) = Default::default();
        for id in &chosen.tests {
            let test = chosen.recording.test(*id)?;
            let key = coverage.key(&test, arguments.by);
            match places.get(&key) {
                Some(place) => groups[*place].others.push(*id),
                None => {
                    places.insert(key, groups.len());
                    groups.push(Group { id: *id, name: test.name, others: Vec::new() });
                }
            }
        }
        all += chosen.tests.len();
        let others: Vec<TestId> =
            groups.iter().flat_map(|group| group.others.iter().copied()).collect();
        covered += others.len();
        tell(&mut page, &chosen.name, &groups);
        if arguments.apply {
            project.remove_tests(&chosen.name, &others)?;
        }
    }
    let what = match (covered, arguments.apply) {
        (0, _) => "nothing to remove".to_owned(),
        (_, true) => format!(
            "{} removed; run `rehearsal test` to see that the rest stands by itself",
            count(covered as u64, "test")
        ),
        (_, false) => format!("{} could go; --apply removes them", count(covered as u64, "test")),
    };
    let _ = writeln!(page, "{} of {}: {what}", all - covered, count(all as u64, "test"));
    super::print(&page)?;
    Ok(Outcome::Good)
}

fn tell(page: &mut String, name: &str, groups: &[Group]) {
    for Group { id, name: test, others } in groups.iter().filter(|it| !it.others.is_empty()) {
        let shown: Vec<String> = others.iter().take(SHOWN).map(|id| id.0.to_string()).collect();
        let more = others.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let list = shown.join(", ");
        let _ = writeln!(page, "{name} {} · {} covers {list}{more}", id.0, visible(test));
    }
}
