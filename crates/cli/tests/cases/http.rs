//! The traffic of a recording: requests by our own client and by curl, from one client or several.

use crate::case::{Record, Request};
use crate::words::Words;
use rehearsal_testkit::{Client, Process};
use std::process::Command;
use std::time::Duration;

/// Waits until the app answers connections; the recording must not end before.
pub(crate) fn wait_for(process: &Process, port: u16) {
    process.until("the app to listen", Duration::from_secs(60), || Client::connect(port));
}

/// Sends the traffic, all of it from each client.
pub(crate) fn send_all(record: &Record, port: u16, words: &Words) {
    let words = &words.with("url", format!("http://127.0.0.1:{port}"));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..record.clients)
            .map(|client| scope.spawn(move || send_as(record, port, client, words)))
            .collect();
        for client in clients {
            if let Err(panic) = client.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn send_as(record: &Record, port: u16, number: usize, words: &Words) {
    let mut client: Option<Client> = None;
    for round in 0..record.rounds {
        for (index, request) in record.traffic.iter().enumerate() {
            let item = (number * record.rounds + round) * record.traffic.len() + index;
            let words = words
                .with("client", number)
                .with("round", round)
                .with("item", item)
                .with("trace", format!("00-{:032x}-{:016x}-01", item + 1, item + 1));
            if request.curl.is_empty() {
                let client = client
                    .get_or_insert_with(|| Client::connect(port).expect("the app does not listen"));
                plain(client, request, &words);
            } else {
                curl(request, &words);
            }
        }
    }
}

fn plain(client: &mut Client, request: &Request, words: &Words) {
    let line = words.fill(&request.send);
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let mut headers: Vec<(String, String)> = words.fill_map(&request.headers).into_iter().collect();
    let body = match &request.json {
        Some(value) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            words.fill_value(value).to_string()
        }
        None => words.fill(&request.text),
    };
    let answer = client
        .request(method, path, &headers, body.as_bytes())
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let expected = request.status.unwrap_or(200);
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, expected, "{line} was answered {text}");
    assert!(text.contains(&words.fill(&request.answer)), "{line} was answered {text}");
}

fn curl(request: &Request, words: &Words) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60"]);
    command.args(["--write-out", "\n%{http_code}"]).args(words.fill_all(&request.curl));
    let ended = Process::start(command).wait(Duration::from_secs(70));
    let (body, status) = ended.stdout.rsplit_once('\n').unwrap_or_default();
    let expected = request.status.unwrap_or(200).to_string();
    assert_eq!(
        (ended.code, status),
        (0, &*expected),
        "curl {:?} was answered {body}{}",
        request.curl,
        ended.stderr
    );
    assert!(body.contains(&words.fill(&request.answer)), "{:?} was answered {body}", request.curl);
}
