//! Observed connections: what the peers see, and what the sink is told.

use crate::protocol::{HELD, LINE};
use crate::rig::{Told, hear, hear_end, hear_reset, reset, rig, say, within};
use rehearsal_proxy::Ended;
use rehearsal_wire::Peer;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

fn emit(id: u64, asked: &str, answer: &str) -> Told {
    Told::Emit(id, "line", asked.to_owned(), answer.to_owned())
}

#[tokio::test]
async fn carries_exchanges_and_emits_them() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "h").await;
    hear(&mut rig.server, "h").await;
    say(&mut rig.client, "ello\nagain\n").await;
    hear(&mut rig.server, "ello\nagain\n").await;
    say(&mut rig.server, "good day\nagain\n").await;
    hear(&mut rig.client, "good day\nagain\n").await;
    drop(rig.client);
    hear_end(&mut rig.server).await;
    drop(rig.server);

    let report = rig.log.report().await;
    assert_eq!(report.protocol, Some("line"));
    assert_eq!((report.client_bytes, report.server_bytes), (12, 15));
    assert_eq!(report.ended, Ended::Finished);
    assert!(!report.demoted && report.started <= report.finished);
    assert_eq!(
        rig.log.exchanges(),
        [Told::Begin(0), Told::Begin(1), emit(0, "hello", "good day"), emit(1, "again", "again")]
    );
}

#[tokio::test]
async fn what_was_emitted_is_kept_once_and_before_anything_further_is_passed_on() {
    let mut rig = rig(|_| ()).await;
    for asked in ["one\ntwo\n", "three\n"] {
        say(&mut rig.client, asked).await;
        hear(&mut rig.server, asked).await;
        say(&mut rig.server, asked).await;
        hear(&mut rig.client, asked).await;
        rig.log.until(|told| matches!(told.last(), Some(Told::Emit(..)))).await;
    }
    say(&mut rig.client, "four\n").await;
    hear(&mut rig.server, "four\n").await;
    rig.log.until(|told| told.last() == Some(&Told::Begin(3))).await;
    assert!(rig.log.is_settled_between(), "{:?}", rig.log.told());
    let settled = rig.log.told().iter().filter(|told| **told == Told::Settle).count();
    assert_eq!(settled, 2, "{:?}", rig.log.told());
}

#[tokio::test]
async fn a_half_closed_client_still_hears_the_answer() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "hello\n").await;
    rig.client.shutdown().await.unwrap();
    let mut asked = String::new();
    within(rig.server.read_to_string(&mut asked)).await.unwrap();
    assert_eq!(asked, "hello\n");

    say(&mut rig.server, "good day\n").await;
    hear(&mut rig.client, "good day\n").await;
    drop(rig.server);
    hear_end(&mut rig.client).await;
    assert_eq!(rig.log.report().await.ended, Ended::Finished);
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), emit(0, "hello", "good day")]);
}

#[tokio::test]
async fn a_half_closed_server_still_hears_questions() {
    let mut rig = rig(|_| ()).await;
    rig.server.shutdown().await.unwrap();
    hear_end(&mut rig.client).await;
    say(&mut rig.client, "hello\n").await;
    hear(&mut rig.server, "hello\n").await;
    drop(rig.client);
    hear_end(&mut rig.server).await;
    assert_eq!(rig.log.report().await.ended, Ended::Finished);
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), Told::Abandon(0)]);
}

#[tokio::test]
async fn a_reset_of_the_client_reaches_the_server() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "hello\n").await;
    hear(&mut rig.server, "hello\n").await;
    reset(rig.client);
    hear_reset(&mut rig.server).await;
    assert_eq!(rig.log.report().await.ended, Ended::Reset(Peer::Client));
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), emit(0, "hello", "reset")]);
}

#[tokio::test]
async fn a_reset_of_the_server_reaches_the_client() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "hello\n").await;
    hear(&mut rig.server, "hello\n").await;
    reset(rig.server);
    hear_reset(&mut rig.client).await;
    assert_eq!(rig.log.report().await.ended, Ended::Reset(Peer::Server));
}

#[tokio::test]
async fn what_was_said_before_a_reset_arrives_before_it() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.server, "too many connections\n").await;
    hear(&mut rig.client, "too many").await;
    reset(rig.server);
    hear(&mut rig.client, " connections\n").await;
    hear_reset(&mut rig.client).await;
}

#[tokio::test]
async fn a_server_that_closed_resets_whoever_talks_on() {
    let mut rig = rig(|_| ()).await;
    drop(rig.server);
    hear_end(&mut rig.client).await;
    // The first words meet a closed socket, which answers by a reset.
    let broken = within(async {
        loop {
            if let Err(error) = rig.client.write_all(b"anybody there\n").await {
                return error.kind();
            }
            tokio::task::yield_now().await;
        }
    });
    let kind = broken.await;
    let expected = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(expected.contains(&kind), "{kind}");
    assert_eq!(rig.log.report().await.ended, Ended::Reset(Peer::Server));
}

