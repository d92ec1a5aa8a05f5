//! What keys of a key-value store have in common when they name things of one kind: `user:*:name`.
//!
//! Only for people and for counting: which key is meant is never decided by it.

/// A key with signs in place of the parts that are likely to differ between things of one kind: those with a
/// digit, else what stands behind the last separator.
pub(crate) fn pattern(key: &str) -> String {
    let separators = [':', '/', '.', '|', '-', '_'];
    let has_digit = key.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit {
        return match key.rfind(separators) {
            Some(last) => format!("{}*", &key[..=last]),
            None => key.to_owned(),
        };
    }
    let parts = key.split_inclusive(separators).map(|part| {
        let (name, separator) = match part.strip_suffix(separators) {
            Some(name) => part.split_at(name.len()),
            None => (part, ""),
        };
        let varies = name.bytes().any(|byte| byte.is_ascii_digit());
        format!("{}{separator}", if varies { "*" } else { name })
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_things_of_one_kind_is_left_out() {
        let told = ["price:A1", "user:12:name", "user:anna", "counter", "7", "größe/ü", "a:", ""];
        let wanted = ["price:*", "user:*:name", "user:*", "counter", "*", "größe/*", "a:*", ""];
        assert_eq!(told.map(pattern), wanted);
    }
}
