//! Entries of a recording grouped by a key, in one table: what is found costs one look into memory for a key
//! that one entry has, as most have, and one more for the others. So it costs the same in a large recording,
//! but for what the caches of the processor no longer hold.
//!
//! A table of lines with open addressing (Knuth, The Art of Computer Programming, volume 3, section 6.4),
//! where a line is as long as the processor's. Keys stand in it whole, so nothing is found by mistake.

use crate::library::Entry;
use crate::spread::fold;
use std::hint::black_box;

/// What entries are grouped by; `None` leaves one out.
type Key = (u32, u64);

/// Keys in a line.
const WIDTH: usize = 4;
/// So many lines are fetched from memory at the same time.
const AT_ONCE: usize = 32;
/// So many entries tell how many keys there will be.
const SAMPLE: usize = 1024;
/// A place where there is no key.
const FREE: u32 = u32::MAX;
/// Marks the place of a list, in `lists`, rather than the number of an entry.
const LIST: u32 = 1 << 31;

/// Some keys, each with the number of its entry or the place of its list; those that are free come last.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Line {
    keys: [u64; WIDTH],
    edges: [u32; WIDTH],
    places: [u32; WIDTH],
}

const EMPTY: Line = Line { keys: [0; WIDTH], edges: [0; WIDTH], places: [FREE; WIDTH] };

/// See the module.
#[derive(Debug)]
pub(crate) struct Groups {
    lines: Vec<Line>,
    /// The entries of keys that several have, in the order of the timeline: their number first.
    lists: Vec<u32>,
}

impl Groups {
    /// Groups these entries.
    pub(crate) fn new(entries: &[Entry], key_of: impl Fn(&Entry) -> Option<Key>) -> Self {
        // Lists have fewer than two numbers for each entry. So many entries take more memory than there is.
        assert!(entries.len() < LIST as usize / 2, "a recording has too many calls to be indexed");
        let mut table = Table { lines: Vec::new(), keys: 0 };
        table.resize(entries.len().min(SAMPLE));
        let mut lists: Vec<List> = Vec::new();
        // Of keys that several entries have: the list, and the entry.
        let mut later: Vec<(u32, u32)> = Vec::new();
        let mut keyed = 0;
        for (number, entry) in (0u32..).zip(entries) {
            if (number as usize).is_multiple_of(AT_ONCE) {
                table.fetch(entries[number as usize..].iter().take(AT_ONCE).filter_map(&key_of));
            }
            let Some(key) = key_of(entry) else { continue };
            if table.is_full() {
                table.grow(keyed, entries.len() - number as usize);
            }
            keyed += 1;
            let Some(place) = table.add(key, number) else { continue };
            if *place & LIST == 0 {
                lists.push(List { key, first: *place, length: 1 });
                *place = LIST | (lists.len() - 1) as u32;
            }
            let list = *place & !LIST;
            lists[list as usize].length += 1;
            later.push((list, number));
        }
        table.fit();
        let lists = table.lay_out(lists, &later);
        Groups { lines: table.lines, lists }
    }

    /// The entries of a key, in the order of the timeline.
    pub(crate) fn of(&self, key: Key) -> &[u32] {
        match find(&self.lines, key) {
            Found::Here(line, at) => {
                let place = &self.lines[line].places[at];
                if place & LIST == 0 {
                    return std::slice::from_ref(place);
                }
                let list = (place & !LIST) as usize;
                &self.lists[list + 1..][..self.lists[list] as usize]
            }
            Found::Free(..) => &[],
        }
    }
}

/// A list while the table is made.
struct List {
    key: Key,
    first: u32,
    length: u32,
}

/// A table while it is made.
struct Table {
    lines: Vec<Line>,
    keys: usize,
}

/// Where a key stands, or where it is to be put: the line and the place in it.
enum Found {
    Here(usize, usize),
    Free(usize, usize),
}

/// The first line in which a key may be. A table that has more lines has keys in the same order, so that
/// making it larger goes through memory from one end to the other.
#[inline]
fn home(lines: usize, (edge, key): Key) -> usize {
    let hash = fold(key, u64::from(edge));
    ((u128::from(hash) * lines as u128) >> 64) as usize
}

#[inline]
fn find(lines: &[Line], key: Key) -> Found {
    let mut at = home(lines.len(), key);
    loop {
        let line = &lines[at];
        // Without a branch for each: which one it is cannot be foretold.
        let is_it = |n: usize| (line.keys[n] == key.1) & (line.edges[n] == key.0);
        let (mut here, mut free) = (0, 0);
        for n in 0..WIDTH {
            let is_free = line.places[n] == FREE;
            here |= u32::from(is_it(n) & !is_free) << n;
            free |= u32::from(is_free) << n;
        }
        if here != 0 {
            return Found::Here(at, here.trailing_zeros() as usize % WIDTH);
        }
        if free != 0 {
            return Found::Free(at, free.trailing_zeros() as usize % WIDTH);
        }
        at += 1;
        if at == lines.len() {
            at = 0;
        }
    }
}

