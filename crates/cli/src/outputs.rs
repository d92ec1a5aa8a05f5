//! Where the formats of a run go: each `--output` belongs to the `--format` before it.

use crate::arguments::Color;
use crate::error::CliError;
use crate::look;
use clap::ArgMatches;
use rehearsal_model::RunEvent;
use rehearsal_report::{FORMATS, Format, Look, Make, Report};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Every face of a run that was asked for.
pub(crate) struct Outputs {
    reports: Vec<(String, Box<dyn Report>)>,
}

impl Outputs {
    /// Opens what the command line asks for; without a word, text for people on standard output.
    pub(crate) fn open(
        matches: &ArgMatches,
        color: Color,
        verbose: bool,
    ) -> Result<Self, CliError> {
        let mut reports = Vec::new();
        let mut stdout_taken = false;
        for (format, output) in pairs(matches)? {
            if let Make::Folder(open) = format.make {
                reports.push(into_folder(format.name, open, output)?);
                continue;
            }
            let to_stdout = output.as_deref().is_none_or(|path| path == Path::new("-"));
            if to_stdout && std::mem::replace(&mut stdout_taken, true) {
                let problem = "print two formats: only one can go to standard output; give the \
                               other one an --output";
                return Err(CliError::Wrong(problem.to_owned()));
            }
            let name = output
                .as_ref()
                .map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
            let (out, look): (Box<dyn Write + Send>, _) = match output.filter(|_| !to_stdout) {
                None => (Box::new(io::stdout()), look::stdout(color, verbose)),
                Some(path) => {
                    let doing = format!("create {}", path.display());
                    let file = File::create(&path).map_err(CliError::io(doing))?;
                    (Box::new(BufWriter::new(file)), look::file(color, verbose))
                }
            };
            if let Some(report) = stream(format, out, look) {
                reports.push((name, report));
            }
        }
        Ok(Outputs { reports })
    }

    /// Text for people on standard output and nothing else.
    pub(crate) fn human(color: Color) -> Self {
        let human = stream(&FORMATS[0], Box::new(io::stdout()), look::stdout(color, true));
        let named = human.map(|human| ("standard output".to_owned(), human));
        Outputs { reports: named.into_iter().collect() }
    }

    /// Adds a face that nobody asked for.
    pub(crate) fn add(&mut self, name: &str, format: &str, out: Box<dyn Write + Send>) {
        let format = FORMATS.iter().find(|known| known.name == format);
        let report = format.and_then(|format| stream(format, out, look::file(Color::Never, false)));
        self.reports.extend(report.map(|report| (name.to_owned(), report)));
    }

    /// Adds the run to the summary of the step that GitHub Actions is at, if it is.
    pub(crate) fn add_step_summary(&mut self) {
        let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty())
        else {
            return;
        };
        let path = Path::new(&file);
        match File::options().append(true).create(true).open(path) {
            Ok(out) => {
                self.add(&path.display().to_string(), "github", Box::new(BufWriter::new(out)))
            }
            Err(error) => {
                let name = path.display();
                let mut out = io::stderr().lock();
                let _ = writeln!(out, "rehearsal: failed to write the summary to {name}: {error}");
            }
        }
    }

    /// Tells everybody. One that cannot be written to is told no more, and the reason is given once.
    pub(crate) fn tell(&mut self, event: &RunEvent) {
        self.reports.retain_mut(|(name, report)| match report.event(event) {
            Ok(()) => true,
            // Whoever closed standard output has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => false,
            Err(error) => {
                let mut out = io::stderr().lock();
                let _ = writeln!(out, "rehearsal: failed to write the report to {name}: {error}");
                false
            }
        });
    }
}

/// A report into a folder.
fn into_folder(
    name: &str,
    open: fn(&Path) -> io::Result<Box<dyn Report>>,
    output: Option<PathBuf>,
) -> Result<(String, Box<dyn Report>), CliError> {
    let Some(folder) = output.filter(|path| path != Path::new("-")) else {
        let text =
            format!("print format {name}: it is several files; give it a folder by --output");
        return Err(CliError::Wrong(text));
    };
    let shown = folder.display().to_string();
    let report = open(&folder).map_err(CliError::io(format!("write into {shown}")))?;
    Ok((shown, report))
}

/// A report into one stream, of the formats that are one.
fn stream(format: &Format, out: Box<dyn Write + Send>, look: Look) -> Option<Box<dyn Report>> {
    match format.make {
        Make::Stream(make) => Some(make(out, look)),
        Make::Folder(_) => None,
    }
}

/// Formats with their outputs, in the order of the command line.
fn pairs(matches: &ArgMatches) -> Result<Vec<(&'static Format, Option<PathBuf>)>, CliError> {
    let formats = indexed::<String>(matches, "format");
    let outputs = indexed::<PathBuf>(matches, "output");
    let mut pairs: Vec<(usize, &'static Format, Option<PathBuf>)> = Vec::new();
    for (index, name) in formats {
        pairs.push((index, format(&name)?, None));
    }
    if pairs.is_empty() {
        pairs.push((0, &FORMATS[0], None));
    }
    for (index, path) in outputs {
        let before = pairs.iter_mut().rev().find(|(format, ..)| *format < index);
        match before {
            Some((_, _, output @ None)) => *output = Some(path),
            _ => {
                let problem = format!(
                    "write to {}: give each --output a --format of its own before it",
                    path.display()
                );
                return Err(CliError::Wrong(problem));
            }
        }
    }
    Ok(pairs.into_iter().map(|(_, format, output)| (format, output)).collect())
}

fn format(name: &str) -> Result<&'static Format, CliError> {
    FORMATS.iter().find(|format| format.name == name).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        CliError::Wrong(format!("print format {name:?}: it is one of {}", names.join(", ")))
    })
}

fn indexed<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<(usize, T)> {
    let indices = matches.indices_of(id).into_iter().flatten();
    let values = matches.get_many::<T>(id).into_iter().flatten().cloned();
    indices.zip(values).collect()
}
