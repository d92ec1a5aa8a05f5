//! Measures what capture costs one call of an app: `connect` under several
//! policies beside a plain one, and `sendmsg` on a stream in replay. Judges
//! nothing: it prints microseconds.
//!
//! `cargo run --release -p rehearsal-capture --example latency [ROUNDS]`

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use rehearsal_capture::{
        BoxFuture, Endpoint, Mode, Options, Policy, Strategy, Verdict, enter, prepare,
    };

    /// The argument by which this program knows that it is the app.
    const APP: &str = "app";

    #[derive(Clone, Copy)]
    enum Rule {
        AtOnce,
        Dial(SocketAddr),
        Pass,
    }

    impl Policy for Rule {
        fn connect(&self, _to: &Endpoint) -> BoxFuture<'_, Verdict> {
            Box::pin(async move {
                match self {
                    Rule::AtOnce => Verdict::Redirect(Box::new(())),
                    Rule::Dial(to) => match tokio::net::TcpStream::connect(to).await {
                        Ok(upstream) => Verdict::Redirect(Box::new(upstream)),
                        Err(_) => Verdict::Pass,
                    },
                    Rule::Pass => Verdict::Pass,
                }
            })
        }

        fn resolve(&self, _server: SocketAddr, _query: Vec<u8>) -> BoxFuture<'_, Option<Vec<u8>>> {
            Box::pin(async { None })
        }

        fn datagram(&self, _to: SocketAddr) -> Result<(), i32> {
            Ok(())
        }
    }

    pub(super) fn main() {
        let words: Vec<String> = std::env::args().skip(1).collect();
        if let [word, what, rounds, to] = words.as_slice()
            && word == APP
        {
            return app(what, rounds.parse().unwrap(), to.parse().unwrap());
        }
        let rounds = words.first().map_or(5000, |rounds| rounds.parse().unwrap());
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        std::thread::spawn(move || server.incoming().for_each(drop));
        let by = Strategy::PidfdGetfd;
        let cases = [
            ("connect, plain", "connect", None),
            ("connect, passed", "connect", Some((Rule::Pass, by))),
            ("connect, answered at once", "connect", Some((Rule::AtOnce, by))),
            ("the same, socket replaced", "connect", Some((Rule::AtOnce, Strategy::AddFd))),
            ("connect, dialled first", "connect", Some((Rule::Dial(to), by))),
            ("sendmsg, plain", "sendmsg", None),
            ("sendmsg, in replay", "sendmsg", Some((Rule::AtOnce, by))),
            ("getsockname, plain", "name", None),
            ("getsockname, captured", "name", Some((Rule::AtOnce, by))),
        ];
        let mut out = std::io::stdout().lock();
        for (name, what, rule) in cases {
            let figures = measure(what, rounds, to, rule);
            writeln!(out, "{name:<28}{figures}").unwrap();
        }
    }

    /// Runs the app and gives what it found.
    fn measure(
        what: &str,
        rounds: usize,
        to: SocketAddr,
        rule: Option<(Rule, Strategy)>,
    ) -> String {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let mut app = Command::new("/proc/self/exe");
        app.args([APP, what, &rounds.to_string(), &to.to_string()]).stdout(Stdio::piped());
        let capture = rule.map(|(rule, strategy)| {
            let options = Options {
                mode: Mode::Replay,
                strategy,
                clock: None,
                runtime: runtime.handle().clone(),
            };
            let (notices, mut receiver) = tokio::sync::mpsc::unbounded_channel();
            let (pending, end) = prepare(options, Arc::new(rule), notices).unwrap();
            let fd = end.fd();
            // SAFETY: `enter` is made to be called between fork and exec.
            unsafe { app.pre_exec(move || enter(fd)) };
            runtime.spawn(async move { while receiver.recv().await.is_some() {} });
            (std::thread::spawn(move || pending.start()), end)
        });
        let mut child = app.spawn().unwrap();
        let running = capture.map(|(starting, _end)| starting.join().unwrap().unwrap());
        let mut figures = String::new();
        child.stdout.take().unwrap().read_to_string(&mut figures).unwrap();
        assert!(child.wait().unwrap().success());
        drop(running);
        figures
    }

    fn app(what: &str, rounds: usize, to: SocketAddr) {
        let (one, other) = UnixStream::pair().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let drain = other.try_clone().unwrap();
        std::thread::spawn(move || {
            let (mut drain, mut buffer) = (drain, [0; 4096]);
            while matches!(drain.read(&mut buffer), Ok(1..)) {}
        });
        let mut times: Vec<Duration> = (0..rounds)
            .map(|_| {
                let began = Instant::now();
                match what {
                    "connect" => drop(TcpStream::connect(to).unwrap()),
                    "sendmsg" => send_message(&one),
                    _ => drop(listener.local_addr().unwrap()),
                }
                began.elapsed()
            })
            .collect();
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 1000].as_secs_f64() * 1e6;
        let (half, most) = (at(500), at(990));
        let mut out = std::io::stdout().lock();
        write!(out, "p50 {half:7.1} us   p99 {most:7.1} us").unwrap();
    }

    fn send_message(stream: &UnixStream) {
        let byte = 1u8;
        let mut part = libc::iovec { iov_base: (&raw const byte).cast_mut().cast(), iov_len: 1 };
        // SAFETY: a message header of zeros is a valid, empty one.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        // SAFETY: every pointer in the message leads to a live local.
        assert_eq!(unsafe { libc::sendmsg(stream.as_raw_fd(), &raw const message, 0) }, 1);
    }
}
