//! How keys are spread over a table: they are hashes of requests or numbers in a row, so one multiplication does.
//!
//! It does not withstand who chooses keys to collide: they are those of the user's own app, and are
//! [fingerprints](crate::fingerprint) already.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are spread by this.
pub(crate) type SpreadMap<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;
/// A set whose keys are spread by this.
pub(crate) type SpreadSet<K> = HashSet<K, BuildHasherDefault<Spread>>;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread(u64);

/// Both halves of a product of 64 bits each, folded into one: every bit of both has a part in every bit.
pub(crate) fn fold(one: u64, other: u64) -> u64 {
    const SALT: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(one ^ SALT) * u128::from(other ^ SALT.rotate_left(31));
    product as u64 ^ (product >> 64) as u64
}

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(word, self.0);
    }
}
