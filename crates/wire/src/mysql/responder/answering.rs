//! Answers to what a played server asked.

use super::{Responder, Served, Waiting};
use crate::mysql::replies::Done;
use crate::mysql::reply;
use crate::mysql::statements::Executed;
use crate::mysql::{shown, status, text};
use crate::sql::{self, Dialect};
use crate::{Answer, Command, Ending, WireError};
use rehearsal_model::{Failure, Map, Value};
use std::ops::Range;

impl Responder {
    pub(super) fn answer(
        &mut self,
        answer: Answer,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(about) = self.waiting.take() else { return Ok(()) };
        self.next += 1;
        let about = match about {
            Waiting::SoFar(loading) => {
                let response = match answer {
                    Answer::Response(response) => Some(response),
                    _ => None,
                };
                return self.so_far(*loading, response, out);
            }
            about => about,
        };
        match answer {
            Answer::Response(result) => {
                let place = self.outbox.place();
                if let Err(error) = self.respond(about, &result, out) {
                    // The client is told, too, why there is no answer.
                    self.outbox.return_to(place);
                    let why = format!("rehearsal: failed to {error}");
                    reply::refuse(1105, "HY000", &why, &mut self.outbox);
                    self.flush(out);
                    return Err(error);
                }
            }
            Answer::Miss(miss) => match about {
                Waiting::Greeting | Waiting::Connect { .. } => {
                    reply::miss(&miss, &mut self.outbox);
                    self.end(Ending::Finished, out);
                }
                // What is executed says what is missing, in terms of the app.
                Waiting::Prepare(_) => self.respond(about, &Map::new(), out)?,
                // It follows from the error before, and would only hide that one from the app.
                about if self.missed && about.rolls_back() => {
                    self.missed = false;
                    self.respond(about, &Map::new(), out)?;
                }
                _ => {
                    self.missed = true;
                    reply::miss(&miss, &mut self.outbox);
                }
            },
            Answer::Failure(Failure::Closed) | Answer::Broken(_, Failure::Closed) => {
                self.end(Ending::Finished, out);
            }
            Answer::Failure(_) | Answer::Broken(..) | Answer::Incomplete => {
                self.end(Ending::Reset, out);
            }
        }
        Ok(())
    }

    fn respond(
        &mut self,
        about: Waiting,
        response: &Map,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        match about {
            Waiting::Greeting => self.greet(response, out),
            Waiting::Connect { fast } => self.came_in(fast, response, out),
            Waiting::Query(sql, sent) => {
                self.results(sql.as_ref(), response, false, sent..usize::MAX)
            }
            // It is answered by itself.
            Waiting::SoFar(_) => Ok(()),
            Waiting::Execute(executed) => self.executed(&executed, response),
            Waiting::Prepare(statement) => self.prepared(statement, response),
            Waiting::Fields => {
                if reply::error(response, &mut self.outbox)? {
                    return Ok(());
                }
                let done = Done { status: self.flags, ..Done::default() };
                reply::field_list(response, &done, self.form(false), &mut self.outbox)
            }
            Waiting::Text => {
                let info = response.get("info").and_then(Value::as_bytes).unwrap_or_default();
                self.outbox.add(|out| out.extend_from_slice(info));
                Ok(())
            }
            Waiting::Plain => {
                if reply::error(response, &mut self.outbox)? {
                    return Ok(());
                }
                self.flags = reply::flags(response, self.flags)?;
                let done = reply::done(response, self.flags)?;
                reply::ok(&done, self.form(false), &mut self.outbox);
                Ok(())
            }
        }
    }

    /// The flags that each result of a text is expected to end with.
    fn expected(&self, sql: Option<&Value>) -> Vec<u16> {
        let sql = sql.and_then(text::of);
        sql.map_or_else(Vec::new, |sql| status::after_each(self.flags, &sql))
    }

    /// Says the results of these places.
    pub(super) fn results(
        &mut self,
        sql: Option<&Value>,
        response: &Map,
        binary: bool,
        places: Range<usize>,
    ) -> Result<(), WireError> {
        let expected = self.expected(sql);
        let form = self.form(binary);
        let results = reply::each(response);
        let before = self.flags;
        for (place, result) in results.iter().enumerate() {
            let place_of = place.min(expected.len().saturating_sub(1));
            let flags = expected.get(place_of).copied().unwrap_or(before);
            let flags = reply::flags(result, flags)?;
            let done = reply::done(result, flags)?;
            let more = place + 1 < results.len();
            if places.contains(&place) {
                reply::result(result, done, more, form, &mut self.outbox)?;
            }
            if result.get("error").is_none() {
                self.flags = flags;
            }
        }
        Ok(())
    }

    fn executed(&mut self, executed: &Executed, response: &Map) -> Result<(), WireError> {
        let sql = executed.request.get("sql");
        let single = response.get("results").is_none();
        let columns = if executed.cursor && single { shown::take(response)? } else { None };
        let Some(columns) = columns else {
            return self.results(sql, response, true, 0..usize::MAX);
        };
        let flags = self.expected(sql).last().copied().unwrap_or(self.flags);
        let flags = reply::flags(response, flags)?;
        self.flags = flags;
        let form = self.form(true);
        reply::head(&columns, form, &mut self.outbox);
        let done = Done { status: flags | status::CURSOR, ..Done::default() };
        self.outbox.add(|out| done.write_end(form.capabilities, out));
        let result = response.clone();
        let served = Served { result, columns, rows_sent: 0, flags };
        self.served.insert(executed.number, served);
        Ok(())
    }

    fn prepared(&mut self, statement: u64, response: &Map) -> Result<(), WireError> {
        if reply::error(response, &mut self.outbox)? {
            self.statements.remove(statement);
            return Ok(());
        }
        let Some(known) = self.statements.get(statement) else { return Ok(()) };
        let params = known.params;
        let id = u32::try_from(statement & 0x7fff_ffff).unwrap_or(0);
        self.statements.name(statement, id);
        let columns = shown::take(response)?.unwrap_or_default();
        let done = Done { status: self.flags, ..Done::default() };
        reply::prepared(id, params, &columns, &done, self.form(true), &mut self.outbox);
        Ok(())
    }
}

impl Waiting {
    fn rolls_back(&self) -> bool {
        let sql = match self {
            Waiting::Query(Some(sql), _) => text::of(sql),
            Waiting::Execute(executed) => executed.request.get("sql").and_then(text::of),
            _ => None,
        };
        sql.is_some_and(|sql| sql::rolls_back(&sql, Dialect::Mysql))
    }
}
