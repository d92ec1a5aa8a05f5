//! Differences as text for people: one to a line where they are short, else as blocks.

use crate::diff::{MAX_LINES, Side, diff, emphasised};
use crate::escape::visible;
use crate::hint::hint;
use crate::page::{Page, Style};
use crate::words::count;
use crate::yaml::{Layout, inline, is_tall, lines};
use rehearsal_compare::{MAX_DIFFERENCES, is_truncated};
use rehearsal_model::{Change, Difference, Value, json};

/// How many differences are shown.
const MAX_SHOWN: usize = 30;
/// How many lines of a value that stands alone are shown.
const MAX_ALONE: usize = 20;
/// Values up to this length share a line.
const SHORT: usize = 48;
/// Longer paths do not widen the column of paths.
const PATH: usize = 44;
/// Longer values do not widen the column of what was expected.
const EXPECTED: usize = 24;
/// What stands on a line beside the path and the two values.
const FRAME: usize = "~ ".len() + "  expected ".len() + "  got ".len();

/// Draws differences below one another.
pub(crate) fn differences(page: &mut Page, indent: usize, all: &[Difference]) {
    first_differences(page, indent, all, MAX_SHOWN);
}

/// Draws so many differences below one another, and says how many more there are.
pub(crate) fn first_differences(page: &mut Page, indent: usize, all: &[Difference], max: usize) {
    let shown = &all[..all.len().min(max)];
    let cells: Vec<Option<[String; 2]>> = shown.iter().map(|one| cells(&one.change)).collect();
    let columns = Columns::of(shown, &cells, indent, page.width);
    for (difference, cells) in shown.iter().zip(&cells) {
        let mark = match difference.change {
            Change::Missing { .. } => (Style::Expected, "- "),
            Change::Added { .. } => (Style::Actual, "+ "),
            Change::Changed { .. } | Change::Retyped { .. } => (Style::Note, "~ "),
        };
        page.to(indent).put(mark.0, mark.1).put(Style::Bold, &difference.path);
        match cells {
            Some([e, a]) if columns.fit(page, e, a) => line(page, &columns, e, a),
            _ => {
                page.end();
                block(page, indent + 4, &difference.change);
            }
        }
        if let Some(hint) = hint(&difference.change) {
            page.to(indent + 4).put(Style::Dim, &hint).end();
        }
    }
    if is_truncated(all) {
        let more = format!("… and more than {} more", MAX_DIFFERENCES - max);
        page.to(indent).put(Style::Dim, &more).end();
    } else if all.len() > max {
        let more = format!("… and {} more", all.len() - max);
        page.to(indent).put(Style::Dim, &more).end();
    }
}

/// Both sides in short, when they are short.
fn cells(change: &Change) -> Option<[String; 2]> {
    let retyped = matches!(change, Change::Retyped { .. });
    let cell = |value: Option<&Value>| match value {
        None => Some("nothing".to_owned()),
        Some(value) => {
            let text = inline(value, SHORT)?;
            let telling = retyped && *value != Value::Null;
            Some(if telling { format!("{text} ({})", value.kind()) } else { text })
        }
    };
    Some([cell(change.expected())?, cell(change.actual())?])
}

/// Where the columns of short differences begin.
struct Columns {
    expected: usize,
    actual: usize,
}

impl Columns {
    fn of(
        shown: &[Difference],
        cells: &[Option<[String; 2]>],
        indent: usize,
        page_width: usize,
    ) -> Columns {
        let (mut path, mut expected) = (0, 0);
        for (difference, cells) in shown.iter().zip(cells) {
            if let Some([e, a]) = cells {
                let line = [&difference.path, e, a].map(|text| width(text)).iter().sum::<usize>();
                // What needs a block anyway, or is long, does not push the others apart.
                if indent + line + FRAME <= page_width {
                    path = path.max(width(&difference.path).min(PATH));
                    expected = expected.max(width(e).min(EXPECTED));
                }
            }
        }
        let start = indent + 2 + path + 2;
        Columns { expected: start, actual: start + "expected ".len() + expected + 2 }
    }

