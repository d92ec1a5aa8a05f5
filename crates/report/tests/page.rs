//! The page for browsers: whole, well formed, and with nothing in it that recorded text put there.

mod sample;

use rehearsal_model::{CallName, Finding, Map, Outcome, RetryCause, RunEvent, Summary, TestId};
use rehearsal_report::{FORMATS, Look, Make};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn page(events: &[RunEvent]) -> String {
    let format = FORMATS.iter().find(|format| format.name == "html").unwrap();
    let buffer = Buffer::default();
    let Make::Stream(make) = format.make else { unreachable!("it is one page") };
    let mut report = make(Box::new(buffer.clone()), Look::default());
    for event in events {
        report.event(event).unwrap();
    }
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// The names of the tags, in order; a slash before those that close.
fn tags(page: &str) -> Vec<String> {
    let (head, script) = page.split_once("<script>").unwrap_or((page, ""));
    let tail = script.split_once("</script>").map_or("", |(_, tail)| tail);
    let parts = head.split('<').skip(1).chain(tail.split('<').skip(1));
    let name = |part: &str| {
        part.split(|char: char| !char.is_alphanumeric() && char != '/' && char != '!')
            .next()
            .unwrap()
            .to_owned()
    };
    parts.map(name).collect()
}

fn is_well_formed(page: &str) {
    let mut open = Vec::new();
    for part in page.split("<script>").next().unwrap().split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name: String = tag.chars().take_while(|char| char.is_alphanumeric()).collect();
        if tag.starts_with('!') || tag.ends_with('/') || matches!(name.as_str(), "meta" | "input") {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "before {part:.80}"),
            None => open.push(name),
        }
    }
    assert_eq!(open, ["html", "body"], "the script is in the body, and nothing else is open");
}

#[test]
fn a_run_with_everything_in_it_is_well_formed() {
    let text = page(&sample::run());
    is_well_formed(&text);
    for said in
        ["✗ was not made", "run it again", "rehearsal test checkout --test 1", "<b>1</b>passed"]
    {
        assert!(text.contains(said), "{said}");
    }
    assert!(!text.contains(" src=") && !text.contains(" href=") && !text.contains("url("));
}

#[test]
fn recorded_text_is_data() {
    let evil =
        || "\"><script>alert(1)</script><img src=x onerror='alert(2)'>\u{1b}[2J\u{202e}".to_owned();
    let findings = vec![
        Finding::CallUnexpected {
            edge: evil(),
            owner: Some(evil()),
            operation: evil(),
            request: Map::from([("http", evil())]),
            nearest: None,
        },
        Finding::NoAnswer { what: evil() },
    ];
    let calls = vec![CallName { edge: evil(), operation: evil() }];
    let finished = |outcome, findings| RunEvent::TestFinished {
        recording: evil(),
        number: TestId(1),
        name: evil(),
        file: evil(),
        outcome,
        took_ms: 1.0,
        calls: calls.clone(),
        findings,
        triage: None,
        evidence: Some(Box::new(sample::evidence(&evil()))),
    };
    let plain = |text: &str| text.to_owned();
    let events = |evil: &dyn Fn() -> String| {
        [
            RunEvent::RunStarted {
                tool: evil(),
                tests: 2,
                recordings: vec![evil()],
                fingerprint: evil(),
                shard: None,
            },
            RunEvent::Retried {
                recording: evil(),
                number: TestId(1),
                name: evil(),
                cause: RetryCause::Flaky,
                depends_on: None,
                findings: Vec::new(),
            },
            RunEvent::RecordingStarted { recording: evil(), command: vec![evil()], tests: 2 },
            RunEvent::Warning { recording: None, message: evil() },
            RunEvent::AppExited {
                recording: evil(),
                how: evil(),
                during: None,
                output: vec![evil()],
            },
            RunEvent::RunFinished {
                summary: Summary { aborted: Some(evil()), ..Summary::default() },
            },
        ]
    };
    let [a, b, c, d, e, f] = events(&evil);
    let tests = [finished(Outcome::Failed, findings), finished(Outcome::Passed, Vec::new())];
    let text = page(&[[a, b, c, d, e].as_slice(), &tests, &[f]].concat());
    is_well_formed(&text);
    assert_eq!(text.matches("<script").count(), 1);
    assert!(!text.contains("<img") && !text.contains('\u{1b}') && !text.contains('\u{202e}'));
    let [a, b, c, d, e, f] = events(&|| plain("x"));
    let harmless = page(&[a, b, c, d, e, f]);
    let [a, b, c, d, e, f] = events(&evil);
    assert_eq!(tags(&page(&[a, b, c, d, e, f])), tags(&harmless));
}

#[test]
fn ten_thousand_tests_stay_small() {
    let mut events = sample::run()[..4].to_vec();
    for number in 1..=10_000 {
        events.extend(sample::test(number, "POST /orders", Outcome::Passed, Vec::new()));
    }
    assert!(page(&events).len() < 20 << 20, "{} bytes", page(&events).len());
}