#[tokio::test]
async fn garbage_is_carried_unread_after_one_warning() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "hello\nhel").await;
    hear(&mut rig.server, "hello\nhel").await;
    say(&mut rig.server, "UPPER\n?garbage\n").await;
    hear(&mut rig.client, "UPPER\n?garbage\n").await;
    say(&mut rig.client, "\u{1}\u{2} more garbage").await;
    hear(&mut rig.server, "\u{1}\u{2} more garbage").await;
    say(&mut rig.server, "and back").await;
    hear(&mut rig.client, "and back").await;
    drop((rig.client, rig.server));

    assert!(rig.log.report().await.demoted);
    let told = rig.log.exchanges();
    assert_eq!(told[..2], [Told::Begin(0), Told::Begin(1)]);
    let warnings = told.iter().filter(|told| matches!(told, Told::Warning(_))).count();
    assert_eq!(warnings, 1, "{told:?}");
    let abandoned = told.iter().filter(|told| matches!(told, Told::Abandon(_))).count();
    let emitted = told.iter().filter(|told| matches!(told, Told::Emit(..))).count();
    assert_eq!((abandoned + emitted, told.len()), (2, 5), "{told:?}");
}

#[tokio::test]
async fn a_defect_of_a_decoder_is_not_felt_by_the_peers() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "panic\n").await;
    hear(&mut rig.server, "panic\n").await;
    say(&mut rig.server, "all is well\n").await;
    hear(&mut rig.client, "all is well\n").await;
    drop((rig.client, rig.server));
    let report = rig.log.report().await;
    assert_eq!((report.demoted, report.ended), (true, Ended::Finished));
    assert_eq!(rig.log.exchanges().last(), Some(&Told::Abandon(0)));
}

#[tokio::test]
async fn what_no_protocol_knows_is_carried_without_a_word() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "\u{0}binary").await;
    hear(&mut rig.server, "\u{0}binary").await;
    say(&mut rig.server, "hello\n").await;
    hear(&mut rig.client, "hello\n").await;
    drop((rig.client, rig.server));
    let report = rig.log.report().await;
    assert_eq!((report.protocol, report.demoted), (None, false));
    assert_eq!(rig.log.exchanges(), []);
}

#[tokio::test]
async fn a_server_that_speaks_first_is_heard_before_the_protocol_is_known() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.server, "welcome\n").await;
    hear(&mut rig.client, "welcome\n").await;
    say(&mut rig.client, "hello\n").await;
    hear(&mut rig.server, "hello\n").await;
    say(&mut rig.server, "good day\n").await;
    hear(&mut rig.client, "good day\n").await;
    drop((rig.client, rig.server));
    rig.log.report().await;
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), emit(0, "hello", "good day")]);
}

#[tokio::test]
async fn a_session_that_holds_forwards_by_itself() {
    let mut rig = rig(|what| what.protocol = Some(HELD)).await;
    say(&mut rig.client, "hello\n").await;
    hear(&mut rig.server, "HELLO\n").await;
    say(&mut rig.server, "as it is\n").await;
    hear(&mut rig.client, "as it is\n").await;
}

#[tokio::test]
async fn held_bytes_that_cannot_be_read_still_arrive() {
    // Too many exchanges for the session, which gives up after it has sent them on itself.
    let mut rig = rig(|what| {
        what.protocol = Some(HELD);
        what.options.limits.in_flight = 1;
    })
    .await;
    say(&mut rig.client, "one\ntwo\n").await;
    hear(&mut rig.server, "ONE\nTWO\n").await;
    say(&mut rig.client, "three\n").await;
    hear(&mut rig.server, "three\n").await;
    drop((rig.client, rig.server));
    assert!(rig.log.report().await.demoted);
}

#[tokio::test]
async fn another_protocol_numbers_its_exchanges_on() {
    let mut rig = rig(|what| what.protocol = Some(LINE)).await;
    for (asked, answer) in [("become\n", "yes\n"), ("hello\n", "good day\n")] {
        say(&mut rig.client, asked).await;
        hear(&mut rig.server, asked).await;
        say(&mut rig.server, answer).await;
        hear(&mut rig.client, answer).await;
    }
    drop((rig.client, rig.server));
    assert_eq!(rig.log.report().await.protocol, Some("shout"));
    let shout = Told::Emit(1, "shout", "hello".to_owned(), "good day".to_owned());
    assert_eq!(
        rig.log.exchanges(),
        [Told::Begin(0), emit(0, "become", "yes"), Told::Begin(1), shout]
    );
}

