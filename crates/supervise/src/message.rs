//! The lines that we and the guard exchange.

use std::path::{Path, PathBuf};

/// What we tell the guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Ask every process of the tree to end (`SIGTERM`).
    Terminate,
    /// End every process of the tree (`SIGKILL`).
    Kill,
    /// Remove this folder when all is over.
    Remove(PathBuf),
}

impl Order {
    pub(crate) fn to_line(&self) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let mut line = match self {
            Order::Terminate => b"terminate".to_vec(),
            Order::Kill => b"kill".to_vec(),
            Order::Remove(path) => {
                let mut line = b"remove ".to_vec();
                let path = path.as_os_str().as_bytes();
                line.extend(path.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
                line
            }
        };
        line.push(b'\n');
        line
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        match line.split_once(' ') {
            None if line == "terminate" => Some(Order::Terminate),
            None if line == "kill" => Some(Order::Kill),
            Some(("remove", hex)) => Some(Order::Remove(path(hex)?)),
            _ => None,
        }
    }
}

fn path(hex: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let digits = hex.as_bytes().chunks(2).map(|pair| {
        std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    let bytes = digits.collect::<Option<Vec<u8>>>()?;
    Some(Path::new(std::ffi::OsStr::from_bytes(&bytes)).to_owned())
}

/// What the guard tells us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The app runs; its process.
    Started(i32),
    /// The app cannot be executed; the error number.
    Failed(i32),
    /// The app's first process ended; the status word of `wait(2)`.
    Ended(i32),
    /// No process of the tree is left.
    Gone,
}

impl News {
    pub(crate) fn to_line(self) -> String {
        match self {
            News::Started(pid) => format!("started {pid}\n"),
            News::Failed(errno) => format!("failed {errno}\n"),
            News::Ended(status) => format!("ended {status}\n"),
            News::Gone => "gone 0\n".to_owned(),
        }
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        Some(match word {
            "started" => News::Started(number),
            "failed" => News::Failed(number),
            "ended" => News::Ended(number),
            "gone" => News::Gone,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written() {
        let remove = Order::Remove(PathBuf::from("/tmp/with\nnewline and space"));
        for order in [Order::Terminate, Order::Kill, remove] {
            let line = String::from_utf8(order.to_line()).unwrap();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(Order::parse(line.trim_end()), Some(order));
        }
        for news in [News::Started(7), News::Failed(2), News::Ended(9), News::Gone] {
            assert_eq!(News::parse(news.to_line().trim_end()), Some(news));
        }
        assert_eq!(Order::parse("remove zz"), None);
        assert_eq!(News::parse("started x"), None);
    }
}
