//! The options of `rehearsal serve`.

use clap::Args;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal serve                 prints an address to open in a browser; Ctrl-C ends it
  rehearsal serve --port 8123     the same port each time, to forward it from a remote machine

The address holds a token: whoever has it can read recordings and change tests. It is for this machine
alone unless --address says otherwise, and what is sent is not encrypted.")]
pub(crate) struct Serve {
    /// The port to listen on; any free one if 0
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,

    /// The address to listen on: one of this machine's own, as numbers
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) address: IpAddr,
}
