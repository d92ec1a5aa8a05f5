//! Which address shows or does what.

use crate::Problem;
use crate::pages;
use crate::reply::Reply;
use crate::request::Asked;
use crate::server::Site;
use crate::shell::{self, Made};
use hyper::StatusCode;
use hyper::header;

/// Answers a request that was let in.
pub(crate) fn route(asked: &Asked, site: &Site) -> Reply {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    if asked.is_post {
        return match path.as_slice() {
            ["runs", run, "decide"] => pages::decide(site, run, &asked.form),
            ["runs", run, "undo"] => pages::undo(site, run, &asked.form),
            _ => Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, "nothing is done here")
                .with(header::ALLOW, "GET, HEAD".to_owned()),
        };
    }
    match path.as_slice() {
        ["style.css"] => Reply::asset("text/css; charset=utf-8", shell::style()),
        ["script.js"] => Reply::asset("text/javascript; charset=utf-8", shell::SCRIPT.to_owned()),
        ["icon.svg"] => Reply::asset("image/svg+xml", shell::ICON.to_owned()),
        path => shell::reply(site, page(path, asked, site)),
    }
}

fn page(path: &[&str], asked: &Asked, site: &Site) -> Made {
    let number = |text: &str| {
        let missing = || Problem::Missing(format!("find the test {text:?}: tests have numbers"));
        text.parse::<u32>().map_err(|_| missing())
    };
    match path {
        [] => pages::runs(site),
        ["runs", run] => pages::run(site, run, &asked.query),
        ["runs", run, "review"] => pages::review(site, run, &asked.query),
        ["runs", run, recording, test] => {
            pages::test(site, run, recording, number(test)?, &asked.query)
        }
        ["recordings"] => pages::recordings(site),
        ["recordings", name] => pages::recording(site, name),
        ["recordings", name, test] => pages::story(site, name, number(test)?),
        ["flaky"] => pages::flaky(site),
        ["failures"] => pages::failures(site),
        ["slow"] => pages::slow(site),
        ["graph"] => pages::graph(site),
        ["graph", edge] => pages::edge(site, edge),
        ["search"] => pages::search(site, asked.query.get("q").unwrap_or_default()),
        _ => Err(Problem::Missing("find this page: there is none at this address".to_owned())),
    }
}
