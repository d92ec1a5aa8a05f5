//! A played client.

use crate::protocol::{LINE, message};
use crate::rig::{hear, options, pair, reset, say, within};
use rehearsal_model::{ExchangeId, Failure, Map};
use rehearsal_proxy::{RequestError, Requester};

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let (end, mut server) = pair().await;
    let mut requester = Requester::new(options(3), end.into(), LINE);
    for (id, asked) in ["one", "two"].into_iter().enumerate() {
        assert!(requester.is_usable());
        let request = message(asked);
        let serve = async {
            hear(&mut server, &format!("{asked}\n")).await;
            say(&mut server, &format!("re {asked}\n")).await;
        };
        let send = requester.send(ExchangeId(id as u64), &request, None);
        let (exchange, ()) = within(async { tokio::join!(send, serve) }).await;
        let exchange = exchange.unwrap();
        assert_eq!(exchange.request, request);
        assert_eq!(exchange.response, Some(message(&format!("re {asked}"))));
        assert_eq!(exchange.failure, None);
        assert!(exchange.started <= exchange.finished);
    }
}

#[tokio::test]
async fn an_end_before_the_answer_is_an_exchange_that_failed() {
    for (how, failure) in [("close", Failure::Closed), ("reset", Failure::Reset)] {
        let (end, mut server) = pair().await;
        let mut requester = Requester::new(options(3), end.into(), LINE);
        let request = message(how);
        let serve = async {
            hear(&mut server, &format!("{how}\n")).await;
            say(&mut server, "hal").await;
            match how {
                "close" => drop(server),
                _ => reset(server),
            }
        };
        let send = requester.send(ExchangeId(1), &request, None);
        let (exchange, ()) = within(async { tokio::join!(send, serve) }).await;
        let exchange = exchange.unwrap();
        assert_eq!((exchange.request, exchange.failure), (request, Some(failure)));
        assert!(!requester.is_usable());
        let again = requester.send(ExchangeId(2), &message("again"), None).await;
        assert!(matches!(again, Err(RequestError::Ended)), "{again:?}");
    }
}

#[tokio::test]
async fn a_connection_that_ended_meanwhile_is_not_usable() {
    let (end, server) = pair().await;
    let mut requester = Requester::new(options(3), end.into(), LINE);
    assert!(requester.is_usable());
    drop(server);
    within(async {
        while requester.is_usable() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_written_or_read_is_an_error() {
    let (end, _server) = pair().await;
    let mut requester = Requester::new(options(3), end.into(), LINE);
    let unwritable = requester.send(ExchangeId(1), &Map::new(), None).await;
    assert!(matches!(unwritable, Err(RequestError::Wire(_))), "{unwritable:?}");

    let (end, mut server) = pair().await;
    let mut requester = Requester::new(options(3), end.into(), LINE);
    say(&mut server, "?garbage\n").await;
    let unreadable = within(requester.send(ExchangeId(1), &message("one"), None)).await;
    assert!(matches!(unreadable, Err(RequestError::Wire(_))), "{unreadable:?}");
    assert!(!requester.is_usable());
}

#[tokio::test]
async fn a_request_that_was_given_up_spends_its_connection() {
    let (end, mut server) = pair().await;
    let mut requester = Requester::new(options(3), end.into(), LINE);
    let request = message("one");
    tokio::select! {
        biased;
        exchange = requester.send(ExchangeId(1), &request, None) => panic!("{exchange:?}"),
        () = hear(&mut server, "one\n") => {}
    }
    assert!(!requester.is_usable());
    drop(requester);
    crate::rig::hear_end(&mut server).await;
}
