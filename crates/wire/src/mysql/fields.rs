//! Reads the fields of a packet one after the other (MySQL source documentation, "Integer Types" and
//! "String Types").

use super::malformed;
use crate::WireError;

/// What is left of a packet.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Fields(body)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes are left.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let taken = self.0.get(..count).ok_or_else(|| malformed("a packet that ends too soon"))?;
        self.0 = &self.0[count..];
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// An integer whose first byte says how long it is.
    pub(super) fn number(&mut self) -> Result<u64, WireError> {
        match self.byte()? {
            0xfc => Ok(u64::from(self.u16()?)),
            0xfd => {
                let [a, b, c] = self.array()?;
                Ok(u64::from(u32::from_le_bytes([a, b, c, 0])))
            }
            0xfe => self.u64(),
            0xfb | 0xff => Err(malformed("a length that is none")),
            small => Ok(u64::from(small)),
        }
    }

    /// Bytes behind their length.
    pub(super) fn sized(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.number()?);
        let length = length.map_err(|_| malformed("a value that is longer than its packet"))?;
        self.take(length)
    }

    /// The same of a row of text, where one byte stands for NULL.
    pub(super) fn nullable(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        if self.0.first() == Some(&0xfb) {
            self.byte()?;
            return Ok(None);
        }
        self.sized().map(Some)
    }

    /// Bytes up to a zero byte, which is taken too.
    pub(super) fn zero_ended(&mut self) -> Result<&'a [u8], WireError> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(|| malformed("text without a zero byte at its end"))?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Ok(text)
    }

    /// Bytes up to a zero byte or to the end: some programs leave the last zero byte out.
    pub(super) fn zero_ended_or_rest(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0);
        let text = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = end.map_or(&[], |end| &self.0[end + 1..]);
        text
    }
}

/// Writes an integer whose first byte says how long it is.
pub(super) fn put_number(out: &mut Vec<u8>, number: u64) {
    let bytes = number.to_le_bytes();
    match number {
        0..=0xfa => out.push(bytes[0]),
        0xfb..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&bytes[..2]);
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend_from_slice(&bytes[..3]);
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Writes bytes behind their length.
pub(super) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes bytes and a zero byte behind them.
pub(super) fn put_zero_ended(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().copied().filter(|byte| *byte != 0));
    out.push(0);
}
