//! Programs ask name servers that do not exist, and send datagrams elsewhere.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rehearsal_capture::{Mode, Strategy};

use crate::rig::{Rules, compile, everywhere, python, run, shared_folder};

/// Answers with the query in capitals and notes which server was asked.
fn shouting(asked: &Arc<Mutex<Vec<SocketAddr>>>) -> Rules {
    let asked = asked.clone();
    Rules {
        resolve: Box::new(move |server, query| {
            asked.lock().unwrap().push(server);
            (query != b"silence").then(|| query.to_ascii_uppercase())
        }),
        ..Rules::default()
    }
}

#[track_caller]
fn check(strategy: Strategy, script: &str, output: &str, servers: &[&str]) {
    let asked = Arc::default();
    let outcome = run(Mode::Replay, strategy, shouting(&asked), python(script));
    assert_eq!(outcome.succeeded().output, output, "{strategy:?}");
    let asked: Vec<String> = asked.lock().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(asked, servers, "{strategy:?}");
}

#[test]
fn a_connected_socket_is_answered_by_its_server() {
    let script = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('192.0.2.53', 53))
s.send(b'hello')
print(*s.recvfrom(99), s.getpeername())
";
    everywhere("datagram::a_connected_socket_is_answered_by_its_server", |strategy| {
        let output = "b'HELLO' ('192.0.2.53', 53) ('192.0.2.53', 53)\n";
        check(strategy, script, output, &["192.0.2.53:53"]);
    });
}

#[test]
fn each_answer_names_the_server_that_was_asked() {
    let script = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for last in (53, 54):
    s.sendto(b'to %d' % last, ('192.0.2.%d' % last, 53))
    print(*s.recvfrom(99))
";
    everywhere("datagram::each_answer_names_the_server_that_was_asked", |strategy| {
        let output = "b'TO 53' ('192.0.2.53', 53)\nb'TO 54' ('192.0.2.54', 53)\n";
        check(strategy, script, output, &["192.0.2.53:53", "192.0.2.54:53"]);
    });
}

#[test]
fn ipv6_name_servers() {
    let script = "
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.sendto(b'six', ('2001:db8::53', 53))
data, source = s.recvfrom(99)
print(data, source[:2])
";
    everywhere("datagram::ipv6_name_servers", |strategy| {
        let output = "b'SIX' ('2001:db8::53', 53)\n";
        check(strategy, script, output, &["[2001:db8::53]:53"]);
    });
}

#[test]
fn silence_lets_the_app_run_into_its_own_limit() {
    let script = "
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 50000))
s.sendto(b'silence', ('192.0.2.53', 53))
try:
    s.recvfrom(99)
except BlockingIOError:
    print('nothing')
";
    // A replaced socket has lost SO_RCVTIMEO.
    everywhere("datagram::silence_lets_the_app_run_into_its_own_limit", |strategy| {
        if strategy == Strategy::PidfdGetfd {
            check(strategy, script, "nothing\n", &["192.0.2.53:53"]);
        }
    });
}

#[test]
fn other_datagrams_do_as_the_policy_says() {
    let script = "
import socket, errno
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in (8125, 9):
    for act in (lambda: s.sendto(b'x', ('127.0.0.1', port)), lambda: s.connect(('127.0.0.1', port))):
        try:
            act()
            print('went')
        except OSError as e:
            print(errno.errorcode[e.errno])
";
    everywhere("datagram::other_datagrams_do_as_the_policy_says", |strategy| {
        let rules = Rules {
            datagram: Box::new(|to| if to.port() == 9 { Err(libc::EHOSTUNREACH) } else { Ok(()) }),
            ..Rules::default()
        };
        let outcome = run(Mode::Replay, strategy, rules, python(script));
        let output = "went\nwent\nEHOSTUNREACH\nEHOSTUNREACH\n";
        assert_eq!(outcome.succeeded().output, output);
        assert_eq!(outcome.count("passed 127.0.0.1:8125"), 1);
        assert_eq!(outcome.count(&format!("refused 127.0.0.1:9 {}", libc::EHOSTUNREACH)), 1);
    });
}

