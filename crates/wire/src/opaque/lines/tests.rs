//! What turns to TLS and what only looks like it; which bytes are secrets, however the bytes come.

use super::*;

const SMTP: &[u8] = b"220 mail.example ESMTP\r\n";
const IMAP: &[u8] = b"* OK [CAPABILITY IMAP4rev2 STARTTLS] ready\r\n";
const POP3: &[u8] = b"+OK ready\r\n";

fn greeted_by(greeting: &[u8]) -> Lines {
    let mut lines = Lines::default();
    lines.over(Some(b""), greeting);
    lines
}

/// At how many bytes of the answer the turn turns to TLS, when it does.
#[track_caller]
fn turns(greeting: &[u8], sent: &[u8], answer: &[u8], expected: Option<usize>) {
    let lines = greeted_by(greeting);
    let at = (0..=answer.len()).find(|count| lines.turns_to_tls(sent, &answer[..*count]));
    assert_eq!(at, expected, "{:?}", String::from_utf8_lossy(answer));
}

#[test]
fn the_command_and_its_whole_answer_turn_to_tls() {
    for (greeting, sent, answer) in [
        (SMTP, &b"STARTTLS\r\n"[..], &b"220 go ahead\r\n"[..]),
        (b"220-mail\r\n220 hello\r\n", b"starttls\n", b"220-go\r\n220 ahead\r\n"),
        (IMAP, b"a1 STARTTLS\r\n", b"a1 OK begin\r\n"),
        (b"* OK\r\n", b"x StartTLS\r\n", b"* CAPABILITY IMAP4rev2\r\nx OK\r\n"),
        (POP3, b"STLS\r\n", b"+OK begin\r\n"),
    ] {
        turns(greeting, sent, answer, Some(answer.len()));
    }
}

#[test]
fn what_is_refused_or_only_looks_like_it_does_not() {
    for (greeting, sent, answer) in [
        (SMTP, &b"STARTTLS\r\n"[..], &b"454 not now\r\n"[..]),
        (SMTP, b"STARTTLS\r\n", b"501-no\r\n220 go\r\n"),
        (SMTP, b"EHLO STARTTLS\r\n", b"220 go\r\n"),
        // Others of the client's words, or none, stand in the clear behind the command.
        (SMTP, b"STARTTLS\r\nMAIL FROM:<a@b>\r\n", b"220 go\r\n"),
        (SMTP, b"STARTTLS", b"220 go\r\n"),
        (SMTP, b"STARTTLS\r\n", b"2200 go\r\n"),
        (IMAP, b"STARTTLS\r\n", b"STARTTLS OK\r\n"),
        (IMAP, b"a STARTTLS\r\n", b"a NO\r\n"),
        (IMAP, b"a STARTTLS\r\n", b"b OK\r\n"),
        (IMAP, b"a STARTTLS\r\n", b"a OKAY\r\n"),
        (POP3, b"STLS\r\n", b"-ERR no\r\n"),
        // Another one's command.
        (POP3, b"STARTTLS\r\n", b"+OK\r\n"),
        // No greeting of any of them.
        (b"HTTP/1.1 220 x\r\n", b"STARTTLS\r\n", b"220 go\r\n"),
        (b"220", b"STARTTLS\r\n", b"220 go\r\n"),
        (b"", b"STARTTLS\r\n", b"220 go\r\n"),
    ] {
        turns(greeting, sent, answer, None);
    }
    let words = b"220 go\r\n250 somebody else's words\r\n";
    assert!(!greeted_by(SMTP).turns_to_tls(b"STARTTLS\r\n", words));
    let mut first = Lines::default();
    first.over(Some(b"EHLO early\r\n"), SMTP);
    assert!(!first.turns_to_tls(b"STARTTLS\r\n", b"220 go\r\n"), "the client spoke first");
}

#[test]
fn it_is_done_once_and_not_within_a_mail() {
    let mut lines = greeted_by(SMTP);
    lines.over(Some(b"DATA\r\n"), b"354 go on\r\n");
    assert!(!lines.turns_to_tls(b"STARTTLS\r\n", b"220 go\r\n"));
    lines.over(Some(b"text\r\nSTARTTLS\r\n.\r\n"), b"250 taken\r\n");
    assert!(lines.turns_to_tls(b"STARTTLS\r\n", b"220 go\r\n"));
    lines.secured();
    assert!(!lines.turns_to_tls(b"STARTTLS\r\n", b"220 go\r\n"));
    let mut long = greeted_by(SMTP);
    let answer = [b"220 ".as_slice(), &[b'x'; LONGEST_ANSWER], b"\r\n"].concat();
    assert!(!long.turns_to_tls(b"STARTTLS\r\n", &answer));
    long.give_up();
    assert!(!long.turns_to_tls(b"STARTTLS\r\n", b"220 go\r\n"));
}

