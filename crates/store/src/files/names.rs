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
