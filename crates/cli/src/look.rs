//! How text for people shall look on this terminal.

use crate::arguments::Color;
use rehearsal_report::Look;
use std::io::IsTerminal;

/// Widths outside these make no readable page.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=240;

/// The look of standard output.
pub(crate) fn stdout(color: Color, verbose: bool) -> Look {
    look(color, verbose, std::io::stdout().is_terminal(), libc::STDOUT_FILENO)
}

/// The look of standard error.
pub(crate) fn stderr(color: Color) -> Look {
    look(color, false, std::io::stderr().is_terminal(), libc::STDERR_FILENO)
}

/// The look of a file.
pub(crate) fn file(color: Color, verbose: bool) -> Look {
    Look { color: color == Color::Always, verbose, ..Look::default() }
}

fn look(color: Color, verbose: bool, terminal: bool, fd: i32) -> Look {
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
            terminal && wanted && able
        }
    };
    let width = if terminal { width(fd) } else { None };
    let width = width.unwrap_or(Look::default().width).clamp(*WIDTHS.start(), *WIDTHS.end());
    let github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    Look { color, width, verbose, live: terminal, github }
}

fn width(fd: i32) -> Option<usize> {
    // SAFETY: the structure is plain numbers, and the call writes only to it.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) == 0).then_some(size)
    };
    size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0)
}
