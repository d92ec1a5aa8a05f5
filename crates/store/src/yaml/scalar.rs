//! How text is spelled so that every reader of YAML sees text.
//!
//! It decides between plain, quoted and block style; placing is the work of `emit`.

use super::number;

/// Words that a reader of YAML 1.2 (core schema) or of YAML 1.1 takes for something else than
/// text; the single letters are booleans of YAML 1.1.
const WORDS: [&str; 13] =
    ["null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "=", "---"];

/// Where a scalar stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value of a block map or an item of a block list.
    Block,
    /// Between brackets, or before a colon: more characters have a meaning there.
    Tight,
}

/// Writes text on one line, quoted when it would not be read back as this text without.
pub(super) fn inline(out: &mut String, text: &str, place: Place) {
    if is_plain(text, place) {
        out.push_str(text);
    } else if text.contains(['"', '\\']) && !text.contains('\'') && text.chars().all(is_visible) {
        out.push('\'');
        out.push_str(text);
        out.push('\'');
    } else {
        double_quoted(out, text);
    }
}

/// Whether text may stand without quotes.
fn is_plain(text: &str, place: Place) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let starts_well = match first {
        b'-' => bytes.get(1).is_some_and(|next| next.is_ascii_alphanumeric()),
        first => !b" ?:,[]{}#&*!|>'\"%@`".contains(&first),
    };
    let tight = place == Place::Tight;
    // Readers take a dash before a bracket or comma for the sign of an item.
    let ends_well = last != b' ' && last != b':' && !(tight && text.ends_with(" -"));
    starts_well
        && ends_well
        && !text.starts_with("...")
        && !bytes.windows(2).any(|pair| pair == b": " || pair == b" #")
        && !(tight && bytes.iter().any(|byte| b",[]{}".contains(byte)))
        && text.chars().all(is_visible)
        && !is_word(text)
        && !number::looks_like_one(text)
}

fn is_word(text: &str) -> bool {
    text.len() <= 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a character can be seen and told from others in an editor. Those that cannot are
/// escaped: controls, exotic spaces, marks that change the direction of text, noncharacters.
fn is_visible(char: char) -> bool {
    match char {
        ' '..='~' => true,
        '\u{0}'..='\u{a0}' | '\u{ad}' => false,
        '\u{61c}' | '\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' => false,
        '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{e000}'..='\u{f8ff}' => false,
        '\u{feff}' | '\u{fff0}'..='\u{fffc}' | '\u{fffe}' | '\u{ffff}' => false,
        '\u{e0000}'..='\u{10ffff}' => false,
        _ => true,
    }
}

fn double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if is_visible(char) => out.push(char),
            char => match u32::from(char) {
                code @ ..=0xff => out.push_str(&format!("\\x{code:02x}")),
                code @ ..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push('"');
}

/// Whether text is shown as a block literal: several lines of visible characters. What an editor
/// would spoil without being asked (tabs, blanks on a last line) stays in quotes.
pub(super) fn is_block(text: &str) -> bool {
    let Some(end) = text.find('\n') else { return false };
    let tail = text.rsplit('\n').find(|line| !line.is_empty());
    end < text.len() - 1
        && tail.is_some_and(|line| !line.ends_with(' '))
        && text.chars().all(|char| char == '\n' || is_visible(char))
}

/// Writes text as a block literal whose lines begin in the column `indent`, two more than what the
/// text belongs to.
pub(super) fn block(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with(['\n', ' ']) {
        out.push('2');
    }
    let body = text.trim_end_matches('\n');
    let ends = text.len() - body.len();
    match ends {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', ends.max(1)));
}
