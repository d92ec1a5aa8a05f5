//! Entries of a recording grouped by a key, in two flat lists: making one for millions of entries takes two
//! passes over them and no allocation for each.
//!
//! It does not copy keys: whoever asks brings the entries along.

use crate::library::Entry;

/// What entries are grouped by; `None` leaves one out.
type KeyOf = fn(&Entry) -> Option<(u32, u64)>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Groups {
    key_of: KeyOf,
    /// Where each bucket of `numbers` begins, and at last where they end: a power of two of buckets.
    starts: Vec<u32>,
    /// The numbers of entries by bucket, there by key, there in the order of the timeline.
    numbers: Vec<u32>,
}

impl Groups {
    /// Groups these entries.
    pub(crate) fn new(entries: &[Entry], key_of: KeyOf) -> Self {
        let count = entries.iter().filter(|entry| key_of(entry).is_some()).count();
        let buckets = count.max(1).next_power_of_two();
        let mut groups = Groups { key_of, starts: vec![0; buckets + 1], numbers: vec![0; count] };
        for key in entries.iter().filter_map(key_of) {
            let bucket = groups.bucket(key);
            groups.starts[bucket + 1] += 1;
        }
        for bucket in 0..buckets {
            groups.starts[bucket + 1] += groups.starts[bucket];
        }
        let mut next = groups.starts.clone();
        for (number, entry) in (0u32..).zip(entries) {
            if let Some(key) = key_of(entry) {
                let place = &mut next[groups.bucket(key)];
                groups.numbers[*place as usize] = number;
                *place += 1;
            }
        }
        for bucket in groups.starts.windows(2) {
            let bucket = &mut groups.numbers[bucket[0] as usize..bucket[1] as usize];
            // Most hold one key; a stable sort leaves the timeline alone.
            bucket.sort_by_key(|number| key_of(&entries[*number as usize]));
        }
        groups
    }

    /// Keys are hashes or numbers in a row: both are spread by a multiplication (Knuth, The Art of Computer
    /// Programming, volume 3, section 6.4).
    fn bucket(&self, (edge, key): (u32, u64)) -> usize {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let buckets = self.starts.len() - 1;
        let hash = (key ^ u64::from(edge).rotate_left(32)).wrapping_mul(SPREAD);
        // The upper half is the better spread one.
        (hash >> 32) as usize & (buckets - 1)
    }

    /// The entries of a key, in the order of the timeline, out of those that were grouped.
    pub(crate) fn of(&self, entries: &[Entry], key: (u32, u64)) -> &[u32] {
        let bucket = self.bucket(key);
        let (start, end) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        let bucket = &self.numbers[start..end];
        let key_of = |number: &u32| (self.key_of)(&entries[*number as usize]);
        let from = bucket.partition_point(|number| key_of(number) < Some(key));
        let length = bucket[from..].partition_point(|number| key_of(number) == Some(key));
        &bucket[from..from + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    #[test]
    fn finds_what_a_map_finds() {
        let mut entries = Vec::new();
        for number in 0..3000u32 {
            let values = u64::from(number * number % 97);
            let place =
                Place::Ambient { after: rehearsal_model::TestId(0), calls: 0, index: number };
            let repeatable = number % 5 != 0;
            entries.push(Entry { edge: number % 3, identity: 1, values, repeatable, place });
        }
        let key_of: KeyOf = |it| it.repeatable.then_some((it.edge, it.values));
        let groups = Groups::new(&entries, key_of);
        for edge in 0..4 {
            for values in 0..100 {
                let expected: Vec<u32> = (0u32..)
                    .zip(&entries)
                    .filter(|(_, entry)| key_of(entry) == Some((edge, values)))
                    .map(|(number, _)| number)
                    .collect();
                assert_eq!(groups.of(&entries, (edge, values)), expected);
            }
        }
        assert!(Groups::new(&[], key_of).of(&[], (0, 0)).is_empty());
    }
}
