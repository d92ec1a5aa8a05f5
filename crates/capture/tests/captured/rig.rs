//! Runs a real program under capture and collects what was noticed. Every
//! redirected connection is served by a line server that names the address the
//! program asked for.

use std::ffi::OsString;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rehearsal_capture::{
    BoxFuture, Captured, Clock, Endpoint, Mode, Notice, Options, Policy, Running, Strategy,
    Verdict, enter, prepare,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const PATIENCE: Duration = Duration::from_secs(20);
const UNPRIVILEGED: u32 = 65_534;
const AS_UNPRIVILEGED: &str = "CAPTURE_TEST_UNPRIVILEGED";

/// Runs `body` with each strategy, and all again as an unprivileged user when
/// the tests run as root. `name` is the name of the calling test.
pub(crate) fn everywhere(name: &str, body: impl Fn(Strategy)) {
    everywhere_with(name, Path::new("/"), |_| {}, |strategy, _| body(strategy));
}

/// The same, with a folder in which something is made once, before all: by the
/// user who runs the tests.
pub(crate) fn everywhere_with(
    name: &str,
    folder: &Path,
    make: impl Fn(&Path),
    body: impl Fn(Strategy, &PathBuf),
) {
    let made = std::env::var_os(AS_UNPRIVILEGED).map(PathBuf::from);
    if made.is_none() {
        make(folder);
    }
    let is_unprivileged = made.is_some();
    let folder = made.unwrap_or_else(|| folder.to_owned());
    for strategy in [Strategy::PidfdGetfd, Strategy::AddFd] {
        body(strategy, &folder);
    }
    // SAFETY: the call takes nothing and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    if is_root && !is_unprivileged {
        let copies = shared_folder();
        let program = copies.path().join("tests");
        // Copied by another process: a descriptor open for writing that a child
        // of a parallel test inherits would make the program busy.
        let copy = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status();
        assert!(copy.unwrap().success());
        let status = Command::new(program)
            .args([name, "--exact", "--nocapture"])
            .env(AS_UNPRIVILEGED, &folder)
            .current_dir("/")
            .uid(UNPRIVILEGED)
            .gid(UNPRIVILEGED)
            .status()
            .unwrap();
        assert!(status.success(), "{name} failed as an unprivileged user");
    }
}

/// Makes the kernel seem older than 5.19 to the command: it refuses the flag that
/// keeps signals from interrupting a captured call.
pub(crate) fn before_killable_waits(command: &mut Command) {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let program = [
        step(0x20, 0, 0, 0),                        // load the call's number
        step(0x15, 0, 3, libc::SYS_seccomp as u32), // if it is seccomp
        step(0x20, 0, 0, 24),                       // load its flags
        step(0x45, 0, 1, 1 << 5),                   // if WAIT_KILLABLE_RECV is set
        step(0x06, 0, 0, 0x0005_0000 | libc::EINVAL as u32),
        step(0x06, 0, 0, 0x7fff_0000),
    ];
    filtered(command, program);
}

/// Refuses `pidfd_getfd` to the command, as containers do.
pub(crate) fn without_duplicates(command: &mut Command) {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let program = [
        step(0x20, 0, 0, 0),                            // load the call's number
        step(0x15, 0, 1, libc::SYS_pidfd_getfd as u32), // if it is pidfd_getfd
        step(0x06, 0, 0, 0x0005_0000 | libc::EPERM as u32),
        step(0x06, 0, 0, 0x7fff_0000),
    ];
    filtered(command, program);
}

/// Runs the command under a filter.
fn filtered<const LENGTH: usize>(command: &mut Command, program: [libc::sock_filter; LENGTH]) {
    let install = move || {
        let filter =
            libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
        // SAFETY: the filter leads to a live array of the length given.
        let result = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter)
        };
        if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: the closure makes two system calls and allocates nothing.
    unsafe { command.pre_exec(install) };
}

/// A temporary folder that every user can look into.
pub(crate) fn shared_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// Compiles a C program, statically linked.
pub(crate) fn compile(source: &str, folder: &Path) -> PathBuf {
    let file = folder.join("program.c");
    std::fs::write(&file, source).unwrap();
    let program = folder.join("program");
    let status = Command::new("cc")
        .args(["-O1", "-static", "-pthread", "-o"])
        .args([&program, &file])
        .status()
        .unwrap();
    assert!(status.success(), "a C compiler with a static C library is needed");
    program
}

pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", script]);
    command
}

type Resolve = dyn Fn(SocketAddr, &[u8]) -> Option<Vec<u8>> + Send + Sync;

/// Redirects everything but what its closures say otherwise.
pub(crate) struct Rules {
    pub(crate) connect: Box<dyn Fn(&Endpoint) -> Verdict + Send + Sync>,
    pub(crate) resolve: Box<Resolve>,
    pub(crate) datagram: Box<dyn Fn(SocketAddr) -> Result<(), i32> + Send + Sync>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            connect: Box::new(|to| Verdict::Redirect(Box::new(to.to_string()))),
            resolve: Box::new(|_, _| None),
            datagram: Box::new(|_| Err(libc::EACCES)),
        }
    }
}

impl Policy for Rules {
    fn connect(&self, to: &Endpoint) -> BoxFuture<'_, Verdict> {
        let verdict = (self.connect)(to);
        Box::pin(async { verdict })
    }

    fn resolve(&self, server: SocketAddr, query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
        let answer = (self.resolve)(server, &query);
        Box::pin(async { answer })
    }

    fn datagram(&self, to: SocketAddr) -> Result<(), i32> {
        (self.datagram)(to)
    }
}

