//! Exchanges that wait for each other at a gate.

use crate::rig::{Told, hear, rig, say, within};
use rehearsal_proxy::{BoxFuture, ConnectionId, Gate, OneAtATime, Pass};
use std::sync::Arc;
use tokio::sync::Notify;

/// A gate that says when somebody has asked.
struct Bell {
    gate: OneAtATime,
    asked: Notify,
}

impl Gate for Bell {
    fn enter(&self, connection: ConnectionId) -> BoxFuture<'static, Pass> {
        self.asked.notify_one();
        self.gate.enter(connection)
    }
}

#[tokio::test]
async fn one_exchange_at_a_time() {
    let bell = Arc::new(Bell { gate: OneAtATime::new(), asked: Notify::new() });
    let gate = || Some(Arc::clone(&bell) as Arc<dyn Gate>);
    let mut first = rig(|what| what.gate = gate()).await;
    let mut second = rig(|what| what.gate = gate()).await;

    say(&mut first.client, "one\n").await;
    hear(&mut first.server, "one\n").await;
    within(bell.asked.notified()).await;
    say(&mut second.client, "two\n").await;
    within(bell.asked.notified()).await;
    let early = second.server.try_read(&mut [0; 8]).expect_err("nothing came yet");
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);

    // What the server says unasked does not wait, and the open exchange is free to go on.
    say(&mut second.server, "unasked\n").await;
    hear(&mut second.client, "unasked\n").await;
    say(&mut first.client, "and a half\n").await;
    hear(&mut first.server, "and a half\n").await;
    say(&mut first.server, "answer\n").await;
    hear(&mut first.client, "answer\n").await;
    let early = second.server.try_read(&mut [0; 8]).expect_err("nothing came yet");
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(second.log.told(), []);

    say(&mut first.server, "other answer\n").await;
    hear(&mut second.server, "two\n").await;
    second.log.until(|told| told == [Told::Begin(0)]).await;
}

#[tokio::test]
async fn a_dropped_connection_gives_its_turn_back() {
    let gate: Arc<dyn Gate> = Arc::new(OneAtATime::new());
    let mut first = rig(|what| what.gate = Some(Arc::clone(&gate))).await;
    let mut second = rig(|what| what.gate = Some(gate)).await;
    say(&mut first.client, "one\n").await;
    hear(&mut first.server, "one\n").await;
    say(&mut second.client, "two\n").await;
    first.task.abort();
    hear(&mut second.server, "two\n").await;
}

#[tokio::test]
async fn an_unread_connection_does_not_wait() {
    let gate: Arc<dyn Gate> = Arc::new(OneAtATime::new());
    let mut first = rig(|what| what.gate = Some(Arc::clone(&gate))).await;
    let mut second = rig(|what| what.gate = Some(gate)).await;
    say(&mut second.client, "\u{0}").await;
    hear(&mut second.server, "\u{0}").await;
    say(&mut first.client, "one\n").await;
    hear(&mut first.server, "one\n").await;
    say(&mut second.client, "\u{0}more").await;
    hear(&mut second.server, "\u{0}more").await;
}
