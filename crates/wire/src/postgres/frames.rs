//! Puts messages of the server into bytes.

use bytes::Bytes;

/// Messages one behind the other.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// Where the length of the open message stands.
    open: usize,
}

impl Frames {
    /// Adds a message whose body the closure writes.
    pub(super) fn add(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        self.begin(kind);
        body(&mut self.bytes);
        self.end();
    }

    /// Adds a message whose body may turn out not to be writable; it is left out then.
    pub(super) fn try_add<E>(
        &mut self,
        kind: u8,
        body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = self.bytes.len();
        self.begin(kind);
        match body(&mut self.bytes) {
            Ok(()) => self.end(),
            Err(error) => {
                self.bytes.truncate(before);
                return Err(error);
            }
        }
        Ok(())
    }

    pub(super) fn empty(&mut self, kind: u8) {
        self.add(kind, |_| {});
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.bytes))
    }

    fn begin(&mut self, kind: u8) {
        self.bytes.push(kind);
        self.open = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
    }

    fn end(&mut self) {
        let length = self.bytes.len() - self.open;
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        self.bytes[self.open..self.open + 4].copy_from_slice(&length);
    }
}

/// Writes bytes and a zero byte behind them.
pub(super) fn zero_ended(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().copied().filter(|byte| *byte != 0));
    out.push(0);
}

/// Writes a count of two bytes. More than that cannot be said and is cut.
pub(super) fn count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

/// Writes what the closure writes behind its length.
pub(super) fn sized<E>(
    out: &mut Vec<u8>,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let place = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out)?;
    let length = u32::try_from(out.len() - place - 4).unwrap_or(u32::MAX).to_be_bytes();
    out[place..place + 4].copy_from_slice(&length);
    Ok(())
}

/// The length that stands for NULL.
pub(super) const NULL: [u8; 4] = (-1_i32).to_be_bytes();
