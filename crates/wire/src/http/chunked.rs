//! The chunked transfer coding (RFC 9112, section 7.1), reading and writing.
//!
//! Chunk extensions are passed over: no recipient needs to know one, and where chunks end says
//! nothing about the message.

use super::body::Body;
use super::head::{Field, trailers};
use super::lines::Lines;
use super::malformed;
use crate::WireError;

/// Bytes of chunk extensions that one message may have.
const MAX_EXTENSIONS: usize = 64 << 10;

/// A chunked body that is being read.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    lines: Lines,
    /// Bytes that the trailer section may have.
    limit: usize,
    extensions: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeEnd { size: u64 },
    Data { left: u64 },
    DataEnd { carriage_return: bool },
    Trailers,
}

const START: State = State::Size { size: 0, digits: 0 };

impl Chunked {
    pub(super) fn new(limit: usize) -> Self {
        Chunked { state: START, lines: Lines::default(), limit, extensions: 0 }
    }

    /// Takes bytes and puts the data into the body; the trailer fields when it is complete.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        body: &mut Body,
    ) -> Result<Option<Vec<Field>>, WireError> {
        while let [byte, rest @ ..] = *input {
            self.state = match self.state {
                State::Data { left } => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    body.push(&input[..taken]);
                    *input = &input[taken..];
                    match left - taken as u64 {
                        0 => State::DataEnd { carriage_return: false },
                        left => State::Data { left },
                    }
                }
                State::Trailers => return self.lines.take(input, self.limit, trailers),
                state => {
                    *input = rest;
                    self.framing_byte(state, *byte)?
                }
            };
        }
        Ok(None)
    }

    /// What a byte between the data leads to.
    fn framing_byte(&mut self, state: State, byte: u8) -> Result<State, WireError> {
        match (state, byte) {
            (State::Size { size, digits: digits @ 0..16 }, _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                Ok(State::Size { size: size << 4 | digit, digits: digits + 1 })
            }
            (State::Size { size, digits: 1.. } | State::Extension { size }, b'\r') => {
                Ok(State::SizeEnd { size })
            }
            (State::Size { size, digits: 1.. }, b';' | b' ' | b'\t') => {
                Ok(State::Extension { size })
            }
            (State::Extension { size }, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extensions += 1;
                if self.extensions > MAX_EXTENSIONS {
                    return Err(malformed(format!(
                        "more than {MAX_EXTENSIONS} bytes of chunk extensions"
                    )));
                }
                Ok(State::Extension { size })
            }
            (State::SizeEnd { size: 0 }, b'\n') => Ok(State::Trailers),
            (State::SizeEnd { size }, b'\n') => Ok(State::Data { left: size }),
            (State::DataEnd { carriage_return: false }, b'\r') => {
                Ok(State::DataEnd { carriage_return: true })
            }
            (State::DataEnd { carriage_return: true }, b'\n') => Ok(START),
            (State::DataEnd { .. }, _) => Err(malformed("a chunk that is longer than its size")),
            _ => Err(malformed("a chunk size that is not a hexadecimal number on a line")),
        }
    }
}

/// The start of a chunk of so many bytes; nothing for none, which would end the body.
pub(super) fn write_size(size: u64, out: &mut Vec<u8>) {
    if size > 0 {
        out.extend_from_slice(format!("{size:x}\r\n").as_bytes());
    }
}
