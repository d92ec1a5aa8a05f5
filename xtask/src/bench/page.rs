//! What a measurement found: samples, tables, and their place in `docs/benchmarks.md`.
//!
//! It judges nothing: a goal is printed beside the figure, and the reader compares.

use anyhow::Context as _;
use std::fmt::Write as _;
use std::path::Path;

/// What was measured in each round, in one unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[n / 2],
            n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
        }
    }

    fn spread(&self) -> (f64, f64) {
        let low = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low, high)
    }

    /// The pairs of two series, round by round.
    pub(crate) fn paired(&self, other: &Samples, join: fn(f64, f64) -> f64) -> Samples {
        Samples(self.0.iter().zip(&other.0).map(|(own, other)| join(*own, *other)).collect())
    }

    /// Round by round, how many times the other.
    pub(crate) fn over(&self, other: &Samples) -> Samples {
        self.paired(other, |own, other| own / other)
    }

    /// `median (lowest–highest)`.
    pub(crate) fn shown(&self) -> String {
        let (low, high) = self.spread();
        match self.0.len() {
            0 => "–".to_owned(),
            1 => number(low),
            _ => format!("{} ({}–{})", number(self.median()), number(low), number(high)),
        }
    }
}

/// Three significant digits, or all of a larger number, in groups of thousands.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

/// What one measurement found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) tables: Vec<Table>,
    pub(crate) notes: Vec<String>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Table { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn markdown(&self) -> String {
        let mut page = String::new();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                cells.chain([&self.columns[at]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut line = |cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(page, "| {cell:<width$} ");
            }
            page.push_str("|\n");
        };
        line(&self.columns);
        line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| line(row));
        page
    }
}

impl Section {
    pub(crate) fn markdown(&self) -> String {
        let mut page = format!("## {}\n", self.title);
        for table in &self.tables {
            let _ = write!(page, "\n{}", table.markdown());
        }
        if !self.notes.is_empty() {
            page.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(page, "- {note}");
        }
        page
    }
}

const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench`, which runs everything side by side on one machine. A section is
replaced when its measurement is run again.

- Rounds are interleaved (A B C, A B C, …), so a ratio compares neighbours in time. Shown are the
  median of the rounds and, in brackets, the lowest and the highest. Ratios are taken round by round.
- Nothing here passes or fails by time. Goals are stated where there are any.
";

/// Puts a section into the page, in the place of the one of the same name.
pub(crate) fn write(path: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path).unwrap_or_else(|_| INTRODUCTION.to_owned());
    let page = replaced(&page, name, text);
    std::fs::write(path, page).with_context(|| format!("failed to write {}", path.display()))
}

fn replaced(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let section = format!("{begin}\n{text}\n{end}");
    let found = page.split_once(&begin).and_then(|(before, rest)| {
        rest.split_once(&end).map(|(_, after)| format!("{before}{section}{after}"))
    });
    found.unwrap_or_else(|| format!("{page}\n{section}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_give_median_and_spread() {
        let mut samples = Samples::default();
        [3.0, 1.0, 1200.0, 2.0].into_iter().for_each(|value| samples.add(value));
        assert_eq!(samples.shown(), "2.50 (1.00–1,200)");
        assert_eq!(samples.over(&samples.clone()).shown(), "1.00 (1.00–1.00)");
    }

    #[test]
    fn numbers_have_three_digits_or_more() {
        let shown = [0.01234, 0.9996, 12.345, 99.96, 1_234_567.8, -1234.0].map(number);
        assert_eq!(shown, ["0.012", "1.00", "12.3", "100", "1,234,568", "-1,234"]);
    }

    #[test]
    fn a_section_is_replaced_in_its_place() {
        let page = replaced("top\n", "a", "one");
        let page = replaced(&page, "b", "two");
        let again = replaced(&page, "a", "three");
        assert_eq!(again, page.replace("one", "three"));
    }
}
