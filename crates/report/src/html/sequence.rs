//! A test as a picture of who says what to whom, from top to bottom.
//!
//! Drawn from names alone: what was recorded, and marked on it what came otherwise.

use crate::escape::{clip, markup};
use rehearsal_model::{CallName, Finding};
use std::fmt::Write as _;

/// Steps that are drawn.
const MAX_STEPS: usize = 60;
/// Between two parties.
const COLUMN: usize = 200;
/// For what is written beside the last party.
const MARGIN: usize = 290;
/// Between two steps.
const ROW: usize = 30;
/// Characters of a step's text.
const TEXT: usize = 44;

const CLIENT: usize = 0;
const APP: usize = 1;

struct Step {
    from: usize,
    to: usize,
    text: String,
    /// What is wrong with it.
    wrong: Option<String>,
}

/// The picture as an `svg` element.
pub(crate) fn sequence(name: &str, calls: &[CallName], findings: &[Finding]) -> String {
    let mut parties = vec!["client".to_owned(), "app".to_owned()];
    let steps = steps(name, calls, findings, &mut parties);
    let left_out = steps.len().saturating_sub(MAX_STEPS);
    let rows = steps.len() - left_out + 2 + usize::from(left_out > 0);
    let (width, height) = (middle(parties.len() - 1) + MARGIN, rows * ROW);
    let mut svg = format!(
        "<svg class=\"sequence\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
         aria-label=\"who asked whom, in order\">"
    );
    for (place, party) in parties.iter().enumerate() {
        let x = middle(place);
        let party = markup(&clip(party, 26));
        let bottom = height - ROW / 2;
        let _ = write!(
            svg,
            "<text class=\"party\" x=\"{x}\" y=\"18\">{party}</text>\
             <line class=\"life\" x1=\"{x}\" y1=\"26\" x2=\"{x}\" y2=\"{bottom}\"/>"
        );
    }
    // The answer comes last, however much was left out before it.
    let last = steps.len() - 1;
    let shown = steps.iter().enumerate().filter(|(at, _)| *at == last || *at < MAX_STEPS - 1);
    for (row, (_, step)) in shown.enumerate() {
        arrow(&mut svg, step, (row + 2) * ROW);
    }
    if left_out > 0 {
        let y = height - ROW / 2;
        let _ = write!(svg, "<text x=\"8\" y=\"{y}\">… and {left_out} more calls</text>");
    }
    svg + "</svg>"
}

fn middle(place: usize) -> usize {
    place * COLUMN + COLUMN / 4
}

fn arrow(svg: &mut String, step: &Step, y: usize) {
    let (from, to) = (middle(step.from), middle(step.to));
    let class = if step.wrong.is_some() { "step wrong" } else { "step" };
    let tip = if from < to { to - 8 } else { to + 8 };
    let (top, bottom, text_y) = (y - 4, y + 4, y - 5);
    let text_x = from.min(to) + 10;
    let text = markup(&clip(&step.text, TEXT));
    let _ = write!(
        svg,
        "<g class=\"{class}\"><line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\"/>\
         <path d=\"M{tip} {top}L{to} {y}L{tip} {bottom}z\"/>\
         <text x=\"{text_x}\" y=\"{text_y}\">{text}</text>"
    );
    if let Some(wrong) = &step.wrong {
        let x = from.max(to) + 10;
        let wrong = markup(&clip(wrong, TEXT));
        let _ = write!(svg, "<text class=\"what\" x=\"{x}\" y=\"{}\">✗ {wrong}</text>", y + 4);
    }
    svg.push_str("</g>");
}

