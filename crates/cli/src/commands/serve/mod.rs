//! `rehearsal serve`: runs, recordings and the past in a browser, until Ctrl-C.
//!
//! The server and its pages are the crate `web`; what they ask of recordings and of the review is
//! answered by [`backstage`].

mod backstage;
mod shelf;

use crate::arguments::Serve;
use crate::error::{CliError, Outcome};
use crate::past;
use crate::signals::Signals;
use rehearsal_web::{Place, Server};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// How long a page that is being made, or a file that is being written, may take when we are told to end.
const ENDING: Duration = Duration::from_secs(2);

pub(super) fn run(arguments: &Serve, folder: &Path) -> Result<Outcome, CliError> {
    let project = super::record::open(folder)?;
    let root = std::path::absolute(project.root()).unwrap_or_else(|_| project.root().to_owned());
    let title = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let history = past::place(&project)?;
    let place = Place { title, runs: project.folder().join("runs"), history };
    let address = SocketAddr::new(arguments.address, arguments.port);
    let backstage = Box::new(backstage::Own::new(project));
    let server = Server::bind(address, place, backstage)
        .map_err(CliError::io(format!("listen on {address}; name another --port or --address")))?;
    let runtime = super::runtime()?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        super::print(&format!("{}\n", server.url()))?;
        tokio::select! {
            failed = server.run() => match failed {
                Err(error) => Err(CliError::io("serve")(error)),
                Ok(never) => match never {},
            },
            () = signals.next() => Ok(Outcome::Good),
        }
    });
    runtime.shutdown_timeout(ENDING);
    ended
}