    /// Whether both sides fit on the line that holds the path.
    fn fit(&self, page: &Page, expected: &str, actual: &str) -> bool {
        let start = self.expected.max(page.at() + 2);
        let start = self.actual.max(start + "expected ".len() + width(expected) + 2);
        start + "got ".len() + width(actual) <= page.width
    }
}

fn width(text: &str) -> usize {
    visible(text).chars().count()
}

fn line(page: &mut Page, columns: &Columns, expected: &str, actual: &str) {
    page.space(2).to(columns.expected).put(Style::Dim, "expected ");
    emphasised(page, Side::Expected, expected, actual, usize::MAX);
    page.space(2).to(columns.actual).put(Style::Dim, "got ");
    emphasised(page, Side::Actual, actual, expected, usize::MAX);
    page.end();
}

fn block(page: &mut Page, indent: usize, change: &Change) {
    match (change.expected(), change.actual()) {
        (Some(Value::Text(e)), Some(Value::Text(a))) if !is_tall(e) && !is_tall(a) => {
            // In quotes, so that white space at the ends is seen.
            let [e, a] = [e, a].map(|text| json::to_string(&Value::from(text.as_str())));
            for (side, text, other) in [(Side::Expected, &e, &a), (Side::Actual, &a, &e)] {
                page.to(indent).put(side.style(), side.mark());
                let room = page.width.saturating_sub(page.at()).max(20);
                emphasised(page, side, text, other, room);
                page.end();
            }
        }
        (Some(Value::Text(e)), Some(Value::Text(a))) => compare(page, indent, &rows(e), &rows(a)),
        (Some(e), Some(a)) => {
            let tall = |value| lines(value, Layout::Tall, MAX_LINES);
            compare(page, indent, &tall(e), &tall(a));
        }
        (Some(e), None) => alone(page, indent, Side::Expected, e),
        (None, Some(a)) => alone(page, indent, Side::Actual, a),
        (None, None) => {}
    }
}

/// The lines of a text.
fn rows(text: &str) -> Vec<String> {
    text.split('\n').take(MAX_LINES).map(str::to_owned).collect()
}

fn compare(page: &mut Page, indent: usize, expected: &[String], actual: &[String]) {
    if expected == actual {
        let far = format!("they differ below the first {MAX_LINES} lines");
        page.to(indent).put(Style::Dim, &far).end();
    }
    diff(page, indent, expected, actual);
}

fn alone(page: &mut Page, indent: usize, side: Side, value: &Value) {
    for line in lines(value, Layout::Tall, MAX_ALONE) {
        page.to(indent).put(side.style(), side.mark()).rest(side.style(), &line).end();
    }
}

