//! Secrets whose names stand elsewhere in the same message: cells below their columns, and what a
//! statement sets, inserts or asks for.
//!
//! Statements are read from words, as far as that tells which name a value belongs to. Whether one is
//! valid, and in which dialect, is not asked.

use super::Run;
use super::names::Rule;
use super::statement::{Place, named_values};
use rehearsal_model::{Map, Value};

/// Where the text of a statement stands.
const STATEMENTS: [&str; 3] = ["sql", "prepare", "describe"];

/// What types of text are called; a value of another type could not be served as a placeholder.
const TEXTS: [&str; 5] = ["text", "char", "name", "string", "enum"];

impl Run<'_> {
    /// Replaces what is named elsewhere in a map.
    pub(super) fn apart(&mut self, map: &mut Map) {
        if map.get("rows").is_some() {
            self.cells(map);
        }
        if STATEMENTS.iter().any(|key| map.get(key).is_some()) {
            self.statement(map);
        }
    }

    /// What becomes of a text that stands beside this name.
    pub(super) fn beside(&mut self, name: &str, text: &str) -> Option<String> {
        match self.scrubber.names.rule(name) {
            Rule::Secret(named) => self.named_text(named, text),
            _ => None,
        }
    }

    /// A table: `columns` of which each is a name, mostly with a type, and `rows` of as many cells.
    fn cells(&mut self, map: &mut Map) {
        let Some(columns) = map.get("columns").and_then(Value::as_list) else { return };
        let secret = |column: &Value| {
            let column = column.as_text()?;
            let (name, kind) = column.rsplit_once(' ').unwrap_or((column, "text"));
            match self.scrubber.names.rule(name) {
                Rule::Secret(named) if TEXTS.iter().any(|text| kind.contains(text)) => Some(named),
                _ => None,
            }
        };
        let secrets: Vec<_> = columns.iter().map(secret).collect();
        if secrets.iter().all(Option::is_none) {
            return;
        }
        let Some(Value::List(rows)) = map.get_mut("rows") else { return };
        for row in rows {
            let Value::List(cells) = row else { continue };
            for (cell, secret) in cells.iter_mut().zip(&secrets) {
                if let (Some(named), Value::Text(text)) = (secret, cell)
                    && let Some(changed) = self.named_text(*named, text)
                {
                    *text = changed;
                }
            }
        }
    }

    fn statement(&mut self, map: &mut Map) {
        for key in STATEMENTS {
            let Some(text) = map.get(key).and_then(Value::as_text) else { continue };
            if !self.scrubber.patterns.hint(text) {
                continue;
            }
            let (mut changed, mut parameters) = (text.to_owned(), Vec::new());
            let mut values = named_values(text);
            values.reverse();
            for (name, place) in values {
                let Rule::Secret(named) = self.scrubber.names.rule(&name) else { continue };
                match place {
                    Place::Parameter(number) => parameters.push((named, number)),
                    Place::Literal(range) => {
                        if let Some(secret) = self.named_text(named, &text[range.clone()]) {
                            changed.replace_range(range, &secret);
                        }
                    }
                }
            }
            if changed != text {
                map.insert(key, changed);
            }
            let Some(Value::List(params)) = map.get_mut("params") else { continue };
            for (named, number) in parameters {
                if let Some(Value::Text(text)) = params.get_mut(number)
                    && let Some(changed) = self.named_text(named, text)
                {
                    *text = changed;
                }
            }
        }
    }
}
