//! Data that a client sends because statements in a text of SQL take them: rows copied in, files loaded.
//!
//! In recordings, what one statement took stands beside the text, and what several did is a list. A server
//! wants them one after another, so that a request is also known by what came so far.

use rehearsal_model::{Map, Value};

/// How a protocol calls them.
pub(crate) struct Beside {
    /// What is recorded of one time and compared.
    pub(crate) compared: &'static [&'static str],
    /// What else is recorded of one time.
    pub(crate) told: &'static [&'static str],
    /// The list of several times.
    pub(crate) list: &'static str,
}

impl Beside {
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.compared.iter().chain(self.told).copied()
    }

    /// What came with a request, in order.
    pub(crate) fn of(&self, request: &Map) -> Vec<Map> {
        if let Some(several) = request.get(self.list).and_then(Value::as_list) {
            return several.iter().filter_map(Value::as_map).cloned().collect();
        }
        if !self.compared.iter().any(|key| request.get(key).is_some()) {
            return Vec::new();
        }
        let pairs = self.keys().filter_map(|key| Some((key, request.get(key)?.clone())));
        vec![pairs.collect()]
    }

    /// Puts what came where recordings have it. `several` says that more than one statement of the text
    /// takes data, whether they have come or not.
    pub(crate) fn put(&self, request: &mut Map, came: Vec<Map>, several: bool) {
        self.keys().for_each(|key| _ = request.remove(key));
        request.remove(self.list);
        if came.is_empty() {
            return;
        }
        if several || came.len() > 1 {
            return request.push_new(self.list, came);
        }
        for (key, value) in came.into_iter().flat_map(Map::into_iter) {
            request.push_new(key, value);
        }
    }

    /// Puts what is compared into a comparison form, in the same places.
    pub(crate) fn put_compared(&self, request: &Map, form: &mut Map) {
        let compared = |one: &Map| -> Map {
            let kept = self.compared.iter();
            kept.filter_map(|key| Some((*key, one.get(key)?.clone()))).collect()
        };
        let came = self.of(request).iter().map(compared).collect();
        self.put(form, came, request.get(self.list).is_some());
    }

    /// As much of a recorded request as came so far of one, unless more came than is recorded.
    pub(crate) fn cut(&self, request: &Map, recorded: &Map) -> Option<Map> {
        let (came, mut known) = (self.of(request).len(), self.of(recorded));
        if came > known.len() {
            return None;
        }
        known.truncate(came);
        let mut cut = recorded.clone();
        self.put(&mut cut, known, recorded.get(self.list).is_some());
        Some(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: Beside = Beside { compared: &["file"], told: &["lines"], list: "files" };

    fn request(count: usize, several: bool) -> Map {
        let mut request = Map::from([("sql", "a")]);
        let file = Map::from([("file", Value::from("1")), ("lines", 1.into())]);
        FILES.put(&mut request, vec![file; count], several);
        request
    }

    #[test]
    fn one_stands_beside_the_text_and_several_in_a_list() {
        for (count, several, key) in [(1, false, "file"), (1, true, "files"), (2, true, "files")] {
            let mut request = request(count, several);
            assert!(request.get(key).is_some(), "{request:?}");
            let came = FILES.of(&request);
            assert_eq!((came.len(), came[0].get("lines")), (count, Some(&Value::from(1))));
            let mut form = Map::new();
            FILES.put_compared(&request, &mut form);
            assert_eq!(FILES.of(&form), vec![Map::from([("file", "1")]); count]);
            FILES.put(&mut request, Vec::new(), several);
            assert_eq!(request, Map::from([("sql", "a")]));
        }
    }

    #[test]
    fn a_recorded_request_is_cut_to_what_came() {
        let recorded = request(2, true);
        for came in 0..=2 {
            assert_eq!(FILES.cut(&request(came, true), &recorded), Some(request(came, true)));
        }
        assert_eq!(FILES.cut(&recorded, &request(1, true)), None);
        assert_eq!(FILES.cut(&request(0, false), &request(1, false)), Some(request(0, false)));
    }
}
