//! What changed in a run, cause by cause, with the decisions that `rehearsal review` offers.
//!
//! The same change in many tests is one card. What a decision does is the review's matter; here are the
//! forms, and what came of them.

use super::runs::not_yet;
use super::{count, text};
use crate::html::{Html, segment};
use crate::reply::Reply;
use crate::request::Pairs;
use crate::server::Site;
use crate::shell::{self, Made, Shown};
use crate::{Caused, Problem, Reviewed, TestName, Verb};

/// Tests that a card names.
const NAMED: usize = 6;

/// The page to come back to: a run's review, or one of its tests.
pub(super) struct Back<'a> {
    pub(super) run: &'a str,
    pub(super) test: Option<(&'a str, u32)>,
}

impl Back<'_> {
    fn place(&self) -> String {
        let run = segment(self.run);
        match self.test {
            Some((recording, number)) => format!("/runs/{run}/{}/{number}", segment(recording)),
            None => format!("/runs/{run}/review"),
        }
    }
}

/// The page of all causes.
pub(crate) fn review(site: &Site, run: &str, query: &Pairs) -> Made {
    let folder = site.run(run)?;
    if let Some(problem) = not_yet(&folder) {
        return Err(problem);
    }
    let Reviewed { causes, decisions, held, others } = site.backstage.review(run)?;
    let back = Back { run, test: None };
    let open = causes.iter().filter(|cause| cause.decided.is_none()).count();
    let mut main = Html::new();
    put!(
        main,
        "<p class=\"crumbs\"><a href=\"/runs/{}\">← the run</a></p><h1>What changed</h1>{}",
        segment(run),
        done(query)
    );
    match (causes.len(), open) {
        (0, _) => put!(main, "<p>Nothing differs in this run that could be decided.</p>"),
        (_, 0) => put!(
            main,
            "<p class=\"good\">✓ All is decided. <code>rehearsal test</code> shows whether all is well.</p>"
        ),
        _ => put!(
            main,
            "<p>{} to decide. <span class=\"dim keys\">Keys: <kbd>j</kbd> <kbd>k</kbd> next and previous, \
             <kbd>a</kbd> accept, <kbd>i</kbd> ignore, <kbd>r</kbd> reject, <kbd>u</kbd> undo.</span></p>",
            count(open, "change")
        ),
    }
    put!(main, "{}", undoing(site, decisions, &back));
    let mut ordered: Vec<&Caused> = causes.iter().collect();
    ordered.sort_by_key(|cause| cause.decided.is_some());
    for cause in ordered {
        put!(main, "{}", card(site, cause, &back));
    }
    put!(
        main,
        "{}",
        rest(
            "A call was refused here; what follows from that is not shown. Run again when the calls are accepted.",
            &held,
            run
        )
    );
    put!(main, "{}", rest("These failed in ways that cannot be accepted.", &others, run));
    Ok(Shown { title: "What changed".to_owned(), part: "", main })
}

fn rest(why: &str, tests: &[TestName], run: &str) -> Html {
    let mut out = Html::new();
    if !tests.is_empty() {
        put!(out, "<h2>{}</h2><p>{}</p><ul>", count(tests.len(), "test"), why);
        for test in tests {
            put!(out, "<li>{}</li>", test_in(run, test));
        }
        put!(out, "</ul>");
    }
    out
}

fn test_in(run: &str, test: &TestName) -> Html {
    let mut out = Html::new();
    let TestName { recording, number, name } = test;
    put!(
        out,
        "<a href=\"/runs/{}/{}/{}\">{} {} · {}</a>",
        segment(run),
        segment(recording),
        *number,
        recording,
        *number,
        name
    );
    out
}

/// A cause with its evidence and what can be decided of it.
pub(super) fn card(site: &Site, cause: &Caused, back: &Back<'_>) -> Html {
    let mut out = Html::new();
    let (state, label) = match cause.decided {
        Some(done) => ("decided", done),
        None => ("open", "to decide"),
    };
    // On the page of a test cards stand below a heading.
    let level = if back.test.is_some() { 3usize } else { 2 };
    put!(
        out,
        "<section class=\"card {}\" tabindex=\"-1\" aria-label=\"{}\"><h{}>{}</h{}>\
         <p><span class=\"tag\">{}</span> <span class=\"tag\">{}</span> <span class=\"dim\">in {}</span></p>",
        state,
        cause.title,
        level,
        cause.title,
        level,
        cause.kind,
        label,
        count(cause.tests.len(), "test")
    );
    if !cause.samples.is_empty() {
        put!(out, "<ul class=\"samples\">");
        for sample in &cause.samples {
            put!(out, "<li><code>{}</code></li>", sample);
        }
        put!(out, "</ul>");
    }
    put!(out, "{}", tests(cause, back.run));
    if let Some(why) = &cause.obstacle {
        put!(out, "<p class=\"note\">cannot be accepted: {}</p>", why);
    }
    if cause.decided.is_none() {
        if !cause.patch.is_empty() {
            put!(
                out,
                "<p class=\"dim\">Accepting it changes, in {}:</p><pre tabindex=\"0\" class=\"patch\">",
                cause.file
            );
            for (sign, line) in &cause.patch {
                let class = if *sign == '-' { "expected" } else { "actual" };
                put!(out, "<span class=\"{}\">{} {}</span>\n", class, sign.to_string(), line);
            }
            put!(out, "</pre>");
        }
        put!(out, "{}", buttons(site, cause, back));
    }
    put!(out, "</section>");
    out
}

