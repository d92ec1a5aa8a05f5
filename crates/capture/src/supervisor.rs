//! Starts the supervision of one process tree and answers its calls: one thread
//! receives them, what has to wait runs on the caller's runtime. What is done
//! for each kind of call is in `connect`, `bind` and `datagram`.

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::UnboundedSender;

use crate::bind::unix::Hideout;
use crate::contract::{CaptureError, Notice, Options, Policy, Strategy};
use crate::enter::{self, Report};
use crate::files::{self, StandIns};
use crate::filter;
use crate::fronts::{Arrivals, Meeting};
use crate::kernel::{self, Listener};
use crate::names::Names;
use crate::paths;
use crate::resolver::Resolvers;
use crate::turn::Turns;

/// All that the handlers of calls share.
pub(crate) struct Shared {
    pub(crate) listener: Listener,
    pub(crate) options: Options,
    /// Whether sockets are taken by `pidfd_getfd`.
    pub(crate) duplicating: bool,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) notices: UnboundedSender<Notice>,
    pub(crate) names: Mutex<Names>,
    pub(crate) meeting: Arc<Meeting>,
    pub(crate) arrivals: Arrivals,
    pub(crate) resolvers: Resolvers,
    pub(crate) turns: Turns,
    pub(crate) stand_ins: StandIns,
    pub(crate) hideout: Hideout,
    pub(crate) foreign_reported: AtomicBool,
    pub(crate) passed_datagrams: Mutex<std::collections::HashSet<crate::Endpoint>>,
}

impl Shared {
    pub(crate) fn notify(&self, notice: Notice) {
        // Nobody listening any more is not the app's trouble.
        let _ = self.notices.send(notice);
    }
}

/// A capture that waits for its process.
pub struct Pending {
    socket: OwnedFd,
    options: Options,
    policy: Arc<dyn Policy>,
    notices: UnboundedSender<Notice>,
    stand_ins: StandIns,
    hideout: Hideout,
}

/// What the child needs to call [`crate::enter`]. Keep it until the child has
/// been spawned or could not be, then drop it: [`Pending::start`] learns by it
/// that no child will come.
pub struct ChildEnd {
    socket: OwnedFd,
    folder: PathBuf,
}

impl ChildEnd {
    /// The descriptor that [`crate::enter`] takes. It is close-on-exec, which
    /// is right for a child that calls `enter` before exec.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// A folder of the capture, which goes with it; whoever outlives a kill of
    /// this process removes it then.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Makes the two ends over which a child will hand its calls to a supervisor.
pub fn prepare(
    options: Options,
    policy: Arc<dyn Policy>,
    notices: UnboundedSender<Notice>,
) -> io::Result<(Pending, ChildEnd)> {
    let mut ends = [0; 2];
    // Sequenced packets, because datagrams do not tell that the other end is gone.
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the array has room for two descriptors, which are ours afterwards.
    let (ours, theirs) = unsafe {
        kernel::check(libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()).into())?;
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    };
    let files = policy.files();
    say(&ours, filter::Kind::of(&options, !files.is_empty()).byte())?;
    let stand_ins = StandIns::new(&files);
    let hideout = Hideout::make()?;
    let end = ChildEnd { socket: theirs, folder: hideout.folder().to_owned() };
    Ok((Pending { socket: ours, options, policy, notices, stand_ins, hideout }, end))
}

impl Pending {
    /// Waits for the child to call [`crate::enter`] and begins to supervise it.
    /// Blocks; the thread that spawns the child blocks until this is done, so
    /// it must be another one.
    pub fn start(self) -> Result<Running, CaptureError> {
        let (report, listener) = receive(&self.socket)?;
        let listener = listener.ok_or_else(|| refusal(report))?;
        let duplicating = match self.options.strategy {
            Strategy::PidfdGetfd => true,
            Strategy::AddFd => false,
            Strategy::Auto => kernel::duplicate(report.pid, report.fd).is_ok(),
        };
        let listener = Listener(listener);
        // Older kernels are slower, no more.
        let _ = listener.hand_over_at_once();
        let runtime = self.options.runtime.clone();
        let meeting = Arc::new(Meeting::new(self.notices.clone()));
        let shared = Arc::new(Shared {
            listener,
            duplicating,
            names: Mutex::default(),
            arrivals: Arrivals::open(&runtime, &meeting)?,
            meeting,
            resolvers: Resolvers::new(runtime, self.policy.clone()),
            turns: Turns::default(),
            foreign_reported: AtomicBool::new(false),
            passed_datagrams: Mutex::default(),
            options: self.options,
            policy: self.policy,
            notices: self.notices,
            stand_ins: self.stand_ins,
            hideout: self.hideout,
        });
        let running = Running::begin(shared)?;
        say(&self.socket, 1).map_err(|_| CaptureError::ChildGone)?;
        Ok(running)
    }
}

fn say(socket: &OwnedFd, byte: u8) -> io::Result<()> {
    // SAFETY: the buffer is one byte long.
    let count = unsafe { libc::write(socket.as_raw_fd(), (&raw const byte).cast(), 1) };
    kernel::check(count as libc::c_long).map(drop)
}

