//! Columns as recordings have them: `id int unsigned not null primary key`.
//!
//! What a server says of a column and what the words imply mostly agree; where they do not, the rest
//! stands behind the words as `flags=…`, `length=…`, `decimals=…` and `charset=…`.

use super::columns::{Column, NOT_NULL, UNSIGNED};
use super::types::{self, Kind, Named};
use super::{charset, source, unwritable};
use crate::WireError;
use rehearsal_model::{Map, Value};

const AUTO_INCREMENT: u16 = 512;
const NO_DEFAULT: u16 = 4096;
const PART_OF_KEY: u16 = 1 << 14;

/// Attributes in the order in which they are written.
const WORDS: &[(u16, &str)] = &[
    (UNSIGNED, "unsigned"),
    (64, "zerofill"),
    (NOT_NULL, "not null"),
    (2, "primary key"),
    (4, "unique key"),
    (8, "key"),
    (AUTO_INCREMENT, "auto_increment"),
];

/// Marks a column of a table that must have a value and has one if none is given.
const DEFAULT: &str = " default";

/// What MariaDB says beyond the type, by its number.
const EXTRA: &[(u8, &str)] = &[(0, "type"), (1, "format")];

/// Adds columns to a result.
pub(super) fn put(columns: &[Column], map: &mut Map) {
    let texts = columns.iter().filter(|column| is_text(column));
    let mut sets = texts.map(|column| column.charset);
    let first = sets.next().unwrap_or(charset::USUAL);
    let usual = if sets.all(|other| other == first) { first } else { charset::USUAL };
    let each = columns.iter().map(|column| text(column, usual));
    map.push_new("columns", each.collect::<Vec<_>>());
    if let Some(from) = source::to_value(columns) {
        map.push_new("from", from);
    }
    if usual != charset::USUAL {
        map.push_new("charset", charset::to_value(usual));
    }
}

/// The columns of a recorded result, if it has any.
pub(super) fn take(map: &Map) -> Result<Option<Vec<Column>>, WireError> {
    let Some(list) = map.get("columns") else { return Ok(None) };
    let list = list.as_list().ok_or_else(|| unwritable("`columns` must be a list"))?;
    let usual = map.get("charset").map(charset::from_value).transpose()?;
    let usual = usual.unwrap_or(charset::USUAL);
    let mut columns = Vec::new();
    for (place, column) in list.iter().enumerate() {
        let shown = column.as_text().unwrap_or(column.kind());
        let read = column.as_text().and_then(|text| from_text(text, place, map.get("from"), usual));
        columns.push(read.ok_or_else(|| {
            unwritable(&format!(
                "the column {shown:?} must be a name, a space, and a type such as int or varchar(20)"
            ))
        })?);
    }
    Ok(Some(columns))
}

/// Whether its bytes are text, so that it matters in which encoding.
fn is_text(column: &Column) -> bool {
    column.charset != charset::BINARY && column.kind() == Kind::Text
}

/// The type of a column as a CREATE TABLE has it: `varchar(20)`, `int unsigned`.
pub(super) fn kind(column: &Column) -> String {
    let is_binary = column.charset == charset::BINARY;
    let named = Named { code: column.code, is_binary, flags: column.flags };
    let wide = charset::widest(if is_binary { charset::BINARY } else { column.charset });
    let chars = if column.length == u32::MAX { column.length } else { column.length / wide };
    let (name, implied) = types::name(named, chars);
    let size = size(column, implied.is_some(), wide).map(|size| format!("({size})"));
    let unsigned = if column.is_unsigned() { " unsigned" } else { "" };
    format!("{name}{}{unsigned}", size.unwrap_or_default())
}

