//! One test: its request is sent, its answer and its calls are judged.

use crate::drive::Driver;
use crate::secrets::Secrets;
use crate::shelf::Shelf;
use crate::stage::Stage;
use rehearsal_compare::Rules;
use rehearsal_model::{Exchange, Failure, Finding, Map, TestCase};
use rehearsal_store::scrub::Scrubber;
use rehearsal_supervise::Ending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long calls may come after the answer, as those that the app makes in the background, while it rests.
const LATE_CALLS: Duration = Duration::from_secs(1);

/// A test and what judging it takes.
pub(crate) struct Trial<'a> {
    pub(crate) test: Arc<TestCase>,
    pub(crate) shelf: &'a Shelf,
    pub(crate) stage: &'a Stage,
    pub(crate) rules: Rules,
    pub(crate) limit: Duration,
    pub(crate) scrubber: &'a Scrubber,
    /// How far it has come, for those who wait to begin beside it or after it.
    pub(crate) progress: &'a Progress,
    /// Whether others are under way when it begins.
    pub(crate) beside: bool,
}

/// How far a test has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Its request is on its way.
    pub(crate) sent: AtomicBool,
    /// The app has answered, or is no longer waited for.
    pub(crate) answered: AtomicBool,
}

/// What came of a test.
pub(crate) struct Judged {
    /// Why it failed; empty when it passed.
    pub(crate) findings: Vec<Finding>,
    /// What the app answered, without secrets and with the recorded identifiers.
    pub(crate) answer: Option<Map>,
}

/// Plays a test and judges it. `ended` is done when the app has ended.
pub(crate) async fn judge(
    trial: Trial<'_>,
    driver: &mut Driver,
    secrets: &Mutex<Secrets>,
    ended: impl Future<Output = Ending>,
) -> Judged {
    let Trial { test, shelf, stage, rules, limit, scrubber, progress, beside } = trial;
    match beside {
        true => stage.begin_beside(Arc::clone(&test), rules),
        false => stage.begin(Arc::clone(&test), rules),
    }
    let fill = |map: &Map| secrets.lock().unwrap_or_else(PoisonError::into_inner).fill(map);
    let request = stage.live_request(&fill(&test.exchange.request));
    stage.scrub(scrubber, &mut Exchange { request: request.clone(), ..Exchange::default() });
    let recorded = test.exchange.response.as_ref();
    let recorded = recorded.map(|response| stage.live_conversation(&fill(response)));
    let untouched = || test.exchange.failure.is_none() && stage.is_untouched(test.id);
    let sent = || progress.sent.store(true, Ordering::Release);
    let said = (&request, recorded.as_ref());
    let sending = timeout(limit, driver.send(&test.edge, said, untouched, sent));
    tokio::pin!(ended);
    let sent = tokio::select! {
        sent = sending => sent,
        _ = &mut ended => Ok(Err("the app ended".to_owned())),
    };
    progress.answered.store(true, Ordering::Release);
    let mut said = None;
    let answered = match sent {
        Err(_) => {
            driver.hang_up();
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            vec![Finding::TimedOut { limit_ms }]
        }
        Ok(Err(what)) => vec![Finding::NoAnswer { what }],
        Ok(Ok(mut answer)) => {
            tokio::select! {
                _ = stage.patiently(LATE_CALLS, stage.all_called(test.id)) => {}
                _ = &mut ended => {}
            }
            if let (Some(recorded), Some(live)) = (&test.exchange.response, &answer.response) {
                secrets.lock().unwrap_or_else(PoisonError::into_inner).learn(recorded, live);
            }
            stage.scrub(scrubber, &mut answer);
            stage.recorded_answer(&mut answer);
            let answered = judge_answer(&test, shelf, &answer, stage);
            said = answer.response;
            answered
        }
    };
    // A wrong call is often why the answer is wrong, so it is told first.
    let mut findings = stage.end(test.id);
    findings.extend(answered);
    Judged { findings, answer: said }
}

fn judge_answer(test: &TestCase, shelf: &Shelf, answer: &Exchange, stage: &Stage) -> Vec<Finding> {
    let recorded = &test.exchange;
    if let Some(failure) = answer.failure
        && !recorded.failure.is_some_and(|recorded| recorded.allows(failure))
    {
        return vec![Finding::NoAnswer { what: ended_otherwise(failure, recorded.failure) }];
    }
    let known = shelf.edges.iter().find(|edge| edge.name == test.edge);
    let facets = known.map_or_else(rehearsal_wire::fallback, |edge| edge.protocol()).facets();
    let nothing = Map::new();
    let expected = recorded.response.as_ref().unwrap_or(&nothing);
    let actual = answer.response.as_ref().unwrap_or(&nothing);
    let expected = facets.response(&recorded.request, expected);
    let actual = facets.response(&recorded.request, actual);
    let mut findings = stage.judge_answer(test.id, &expected, &actual);
    if let (None, Some(failure), true) = (answer.failure, recorded.failure, findings.is_empty())
        && failure.code().is_some()
    {
        let what = format!("the app answered to the end; recorded was {failure}");
        findings.push(Finding::NoAnswer { what });
    }
    findings
}

/// How an answer broke off that was not recorded so.
fn ended_otherwise(failure: Failure, recorded: Option<Failure>) -> String {
    let who = if matches!(failure, Failure::ResetBy(_)) { "stream" } else { "connection" };
    let what = format!("the {who} was {failure} before the answer was complete");
    match recorded {
        Some(recorded) => format!("{what}; recorded was {recorded}"),
        None => what,
    }
}
