//! Markup under construction: what is not marked as HTML by its type is escaped.
//!
//! Only [`put`] appends, its form is a literal of ours, and a text that was recorded can enter it as
//! data alone.

use rehearsal_report::parts::markup;

/// Finished markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(pub(crate) String);

impl Html {
    pub(crate) fn new() -> Self {
        Html::default()
    }

    /// What `report` drew, in which recorded text is data already.
    pub(crate) fn drawn(markup: String) -> Self {
        Html(markup)
    }
}

/// Something that can stand in markup.
pub(crate) trait Piece {
    /// It as markup.
    fn piece(&self) -> String;
}

impl Piece for Html {
    fn piece(&self) -> String {
        self.0.clone()
    }
}

impl Piece for str {
    fn piece(&self) -> String {
        markup(self)
    }
}

impl Piece for String {
    fn piece(&self) -> String {
        markup(self)
    }
}

impl<P: Piece + ?Sized> Piece for &P {
    fn piece(&self) -> String {
        (**self).piece()
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Piece for $kind {
            fn piece(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

numbers!(usize, u32, u64, i64);

/// Appends to markup: a literal with a `{}` for each piece.
macro_rules! put {
    ($out:expr, $form:literal $(, $piece:expr)* $(,)?) => {
        $out.0.push_str(&format!($form $(, $crate::html::Piece::piece(&$piece))*))
    };
}

/// A part of a path as it stands in an address (RFC 3986, section 2.1).
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_markup_is_markup() {
        let mut out = Html::new();
        let inner = Html::drawn("<b>".to_owned());
        put!(out, "<p title=\"{}\">{} {}</p>", "\"><script>", inner, 7usize);
        assert_eq!(out.0, "<p title=\"&quot;&gt;&lt;script&gt;\"><b> 7</p>");
    }

    #[test]
    fn a_segment_is_one_segment() {
        assert_eq!(segment("a/b?c#d e%ü"), "a%2Fb%3Fc%23d%20e%25%C3%BC");
    }
}
