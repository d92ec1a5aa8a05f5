//! Data that the client copies in: what the server has said by then, and when it wants the data.
//!
//! A recorded server may have refused before it wanted any, or have had other statements of the same text
//! to answer first. So the mock is looked for before each time, by what the client has said so far.

use super::{Responder, Waiting};
use crate::postgres::fields::Fields;
use crate::postgres::inbox::Message;
use crate::postgres::{copies, copy, malformed, reply, sql};
use crate::{Command, Ending, WireError};
use rehearsal_model::{Map, Moment, Value};

/// A statement, or a text of several, in which the client copies data in.
#[derive(Debug)]
pub(super) struct Copying {
    about: Waiting,
    request: Map,
    at: Moment,
    /// The places of the statements that do so.
    places: Vec<usize>,
    /// What was copied in so far.
    copies: Vec<Map>,
    data: copy::Data,
}

impl Copying {
    fn whole(&mut self) -> Map {
        let mut request = self.request.clone();
        copies::put(&mut request, self.copies.clone());
        request
    }
}

impl Responder {
    /// Asks at once, or after the client has sent the data that the statement copies in.
    pub(super) fn ask_or_copy(
        &mut self,
        about: Waiting,
        request: Map,
        at: Moment,
        out: &mut Vec<Command>,
    ) {
        let places = request.text("sql").map(copies::places).unwrap_or_default();
        if places.is_empty() {
            return self.ask(about, request, at, out);
        }
        let data = copy::Data::default();
        self.ask_so_far(Copying { about, request, at, places, copies: Vec::new(), data }, out);
    }

    /// Asks what the server has said when the client had copied in no more than it has so far.
    fn ask_so_far(&mut self, mut copying: Copying, out: &mut Vec<Command>) {
        let (mut request, at) = (copying.whole(), copying.at);
        request.push_new("so-far", true);
        self.ask(Waiting::SoFar(Box::new(copying)), request, at, out);
    }

    fn ask_for_whole(&mut self, mut copying: Copying, out: &mut Vec<Command>) {
        let request = copying.whole();
        self.ask(copying.about, request, copying.at, out);
    }

    /// Wants the data, if the recorded server did. Without a mock it is wanted when nothing else could
    /// have come before, so that a miss shows it.
    pub(super) fn so_far(
        &mut self,
        mut copying: Copying,
        response: Option<Map>,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let came = copying.copies.len();
        let (binary, columns) = match &response {
            Some(response) => {
                let asked = response.get("asked").and_then(Value::as_map);
                let recorded = asked.map(|asked| copies::COPIES.of(asked)).unwrap_or_default();
                let (Some(next), Some(place)) = (recorded.get(came), copying.places.get(came))
                else {
                    self.ask_for_whole(copying, out);
                    return Ok(());
                };
                if let Waiting::Query { text, sent } = &mut copying.about {
                    let results = reply::results(response);
                    let before = results.get(..*place).unwrap_or(&results);
                    self.respond_to_some(text, before, *sent)?;
                    *sent = before.len();
                }
                let columns = next.get("copy_columns").and_then(Value::as_i64).unwrap_or(1);
                let binary = next.text("copy_format") == Some("binary");
                (binary, usize::try_from(columns).unwrap_or(1))
            }
            None => match copying.request.text("sql").and_then(copy::wanted) {
                Some(wanted) if came == 0 => wanted,
                _ => {
                    self.ask_for_whole(copying, out);
                    return Ok(());
                }
            },
        };
        if let Waiting::Execute { describe, .. } = &mut copying.about
            && std::mem::take(describe)
        {
            self.frames.empty(b'n');
        }
        copy::write_begin(b'G', binary, columns, &mut self.frames);
        copying.data = copy::Data::new(binary);
        self.copying = Some(copying);
        Ok(())
    }

    pub(super) fn copy_message(
        &mut self,
        message: &Message,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(copying) = &mut self.copying else { return Ok(()) };
        match message.kind {
            b'd' => {
                copying.data.push(&message.body, self.limits.body);
                return Ok(());
            }
            // A server that is being copied to passes over these.
            b'S' | b'H' => return Ok(()),
            b'X' => {
                self.end(Ending::Finished, out);
                return Ok(());
            }
            _ => {}
        }
        let Some(mut copying) = self.copying.take() else { return Ok(()) };
        let mut copied = Map::new();
        std::mem::take(&mut copying.data).into_map("copy", &mut copied);
        let gives_up = match message.kind {
            b'c' => false,
            b'f' => {
                let why = Fields::new(&message.body).zero_ended()?;
                copied.push_new("copy_failed", Value::from_bytes(why));
                true
            }
            _ => return Err(malformed("a message that does not belong to copied data")),
        };
        copying.copies.push(copied);
        match copying.places.len() > copying.copies.len() && !gives_up {
            true => self.ask_so_far(copying, out),
            false => self.ask_for_whole(copying, out),
        }
        Ok(())
    }

    /// Says the results of some statements of a text, from one on. Gives whether one ended the connection.
    pub(super) fn respond_to_some(
        &mut self,
        text: &Value,
        results: &[&Map],
        from: usize,
    ) -> Result<bool, WireError> {
        let statements = text.as_text().map(sql::statements).unwrap_or_default();
        for (index, result) in results.iter().enumerate().skip(from) {
            reply::simple(result, &mut self.frames)?;
            let statement = statements.get(index).map(Vec::as_slice).unwrap_or_default();
            self.status = reply::status_after(self.status, statement, result);
            self.listening.after(statement, result)?;
            if reply::is_fatal(result) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
