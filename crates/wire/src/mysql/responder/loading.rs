//! Files of the client's that statements load: what the server has said by then, and when it wants them.
//!
//! A recorded server may have refused before it wanted one, or have had other statements of the same text
//! to answer first. So the mock is looked for before each file, by what has come so far.

use super::{Responder, Waiting};
use crate::mysql::file::{self, FILES, File, Load};
use crate::mysql::packets::Packet;
use crate::mysql::{capabilities, text};
use crate::{Command, WireError};
use rehearsal_model::{Map, Moment, Value};

/// A text whose statements load files of the client's.
#[derive(Debug)]
pub(super) struct Loading {
    sql: Value,
    request: Map,
    at: Moment,
    loads: Vec<Load>,
    /// Those that came so far.
    files: Vec<Map>,
    file: File,
    /// How many results were sent.
    sent: usize,
    /// The flags before all results.
    flags: u16,
}

impl Loading {
    fn whole(&self) -> Map {
        let mut request = self.request.clone();
        file::put(&mut request, self.files.clone());
        request
    }
}

impl Responder {
    /// Asks at once, or after the client has sent the files that the text loads. One that has said that
    /// it sends none is not asked for them.
    pub(super) fn ask_or_load(
        &mut self,
        sql: Value,
        request: Map,
        at: Moment,
        out: &mut Vec<Command>,
    ) {
        let sends = self.capabilities & capabilities::LOCAL_FILES != 0;
        let loads = text::of(&sql).filter(|_| sends).map(|text| file::loads(&text));
        let loads = loads.unwrap_or_default();
        if loads.is_empty() {
            return self.ask(Waiting::Query(Some(sql), 0), request, at, out);
        }
        let (files, file, flags) = (Vec::new(), File::default(), self.flags);
        self.ask_so_far(Loading { sql, request, at, loads, files, file, sent: 0, flags }, out);
    }

    /// Asks what the server has said when it had no more files than came so far.
    fn ask_so_far(&mut self, loading: Loading, out: &mut Vec<Command>) {
        let (mut request, at) = (loading.whole(), loading.at);
        request.push_new("so-far", true);
        self.ask(Waiting::SoFar(Box::new(loading)), request, at, out);
    }

    /// The client would rather leave than send the file: it has asked all the same.
    pub(super) fn unsent(&mut self, out: &mut Vec<Command>) {
        if let Some(loading) = self.loading.take() {
            self.ask_for_whole(loading, out);
        }
    }

    fn ask_for_whole(&mut self, loading: Loading, out: &mut Vec<Command>) {
        let request = loading.whole();
        self.flags = loading.flags;
        self.ask(Waiting::Query(Some(loading.sql), loading.sent), request, loading.at, out);
    }

    /// Wants the file, if the recorded server did. Without a mock it is wanted when nothing else could
    /// have come before, so that a miss shows it.
    pub(super) fn so_far(
        &mut self,
        mut loading: Loading,
        response: Option<Map>,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let came = loading.files.len();
        let Some(Load { place, name }) = loading.loads.get(came) else {
            self.ask_for_whole(loading, out);
            return Ok(());
        };
        let wants = match &response {
            Some(response) => {
                let asked = response.get("asked").and_then(Value::as_map);
                asked.is_some_and(|asked| FILES.of(asked).len() > came)
            }
            None => *place == 0 && came == 0 && loading.loads.len() == 1,
        };
        if !wants {
            self.ask_for_whole(loading, out);
            return Ok(());
        }
        let name = name.clone();
        if let Some(response) = &response {
            self.flags = loading.flags;
            self.results(Some(&loading.sql), response, false, loading.sent..*place)?;
            loading.sent = loading.sent.max(*place);
        }
        self.outbox.add(|out| {
            out.push(0xfb);
            out.extend_from_slice(name.as_bytes());
        });
        self.loading = Some(loading);
        Ok(())
    }

    pub(super) fn file_packet(
        &mut self,
        packet: &Packet,
        out: &mut Vec<Command>,
    ) -> Result<(), WireError> {
        let Some(mut loading) = self.loading.take() else { return Ok(()) };
        if !packet.body.is_empty() {
            loading.file.push(packet, self.limits.body);
            self.loading = Some(loading);
            return Ok(());
        }
        loading.files.push(std::mem::take(&mut loading.file).into_map());
        match loading.loads.len() > loading.files.len() {
            true => self.ask_so_far(loading, out),
            false => self.ask_for_whole(loading, out),
        }
        Ok(())
    }
}
