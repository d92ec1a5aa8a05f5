//! Why a test failed, in words: a headline, and the evidence below it.

use crate::Look;
use crate::difference::{differences, first_differences, places};
use crate::page::{Page, Style};
use crate::words::{count, duration};
use crate::yaml::{Layout, map_lines};
use rehearsal_model::{Difference, Finding, Map, NearestMock};

/// How many lines of a request are shown.
const MAX_REQUEST: usize = 24;

/// How many differences of an answer are shown that a call without an answer explains.
const MAX_EXPLAINED: usize = 4;

/// How much of a statement is in a headline, in characters.
const MAX_STATEMENT: usize = 160;

/// How many calls without an answer are drawn of one kind.
const MAX_ALIKE: usize = 3;

/// The finding in a line, without what differs.
pub(crate) fn headline(finding: &Finding) -> String {
    match finding {
        Finding::Response { differences } => {
            format!("the response differs in {}", count(differences.len(), "place"))
        }
        Finding::NoAnswer { what } => format!("the app gave no complete answer: {what}"),
        Finding::TimedOut { limit_ms } => {
            format!("the app did not answer within {}", duration(*limit_ms as f64))
        }
        Finding::CallMissing { call, of, edge, owner, operation, .. } => {
            let party = party(edge, owner.as_deref());
            format!("{} · {party} · {operation} was not made", number(*call, *of))
        }
        Finding::CallDiffers { call, of, edge, owner, operation, differences, .. } => {
            let (party, places) =
                (party(edge, owner.as_deref()), count(differences.len(), "place"));
            format!("{} · {party} · {operation} differs in {places}", number(*call, *of))
        }
        Finding::CallUnexpected { edge, owner, operation, .. } => {
            let party = party(edge, owner.as_deref());
            format!("{party} · {operation} is a call that no mock answers")
        }
        Finding::CallRepeated { edge, owner, operation, times, recorded, .. } => {
            let party = party(edge, owner.as_deref());
            let more = if *times == 1 { "once".to_owned() } else { count(*times, "time") };
            let counted =
                recorded.map(|recorded| so_many(times.saturating_add(recorded), recorded));
            let counted = counted.map(|counted| format!(": {counted}")).unwrap_or_default();
            format!("{party} · {operation} was called {more} more than recorded{counted}")
        }
        Finding::CallMultiplied { edge, owner, operation, statement, came, recorded, .. } => {
            let party = party(edge, owner.as_deref());
            let counted = so_many(*came, *recorded);
            format!("{party} · {operation} · {counted}: {}", shortened(statement))
        }
        Finding::CallOrder { call, of, before, edge, owner, operation } => {
            let (call, party) = (number(*call, *of), party(edge, owner.as_deref()));
            format!(
                "{call} · {party} · {operation} came before call {before}, which it has to follow"
            )
        }
        Finding::Contradiction { at, since, .. } => {
            format!("{at} does not mean what {since} does")
        }
        Finding::UnknownEdge { address } => {
            format!("the app tried to reach {address}, which the recording does not know")
        }
        Finding::NotReplayable { edge, owner, obstacle } => {
            let party = party(edge, owner.as_deref());
            format!("edge {party} is {obstacle} and cannot be replayed")
        }
        Finding::AppExited { how } => format!("the app ended during the test: {how}"),
    }
}

/// The finding in a line, with the first place at which something differs.
#[must_use]
pub fn sentence(finding: &Finding) -> String {
    match finding {
        Finding::Response { differences } => {
            format!("the response differs at {}", places(differences))
        }
        Finding::CallDiffers { call, of, edge, owner, operation, differences, .. } => {
            let (call, party) = (number(*call, *of), party(edge, owner.as_deref()));
            format!("{call} · {party} · {operation} differs at {}", places(differences))
        }
        other => headline(other),
    }
}

/// The finding with its evidence, as text for people.
#[must_use]
pub fn evidence(one: &Finding, look: Look) -> String {
    let mut page = Page::new(look.color, look.width);
    finding(&mut page, 2, one);
    page.finish()
}

