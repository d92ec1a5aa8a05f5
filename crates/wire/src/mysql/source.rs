//! Where columns come from, as recordings have it: `shop.orders as o`.
//!
//! One text stands for all columns, or a list has one for each. The name that the column has in its
//! table follows behind another dot when it is not the one in the result.

use super::columns::{Column, Source};
use rehearsal_model::Value;

impl Source {
    pub(super) fn is_computed(&self) -> bool {
        self.table.is_empty() && self.real_table.is_empty()
    }
}

/// The value of `from`; none when all columns are computed.
pub(super) fn to_value(columns: &[Column]) -> Option<Value> {
    let mut each: Vec<String> = columns.iter().map(text).collect();
    if each.iter().all(String::is_empty) {
        return None;
    }
    if each.iter().all(|one| *one == each[0]) {
        return Some(Value::from(each.swap_remove(0)));
    }
    Some(Value::from(each))
}

/// The source of the column of a number.
pub(super) fn from_value(from: Option<&Value>, place: usize, name: &str) -> Option<Source> {
    let text = match from {
        None => return Some(Source::default()),
        Some(Value::List(list)) => list.get(place)?,
        Some(value) => value,
    };
    from_text(text.as_text()?, name)
}

fn text(column: &Column) -> String {
    let Source { schema, table, real_table, real_name } = &column.source;
    if *column.source.joined() == *"" {
        return String::new();
    }
    let mut out = format!("{}.{}", quoted(schema), quoted(real_table));
    if *real_name != column.name {
        out.push_str(&format!(".{}", quoted(real_name)));
    }
    if table != real_table {
        out.push_str(&format!(" as {}", quoted(table)));
    }
    out
}

impl Source {
    fn joined(&self) -> String {
        [&self.schema[..], &self.table, &self.real_table, &self.real_name].concat()
    }
}

fn quoted(part: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$' | '-');
    match part.chars().all(is_plain) {
        true => part.to_owned(),
        false => format!("`{}`", part.replace('`', "``")),
    }
}

fn from_text(text: &str, name: &str) -> Option<Source> {
    if text.is_empty() {
        return Some(Source::default());
    }
    let mut parts = vec![String::new()];
    let mut alias = None;
    let mut rest = text;
    loop {
        let (part, after) = part(rest)?;
        match (alias.as_mut(), parts.last_mut()) {
            (Some(alias), _) => *alias = part,
            (None, last) => *last? = part,
        }
        if after.is_empty() {
            break;
        }
        rest = match (after.strip_prefix('.'), after.strip_prefix(" as ")) {
            (Some(rest), _) if alias.is_none() && parts.len() < 3 => {
                parts.push(String::new());
                rest
            }
            (_, Some(rest)) if alias.is_none() => {
                alias = Some(String::new());
                rest
            }
            _ => return None,
        };
    }
    let mut parts = parts.into_iter();
    let (schema, real_table) = (parts.next()?, parts.next()?);
    let real_name = parts.next().unwrap_or_else(|| name.to_owned());
    let table = alias.unwrap_or_else(|| real_table.clone());
    Some(Source { schema, table, real_table, real_name })
}

/// One name, quoted or not, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(inner) = text.strip_prefix('`') else {
        let end = text.find(['.', ' ']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut from = 0;
    loop {
        let end = from + inner[from..].find('`')?;
        if !inner[end + 1..].starts_with('`') {
            return Some((inner[..end].replace("``", "`"), &inner[end + 1..]));
        }
        from = end + 2;
    }
}
