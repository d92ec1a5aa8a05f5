//! One test as a story: who asked what, what the app then asked of others and what they said, and
//! what it answered in the end.

use crate::Look;
use crate::page::{Page, Style};
use crate::words::count;
use crate::yaml::{Layout, map_lines};
use rehearsal_model::{EdgeName, Exchange, Map, TestCase, Value};
use std::io::{self, Write};

/// How many lines of a message are shown, unless everything is wanted.
const MAX_MESSAGE: usize = 12;
/// How many lines of a message are shown when everything is wanted.
const MAX_VERBOSE: usize = 10_000;
/// How wide a story on a page is, in characters.
const WIDTH: usize = 110;

/// What the protocol of an edge says about its exchanges.
pub struct Words<'a> {
    /// What people call a request: `POST /charges`.
    pub operation: &'a dyn Fn(&EdgeName, &Map) -> String,
    /// The word for an answer: `response`, `result`.
    pub answer: &'a dyn Fn(&EdgeName) -> &'static str,
    /// What went wrong where an answer's number does not say so.
    pub failure: &'a dyn Fn(&EdgeName, &Exchange) -> Option<String>,
}

/// Writes a test as a story. Headers are left out and messages are cut short unless the look is
/// verbose.
///
/// # Errors
/// When the writer fails.
pub fn story(
    test: &TestCase,
    recording: &str,
    words: &Words<'_>,
    out: &mut dyn Write,
    look: Look,
) -> io::Result<()> {
    let mut teller = Teller { page: Page::new(look.color, look.width), look };
    teller.title(test, recording);
    teller.tell(test, words);
    out.write_all(teller.page.finish().as_bytes())
}

/// A test as a story for the inside of a `pre` element, whole, but without its title.
#[must_use]
pub fn story_html(test: &TestCase, words: &Words<'_>) -> String {
    let look = Look { verbose: true, ..Look::default() };
    let mut teller = Teller { page: Page::html(WIDTH), look };
    teller.tell(test, words);
    teller.page.finish()
}

struct Teller {
    page: Page,
    look: Look,
}

impl Teller {
    fn tell(&mut self, test: &TestCase, words: &Words<'_>) {
        let name = (words.operation)(&test.edge, &test.exchange.request);
        self.ask(0, &[(Style::Bold, &name)], &test.exchange, &name);
        for (place, call) in test.calls.iter().enumerate() {
            self.page.end();
            let name = (words.operation)(&call.edge, &call.exchange.request);
            let number = format!("{} · ", place + 1);
            let together = if call.parallel { "  while the call above waits" } else { "" };
            let head = [
                (Style::Dim, number.as_str()),
                (Style::Plain, call.edge.as_str()),
                (Style::Dim, " · "),
                (Style::Bold, &name),
                (Style::Dim, together),
            ];
            self.ask(4, &head, &call.exchange, &name);
            self.answer(4, &call.edge, &call.exchange, words);
        }
        self.page.end();
        self.answer(0, &test.edge, &test.exchange, words);
        self.noise(test);
    }

    fn title(&mut self, test: &TestCase, recording: &str) {
        let page = &mut self.page;
        page.put(Style::Bold, recording).put(Style::Dim, " · ");
        page.put(Style::Bold, &format!("test {}", test.id.0)).put(Style::Dim, " · ");
        page.put(Style::Bold, &test.name).put(Style::Dim, " · ");
        page.put(Style::Dim, &count(test.calls.len(), "call")).end().end();
    }

    fn ask(&mut self, indent: usize, head: &[(Style, &str)], exchange: &Exchange, name: &str) {
        self.page.to(indent).put(Style::Note, "→ ");
        for (style, text) in head {
            self.page.rest(*style, text);
        }
        self.page.end();
        self.message(indent + 2, &exchange.request, name);
    }

    fn answer(&mut self, indent: usize, edge: &EdgeName, exchange: &Exchange, words: &Words<'_>) {
        self.page.to(indent).put(Style::Good, "← ");
        match (&exchange.response, exchange.failure) {
            (Some(response), failure) => {
                self.page.put(Style::Bold, (words.answer)(edge));
                // A number that comes first is what the answer is known by.
                let first = response.iter().next();
                let code = first.filter(|(_, value)| matches!(value, Value::Number(_)));
                if let Some((_, Value::Number(code))) = code {
                    self.page.space(1).put(Style::Plain, code.as_str());
                }
                if let Some(said) = (words.failure)(edge, exchange) {
                    self.page.put(Style::Dim, " · ").put(Style::Bad, &said);
                }
                if let Some(failure) = failure {
                    self.page.put(Style::Bad, &format!("  then {failure}"));
                }
                self.page.end();
                let mut rest = response.clone();
                if let Some((key, _)) = code {
                    rest.remove(key);
                }
                self.message(indent + 2, &rest, "");
            }
            (None, Some(failure)) => {
                self.page.put(Style::Bad, &failure.to_string()).end();
            }
            (None, None) => {
                self.page.put(Style::Dim, "no answer").end();
            }
        }
    }