/// Draws a finding with its evidence.
pub(crate) fn finding(page: &mut Page, indent: usize, finding: &Finding) {
    page.to(indent).put(mark(finding).0, mark(finding).1);
    page.put(Style::Bold, &headline(finding)).end();
    let indent = indent + 2;
    match finding {
        Finding::Response { differences: all } | Finding::CallDiffers { differences: all, .. } => {
            differences(page, indent, all);
        }
        Finding::CallMissing { request: map, .. } => {
            request(page, indent, map, "- ", Style::Expected)
        }
        Finding::CallRepeated { request: map, .. } => {
            request(page, indent, map, "+ ", Style::Actual)
        }
        Finding::CallUnexpected { request: map, nearest, .. } => {
            request(page, indent, map, "+ ", Style::Actual);
            if let Some(nearest) = nearest {
                nearest_mock(page, indent, nearest);
            }
        }
        Finding::CallMultiplied { .. } => multiplied(page, indent, finding),
        Finding::Contradiction { recorded, live, since, at, expected, actual } => {
            let line = |page: &mut Page, text: String| {
                page.to(indent).put(Style::Plain, &text).end();
            };
            line(page, format!("{since}: {live}, for {recorded} of the recording"));
            line(page, format!("{at}: {actual}, for {expected} of the recording"));
        }
        Finding::UnknownEdge { .. } => {
            let hint = "record again to have mocks for it, or let it through with --real";
            page.to(indent).put(Style::Dim, hint).end();
        }
        Finding::NotReplayable { edge, .. } => {
            page.to(indent).put(Style::Dim, &format!("test with --real {edge}")).end();
        }
        Finding::NoAnswer { .. }
        | Finding::TimedOut { .. }
        | Finding::CallOrder { .. }
        | Finding::AppExited { .. } => {}
    }
}

/// Draws the findings of a test, each after an empty line.
///
/// An app that gets our error instead of an answer mostly answers with an error of its own, all of
/// whose fields differ: then the call is what counts, and little of the answer is shown unless asked.
pub(crate) fn all_findings(page: &mut Page, indent: usize, all: &[Finding], verbose: bool) {
    let missed = |one: &&Finding| {
        matches!(
            one,
            Finding::CallDiffers { .. }
                | Finding::CallUnexpected { .. }
                | Finding::CallMultiplied { .. }
                | Finding::NotReplayable { .. }
        )
    };
    let missed = all.iter().filter(missed).count();
    // Many calls of one kind, a query for each row say, are one mistake.
    let mut alike: Vec<(String, usize)> = Vec::new();
    for one in all {
        if let Finding::CallUnexpected { .. } = one
            && !verbose
        {
            let kind = headline(one);
            let known = alike.iter().position(|(other, _)| *other == kind);
            let known = known.unwrap_or_else(|| {
                alike.push((kind, 0));
                alike.len() - 1
            });
            alike[known].1 += 1;
            if alike[known].1 > MAX_ALIKE {
                continue;
            }
        }
        page.end();
        match one {
            Finding::Response { differences }
                if !verbose && missed > 0 && has_other_status(differences) =>
            {
                let plural = if missed == 1 { "" } else { "s" };
                let because = format!(", probably because of the call{plural} above");
                page.to(indent).put(mark(one).0, mark(one).1).put(Style::Bold, &headline(one));
                page.put(Style::Plain, &because).end();
                first_differences(page, indent + 2, differences, MAX_EXPLAINED);
            }
            one => finding(page, indent, one),
        }
    }
    further(page, indent, &alike);
}

/// Says how many findings of a kind were not drawn.
fn further(page: &mut Page, indent: usize, alike: &[(String, usize)]) {
    for (kind, count) in alike.iter().filter(|(_, count)| *count > MAX_ALIKE) {
        page.end();
        page.to(indent).put(Style::Dim, &format!("{} more: {kind}", count - MAX_ALIKE)).end();
    }
}

/// Whether an answer has another status; that is the first thing compared.
fn has_other_status(differences: &[Difference]) -> bool {
    differences.first().is_some_and(|first| first.path == "response.status")
}

