//! One call of the app that waits for its answer. It is answered exactly once,
//! even if a handler panics or its task is dropped.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;

use crate::app_socket::AppSocket;
use crate::contract::Notice;
use crate::filter;
use crate::kernel::Call;
use crate::memory;
use crate::names::Lost;
use crate::process;
use crate::socket::{Address, LONGEST};
use crate::supervisor::Shared;

pub(crate) struct Waiting {
    pub(crate) shared: Arc<Shared>,
    call: Call,
    answered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.shared.listener.finish(self.call.id, Err(libc::EIO));
        }
    }
}

impl Waiting {
    pub(crate) fn new(shared: Arc<Shared>, call: Call) -> Self {
        Self { shared, call, answered: false }
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    pub(crate) fn tid(&self) -> i32 {
        self.call.tid()
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.call.fd()
    }

    pub(crate) fn number(&self) -> i32 {
        self.call.number
    }

    pub(crate) fn arg(&self, index: usize) -> u64 {
        self.call.args[index]
    }

    /// Where the program goes on after the call.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn instruction(&self) -> u64 {
        self.call.instruction
    }

    /// Whether the call was made in another ABI than the filter's numbers.
    pub(crate) fn is_foreign(&self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let x32 = self.call.number as u32 & filter::X32_BIT != 0;
        #[cfg(not(target_arch = "x86_64"))]
        let x32 = false;
        x32 || self.call.arch != filter::NATIVE
    }

    /// Ends the call with this result.
    pub(crate) fn finish(mut self, result: Result<i64, i32>) {
        self.answered = true;
        // A caller that was interrupted has done nothing that must be kept.
        let _ = self.shared.listener.finish(self.call.id, result);
    }

    /// Ends a call whose effect on socket `inode` has happened. If a signal has
    /// interrupted it, the app will restart it and is then given the same result.
    pub(crate) fn finish_once(mut self, inode: u64, asked: Address, result: Result<i64, i32>) {
        self.answered = true;
        if self.shared.listener.finish(self.call.id, result).is_err() {
            crate::lock(&self.shared.names).lose(inode, Lost { asked, result });
        }
    }

    /// Lets the kernel run the call unchanged.
    pub(crate) fn resume(mut self) {
        self.answered = true;
        let _ = self.shared.listener.resume(self.call.id);
    }

    /// Ends the call with a copy of a file as its result; the call runs unchanged where that is refused.
    pub(crate) fn give_file(mut self, file: BorrowedFd<'_>, close_on_exec: bool) {
        let given = self.shared.listener.finish_with_fd(self.call.id, file, close_on_exec);
        match given {
            Ok(()) => self.answered = true,
            Err(_) => self.resume(),
        }
    }

    /// Tells the user about the calling process.
    pub(crate) fn trouble(&self, what: &str) {
        let process = process::thread_group(self.tid());
        let program = process::program(self.tid());
        let text = format!("process {process} ({program}) {what}");
        self.shared.notify(Notice::Trouble(text));
    }

    /// The socket address in two arguments. `Err` has answered the call.
    pub(crate) fn address(self, at: usize, length: usize) -> Result<(Self, Address), ()> {
        let length = self.arg(length) as u32 as usize;
        if length > LONGEST {
            self.resume();
            return Err(());
        }
        match memory::read(self.tid(), self.arg(at), length) {
            Ok(bytes) => Ok((self, Address::parse(&bytes))),
            Err(error) => {
                self.out_of_reach(&error);
                Err(())
            }
        }
    }

    /// The socket in the first argument. `Err` has answered the call.
    pub(crate) fn socket(self) -> Result<(Self, AppSocket), ()> {
        match AppSocket::take(&self.call, self.shared.duplicating) {
            // Had the thread ended, its number could be another's already.
            Ok(_) if !self.shared.listener.is_waiting(self.call.id) => Err(()),
            Ok(socket) => Ok((self, socket)),
            Err(error) => {
                self.out_of_reach(&error);
                Err(())
            }
        }
    }

    /// Answers a call whose arguments could not be looked at: the kernel
    /// reports the app's mistakes, but what we may not see must not pass.
    pub(crate) fn out_of_reach(self, error: &io::Error) {
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES | libc::EMFILE | libc::ENFILE) => {
                self.trouble(&format!(
                    "cannot be captured, its network calls are refused: {error} (programs that \
                     are set-user-id, not readable or not dumpable are out of reach; so is \
                     everything where ptrace is forbidden)"
                ));
                self.finish(Err(libc::EACCES));
            }
            _ => self.resume(),
        }
    }
}
