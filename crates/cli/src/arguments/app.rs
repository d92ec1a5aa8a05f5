//! The options that say which app runs, and how its connections are captured: for every command
//! that starts one. They do not start it; see `crate::app`.

use clap::{Args, ValueEnum, ValueHint};
use rehearsal_capture as capture;
use rehearsal_model::{CaptureWay, Settings};
use std::ffi::OsString;

/// The app to run, for `record` and `test`.
#[derive(Args, Clone, Debug)]
pub(crate) struct App {
    /// Run this line by `sh -c`
    #[arg(short = 'c', value_name = "LINE", conflicts_with = "words")]
    pub(crate) line: Option<OsString>,

    /// The command and its arguments; if absent, the one in rehearsal.yaml (for `test`: in the
    /// recording)
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) words: Vec<OsString>,
}

/// How connections are captured.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Capture")]
pub(crate) struct Capture {
    /// How connections reach us: by a seccomp supervisor (Linux), or by explicit ports
    #[arg(long, value_name = "WAY")]
    pub(crate) capture: Option<Way>,

    /// With `--capture proxy`: listen on a loopback port for a dependency
    #[arg(long, value_name = "PORT=HOST:PORT")]
    pub(crate) map: Vec<capture::portable::Map>,

    /// With `--capture proxy`: the port others call, and the port on which the app listens
    #[arg(long, value_name = "PORT=APP_PORT")]
    pub(crate) listen: Vec<capture::portable::Listen>,

    /// How the supervisor redirects a socket
    #[arg(long, value_name = "STRATEGY", default_value = "auto", hide_short_help = true)]
    pub(crate) strategy: Strategy,
}

/// How connections are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Every connection of the process tree, without configuration (Linux)
    Seccomp,
    /// Only the ports given by --map and --listen
    Proxy,
}

/// How the supervisor redirects a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Strategy {
    /// Whichever works here
    Auto,
    /// Act on a duplicate of the app's socket (pidfd_getfd)
    Pidfd,
    /// Replace the app's socket (SECCOMP_IOCTL_NOTIF_ADDFD)
    Addfd,
}

impl Capture {
    /// The way that the options and the settings ask for.
    pub(crate) fn way(&self, settings: &Settings) -> capture::Way {
        let asked = self.capture.unwrap_or(match settings.capture {
            CaptureWay::Seccomp => Way::Seccomp,
            CaptureWay::Proxy => Way::Proxy,
        });
        match asked {
            Way::Seccomp => capture::Way::Supervisor(match self.strategy {
                Strategy::Auto => capture::Strategy::Auto,
                Strategy::Pidfd => capture::Strategy::PidfdGetfd,
                Strategy::Addfd => capture::Strategy::AddFd,
            }),
            Way::Proxy => {
                capture::Way::Ports { map: self.map.clone(), listen: self.listen.clone() }
            }
        }
    }
}
