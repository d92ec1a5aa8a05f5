//! The channels that a played connection listens to, and the questions for what is to be heard there.
//!
//! That a LISTEN in a transaction counts only once that has been committed is passed over.

use super::NAME;
use super::sql::{Kind, Token};
use crate::WireError;
use rehearsal_model::{ExchangeId, Map};
use std::collections::BTreeSet;

/// Channels that one connection may listen to.
const MOST: usize = 65_536;

/// Questions for notifications are numbered from here on, so that they are never taken for those about
/// statements.
const FIRST: u64 = 1 << 62;

/// What a connection listens to.
#[derive(Debug, Default)]
pub(super) struct Listening {
    channels: BTreeSet<String>,
    /// The questions that are out.
    awaited: Vec<(ExchangeId, String)>,
    asked: u64,
}

/// The request that asks for the next notification on a channel.
pub(super) fn request(channel: &str) -> Map {
    Map::from([("receive", channel)])
}

impl Listening {
    /// Takes what a statement has changed that was answered with this result.
    pub(super) fn after(&mut self, statement: &[Token<'_>], result: &Map) -> Result<(), WireError> {
        match (result.text("tag"), statement.get(1)) {
            (Some("LISTEN"), Some(name)) => {
                if self.channels.len() >= MOST {
                    let what = "the list of channels";
                    return Err(WireError::TooLarge { protocol: NAME, what, limit: MOST });
                }
                self.channels.insert(channel(*name));
            }
            (Some("UNLISTEN"), Some(name)) if !name.is("*") => {
                self.channels.remove(&channel(*name));
            }
            (Some("UNLISTEN" | "DISCARD ALL"), _) => self.channels.clear(),
            _ => {}
        }
        Ok(())
    }

    /// The questions that are to be asked: one for each channel that has none out.
    pub(super) fn wanted(&mut self) -> Vec<(ExchangeId, Map)> {
        let is_out =
            |channel: &&String| self.awaited.iter().any(|(_, awaited)| awaited == *channel);
        let wanted: Vec<String> =
            self.channels.iter().filter(|channel| !is_out(channel)).cloned().collect();
        let mut questions = Vec::new();
        for channel in wanted {
            let id = ExchangeId(FIRST + self.asked);
            self.asked += 1;
            questions.push((id, request(&channel)));
            self.awaited.push((id, channel));
        }
        questions
    }

    /// Nothing more is heard on a channel: it is not asked for again.
    pub(super) fn give_up(&mut self, channel: String) {
        self.awaited.push((ExchangeId(0), channel));
    }

    /// The channel that a question was about, which is out no more.
    pub(super) fn answered(&mut self, id: ExchangeId) -> Option<String> {
        let place = self.awaited.iter().position(|(awaited, _)| *awaited == id)?;
        Some(self.awaited.swap_remove(place).1)
    }
}

/// The name of a channel: as it stands in quotes, else in small letters.
fn channel(name: Token<'_>) -> String {
    match name.kind {
        Kind::Quoted => name.text.trim_matches('"').replace("\"\"", "\""),
        _ => name.text.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::sql::statements;

    fn after(listening: &mut Listening, sql: &str) -> Vec<String> {
        for statement in statements(sql) {
            let tag = statement[0].text.to_uppercase();
            let tag = if tag == "DISCARD" { "DISCARD ALL".to_owned() } else { tag };
            listening.after(&statement, &Map::from([("tag", tag)])).unwrap();
        }
        listening.channels.iter().cloned().collect()
    }

    #[test]
    fn follows_what_is_listened_to() {
        let mut listening = Listening::default();
        assert_eq!(
            after(&mut listening, "LISTEN News; listen \"My \"\"News\"; SELECT 1"),
            ["My \"News", "news"]
        );
        assert_eq!(listening.wanted().len(), 2);
        assert_eq!(listening.wanted(), [], "one question at a time");
        assert_eq!(listening.answered(ExchangeId(FIRST)).as_deref(), Some("My \"News"));
        assert_eq!(listening.wanted(), [(ExchangeId(FIRST + 2), request("My \"News"))]);
        assert_eq!(after(&mut listening, "UNLISTEN NEWS"), ["My \"News"]);
        assert_eq!(after(&mut listening, "UNLISTEN *"), [""; 0]);
        assert_eq!(after(&mut listening, "LISTEN a; DISCARD ALL"), [""; 0]);
    }

    #[test]
    fn listens_to_nothing_that_was_refused() {
        let mut listening = Listening::default();
        let refused = Map::from([("error", Map::from([("code", "25P02")]))]);
        listening.after(&statements("LISTEN a")[0], &refused).unwrap();
        assert_eq!(listening.wanted(), []);
    }
}
