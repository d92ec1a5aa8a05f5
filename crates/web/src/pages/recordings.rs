//! Recordings: which there are, what is in one, and a test of one as a story.

use super::{count, table, test, test_link, text};
use crate::html::{Html, segment};
use crate::server::Site;
use crate::shell::{Made, Shown};
use crate::{Contents, Listed, Overview, Problem, Story};
use rehearsal_report::parts;

/// All recordings.
pub(crate) fn recordings(site: &Site) -> Made {
    let mut main = Html::new();
    put!(main, "<h1>Recordings</h1>");
    let all = site.backstage.recordings()?;
    if all.is_empty() {
        put!(main, "<p>None yet. Make one: <code>rehearsal record -- &lt;command&gt;</code></p>");
    } else {
        let rows: Vec<Vec<Html>> = all.iter().map(row).collect();
        let columns = ["recording", "tests", "calls", "mocks", "edges", "command"];
        put!(main, "{}", table("Recordings", &columns, &rows));
    }
    Ok(Shown { title: "Recordings".to_owned(), part: "recordings", main })
}

fn row(one: &Listed) -> Vec<Html> {
    match one {
        Ok(Overview { name, tests, calls, mocks, edges, command }) => {
            let mut link = Html::new();
            put!(link, "<a href=\"/recordings/{}\">{}</a>", segment(name), name);
            let numbers = [tests, calls, mocks].map(|number| text(&number.to_string()));
            let mut row = vec![link];
            row.extend(numbers);
            row.extend([text(&edges.join(", ")), text(command)]);
            row
        }
        Err((name, Problem::Missing(why) | Problem::Wrong(why) | Problem::Failed(why))) => {
            let mut problem = Html::new();
            put!(problem, "<span class=\"bad\">failed to {}</span>", why);
            vec![text(name), Html::new(), Html::new(), Html::new(), problem, Html::new()]
        }
    }
}

/// One recording.
pub(crate) fn recording(site: &Site, name: &str) -> Made {
    let Contents { overview, tests, tables } = site.backstage.contents(name)?;
    let mut main = Html::new();
    put!(
        main,
        "<p class=\"crumbs\"><a href=\"/recordings\">← all recordings</a></p><h1>{}</h1>\
         <p class=\"dim\">{} · {} · {} of no single test</p><p><code>{}</code></p>",
        name,
        count(overview.tests, "test"),
        count(overview.calls, "call"),
        count(overview.mocks, "mock"),
        overview.command
    );
    let rows: Vec<Vec<Html>> = tests
        .iter()
        .map(|test| {
            vec![
                text(&test.number.to_string()),
                test_link(name, test.number, &test.name),
                text(&test.answer),
                text(&test.calls),
            ]
        })
        .collect();
    put!(main, "{}", table("Tests", &["#", "test", "answer", "calls"], &rows));
    if !tables.is_empty() {
        let rows: Vec<Vec<Html>> =
            tables.iter().map(|row| row.iter().map(|cell| text(cell)).collect()).collect();
        put!(
            main,
            "<h2>Tables that are used</h2>{}",
            table("Tables", &["edge", "table", "columns"], &rows)
        );
    }
    Ok(Shown { title: name.to_owned(), part: "recordings", main })
}

/// One test of a recording.
pub(crate) fn story(site: &Site, recording: &str, number: u32) -> Made {
    let Story { name, calls, html } = site.backstage.story(recording, number)?;
    let mut main = Html::new();
    let (drawn, told) = (Html::drawn(parts::picture(&name, &calls, &[])), Html::drawn(html));
    put!(
        main,
        "<p class=\"crumbs\"><a href=\"/recordings/{}\">← {}</a></p><h1>{}</h1>\
         <p class=\"dim\">test {} · {}</p>\
         <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The test as a sequence\">{}</div>\
         <h2>Its messages</h2><pre tabindex=\"0\" class=\"story\">{}</pre>{}",
        segment(recording),
        recording,
        name,
        number,
        count(calls.len(), "call"),
        drawn,
        told,
        test::past(site, recording, number)
    );
    Ok(Shown { title: name, part: "recordings", main })
}
