//! What was seen of a test beside its verdict: its messages, what the app logged, and how to do it
//! again by hand.
//!
//! Everything here is folded, so that what differs is read first.

use crate::diff::whole;
use crate::escape::markup;
use crate::page::{Page, Style};
use crate::words::count;
use crate::yaml::{Layout, lines};
use rehearsal_model::{Evidence, Message, Value};
use std::fmt::Write as _;

/// How wide messages are drawn.
const WIDTH: usize = 120;
/// Lines of one message.
const MAX_LINES: usize = 120;

/// The messages where something differs, each whole; empty when there are none.
pub(crate) fn messages(evidence: &Evidence) -> String {
    let mut out = String::new();
    for Message { place, title, recorded, actual, cut } in &evidence.messages {
        let mut page = Page::html(WIDTH);
        let side = |value: &Value| match value {
            Value::Null => Vec::new(),
            value => lines(value, Layout::Tall, MAX_LINES),
        };
        let (was, is) = (side(recorded), side(actual));
        let what = match (recorded, actual) {
            (_, Value::Null) => {
                plain(&mut page, &was);
                "as recorded"
            }
            (Value::Null, _) => {
                plain(&mut page, &is);
                "came, and was not recorded"
            }
            _ => {
                whole(&mut page, &was, &is);
                "recorded │ came"
            }
        };
        let cut = if *cut { " · cut, because it is large" } else { "" };
        let _ = write!(
            out,
            "<h3>{} <span class=\"dim\">{} · {what}{cut}</span></h3><pre tabindex=\"0\">{}</pre>",
            markup(title),
            markup(place),
            page.finish().trim_matches('\n')
        );
    }
    fold("Messages", &count(evidence.messages.len(), "message"), &out)
}

fn plain(page: &mut Page, lines: &[String]) {
    for line in lines {
        page.put(Style::Plain, line).end();
    }
}

/// What the app logged during the test; empty when it logged nothing.
pub(crate) fn log(evidence: &Evidence) -> String {
    let Evidence { log, log_lines, .. } = evidence;
    let lines: Vec<String> = log.iter().map(|line| markup(line)).collect();
    let kept = match log_lines.saturating_sub(log.len()) {
        0 => count(*log_lines, "line"),
        _ => format!("the last {} of {}", log.len(), count(*log_lines, "line")),
    };
    let text = match lines.is_empty() {
        true => String::new(),
        false => format!("<pre tabindex=\"0\">{}</pre>", lines.join("\n")),
    };
    fold("Log of the app", &kept, &text)
}

/// A command to copy, with what it does before it.
pub(crate) fn copied(what: &str, command: &str) -> String {
    let (what, command) = (markup(what), markup(command));
    format!(
        "<div class=\"again\"><span class=\"dim\">{what}</span><code>{command}</code>\
         <button type=\"button\" class=\"copy\" aria-label=\"Copy: {what}\">Copy</button></div>"
    )
}

fn fold(title: &str, note: &str, inside: &str) -> String {
    if inside.is_empty() {
        return String::new();
    }
    format!(
        "<details class=\"more\"><summary>{title} <span class=\"dim\">{note}</span></summary>\
         {inside}</details>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::Map;

    #[test]
    fn messages_are_told_whole_and_as_data() {
        let value = |text: &str| Value::Map(Map::from([("status", "200"), ("body", text)]));
        let message = |recorded, actual, cut| Message {
            place: "response".to_owned(),
            title: "the <b>answer".to_owned(),
            recorded,
            actual,
            cut,
        };
        let messages = vec![
            message(value("old"), value("new\u{1b}[2J"), true),
            message(value("kept"), Value::Null, false),
        ];
        let log = vec!["a\u{1b}[31m<script>".to_owned()];
        let evidence = Evidence { messages, log, log_lines: 7, ..Evidence::default() };
        let text = super::messages(&evidence) + &super::log(&evidence);
        for said in
            ["cut, because it is large", "&lt;b&gt;", "as recorded", "the last 1 of 7 lines"]
        {
            assert!(text.contains(said), "{said} in {text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains("<script") && !text.contains("<b>"));
        assert_eq!(super::messages(&Evidence::default()), "");
        assert_eq!(super::log(&Evidence::default()), "");
    }

    #[test]
    fn a_command_is_text_that_is_copied_as_it_is() {
        let text = copied("send it", "printf '\\033' | curl -d '\"<x>'");
        assert!(
            text.contains(
                "<code>printf &#39;\\033&#39; | curl -d &#39;&quot;&lt;x&gt;&#39;</code>"
            )
        );
    }
}
