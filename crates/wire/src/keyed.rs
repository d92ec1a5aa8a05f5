//! Hashes with a key, of which proofs of passwords are made (RFC 2104, RFC 8018).
//!
//! What is proven to whom is the protocols' business.

use sha2::Digest;

/// HMAC (RFC 2104) with a key, to be used many times.
pub(crate) struct Keyed<D> {
    inner: D,
    outer: D,
}

impl<D: Digest + Clone> Keyed<D> {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = [0; 64];
        let short = if key.len() > block.len() { D::digest(key).to_vec() } else { key.to_vec() };
        block[..short.len()].copy_from_slice(&short);
        let padded = |pad: u8| D::new_with_prefix(block.map(|byte| byte ^ pad));
        Keyed { inner: padded(0x36), outer: padded(0x5c) }
    }

    pub(crate) fn of(&self, message: &[u8]) -> Vec<u8> {
        let inner = self.inner.clone().chain_update(message).finalize();
        self.outer.clone().chain_update(inner).finalize().to_vec()
    }

    /// PBKDF2 (RFC 8018, section 5.2), one block.
    pub(crate) fn stretched(password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
        let keyed = Keyed::<D>::new(password);
        let mut last = keyed.of(&[salt, &[0, 0, 0, 1]].concat());
        let mut sum = last.clone();
        for _ in 1..rounds {
            last = keyed.of(&last);
            sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        sum
    }
}
