//! Which way of taking sockets `Auto` chooses, here and in a container.

use std::process::Command;

use rehearsal_capture::{Mode, State, Strategy, checks};

use crate::rig::{Rig, Rules, python, without_duplicates};

const CONFINED: &str = "CAPTURE_TEST_CONFINED";

const SCRIPT: &str = "
import socket
s = socket.create_connection(('192.0.2.1', 80))
s.sendall(b'hi\\n')
print(s.makefile().readline().strip(), s.getpeername())
";

#[track_caller]
fn check(expected: Strategy) {
    let rig = Rig::start(Mode::Replay, Strategy::Auto, Rules::default(), python(SCRIPT));
    assert_eq!(rig.strategy(), expected);
    let outcome = rig.finish();
    assert_eq!(outcome.succeeded().output, "hello from 192.0.2.1:80 ('192.0.2.1', 80)\n");
    assert_eq!(outcome.count("outbound 192.0.2.1:80"), 1);
}

#[test]
fn sockets_are_duplicated_where_that_is_allowed() {
    check(Strategy::PidfdGetfd);
}

/// Docker's default profile refuses `pidfd_getfd`.
#[test]
fn sockets_are_replaced_in_a_container() {
    if std::env::var_os(CONFINED).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["auto::sockets_are_replaced_in_a_container", "--exact", "--nocapture"]);
        again.env(CONFINED, "1");
        without_duplicates(&mut again);
        let output = again.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{output:#?}");
        return;
    }
    check(Strategy::AddFd);
    let checks = checks();
    let found = |name| checks.iter().find(|check| check.name == name).unwrap();
    let capture = found("capture");
    assert_eq!(capture.state, State::Good);
    assert_eq!(capture.detail, "captured, by replacing the sockets of the child");
    let duplicates = found("pidfd_getfd");
    assert_eq!(duplicates.state, State::Limited);
    assert_eq!(duplicates.detail, "refused, as in a container without SYS_PTRACE");
    assert!(duplicates.advice.contains("--cap-add SYS_PTRACE"), "{duplicates:?}");
    assert_eq!(found("socket replacement").state, State::Good);
    let filters = &found("system call filters").detail;
    assert!(filters.ends_with("on rehearsal itself, as in a container"), "{filters}");
}
