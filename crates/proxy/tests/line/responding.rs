//! A played server.

use crate::protocol::{LINE, message};
use crate::rig::{Log, Told, hear, hear_end, hear_reset, options, pair, reset, say, within};
use rehearsal_model::{Failure, Moment, Value};
use rehearsal_proxy::{
    ConnectionId, ConnectionReport, Datagrams, Ended, NoTls, Oracle, Question, Reached, Reply,
    Respond, Watch, observe_datagram, respond, respond_datagram,
};
use rehearsal_wire::{Answer, Limits, Miss, Peer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Answers what begins with `later` when the test says so, and all else at once.
#[derive(Default)]
struct Parrot {
    log: Log,
    later: Mutex<HashMap<String, oneshot::Receiver<Answer>>>,
}

impl Parrot {
    /// The means to answer that question later.
    fn expect(&self, line: &str) -> oneshot::Sender<Answer> {
        let (answer_tx, answer_rx) = oneshot::channel();
        self.later.lock().unwrap().insert(line.to_owned(), answer_rx);
        answer_tx
    }
}

impl Watch for Parrot {
    fn warning(&self, connection: ConnectionId, text: &str) {
        self.log.warning(connection, text);
    }

    fn finished(&self, connection: ConnectionId, report: ConnectionReport) {
        self.log.finished(connection, report);
    }
}

impl Oracle for Parrot {
    fn answer(&self, question: Question) -> Reply {
        let line = question.request.text("line").unwrap().to_owned();
        if let Some(answer) = self.later.lock().unwrap().remove(&line) {
            return Reply::Later(Box::pin(async { answer.await.unwrap() }));
        }
        Reply::Now(match line.as_str() {
            "reset" => Answer::Failure(Failure::Reset),
            "close" => Answer::Failure(Failure::Closed),
            "miss" => Answer::Miss(Miss { message: "no mock".to_owned(), details: Value::Null }),
            line => Answer::Response(message(&format!("re {line}"))),
        })
    }
}

/// A client towards a played server.
async fn parrot() -> (TcpStream, Arc<Parrot>, JoinHandle<Option<Reached>>) {
    let parrot = Arc::new(Parrot::default());
    let (client, end) = pair().await;
    let task = tokio::spawn(respond(Respond {
        options: options(7),
        client: end.into(),
        protocol: LINE,
        tls: Box::new(NoTls),
        oracle: Arc::clone(&parrot) as Arc<dyn Oracle>,
    }));
    (client, parrot, task)
}

#[tokio::test]
async fn answers_come_as_the_oracle_says() {
    let (mut client, parrot, _) = parrot().await;
    say(&mut client, "one\nmiss\n").await;
    hear(&mut client, "re one\nmiss no mock\n").await;
    say(&mut client, "wait\n").await;
    hear(&mut client, "tick\n").await;
    drop(client);
    let report = parrot.log.report().await;
    assert_eq!(report.ended, Ended::Finished);
    assert_eq!((report.client_bytes, report.server_bytes), (14, 25));
    assert_eq!(report.protocol, Some("line"));
}

#[tokio::test]
async fn answers_may_become_known_out_of_order() {
    let (mut client, parrot, _) = parrot().await;
    let (first_tx, second_tx) = (parrot.expect("first"), parrot.expect("second"));
    say(&mut client, "first\nsecond\nthird\n").await;
    second_tx.send(Answer::Response(message("b"))).unwrap();
    first_tx.send(Answer::Response(message("a"))).unwrap();
    hear(&mut client, "a\nb\nre third\n").await;
}

#[tokio::test]
async fn a_client_that_has_finished_still_gets_its_answer() {
    let (mut client, parrot, _) = parrot().await;
    let answer_tx = parrot.expect("slow");
    say(&mut client, "slow\n").await;
    client.shutdown().await.unwrap();
    answer_tx.send(Answer::Response(message("at last"))).unwrap();
    hear(&mut client, "at last\n").await;
    hear_end(&mut client).await;
    assert_eq!(parrot.log.report().await.ended, Ended::Finished);
}

#[tokio::test]
async fn a_recorded_reset_is_a_reset() {
    let (mut client, parrot, _) = parrot().await;
    say(&mut client, "one\nreset\n").await;
    hear(&mut client, "re one\n").await;
    hear_reset(&mut client).await;
    assert_eq!(parrot.log.report().await.ended, Ended::BrokenOff);
}

#[tokio::test]
async fn a_recorded_end_is_an_end() {
    let (mut client, parrot, _) = parrot().await;
    say(&mut client, "one\nclose\nnever read\n").await;
    hear(&mut client, "re one\n").await;
    hear_end(&mut client).await;
    drop(client);
    assert_eq!(parrot.log.report().await.ended, Ended::Finished);
}

#[tokio::test]
async fn garbage_closes_a_played_connection() {
    let (mut client, parrot, _) = parrot().await;
    say(&mut client, "one\n").await;
    hear(&mut client, "re one\n").await;
    say(&mut client, "?\n").await;
    hear_end(&mut client).await;
    drop(client);
    assert_eq!(parrot.log.report().await.ended, Ended::BrokenOff);
    let [Told::Warning(text), _] = &parrot.log.told()[..] else { panic!("one warning, one end") };
    assert!(text.contains("small letter"), "{text}");
}

#[tokio::test]
async fn a_reset_or_a_drop_is_reported_once() {
    let (mut client, parrot, task) = self::parrot().await;
    say(&mut client, "one\n").await;
    hear(&mut client, "re one\n").await;
    reset(client);
    assert_eq!(parrot.log.report().await.ended, Ended::Reset(Peer::Client));
    within(task).await.unwrap();
    assert_eq!(parrot.log.reports().len(), 1);

    let (mut client, parrot, task) = self::parrot().await;
    let _answer_tx = parrot.expect("never");
    say(&mut client, "one\nnever\n").await;
    hear(&mut client, "re one\n").await;
    task.abort();
    hear_end(&mut client).await;
    assert_eq!(parrot.log.report().await.ended, Ended::Dropped);
}

#[test]
fn datagrams_need_no_socket() {
    let at = Moment(5);
    let answer = |request: rehearsal_model::Map| {
        assert_eq!(request.text("line"), Some("where"));
        Answer::Response(message("here"))
    };
    let replies = respond_datagram(LINE, Limits::default(), b"where\n", at, answer).unwrap();
    assert_eq!(replies, ["here\n"]);
    let malformed = respond_datagram(LINE, Limits::default(), b"?", at, |_| Answer::Incomplete);
    assert!(malformed.is_err());

    let datagrams =
        Datagrams { query: (b"where\n", Moment(5)), reply: Some((b"here\n", Moment(9))) };
    let exchanges = observe_datagram(LINE, Limits::default(), datagrams).unwrap();
    let [exchange] = &exchanges[..] else { panic!("one exchange: {exchanges:?}") };
    assert_eq!(exchange.request, message("where"));
    assert_eq!(exchange.response, Some(message("here")));
    assert_eq!((exchange.started, exchange.finished), (Moment(5), Moment(9)));
}
