//! Which statements of a text copy data in, and what recordings call the data.

use super::copy::wants;
use super::sql;
use crate::sql::Beside;
use rehearsal_model::Map;

/// Beside the format and the number of columns that a server asked for.
pub(super) const COPIES: Beside = Beside {
    compared: &["copy", "copy_omitted", "copy_failed"],
    told: &["copy_format", "copy_columns"],
    list: "copies",
};

/// The places of the statements that copy in.
pub(super) fn places(text: &str) -> Vec<usize> {
    // Nearly no text has one, and looking for them takes it apart.
    if !text.as_bytes().windows(5).any(|word| word.eq_ignore_ascii_case(b"stdin")) {
        return Vec::new();
    }
    let all = sql::statements(text);
    all.iter().enumerate().filter(|(_, it)| wants(it).is_some()).map(|(place, _)| place).collect()
}

/// Puts what was copied in where recordings have it.
pub(super) fn put(request: &mut Map, copies: Vec<Map>) {
    let several = request.text("sql").is_some_and(|text| places(text).len() > 1);
    COPIES.put(request, copies, several);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_statements_that_copy_in() {
        assert_eq!(places("COPY t FROM STDIN"), [0]);
        assert_eq!(
            places("BEGIN; copy t (a) from stdin; COPY t TO STDOUT; COPY u FROM STDIN"),
            [1, 3]
        );
        assert_eq!(places("COPY t FROM '/tmp/stdin'; SELECT 'COPY t FROM STDIN'"), [0usize; 0]);
    }
}
