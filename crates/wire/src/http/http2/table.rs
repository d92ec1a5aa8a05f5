//! The tables of fields that HPACK refers to by number (RFC 7541, section 2.3).

use std::collections::VecDeque;

/// A field as it is spelled.
pub(super) type Raw = (Vec<u8>, Vec<u8>);

/// What an entry counts beside its bytes (RFC 7541, section 4.1).
pub(super) const OVERHEAD: usize = 32;

/// The static table (RFC 7541, appendix A); its first entry has the number 1.
pub(super) const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// The fields that a peer has asked to remember, newest first.
#[derive(Debug)]
pub(super) struct Dynamic {
    entries: VecDeque<Raw>,
    size: usize,
    /// What the size may be.
    capacity: usize,
}

/// What the size may be until something else is said.
pub(super) const CAPACITY: usize = 4096;

impl Default for Dynamic {
    fn default() -> Self {
        Dynamic { entries: VecDeque::new(), size: 0, capacity: CAPACITY }
    }
}

impl Dynamic {
    /// Sets what the size may be, forgetting what is above it.
    pub(super) fn resize(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.shrink(capacity);
    }

    /// Remembers a field, forgetting older ones to make room. One that is larger than the table
    /// empties it (RFC 7541, section 4.4).
    pub(super) fn insert(&mut self, field: Raw) {
        let size = field.0.len() + field.1.len() + OVERHEAD;
        self.shrink(self.capacity.saturating_sub(size));
        if size <= self.capacity {
            self.size += size;
            self.entries.push_front(field);
        }
    }

    fn shrink(&mut self, size: usize) {
        while self.size > size {
            let Some((name, value)) = self.entries.pop_back() else { break };
            self.size -= name.len() + value.len() + OVERHEAD;
        }
    }

    /// The field of a number, of both tables together.
    pub(super) fn get(&self, number: usize) -> Option<(&[u8], &[u8])> {
        let place = number.checked_sub(1)?;
        if let Some((name, value)) = STATIC.get(place) {
            return Some((name.as_bytes(), value.as_bytes()));
        }
        let (name, value) = self.entries.get(place - STATIC.len())?;
        Some((name, value))
    }
}
