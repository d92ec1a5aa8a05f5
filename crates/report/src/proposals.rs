//! What a run says of changes that look as if they were meant: they are named, and never accepted here.

use crate::page::{Page, Style};
use crate::words::count;
use rehearsal_compare::changes::causes;
use rehearsal_model::{Outcome, RunEvent, Verdict};

/// Failed tests that are looked at; more of them show the same changes.
const MOST: usize = 2000;
/// Changes that are named.
const NAMED: usize = 3;

/// Collects the failed tests of a run.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    failed: Vec<Verdict>,
}

impl Proposals {
    /// Takes a test that failed.
    pub(crate) fn take(&mut self, event: &RunEvent) {
        if let RunEvent::TestFinished { outcome: Outcome::Failed, .. } = event
            && self.failed.len() < MOST
        {
            self.failed.extend(Verdict::of(event.clone()));
        }
    }

    /// Says that the run needs review, and of what.
    pub(crate) fn draw(&self, page: &mut Page) {
        let review = causes(&self.failed);
        let open: Vec<_> = review.causes.iter().filter(|cause| cause.obstacle.is_none()).collect();
        let proposals: Vec<_> = open.iter().filter(|cause| cause.kind.is_structure()).collect();
        if proposals.is_empty() {
            if let [first, ..] = open[..]
                && first.tests() > 1
            {
                let text = format!("{} · {}", first.title, count(first.tests(), "test"));
                page.to(2).put(Style::Dim, "the same in many:  ").rest(Style::Plain, &text).end();
                page.to(2)
                    .put(Style::Dim, "was it meant?  ")
                    .put(Style::Plain, "rehearsal review")
                    .end();
            }
            return;
        }
        page.put(Style::Note, "needs review: ");
        let what = count(proposals.len(), "change");
        page.put(Style::Plain, &format!("{what} of structure")).end();
        for cause in proposals.iter().take(NAMED) {
            let text = format!("{} · {}", cause.title, count(cause.tests(), "test"));
            page.to(2).put(Style::Dim, "~ ").rest(Style::Plain, &text).end();
        }
        if proposals.len() > NAMED {
            page.to(2).put(Style::Dim, &format!("… and {} more", proposals.len() - NAMED)).end();
        }
        page.to(2)
            .put(Style::Dim, "were they meant?  ")
            .put(Style::Plain, "rehearsal review")
            .end();
        if !review.held.is_empty() {
            let text = "a refused call hides what follows; to see all:  ";
            page.to(2).put(Style::Dim, text).put(Style::Plain, "rehearsal test --go-on").end();
        }
    }
}
