//! Protocols of lines whose server greets, read only as far as they turn to TLS and as clients prove who they are.
//!
//! Those are SMTP (RFC 5321), IMAP (RFC 9051) and POP3 (RFC 1939). What else they say is bytes as any other. Looked
//! at are whole turns, since who waits for whom tells a command from what only looks like one.

use rehearsal_model::secret;
use std::borrow::Cow;
use std::ops::Range;

/// A command that asks for TLS is no longer.
const LONGEST_COMMAND: usize = 128;
/// The answer to it, likewise.
const LONGEST_ANSWER: usize = 4096;
/// Bytes of a line that are kept when the server speaks in the middle of it: its command is in them.
const KEPT: usize = 128;

/// Which of them is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Smtp,
    Imap,
    Pop3,
}

/// What the client says next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// A command.
    #[default]
    Command,
    /// Lines by which it proves who it is.
    Proof,
    /// A mail, up to a line with a point (RFC 5321, section 4.1.1.4).
    Mail,
    /// So many bytes of whatever (RFC 9051, section 4.3; RFC 3030, section 2), and then the rest of a line or not.
    Octets { left: u64, secret: bool, rest: bool },
    /// The rest of a line after such bytes.
    Rest { secret: bool },
}

/// A conversation so far, in which nothing is known unless the server has greeted as one of these does.
#[derive(Debug, Default)]
pub(super) struct Lines {
    kind: Option<Kind>,
    begun: bool,
    /// Whether it has turned to TLS, which can be done once.
    secured: bool,
    next: Next,
    /// The beginning of a line in whose middle the server spoke.
    tail: Vec<u8>,
}

/// What is in the bytes that the client has said in a turn.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where secrets are, in order.
    pub(super) hidden: Vec<Range<usize>>,
    /// Up to where each line with a secret goes.
    ends: Vec<usize>,
    /// Where the last line begins if it has a secret and is not whole.
    open: Option<usize>,
    next: Next,
    tail: Vec<u8>,
}

impl Lines {
    /// Takes a turn that is complete; none of its sent bytes where they were too many to keep.
    pub(super) fn over(&mut self, sent: Option<&[u8]>, received: &[u8]) {
        if !std::mem::replace(&mut self.begun, true) {
            self.kind =
                Some(received).filter(|_| sent.is_some_and(<[u8]>::is_empty)).and_then(greeted);
        }
        let Some(kind) = self.kind else { return };
        let scan = sent.map(|sent| self.scan(sent)).unwrap_or_default();
        self.next = kind.after_answer(scan.next, last_line(received));
        self.tail = scan.tail;
    }

    /// Whether a turn is the command that asks for TLS and nothing else, and the whole answer that grants it
    /// (RFC 3207, section 4; RFC 9051, section 6.2.1; RFC 2595, section 4). What either side says in the clear
    /// behind that could be somebody else's words, so then it is not.
    pub(super) fn turns_to_tls(&self, sent: &[u8], received: &[u8]) -> bool {
        let Some(kind) = self.kind.filter(|_| !self.secured && self.is_at_command()) else {
            return false;
        };
        if sent.len() > LONGEST_COMMAND || received.len() > LONGEST_ANSWER {
            return false;
        }
        let (Some(command), Some(answer)) = (only_line(sent), received.strip_suffix(b"\n")) else {
            return false;
        };
        let mut lines = answer.split(|byte| *byte == b'\n').map(without_return);
        let Some(last) = lines.next_back() else { return false };
        match kind {
            Kind::Smtp => {
                command.eq_ignore_ascii_case(b"STARTTLS")
                    && (last == b"220" || last.starts_with(b"220 "))
                    && lines.all(|line| line.starts_with(b"220-"))
            }
            Kind::Imap => {
                let mut words = command.splitn(2, |byte| *byte == b' ');
                let (tag, rest) =
                    (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                let granted = last.strip_prefix(tag).and_then(|rest| rest.strip_prefix(b" OK"));
                !tag.is_empty()
                    && rest.eq_ignore_ascii_case(b"STARTTLS")
                    && granted.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" "))
                    && lines.all(|line| line.starts_with(b"* "))
            }
            Kind::Pop3 => {
                command.eq_ignore_ascii_case(b"STLS")
                    && last.starts_with(b"+OK")
                    && lines.next().is_none()
            }
        }
    }

    /// TLS is laid: what was said before it no longer counts.
    pub(super) fn secured(&mut self) {
        *self = Lines { kind: self.kind, begun: true, secured: true, ..Lines::default() };
    }

    /// What follows is nothing that is read here.
    pub(super) fn give_up(&mut self) {
        *self = Lines { begun: true, ..Lines::default() };
    }

    fn is_at_command(&self) -> bool {
        self.next == Next::Command && self.tail.is_empty()
    }

    /// Reads what the client has said so far in a turn.
    pub(super) fn scan(&self, sent: &[u8]) -> Scan {
        let Some(kind) = self.kind else { return Scan::default() };
        let text = match self.tail.is_empty() {
            true => Cow::Borrowed(sent),
            false => Cow::Owned([&self.tail, sent].concat()),
        };
        let mut scan = Scan { next: self.next, ..Scan::default() };
        let mut at = 0;
        while at < text.len() {
            at = scan.step(kind, &text, at);
        }
        scan.shift(self.tail.len());
        scan
    }
}

