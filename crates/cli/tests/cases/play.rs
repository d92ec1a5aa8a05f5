//! Plays one case: its steps, one after the other, in one project folder.

use crate::case::{Case, Edit, Expect, Record, Run, Step};
use crate::words::Words;
use crate::{http, recording, replay, spread};
use rehearsal_testkit::{Ended, Process, Project, Services, fixtures, free_port};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The program that is tested.
pub(crate) fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_rehearsal"))
}

/// A case at work.
pub(crate) struct Stage {
    pub(crate) project: Project,
    pub(crate) words: Words,
    /// The app, word by word.
    pub(crate) app: Vec<String>,
    /// Where the app listens.
    pub(crate) port: u16,
    /// Where the shop's services listen when they run.
    pub(crate) services: (u16, u16),
    /// What runs in place of the shop's services, word by word.
    dependencies: Vec<Vec<String>>,
}

/// What the app calls, for as long as this lives.
#[expect(dead_code, reason = "it runs until it is dropped")]
pub(crate) enum Called {
    Services(Services),
    Dependencies(Vec<Process>),
}

/// Plays a case with a shop, or with its own app.
///
/// # Panics
///
/// When something does not come out as the case says.
pub(crate) fn play(case: &Case, folder: &Path, shop: Option<&str>) {
    let mut stage = Stage {
        project: Project::new(&program()),
        words: Words::default(),
        app: Vec::new(),
        port: free_port(),
        services: (free_port(), free_port()),
        dependencies: Vec::new(),
    };
    stage.words.set("port", stage.port);
    stage.words.set("inventory", stage.services.0);
    stage.words.set("payments", stage.services.1);
    stage.words.set("case", folder.canonicalize().expect("the folder of a case").display());
    stage.words.set("project", stage.project.folder().display());
    for word in ["free", "free-2", "free-3"] {
        stage.words.set(word, free_port());
    }
    stage.app = match shop {
        Some(shop) => fixtures(&program()).shop(shop),
        None => stage.words.fill_all(&case.app),
    };
    stage.words.set("app", stage.app.join(" "));
    stage.dependencies =
        case.dependencies.iter().map(|words| stage.words.fill_all(words)).collect();
    let env = &mut stage.project.env;
    env.insert("PORT".to_owned(), stage.port.to_string());
    env.insert("INVENTORY_URL".to_owned(), format!("http://127.0.0.1:{}", stage.services.0));
    env.insert("PAYMENTS_URL".to_owned(), format!("http://127.0.0.1:{}", stage.services.1));
    env.extend(stage.words.fill_map(&case.env));
    for (file, text) in &case.files {
        stage.edit(&Edit { file: file.clone(), replace: None, with: text.clone() });
    }
    for (number, step) in case.steps.iter().enumerate() {
        let at = format!("step {}", number + 1);
        match step {
            Step::Record(record) => stage.record(record, &at),
            Step::Test(test) => replay::play(&stage, test, &at),
            Step::SameRuns(runs) => spread::same(&stage, runs, &at),
            Step::Run(run) => stage.run(run, &at),
            Step::Edit(edit) => stage.edit(edit),
            Step::SameRecordings(names) => recording::same(&stage.project, names),
            Step::NoTrace(texts) => {
                recording::no_trace(&stage.project, &stage.words.fill_all(texts));
            }
        }
    }
}

impl Stage {
    /// Starts what the app calls.
    pub(crate) fn called(&self) -> Called {
        if self.dependencies.is_empty() {
            return Called::Services(
                fixtures(&program()).services(self.services.0, self.services.1),
            );
        }
        let start = |words: &Vec<String>| {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).current_dir(self.project.folder());
            let process = Process::start(command);
            let said = || process.stdout().contains('\n').then_some(());
            process.until("a dependency's first line", Duration::from_secs(30), said);
            process
        };
        Called::Dependencies(self.dependencies.iter().map(start).collect())
    }

    fn record(&self, record: &Record, at: &str) {
        let _called = record.services.then(|| self.called());
        let mut words = vec!["record".to_owned(), "--name".to_owned(), record.name.clone()];
        if !record.verify {
            words.push("--no-verify".to_owned());
        }
        words.extend(self.words.fill_all(&record.options));
        let by_shell = record.options.iter().any(|option| option == "-c");
        if !self.app.is_empty() && !by_shell {
            words.push("--".to_owned());
            words.extend(self.app.iter().cloned());
        }
        let process = self.project.start(&words, &self.words.fill_map(&record.env));
        if !record.traffic.is_empty() {
            let ready = self.words.fill(&record.ready);
            http::wait_for(&process, ready.parse().expect("the number of a port"));
            http::send_all(record, self.port, &self.words);
        }
        if record.end == crate::case::End::Interrupt {
            process.signal(2);
        }
        let ended = process.wait(std::time::Duration::from_secs(120));
        self.check(&ended, &record.expect, at);
    }

    fn run(&self, run: &Run, at: &str) {
        let words = self.words.fill_all(&run.words);
        let ended = self.project.run(&words, &self.words.fill_map(&run.env));
        self.check(&ended, &run.expect, at);
    }

    fn edit(&self, edit: &Edit) {
        let path = self.project.folder().join(&edit.file);
        let with = self.words.fill(&edit.with);
        let text = match &edit.replace {
            None => with,
            Some(replace) => {
                let replace = self.words.fill(replace);
                let text = std::fs::read_to_string(&path).expect("reading a file to edit");
                assert_eq!(text.matches(&replace).count(), 1, "{replace:?} in\n{text}");
                text.replace(&replace, &with)
            }
        };
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        std::fs::write(path, text).expect("writing a file");
    }

    /// Compares what came of a command with what a case says of any command.
    pub(crate) fn check(&self, ended: &Ended, expect: &Expect, at: &str) {
        assert_eq!(
            ended.code, expect.exit,
            "{at}: the exit code\n--- stdout\n{}--- stderr\n{}",
            ended.stdout, ended.stderr
        );
        self.in_order(&ended.stdout, &expect.stdout, &format!("{at}: standard output"));
        self.in_order(&ended.stderr, &expect.stderr, &format!("{at}: standard error"));
        for (file, texts) in &expect.files {
            let text = self.read(file);
            self.in_order(&text, texts, &format!("{at}: {file}"));
        }
        for file in &expect.json_lines {
            let text = if file == "-" { ended.stdout.clone() } else { self.read(file) };
            assert!(!text.is_empty(), "{at}: {file} is empty");
            for line in text.lines() {
                let value: Result<serde_json::Value, _> = serde_json::from_str(line);
                assert!(value.is_ok_and(|value| value.is_object()), "{at}: {file}: {line}");
            }
        }
        for file in &expect.xml {
            let text = if file == "-" { ended.stdout.clone() } else { self.read(file) };
            recording::well_formed(&text);
        }
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.project.folder().join(self.words.fill(file)))
            .unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn in_order(&self, text: &str, wanted: &[String], place: &str) {
        let mut rest = text;
        for wanted in self.words.fill_all(wanted) {
            let Some((_, after)) = rest.split_once(&wanted) else {
                panic!("{place} has no {wanted:?} (from there on) in\n{text}");
            };
            rest = after;
        }
    }
}