fn text(column: &Column, usual: u16) -> String {
    let is_binary = column.charset == charset::BINARY;
    let named = Named { code: column.code, is_binary, flags: column.flags };
    let wide = charset::widest(if is_binary { charset::BINARY } else { column.charset });
    let chars = if column.length == u32::MAX { column.length } else { column.length / wide };
    let (name, implied) = types::name(named, chars);
    let mut out = format!("{} {name}", column.name);
    if let Some(size) = size(column, implied.is_some(), wide) {
        out.push_str(&format!("({size})"));
    }
    for (_, word) in WORDS.iter().filter(|(flag, _)| column.flags & flag != 0) {
        out.push_str(&format!(" {word}"));
    }
    let is_given = column.flags & (NOT_NULL | AUTO_INCREMENT | NO_DEFAULT) == NOT_NULL;
    if is_given && !column.source.is_computed() {
        out.push_str(DEFAULT);
    }
    for (kind, text) in &column.extra {
        let name = EXTRA.iter().find(|(known, _)| known == kind).map(|(_, name)| *name);
        match name {
            Some(name) => out.push_str(&format!(" {name}={text}")),
            None => out.push_str(&format!(" extra{kind}={text}")),
        }
    }
    let says_binary = types::named(&name).is_some_and(|(named, _)| named.is_binary);
    if column.charset != implied_charset(column.kind(), says_binary, usual) {
        let set = charset::to_value(column.charset);
        let set = set.as_text().map_or_else(|| column.charset.to_string(), str::to_owned);
        out.push_str(&format!(" charset={set}"));
    }
    // What differs from what can be read so far follows.
    let from = source::to_value(std::slice::from_ref(column));
    let Some(read) = from_text(&out, 0, from.as_ref(), usual) else { return out };
    for (name, expected, actual) in [
        ("flags", u32::from(read.flags), u32::from(column.flags)),
        ("length", read.length, column.length),
        ("decimals", u32::from(read.decimals), u32::from(column.decimals)),
    ] {
        if expected != actual {
            out.push_str(&format!(" {name}={actual}"));
        }
    }
    out
}

/// What stands in parentheses behind the type.
fn size(column: &Column, implied: bool, wide: u32) -> Option<String> {
    match column.kind() {
        Kind::Decimal => {
            let scale = u32::from(column.decimals);
            let signs = u32::from(scale > 0) + u32::from(!column.is_unsigned());
            Some(format!("{},{scale}", column.length.checked_sub(signs)?))
        }
        Kind::DateTime | Kind::Time => (column.decimals != 0).then(|| column.decimals.to_string()),
        Kind::Text if implied => None,
        Kind::Text | Kind::Bits => {
            (column.length.is_multiple_of(wide)).then(|| (column.length / wide).to_string())
        }
        _ => {
            let width = types::width(column.code, column.is_unsigned(), column.decimals);
            (width != Some(column.length)).then(|| column.length.to_string())
        }
    }
}

/// What stands behind the type, in numbers.
#[derive(Default)]
struct Rest {
    flags: Option<u16>,
    length: Option<u32>,
    decimals: Option<u8>,
    charset: Option<u16>,
}

fn from_text(text: &str, place: usize, from: Option<&Value>, usual: u16) -> Option<Column> {
    let mut column = Column::default();
    let mut rest = Rest::default();
    let mut text = text;
    let mut has_default = false;
    loop {
        if let Some(before) = text.strip_suffix(DEFAULT) {
            has_default = true;
            text = before;
            continue;
        }
        let word = WORDS
            .iter()
            .find_map(|(flag, word)| Some((flag, text.strip_suffix(word)?.strip_suffix(' ')?)));
        if let Some((flag, before)) = word {
            column.flags |= flag;
            text = before;
            continue;
        }
        let Some((before, (name, value))) =
            text.rsplit_once(' ').and_then(|(before, last)| Some((before, last.split_once('=')?)))
        else {
            break;
        };
        if !assign(name, value, &mut rest, &mut column.extra) {
            break;
        }
        text = before;
    }
    column.extra.reverse();
    let (name, spelled) = text.rsplit_once(' ')?;
    name.clone_into(&mut column.name);
    column.source = source::from_value(from, place, name)?;
    finish(&mut column, spelled, has_default, (rest.charset, usual))?;
    column.length = rest.length.unwrap_or(column.length);
    column.decimals = rest.decimals.unwrap_or(column.decimals);
    column.flags = rest.flags.unwrap_or(column.flags);
    Some(column)
}