/// An answer to an A query that gives 192.0.2.80; other types have no records.
pub(crate) fn a_record(query: &[u8]) -> Option<Vec<u8>> {
    let name_end = 12 + query.get(12..)?.iter().position(|byte| *byte == 0)?;
    let question_end = name_end + 5;
    let is_a = query.get(name_end + 1..name_end + 3)? == [0, 1];
    let mut answer = query.get(..question_end)?.to_vec();
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[4..12].copy_from_slice(&[0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    if is_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80]);
    }
    Some(answer)
}

#[test]
fn the_c_library_resolves_and_connects() {
    let script = "
import socket
s = socket.create_connection(('api.replay.test', 80))
s.sendall(b'hi\\n')
print(s.makefile().readline().strip())
";
    everywhere("datagram::the_c_library_resolves_and_connects", |strategy| {
        let rules = Rules {
            resolve: Box::new(|_, query| a_record(query)),
            datagram: Box::new(|_| Ok(())),
            ..Rules::default()
        };
        let outcome = run(Mode::Replay, strategy, rules, python(script));
        assert_eq!(outcome.succeeded().output, "hello from 192.0.2.80:80\n");
    });
}

/// Loopback only, as in replay.
fn sealed(asked: &Arc<Mutex<Vec<SocketAddr>>>) -> Rules {
    let datagram =
        |to: SocketAddr| if to.ip().is_loopback() { Ok(()) } else { Err(libc::EHOSTUNREACH) };
    Rules { datagram: Box::new(datagram), ..shouting(asked) }
}

/// Node sends by `sendmsg` or `sendmmsg` and receives by `recvmsg`.
#[test]
fn node_datagrams_do_not_leave_in_replay() {
    let script = "
const dgram = require('dgram');
const here = dgram.createSocket('udp4');
here.bind(0, '127.0.0.1', () => {
  here.on('message', text => { console.log(String(text)); here.close(); });
  const s = dgram.createSocket('udp4');
  s.send('out', 9, '192.0.2.9', error => {
    console.log(error.code);
    s.on('message', answer => { console.log(String(answer)); s.close(); });
    s.send('query', 53, '192.0.2.53', () => {
      const t = dgram.createSocket('udp4');
      t.send('inside', here.address().port, '127.0.0.1', () => t.close());
    });
  });
});
";
    everywhere("datagram::node_datagrams_do_not_leave_in_replay", |strategy| {
        let asked = Arc::default();
        let mut node = Command::new("node");
        node.args(["-e", script]);
        let outcome = run(Mode::Replay, strategy, sealed(&asked), node);
        let mut lines: Vec<&str> = outcome.succeeded().output.lines().collect();
        assert_eq!(lines.remove(0), "EHOSTUNREACH", "{strategy:?}");
        lines.sort_unstable();
        assert_eq!(lines, ["QUERY", "inside"], "{strategy:?}");
        assert_eq!(outcome.count(&format!("refused 192.0.2.9:9 {}", libc::EHOSTUNREACH)), 1);
        assert_eq!(asked.lock().unwrap().len(), 1);
    });
}

#[test]
fn many_messages_at_once_do_not_leave_in_replay() {
    everywhere("datagram::many_messages_at_once_do_not_leave_in_replay", |strategy| {
        let folder = shared_folder();
        let program = compile(include_str!("programs/many.c"), folder.path());
        let asked = Arc::default();
        let outcome = run(Mode::Replay, strategy, sealed(&asked), Command::new(&program));
        let output = "connected: 2\nboth inside: 2\none outside: EHOSTUNREACH\n\
                      queries: 2 ONE TWO\nquery behind another: EOPNOTSUPP\n\
                      sendmsg outside: EHOSTUNREACH\nstream: 2\n";
        assert_eq!(outcome.succeeded().output, output, "{strategy:?}");
        assert_eq!(asked.lock().unwrap().len(), 2, "{strategy:?}");
        assert_eq!(outcome.count(&format!("refused 192.0.2.9:9 {}", libc::EHOSTUNREACH)), 1);
    });
}