impl Table {
    /// How many keys so many lines may have. The fuller, the more keys stand in a line that is not theirs.
    fn room(lines: usize) -> usize {
        3 * lines
    }

    fn is_full(&self) -> bool {
        self.keys >= Self::room(self.lines.len())
    }

    /// Makes room for as many keys as there will be if the entries to come are like those that were.
    fn grow(&mut self, keyed: usize, left: usize) {
        let expected =
            self.keys + (left as u128 * self.keys as u128 / keyed.max(1) as u128) as usize;
        self.resize(expected.max(self.keys / 4 * 5));
    }

    /// Gives back what is not needed.
    fn fit(&mut self) {
        if Self::room(self.lines.len()) > self.keys / 2 * 3 + 8 {
            self.resize(self.keys);
        }
    }

    fn resize(&mut self, keys: usize) {
        let lines = keys.max(1).div_ceil(Self::room(1)) + 1;
        let old = std::mem::replace(&mut self.lines, vec![EMPTY; lines]);
        for line in &old {
            for n in (0..WIDTH).take_while(|n| line.places[*n] != FREE) {
                self.put((line.edges[n], line.keys[n]), line.places[n]);
            }
        }
    }

    /// Has the processor fetch the lines of keys that are added next: each alone would be waited for.
    fn fetch(&self, keys: impl Iterator<Item = Key>) {
        let read = |key| self.lines[home(self.lines.len(), key)].places[0];
        black_box(keys.map(read).fold(0, |all, place| all ^ place));
    }

    /// Adds a key, or gives the place of one that is there.
    fn add(&mut self, key: Key, number: u32) -> Option<&mut u32> {
        match find(&self.lines, key) {
            Found::Here(line, at) => Some(&mut self.lines[line].places[at]),
            Found::Free(line, at) => {
                self.set(line, at, key, number);
                self.keys += 1;
                None
            }
        }
    }

    /// Puts a key that is not there.
    fn put(&mut self, key: Key, place: u32) {
        if let Found::Free(line, at) = find(&self.lines, key) {
            self.set(line, at, key, place);
        }
    }

    fn set(&mut self, line: usize, at: usize, key: Key, place: u32) {
        let line = &mut self.lines[line];
        (line.edges[at], line.keys[at], line.places[at]) = (key.0, key.1, place);
    }

    /// Lays lists out one after the other, and puts their places into the table.
    fn lay_out(&mut self, lists: Vec<List>, later: &[(u32, u32)]) -> Vec<u32> {
        let mut all = vec![0; later.len() + 2 * lists.len()];
        let mut next = Vec::with_capacity(lists.len());
        let mut start = 0;
        for list in lists {
            if let Found::Here(line, at) = find(&self.lines, list.key) {
                self.lines[line].places[at] = LIST | start;
            }
            all[start as usize] = list.length;
            all[start as usize + 1] = list.first;
            next.push(start + 2);
            start += 1 + list.length;
        }
        for (list, number) in later {
            let next = &mut next[*list as usize];
            all[*next as usize] = *number;
            *next += 1;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use std::collections::HashMap;

    /// Entries on three edges, each with one of these values; every fifth is left out.
    #[track_caller]
    fn check(values: impl Iterator<Item = u64>) {
        let entry = |(number, values): (u32, u64)| {
            let place =
                Place::Ambient { after: rehearsal_model::TestId(0), calls: 0, index: number };
            let repeatable = number % 5 != 0;
            Entry { edge: number % 3, identity: 1, values, repeatable, place }
        };
        let entries: Vec<Entry> = (0..).zip(values).map(entry).collect();
        let key_of = |it: &Entry| it.repeatable.then_some((it.edge, it.values));
        let mut expected: HashMap<Key, Vec<u32>> = HashMap::new();
        for (number, entry) in (0..).zip(&entries) {
            // Keys of which all entries are left out are asked for too.
            let numbers = expected.entry((entry.edge, entry.values)).or_default();
            numbers.extend(key_of(entry).map(|_| number));
        }
        let groups = Groups::new(&entries, key_of);
        for (key, numbers) in expected {
            assert_eq!(groups.of(key), numbers, "{key:?} of {}", entries.len());
        }
        assert!(groups.of((4, 1)).is_empty());
    }

    #[test]
    fn finds_what_a_map_finds() {
        check((0..3000).map(|number| number * number % 97));
        // Small tables, where a key often stands in a line that is not its own.
        (0..64).for_each(|count| check(0..count));
        // What comes is not like what was, neither way.
        check((0..9000).map(|number: u64| number.saturating_sub(4000)));
        check((0..9000).map(|number: u64| number.min(2000)));
    }
}
