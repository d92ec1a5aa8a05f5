//! What observed connections weigh: memory while much flows, and while nothing does.
//!
//! The peers are plain blocking sockets, so that all heap use of note is that of the loops and of
//! the runtime beneath them.

#[path = "line/protocol.rs"]
#[allow(dead_code)] // Other tests use more of it.
mod protocol;

use protocol::LINE;
use rehearsal_model::{Exchange, ExchangeId, Moment};
use rehearsal_proxy::{
    Clock, ConnectionId, ConnectionOptions, ConnectionReport, Ended, NoTls, Observe, Sink, Stream,
    Watch, observe,
};
use rehearsal_wire::{Limits, Protocol};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use tokio::runtime::Runtime;

/// Counts what is allocated.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came; counting touches atomics
// only, and so allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Only one test may count at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Passes on that an exchange was emitted (true) or a connection has finished (false).
struct Tally(mpsc::Sender<(bool, Ended)>);

impl Watch for Tally {
    fn warning(&self, connection: ConnectionId, text: &str) {
        panic!("{connection:?}: {text}");
    }

    fn finished(&self, _connection: ConnectionId, report: ConnectionReport) {
        let _ = self.0.send((false, report.ended));
    }
}

impl Sink for Tally {
    fn begin(&self, _connection: ConnectionId, _id: ExchangeId, _at: Moment) {}

    fn emit(
        &self,
        _connection: ConnectionId,
        _protocol: &'static dyn Protocol,
        _id: ExchangeId,
        _exchange: Box<Exchange>,
    ) {
        let _ = self.0.send((true, Ended::Finished));
    }

    fn abandon(&self, connection: ConnectionId, _id: ExchangeId) {
        panic!("{connection:?} gave up");
    }
}

static PROTOCOLS: &[&dyn Protocol] = &[LINE];

/// Connections over loopback, of which the loops carry the middle.
struct Bench {
    runtime: Runtime,
    listener: TcpListener,
    sink: Arc<dyn Sink>,
    told: mpsc::Receiver<(bool, Ended)>,
}

impl Bench {
    fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let (told_tx, told) = mpsc::channel();
        Bench {
            runtime: runtime.worker_threads(2).enable_all().build().unwrap(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            sink: Arc::new(Tally(told_tx)),
            told,
        }
    }

    fn pair(&self) -> (TcpStream, TcpStream) {
        let opened = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        (opened, self.listener.accept().unwrap().0)
    }

    /// The client and the server of a connection that is observed.
    fn connect(&self, id: u64) -> (TcpStream, TcpStream) {
        let (client, client_end) = self.pair();
        let (server_end, server) = self.pair();
        let _entered = self.runtime.enter();
        let stream = |end: TcpStream| -> Stream {
            end.set_nonblocking(true).unwrap();
            tokio::net::TcpStream::from_std(end).unwrap().into()
        };
        self.runtime.spawn(observe(Observe {
            options: ConnectionOptions {
                id: ConnectionId(id),
                protocols: PROTOCOLS,
                limits: Limits::default(),
                clock: Clock::start(),
                words: Arc::default(),
            },
            client: stream(client_end),
            server: stream(server_end),
            protocol: None,
            tls: Box::new(NoTls),
            gate: None,
            sink: Arc::clone(&self.sink),
        }));
        (client, server)
    }
}

/// Sends back whatever comes until the client has finished.
fn echo(mut server: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match server.read(&mut buffer).unwrap() {
                0 => return,
                count => server.write_all(&buffer[..count]).unwrap(),
            }
        }
    });
}

/// 64 MiB there and back: lines of 64 KiB one by one, then a stream that nobody can read, as fast
/// as it goes.
#[test]
fn much_flows_through_little_memory() {
    const CHUNK: usize = 64 << 10;
    const COUNT: usize = 1024;
    const BOUND: usize = 2 << 20;
    let _alone = alone();
    let bench = Bench::new();
    for is_lines in [true, false] {
        let (mut client, server) = bench.connect(1);
        echo(server);
        let mut chunk = vec![if is_lines { b'a' } else { 0 }; CHUNK];
        if is_lines {
            chunk[CHUNK - 1] = b'\n';
        }
        let mut back = vec![0; CHUNK];
        let before = LIVE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        if is_lines {
            for _ in 0..COUNT {
                client.write_all(&chunk).unwrap();
                client.read_exact(&mut back).unwrap();
                assert!(back == chunk);
            }
        } else {
            let (mut writer, chunk) = (client.try_clone().unwrap(), chunk.clone());
            let writing = std::thread::spawn(move || {
                for _ in 0..COUNT {
                    writer.write_all(&chunk).unwrap();
                }
            });
            for _ in 0..COUNT {
                client.read_exact(&mut back).unwrap();
            }
            writing.join().unwrap();
        }
        let used = PEAK.load(Ordering::Relaxed) - before;
        assert!(used < BOUND, "{used} bytes were in use at once (lines: {is_lines})");
        client.shutdown(Shutdown::Both).unwrap();
        let emitted = bench.told.iter().take_while(|(is_exchange, _)| *is_exchange).count();
        assert_eq!(emitted, if is_lines { COUNT } else { 0 });
    }
}

/// Raises the number of files that this process may open as far as it goes; returns it.
fn raise_file_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live `rlimit`, which is all that these calls want.
    let raised = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 && {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0
        }
    };
    assert!(raised, "{}", std::io::Error::last_os_error());
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// Ten thousand connections, or as many as the limit on open files allows, each of which has had an exchange and is idle.
#[test]
fn idle_connections_cost_little() {
    const WANTED: usize = 10_000;
    /// Bytes of the heap for a connection: its task, its registrations and its session.
    const MOST: usize = 4 << 10;
    let _alone = alone();
    let files = raise_file_limit();
    let fitting = WANTED.min(files.saturating_sub(200) / 4);
    // Both ends of both sides are here, so a connection takes four of the files we may open. What it
    // costs is the same for fewer connections; too few would say nothing.
    assert!(
        fitting >= 1_000,
        "of {files} open files that are allowed, only {fitting} connections fit"
    );
    let bench = Bench::new();
    // Whatever the first connection sets up for all is not counted.
    let mut connections = vec![bench.connect(0)];
    connections.reserve(fitting);
    exchange(&mut connections[0]);
    bench.told.recv().unwrap();
    let before = LIVE.load(Ordering::Relaxed);
    for id in 1..fitting {
        connections.push(bench.connect(id as u64));
        exchange(connections.last_mut().unwrap());
    }
    for _ in 1..fitting {
        assert!(bench.told.recv().unwrap().0);
    }
    let each = (LIVE.load(Ordering::Relaxed) - before) / fitting;
    assert!(each < MOST, "{each} bytes for each of {fitting} connections");

    // All are alive still, and each says once that it is over.
    for connection in &mut connections {
        exchange(connection);
    }
    drop(connections);
    let mut finished = 0;
    for (is_exchange, ended) in bench.told.iter().take(2 * fitting) {
        finished += usize::from(!is_exchange);
        assert!(is_exchange || ended == Ended::Finished, "{ended:?}");
    }
    assert_eq!(finished, fitting);
    drop(bench.runtime);
    assert!(bench.told.try_recv().is_err(), "a connection was reported twice");
}

/// A question and its answer.
fn exchange((client, server): &mut (TcpStream, TcpStream)) {
    let mut line = [0; 6];
    client.write_all(b"hello\n").unwrap();
    server.read_exact(&mut line).unwrap();
    server.write_all(&line).unwrap();
    client.read_exact(&mut line).unwrap();
    assert_eq!(line, *b"hello\n");
}
