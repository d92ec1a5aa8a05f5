//! Asks servers of what their messages are made, each once, on a connection of its own.
//!
//! The app does not notice: its connections are left alone, and nothing that it said is said again. What is
//! asked is the protocol's business.

use crate::desk::Desk;
use crate::edges::Parties;
use crate::recorder::Question;
use crate::sink::Message;
use rehearsal_model::ExchangeId;
use rehearsal_proxy::{Clock, ConnectionId, ConnectionOptions, Requester, Stream, dial};
use rehearsal_tls::{Caller, Identity, Laid};
use rehearsal_wire::{Inquired, Limits};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a server may take to answer everything. What comes meanwhile is held back for as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// The largest answer.
const MOST_BYTES: usize = 16 << 20;

/// See the module.
pub(crate) struct Inquirer {
    pub(crate) parties: Arc<Parties>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) clock: Clock,
    /// The certificates by which parties know who calls, by their names.
    pub(crate) identities: BTreeMap<String, Identity>,
}

impl Inquirer {
    /// Asks what it is given to ask, until that ends.
    pub(crate) async fn work(self, mut questions: mpsc::UnboundedReceiver<Question>) {
        let (inquirer, mut asking) = (Arc::new(self), JoinSet::new());
        loop {
            tokio::select! {
                question = questions.recv() => {
                    let Some(question) = question else { return };
                    let inquirer = Arc::clone(&inquirer);
                    asking.spawn(async move { inquirer.ask(question).await });
                }
                Some(_) = asking.join_next() => {}
            }
        }
    }

    async fn ask(&self, question: Question) {
        let party = question.party;
        let told = timeout(LIMIT, self.talk(question)).await;
        let told = told.unwrap_or_else(|_| Err("it did not tell in time what they are".to_owned()));
        self.desk.tell(Message::Described { party, told });
    }

    async fn talk(&self, question: Question) -> Result<Vec<u8>, String> {
        let Question { party, tls, server_name, protocol, mut inquiry } = question;
        let Some(target) = self.parties.target(party) else {
            return Err("behind a proxy it is not asked what they are".to_owned());
        };
        let mut request = match inquiry.next(None) {
            Inquired::Ask(request) => request,
            Inquired::Told(told) => return Ok(told),
            Inquired::Untold(why) => return Err(why),
        };
        let failed = |why: String| format!("it could not be asked what they are ({why})");
        let mut stream = dial(&target, LIMIT)
            .await
            .map_err(|error| failed(error.failure.as_str().to_owned()))?;
        if tls {
            let identity = self.identities.get(self.parties.get(party).name.as_str()).cloned();
            let caller = Caller::new(identity);
            let spoken = protocol.alpn(&request);
            let laid = caller.call(server_name.as_deref(), spoken, stream).await;
            stream =
                Stream::over(laid.map_err(|error| failed(error.to_string()))?, Laid::into_below);
        }
        let limits =
            Limits { body: MOST_BYTES, schemas: Some(inquiry.schemas()), ..Limits::default() };
        // It is none of the app's connections, which are numbered from 0.
        let options = ConnectionOptions::new(ConnectionId(u64::MAX), self.clock);
        let mut requester =
            Requester::new(ConnectionOptions { limits, ..options }, stream, protocol);
        for number in 1.. {
            let answered = requester.send(ExchangeId(number), &request, None).await;
            let answered = answered.map_err(|error| failed(error.to_string()))?;
            match inquiry.next(Some(&answered)) {
                Inquired::Ask(next) => request = next,
                Inquired::Told(told) => return Ok(told),
                Inquired::Untold(why) => return Err(why),
            }
        }
        Err(failed("too often".to_owned()))
    }
}
