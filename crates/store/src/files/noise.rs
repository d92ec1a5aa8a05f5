//! What may differ in a test, to and from its file; and how more of it is written into a file that people
//! have edited, all else in it left as it is.

use super::fields::CONDITIONS;
use super::folder::{read_yaml, test_files};
use crate::StoreError;
use crate::disk::{Aside, read_text, take_places};
use crate::schema::{Fields, check};
use crate::yaml::{self, Content, EmitError, Emitter, Node, Substitute, YamlError};
use rehearsal_model::shape::Shape;
use rehearsal_model::{Map, Noise, TestId, Value};
use std::io::Write;
use std::path::Path;

/// The key in a file.
const KEY: &str = "noise";

/// Takes what may differ out of a test.
pub(super) fn read(fields: &mut Fields) -> Result<Vec<Noise>, YamlError> {
    let mut noise = Vec::new();
    for node in fields.list(KEY) {
        match node.content {
            Content::Scalar(Value::Text(path)) => noise.push(Noise::from(path.as_str())),
            Content::Map(pairs) => {
                for (path, node) in pairs {
                    check(&node, &Shape::Map(CONDITIONS))?;
                    let mut conditions = Fields::unchecked(node, "what must hold of a value")?;
                    noise.push(Noise {
                        path: path.text,
                        matches: conditions.text("matches"),
                        kind: conditions.text("type"),
                        learned: conditions.text("learned"),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(noise)
}

/// Writes what may differ into a test.
pub(super) fn write<S: Substitute>(out: &mut Emitter<S>, noise: &[Noise]) -> Result<(), EmitError> {
    if noise.iter().all(|one| conditions(one).is_empty()) {
        let paths: Vec<&str> = noise.iter().map(|one| one.path.as_str()).collect();
        return out.pair(KEY, &Value::from(paths), 0);
    }
    out.key(KEY, 0);
    out.nest();
    write_items(out, noise, 2)
}

/// An item on a line each.
fn write_items<S: Substitute>(
    out: &mut Emitter<S>,
    noise: &[Noise],
    indent: usize,
) -> Result<(), EmitError> {
    for one in noise {
        let conditions = conditions(one);
        out.item(indent);
        match conditions.is_empty() {
            true => out.value(&Value::from(one.path.as_str()), indent + 2)?,
            false => out.pair(&one.path, &Value::Map(conditions), indent + 2)?,
        }
    }
    Ok(())
}

fn conditions(noise: &Noise) -> Map {
    let Noise { path: _, matches, kind, learned } = noise;
    let mut conditions = Map::new();
    for (key, value) in [("matches", matches), ("type", kind), ("learned", learned)] {
        if let Some(value) = value {
            conditions.push_new(key, value.as_str());
        }
    }
    conditions
}

/// Adds to what may differ in tests of a recording. Nothing else in their files is touched.
///
/// # Errors
/// When a file cannot be read or written, or is laid out in a way in which nothing can be added.
pub(crate) fn add(folder: &Path, more: &[(TestId, Vec<Noise>)]) -> Result<(), StoreError> {
    let files = test_files(folder)?;
    let mut aside = Vec::new();
    for (id, noise) in more {
        let Some(path) = files.get(id).filter(|_| !noise.is_empty()) else { continue };
        let text = read_text(path, yaml::MAX_SIZE)?;
        let wrong = |error| StoreError::file(path, error);
        let mut all = noise_of(read_yaml(folder, path)?).map_err(wrong)?;
        let edited = with_more(&text, &all, noise);
        all.extend_from_slice(noise);
        let (file, mut out) = Aside::create(path).map_err(StoreError::io("write", path))?;
        out.write_all(edited.as_bytes()).map_err(StoreError::io("write", path))?;
        let written =
            read_yaml(folder, file.place()).and_then(|node| noise_of(node).map_err(wrong));
        if written.ok().as_ref() != Some(&all) {
            let hint =
                "nothing can be added to its `noise`: write that as a list, an item on a line";
            return Err(StoreError::whole_file(path, hint));
        }
        aside.push(file);
    }
    take_places(aside)
}

fn noise_of(node: Node) -> Result<Vec<Noise>, YamlError> {
    read(&mut Fields::unchecked(node, "a test")?)
}

/// The text of a file with more noise. `known` is what it has.
fn with_more(text: &str, known: &[Noise], more: &[Noise]) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(key) = lines.iter().position(|line| line.starts_with("noise:")) else {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{end}noise:\n{}", items(more, 2));
    };
    let belongs = |line: &&&str| line.starts_with([' ', '\t']) || line.starts_with("- ");
    let end = key + 1 + lines[key + 1..].iter().take_while(belongs).count();
    let (before, after) = (lines[..key].concat(), lines[end..].concat());
    let rest = lines[key]["noise:".len()..].trim();
    if !rest.is_empty() && !rest.starts_with('#') {
        // A list on one line becomes one of several.
        let comment = rest.split_once("] #").map(|(_, comment)| format!(" #{comment}"));
        let comment = comment.unwrap_or_default();
        return format!("{before}noise:{comment}\n{}{}{after}", items(known, 2), items(more, 2));
    }
    let block = lines[key..end].concat();
    let newline = if block.ends_with('\n') { "" } else { "\n" };
    let first = lines[key + 1..end].iter().find(|line| line.trim_start().starts_with("- "));
    let indent = first.map_or(2, |line| line.len() - line.trim_start().len());
    format!("{before}{block}{newline}{}{after}", items(more, indent))
}

fn items(noise: &[Noise], indent: usize) -> String {
    let mut out = Emitter::new(());
    // What is so deep that it has no text is not written, and then missed when it is read again.
    let _ = write_items(&mut out, noise, indent);
    out.finish().0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise() -> Vec<Noise> {
        let learned = Some("differs from replay to replay".to_owned());
        vec![
            Noise {
                learned,
                kind: Some("text".into()),
                ..Noise::from("response.body.items[*].id")
            },
            Noise { matches: Some("^[0-9a-f-]{36}$".into()), ..Noise::from("calls[0].body.id") },
        ]
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = |text: &str| noise_of(yaml::parse(text).unwrap()).unwrap();
        let known = read(text);
        let edited = with_more(text, &known, &noise());
        let all = [known, noise()].concat();
        assert_eq!((edited.as_str(), read(&edited)), (expected, all));
    }

    #[test]
    fn more_noise_leaves_all_else_as_it_is() {
        let items = "  - \"response.body.items[*].id\": {type: text, learned: differs from replay to replay}\n  - \"calls[0].body.id\": {matches: \"^[0-9a-f-]{36}$\"}\n";
        let start = "# Mine.\ntest:   GET /x\nrequest: {http: GET /x} # as is\n";
        check(start, &format!("{start}noise:\n{items}"));
        check(start.trim_end(), &format!("{start}noise:\n{items}"));
        check(
            &format!("{start}noise: [a.b] # why\nresponse: {{status: 200}}\n"),
            &format!("{start}noise: # why\n  - a.b\n{items}response: {{status: 200}}\n"),
        );
        check(
            &format!("{start}noise:\n  # why\n  - a.b\n\nx: y\n"),
            &format!("{start}noise:\n  # why\n  - a.b\n{items}\nx: y\n"),
        );
        let flat = items.replace("  - ", "- ");
        check(
            &format!("{start}noise:\n- a.b\nx: y\n"),
            &format!("{start}noise:\n- a.b\n{flat}x: y\n"),
        );
    }
}