impl Scan {
    /// Reads what begins at a place; returns where it ends.
    fn step(&mut self, kind: Kind, text: &[u8], at: usize) -> usize {
        if let Next::Octets { left, secret, rest } = self.next {
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(text.len() - at);
            let left = left - taken as u64;
            if secret {
                self.hide(at..at + taken, at + taken);
                self.open = (left > 0).then_some(at);
            }
            self.next = match (left, rest) {
                (0, true) => Next::Rest { secret },
                (0, false) => Next::Command,
                _ => Next::Octets { left, secret, rest },
            };
            return at + taken;
        }
        let end = text[at..].iter().position(|byte| *byte == b'\n').map(|length| at + length + 1);
        let line = &text[at..end.unwrap_or(text.len())];
        let line = without_return(line.strip_suffix(b"\n").unwrap_or(line));
        let secret = match self.next {
            Next::Proof | Next::Rest { secret: true } => Some(0),
            Next::Command => kind.secret_in(line),
            _ => None,
        };
        if let Some(place) = secret.filter(|place| *place < line.len()) {
            self.hide(at + place..at + line.len(), end.unwrap_or(text.len()));
            self.open = end.is_none().then_some(at);
        }
        let Some(end) = end else {
            self.tail = text[at..text.len().min(at + KEPT)].to_vec();
            return text.len();
        };
        self.next = match self.next {
            Next::Proof => Next::Proof,
            Next::Mail if line != b"." => Next::Mail,
            Next::Mail => Next::Command,
            Next::Rest { secret } => literal(line, secret),
            Next::Command | Next::Octets { .. } => kind.after_command(line),
        };
        end
    }

    fn hide(&mut self, range: Range<usize>, end: usize) {
        if !range.is_empty() {
            self.hidden.push(range);
            self.ends.push(end);
        }
    }

    /// Counts from the first byte of the turn, before which so many others were looked at.
    fn shift(&mut self, by: usize) {
        for range in &mut self.hidden {
            *range = range.start.saturating_sub(by)..range.end.saturating_sub(by);
        }
        self.ends.iter_mut().for_each(|end| *end = end.saturating_sub(by));
        self.open = self.open.map(|open| open.saturating_sub(by));
        let seen =
            self.hidden.iter().position(|range| !range.is_empty()).unwrap_or(self.hidden.len());
        self.hidden.drain(..seen);
        self.ends.drain(..seen);
    }

    /// How many of `length` bytes to ask about after `asked` were: a secret is part of a question only as a whole,
    /// and ends one, since what stands in its place is not as long.
    pub(super) fn until(&self, asked: usize, length: usize) -> usize {
        let next = self.ends.iter().copied().find(|end| *end > asked).unwrap_or(length);
        match self.open {
            Some(open) if next > open => open,
            _ => next,
        }
    }

    /// How many bytes those are that were recorded as these, with placeholders.
    pub(super) fn length_of(&self, recorded: &[u8]) -> usize {
        let mut length = recorded.len();
        let mut at = 0;
        let mut before = 0;
        for range in &self.hidden {
            at += range.start - before;
            before = range.end;
            let rest = recorded
                .get(at..)
                .and_then(|rest| std::str::from_utf8(rest).ok())
                .unwrap_or_default();
            let Some(found) = secret::find(rest).filter(|found| found.start == 0) else { break };
            at += found.end;
            length = (length + range.len()).saturating_sub(found.end);
        }
        length
    }
}

