//! Programs listen: at a hidden port, and at the front while recording.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rehearsal_capture::{Mode, Strategy};

use crate::rig::{Rig, Rules, everywhere, python, run};

/// Serves one connection and tells the names of both sockets.
const SERVE: &str = "
s.listen()
c = s.accept()[0]
c.sendall(repr((s.getsockname(), c.getsockname())).encode())
c.close()
";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn read_all(from: SocketAddr) -> String {
    let mut text = String::new();
    TcpStream::connect(from).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The visible and the hidden address in a `listening` line.
fn addresses(line: &str) -> (SocketAddr, SocketAddr) {
    let words: Vec<&str> = line.split(' ').collect();
    (words[1].parse().unwrap(), words[2].parse().unwrap())
}

/// Starts a server at `bind` (Python, with `PORT`), connects to `dial` through
/// the front and checks what the server calls its sockets.
#[track_caller]
fn check_front(strategy: Strategy, create: &str, dial: &str, names: &str) {
    let port = free_port().to_string();
    let script = format!("import socket\n{create}\n{SERVE}").replace("PORT", &port);
    let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
    let (visible, hidden) = addresses(&rig.wait_for("listening"));
    assert_eq!(visible.port().to_string(), port);
    assert_ne!(visible.port(), hidden.port());
    let text = read_all(dial.replace("PORT", &port).parse().unwrap());
    assert_eq!(text, names.replace("PORT", &port), "{strategy:?}");
    let outcome = rig.finish();
    outcome.succeeded();
    assert_eq!(outcome.count(&format!("inbound {visible}")), 1);
    assert_eq!(outcome.count(&format!("closed {visible}")), 1);
}

#[test]
fn ipv4_front() {
    everywhere("listen::ipv4_front", |strategy| {
        check_front(
            strategy,
            "s = socket.create_server(('127.0.0.1', PORT))",
            "127.0.0.1:PORT",
            "(('127.0.0.1', PORT), ('127.0.0.1', PORT))",
        );
        check_front(
            strategy,
            "s = socket.create_server(('', PORT))",
            "127.0.0.1:PORT",
            "(('0.0.0.0', PORT), ('127.0.0.1', PORT))",
        );
    });
}

#[test]
fn ipv6_front() {
    everywhere("listen::ipv6_front", |strategy| {
        check_front(
            strategy,
            "s = socket.create_server(('::1', PORT), family=socket.AF_INET6)",
            "[::1]:PORT",
            "(('::1', PORT, 0, 0), ('::1', PORT, 0, 0))",
        );
    });
}

#[test]
fn dual_stack_front() {
    let create =
        "s = socket.create_server(('', PORT), family=socket.AF_INET6, dualstack_ipv6=True)";
    everywhere("listen::dual_stack_front", |strategy| {
        for dial in ["[::1]:PORT", "127.0.0.1:PORT"] {
            let names = "(('::', PORT, 0, 0), ('::ffff:127.0.0.1', PORT, 0, 0))";
            check_front(strategy, create, dial, names);
        }
    });
}

#[test]
fn a_chosen_port_is_the_real_one() {
    everywhere("listen::a_chosen_port_is_the_real_one", |strategy| {
        let script = "
import socket
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
c.sendall(b'here')
";
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(script));
        let (visible, _) = addresses(&rig.wait_for("listening"));
        assert_eq!(read_all(visible), "here");
        let outcome = rig.finish();
        assert_eq!(outcome.succeeded().output, format!("{}\n", visible.port()));
    });
}

#[test]
fn listening_without_bind() {
    everywhere("listen::listening_without_bind", |strategy| {
        let script = "
import socket
s = socket.socket()
s.listen()
s.accept()[0].sendall(str(s.getsockname()[1]).encode())
";
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(script));
        let (visible, _) = addresses(&rig.wait_for("listening"));
        let here = SocketAddr::from(([127, 0, 0, 1], visible.port()));
        assert_eq!(read_all(here), visible.port().to_string());
        rig.finish().succeeded();
    });
}

#[test]
fn a_taken_port_is_reported_and_the_next_one_works() {
    everywhere("listen::a_taken_port_is_reported_and_the_next_one_works", |strategy| {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let script = format!(
            "
import socket, errno
s = socket.socket()
try:
    s.bind(('127.0.0.1', {port}))
except OSError as e:
    print(errno.errorcode[e.errno])
s.bind(('127.0.0.1', 0))
s.listen()
t = socket.socket()
try:
    t.bind(s.getsockname())
except OSError as e:
    print(errno.errorcode[e.errno])
"
        );
        let outcome = run(Mode::Record, strategy, Rules::default(), python(&script));
        assert_eq!(outcome.succeeded().output, "EADDRINUSE\nEADDRINUSE\n", "{outcome:#?}");
    });
}

#[test]
fn copies_share_one_hard_coded_port_at_replay() {
    everywhere("listen::copies_share_one_hard_coded_port_at_replay", |strategy| {
        let port = free_port();
        let rigs: Vec<_> = (0..4)
            .map(|copy| {
                let script = format!(
                    "
import socket
s = socket.create_server(('', {port}))
assert s.getsockname()[1] == {port}
s.accept()[0].sendall(b'copy {copy}')
"
                );
                Rig::start(Mode::Replay, strategy, Rules::default(), python(&script))
            })
            .collect();
        for (copy, mut rig) in rigs.into_iter().enumerate() {
            let (visible, hidden) = addresses(&rig.wait_for("listening"));
            assert_eq!(visible.port(), port);
            assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens there");
            assert_eq!(read_all(hidden), format!("copy {copy}"));
            rig.finish().succeeded();
        }
    });
}