fn assign(name: &str, value: &str, rest: &mut Rest, extra: &mut Vec<(u8, String)>) -> bool {
    let known = EXTRA.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind);
    let kind = known.or_else(|| name.strip_prefix("extra")?.parse().ok());
    if let Some(kind) = kind {
        extra.push((kind, value.to_owned()));
        return true;
    }
    match name {
        "flags" => rest.flags = value.parse().ok(),
        "length" => rest.length = value.parse().ok(),
        "decimals" => rest.decimals = value.parse().ok(),
        "charset" => {
            let number = value.parse().ok();
            let by_name = || charset::from_value(&Value::from(value)).ok();
            rest.charset = number.or_else(by_name);
        }
        _ => return false,
    }
    true
}

/// Fills in what the words imply and do not say.
fn finish(
    column: &mut Column,
    spelled: &str,
    has_default: bool,
    (said_charset, usual): (Option<u16>, u16),
) -> Option<()> {
    let (name, said) = match spelled.split_once('(') {
        Some((name, said)) => (name, Some(said.strip_suffix(')')?)),
        None => (spelled, None),
    };
    let (named, implied_length) = types::named(name)?;
    column.code = named.code;
    let kind = column.kind();
    let is_text = kind == Kind::Text && !named.is_binary;
    let implied = implied_charset(kind, named.is_binary, usual);
    column.charset = said_charset.unwrap_or(implied);
    let wide = charset::widest(column.charset);
    let is_computed = column.source.is_computed();
    column.decimals = match kind {
        Kind::Decimal => said.map_or(Some(0), |said| said.split_once(',')?.1.parse().ok())?,
        Kind::DateTime | Kind::Time => said.map_or(Some(0), |said| said.parse().ok())?,
        Kind::Float(_) => 31,
        Kind::Text if is_computed && is_text => 39,
        _ => 0,
    };
    column.flags |= implied_flags(column, named, is_computed);
    if has_default {
        column.flags &= !NO_DEFAULT;
    }
    let length = match (kind, said) {
        (Kind::Decimal, Some(said)) => {
            let precision: u32 = said.split_once(',')?.0.parse().ok()?;
            let signs = u32::from(column.decimals > 0) + u32::from(!column.is_unsigned());
            precision.checked_add(signs)
        }
        (Kind::DateTime | Kind::Time, _) | (_, None) => match implied_length {
            Some(u32::MAX) => Some(u32::MAX),
            Some(chars) => chars.checked_mul(wide),
            None => types::width(column.code, column.is_unsigned(), column.decimals).or(Some(0)),
        },
        (Kind::Text | Kind::Bits, Some(said)) => said.parse::<u32>().ok()?.checked_mul(wide),
        (_, Some(said)) => Some(said.parse().ok()?),
    };
    column.length = length?;
    Some(())
}

fn implied_charset(kind: Kind, is_binary: bool, usual: u16) -> u16 {
    if kind == Kind::Text && !is_binary { usual } else { charset::BINARY }
}

/// Flags that follow from the type and the others.
fn implied_flags(column: &Column, named: Named, is_computed: bool) -> u16 {
    let mut flags = named.flags;
    if matches!(column.code, 245 | 249..=252 | 255) {
        flags |= types::BLOB_FLAG;
    }
    let is_number = matches!(column.kind(), Kind::Integer(_) | Kind::Float(_) | Kind::Decimal);
    let is_moment = matches!(column.kind(), Kind::Date | Kind::DateTime | Kind::Time);
    let is_bytes = column.kind() == Kind::Text && named.is_binary;
    if is_moment || is_bytes || (is_computed && (is_number || column.code == types::NULL)) {
        flags |= types::BINARY_FLAG;
    }
    if column.flags & (2 | 4 | 8) != 0 {
        flags |= PART_OF_KEY;
    }
    let is_given = column.flags & NOT_NULL != 0 && column.flags & AUTO_INCREMENT == 0;
    if is_given && !is_computed {
        flags |= NO_DEFAULT;
    }
    flags
}