fn mark(finding: &Finding) -> (Style, &'static str) {
    match finding {
        Finding::CallMissing { .. } => (Style::Expected, "- "),
        Finding::CallUnexpected { .. }
        | Finding::CallRepeated { .. }
        | Finding::CallMultiplied { .. }
        | Finding::UnknownEdge { .. } => (Style::Actual, "+ "),
        Finding::NotReplayable { .. } => (Style::Bad, "! "),
        Finding::Response { .. }
        | Finding::CallDiffers { .. }
        | Finding::CallOrder { .. }
        | Finding::Contradiction { .. } => (Style::Note, "~ "),
        Finding::NoAnswer { .. } | Finding::TimedOut { .. } | Finding::AppExited { .. } => {
            (Style::Bad, "! ")
        }
    }
}

fn number(call: usize, of: usize) -> String {
    match call {
        0 => "a call shared by several tests".into(),
        call => format!("call {call} of {of}"),
    }
}

/// A dependency with whoever answers for it.
fn party(edge: &str, owner: Option<&str>) -> String {
    owner.map_or_else(|| edge.to_owned(), |owner| format!("{edge} (of {owner})"))
}

fn request(page: &mut Page, indent: usize, request: &Map, mark: &str, style: Style) {
    for line in map_lines(request, Layout::Short, MAX_REQUEST) {
        page.to(indent).put(style, mark).rest(style, &line).end();
    }
}

/// What of many calls of one statement is drawn: the first of them, and what became of the others.
fn multiplied(page: &mut Page, indent: usize, finding: &Finding) {
    let Finding::CallMultiplied { came, recorded, refused, requests, nearest, .. } = finding else {
        return;
    };
    for map in requests {
        request(page, indent, map, "+ ", Style::Actual);
    }
    let more = came.saturating_sub(*recorded).saturating_sub(requests.len());
    if more > 0 {
        page.to(indent).put(Style::Dim, &format!("and {more} more that differ by values")).end();
    }
    if let Some(nearest) = nearest {
        nearest_mock(page, indent, nearest);
    }
    if *refused == 1 {
        let hint = "the app may have stopped at the first that no mock answers: --go-on shows all";
        page.to(indent).put(Style::Dim, hint).end();
    }
}

/// How often a call was made, beside how often it was recorded.
fn so_many(came: usize, recorded: usize) -> String {
    format!("{}, recorded {recorded}", count(came, "call"))
}

/// As much of a statement as fits into a headline.
fn shortened(statement: &str) -> String {
    let mut chars = statement.chars();
    let begin: String = chars.by_ref().take(MAX_STATEMENT).collect();
    if chars.next().is_some() { format!("{begin}…") } else { begin }
}

fn nearest_mock(page: &mut Page, indent: usize, nearest: &NearestMock) {
    let NearestMock { place, operation, differences: all } = nearest;
    let intro =
        if all.is_empty() { ", is the same but was not to be used here" } else { ", differs:" };
    page.to(indent).put(Style::Dim, "the nearest mock, ");
    page.put(Style::Plain, &format!("{place} · {operation}")).put(Style::Dim, intro).end();
    differences(page, indent + 2, all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_calls_of_one_kind_are_drawn_few_times_and_counted() {
        let asked = |id: usize| Finding::CallUnexpected {
            edge: "db".to_owned(),
            owner: None,
            operation: "SELECT items".to_owned(),
            request: Map::from([("sql", format!("SELECT name FROM items WHERE id = {id}"))]),
            nearest: None,
        };
        let all: Vec<Finding> = (1..=9).map(asked).collect();
        let drawn = |verbose| {
            let mut page = Page::new(false, 100);
            all_findings(&mut page, 0, &all, verbose);
            page.finish()
        };
        assert_eq!(drawn(false).matches("WHERE id").count(), 3);
        assert!(drawn(false).contains("6 more: db · SELECT items is a call that no mock answers"));
        assert_eq!(drawn(true).matches("WHERE id").count(), 9);
    }
}
