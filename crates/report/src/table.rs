//! Aligned tables for people.
//!
//! The width of a character is taken to be one column, which wide scripts exceed.

use crate::Look;
use crate::escape::{clip_path, visible};
use crate::page::{Page, Style};

/// The least to which a column is cut.
const MIN: usize = 8;

/// On which side a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its heading.
    pub name: &'a str,
    /// Where its cells stand.
    pub align: Align,
}

impl<'a> Column<'a> {
    /// A column of text.
    #[must_use]
    pub const fn left(name: &'a str) -> Self {
        Column { name, align: Align::Left }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn right(name: &'a str) -> Self {
        Column { name, align: Align::Right }
    }
}

/// A table with a heading, no wider than the look allows; cells that do not fit end in an ellipsis, those of
/// Unix paths begin with one.
/// Missing cells are empty, surplus ones are left out.
#[must_use]
pub fn table(columns: &[Column<'_>], rows: &[Vec<String>], look: Look) -> String {
    let mut page = Page::new(look.color, look.width);
    draw(&mut page, 0, columns, rows);
    page.finish()
}

pub(crate) fn draw(page: &mut Page, indent: usize, columns: &[Column<'_>], rows: &[Vec<String>]) {
    let used =
        |place: usize| rows.iter().any(|row| row.get(place).is_some_and(|cell| !cell.is_empty()));
    let places: Vec<usize> = (0..columns.len()).filter(|place| used(*place)).collect();
    let widths = widths(page.width.saturating_sub(indent), columns, rows, &places);
    let line = |page: &mut Page, style: Style, cells: &dyn Fn(usize) -> String| {
        let mut start = indent;
        for (place, width) in places.iter().zip(&widths) {
            let cell = cells(*place);
            let text = visible(&cell);
            let free = width.saturating_sub(text.chars().count());
            page.to(start);
            if columns[*place].align == Align::Right {
                page.space(free);
            }
            if text.starts_with("unix:") {
                page.put(style, &clip_path(&text, *width));
            } else {
                page.clipped(style, &text, *width);
            }
            start += width + 2;
        }
        page.end();
    };
    line(page, Style::Dim, &|place| columns[place].name.to_owned());
    for row in rows {
        line(page, Style::Plain, &|place| row.get(place).cloned().unwrap_or_default());
    }
}

/// The widths of columns: as wide as their cells, the widest cut until the line fits.
fn widths(
    room: usize,
    columns: &[Column<'_>],
    rows: &[Vec<String>],
    places: &[usize],
) -> Vec<usize> {
    let len = |text: &str| visible(text).chars().count();
    let wanted = |place: &usize| {
        let cells = rows.iter().filter_map(|row| row.get(*place)).map(|cell| len(cell));
        cells.max().unwrap_or(0).max(len(columns[*place].name))
    };
    let mut widths: Vec<usize> = places.iter().map(wanted).collect();
    let gaps = 2 * widths.len().saturating_sub(1);
    loop {
        let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        let Some(widest) = widths.iter_mut().max_by_key(|width| **width) else { break };
        if excess == 0 || *widest <= MIN {
            break;
        }
        *widest -= excess.min((*widest - MIN).div_ceil(2));
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Vec<Column<'static>>, Vec<Vec<String>>) {
        let columns = vec![
            Column::right("test"),
            Column::left("name"),
            Column::left("gone"),
            Column::left("calls"),
        ];
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = vec![
            row(["1", "POST /orders", "", "shop-db, payments"]),
            row(["12", "GET /orders/{a very long identifier that nobody wants}", "", ""]),
            row(["3", "x\x1b[31m\n", "", "größe"]),
        ];
        (columns, rows)
    }

    #[test]
    fn aligns_and_leaves_empty_columns_out() {
        let (columns, rows) = sample();
        insta::assert_snapshot!(table(&columns, &rows, Look::default()), @r#"
        test  name                                                    calls
           1  POST /orders                                            shop-db, payments
          12  GET /orders/{a very long identifier that nobody wants}
           3  x\x1b[31m\n                                             größe
        "#);
        insta::assert_snapshot!(table(&columns, &rows, Look { width: 40, ..Look::default() }), @r#"
        test  name             calls
           1  POST /orders     shop-db, payments
          12  GET /orders/{a…
           3  x\x1b[31m\n      größe
        "#);
    }

    #[test]
    fn a_unix_path_keeps_its_end() {
        let row = |edge: &str| vec![edge.to_owned(), "out".to_owned()];
        let rows =
            [row("unix:/tmp/some/where/deep/db.sock"), row("payments.example.internal:8080")];
        let columns = [Column::left("edge"), Column::left("direction")];
        let text = table(&columns, &rows, Look { width: 30, ..Look::default() });
        assert!(
            text.contains("…where/deep/db.sock  out") && text.contains("payments.example.i…  out"),
            "{text}"
        );
    }

    #[test]
    fn ends_whatever_the_width() {
        let (columns, rows) = sample();
        for width in 0..120 {
            let text = table(&columns, &rows, Look { width, ..Look::default() });
            assert_eq!(text.lines().count(), 4);
            assert!(width < 40 || text.lines().all(|line| line.chars().count() <= width), "{text}");
        }
        assert_eq!(table(&[], &[], Look::default()), "\n");
    }
}
