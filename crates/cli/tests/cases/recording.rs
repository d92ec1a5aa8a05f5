//! What must hold of the files of a project and of reports, whatever the case.

use rehearsal_testkit::Project;
use std::collections::BTreeMap;
use std::path::Path;

/// Two recordings have the same files with the same content, but for the lines that say when.
pub(crate) fn same(project: &Project, names: &[String; 2]) {
    let [first, second] = names.each_ref().map(|name| {
        let folder = project.folder().join("rehearsal").join(name);
        let mut files = BTreeMap::new();
        collect(&folder, &folder, &mut files);
        assert!(!files.is_empty(), "{} has no files", folder.display());
        files
    });
    let listed = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(listed(&first), listed(&second), "the files of {names:?}");
    for (file, bytes) in &first {
        let [left, right] =
            [bytes, &second[file]].map(|bytes| timeless(&String::from_utf8_lossy(bytes)));
        assert_eq!(left, right, "{file} in {names:?}");
    }
}

/// A file of a recording without `at`, `took`, how long answers took and the `Date` that servers add.
fn timeless(text: &str) -> String {
    let mut kept = String::new();
    let starts = ["at: ", "took: ", "      p50: ", "      p95: "];
    let says_when = |line: &&str| starts.iter().any(|start| line.starts_with(start));
    for line in text.lines().filter(|line| !says_when(line)) {
        let date = line.to_ascii_lowercase().find("date: ");
        kept.push_str(date.map_or(line, |at| &line[..at]));
        // What follows a date on its line, if anything, is kept.
        if let Some(rest) = date.and_then(|at| line[at..].split_once(" GMT")) {
            kept.push_str(rest.1.trim_start_matches('"'));
        }
        kept.push('\n');
    }
    kept
}

/// None of these texts is in any file of the project or in the name of one.
pub(crate) fn no_trace(project: &Project, texts: &[String]) {
    let mut files = BTreeMap::new();
    collect(project.root(), project.root(), &mut files);
    for (file, bytes) in &files {
        for text in texts {
            let found = bytes.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(
                !found && !file.contains(text.as_str()),
                "{text:?} is in {file}\n{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("reading a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("a file of the folder").display().to_string();
            files.insert(name, std::fs::read(&path).expect("reading a file"));
        }
    }
}

/// Whether a text is well-formed XML: one root, every element closed in order, no stray characters.
/// Enough for what a report writes; entities are checked, declarations are passed over.
pub(crate) fn well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let (mut rest, mut roots) = (text, 0);
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!open.is_empty() || before.trim().is_empty(), "text outside the root: {before:?}");
        entities(before);
        if let Some(data) = after.strip_prefix("![CDATA[") {
            rest = data.split_once("]]>").expect("the end of character data").1;
            continue;
        }
        let (tag, next) = after.split_once('>').unwrap_or_else(|| panic!("an open tag: {after}"));
        rest = next;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.trim()), "the wrong element is closed in\n{text}");
            continue;
        }
        entities(tag);
        assert_eq!(tag.matches('"').count() % 2, 0, "a quote is missing in <{tag}>");
        roots += usize::from(open.is_empty());
        if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().expect("the name of an element"));
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} are not closed in\n{text}");
    assert_eq!(roots, 1, "the number of roots in\n{text}");
}

fn entities(text: &str) {
    for part in text.split('&').skip(1) {
        let name = part.split_once(';').map(|(name, _)| name).unwrap_or_default();
        let known = ["lt", "gt", "amp", "quot", "apos"].contains(&name) || name.starts_with('#');
        assert!(known, "a bare ampersand in {text:?}");
    }
    let strange = |c: char| c.is_control() && !"\n\r\t".contains(c);
    assert!(!text.contains(strange), "a control character in {text:?}");
}
