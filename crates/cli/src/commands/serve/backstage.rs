//! What the pages ask, answered by what other commands do: `show`, `graph` and `review`.

use super::shelf::Shelf;
use crate::commands::{review, show};
use crate::error::CliError;
use crate::graph::{self, Graph};
use rehearsal_model::{CallName, Recording, TestCase, TestId};
use rehearsal_report::{Look, story, story_html};
use rehearsal_store::Project;
use rehearsal_web::{
    Backstage, Contents, Drawing, Found, Listed, Node, Overview, Problem, Reviewed, Row, Story,
    TestName, Verb,
};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest line of a test that is shown as found.
const LINE: usize = 160;

/// A project as the pages see it.
pub(super) struct Own {
    project: Project,
    shelf: Shelf,
    /// One at a time is at the desk.
    desk: Mutex<()>,
}

impl Own {
    pub(super) fn new(project: Project) -> Self {
        Own { project, shelf: Shelf::default(), desk: Mutex::default() }
    }

    fn read(&self, name: &str) -> Result<Arc<Recording>, Problem> {
        let known = self.project.recordings().map_err(|error| failed(&error))?;
        if !known.iter().any(|known| known == name) {
            return Err(Problem::Missing(format!("find the recording {name:?}")));
        }
        self.shelf.read(&self.project, name).map_err(|error| failed(&error))
    }

    fn names(&self) -> Result<Vec<String>, Problem> {
        self.project.recordings().map_err(|error| failed(&error))
    }

    fn at_the_desk<T>(&self, work: impl FnOnce() -> Result<T, CliError>) -> Result<T, Problem> {
        let _one = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        work().map_err(|error| match error {
            CliError::Wrong(text) => Problem::Wrong(text),
            error => failed(&error),
        })
    }
}

fn failed(error: &dyn std::error::Error) -> Problem {
    Problem::Failed(error.to_string())
}

fn overview(recording: &Recording) -> Overview {
    let manifest = &recording.manifest;
    Overview {
        name: recording.name.clone(),
        tests: recording.tests.len(),
        calls: recording.tests.iter().map(|test| test.calls.len()).sum(),
        mocks: recording.mocks.len(),
        edges: manifest.edges.iter().map(|edge| edge.name.to_string()).collect(),
        command: manifest.command.join(" "),
    }
}

/// The first line of a test's story that has one of the words, if it has all of them.
fn found(recording: &Recording, test: &TestCase, words: &[String]) -> Option<String> {
    let look = Look { verbose: true, width: 1000, ..Look::default() };
    let mut told = Vec::new();
    show::with_words(recording, |words| story(test, &recording.name, words, &mut told, look))
        .ok()?;
    let told = String::from_utf8_lossy(&told).into_owned();
    let lower = told.to_lowercase();
    if !words.iter().all(|word| lower.contains(word)) {
        return None;
    }
    let line = told.lines().find(|line| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word))
    })?;
    Some(line.trim().chars().take(LINE).collect())
}

impl Backstage for Own {
    fn recordings(&self) -> Result<Vec<Listed>, Problem> {
        let one = |name: String| match self.read(&name) {
            Ok(recording) => Ok(overview(&recording)),
            Err(problem) => Err((name, problem)),
        };
        Ok(self.names()?.into_iter().map(one).collect())
    }

    fn contents(&self, recording: &str) -> Result<Contents, Problem> {
        let recording = self.read(recording)?;
        let row = |test: &TestCase| Row {
            number: test.id.0,
            name: test.name.clone(),
            answer: show::headline(&recording, test),
            calls: show::calls(test),
        };
        let tests = recording.tests.iter().map(row).collect();
        let tables = show::table_rows(&recording);
        Ok(Contents { overview: overview(&recording), tests, tables })
    }

    fn story(&self, recording: &str, number: u32) -> Result<Story, Problem> {
        let recording = self.read(recording)?;
        let test = recording.tests.iter().find(|test| test.id == TestId(number));
        let name = &recording.name;
        let missing = || Problem::Missing(format!("find test {number} of {name}"));
        let test = test.ok_or_else(missing)?;
        let html = show::with_words(&recording, |words| story_html(test, words));
        let calls = test.calls.iter().map(|call| CallName {
            edge: call.edge.to_string(),
            operation: graph::operation(&recording, &call.edge, &call.exchange.request),
        });
        Ok(Story { name: test.name.clone(), calls: calls.collect(), html })
    }

    fn search(&self, words: &[String], most: usize) -> Result<Vec<Found>, Problem> {
        let mut all = Vec::new();
        for name in self.names()? {
            // One that cannot be read is told where recordings are listed.
            let Ok(recording) = self.read(&name) else { continue };
            for test in &recording.tests {
                let Some(line) = found(&recording, test, words) else { continue };
                let (recording, number) = (recording.name.clone(), test.id.0);
                let test = TestName { recording, number, name: test.name.clone() };
                all.push(Found { test, line });
                if all.len() == most {
                    return Ok(all);
                }
            }
        }
        Ok(all)
    }

    fn graph(&self) -> Result<Drawing, Problem> {
        let mut graph = Graph::default();
        for name in self.names()? {
            graph.add(&*self.read(&name)?);
        }
        let node = |(name, node): (&String, &graph::Node), is_caller| Node {
            name: name.clone(),
            protocol: node.protocol.clone(),
            is_caller,
            operations: node
                .operations
                .iter()
                .map(|(name, count)| (name.clone(), *count))
                .collect(),
            tests: node.tests.iter().cloned().collect(),
            ambient: node.ambient,
        };
        let callers = graph.callers.iter().map(|it| node(it, true));
        let nodes = callers.chain(graph.edges.iter().map(|it| node(it, false))).collect();
        Ok(Drawing { svg: graph::plain_svg(&graph), nodes })
    }

    fn review(&self, run: &str) -> Result<Reviewed, Problem> {
        self.at_the_desk(|| review::reviewed(&self.project, run))
    }

    fn decide(
        &self,
        run: &str,
        cause: &str,
        test: Option<(&str, u32)>,
        verb: Verb,
    ) -> Result<Vec<String>, Problem> {
        self.at_the_desk(|| review::decide(&self.project, run, (cause, test), verb))
    }

    fn undo(&self, run: &str, decisions: usize) -> Result<String, Problem> {
        self.at_the_desk(|| review::undo(&self.project, run, decisions))
    }
}
