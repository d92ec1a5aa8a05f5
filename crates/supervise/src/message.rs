//! The lines that we and the guard exchange.

/// What we tell the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Ask every process of the tree to end (`SIGTERM`).
    Terminate,
    /// End every process of the tree (`SIGKILL`).
    Kill,
}

impl Order {
    pub(crate) fn to_line(self) -> &'static str {
        match self {
            Order::Terminate => "terminate\n",
            Order::Kill => "kill\n",
        }
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        match line {
            "terminate" => Some(Order::Terminate),
            "kill" => Some(Order::Kill),
            _ => None,
        }
    }
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
        for order in [Order::Terminate, Order::Kill] {
            assert_eq!(Order::parse(order.to_line().trim_end()), Some(order));
        }
        for news in [News::Started(7), News::Failed(2), News::Ended(9), News::Gone] {
            assert_eq!(News::parse(news.to_line().trim_end()), Some(news));
        }
        assert_eq!(Order::parse("stop"), None);
        assert_eq!(News::parse("started x"), None);
    }
}
