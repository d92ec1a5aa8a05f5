//! Programs listen on Unix sockets: in a place of ours, with the front at theirs while recording.

use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rehearsal_capture::{Mode, Strategy};

use crate::rig::{Rig, Rules, everywhere, python, run};

/// Serves one connection and tells the names of both sockets.
const SERVE: &str = "
s.listen()
c = s.accept()[0]
c.sendall(repr((s.getsockname(), c.getsockname())).encode())
c.close()
";

fn read_all(from: &Path) -> String {
    let mut text = String::new();
    UnixStream::connect(from).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Where the app is, in a `listening` line.
fn hidden(line: &str) -> PathBuf {
    PathBuf::from(line.split(' ').nth(2).unwrap().strip_prefix("unix:").unwrap())
}

#[test]
fn a_front_has_the_path_and_the_rights() {
    everywhere("unix::a_front_has_the_path_and_the_rights", |strategy| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let script = format!(
            "import os, socket\nos.chdir({folder:?})\nos.umask(0o077)\n\
             s = socket.socket(socket.AF_UNIX)\ns.bind('app.sock')\n{SERVE}",
            folder = folder.path()
        );
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
        let listening = rig.wait_for("listening");
        assert!(listening.starts_with(&format!("listening unix:{} unix:/", path.display())));
        let hidden = hidden(&listening);
        let about = std::fs::symlink_metadata(&path).unwrap();
        assert!(about.file_type().is_socket());
        assert_eq!(about.permissions().mode() & 0o777, 0o700);
        let place = hidden.parent().unwrap().to_owned();
        assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(read_all(&path), "('app.sock', 'app.sock')", "{strategy:?}");
        let outcome = rig.finish();
        outcome.succeeded();
        assert_eq!(outcome.count(&format!("inbound unix:{}", path.display())), 1);
        assert_eq!(outcome.count(&format!("closed unix:{}", path.display())), 1);
        assert!(!place.exists() && !path.exists(), "nothing stays behind");
    });
}

#[test]
fn a_path_that_is_taken_is_reported_and_may_be_bound_again_when_it_is_gone() {
    let name = "unix::a_path_that_is_taken_is_reported_and_may_be_bound_again_when_it_is_gone";
    everywhere(name, |strategy| {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "
import errno, os, socket
path = {path:?}
def tried(work):
    try:
        work()
    except OSError as e:
        print(errno.errorcode[e.errno])
s = socket.socket(socket.AF_UNIX)
tried(lambda: s.bind('/nowhere/app.sock'))
s.bind(path)
s.listen()
s.close()
s = socket.socket(socket.AF_UNIX)
tried(lambda: s.bind(path))
os.unlink(path)
s.bind(path)
s.listen()
c = s.accept()[0]
c.sendall(b'again')
c.close()
",
            path = folder.path().join("app.sock")
        );
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
        rig.wait_for("listening");
        rig.wait_for("listening");
        assert_eq!(read_all(&folder.path().join("app.sock")), "again");
        assert_eq!(rig.finish().succeeded().output, "ENOENT\nEADDRINUSE\n", "{strategy:?}");
    });
}

#[test]
fn an_abstract_name_has_a_front_and_no_file() {
    everywhere("unix::an_abstract_name_has_a_front_and_no_file", |strategy| {
        let name = format!("rehearsal-test-{}-{strategy:?}", std::process::id());
        let script = format!(
            "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0{name}')\n{SERVE}"
        );
        let mut rig = Rig::start(Mode::Record, strategy, Rules::default(), python(&script));
        rig.wait_for(&format!("listening unix:@{name}"));
        let client = format!(
            "import socket\nc = socket.socket(socket.AF_UNIX)\nc.connect('\\0{name}')\n\
             print(c.recv(1000).decode())"
        );
        let said = python(&client).output().unwrap().stdout;
        let seen = format!("(b'\\x00{name}', b'\\x00{name}')\n");
        assert_eq!(String::from_utf8(said).unwrap(), seen, "{strategy:?}");
        rig.finish().succeeded();
    });
}