/// A program under capture.
pub(crate) struct Rig {
    child: Child,
    running: Running,
    events: Arc<Mutex<Vec<String>>>,
    seen: UnboundedReceiver<String>,
    runtime: Runtime,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    /// One line per notice, such as `outbound 10.0.0.1:80`.
    pub(crate) events: Vec<String>,
}

impl Outcome {
    pub(crate) fn count(&self, event: &str) -> usize {
        self.events.iter().filter(|seen| *seen == event).count()
    }

    #[track_caller]
    pub(crate) fn succeeded(&self) -> &Self {
        assert!(self.status.success(), "{self:#?}");
        self
    }
}

/// Runs the program to its end.
pub(crate) fn run(mode: Mode, strategy: Strategy, rules: Rules, command: Command) -> Outcome {
    Rig::start(mode, strategy, rules, command).finish()
}

impl Rig {
    pub(crate) fn start(mode: Mode, strategy: Strategy, rules: Rules, command: Command) -> Self {
        Self::with_clock(mode, strategy, rules, None, command)
    }

    pub(crate) fn with_clock(
        mode: Mode,
        strategy: Strategy,
        rules: Rules,
        clock: Option<Arc<Clock>>,
        mut command: Command,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let options = Options { mode, strategy, clock, runtime: runtime.handle().clone() };
        let (notices, mut receiver) = unbounded_channel();
        let (pending, child_end) = prepare(options, Arc::new(rules), notices).unwrap();
        let starting = std::thread::spawn(move || pending.start());
        let fd = child_end.fd();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        // SAFETY: `enter` is made to be called between fork and exec.
        unsafe { command.pre_exec(move || enter(fd)) };
        let child = command.spawn();
        drop(child_end);
        let running = starting.join().unwrap().expect("capture starts");
        let (seen_tx, seen) = unbounded_channel();
        let events = Arc::new(Mutex::new(Vec::new()));
        let all = events.clone();
        runtime.spawn(async move {
            while let Some(notice) = receiver.recv().await {
                let line = describe(notice);
                all.lock().unwrap().push(line.clone());
                let _ = seen_tx.send(line);
            }
        });
        Self { child: child.unwrap(), running, events, seen, runtime }
    }

    /// How sockets are taken.
    pub(crate) fn strategy(&self) -> Strategy {
        self.running.strategy()
    }

    /// Waits for a notice that begins with `event` and gives it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, event: &str) -> String {
        let found = self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                loop {
                    let line = self.seen.recv().await.expect("notices go on");
                    if line.starts_with(event) {
                        return line;
                    }
                }
            })
            .await
        });
        found.unwrap_or_else(|_| panic!("no {event:?} in {:#?}", self.events.lock().unwrap()))
    }

    /// Waits until the last process under capture is gone.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Outcome {
        self.wait_for("ended");
        let mut output = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        let status = self.child.wait().unwrap();
        let events = self.events.lock().unwrap().clone();
        Outcome { status, output, events }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // SAFETY: the call takes integers only; the child leads its own group.
        unsafe { libc::kill(-(self.child.id() as i32), libc::SIGKILL) };
        let _ = self.child.wait();
    }
}

fn describe(notice: Notice) -> String {
    match notice {
        Notice::Outbound { to, ticket, stream, .. } => {
            assert_eq!(*ticket.downcast::<String>().unwrap(), to.to_string());
            let line = format!("outbound {to}");
            match stream {
                Captured::Tcp(stream) => {
                    drop(tokio::spawn(serve(TcpStream::from_std(stream).unwrap(), to)));
                }
                Captured::Unix(stream) => {
                    drop(tokio::spawn(serve(UnixStream::from_std(stream).unwrap(), to)));
                }
            }
            line
        }
        Notice::Inbound { visible, hidden, stream } => {
            let line = format!("inbound {visible}");
            tokio::spawn(forward(stream, hidden));
            line
        }
        Notice::Listening { visible, hidden, pid } => format!("listening {visible} {hidden} {pid}"),
        Notice::Closed { visible } => format!("closed {visible}"),
        Notice::Passed { to, .. } => format!("passed {to}"),
        Notice::Refused { to, errno, .. } => format!("refused {to} {errno}"),
        Notice::NameService { to, .. } => format!("name service {to}"),
        Notice::Inner { to } => format!("inner {to}"),
        Notice::Trouble(text) => format!("trouble {text}"),
        Notice::Ended => "ended".to_owned(),
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, to: Endpoint) {
    let mut byte = [0u8];
    while matches!(stream.read(&mut byte).await, Ok(1)) {
        if byte == *b"\n" {
            let _ = stream.write_all(format!("hello from {to}\n").as_bytes()).await;
        }
    }
}

async fn forward(stream: Captured, hidden: Endpoint) {
    match (stream, hidden) {
        (Captured::Tcp(front), Endpoint::Tcp(hidden)) => {
            let front = TcpStream::from_std(front).unwrap();
            join(front, TcpStream::connect(hidden).await).await;
        }
        (Captured::Unix(front), Endpoint::Unix(hidden)) => {
            let front = UnixStream::from_std(front).unwrap();
            let hidden = PathBuf::from(OsString::from_vec(hidden));
            join(front, UnixStream::connect(hidden).await).await;
        }
        _ => {}
    }
}

async fn join<S: AsyncRead + AsyncWrite + Unpin>(mut front: S, app: std::io::Result<S>) {
    if let Ok(mut app) = app {
        let _ = tokio::io::copy_bidirectional(&mut front, &mut app).await;
    }
}
