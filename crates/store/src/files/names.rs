//! Names of test files: `0001-post-orders.yaml`.

use rehearsal_model::{TestCase, TestId};

/// The longest part that is made from the name of a test.
const LONGEST: usize = 60;

/// The file's name: the number of the test and what its name says in lowercase ASCII.
#[must_use]
pub fn test_file_name(test: &TestCase) -> String {
    let mut slug = String::new();
    for char in test.name.chars() {
        if slug.len() >= LONGEST {
            break;
        }
        match char {
            char if char.is_ascii_alphanumeric() => slug.push(char.to_ascii_lowercase()),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    match slug {
        "" => format!("{}.yaml", test.id),
        slug => format!("{}-{slug}.yaml", test.id),
    }
}

/// The number at the start of the name of a test file.
pub(super) fn number_in(name: &str) -> Option<TestId> {
    let stem = name.strip_suffix(".yaml")?;
    let digits = stem.split('-').next()?;
    let number =
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    (number > 0).then_some(TestId(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::sample::sample;

    #[test]
    fn files_are_named_by_number_and_name() {
        let name = |id, name: &str| {
            test_file_name(&TestCase {
                id: TestId(id),
                name: name.to_owned(),
                ..sample().tests[0].clone()
            })
        };
        assert_eq!(name(1, "POST /orders"), "0001-post-orders.yaml");
        assert_eq!(name(12345, "GET /a/../b?c=%20 "), "12345-get-a-b-c-20.yaml");
        assert_eq!(name(2, "日本"), "0002.yaml");
        assert_eq!(name(3, &"ab ".repeat(50)).len(), "0003-.yaml".len() + 59);
    }
}
