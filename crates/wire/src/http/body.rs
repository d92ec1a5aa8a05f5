//! Reads a body as it comes, whichever way it is framed.
//!
//! A body above the limit is counted and hashed but not kept. What the bytes mean is the business
//! of [`super::content`].

use super::chunked::Chunked;
use super::framing::Framing;
use super::head::Field;
use crate::{Limits, WireError};
use sha2::{Digest, Sha256};

/// A body without its framing.
#[derive(Clone, Debug)]
pub(super) struct Body {
    limit: usize,
    kept: Vec<u8>,
    length: u64,
    /// The hash of what came, once that is too much to keep.
    hash: Option<Box<Sha256>>,
}

/// What came of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    Kept(Vec<u8>),
    Omitted { length: u64, sha256: String },
}

impl Bytes {
    pub(super) fn len(&self) -> u64 {
        match self {
            Bytes::Kept(bytes) => bytes.len() as u64,
            Bytes::Omitted { length, .. } => *length,
        }
    }
}

impl Body {
    pub(super) fn new(limit: usize) -> Self {
        Body { limit, kept: Vec::new(), length: 0, hash: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        } else if self.kept.len() + bytes.len() > self.limit {
            let mut hash = Sha256::new();
            hash.update(std::mem::take(&mut self.kept));
            hash.update(bytes);
            self.hash = Some(Box::new(hash));
        } else {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// How many bytes are kept.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// What came so far, while that is not too much to keep.
    pub(super) fn so_far(&self) -> &[u8] {
        &self.kept
    }

    /// Forgets what came after so many bytes.
    pub(super) fn shorten(&mut self, length: usize) {
        self.length = self.length.min(length as u64);
        self.kept.truncate(length);
    }

    pub(super) fn finish(self) -> Bytes {
        match self.hash {
            None => Bytes::Kept(self.kept),
            Some(hash) => {
                let digest = hash.finalize();
                let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Bytes::Omitted { length: self.length, sha256 }
            }
        }
    }
}

/// A body that is being read.
#[derive(Debug)]
pub(super) struct BodyReader {
    body: Body,
    progress: Progress,
    trailers: Vec<Field>,
}

#[derive(Debug)]
enum Progress {
    Left(u64),
    Chunked(Chunked),
    UntilClose,
}

impl BodyReader {
    pub(super) fn new(framing: Framing, limits: Limits) -> Self {
        let progress = match framing {
            Framing::None => Progress::Left(0),
            Framing::Length(length) => Progress::Left(length),
            Framing::Chunked => Progress::Chunked(Chunked::new(limits.head)),
            Framing::Close => Progress::UntilClose,
        };
        BodyReader { body: Body::new(limits.body), progress, trailers: Vec::new() }
    }

    /// Takes the bytes that belong to the body; true when it is complete.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<bool, WireError> {
        match &mut self.progress {
            Progress::Left(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                self.body.push(&input[..taken]);
                *input = &input[taken..];
                *left -= taken as u64;
                Ok(*left == 0)
            }
            Progress::Chunked(chunked) => match chunked.read(input, &mut self.body)? {
                Some(trailers) => {
                    self.trailers = trailers;
                    Ok(true)
                }
                None => Ok(false),
            },
            Progress::UntilClose => {
                self.body.push(input);
                *input = &[];
                Ok(false)
            }
        }
    }

    /// Whether the end of the connection is the end of the body.
    pub(super) fn ends_by_close(&self) -> bool {
        matches!(self.progress, Progress::UntilClose)
    }

    /// What came so far, while that is not too much to keep.
    pub(super) fn so_far(&self) -> &[u8] {
        self.body.so_far()
    }

    /// Forgets what came after so many bytes.
    pub(super) fn shorten(&mut self, length: usize) {
        self.body.shorten(length);
    }

    /// What came, complete or not, and the trailer fields.
    pub(super) fn finish(self) -> (Bytes, Vec<Field>) {
        (self.body.finish(), self.trailers)
    }
}
