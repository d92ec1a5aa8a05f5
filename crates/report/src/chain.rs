//! A failed test in a line or two: who asked whom, in order, with the step that differs marked.

use crate::page::{Page, Style};
use rehearsal_model::{CallName, Finding};

/// Steps that are shown; of more, those in the middle that are as recorded are left out.
const MOST: usize = 14;

/// A station of the way, and what is wrong with it.
struct Station {
    text: String,
    wrong: bool,
}

/// Draws the way of a test: `client → app → db → ✗ payments → app → client`.
pub(crate) fn chain(page: &mut Page, indent: usize, calls: &[CallName], findings: &[Finding]) {
    let stations = stations(calls, findings);
    if stations.len() <= 4 {
        return;
    }
    page.to(indent);
    for (place, station) in stations.iter().enumerate() {
        let arrow = if place > 0 { " → " } else { "" };
        let sign = if station.wrong { "✗ " } else { "" };
        let length = arrow.chars().count() + sign.len() + station.text.chars().count();
        if place > 0 && page.at() + length > page.width {
            page.end().to(indent + 2).put(Style::Dim, "→ ");
        } else {
            page.put(Style::Dim, arrow);
        }
        let style = if station.wrong { Style::Bad } else { Style::Plain };
        page.put(style, sign).rest(style, &station.text);
    }
    page.end();
}

fn stations(calls: &[CallName], findings: &[Finding]) -> Vec<Station> {
    let plain = |text: &str| Station { text: text.to_owned(), wrong: false };
    let mut way: Vec<Station> = Vec::new();
    for (number, call) in (1..).zip(calls) {
        let what = findings.iter().find_map(|finding| what_of(finding, number));
        match (what, way.last_mut()) {
            (None, Some(last)) if !last.wrong && is_of(last, &call.edge) => again(last),
            (None, _) => way.push(plain(&call.edge)),
            (Some(what), _) => {
                way.push(Station { text: format!("{} ({what})", call.edge), wrong: true });
            }
        }
    }
    for finding in findings {
        let more = match finding {
            Finding::CallUnexpected { edge, .. } => format!("{edge} (not recorded)"),
            Finding::CallRepeated { edge, .. } => format!("{edge} (again)"),
            Finding::CallMultiplied { edge, came, recorded, .. } => {
                format!("{edge} ({came} calls, recorded {recorded})")
            }
            Finding::UnknownEdge { address } => format!("{address} (unknown)"),
            Finding::NotReplayable { edge, .. } => format!("{edge} (cannot be replayed)"),
            _ => continue,
        };
        if !way.iter().any(|station| station.text == more) {
            way.push(Station { text: more, wrong: true });
        }
    }
    shorten(&mut way);
    let ends = findings.iter().find_map(|finding| match finding {
        Finding::Response { .. } => Some("client (differs)"),
        Finding::NoAnswer { .. } | Finding::TimedOut { .. } => Some("client (no answer)"),
        Finding::AppExited { .. } => Some("client (the app ended)"),
        _ => None,
    });
    let last = Station { text: ends.unwrap_or("client").to_owned(), wrong: ends.is_some() };
    let mut all = vec![plain("client"), plain("app")];
    all.extend(way);
    all.extend([plain("app"), last]);
    all
}

/// What a finding says of a call.
fn what_of(finding: &Finding, number: usize) -> Option<&'static str> {
    match finding {
        Finding::CallMissing { call, .. } if *call == number => Some("not called"),
        Finding::CallDiffers { call, .. } if *call == number => Some("differs"),
        Finding::CallOrder { call, .. } if *call == number => Some("too early"),
        _ => None,
    }
}

fn is_of(station: &Station, edge: &str) -> bool {
    station.text.strip_prefix(edge).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ×"))
}

/// Counts one more call of the same dependency.
fn again(station: &mut Station) {
    let (edge, count) = match station.text.rsplit_once(" ×") {
        Some((edge, count)) => (edge.to_owned(), count.parse().unwrap_or(1)),
        None => (station.text.clone(), 1usize),
    };
    station.text = format!("{edge} ×{}", count + 1);
}

/// Leaves out stations in which nothing is wrong, from the middle.
fn shorten(way: &mut Vec<Station>) {
    while way.len() > MOST {
        let middle = way.len() / 2;
        let near = |place: &usize| place.abs_diff(middle);
        let right = |place: &usize| !way[*place].wrong && way[*place].text != "…";
        let Some(place) = (0..way.len()).filter(right).min_by_key(near) else {
            way.truncate(MOST);
            return;
        };
        way[place].text = "…".to_owned();
        let dots = |place: usize, way: &[Station]| way.get(place).is_some_and(|it| it.text == "…");
        if dots(place + 1, way) {
            way.remove(place + 1);
        }
        if place > 0 && dots(place - 1, way) {
            way.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: usize, edges: &[&str], findings: &[Finding]) -> String {
        let call = |edge: &&str| CallName { edge: (*edge).to_owned(), operation: "X".to_owned() };
        let calls: Vec<CallName> = edges.iter().map(call).collect();
        let mut page = Page::new(false, width);
        chain(&mut page, 0, &calls, findings);
        page.finish()
    }

    fn differs(call: usize) -> Finding {
        Finding::CallDiffers {
            call,
            of: 3,
            edge: "pay".into(),
            owner: None,
            operation: "X".into(),
            differences: Vec::new(),
            answered: false,
        }
    }

    #[test]
    fn the_step_that_differs_is_marked() {
        let response = Finding::Response { differences: Vec::new() };
        let line = drawn(100, &["db", "db", "pay"], &[differs(3), response.clone()]);
        let expected = "client → app → db ×2 → ✗ pay (differs) → app → ✗ client (differs)\n";
        assert_eq!(line, expected);
        assert_eq!(drawn(100, &[], &[response]), "", "there is no way to show");
        let narrow = drawn(24, &["db", "pay"], &[differs(2)]);
        assert_eq!(narrow, "client → app → db\n  → ✗ pay (differs)\n  → app → client\n");
        let unknown = Finding::UnknownEdge { address: "a\u{1b}[0m:1".into() };
        assert!(drawn(100, &["db"], &[unknown]).contains("✗ a\\x1b[0m:1 (unknown)"));
    }

    #[test]
    fn a_long_way_is_cut_where_nothing_is_wrong() {
        let edges: Vec<String> = (0..200).map(|number| format!("e{number}")).collect();
        let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
        let line = drawn(1000, &edges, &[differs(100)]);
        assert!(line.contains("✗ e99 (differs)") && line.contains("…"), "{line}");
        assert!(line.matches('→').count() <= MOST + 3, "{line}");
    }
}
