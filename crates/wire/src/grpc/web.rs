//! Trailers in the content of gRPC-Web: lines of name and value.

use super::status::Field;
use rehearsal_model::Value;

/// What stands between name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Colon,
    /// A colon and a space.
    Spaced,
}

impl Separator {
    fn text(self) -> &'static str {
        match self {
            Separator::Colon => ":",
            Separator::Spaced => ": ",
        }
    }
}

/// The fields, when writing them gives the same bytes.
pub(super) fn read(bytes: &[u8]) -> Option<(Vec<Field>, Separator)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fields: Option<Vec<Field>> = text
        .split_terminator("\r\n")
        .map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), Value::from(value.strip_prefix(' ').unwrap_or(value))))
        })
        .collect();
    let fields = fields?;
    let same = |it: &Separator| write(&fields, *it).is_ok_and(|written| written == bytes);
    let separator = [Separator::Colon, Separator::Spaced].into_iter().find(same)?;
    Some((fields, separator))
}

pub(super) fn write(fields: &[Field], separator: Separator) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for (name, value) in fields {
        let Some(value) = value.as_text().filter(|text| !text.contains(['\r', '\n'])) else {
            return Err(format!("trailer {name} must be text of one line"));
        };
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(separator.text().as_bytes());
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    Ok(out)
}