/// Checks which parts of what the client says are secrets, in turns of it and of the server; they stand in `<>`.
/// Each turn is looked at whole, and byte by byte as it comes.
#[track_caller]
fn secrets(greeting: &[u8], turns: &[(&str, &str)]) {
    let mut lines = greeted_by(greeting);
    for (marked, answer) in turns {
        let sent = marked.replace(['<', '>'], "");
        let scan = lines.scan(sent.as_bytes());
        let mut found = String::new();
        let mut done = 0;
        for range in &scan.hidden {
            found += &format!("{}<{}>", &sent[done..range.start], &sent[range.clone()]);
            done = range.end;
        }
        found += &sent[done..];
        assert_eq!(&found, marked);
        let mut asked = 0;
        for count in 1..=sent.len() {
            let said = &sent.as_bytes()[..count];
            let part = lines.scan(said);
            let until = part.until(asked, count);
            asked = asked.max(until);
            for range in &scan.hidden {
                let within = range.start < asked && asked < range.end;
                assert!(!within, "asked about {asked} of {marked:?}, with a part of a secret");
            }
        }
        lines.over(Some(sent.as_bytes()), answer.as_bytes());
    }
}

#[test]
fn passwords_of_smtp_are_found() {
    secrets(
        SMTP,
        &[
            ("EHLO a\r\n", "250-mail\r\n250 AUTH PLAIN LOGIN\r\n"),
            ("AUTH PLAIN <AGNsZXJrAHNlY3JldA==>\r\n", "235 welcome\r\n"),
            ("auth login\r\n", "334 VXNlcm5hbWU6\r\n"),
            ("<Y2xlcms=>\r\n", "334 UGFzc3dvcmQ6\r\n"),
            ("<c2VjcmV0>\r\n", "235 welcome\r\n"),
            ("AUTH PLAIN\r\n", "334 \r\n"),
            ("<AGNsZXJrAHNlY3JldA==>\r\n", "535 no\r\n"),
            ("MAIL FROM:a@b\r\n", "250 well\r\n"),
            ("DATA\r\n", "354 go on\r\n"),
            (
                "AUTH PLAIN is no command here\r\nPASS neither\r\n.\r\nPASS <this>\r\n",
                "250 well\r\n",
            ),
            ("BDAT 11 LAST\r\nPASS is not\nPASS <this>\r\n", "250 well\r\n"),
            ("AUTH LOGIN\r\n<Y2xlcms=>\r\n<c2VjcmV0>\r\n", "235 well\r\n"),
            ("QUIT\r\n", "221 bye\r\n"),
        ],
    );
}

#[test]
fn passwords_of_imap_and_pop3_are_found() {
    secrets(
        IMAP,
        &[
            ("a1 LOGIN <clerk \"sec ret\">\r\n", "a1 OK\r\n"),
            ("a2 login <{5}>\r\n", "+ go on\r\n"),
            ("<clerk>< {6}>\r\n", "+ go on\r\n"),
            ("<secret>\r\n", "a2 OK\r\n"),
            ("a3 AUTHENTICATE PLAIN\r\n", "+ \r\n"),
            ("<AGNsZXJrAHNlY3JldA==>\r\n", "a3 OK\r\n"),
            ("a4 AUTHENTICATE PLAIN <AGNsZXJrAHNlY3JldA==>\r\n", "a4 OK\r\n"),
            ("a5 APPEND x {14+}\r\na1 LOGIN a b\r\n\r\na6 NOOP\r\n", "a6 OK\r\n"),
        ],
    );
    secrets(
        POP3,
        &[
            ("USER clerk\r\n", "+OK\r\n"),
            ("PASS <sec ret>\r\n", "+OK\r\n"),
            ("APOP clerk <c4c9334bac560ecc979e58001b3e22fb>\r\n", "+OK\r\n"),
            ("AUTH PLAIN\r\n", "+ \r\n"),
            ("<AGNsZXJrAHNlY3JldA==>\r\n", "+OK\r\n"),
            ("RETR 1\r\n", "+OK\r\n\r\nPASS this on\r\n.\r\n"),
        ],
    );
    // Nothing of them is known here.
    secrets(b"hello\r\n", &[("PASS on\r\n", "so\r\n")]);
}

#[test]
fn a_secret_in_whose_middle_the_server_speaks_is_found() {
    secrets(
        IMAP,
        &[
            ("a1 LOG", "* 3 EXISTS\r\n"),
            ("IN <clerk sec>", "* 4 EXISTS\r\n"),
            ("<ret>\r\n", "a1 OK\r\n"),
        ],
    );
    let mut lines = greeted_by(SMTP);
    lines.over(Some(b"DATA\r\n"), b"354 go on\r\n");
    lines.over(None, b"250 taken\r\n");
    assert_eq!(
        lines.scan(b"PASS secret\r\n").hidden.len(),
        1,
        "the mail was too large and is over"
    );
}

#[test]
fn the_length_is_that_without_placeholders() {
    let lines = greeted_by(POP3);
    let sent = b"USER a\r\nPASS b c d\r\nSTAT\r\nLIST\r\n";
    let recorded = format!("USER a\r\nPASS {}\r\nSTAT\r\n", secret::placeholder("plain", 7));
    let length = lines.scan(sent).length_of(recorded.as_bytes());
    assert_eq!(&sent[length..], b"LIST\r\n");
    assert_eq!(lines.scan(b"NOOP\r\n").length_of(b"NO"), 2);
}