#[tokio::test]
async fn whoever_is_reached_is_found_out_anew() {
    let mut rig = rig(|_| ()).await;
    for (asked, answer) in [("reach\n", "yes\n"), ("hello\n", "good day\n")] {
        say(&mut rig.client, asked).await;
        hear(&mut rig.server, asked).await;
        say(&mut rig.server, answer).await;
        hear(&mut rig.client, answer).await;
    }
    drop((rig.client, rig.server));
    assert_eq!(rig.log.report().await.protocol, Some("line"));
    let reached = Told::Reached("shop:1".to_owned());
    let before = [Told::Begin(0), emit(0, "reach", "yes"), reached];
    let after = [Told::Begin(1), emit(1, "hello", "good day")];
    assert_eq!(rig.log.exchanges(), [&before[..], &after[..]].concat());
}

#[tokio::test]
async fn what_nobody_minds_goes_on_unread() {
    let mut rig = rig(|_| ()).await;
    for (asked, answer) in [("reach nobody\n", "yes\n"), ("hello\n", "good day\n")] {
        say(&mut rig.client, asked).await;
        hear(&mut rig.server, asked).await;
        say(&mut rig.server, answer).await;
        hear(&mut rig.client, answer).await;
    }
    drop((rig.client, rig.server));
    rig.log.report().await;
    let emitted = rig.log.exchanges().into_iter().filter(|told| matches!(told, Told::Emit(..)));
    assert_eq!(emitted.count(), 1);
}

#[tokio::test]
async fn ticks_come_when_they_are_asked_for() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "wait\n").await;
    hear(&mut rig.client, "tick\n").await;
}

#[tokio::test]
async fn a_session_can_hang_up() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "hang up\n").await;
    hear(&mut rig.server, "hang up\n").await;
    say(&mut rig.server, "bye\n").await;
    hear(&mut rig.client, "bye\n").await;
    hear_reset(&mut rig.client).await;
    hear_reset(&mut rig.server).await;
    assert_eq!(rig.log.report().await.ended, Ended::BrokenOff);
}

#[tokio::test]
async fn a_dropped_loop_reports_once_and_abandons() {
    let mut rig = rig(|_| ()).await;
    say(&mut rig.client, "hello\n").await;
    hear(&mut rig.server, "hello\n").await;
    rig.log.until(|told| !told.is_empty()).await;
    rig.task.abort();
    let ended = rig.task.await.expect_err("was aborted");
    assert!(ended.is_cancelled());
    assert_eq!(rig.log.report().await.ended, Ended::Dropped);
    assert_eq!(rig.log.exchanges(), [Told::Begin(0), Told::Abandon(0)]);
}

/// A pair whose kernel buffers are small at both ends.
async fn narrow_pair() -> (TcpStream, TcpStream) {
    const BUFFER: u32 = 32 << 10;
    let listening = TcpSocket::new_v4().unwrap();
    listening.set_recv_buffer_size(BUFFER).unwrap();
    listening.set_send_buffer_size(BUFFER).unwrap();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listening.listen(1).unwrap();
    let opening = TcpSocket::new_v4().unwrap();
    opening.set_recv_buffer_size(BUFFER).unwrap();
    opening.set_send_buffer_size(BUFFER).unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, accepted) = tokio::join!(opening.connect(address), listener.accept());
    (opened.unwrap(), accepted.unwrap().0)
}

#[tokio::test]
async fn a_slow_reader_slows_the_writer() {
    const TOTAL: usize = 16 << 20;
    const BOUND: usize = 1 << 20;
    let (mut client, client_end) = narrow_pair().await;
    let (server_end, mut server) = narrow_pair().await;
    let rig = rig(|what| {
        what.client = client_end.into();
        what.server = server_end.into();
    })
    .await;
    let text = vec![b'a'; TOTAL];
    let mut written = 0;
    // Nobody reads at the far end: the writer is taken no more from, once all on the way is full.
    while written < TOTAL {
        match timeout(Duration::from_millis(300), client.write(&text[written..])).await {
            Ok(count) => written += count.unwrap(),
            Err(_) => break,
        }
    }
    assert!(written < BOUND, "{written} bytes were taken that nobody read");
    assert!(written > 256 << 10, "{written} bytes are too few to keep a pipe busy");

    let rest = async {
        client.write_all(&text[written..]).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let mut read = Vec::new();
    let ((), result) = within(async { tokio::join!(rest, server.read_to_end(&mut read)) }).await;
    assert_eq!(result.unwrap(), TOTAL);
    assert!(read.iter().all(|byte| *byte == b'a'));
    drop((client, server));
    assert_eq!(rig.log.report().await.client_bytes, TOTAL as u64);
}