    /// The entries of a message but for what its headline says.
    fn message(&mut self, indent: usize, message: &Map, headline: &str) {
        let shown = |(key, value): &(&str, &Value)| {
            let said = value.as_text().is_some_and(|text| text == headline);
            !said && (self.look.verbose || *key != "headers")
        };
        let entries: Map = message.iter().filter(shown).map(|(k, v)| (k, v.clone())).collect();
        let max = if self.look.verbose { MAX_VERBOSE } else { MAX_MESSAGE };
        for line in map_lines(&entries, Layout::Short, max) {
            self.page.to(indent).rest(Style::Plain, &line).end();
        }
    }

    fn noise(&mut self, test: &TestCase) {
        if test.noise.is_empty() {
            return;
        }
        self.page.end().put(Style::Dim, "may differ between runs:").end();
        for noise in &test.noise {
            let learned = noise.learned.as_ref().map(|why| format!(" ({why})"));
            let learned = learned.unwrap_or_default();
            self.page.to(2).put(Style::Dim, &format!("{}{learned}", noise.path)).end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{Call, Failure, TestId, json::parse};

    fn map(text: &str) -> Map {
        match parse(text) {
            Ok(Value::Map(map)) => map,
            other => panic!("{other:?}"),
        }
    }

    fn exchange(request: &str, response: &str) -> Exchange {
        Exchange { request: map(request), response: Some(map(response)), ..Exchange::default() }
    }

    fn call(edge: &str, exchange: Exchange, parallel: bool) -> Call {
        Call { edge: EdgeName::new(edge), exchange, parallel }
    }

    fn sample() -> TestCase {
        let http = exchange(
            r#"{"http":"POST /orders","headers":{"content-type":"application/json"},"body":{"sku":"A1","quantity":2}}"#,
            r#"{"status":201,"headers":{"x":"y"},"body":{"id":17,"status":"paid","note":"thanks \u001b[2J"}}"#,
        );
        let sql = exchange(
            r#"{"sql":"INSERT INTO orders (sku, quantity)\n  VALUES ($1, $2) RETURNING id","params":["A1",2]}"#,
            r#"{"columns":["id int4"],"rows":[[17]],"tag":"INSERT 0 1"}"#,
        );
        let pay = exchange(
            r#"{"http":"POST /charges","body":{"amount":"19.90"}}"#,
            r#"{"status":200,"paid":2}"#,
        );
        let refused = Exchange { response: None, failure: Some(Failure::Refused), ..pay.clone() };
        TestCase {
            id: TestId(3),
            name: "POST /orders".into(),
            at: Default::default(),
            edge: EdgeName::new("inbound"),
            exchange: http,
            calls: vec![
                call("shop-db", sql, false),
                call("payments", pay, false),
                call("mail", refused, true),
            ],
            noise: vec!["response.body.created_at".into()],
            during: Vec::new(),
        }
    }

    fn tell(look: Look) -> String {
        let operation = |edge: &EdgeName, request: &Map| match edge.as_str() {
            "shop-db" => "INSERT orders".to_owned(),
            _ => request.text("http").unwrap_or_default().to_owned(),
        };
        let key = |edge: &EdgeName| if edge.as_str() == "shop-db" { "result" } else { "response" };
        let failure = |_: &EdgeName, exchange: &Exchange| {
            exchange.response.as_ref()?.get("paid").map(|_| "paid twice".to_owned())
        };
        let words = Words { operation: &operation, answer: &key, failure: &failure };
        let mut out = Vec::new();
        story(&sample(), "checkout", &words, &mut out, look).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tells_a_test() {
        insta::assert_snapshot!(tell(Look { width: 80, ..Look::default() }), @r#"
        checkout · test 3 · POST /orders · 3 calls

        → POST /orders
          body: {sku: A1, quantity: 2}

            → 1 · shop-db · INSERT orders
              sql: |
                INSERT INTO orders (sku, quantity)
                  VALUES ($1, $2) RETURNING id
              params: [A1, 2]
            ← result
              columns: [id int4]
              rows:
                - [17]
              tag: INSERT 0 1

            → 2 · payments · POST /charges
              body: {amount: "19.90"}
            ← response 200 · paid twice
              paid: 2

            → 3 · mail · POST /charges  while the call above waits
              body: {amount: "19.90"}
            ← refused

        ← response 201
          body:
            id: 17
            status: paid
            note: "thanks \u001b[2J"

        may differ between runs:
          response.body.created_at
        "#);
    }

    #[test]
    fn everything_is_told_on_demand_and_nothing_acts_on_the_terminal() {
        let text = tell(Look { verbose: true, ..Look::default() });
        assert!(text.contains("content-type: application/json"));
        assert!(!text.contains('\x1b'));
    }
}
