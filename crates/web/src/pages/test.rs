//! One test of a run: the picture of who asked whom, what came otherwise, what to do about it, how it
//! was recorded, and how it did before.

use super::review::{self, Back};
use super::run::look;
use super::{count, duration, samples};
use crate::html::{Html, segment};
use crate::request::Pairs;
use crate::server::Site;
use crate::shell::{Made, Shown};
use crate::{Problem, Reviewed};
use rehearsal_history::Sample;
use rehearsal_model::{Outcome, RunEvent};
use rehearsal_report::parts;
use rehearsal_store::format_instant;

/// Times that are shown of a test's past.
const SHOWN: usize = 40;

/// The page of a test in a run.
pub(crate) fn test(site: &Site, run: &str, recording: &str, number: u32, query: &Pairs) -> Made {
    let folder = site.run(run)?;
    let said = folder.whole()?;
    let same = |event: &&RunEvent| {
        matches!(event, RunEvent::TestFinished { recording: its, number: id, .. }
            if its == recording && id.0 == number)
    };
    let Some(RunEvent::TestFinished {
        name,
        file,
        outcome,
        took_ms,
        calls,
        findings,
        triage,
        evidence,
        ..
    }) = said.events.iter().find(same)
    else {
        let text = format!("find test {number} of {recording:?} in this run");
        return Err(Problem::Missing(text));
    };
    let (word, mark, class) = look(*outcome);
    let mut main = Html::new();
    put!(
        main,
        "<p class=\"crumbs\"><a href=\"/runs/{}\">← the run</a></p>\
         <h1><span class=\"{}\">{}</span> {}</h1>\
         <p class=\"dim\">{} · test {} · {} · {}</p>{}",
        segment(run),
        class,
        mark,
        name,
        recording,
        number,
        word,
        duration(*took_ms),
        review::done(query)
    );
    let drawn = Html::drawn(parts::picture(name, calls, findings));
    put!(
        main,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The test as a sequence\">{}</div>",
        drawn
    );
    if !findings.is_empty() {
        let text = Html::drawn(parts::findings(findings));
        put!(
            main,
            "<h2>What came otherwise</h2><pre tabindex=\"0\" class=\"findings\">{}</pre>",
            text
        );
    }
    if let Some(triage) = triage {
        put!(main, "<dl class=\"triage\">");
        for (label, text) in parts::triage(triage) {
            put!(main, "<dt class=\"dim\">{}</dt><dd>{}</dd>", label, text);
        }
        put!(main, "</dl>");
    }
    if let Some(evidence) = evidence {
        let times = parts::waterfall(*took_ms, evidence);
        if !times.is_empty() {
            put!(main, "<h2>When its calls came</h2>{}", Html::drawn(times));
        }
        put!(main, "{}", Html::drawn(parts::messages(evidence)));
    }
    if *outcome == Outcome::Failed {
        put!(main, "{}", decisions(site, run, recording, number));
    }
    put!(main, "{}", recorded(site, recording, number));
    put!(main, "{}", again(recording, number, file));
    if let Some(command) = evidence.as_ref().and_then(|evidence| evidence.command.as_deref()) {
        put!(main, "{}", Html::drawn(parts::copied("send its request by hand", command)));
    }
    put!(main, "{}", past(site, recording, number));
    Ok(Shown { title: name.clone(), part: "", main })
}

/// The changes that show in the test, with what can be done about them.
fn decisions(site: &Site, run: &str, recording: &str, number: u32) -> Html {
    let mut out = Html::new();
    let reviewed = match site.backstage.review(run) {
        Ok(reviewed) => reviewed,
        Err(Problem::Missing(text) | Problem::Wrong(text) | Problem::Failed(text)) => {
            put!(out, "<h2>What changed</h2><p class=\"note\">failed to {}</p>", text);
            return out;
        }
    };
    let own = (recording, number);
    let Reviewed { causes, decisions, held, .. } = &reviewed;
    put!(out, "<h2>What changed, and what to do about it</h2>");
    let back = Back { run, test: Some(own) };
    let mut any = false;
    for cause in causes {
        let here = |test: &crate::TestName| (test.recording.as_str(), test.number) == own;
        if cause.tests.iter().any(|(test, _)| here(test)) {
            put!(out, "{}", review::card(site, cause, &back));
            any = true;
        }
    }
    if held.iter().any(|test| (test.recording.as_str(), test.number) == own) {
        put!(
            out,
            "<p class=\"note\">A call was refused here, and what follows from that is not shown as a \
             change. Run again when the calls are accepted.</p>"
        );
    } else if !any {
        put!(
            out,
            "<p class=\"dim\">Nothing here can be accepted: it is the app that has to change.</p>"
        );
    }
    put!(out, "{}", review::undoing(site, *decisions, &back));
    out
}

fn recorded(site: &Site, recording: &str, number: u32) -> Html {
    let mut out = Html::new();
    put!(out, "<h2>As it is recorded</h2>");
    match site.backstage.story(recording, number) {
        Ok(story) => {
            put!(out, "<pre tabindex=\"0\" class=\"story\">{}</pre>", Html::drawn(story.html))
        }
        Err(Problem::Missing(text) | Problem::Wrong(text) | Problem::Failed(text)) => {
            put!(out, "<p class=\"note\">failed to {}</p>", text);
        }
    }
    out
}

/// The command that runs it again, and its file.
fn again(recording: &str, number: u32, file: &str) -> Html {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    let quoted = match recording.chars().all(plain) {
        true => recording.to_owned(),
        false => format!("'{}'", recording.replace('\'', "'\\''")),
    };
    let command = format!("rehearsal test {quoted} --test {number}");
    let mut out = Html::drawn(parts::copied("run it again", &command));
    put!(out, "<div class=\"again\"><span class=\"dim\">file</span><code>{}</code></div>", file);
    out
}

/// How it did in past runs.
pub(super) fn past(site: &Site, recording: &str, number: u32) -> Html {
    let mut out = Html::new();
    let Ok((samples, _)) = samples(site) else { return out };
    let own: Vec<&Sample> = samples
        .iter()
        .filter(|it| it.test.recording == recording && it.test.number == number)
        .collect();
    if own.is_empty() {
        return out;
    }
    let failed = own.iter().filter(|sample| sample.failed()).count();
    let told = format!("{failed} of {} failed", count(own.len(), "time"));
    put!(out, "<h2>Before</h2><p>{}</p><ol class=\"past\">", told);
    for sample in own.iter().rev().take(SHOWN).rev() {
        let (word, mark, class) = look(sample.test.outcome);
        let title =
            format!("{word}, {}, {}", format_instant(sample.at_ms), duration(sample.test.took_ms));
        put!(
            out,
            "<li class=\"{}\" title=\"{}\">{}<span class=\"hidden\">{}</span></li>",
            class,
            title,
            mark,
            title
        );
    }
    put!(out, "</ol>");
    out
}