fn tests(cause: &Caused, run: &str) -> Html {
    let mut out = Html::new();
    put!(out, "<p class=\"where\">");
    for (place, (test, _)) in cause.tests.iter().take(NAMED).enumerate() {
        put!(out, "{}{}", text(if place > 0 { ", " } else { "" }), test_in(run, test));
    }
    if cause.tests.len() > NAMED {
        put!(out, " and {} more", cause.tests.len() - NAMED);
    }
    put!(out, "</p>");
    out
}

fn buttons(site: &Site, cause: &Caused, back: &Back<'_>) -> Html {
    let waiting = cause.tests.iter().filter(|(_, open)| *open).count();
    let mut out = Html::new();
    put!(
        out,
        "<form method=\"post\" action=\"/runs/{}/decide\" class=\"decide\">{}\
         <input type=\"hidden\" name=\"cause\" value=\"{}\">",
        segment(back.run),
        hidden(site, back),
        cause.key
    );
    let all = if waiting > 1 { format!(" in {waiting} tests") } else { String::new() };
    for (verb, word, title) in [
        (Verb::Accept, "Accept", "the tests expect it from now on"),
        (Verb::Ignore, "Ignore", "the values there may differ from now on"),
        (Verb::Reject, "Reject", "it is a mistake of the app; nothing is changed"),
    ] {
        if verb == Verb::Accept && cause.obstacle.is_some() {
            continue;
        }
        let value = Verb::ALL.iter().find(|(known, _)| *known == verb).map_or("", |(_, it)| it);
        put!(
            out,
            "<button class=\"button\" name=\"verb\" value=\"{}\" title=\"{}\">{}{}</button>",
            value,
            title,
            word,
            all
        );
    }
    if back.test.is_some() && waiting > 1 && cause.obstacle.is_none() {
        put!(
            out,
            "<button class=\"button\" name=\"verb\" value=\"accept-here\">Accept in this test only</button>"
        );
    }
    put!(out, "</form>");
    out
}

/// What every form carries: that it is ours, and where it stands.
fn hidden(site: &Site, back: &Back<'_>) -> Html {
    let mut out = Html::new();
    put!(out, "<input type=\"hidden\" name=\"form\" value=\"{}\">", site.guard.form());
    if let Some((recording, number)) = back.test {
        put!(
            out,
            "<input type=\"hidden\" name=\"recording\" value=\"{}\">\
             <input type=\"hidden\" name=\"number\" value=\"{}\">",
            recording,
            number
        );
    }
    out
}

/// The button that takes the last decision back.
pub(super) fn undoing(site: &Site, decisions: usize, back: &Back<'_>) -> Html {
    let mut out = Html::new();
    if decisions > 0 {
        put!(
            out,
            "<form method=\"post\" action=\"/runs/{}/undo\" class=\"undo\">{}\
             <input type=\"hidden\" name=\"decisions\" value=\"{}\">\
             <button class=\"button\">Undo the last decision of {}</button></form>",
            segment(back.run),
            hidden(site, back),
            decisions,
            decisions
        );
    }
    out
}

/// What was done just before, as the address says.
pub(super) fn done(query: &Pairs) -> Html {
    let mut out = Html::new();
    if let Some(done) = query.get("done") {
        put!(out, "<p class=\"good\" role=\"status\">{}</p>", done);
    }
    if let Some(problem) = query.get("problem") {
        put!(out, "<p class=\"note\" role=\"alert\">! {}</p>", problem);
    }
    out
}

/// Where a form stood.
fn back<'a>(run: &'a str, form: &'a Pairs) -> Back<'a> {
    let number = form.get("number").and_then(|number| number.parse().ok());
    Back { run, test: form.get("recording").zip(number) }
}

fn see(back: &Back<'_>, name: &str, text: &str) -> Reply {
    let short: String = text.chars().take(300).collect();
    Reply::see(&format!("{}?{name}={}", back.place(), segment(&short)))
}

fn refused(site: &Site, problem: Problem) -> Reply {
    shell::reply(site, Err(problem))
}

/// Decides, and goes back to the page that asked.
pub(crate) fn decide(site: &Site, run: &str, form: &Pairs) -> Reply {
    let asked = form.get("verb").unwrap_or_default();
    let (word, only_here) = match asked {
        "accept-here" => ("accept", true),
        word => (word, false),
    };
    let Some((verb, _)) = Verb::ALL.into_iter().find(|(_, known)| *known == word) else {
        return refused(
            site,
            Problem::Wrong(format!("decide {asked:?}: there is no such decision")),
        );
    };
    let folder = match site.run(run) {
        Ok(folder) => folder,
        Err(problem) => return refused(site, problem),
    };
    if let Some(problem) = not_yet(&folder) {
        return refused(site, problem);
    }
    let back = back(run, form);
    let test = back.test.filter(|_| only_here);
    match site.backstage.decide(run, form.get("cause").unwrap_or_default(), test, verb) {
        Ok(problems) if problems.is_empty() => {
            let done = match verb {
                Verb::Accept => "Accepted. `rehearsal test` shows whether all is well.",
                Verb::Ignore => "Ignored from now on.",
                Verb::Reject => "Rejected: it is a mistake of the app.",
            };
            see(&back, "done", done)
        }
        Ok(problems) => see(&back, "problem", &problems.join("; ")),
        Err(problem) => refused(site, problem),
    }
}

/// Takes the last decision back.
pub(crate) fn undo(site: &Site, run: &str, form: &Pairs) -> Reply {
    let decisions = form.get("decisions").and_then(|it| it.parse().ok()).unwrap_or(0);
    match site.run(run).and_then(|_| site.backstage.undo(run, decisions)) {
        Ok(what) => see(&back(run, form), "done", &format!("Undone: {what}")),
        Err(problem) => refused(site, problem),
    }
}