#[test]
fn the_app_reaches_itself() {
    let script = "
import socket, threading
s = socket.create_server(('', PORT))
def serve():
    for _ in range(2):
        s.accept()[0].sendall(b'self')
t = threading.Thread(target=serve)
t.start()
c = socket.create_connection(('127.0.0.1', PORT))
print(c.makefile().read(4), c.getpeername()[1] == PORT)
d = socket.socket()
d.setblocking(False)
d.connect_ex(('127.0.0.1', PORT))
d.setblocking(True)
print(d.makefile().read(4))
t.join()
";
    everywhere("listen::the_app_reaches_itself", |strategy| {
        for mode in [Mode::Record, Mode::Replay] {
            let port = free_port();
            let script = script.replace("PORT", &port.to_string());
            let outcome = run(mode, strategy, Rules::default(), python(&script));
            assert_eq!(outcome.succeeded().output, "self True\nself\n", "{strategy:?} {mode:?}");
            assert_eq!(outcome.count(&format!("inner 127.0.0.1:{port}")), 2);
        }
    });
}

/// The app cannot know its hidden port: who is called there is somebody else.
#[test]
fn a_hidden_port_is_not_the_apps_own_address() {
    let script = "
import os, socket
s = socket.create_server(('127.0.0.1', PORT))
inode = str(os.fstat(s.fileno()).st_ino)
rows = [line.split() for line in open('/proc/self/net/tcp')]
[hidden] = [int(row[1].split(':')[1], 16) for row in rows if row[9] == inode]
c = socket.create_connection(('127.0.0.1', hidden))
c.sendall(b'hi\\n')
print(hidden != PORT, c.makefile().readline().strip() == f'hello from 127.0.0.1:{hidden}')
";
    everywhere("listen::a_hidden_port_is_not_the_apps_own_address", |strategy| {
        for mode in [Mode::Record, Mode::Replay] {
            let script = script.replace("PORT", &free_port().to_string());
            let outcome = run(mode, strategy, Rules::default(), python(&script));
            assert_eq!(outcome.succeeded().output, "True True\n", "{strategy:?} {mode:?}");
            assert!(!outcome.events.iter().any(|event| event.starts_with("inner")));
        }
    });
}

#[test]
fn a_restarted_server_keeps_its_port() {
    let script = "
import socket, subprocess, sys
inner = '''
import socket
s = socket.create_server((\"127.0.0.1\", PORT))
s.accept()[0].sendall(b\"round\")
'''
for _ in range(3):
    subprocess.run([sys.executable, '-c', inner], check=True)
";
    everywhere("listen::a_restarted_server_keeps_its_port", |strategy| {
        let port = free_port();
        let script = script.replace("PORT", &port.to_string());
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
        for _ in 0..3 {
            let (visible, _) = addresses(&rig.wait_for("listening"));
            assert_eq!(read_all(visible), "round");
        }
        rig.finish().succeeded();
    });
}

#[test]
fn several_processes_share_a_port() {
    let script = "
import os, socket
for _ in range(2):
    if os.fork() == 0:
        s = socket.create_server(('127.0.0.1', PORT), reuse_port=True)
        s.accept()[0].sendall(b'worker')
        os._exit(0)
for _ in range(2):
    assert os.wait()[1] == 0
";
    // A replaced socket has lost SO_REUSEPORT, so only duplicates are tried.
    everywhere("listen::several_processes_share_a_port", |strategy| {
        if strategy == Strategy::AddFd {
            return;
        }
        let port = free_port();
        let script = script.replace("PORT", &port.to_string());
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
        let (visible, _) = addresses(&rig.wait_for("listening"));
        let mut served = 0;
        while served < 2 {
            let mut text = String::new();
            let mut stream = TcpStream::connect(visible).unwrap();
            // A worker that ends resets those that waited for it.
            if stream.read_to_string(&mut text).is_ok() && text == "worker" {
                served += 1;
            }
        }
        rig.finish().succeeded();
    });
}

#[test]
fn unix_sockets_are_the_apps_own() {
    everywhere("listen::unix_sockets_are_the_apps_own", |strategy| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let script = format!(
            "
import os, socket
os.chdir({folder:?})
s = socket.socket(socket.AF_UNIX)
s.bind('app.sock')
s.listen()
if os.fork() == 0:
    c = socket.socket(socket.AF_UNIX)
    c.connect({path:?})
    os._exit(c.recv(9) != b'inside')
s.accept()[0].sendall(b'inside')
assert os.wait()[1] == 0
done = socket.socket(socket.AF_UNIX)
done.bind('done.sock')
done.listen()
caller = s.accept()[0]
assert caller.recv(1) == b'x'
caller.sendall(b'outside')
",
            folder = folder.path()
        );
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
        rig.wait_for(&format!("listening unix:{}", path.display()));
        rig.wait_for(&format!("inner unix:{}", path.display()));
        rig.wait_for("listening");
        let mut text = String::new();
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        stream.write_all(b"x").unwrap();
        stream.read_to_string(&mut text).ok();
        assert_eq!(text, "outside");
        rig.finish().succeeded();
    });
}
