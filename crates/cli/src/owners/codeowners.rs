//! CODEOWNERS as GitHub reads it: where the file is, which lines count, and which pattern fits a path.
//!
//! Its rules are those of .gitignore with exceptions that GitHub's documentation names: no `!`, no
//! ranges in brackets, no escaped `#` at the beginning; case counts; the last pattern that fits wins,
//! and one without owners takes them away. A line with such a mistake is passed over.

use std::path::{Path, PathBuf};

/// Where the file may be, in the order in which it is looked for.
const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// A larger file is not read, as on GitHub.
const MAX_SIZE: u64 = 3 << 20;

/// The file of a repository.
#[derive(Debug, Default)]
pub(crate) struct CodeOwners {
    /// The root of the repository.
    root: PathBuf,
    /// The file's name from there.
    place: String,
    rules: Vec<Rule>,
}

#[derive(Debug, PartialEq)]
struct Rule {
    line: usize,
    pattern: String,
    owners: Vec<String>,
}

impl CodeOwners {
    /// The file that owns a folder: that of the repository in which it lies.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        let root = folder.ancestors().find(|folder| folder.join(".git").exists())?;
        let of = |place: &&str| {
            let file = root.join(place);
            std::fs::metadata(&file).is_ok_and(|about| about.is_file() && about.len() <= MAX_SIZE)
        };
        let place = PLACES.into_iter().find(of)?;
        let text = std::fs::read(root.join(place)).ok()?;
        let rules = parse(&String::from_utf8_lossy(&text));
        Some(CodeOwners { root: root.to_owned(), place: place.to_owned(), rules })
    }

    /// The owners of a file and the line that says so; none for a file that nobody owns.
    pub(crate) fn of(&self, file: &Path) -> Option<(&[String], String)> {
        let file = file.canonicalize().ok()?;
        let path = file.strip_prefix(&self.root).ok()?.to_string_lossy().into_owned();
        let rule = self.rules.iter().rev().find(|rule| fits(&rule.pattern, &path))?;
        let source = format!("line {} of {}: {}", rule.line, self.place, rule.pattern);
        (!rule.owners.is_empty()).then_some((rule.owners.as_slice(), source))
    }
}

fn parse(text: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words = words(line);
        let Some((pattern, owners)) = words.split_first() else { continue };
        let bad = pattern.starts_with('!') || pattern.contains(['[', ']']);
        let owner = |word: &String| word.starts_with('@') || word.contains('@');
        if !bad && owners.iter().all(owner) {
            let owners = owners.to_vec();
            rules.push(Rule { line: number + 1, pattern: pattern.clone(), owners });
        }
    }
    rules
}

/// The words of a line up to a comment; a space after a backslash belongs to its word.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => word.extend(chars.next()),
            '#' if word.is_empty() => break,
            char if char.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            char => word.push(char),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a pattern fits the path of a file from the root of the repository.
fn fits(pattern: &str, path: &str) -> bool {
    let folder_only = pattern.ends_with('/');
    let body = pattern.trim_end_matches('/');
    // A slash anywhere but at the end ties the pattern to the root.
    let tied = body.contains('/');
    let body = body.trim_start_matches('/');
    let parts: Vec<&str> = body.split('/').filter(|part| !part.is_empty()).collect();
    let names: Vec<&str> = path.split('/').collect();
    if parts.is_empty() {
        return pattern == "/" || pattern == "*";
    }
    let starts = if tied { 0..1 } else { 0..names.len() };
    starts.into_iter().any(|start| below(&parts, &names[start..], folder_only))
}

