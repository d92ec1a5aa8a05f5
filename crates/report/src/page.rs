//! Text for people under construction.
//!
//! Everything goes through [`Page::put`], which escapes it: there is no way for recorded data to
//! reach a terminal as anything but characters.

use crate::escape::{clip, markup, visible};

/// How a piece of text looks. Never the only sign of what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    /// Of less concern.
    Dim,
    /// A heading.
    Bold,
    /// What was recorded and did not come.
    Expected,
    /// The very part that differs of it.
    ExpectedPart,
    /// What came instead.
    Actual,
    /// The very part that differs of it.
    ActualPart,
    /// Something went well.
    Good,
    /// Something failed.
    Bad,
    /// Something to know.
    Note,
}

impl Style {
    /// The class in HTML.
    fn class(self) -> Option<&'static str> {
        Some(match self {
            Style::Plain => return None,
            Style::Dim => "dim",
            Style::Bold => "bold",
            Style::Expected => "expected",
            Style::ExpectedPart => "expected part",
            Style::Actual => "actual",
            Style::ActualPart => "actual part",
            Style::Good => "good",
            Style::Bad => "bad",
            Style::Note => "note",
        })
    }

    /// The parameters of the SGR sequence (ECMA-48, section 8.3.117).
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Style::Plain => return None,
            Style::Dim => "2",
            Style::Bold => "1",
            Style::Expected => "31",
            Style::ExpectedPart => "1;7;31",
            Style::Actual | Style::Good => "32",
            Style::ActualPart => "1;7;32",
            Style::Bad => "1;31",
            Style::Note => "33",
        })
    }
}

/// What styles are written with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ink {
    /// Nothing.
    Plain,
    /// Sequences for terminals.
    Terminal,
    /// Elements, for the inside of a `pre`.
    Html,
}

/// Lines of styled text.
pub(crate) struct Page {
    pub(crate) width: usize,
    ink: Ink,
    text: String,
    column: usize,
    gap: usize,
}

impl Page {
    pub(crate) fn new(color: bool, width: usize) -> Self {
        let ink = if color { Ink::Terminal } else { Ink::Plain };
        Page { width: width.max(20), ink, text: String::new(), column: 0, gap: 0 }
    }

    /// Text for the inside of a `pre` element.
    pub(crate) fn html(width: usize) -> Self {
        Page { ink: Ink::Html, ..Page::new(false, width) }
    }

    /// Appends text to the line.
    pub(crate) fn put(&mut self, style: Style, text: &str) -> &mut Self {
        let text = visible(text);
        if text.is_empty() {
            return self;
        }
        // White space is written late, so that no line ends in it.
        let gap = std::mem::take(&mut self.gap);
        self.text.extend(std::iter::repeat_n(' ', gap));
        self.column += gap + text.chars().count();
        match (self.ink, style.code(), style.class()) {
            (Ink::Terminal, Some(code), _) => {
                self.text.push_str(&format!("\x1b[{code}m{text}\x1b[0m"));
            }
            (Ink::Html, _, Some(class)) => {
                self.text.push_str(&format!("<span class=\"{class}\">{}</span>", markup(&text)));
            }
            (Ink::Html, ..) => self.text.push_str(&markup(&text)),
            _ => self.text.push_str(&text),
        }
        self
    }

    /// A line for a program that reads the log, without colour or indent.
    pub(crate) fn command(&mut self, text: &str) {
        if self.at() > 0 {
            self.end();
        }
        self.text.push_str(&visible(text));
        self.end();
    }

    /// Appends at most so many characters.
    pub(crate) fn clipped(&mut self, style: Style, text: &str, width: usize) -> &mut Self {
        self.put(style, &clip(&visible(text), width))
    }

    /// Appends as much as fits on the line.
    pub(crate) fn rest(&mut self, style: Style, text: &str) -> &mut Self {
        self.clipped(style, text, self.width.saturating_sub(self.at()).max(8))
    }

    /// Appends spaces.
    pub(crate) fn space(&mut self, count: usize) -> &mut Self {
        self.gap += count;
        self
    }

    /// Appends spaces up to a column, from 0.
    pub(crate) fn to(&mut self, column: usize) -> &mut Self {
        self.space(column.saturating_sub(self.at()))
    }

    /// The column where the next text will stand.
    pub(crate) fn at(&self) -> usize {
        self.column + self.gap
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.text.push('\n');
        (self.column, self.gap) = (0, 0);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_ends_no_line_in_white_space() {
        let mut page = Page::new(true, 80);
        page.put(Style::Bad, "a\x1b[0m").space(3).end().to(2).put(Style::Plain, "b").end();
        assert_eq!(page.finish(), "\x1b[1;31ma\\x1b[0m\x1b[0m\n  b\n");
    }
}
