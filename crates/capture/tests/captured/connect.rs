//! Real programs connect to places that do not exist; we answer in their place.

use crate::rig::{Rules, compile, everywhere, python, run, shared_folder};
use rehearsal_capture::{Mode, Verdict};

#[test]
fn static_program_blocking() {
    everywhere("connect::static_program_blocking", |strategy| {
        let folder = shared_folder();
        let program = compile(include_str!("programs/dial.c"), folder.path());
        let mut command = std::process::Command::new(program);
        command.args(["192.0.2.7", "5432"]);
        let outcome = run(Mode::Replay, strategy, Rules::default(), command);
        outcome.succeeded();
        assert_eq!(outcome.output, "hello from 192.0.2.7:5432\npeer 192.0.2.7:5432\n");
        assert_eq!(outcome.count("outbound 192.0.2.7:5432"), 1, "{:?}", outcome.events);
    });
}

#[test]
fn refusal_is_seen_as_such() {
    everywhere("connect::refusal_is_seen_as_such", |strategy| {
        let rules = Rules {
            connect: Box::new(|_| Verdict::Refuse(libc::ECONNREFUSED)),
            ..Rules::default()
        };
        let script = "import socket,errno\ns=socket.socket()\nprint(errno.errorcode[s.connect_ex(('192.0.2.7',5432))])";
        let outcome = run(Mode::Replay, strategy, rules, python(script));
        assert_eq!(outcome.succeeded().output, "ECONNREFUSED\n");
        assert_eq!(outcome.count("refused 192.0.2.7:5432 111"), 1);
    });
}