fn refusal(report: Report) -> CaptureError {
    let source = io::Error::from_raw_os_error(report.errno);
    match report.step {
        enter::STEP_FILTER if report.errno == libc::EBUSY => CaptureError::Nested,
        enter::STEP_FILTER => CaptureError::FilterRefused { step: "seccomp", source },
        _ => CaptureError::FilterRefused { step: "no_new_privs", source },
    }
}

fn receive(socket: &OwnedFd) -> Result<(Report, Option<OwnedFd>), CaptureError> {
    let mut report = Report::default();
    let mut part =
        libc::iovec { iov_base: (&raw mut report).cast(), iov_len: mem::size_of::<Report>() };
    let mut carrier = enter::carrier(-1);
    // SAFETY: a message header of zeros is a valid, empty one.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut carrier).cast();
    message.msg_controllen = mem::size_of::<enter::Carrier>() as _;
    let count = loop {
        // SAFETY: every pointer in the message leads to a live local of the size given.
        let count =
            unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        match kernel::check(count as libc::c_long) {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            other => break other.map_err(CaptureError::Io)?,
        }
    };
    if count as usize != mem::size_of::<Report>() {
        return Err(CaptureError::ChildGone);
    }
    let carried = message.msg_controllen as usize >= mem::size_of::<libc::cmsghdr>() + 4
        && carrier.header.cmsg_type == libc::SCM_RIGHTS
        && carrier.fd >= 0;
    // SAFETY: the kernel has just put a new descriptor of ours there.
    let listener = carried.then(|| unsafe { OwnedFd::from_raw_fd(carrier.fd) });
    Ok((report, listener))
}

/// A capture at work. Dropping it ends the threads and closes the fronts; calls
/// that the app makes afterwards fail with `ENOSYS`.
pub struct Running {
    shared: Arc<Shared>,
    wake: Arc<OwnedFd>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn begin(shared: Arc<Shared>) -> io::Result<Self> {
        // SAFETY: the call takes integers only; the result is a descriptor of ours.
        let wake = unsafe {
            let fd = kernel::check(libc::eventfd(0, libc::EFD_CLOEXEC).into())?;
            Arc::new(OwnedFd::from_raw_fd(fd as RawFd))
        };
        let (inner, waking) = (shared.clone(), wake.clone());
        let thread = std::thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || serve(&inner, &waking))?;
        Ok(Self { shared, wake, thread: Some(thread) })
    }

    /// How sockets are taken; never `Auto`.
    pub fn strategy(&self) -> Strategy {
        if self.shared.duplicating { Strategy::PidfdGetfd } else { Strategy::AddFd }
    }

    /// Ends the capture. The same as dropping it.
    pub fn stop(self) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: the buffer is the eight bytes that an eventfd takes.
        unsafe { libc::write(self.wake.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            let _ = thread.join();
        }
        drop(crate::lock(&self.shared.names).take_bindings());
    }
}

fn serve(shared: &Arc<Shared>, wake: &OwnedFd) {
    let watch = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let listener = shared.listener.0.as_fd();
    loop {
        let mut watched = [watch(listener.as_raw_fd()), watch(wake.as_raw_fd())];
        // SAFETY: the array has the two entries that we say.
        let ready = unsafe { libc::poll(watched.as_mut_ptr(), 2, -1) };
        if ready < 0 || watched[1].revents != 0 {
            if ready < 0 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return;
        }
        if watched[0].revents & libc::POLLIN != 0 {
            // A caller that is gone already has nothing to be answered.
            if let Ok(call) = shared.listener.receive() {
                dispatch(shared, call);
            }
        } else if watched[0].revents != 0 {
            return ended(shared);
        }
    }
}

/// The last process under the filter is gone, and its ports with it.
fn ended(shared: &Shared) {
    for (at, binding) in crate::lock(&shared.names).take_bindings() {
        if binding.listening
            && let Some(visible) = crate::Endpoint::of(&at)
        {
            shared.notify(Notice::Closed { visible });
        }
    }
    shared.notify(Notice::Ended);
}

fn dispatch(shared: &Arc<Shared>, call: kernel::Call) {
    let call = crate::call::Waiting::new(shared.clone(), call);
    if call.is_foreign() {
        if !shared.foreign_reported.swap(true, Ordering::Relaxed) {
            call.trouble("runs 32-bit code, which cannot be captured; its calls are refused");
        }
        return call.finish(Err(libc::ENOSYS));
    }
    match i64::from(call.number()) {
        libc::SYS_connect => crate::connect::connect(call),
        libc::SYS_bind => crate::bind::bind(call),
        libc::SYS_listen => crate::bind::listen(call),
        libc::SYS_getsockname => crate::bind::local_name(call),
        libc::SYS_getpeername => crate::connect::peer_name(call),
        libc::SYS_sendto => crate::datagram::send(call),
        libc::SYS_sendmsg => crate::message::send(call),
        libc::SYS_sendmmsg => crate::message::send_many(call),
        libc::SYS_recvfrom => crate::datagram::receive(call),
        libc::SYS_openat | libc::SYS_openat2 => files::open(call),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => files::open(call),
        libc::SYS_unlinkat | libc::SYS_fchmodat | libc::SYS_fchownat => paths::change(call),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink | libc::SYS_chmod | libc::SYS_chown | libc::SYS_lchown => {
            paths::change(call)
        }
        _ => match call.shared.options.clock.clone() {
            Some(clock) => crate::clock::answer(&clock, call),
            None => call.resume(),
        },
    }
}
