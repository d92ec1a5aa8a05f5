//! Bytes that are read from the front, and the numbers and texts in them.
//!
//! Nothing is allocated before the bytes that fill it are known to be there.

use super::Binary;

/// Why bytes cannot be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinaryError {
    /// The bytes end too early.
    #[error("cut short at byte {0}")]
    Short(usize),
    /// A tag, a number or a text is none.
    #[error("damaged at byte {0}")]
    Damaged(usize),
    /// More bytes follow than belong to it.
    #[error("more than expected from byte {0}")]
    Rest(usize),
    /// Lists and maps nest too deep.
    #[error("a value nested deeper than {} levels", super::MAX_DEPTH)]
    TooDeep,
    /// It takes more bytes than a frame can hold.
    #[error("more than 4 GiB in one piece")]
    TooLong,
}

/// Bytes that are read from the front.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    /// From the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, at: 0 }
    }

    /// How many bytes are read.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next byte.
    ///
    /// # Errors
    /// At the end.
    pub fn byte(&mut self) -> Result<u8, BinaryError> {
        let byte = *self.bytes.get(self.at).ok_or(BinaryError::Short(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn slice(&mut self, count: usize) -> Result<&'a [u8], BinaryError> {
        if count > self.left() {
            return Err(BinaryError::Short(self.at));
        }
        let slice = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(slice)
    }

    /// A number: seven bits a byte, the least significant first, as short as can be.
    ///
    /// # Errors
    /// At the end, or when it does not fit.
    pub fn number(&mut self) -> Result<u64, BinaryError> {
        let (start, mut number) = (self.at, 0u64);
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(BinaryError::Damaged(start))
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// At the end, or when it does not fit.
    pub fn number32(&mut self) -> Result<u32, BinaryError> {
        let start = self.at;
        u32::try_from(self.number()?).map_err(|_| BinaryError::Damaged(start))
    }

    /// How many things of at least `least` bytes follow.
    ///
    /// # Errors
    /// When so many cannot be in the bytes that are left.
    pub fn count(&mut self, least: usize) -> Result<usize, BinaryError> {
        let start = self.at;
        let count = usize::try_from(self.number()?).map_err(|_| BinaryError::Damaged(start))?;
        match count.checked_mul(least) {
            Some(bytes) if bytes <= self.left() => Ok(count),
            _ => Err(BinaryError::Short(start)),
        }
    }

    /// Bytes with their length before them.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn bytes(&mut self) -> Result<&'a [u8], BinaryError> {
        let count = self.count(1)?;
        self.slice(count)
    }

    /// A text with its length before it.
    ///
    /// # Errors
    /// When fewer bytes are left, or they are not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, BinaryError> {
        let start = self.at;
        std::str::from_utf8(self.bytes()?).map_err(|_| BinaryError::Damaged(start))
    }

    /// A flag.
    ///
    /// # Errors
    /// When it is neither 0 nor 1.
    pub fn flag(&mut self) -> Result<bool, BinaryError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BinaryError::Damaged(self.at - 1)),
        }
    }

    /// Things with their count before them.
    ///
    /// # Errors
    /// As those of the thing.
    pub fn list<T: Binary>(&mut self) -> Result<Vec<T>, BinaryError> {
        let count = self.count(1)?;
        let mut list = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            list.push(T::take(self)?);
        }
        Ok(list)
    }
}

pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn put_list<T: Binary>(out: &mut Vec<u8>, list: &[T]) -> Result<(), BinaryError> {
    put_number(out, list.len() as u64);
    list.iter().try_for_each(|thing| thing.put(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_longer_ones_are_refused() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(Input::new(&out).number(), Ok(number));
        }
        assert_eq!(Input::new(&[0xff; 11]).number(), Err(BinaryError::Damaged(0)));
        assert_eq!(Input::new(&[0x80; 3]).number(), Err(BinaryError::Short(3)));
        assert!(Input::new(&[0xff, 0xff, 0xff, 0xff, 0x7f]).number32().is_err());
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_anything_is_allocated() {
        let mut huge = Vec::new();
        put_number(&mut huge, u64::MAX / 2);
        assert_eq!(Input::new(&huge).count(1), Err(BinaryError::Short(0)));
        assert_eq!(Input::new(&huge).count(16), Err(BinaryError::Short(0)));
        assert_eq!(Input::new(&huge).bytes(), Err(BinaryError::Short(0)));
    }
}
