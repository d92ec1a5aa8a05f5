//! The line that shows how far a recording is on a terminal, and elsewhere that it has begun.

use rehearsal_record::Progress;
use rehearsal_report::visible;
use std::io::{self, Write};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often the line may change.
const PACE: Duration = Duration::from_millis(100);

/// Keeps the line up to date until the recording is over.
pub(crate) async fn show(mut seen: watch::Receiver<Progress>, name: String, width: usize) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut drawn = String::new();
    while seen.has_changed().is_ok() {
        let line = line(&seen.borrow_and_update(), &name);
        if line != drawn {
            draw(&line, width);
            drawn = line;
        }
        tokio::select! {
            _ = pace.tick() => {}
            _ = closed(&mut seen) => break,
        }
    }
    clear();
}

/// Waits until the recording is over.
async fn closed(seen: &mut watch::Receiver<Progress>) {
    while seen.changed().await.is_ok() {}
}

/// Says once where the app listens: where there is no terminal, nothing else shows that the recording
/// runs, nor how it ends.
pub(crate) async fn announce(mut seen: watch::Receiver<Progress>, name: String) {
    let Ok(begun) = seen.wait_for(|progress| !progress.listening.is_empty()).await else { return };
    let line = begin(&begun, &name);
    drop(begun);
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn begin(progress: &Progress, name: &str) -> String {
    let at = visible(&progress.listening.join(", ")).into_owned();
    format!("recording {name}; the app listens at {at}; Ctrl-C or SIGTERM ends it")
}

fn line(progress: &Progress, name: &str) -> String {
    if progress.listening.is_empty() {
        return format!("recording {name}: waiting for the app to listen");
    }
    let at = progress.listening.join(", ");
    format!(
        "recording {name} at {at}: {} · {} · {} · {} (Ctrl-C ends it)",
        count(progress.requests, "request"),
        count(progress.calls, "call"),
        count(progress.edges as u64, "edge"),
        bytes(progress.bytes),
    )
}

/// The app writes to the same terminal, so the cursor waits at the start of the line, and what the
/// app writes replaces it.
fn draw(line: &str, width: usize) {
    let line: String = line.chars().take(width.saturating_sub(1)).collect();
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r\x1b[2K{line}\r");
    let _ = out.flush();
}

fn clear() {
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r\x1b[2K");
    let _ = out.flush();
}

/// `1 request`, `2 requests`.
pub(crate) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `17 B`, `1.2 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, size)| number >= *size) {
        Some((unit, size)) => {
            // One decimal place, without the inexactness of floating point.
            let tenths = (u128::from(number) * 10 + u128::from(*size) / 2) / u128::from(*size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{number} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_announced_names_the_place_and_the_end() {
        let listening = ["127.0.0.1:8080".to_owned(), "unix:/run/a\u{1b}".to_owned()].into();
        let (progress, seen) = watch::channel(Progress::default());
        drop(progress);
        announce(seen, "shop".to_owned()).await;
        assert_eq!(
            begin(&Progress { listening, ..Progress::default() }, "shop"),
            "recording shop; the app listens at 127.0.0.1:8080, unix:/run/a\\x1b; \
             Ctrl-C or SIGTERM ends it"
        );
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "17179869184.0 GiB");
        assert_eq!(count(1, "call"), "1 call");
    }
}
