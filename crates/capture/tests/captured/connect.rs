//! Programs connect to places that do not exist; we answer in their place.

use std::process::Command;

use rehearsal_capture::{Mode, Verdict};

use crate::rig::{Rules, before_killable_waits, compile, everywhere, python, run, shared_folder};

/// Sends a line over socket `s` and prints the answer and the peer's name.
const TALK: &str = "
s.sendall(b'hi\\n')
print(s.makefile().readline().strip(), s.getpeername())
";

#[track_caller]
fn check(name: &str, script: &str, output: &str, outbound: &str) {
    everywhere(name, |strategy| {
        let outcome = run(Mode::Replay, strategy, Rules::default(), python(script));
        outcome.succeeded();
        assert_eq!(outcome.output, output, "{strategy:?} {:#?}", outcome.events);
        assert_eq!(outcome.count(outbound), 1, "{strategy:?} {:#?}", outcome.events);
    });
}

#[test]
fn static_program_blocking() {
    everywhere("connect::static_program_blocking", |strategy| {
        let folder = shared_folder();
        let program = compile(include_str!("programs/dial.c"), folder.path());
        let mut command = Command::new(program);
        command.args(["192.0.2.7", "5432"]);
        let outcome = run(Mode::Replay, strategy, Rules::default(), command);
        outcome.succeeded();
        assert_eq!(outcome.output, "hello from 192.0.2.7:5432\npeer 192.0.2.7:5432\n");
        assert_eq!(outcome.count("outbound 192.0.2.7:5432"), 1, "{:?}", outcome.events);
    });
}

#[test]
fn non_blocking_then_asked_again() {
    let script = format!(
        "
import socket, select, errno
s = socket.socket()
s.setblocking(False)
first = s.connect_ex(('192.0.2.7', 80))
assert first in (0, errno.EINPROGRESS), first
select.select([], [s], [])
assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
codes = [s.connect_ex(('192.0.2.7', 80)) for _ in range(2)]
assert codes[1] == errno.EISCONN, codes
s.setblocking(True)
{TALK}"
    );
    check(
        "connect::non_blocking_then_asked_again",
        &script,
        "hello from 192.0.2.7:80 ('192.0.2.7', 80)\n",
        "outbound 192.0.2.7:80",
    );
}

#[test]
fn asyncio() {
    let script = "
import asyncio
async def main():
    reader, writer = await asyncio.open_connection('192.0.2.7', 80)
    writer.write(b'hi\\n')
    print((await reader.readline()).decode().strip())
asyncio.run(main())
";
    check("connect::asyncio", script, "hello from 192.0.2.7:80\n", "outbound 192.0.2.7:80");
}

#[test]
fn ipv6() {
    let script = format!(
        "
import socket
s = socket.socket(socket.AF_INET6)
s.connect(('2001:db8::7', 80))
{TALK}"
    );
    check(
        "connect::ipv6",
        &script,
        "hello from [2001:db8::7]:80 ('2001:db8::7', 80, 0, 0)\n",
        "outbound [2001:db8::7]:80",
    );
}

#[test]
fn ipv4_on_a_dual_stack_socket() {
    let script = format!(
        "
import socket
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.connect(('::ffff:192.0.2.7', 80))
{TALK}"
    );
    check(
        "connect::ipv4_on_a_dual_stack_socket",
        &script,
        "hello from 192.0.2.7:80 ('::ffff:192.0.2.7', 80, 0, 0)\n",
        "outbound 192.0.2.7:80",
    );
}

#[test]
fn from_a_bound_socket() {
    let script = format!(
        "
import socket
s = socket.create_connection(('192.0.2.7', 80), source_address=('0.0.0.0', 0))
{TALK}"
    );
    check(
        "connect::from_a_bound_socket",
        &script,
        "hello from 192.0.2.7:80 ('192.0.2.7', 80)\n",
        "outbound 192.0.2.7:80",
    );
}

#[test]
fn unix_stream() {
    let script = format!(
        "
import socket
s = socket.socket(socket.AF_UNIX)
s.connect('/nowhere/db.sock')
{TALK}"
    );
    check(
        "connect::unix_stream",
        &script,
        "hello from unix:/nowhere/db.sock /nowhere/db.sock\n",
        "outbound unix:/nowhere/db.sock",
    );
}

#[test]
fn unix_relative_and_abstract() {
    let script = "
import socket, os
os.chdir('/tmp')
for name in ('./db.sock', '\\0bus'):
    s = socket.socket(socket.AF_UNIX)
    s.connect(name)
    s.sendall(b'hi\\n')
    print(s.makefile().readline().strip())
";
    check(
        "connect::unix_relative_and_abstract",
        script,
        "hello from unix:/tmp/db.sock\nhello from unix:@bus\n",
        "outbound unix:/tmp/db.sock",
    );
}

