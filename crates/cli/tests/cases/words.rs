//! Words in braces that cases may use in their texts, such as `{port}`.

use serde_json::Value;
use std::collections::BTreeMap;

/// Words and what they stand for. Anything else in braces stays as it is.
#[derive(Clone, Default)]
pub(crate) struct Words(BTreeMap<String, String>);

impl Words {
    pub(crate) fn set(&mut self, word: &str, value: impl ToString) {
        self.0.insert(format!("{{{word}}}"), value.to_string());
    }

    pub(crate) fn with(&self, word: &str, value: impl ToString) -> Words {
        let mut words = self.clone();
        words.set(word, value);
        words
    }

    pub(crate) fn fill(&self, text: &str) -> String {
        let known = self.0.iter();
        known.fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }

    pub(crate) fn fill_all(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    pub(crate) fn fill_map(&self, map: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        map.iter().map(|(key, value)| (key.clone(), self.fill(value))).collect()
    }

    pub(crate) fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (key.clone(), self.fill_value(value))).collect()
            }
            other => other.clone(),
        }
    }
}