#[test]
fn the_app_itself_gets_there_unseen() {
    everywhere("unix::the_app_itself_gets_there_unseen", |strategy| {
        for mode in [Mode::Record, Mode::Replay] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("own.sock");
            let script = format!(
                "
import os, socket
s = socket.socket(socket.AF_UNIX)
s.bind({path:?})
s.listen()
if os.fork() == 0:
    c = socket.socket(socket.AF_UNIX)
    c.connect({path:?})
    c.sendall(b'inside')
    os._exit(0)
a, peer = s.accept()
print(a.recv(100), repr(peer), flush=True)
"
            );
            let outcome = run(mode, strategy, Rules::default(), python(&script));
            assert_eq!(outcome.succeeded().output, "b'inside' ''\n", "{strategy:?}");
            assert_eq!(outcome.count(&format!("inner unix:{}", path.display())), 1);
            assert!(!outcome.events.iter().any(|event| event.starts_with("inbound")));
        }
    });
}

/// Starts a server on a path as servers do: what is there is removed first, rights are changed
/// afterwards, and at the end the file goes. Gives what the server saw.
fn replay_at(strategy: Strategy, path: &Path) -> String {
    let script = format!(
        "
import os, socket, stat
path = {path:?}
if os.path.exists(path):
    os.unlink(path)
s = socket.socket(socket.AF_UNIX)
s.bind(path)
assert stat.S_ISSOCK(os.stat(path).st_mode)
os.chmod(path, 0o666)
os.chown(path, -1, -1)
{SERVE}
folder = os.open(os.path.dirname(path), os.O_RDONLY)
os.unlink(os.path.basename(path), dir_fd=folder)
own = os.path.join(os.path.dirname(path), 'file')
open(own, 'w').close()
os.chmod(own, 0o600)
os.unlink(own)
print(os.path.exists(own))
"
    );
    let mut rig = Rig::start(Mode::Replay, strategy, Rules::default(), python(&script));
    let hidden = hidden(&rig.wait_for("listening"));
    assert!(UnixStream::connect(path).is_err() || path.with_extension("others").exists());
    let seen = read_all(&hidden);
    assert_eq!(rig.finish().succeeded().output, "False\n");
    seen
}

#[test]
fn in_replay_other_sockets_are_the_apps_own() {
    everywhere("unix::in_replay_other_sockets_are_the_apps_own", |strategy| {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "
import os, socket
path = {path:?}
for kind in socket.SOCK_DGRAM, socket.SOCK_SEQPACKET:
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(path)
    os.chmod(path, 0o600)
    assert os.stat(path).st_mode & 0o777 == 0o600
    s.close()
    os.unlink(path)
    assert not os.path.exists(path)
",
            path = folder.path().join("own.sock")
        );
        let outcome = run(Mode::Replay, strategy, Rules::default(), python(&script));
        outcome.succeeded();
    });
}

#[test]
fn what_was_left_behind_is_removed_in_replay() {
    everywhere("unix::what_was_left_behind_is_removed_in_replay", |strategy| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("left.sock");
        drop(UnixListener::bind(&path).unwrap());
        let script = format!("import os\nos.unlink({path:?})\nprint(os.path.exists({path:?}))");
        let outcome = run(Mode::Replay, strategy, Rules::default(), python(&script));
        assert_eq!(outcome.succeeded().output, "False\n");
    });
}

#[test]
fn replay_leaves_the_path_alone() {
    everywhere("unix::replay_leaves_the_path_alone", |strategy| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let names = format!("('{0}', '{0}')", path.display());
        assert_eq!(replay_at(strategy, &path), names, "{strategy:?}");
        assert!(!path.exists());
        // Another program has it and keeps it.
        let others = UnixListener::bind(&path).unwrap();
        std::fs::write(path.with_extension("others"), "").unwrap();
        let rights = std::fs::metadata(&path).unwrap().permissions();
        assert_eq!(replay_at(strategy, &path), names);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions(), rights);
        assert!(UnixStream::connect(&path).is_ok());
        drop(others);
    });
}
