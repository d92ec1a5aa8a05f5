//! The options that say how tests are spread: over copies of the app and over runs.

use clap::Args;
use rehearsal_model::Shard;
use rehearsal_replay::{Jobs, Spread as Asked};
use std::thread::available_parallelism;

/// So many copies of an app are never meant.
const MOST_JOBS: usize = 1024;
/// So many parts of a run are never meant.
const MOST_SHARDS: usize = 100_000;

/// See the module.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// How many copies of the app test side by side. If absent, as many as there are cores and as the
    /// tests are worth their start. One copy with --explain, --real and --capture proxy
    #[arg(long, short, value_name = "N", value_parser = parse_jobs)]
    jobs: Option<usize>,

    /// Run only this part of the tests, such as 3/8: the third of eight. Each test is in exactly one
    /// part; `rehearsal merge` joins the results
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    shard: Option<Shard>,
}

impl Spread {
    /// How tests are to be spread on this machine.
    pub(crate) fn spread(self) -> Asked {
        let cores = || available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.map_or_else(|| Jobs::UpTo(cores()), Jobs::Exactly);
        Asked { jobs, shard: self.shard }
    }
}

fn parse_jobs(text: &str) -> Result<usize, String> {
    let jobs = text.parse().ok().filter(|jobs| (1..=MOST_JOBS).contains(jobs));
    jobs.ok_or_else(|| format!("a number of copies from 1 to {MOST_JOBS}"))
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse().ok().filter(|_| digits(text));
    let shard = text
        .split_once('/')
        .and_then(|(index, of)| Some(Shard { index: number(index)?, of: number(of)? }));
    match shard {
        Some(Shard { of, .. }) if of > MOST_SHARDS => {
            Err(format!("there can be {MOST_SHARDS} parts at most"))
        }
        Some(Shard { index: 0, .. }) => Err("parts are counted from 1".to_owned()),
        Some(Shard { index, of }) if index > of => Err(format!("there is no part {index} of {of}")),
        Some(shard) => Ok(shard),
        None => Err("a part is written as 3/8: the third of eight".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_that_does_not_exist_is_refused() {
        assert_eq!(parse_shard("3/8"), Ok(Shard { index: 3, of: 8 }));
        assert_eq!(parse_shard("1/1"), Ok(Shard { index: 1, of: 1 }));
        for junk in [
            "0/8",
            "9/8",
            "0/0",
            "1/0",
            "8",
            "",
            "/",
            "1/",
            "/2",
            "-1/2",
            "+1/2",
            "1/2/3",
            "a/b",
            " 1/2",
            "1/1000000",
        ] {
            assert!(parse_shard(junk).is_err(), "{junk}");
        }
    }

    #[test]
    fn so_many_copies_make_no_sense() {
        assert_eq!(parse_jobs("4"), Ok(4));
        for junk in ["0", "-1", "1025", "many", ""] {
            assert!(parse_jobs(junk).is_err(), "{junk}");
        }
    }
}
