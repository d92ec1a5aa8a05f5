//! What every page has around it: head, navigation, search, and the messages of what was done.

use crate::Problem;
use crate::html::Html;
use crate::reply::Reply;
use crate::server::Site;
use hyper::StatusCode;
use rehearsal_report::parts;

/// The style of the report, and what pages have beyond it.
pub(crate) fn style() -> String {
    format!("{}\n{}", parts::STYLE, include_str!("style.css"))
}

/// The one script.
pub(crate) const SCRIPT: &str = include_str!("script.js");
/// The picture of a tab.
pub(crate) const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">\
     <rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#0b57a4\"/>\
     <path d=\"M5 4v8l7-4z\" fill=\"#fff\"/></svg>";

/// The pages of the navigation: where, what, and the key after `g` that leads there.
const NAVIGATION: [(&str, &str, &str); 6] = [
    ("", "Runs", "r"),
    ("recordings", "Recordings", "c"),
    ("flaky", "Flaky", "f"),
    ("failures", "Failures", "x"),
    ("slow", "Slow", "s"),
    ("graph", "Graph", "d"),
];

/// A page that was made: its title, which part of the navigation it is in, and what it shows.
pub(crate) struct Shown {
    pub(crate) title: String,
    pub(crate) part: &'static str,
    pub(crate) main: Html,
}

/// A page, or why there is none.
pub(crate) type Made = Result<Shown, Problem>;

/// Answers with a page or with what is wrong.
pub(crate) fn reply(site: &Site, made: Made) -> Reply {
    let (status, shown) = match made {
        Ok(shown) => (StatusCode::OK, shown),
        Err(problem) => wrong(&problem),
    };
    Reply::page(status, |nonce| whole(site, &shown, nonce).0)
}

/// A problem as a page.
fn wrong(problem: &Problem) -> (StatusCode, Shown) {
    let (status, title, text) = match problem {
        Problem::Missing(text) => (StatusCode::NOT_FOUND, "There is no such thing", text),
        Problem::Wrong(text) => (StatusCode::CONFLICT, "This cannot be done", text),
        Problem::Failed(text) => (StatusCode::INTERNAL_SERVER_ERROR, "This cannot be shown", text),
    };
    let mut main = Html::new();
    put!(
        main,
        "<h1>{}</h1><p class=\"bad\" role=\"alert\">failed to {}</p><p><a href=\"/\">All runs</a></p>",
        title,
        text
    );
    (status, Shown { title: title.to_owned(), part: "none", main })
}

fn whole(site: &Site, shown: &Shown, nonce: &str) -> Html {
    let Shown { title, part, main } = shown;
    let mut links = Html::new();
    for (place, name, key) in NAVIGATION {
        let current = Html::drawn(match place == *part {
            true => " aria-current=\"page\"".to_owned(),
            false => String::new(),
        });
        put!(links, "<li><a href=\"/{}\" data-key=\"{}\"{}>{}</a></li>", place, key, current, name);
    }
    let mut out = Html::new();
    put!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{} · {} · Rehearsal</title><link rel=\"icon\" href=\"/icon.svg\">\
         <link rel=\"stylesheet\" href=\"/style.css\" nonce=\"{}\">\
         <script src=\"/script.js\" defer nonce=\"{}\"></script></head><body>\
         <a class=\"skip\" href=\"#main\">To the content</a>\
         <header class=\"site\"><a class=\"home\" href=\"/\">Rehearsal</a>\
         <span class=\"dim\">{}</span><nav aria-label=\"Pages\"><ul>{}</ul></nav>\
         <form action=\"/search\" role=\"search\"><input type=\"search\" name=\"q\" id=\"find\" \
         placeholder=\"search tests ( / )\" aria-label=\"Search tests and recordings\"></form>\
         </header><main id=\"main\" tabindex=\"-1\">{}</main></body></html>\n",
        title,
        site.place.title,
        nonce,
        nonce,
        site.place.title,
        links,
        main
    );
    out
}