impl Kind {
    /// Where in a command a secret begins.
    fn secret_in(self, line: &[u8]) -> Option<usize> {
        let verb = self.verb(line)?;
        let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
        match self {
            Kind::Imap if is("LOGIN") => word(line, 2).map(|range| range.start),
            Kind::Imap if is("AUTHENTICATE") => word(line, 3).map(|range| range.start),
            Kind::Smtp | Kind::Pop3 if is("AUTH") || is("APOP") => {
                word(line, 2).map(|range| range.start)
            }
            Kind::Smtp | Kind::Pop3 if is("PASS") => word(line, 1).map(|range| range.start),
            _ => None,
        }
    }

    /// What comes after a command.
    fn after_command(self, line: &[u8]) -> Next {
        let Some(verb) = self.verb(line) else { return Next::Command };
        let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
        match self {
            Kind::Imap if is("AUTHENTICATE") => Next::Proof,
            Kind::Imap => literal(line, is("LOGIN")),
            Kind::Smtp | Kind::Pop3 if is("AUTH") => Next::Proof,
            Kind::Smtp if is("BDAT") => {
                let length = word(line, 1).and_then(|range| number(&line[range]));
                let octets = |left| Next::Octets { left, secret: false, rest: false };
                length.filter(|length| *length > 0).map_or(Next::Command, octets)
            }
            Kind::Smtp | Kind::Pop3 => Next::Command,
        }
    }

    fn verb(self, line: &[u8]) -> Option<&[u8]> {
        let place = usize::from(self == Kind::Imap);
        word(line, place).map(|range| &line[range])
    }

    /// What comes after an answer that ends with this line.
    fn after_answer(self, next: Next, last: &[u8]) -> Next {
        let goes_on = match self {
            Kind::Smtp if last.starts_with(b"334") => return Next::Proof,
            Kind::Smtp if last.starts_with(b"354") => return Next::Mail,
            Kind::Smtp => false,
            Kind::Imap => last.starts_with(b"+") || last.starts_with(b"* "),
            Kind::Pop3 => last.starts_with(b"+") && !last.starts_with(b"+OK"),
        };
        match next {
            Next::Proof if !goes_on => Next::Command,
            Next::Octets { .. } | Next::Rest { .. } if self == Kind::Imap && !goes_on => {
                Next::Command
            }
            other => other,
        }
    }
}

/// Which of them greets so.
fn greeted(server: &[u8]) -> Option<Kind> {
    let is = |beginning: &[u8]| server.starts_with(beginning) && server.contains(&b'\n');
    if is(b"220 ") || is(b"220-") {
        Some(Kind::Smtp)
    } else if is(b"* OK") || is(b"* PREAUTH") {
        Some(Kind::Imap)
    } else {
        is(b"+OK").then_some(Kind::Pop3)
    }
}

/// What follows a line of IMAP: bytes whose number is at its end, as in `{12}` and `{12+}`.
fn literal(line: &[u8], secret: bool) -> Next {
    let open = line.iter().rposition(|byte| *byte == b'{');
    let inside = open.and_then(|open| line[open + 1..].strip_suffix(b"}"));
    let inside = inside.map(|inside| inside.strip_suffix(b"+").unwrap_or(inside));
    match inside.and_then(number) {
        Some(0) => Next::Rest { secret },
        Some(left) => Next::Octets { left, secret, rest: true },
        None => Next::Command,
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Where the word of a number is, from 0.
fn word(line: &[u8], number: usize) -> Option<Range<usize>> {
    let mut at = 0;
    let words = line.split(|byte| *byte == b' ').map(|word| {
        let range = at..at + word.len();
        at = range.end + 1;
        range
    });
    words.filter(|range| !range.is_empty()).nth(number)
}

/// The line of which bytes consist.
fn only_line(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.strip_suffix(b"\n")?;
    (!line.contains(&b'\n')).then(|| without_return(line))
}

/// The last line of an answer.
fn last_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let start = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    without_return(&bytes[start..])
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;
