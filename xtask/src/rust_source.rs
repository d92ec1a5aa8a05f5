//! What the rules need to know of a Rust file, read line by line.
//!
//! It trusts rustfmt's layout (a function ends at a brace as deep as its
//! beginning) and is no parser: a rule that needs more belongs into clippy.

/// A function and how many lines it takes, signature and braces included.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its first line, from 1.
    pub(crate) line: usize,
    /// Its lines.
    pub(crate) length: usize,
}

/// The lines before the file's own unit tests.
pub(crate) fn production(source: &str) -> impl Iterator<Item = &str> {
    source.lines().take_while(|line| *line != "#[cfg(test)]")
}

/// Every function with a body, nested ones included.
pub(crate) fn functions(source: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closes = |line: &&str| {
            line.strip_prefix(indent).is_some_and(|rest| rest.starts_with('}') || rest == ";")
        };
        let first_line_ends_it = line.ends_with('}') || line.ends_with(';');
        let more = if first_line_ends_it {
            0
        } else {
            lines[index + 1..].iter().position(closes).map_or(0, |more| more + 1)
        };
        functions.push(Function { name, line: index + 1, length: more + 1 });
    }
    functions
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().peekable();
    loop {
        match words.next()? {
            "fn" => break,
            "async" | "const" | "unsafe" | "extern" | "\"C\"" | "in" => {}
            word if word.starts_with("pub") || word.ends_with(')') => {}
            _ => return None,
        }
    }
    let name = words.next()?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    (end > 0).then(|| &name[..end])
}

/// The line without its comment. A `//` inside a text ends it too, which no rule minds.
pub(crate) fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured() {
        let source = "\
fn one() {}
impl A {
    pub(crate) async fn two(&self) {
        body();
    }
}
pub fn three(
    a: u8,
) -> u8 {
    fn four() -> u8 {
        a
    }
}
let fn_pointer: fn() = one;
";
        let found: Vec<_> =
            functions(source).into_iter().map(|f| (f.name, f.line, f.length)).collect();
        assert_eq!(found, [("one", 1, 1), ("two", 3, 3), ("three", 7, 7), ("four", 10, 3)]);
    }

    #[test]
    fn tests_and_comments_do_not_count() {
        assert_eq!(production("//! A.\nfn a() {}\n#[cfg(test)]\nmod tests {}\n").count(), 2);
        assert_eq!(code("use a; // not tokio"), "use a; ");
    }
}
