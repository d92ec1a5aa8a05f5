//! Two texts of several lines against each other: one above the other, or side by side where there
//! is room. Lines that differ are marked, and so is the part of them that does.

use crate::escape::{clip, visible};
use crate::page::{Page, Style};
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// How many lines around a change are shown.
const CONTEXT: usize = 3;
/// How many lines of a comparison are shown.
const MAX_SHOWN: usize = 80;
/// How many lines of each side are compared; what is beyond is left out.
pub(crate) const MAX_LINES: usize = 2000;
/// From this width on, texts stand side by side.
const SIDE_BY_SIDE: usize = 100;

/// Draws the lines of what was expected and of what came.
pub(crate) fn diff(page: &mut Page, indent: usize, expected: &[String], actual: &[String]) {
    draw(page, indent, (expected, actual), CONTEXT);
}

/// Draws all lines of both, those that are the same too.
pub(crate) fn whole(page: &mut Page, expected: &[String], actual: &[String]) {
    draw(page, 0, (expected, actual), MAX_LINES);
}

fn draw(
    page: &mut Page,
    indent: usize,
    (expected, actual): (&[String], &[String]),
    context: usize,
) {
    let operations = capture_diff_slices(Algorithm::Myers, expected, actual);
    let mut rows = Vec::new();
    for (place, group) in group_diff_ops(operations, context).iter().enumerate() {
        if place > 0 {
            rows.push(Row::Gap);
        }
        for operation in group {
            add(&mut rows, operation, expected, actual);
        }
    }
    let left_out = rows.len().saturating_sub(MAX_SHOWN);
    rows.truncate(MAX_SHOWN);
    if page.width >= SIDE_BY_SIDE {
        side_by_side(page, indent, &rows);
    } else {
        unified(page, indent, &rows);
    }
    if left_out > 0 {
        let more = format!("… {} more", crate::words::count(left_out, "line"));
        page.to(indent).put(Style::Dim, &more).end();
    }
}

enum Row<'a> {
    Same(&'a str),
    /// What stands on either side, one of which may be nothing.
    Differs(Option<&'a str>, Option<&'a str>),
    /// Lines that are left out because nothing differs there.
    Gap,
}

fn add<'a>(rows: &mut Vec<Row<'a>>, operation: &DiffOp, e: &'a [String], a: &'a [String]) {
    let (old, new) = (operation.old_range(), operation.new_range());
    if let DiffOp::Equal { .. } = operation {
        rows.extend(e[old].iter().map(|line| Row::Same(line)));
        return;
    }
    let (old, new) = (&e[old], &a[new]);
    let line = |side: &'a [String], place: usize| side.get(place).map(String::as_str);
    let longer = old.len().max(new.len());
    rows.extend((0..longer).map(|place| Row::Differs(line(old, place), line(new, place))));
}

fn unified(page: &mut Page, indent: usize, rows: &[Row<'_>]) {
    let room = page.width.saturating_sub(indent + 2).max(10);
    let mut at = 0;
    while at < rows.len() {
        match &rows[at] {
            Row::Gap => {
                page.to(indent).put(Style::Dim, "⋯").end();
            }
            Row::Same(line) => {
                page.to(indent + 2).clipped(Style::Dim, line, room).end();
            }
            Row::Differs(..) => {
                // All that went of a run of changes stands above all that came.
                let run =
                    rows[at..].iter().take_while(|row| matches!(row, Row::Differs(..))).count();
                for side in [Side::Expected, Side::Actual] {
                    for row in &rows[at..at + run] {
                        let Row::Differs(e, a) = row else { continue };
                        if side.of(*e, *a).is_some() {
                            page.to(indent);
                            cell(page, side, *e, *a, room);
                            page.end();
                        }
                    }
                }
                at += run - 1;
            }
        }
        at += 1;
    }
}

fn side_by_side(page: &mut Page, indent: usize, rows: &[Row<'_>]) {
    let room = page.width.saturating_sub(indent + 7) / 2;
    let middle = indent + 2 + room;
    for row in rows {
        page.to(indent);
        match row {
            Row::Gap => {
                page.put(Style::Dim, "⋯").to(middle).put(Style::Dim, " │");
            }
            Row::Same(line) => {
                page.space(2).clipped(Style::Dim, line, room).to(middle).put(Style::Dim, " │ ");
                page.to(middle + 5).clipped(Style::Dim, line, room);
            }
            Row::Differs(e, a) => {
                cell(page, Side::Expected, *e, *a, room);
                page.to(middle).put(Style::Dim, " │").space(1);
                cell(page, Side::Actual, *e, *a, room);
            }
        }
        page.end();
    }
}

/// One of the two things that are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Expected,
    Actual,
}

impl Side {
    fn of<T>(self, expected: T, actual: T) -> T {
        match self {
            Side::Expected => expected,
            Side::Actual => actual,
        }
    }

    pub(crate) fn mark(self) -> &'static str {
        self.of("- ", "+ ")
    }

    pub(crate) fn style(self) -> Style {
        self.of(Style::Expected, Style::Actual)
    }

    fn part(self) -> Style {
        self.of(Style::ExpectedPart, Style::ActualPart)
    }
}

