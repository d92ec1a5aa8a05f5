//! Events as lines of JSON. `docs/events.md` documents them.

use crate::Report;
use rehearsal_model::RunEvent;
use std::io::{self, Write};

pub(crate) struct Json(Box<dyn Write + Send>);

impl Json {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Json(out)
    }
}

impl Report for Json {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        self.0.write_all((event.to_json() + "\n").as_bytes())?;
        self.0.flush()
    }
}
