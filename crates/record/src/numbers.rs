//! Maps by numbers that are given here: connections, exchanges, calls, tests.
//!
//! Each exchange is looked up a dozen times by such a number. Nobody outside chooses them, so that their
//! hash need not withstand anybody: one multiplication spreads them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by numbers of ours.
pub(crate) type ByNumber<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// A set of numbers of ours.
pub(crate) type Numbers<K> = HashSet<K, BuildHasherDefault<Spread>>;

/// 2^64 divided by the golden ratio, whose multiples are spread evenly (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(29) ^ number).wrapping_mul(GOLDEN);
    }

    /// Maps look at the highest bits and at the lowest ones, and a product has its best in the highest.
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, Hash};

    fn hash(of: impl Hash) -> u64 {
        BuildHasherDefault::<Spread>::default().hash_one(of)
    }

    #[test]
    fn numbers_in_a_row_are_spread_over_places_and_marks() {
        let flows = || (0..64_u64).flat_map(|one| (0..64_u64).map(move |other| (one, other)));
        let places: HashSet<u64> = flows().map(|flow| hash(flow) & 0xffff).collect();
        let marks: HashSet<u64> = flows().map(|flow| hash(flow) >> 57).collect();
        let whole: HashSet<u64> = flows().map(hash).collect();
        // 4096 thrown at random hit some 3970 of 65536 places.
        assert!(places.len() > 3800, "{}", places.len());
        assert_eq!((whole.len(), marks.len()), (4096, 128));
        let single: HashSet<u64> = (0..4096_u64).map(|number| hash(number) & 0xffff).collect();
        assert!(single.len() > 3800, "{}", single.len());
    }
}