/// A marked line of one side, with the part emphasised in which it differs from the other.
fn cell(page: &mut Page, side: Side, e: Option<&str>, a: Option<&str>, room: usize) {
    let Some(line) = side.of(e, a) else { return };
    page.put(side.style(), side.mark());
    match side.of(a, e) {
        Some(other) if line.trim_end() == other.trim_end() => {
            let ends = "␠".repeat(line.len() - line.trim_end_matches(' ').len());
            let shown = format!("{}{ends}", line.trim_end_matches(' '));
            page.clipped(side.style(), &shown, room);
        }
        Some(other) => emphasised(page, side, line, other, room),
        None => {
            page.clipped(side.style(), line, room);
        }
    }
}

/// A text with the part emphasised in which it differs from another. When it does not fit, the
/// window is moved so that the part is in it.
pub(crate) fn emphasised(page: &mut Page, side: Side, text: &str, other: &str, room: usize) {
    let front = common(text.chars(), other.chars());
    let (text_len, other_len) = (text.chars().count(), other.chars().count());
    let back = common(text.chars().rev(), other.chars().rev()).min(text_len.min(other_len) - front);
    let (start, end) = (byte(text, front), byte(text, text_len - back));
    let (before, part, after) = (&text[..start], &text[start..end], &text[end..]);
    // Where everything differs, emphasis would say nothing.
    let nothing_shared = front + back < 2;

    let before = visible(before);
    let lead = room / 3;
    let cut = before.chars().count().saturating_sub(lead);
    let mut left = room;
    if cut > 0 && visible(text).chars().count() > room {
        let kept = &before[byte(&before, cut + 1)..];
        put(page, side.style(), &format!("…{kept}"), &mut left);
    } else {
        put(page, side.style(), &before, &mut left);
    }
    put(page, if nothing_shared { side.style() } else { side.part() }, part, &mut left);
    put(page, side.style(), after, &mut left);
}

fn put(page: &mut Page, style: Style, text: &str, left: &mut usize) {
    let text = visible(text);
    let shown = clip(&text, *left);
    *left -= shown.chars().count();
    page.put(style, &shown);
}

fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Where the n-th character begins.
fn byte(text: &str, nth: usize) -> usize {
    text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn draw(width: usize, color: bool, expected: &str, actual: &str) -> String {
        let mut page = Page::new(color, width);
        diff(&mut page, 2, &lines(expected), &lines(actual));
        page.finish()
    }

    const OLD: &str = "id: 17\nstatus: paid\na: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\nitems:\n  - sku: A1";
    const NEW: &str = "id: 17\nstatus: open\na: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\nitems:\n  - sku: A1\n  - sku: B2\x1b[2J";

    #[test]
    fn narrow_is_one_above_the_other() {
        insta::assert_snapshot!(draw(60, false, OLD, NEW), @r#"
          id: 17
        - status: paid
        + status: open
          a: 1
          b: 2
          c: 3
        ⋯
          i: 9
          items:
            - sku: A1
        +   - sku: B2\x1b[2J
        "#);
    }

    #[test]
    fn wide_is_side_by_side() {
        insta::assert_snapshot!(draw(100, false, OLD, NEW), @r#"
          id: 17                                        │   id: 17
        - status: paid                                  │ + status: open
          a: 1                                          │   a: 1
          b: 2                                          │   b: 2
          c: 3                                          │   c: 3
        ⋯                                               │
          i: 9                                          │   i: 9
          items:                                        │   items:
            - sku: A1                                   │     - sku: A1
                                                        │ +   - sku: B2\x1b[2J
        "#);
    }

    #[test]
    fn the_part_that_differs_is_emphasised() {
        let drawn = draw(60, true, "status: paid", "status: part-paid");
        let shown = drawn.replace("\x1b[", "<").replace("<0m", "<>");
        let wanted = "  <31m- <><31mstatus: pa<><31mid<>\n  \
                      <32m+ <><32mstatus: pa<><1;7;32mrt-pa<><32mid<>\n";
        assert_eq!(shown, wanted);
        assert_eq!(draw(60, true, "old", "new").matches("7;3").count(), 0);
    }

    #[test]
    fn white_space_at_the_end_of_a_line_is_seen() {
        assert_eq!(draw(60, false, "a  ", "a\t"), "  - a␠␠\n  + a\\t\n");
    }

    #[test]
    fn what_differs_far_along_a_line_is_in_sight() {
        let old = format!("{}old{}", "x".repeat(500), "y".repeat(500));
        let new = format!("{}new{}", "x".repeat(500), "y".repeat(500));
        let drawn = draw(60, false, &old, &new);
        assert!(drawn.contains("xxoldyy") && drawn.contains("xxnewyy"), "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 60), "{drawn}");
    }
}