/// All that happens, with the parties that take part added.
fn steps(
    name: &str,
    calls: &[CallName],
    findings: &[Finding],
    parties: &mut Vec<String>,
) -> Vec<Step> {
    let mut place = |edge: &str| match parties[2..].iter().position(|known| known == edge) {
        Some(place) => place + 2,
        None => {
            parties.push(edge.to_owned());
            parties.len() - 1
        }
    };
    let mut steps = vec![Step { from: CLIENT, to: APP, text: name.to_owned(), wrong: None }];
    for (number, call) in calls.iter().enumerate() {
        let to = place(&call.edge);
        let text = format!("{} · {}", number + 1, call.operation);
        let wrong = findings.iter().find_map(|finding| wrong_with(finding, number + 1));
        steps.push(Step { from: APP, to, text, wrong });
    }
    for finding in findings {
        let Some((edge, text, wrong)) = beside(finding) else { continue };
        steps.push(Step { from: APP, to: place(edge), text, wrong: Some(wrong) });
    }
    let wrong = findings.iter().find_map(answer);
    steps.push(Step { from: APP, to: CLIENT, text: "the answer".to_owned(), wrong });
    steps
}

/// What a finding says of a recorded call.
fn wrong_with(finding: &Finding, number: usize) -> Option<String> {
    let text = match finding {
        Finding::CallMissing { call, .. } if *call == number => "was not made".to_owned(),
        Finding::CallDiffers { call, differences, .. } if *call == number => {
            match differences.first() {
                Some(first) => format!("differs: {}", first.path),
                None => "differs".to_owned(),
            }
        }
        Finding::CallOrder { call, before, .. } if *call == number => {
            format!("came before call {before}")
        }
        _ => return None,
    };
    Some(text)
}

/// A call that was not recorded: where to, what, and what is wrong with it.
fn beside(finding: &Finding) -> Option<(&str, String, String)> {
    Some(match finding {
        Finding::CallUnexpected { edge, operation, .. } => {
            (edge, operation.clone(), "no mock answers".to_owned())
        }
        Finding::CallRepeated { edge, operation, times, .. } => {
            (edge, operation.clone(), format!("{times} times too often"))
        }
        Finding::CallMultiplied { edge, operation, came, recorded, .. } => {
            (edge, operation.clone(), format!("{came} calls, recorded {recorded}"))
        }
        Finding::CallMissing { call: 0, edge, operation, .. } => {
            (edge, operation.clone(), "was not made".to_owned())
        }
        Finding::UnknownEdge { address } => {
            (address, "connect".to_owned(), "not in the recording".to_owned())
        }
        Finding::NotReplayable { edge, obstacle, .. } => {
            (edge, "connect".to_owned(), format!("is {obstacle}"))
        }
        _ => return None,
    })
}

/// What a finding says of the app's answer.
fn answer(finding: &Finding) -> Option<String> {
    Some(match finding {
        Finding::Response { differences } => match differences.len() {
            1 => format!("differs: {}", differences[0].path),
            count => format!("differs in {count} places"),
        },
        Finding::NoAnswer { what } => what.clone(),
        Finding::TimedOut { limit_ms } => format!("none within {limit_ms} ms"),
        Finding::AppExited { how } => format!("the app ended: {how}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(edge: &str) -> CallName {
        CallName { edge: edge.to_owned(), operation: "GET /<b>".to_owned() }
    }

    #[test]
    fn draws_each_step_and_marks_what_is_wrong() {
        let missing = Finding::CallMissing {
            call: 2,
            of: 2,
            edge: "mail".to_owned(),
            owner: None,
            operation: "SEND".to_owned(),
            request: Default::default(),
        };
        let svg = sequence("POST /orders", &[call("stock"), call("mail")], &[missing]);
        assert_eq!(svg.matches("<path").count(), 4);
        assert_eq!(svg.matches("class=\"party\"").count(), 4);
        assert_eq!(svg.matches("step wrong").count(), 1);
        assert!(svg.contains("✗ was not made") && svg.contains("1 · GET /&lt;b&gt;"));
    }

    #[test]
    fn many_calls_are_cut_short_but_the_answer_stays() {
        let calls: Vec<CallName> = (0..500).map(|_| call("stock")).collect();
        let svg = sequence("GET /", &calls, &[]);
        assert_eq!(svg.matches("<path").count(), MAX_STEPS);
        assert!(svg.contains("the answer") && svg.contains("… and 442 more calls"));
    }
}