/// Whether parts fit the beginning of names, and what is left of these may lie below it.
fn below(parts: &[&str], names: &[&str], folder_only: bool) -> bool {
    match (parts, names) {
        ([], []) => !folder_only,
        ([], [..]) => true,
        (["**"], [..]) => !names.is_empty(),
        (["**", rest @ ..], _) => {
            (0..names.len()).any(|skip| below(rest, &names[skip..], folder_only))
        }
        // What a last `*` fits is a file here, never a folder with all that is in it.
        ([last], [name, deeper @ ..]) if *last == "*" => deeper.is_empty() && glob(last, name),
        ([part, rest @ ..], [name, deeper @ ..]) => {
            glob(part, name) && below(rest, deeper, folder_only)
        }
        ([_, ..], []) => false,
    }
}

/// `*` is any number of characters, `?` one.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(char) if *char == '?' || *char == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, seen)) => {
                    star = Some((place, seen + 1));
                    at = place + 1;
                    from = seen + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        for path in yes {
            assert!(fits(pattern, path), "{pattern} fits {path}");
        }
        for path in no {
            assert!(!fits(pattern, path), "{pattern} does not fit {path}");
        }
    }

    #[test]
    fn patterns_fit_what_github_says() {
        check("*", &["a", "a/b/c.js"], &[]);
        check("*.js", &["a.js", "a/b/c.js"], &["a.jsx", "a.JS"]);
        check(
            "/build/logs/",
            &["build/logs/a", "build/logs/b/c"],
            &["x/build/logs/a", "build/logs"],
        );
        check("docs/*", &["docs/start.md"], &["docs/build/trouble.md", "x/docs/start.md"]);
        check("apps/", &["apps/a", "x/apps/b/c"], &["apps", "xapps/a"]);
        check("/docs/", &["docs/a", "docs/b/c"], &["x/docs/a"]);
        check("**/logs", &["logs/a", "build/logs/a", "deeply/nested/logs/x"], &["logsx/a"]);
        check("/apps/github", &["apps/github", "apps/github/a"], &["apps/githubx"]);
        check("a/**/z", &["a/z", "a/b/z", "a/b/c/z/file"], &["b/a/z", "a/b"]);
        check("src/**", &["src/a", "src/b/c"], &["src", "lib/a"]);
        check("te?t", &["test", "x/text"], &["teest"]);
    }

    #[test]
    fn lines_that_are_no_rules_are_passed_over() {
        let text = "# comment\n\n* @org/all # the rest\n!not @a\n[ab].rs @b\nodd owner\n\
                    with\\ space @c d@example.com\nnobody\n";
        let rule = |line, pattern: &str, owners: &[&str]| Rule {
            line,
            pattern: pattern.to_owned(),
            owners: owners.iter().map(|owner| (*owner).to_owned()).collect(),
        };
        let expected = [
            rule(3, "*", &["@org/all"]),
            rule(7, "with space", &["@c", "d@example.com"]),
            rule(8, "nobody", &[]),
        ];
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn the_last_that_fits_wins_and_places_have_an_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write(".git/HEAD", "");
        write("docs/CODEOWNERS", "* @docs");
        write("shop/rehearsal/a/tests/1.yaml", "");
        write("shop/rehearsal/b/tests/1.yaml", "");
        let project = folder.path().join("shop");
        let owners = |test: &str| {
            let owners = CodeOwners::find(&project)?;
            let (owners, source) = owners.of(&project.join("rehearsal").join(test))?;
            Some(format!("{} by {source}", owners.join(" ")))
        };
        assert_eq!(owners("a/tests/1.yaml").unwrap(), "@docs by line 1 of docs/CODEOWNERS: *");
        write("CODEOWNERS", "*.yaml @yaml\n/shop/rehearsal/a/ @a\n/shop/rehearsal/b/\n");
        assert!(owners("a/tests/1.yaml").unwrap().starts_with("@a by line 2 of CODEOWNERS"));
        assert_eq!(owners("b/tests/1.yaml"), None, "a pattern without owners takes them away");
        write(".github/CODEOWNERS", "* @first");
        assert!(owners("b/tests/1.yaml").unwrap().starts_with("@first by line 1 of .github/"));
    }
}
