//! What GitHub Actions reads out of a log: groups that fold, and remarks on files.
//!
//! A command is a line of its own; text in it is escaped, so that what was recorded is none.

use crate::finding::sentence;
use crate::page::Page;
use rehearsal_model::Finding;

/// Remarks that are made on one test.
const MOST: usize = 3;

/// Begins a group.
pub(crate) fn group(page: &mut Page, title: &str) {
    page.command(&format!("::group::{}", data(title)));
}

/// Ends it, and says what failed.
pub(crate) fn end(page: &mut Page, file: &str, name: &str, findings: &[Finding]) {
    page.command("::endgroup::");
    let (file, name) = (property(file), property(name));
    for finding in findings.iter().take(MOST) {
        let text = data(&sentence(finding));
        page.command(&format!("::error file={file},title={name}::{text}"));
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_no_command() {
        let mut page = Page::new(true, 80);
        group(&mut page, "GET /x\n::error::y");
        let finding = Finding::NoAnswer { what: "100 %\n::set-output name=a::b".into() };
        end(&mut page, "a,b:c.yaml", "GET /x", &[finding]);
        let expected = "::group::GET /x%0A::error::y\n::endgroup::\n\
            ::error file=a%2Cb%3Ac.yaml,title=GET /x::the app gave no complete answer: 100 %25%0A::set-output name=a::b\n";
        assert_eq!(page.finish(), expected);
    }
}
