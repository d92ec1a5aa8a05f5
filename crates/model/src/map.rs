//! An ordered map with text keys, as small messages need it.
//!
//! Keys are unique; whoever must keep duplicates uses a list of pairs instead.

use crate::Value;

/// A map that keeps the order in which its keys came. Look-up scans: maps of messages are small,
/// and order matters more than asymptotics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Map(Vec::new())
    }

    /// A map of pairs whose keys the caller knows to be unique.
    #[must_use]
    pub fn of_unique(pairs: Vec<(String, Value)>) -> Self {
        Map(pairs)
    }

    /// How many keys it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value at a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text at a key, when there is one and it is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_text)
    }

    /// Sets a key; an existing one keeps its place and its old value is returned.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.get_mut(&key) {
            Some(place) => Some(std::mem::replace(place, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Appends a key that the caller knows to be new, without looking for it.
    pub fn push_new(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.0.push((key.into(), value.into()));
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(place).1)
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value)> + ExactSizeIterator {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The pairs in order, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A later pair with the same key replaces the earlier one.
impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        // Messages have few keys, and there are many of them: none has room to spare.
        let mut map = Map(Vec::with_capacity(pairs.size_hint().0));
        for (key, value) in pairs {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Into<String>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Map {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_unique_keys() {
        let mut map = Map::from([("b", 1), ("a", 2)]);
        assert_eq!(map.insert("b", 3), Some(Value::from(1)));
        assert_eq!(map.keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(map.remove("b"), Some(Value::from(3)));
        assert_eq!(map.remove("b"), None);
        assert_eq!(map.len(), 1);
    }
}