/// `response.status and 2 other places`.
pub(crate) fn places(all: &[Difference]) -> String {
    match all {
        [] => "no place".into(),
        [one] => one.path.clone(),
        [one, _] => format!("{} and 1 other place", one.path),
        [one, ..] if is_truncated(all) => {
            format!("{} and more than {} other places", one.path, MAX_DIFFERENCES - 1)
        }
        [one, rest @ ..] => format!("{} and {}", one.path, count(rest.len(), "other place")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json::parse;

    fn draw(width: usize, color: bool, all: &[Difference]) -> String {
        let mut page = Page::new(color, width);
        differences(&mut page, 2, all);
        page.finish()
    }

    fn changed(path: &str, expected: impl Into<Value>, actual: impl Into<Value>) -> Difference {
        let (expected, actual) = (expected.into(), actual.into());
        Difference { path: path.into(), change: Change::Changed { expected, actual } }
    }

    fn samples() -> Vec<Difference> {
        let items = parse(r#"[{"sku":"A1","n":2}]"#).unwrap();
        vec![
            changed("response.status", 201, 500),
            changed("response.body.total", "19.90", "19.00"),
            changed(
                "response.body.message",
                "the payment for order 17 was accepted by the bank",
                "the payment for order 17 was refused by the bank\x1b[2J",
            ),
            changed("response.body.sql", "SELECT *\nFROM a\nWHERE b", "SELECT *\nFROM c\nWHERE b"),
            Difference {
                path: "response.body.count".into(),
                change: Change::Retyped { expected: 7.into(), actual: "7".into() },
            },
            Difference {
                path: "response.body.items".into(),
                change: Change::Retyped {
                    expected: Value::List(vec![items.clone(); 4]),
                    actual: Value::Null,
                },
            },
            Difference {
                path: "response.body.paid".into(),
                change: Change::Missing { expected: true.into() },
            },
            Difference {
                path: "response.body.extra".into(),
                change: Change::Added { actual: Value::List(vec![items; 3]) },
            },
        ]
    }

    #[test]
    fn narrow() {
        insta::assert_snapshot!(draw(72, false, &samples()), @r#"
        ~ response.status      expected 201          got 500
        ~ response.body.total  expected "19.90"      got "19.00"
        ~ response.body.message
            - "the payment for order 17 was accepted by the bank"
            + "the payment for order 17 was refused by the bank\u001b[2J"
        ~ response.body.sql
              SELECT *
            - FROM a
            + FROM c
              WHERE b
        ~ response.body.count  expected 7 (integer)  got "7" (text)
        ~ response.body.items
            - - - sku: A1
            -     n: 2
            - - - sku: A1
            -     n: 2
            - - - sku: A1
            -     n: 2
            - - - sku: A1
            -     n: 2
            + null
        - response.body.paid   expected true         got nothing
        + response.body.extra
            + - - sku: A1
            +     n: 2
            + - - sku: A1
            +     n: 2
            + - - sku: A1
            +     n: 2
        "#);
    }

    #[test]
    fn wide() {
        insta::assert_snapshot!(draw(110, false, &samples()), @r#"
        ~ response.status      expected 201          got 500
        ~ response.body.total  expected "19.90"      got "19.00"
        ~ response.body.message
            - "the payment for order 17 was accepted by the bank"
            + "the payment for order 17 was refused by the bank\u001b[2J"
        ~ response.body.sql
              SELECT *                                         │   SELECT *
            - FROM a                                           │ + FROM c
              WHERE b                                          │   WHERE b
        ~ response.body.count  expected 7 (integer)  got "7" (text)
        ~ response.body.items
            - - - sku: A1                                      │ + null
            -     n: 2                                         │
            - - - sku: A1                                      │
            -     n: 2                                         │
            - - - sku: A1                                      │
            -     n: 2                                         │
            - - - sku: A1                                      │
            -     n: 2                                         │
        - response.body.paid   expected true         got nothing
        + response.body.extra
            + - - sku: A1
            +     n: 2
            + - - sku: A1
            +     n: 2
            + - - sku: A1
            +     n: 2
        "#);
    }

    #[test]
    fn a_word_on_what_two_values_look_like_stands_below_them() {
        let due = [changed("response.body.due", "2024-05-06 10:00", "2024-05-06 12:00")];
        insta::assert_snapshot!(draw(90, false, &due), @r#"
        ~ response.body.due  expected "2024-05-06 10:00"  got "2024-05-06 12:00"
            2 hours later: a time zone?
        "#);
    }

    #[test]
    fn colour_only_adds() {
        let plain = draw(80, false, &samples());
        let mut coloured = draw(80, true, &samples());
        assert_ne!(plain, coloured);
        for code in ["0", "1", "2", "31", "32", "33", "1;7;31", "1;7;32"] {
            coloured = coloured.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(plain, coloured);
    }

    #[test]
    fn many_are_cut_off_in_words() {
        let all: Vec<_> = (0..101).map(|n| changed(&format!("r[{n}]"), n, n + 1)).collect();
        assert!(draw(80, false, &all[..40]).ends_with("  … and 10 more\n"));
        assert!(draw(80, false, &all).ends_with("  … and more than 70 more\n"));
        assert_eq!(places(&all[..1]), "r[0]");
        assert_eq!(places(&all[..3]), "r[0] and 2 other places");
    }
}
