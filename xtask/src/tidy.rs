//! The rules of the tree that no compiler checks: how files open, how long they
//! may be, which names they may not have, and what the pure rooms may not touch.
//!
//! Style within a line is rustfmt's and clippy's; dependencies are `floors`'.

use crate::{rust_source, tree};
use std::path::{Path, PathBuf};

/// Production lines a file may have, and lines a function may have.
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 80;

/// Rooms that see no clock, no socket and no runtime, and what would be one. An address is data.
const PURE: &[&str] = &["model", "wire", "matching", "compare"];
const IMPURE: &[&str] =
    &["Instant", "SystemTime", "TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "tokio"];

/// Pure rooms that have a list of clippy bans of their own.
#[cfg(test)]
const BANNED_CLOCKS: &[&str] = &["wire", "matching", "compare"];

/// Names that say nothing of what a module is for.
const NAMELESS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

/// Where a path on the machine of whoever wrote the file begins. Put together, so
/// that this file does not break its own rule.
const WORKPLACE: &str = concat!("/", "work");

/// A line for each broken rule.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let files = tree::files(root)?;
    let mut broken = Vec::new();
    for path in &files {
        // What is not text has none of these rules.
        let Ok(source) = std::fs::read_to_string(root.join(path)) else { continue };
        broken.extend(check_text(path, &source));
        if path.extension().is_some_and(|extension| extension == "rs") {
            broken.extend(check_rust(path, &source));
        }
    }
    broken.extend(unlinked_pages(root, &files)?);
    Ok(broken)
}

fn check_text(path: &Path, source: &str) -> Vec<String> {
    let lines = source.lines().enumerate();
    lines
        .filter(|(_, line)| names_workplace(line))
        .map(|(index, _)| {
            format!("{}:{}: names a path of its author's machine", path.display(), index + 1)
        })
        .collect()
}

fn names_workplace(line: &str) -> bool {
    line.match_indices(WORKPLACE).any(|(at, found)| {
        let part_of_a_name = |c: char| c.is_alphanumeric() || "_-.*}".contains(c);
        !line[..at].ends_with(part_of_a_name)
            && !line[at + found.len()..].starts_with(part_of_a_name)
    })
}

fn check_rust(path: &Path, source: &str) -> Vec<String> {
    let shown = path.display();
    let mut broken = Vec::new();
    if !source.starts_with("//! ") {
        broken.push(format!("{shown}: does not open with `//!` and what the file is for"));
    }
    if let Some(name) = nameless(path) {
        broken.push(format!("{shown}: a module named {name:?} says nothing of what it is for"));
    }
    let lines = rust_source::production(source).count();
    if lines > FILE_LINES && !of_tests(path) {
        broken.push(format!("{shown}: {lines} lines; at most {FILE_LINES}"));
    }
    for function in rust_source::functions(source) {
        let rust_source::Function { name, line, length } = function;
        if length > FUNCTION_LINES {
            broken.push(format!(
                "{shown}:{line}: {name} has {length} lines; at most {FUNCTION_LINES}"
            ));
        }
    }
    broken.extend(impure(path, source));
    broken
}

fn nameless(path: &Path) -> Option<&str> {
    path.iter()
        .filter_map(|part| part.to_str())
        .map(|part| part.strip_suffix(".rs").unwrap_or(part))
        .find(|part| NAMELESS.contains(part))
}

fn of_tests(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "benches")
}

fn impure(path: &Path, source: &str) -> Vec<String> {
    let in_pure_room =
        PURE.iter().any(|room| path.starts_with(Path::new("crates").join(room).join("src")));
    if !in_pure_room {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = rust_source::code(line);
        for word in IMPURE.iter().filter(|word| has_word(code, word)) {
            broken.push(format!(
                "{}:{}: {word} in a room without clock, socket and runtime",
                path.display(),
                index + 1
            ));
        }
    }
    broken
}

fn has_word(code: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(joins) && !code[at + word.len()..].starts_with(joins))
}

/// Pages that no reader finds: not linked from the first two pages that exist.
fn unlinked_pages(root: &Path, files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut entrances = String::new();
    for name in ["README.md", "ARCHITECTURE.md"] {
        if root.join(name).is_file() {
            entrances.push_str(&std::fs::read_to_string(root.join(name))?);
        }
    }
    if entrances.is_empty() {
        return Ok(Vec::new());
    }
    let pages = files.iter().filter(|path| {
        path.starts_with("docs") && path.extension().is_some_and(|extension| extension == "md")
    });
    Ok(pages
        .map(|path| path.display().to_string())
        .filter(|page| !entrances.contains(page.as_str()))
        .map(|page| format!("{page}: linked from neither README.md nor ARCHITECTURE.md"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let broken = check(&tree::root()).expect("the tree is readable");
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    /// Clippy reads only the nearest `clippy.toml`, so a room that adds a ban repeats the others.
    #[test]
    fn rooms_with_bans_of_their_own_repeat_the_common_ones() {
        let root = tree::root();
        let read = |path: PathBuf| std::fs::read_to_string(&path).expect("a clippy.toml");
        let common = read(root.join("clippy.toml"));
        for room in BANNED_CLOCKS {
            let own = read(root.join("crates").join(room).join("clippy.toml"));
            for line in common.lines() {
                assert!(own.lines().any(|other| other == line), "{room} lacks {line:?}");
            }
            for clock in ["std::time::Instant::now", "std::time::SystemTime::now"] {
                assert!(own.contains(clock), "{room} does not ban {clock}");
            }
        }
    }

    #[track_caller]
    fn finds(path: &str, source: &str, expected: &[&str]) {
        assert_eq!(check_rust(Path::new(path), source), expected);
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        finds(
            "crates/store/src/a.rs",
            "use a;\n",
            &["crates/store/src/a.rs: does not open with `//!` and what the file is for"],
        );
    }

    #[test]
    fn nameless_modules_and_long_files_are_found() {
        finds(
            "crates/store/src/util/a.rs",
            "//! A.\n",
            &["crates/store/src/util/a.rs: a module named \"util\" says nothing of what it is for"],
        );
        let long = format!("//! A.\n{}", "const A: u8 = 0;\n".repeat(600));
        finds("crates/store/src/a.rs", &long, &["crates/store/src/a.rs: 601 lines; at most 600"]);
        finds("crates/store/src/tests.rs", &long, &[]);
    }

    #[test]
    fn long_functions_are_found() {
        let long = format!("//! A.\nfn a() {{\n{}}}\n", "    b();\n".repeat(79));
        finds(
            "crates/store/src/a.rs",
            &long,
            &["crates/store/src/a.rs:2: a has 81 lines; at most 80"],
        );
    }

    #[test]
    fn clocks_and_sockets_are_found_in_pure_rooms() {
        let source = "//! No tokio.\nuse std::time::Instant;\nstruct Instantly;\n";
        finds(
            "crates/wire/src/a.rs",
            source,
            &["crates/wire/src/a.rs:2: Instant in a room without clock, socket and runtime"],
        );
        finds("crates/proxy/src/a.rs", source, &[]);
    }

    #[test]
    fn paths_of_an_authors_machine_are_found() {
        assert!(names_workplace(&format!("see {WORKPLACE}/main")));
        assert!(names_workplace(&format!("`{WORKPLACE}`")));
        assert!(!names_workplace(&format!("{WORKPLACE}er and net{WORKPLACE}")));
    }
}
