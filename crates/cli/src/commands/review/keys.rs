//! Single keys from a terminal. However we leave, the terminal is as it was.

use std::io;

/// A terminal that gives each key at once.
pub(super) struct Keys {
    before: libc::termios,
}

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A character, in lower case.
    Letter(char),
    /// Escape, Ctrl-C, Ctrl-D, or nobody is there any more.
    End,
    /// Anything else.
    Other,
}

impl Keys {
    /// Takes standard input.
    pub(super) fn open() -> io::Result<Self> {
        // SAFETY: the structure is plain numbers, and the call writes only to it.
        let before = unsafe {
            let mut before: libc::termios = std::mem::zeroed();
            match libc::tcgetattr(libc::STDIN_FILENO, &raw mut before) {
                0 => before,
                _ => return Err(io::Error::last_os_error()),
            }
        };
        let mut raw = before;
        raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG);
        raw.c_cc[libc::VMIN] = 1;
        raw.c_cc[libc::VTIME] = 0;
        set(&raw)?;
        Ok(Keys { before })
    }

    /// Waits for a key.
    pub(super) fn next(&self) -> Key {
        match byte() {
            None | Some(3 | 4) => Key::End,
            // A key that is no character sends several bytes at once.
            Some(27) if is_waiting() => {
                while is_waiting() && byte().is_some() {}
                Key::Other
            }
            Some(27) => Key::End,
            Some(byte @ 0x20..=0x7e) => Key::Letter(char::from(byte).to_ascii_lowercase()),
            Some(b'\n' | b'\r') => Key::Letter('\n'),
            Some(_) => Key::Other,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = set(&self.before);
    }
}

fn set(settings: &libc::termios) -> io::Result<()> {
    // SAFETY: the structure lives until the call returns.
    match unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSADRAIN, settings) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A byte, without the buffer of the standard library: it would hide what waits.
fn byte() -> Option<u8> {
    let mut byte = 0u8;
    loop {
        // SAFETY: there is room for the one byte that is asked for.
        let read = unsafe { libc::read(libc::STDIN_FILENO, (&raw mut byte).cast(), 1) };
        match read {
            1 => return Some(byte),
            -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return None,
        }
    }
}

fn is_waiting() -> bool {
    let mut asked = libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, as the count says.
    unsafe { libc::poll(&raw mut asked, 1, 20) == 1 }
}
