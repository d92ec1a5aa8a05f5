//! Recorded text made harmless and visible.
//!
//! What an app or its dependencies said may hold escape sequences that repaint a terminal, and
//! characters that reorder or hide what is beside them. All are shown by their escapes.

use std::borrow::Cow;

/// The text with every control, bidirectional and invisible character written as an escape such as
/// `\n`, `\x1b` or `\u{202e}`. The result is one line and is safe to print.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hidden) else { return text.into() };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for char in text[first..].chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if !is_hidden(char) => out.push(char),
            _ if u32::from(char) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ => out.push_str(&format!("\\u{{{:x}}}", u32::from(char))),
        }
    }
    out.into()
}

/// The text as data in HTML, in an element as well as in an attribute with quotes: visible, and with
/// nothing in it that is markup.
pub(crate) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in visible(text).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
    out
}

/// Whether a character acts on a terminal or on its neighbours, or cannot be seen.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(
            u32::from(char),
            0xad | 0x34f | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff
        )
}

/// At most so many characters of a text, the last an ellipsis when some were cut off.
pub(crate) fn clip(text: &str, width: usize) -> Cow<'_, str> {
    match text.char_indices().nth(width) {
        None => text.into(),
        Some(_) => {
            let kept: String = text.chars().take(width.saturating_sub(1)).collect();
            (kept + if width > 0 { "…" } else { "" }).into()
        }
    }
}

/// At most so many characters of a path, the first an ellipsis when some were cut off: the end of a
/// path tells more than its beginning.
pub(crate) fn clip_path(path: &str, width: usize) -> Cow<'_, str> {
    let surplus = path.chars().count().saturating_sub(width);
    if surplus == 0 || width == 0 {
        return clip(path, width);
    }
    format!("…{}", path.chars().skip(surplus + 1).collect::<String>()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_gets_through() {
        assert_eq!(visible("größe 🎭 \"x\""), "größe 🎭 \"x\"");
        assert_eq!(visible("a\x1b[2J\x07\u{9b}1m\r\n\t\0"), "a\\x1b[2J\\x07\\x9b1m\\r\\n\\t\\x00");
        assert_eq!(visible("x\u{202e}y\u{2066}\u{feff}"), "x\\u{202e}y\\u{2066}\\u{feff}");
        let all: String = ('\0'..=char::MAX).collect();
        assert!(!visible(&all).contains(|char: char| is_hidden(char)));
    }

    #[test]
    fn clips_with_an_ellipsis() {
        assert_eq!(clip("größe", 5), "größe");
        assert_eq!(clip("größe", 4), "grö…");
        assert_eq!(clip("größe", 0), "");
        assert_eq!(clip_path("/größe", 6), "/größe");
        assert_eq!(clip_path("/größe", 4), "…öße");
        assert_eq!((clip_path("/größe", 1), clip_path("/größe", 0)), ("…".into(), "".into()));
    }
}
