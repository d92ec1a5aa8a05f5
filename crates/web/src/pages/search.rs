//! Search over recordings and all that is in their tests.

use super::{count, test_link};
use crate::html::{Html, segment};
use crate::server::Site;
use crate::shell::{Made, Shown};

/// Tests that are listed, and words that are heeded.
const LISTED: usize = 200;
const WORDS: usize = 8;

/// What was found.
pub(crate) fn search(site: &Site, asked: &str) -> Made {
    let words: Vec<String> = asked.split_whitespace().take(WORDS).map(str::to_lowercase).collect();
    let mut main = Html::new();
    put!(
        main,
        "<h1>Search</h1><form action=\"/search\" class=\"filter\"><input type=\"search\" name=\"q\" \
         value=\"{}\" aria-label=\"Words that a test has\"><button class=\"button\">Search</button></form>",
        asked
    );
    if words.is_empty() {
        put!(
            main,
            "<p class=\"dim\">Words that a test has in its name, its messages or those of its calls: \
             <code>orders 201</code>, <code>payments</code>, a key, a value.</p>"
        );
        return Ok(Shown { title: "Search".to_owned(), part: "search", main });
    }
    let named = site.backstage.recordings()?;
    let named = named.iter().flatten().filter(|one| {
        let name = one.name.to_lowercase();
        words.iter().all(|word| name.contains(word))
    });
    for one in named {
        put!(
            main,
            "<p>Recording <a href=\"/recordings/{}\">{}</a></p>",
            segment(&one.name),
            one.name
        );
    }
    let found = site.backstage.search(&words, LISTED)?;
    let more = if found.len() == LISTED { " or more" } else { "" };
    put!(main, "<p role=\"status\">{}{}</p><ul class=\"tests\">", count(found.len(), "test"), more);
    for one in &found {
        let label = format!("{}/{} · {}", one.test.recording, one.test.number, one.test.name);
        put!(
            main,
            "<li>{}<p class=\"why\"><code>{}</code></p></li>",
            test_link(&one.test.recording, one.test.number, &label),
            one.line
        );
    }
    put!(main, "</ul>");
    Ok(Shown { title: format!("Search: {asked}"), part: "search", main })
}