#[test]
fn shells_subprocesses_and_daemons() {
    let script = "
import os, subprocess, sys
inner = '''
import socket
s = socket.create_connection((\"192.0.2.7\", 80))
s.sendall(b\"hi\\\\n\")
print(s.makefile().readline().strip(), flush=True)
'''
subprocess.run(['sh', '-c', 'exec \"$@\"', 'sh', sys.executable, '-c', inner], check=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        exec(inner)
    os._exit(0)
os.wait()
";
    everywhere("connect::shells_subprocesses_and_daemons", |strategy| {
        let outcome = run(Mode::Replay, strategy, Rules::default(), python(script));
        assert_eq!(outcome.succeeded().output, "hello from 192.0.2.7:80\n".repeat(2));
        assert_eq!(outcome.count("outbound 192.0.2.7:80"), 2, "{:?}", outcome.events);
    });
}

#[test]
fn threads_of_forked_processes() {
    everywhere("connect::threads_of_forked_processes", |strategy| {
        let folder = shared_folder();
        let program = compile(include_str!("programs/threads.c"), folder.path());
        let mut command = Command::new(program);
        command.args(["192.0.2.7", "80"]);
        let outcome = run(Mode::Replay, strategy, Rules::default(), command);
        outcome.succeeded();
        assert_eq!(outcome.count("outbound 192.0.2.7:80"), 40);
    });
}

/// Connects 500 times among signals; each must arrive here exactly once.
#[track_caller]
fn check_signals(name: &str, prepare: impl Fn(&mut Command)) {
    everywhere(name, |strategy| {
        let folder = shared_folder();
        let program = compile(include_str!("programs/storm.c"), folder.path());
        for handling in ["restart", "repeat"] {
            let mut command = Command::new(&program);
            command.args(["192.0.2.7", "80", handling]);
            prepare(&mut command);
            let outcome = run(Mode::Replay, strategy, Rules::default(), command);
            assert_eq!(outcome.succeeded().output, "500\n", "{strategy:?} {handling}");
            let count = outcome.count("outbound 192.0.2.7:80");
            assert_eq!(count, 500, "{strategy:?} {handling}");
        }
    });
}

#[test]
fn signals_neither_lose_nor_double_a_connection() {
    check_signals("connect::signals_neither_lose_nor_double_a_connection", |_| {});
}

#[test]
fn nor_do_they_where_calls_can_be_interrupted() {
    let name = "connect::nor_do_they_where_calls_can_be_interrupted";
    check_signals(name, before_killable_waits);
}

#[test]
fn a_process_out_of_reach_is_refused_and_reported() {
    // SAFETY: the call takes nothing and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    let script = "
import ctypes, errno, socket
ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE
print(errno.errorcode.get(socket.socket().connect_ex(('192.0.2.7', 80)), 'connected'))
";
    everywhere("connect::a_process_out_of_reach_is_refused_and_reported", |strategy| {
        let outcome = run(Mode::Replay, strategy, Rules::default(), python(script));
        outcome.succeeded();
        if is_root {
            assert_eq!(outcome.output, "connected\n", "root reaches every process");
        } else {
            assert_eq!(outcome.output, "EACCES\n");
            assert!(outcome.events.iter().any(|event| event.starts_with("trouble process")));
        }
    });
}

#[test]
fn refusal_is_seen_as_such() {
    everywhere("connect::refusal_is_seen_as_such", |strategy| {
        let rules = Rules {
            connect: Box::new(|_| Verdict::Refuse(libc::ECONNREFUSED, "not today")),
            ..Rules::default()
        };
        let script = "
import socket, errno
s = socket.socket()
print(errno.errorcode[s.connect_ex(('192.0.2.7', 5432))])
print(errno.errorcode[socket.socket(socket.AF_UNIX).connect_ex('/run/nscd/socket')])
";
        let outcome = run(Mode::Replay, strategy, rules, python(script));
        assert_eq!(outcome.succeeded().output, "ECONNREFUSED\nECONNREFUSED\n");
        assert_eq!(outcome.count("refused 192.0.2.7:5432 111"), 1);
        assert_eq!(outcome.count("name service unix:/run/nscd/socket"), 1);
    });
}

#[test]
fn a_real_edge_is_reached_directly() {
    everywhere("connect::a_real_edge_is_reached_directly", |strategy| {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let serving = std::thread::spawn(move || {
            use std::io::Write;
            server.accept().unwrap().0.write_all(b"real").unwrap();
        });
        let rules = Rules { connect: Box::new(|_| Verdict::Pass), ..Rules::default() };
        let script = format!(
            "import socket\ns = socket.create_connection(('127.0.0.1', {port}))\nprint(s.recv(9))"
        );
        let outcome = run(Mode::Replay, strategy, rules, python(&script));
        assert_eq!(outcome.succeeded().output, "b'real'\n");
        assert_eq!(outcome.count(&format!("passed 127.0.0.1:{port}")), 1);
        serving.join().unwrap();
    });
}

#[test]
fn ways_around_the_filter_are_closed() {
    everywhere("connect::ways_around_the_filter_are_closed", |strategy| {
        let folder = shared_folder();
        let program = compile(include_str!("programs/ring.c"), folder.path());
        let outcome = run(Mode::Replay, strategy, Rules::default(), Command::new(program));
        assert_eq!(outcome.succeeded().output, "ring ENOSYS\nfastopen EOPNOTSUPP\n");
    });
}
