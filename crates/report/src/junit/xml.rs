//! XML written element by element, with nothing in it that recorded text put there.
//!
//! No general writer: no namespaces, no comments, and whoever calls closes what was opened.

use crate::escape::visible;

/// Elements so far.
pub(super) struct Xml {
    text: String,
    depth: usize,
}

impl Default for Xml {
    fn default() -> Self {
        Xml { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), depth: 0 }
    }
}

impl Xml {
    /// Begins an element that has others in it.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, String)]) {
        self.begin(name, attributes);
        self.text.push_str(">\n");
        self.depth += 1;
    }

    /// Ends it.
    pub(super) fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        self.text.push_str(&format!("</{name}>\n"));
    }

    /// An element that has text in it, which keeps its lines, or nothing.
    pub(super) fn text(&mut self, name: &str, attributes: &[(&str, String)], text: &str) {
        self.begin(name, attributes);
        if text.is_empty() {
            self.text.push_str("/>\n");
            return;
        }
        self.text.push('>');
        for (place, line) in text.split('\n').enumerate() {
            if place > 0 {
                self.text.push('\n');
            }
            self.escaped(line);
        }
        self.text.push_str(&format!("</{name}>\n"));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn begin(&mut self, name: &str, attributes: &[(&str, String)]) {
        self.indent();
        self.text.push_str(&format!("<{name}"));
        for (name, value) in attributes {
            self.text.push_str(&format!(" {name}=\""));
            self.escaped(value);
            self.text.push('"');
        }
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// Appends text of one line. Two characters that no other reader minds are none of XML 1.0
    /// (section 2.2).
    fn escaped(&mut self, text: &str) {
        for char in visible(text).chars() {
            match char {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\u{fffe}' | '\u{ffff}' => {
                    self.text.push_str(&format!("\\u{{{:x}}}", u32::from(char)));
                }
                _ => self.text.push(char),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_text_is_data() {
        let mut xml = Xml::default();
        xml.open("a", &[("b", "\"<\u{1b}\n".to_owned())]);
        xml.text("c", &[], "]]>&\n\u{ffff}\u{202e}");
        xml.text("d", &[], "");
        xml.close("a");
        let text = xml.finish();
        let (_, text) = text.split_once('\n').unwrap();
        assert_eq!(
            text,
            "<a b=\"&quot;&lt;\\x1b\\n\">\n  <c>]]&gt;&amp;\n\\u{ffff}\\u{202e}</c>\n  <d/>\n</a>\n"
        );
    }
}
