//! Small things said in words: counts, durations, commands.

use rehearsal_model::{MovedColumn, RetryCause, RunEvent};

/// `1 test`, `12 tests`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// `0.4 ms`, `12 ms`, `1.25 s`, `2 min 5 s`.
pub(crate) fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 && ms % 1000.0 == 0.0 => format!("{:.0} s", ms / 1000.0),
        ms if ms < 60_000.0 => seconds(ms),
        ms => {
            format!("{:.0} min {:.0} s", (ms / 60_000.0).floor(), (ms % 60_000.0 / 1000.0).floor())
        }
    }
}

/// `0.42 s`.
pub(crate) fn seconds(ms: f64) -> String {
    format!("{:.2} s", ms / 1000.0)
}

/// `17 B`, `3.2 KiB`, `12 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut scaled = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if scaled < 1000.0 {
            let digits = usize::from(unit != "B" && scaled < 9.95);
            return format!("{scaled:.digits$} {unit}");
        }
        scaled /= 1024.0;
    }
    format!("{scaled:.1} TiB")
}

/// A command as one would type it.
pub(crate) fn command(words: &[String]) -> String {
    if let [shell, flag, line] = words
        && shell == "sh"
        && flag == "-c"
    {
        return line.clone();
    }
    let quoted = words.iter().map(|word| {
        let plain = |char: char| char.is_alphanumeric() || "_-./:=,@%+".contains(char);
        match !word.is_empty() && word.chars().all(plain) {
            true => word.clone(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// What is other in a database that was let through, in a line.
pub(crate) fn schema_moved(edge: &str, columns: &[MovedColumn]) -> String {
    let named: Vec<String> = columns.iter().take(MOST_COLUMNS).map(ToString::to_string).collect();
    let more = match columns.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{edge}: the schema is not the one that was recorded: {}{more}", named.join("; "))
}

/// Why a test failed at first that passed in the end, in a line. Nothing of another event.
pub(crate) fn retried(event: &RunEvent) -> String {
    let RunEvent::Retried { number, name, cause, depends_on, .. } = event else {
        return String::new();
    };
    let why = match (cause, depends_on) {
        (RetryCause::OrderDependent, Some(other)) => format!(
            "is order-dependent: it fails without test {} before it; `groups` in rehearsal.yaml keeps \
             them together",
            other.0
        ),
        (RetryCause::OrderDependent, None) => "is order-dependent".to_owned(),
        (RetryCause::Flaky, _) => {
            "failed once, and passed in the same order and in recorded order: it \
                                   is racy or flaky, or copies of the app disturb one another"
                .to_owned()
        }
        (RetryCause::Unexplained, _) => {
            "failed out of its order, and passed in recorded order; why was \
                                         not looked into"
                .to_owned()
        }
    };
    format!("test {} · {name} {why}", number.0)
}

/// Columns that are named in a line; the others are counted.
const MOST_COLUMNS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_numbers_shortly() {
        let said = |ms| duration(ms);
        assert_eq!(
            [0.04, 9.94, 12.3, 999.4, 999.6].map(said),
            ["0.0 ms", "9.9 ms", "12 ms", "999 ms", "1.00 s"]
        );
        assert_eq!(duration(10_000.0), "10 s");
        assert_eq!(duration(125_500.0), "2 min 5 s");
        assert_eq!([0, 999, 1000, 12 << 20].map(size), ["0 B", "999 B", "1.0 KiB", "12 MiB"]);
        assert_eq!((count(1, "test"), count(0, "test")), ("1 test".into(), "0 tests".into()));
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let words =
            |words: &[&str]| command(&words.iter().map(|word| (*word).into()).collect::<Vec<_>>());
        assert_eq!(words(&["./shop", "--name", "a b", "it's"]), r"./shop --name 'a b' 'it'\''s'");
        assert_eq!(words(&["sh", "-c", "a && b"]), "a && b");
    }
}
