//! A static Go program: no C library, its own resolver, its own poller, MPTCP.
//! Needs a Go compiler.

use std::process::Command;

use rehearsal_capture::{Mode, Strategy};

use crate::datagram::a_record;
use crate::rig::{Rules, run, shared_folder};

#[test]
fn go_resolves_connects_and_listens() {
    let folder = shared_folder();
    std::fs::write(folder.path().join("main.go"), include_str!("programs/shop.go")).unwrap();
    let program = folder.path().join("shop");
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg("main.go")
        .current_dir(folder.path())
        .env("CGO_ENABLED", "0")
        .env("GOCACHE", std::env::temp_dir().join("capture-test-go-cache"))
        .status()
        .unwrap();
    assert!(status.success());
    for strategy in [Strategy::PidfdGetfd, Strategy::AddFd] {
        let rules = Rules {
            resolve: Box::new(|_, query| a_record(query)),
            datagram: Box::new(|_| Ok(())),
            ..Rules::default()
        };
        let outcome = run(Mode::Replay, strategy, rules, Command::new(&program));
        let output = "hello from 192.0.2.80:80\n192.0.2.80:80\nself true\n";
        assert_eq!(outcome.succeeded().output, output, "{strategy:?} {:#?}", outcome.events);
    }
}
