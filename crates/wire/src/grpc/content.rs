//! The content of a request or response as the messages in it, and back.
//!
//! Content that is cut off, damaged or larger than it may be stays the bytes that it is.

use super::coding::Coding;
use super::frames::{self, COMPRESSED, TRAILERS};
use super::protobuf::{self, Message, Schemas};
use super::status::Field;
use super::{base64, web};
use rehearsal_model::{Map, Value};

/// What a content type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// gRPC-Web: trailers are a frame.
    web: bool,
    /// gRPC-Web in base64.
    text: bool,
    /// Messages are protocol buffers.
    is_proto: bool,
}

impl Kind {
    /// The kind of a content type, unless it is another protocol's.
    pub(super) fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let rest = essence.strip_prefix("application/grpc")?;
        let (base, message) = rest.split_once('+').unwrap_or((rest, "proto"));
        let (web, text) = match base {
            "" => (false, false),
            "-web" => (true, false),
            "-web-text" => (true, true),
            _ => return None,
        };
        Some(Kind { web, text, is_proto: message == "proto" })
    }
}

/// Whether a content type is that of a call whose messages may go both ways in turns.
pub(crate) fn is_call(content_type: &str) -> bool {
    Kind::of(content_type).is_some_and(|kind| !kind.web)
}

/// How the messages of one side of a call are read and written.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) kind: Kind,
    /// What `grpc-encoding` says.
    pub(super) encoding: Option<&'a str>,
    pub(super) of: Option<&'a Message>,
    pub(super) schemas: &'a Schemas,
}

/// What content holds.
#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) messages: Vec<Value>,
    /// The places of those that are compressed.
    pub(super) compressed: Vec<usize>,
    /// gRPC-Web's trailers and the separator between name and value.
    pub(super) trailers: Option<(Vec<Field>, web::Separator)>,
}

impl Side<'_> {
    fn coding(&self) -> Option<Coding> {
        self.encoding.and_then(Coding::of)
    }

    /// The messages of a content, which together take at most `limit` bytes.
    pub(super) fn show(&self, content: &[u8], limit: usize) -> Option<Shown> {
        let decoded;
        let content = match self.kind.text {
            true => {
                decoded = base64::decode(content)?;
                &decoded
            }
            false => content,
        };
        let mut shown = Shown { messages: Vec::new(), compressed: Vec::new(), trailers: None };
        let mut left = limit;
        for frame in frames::split(content)? {
            if shown.trailers.is_some() {
                return None;
            }
            if frame.flag & TRAILERS != 0 {
                let plain = self.kind.web && frame.flag == TRAILERS;
                shown.trailers = Some(web::read(frame.content).filter(|_| plain)?);
                continue;
            }
            if frame.flag & COMPRESSED != 0 {
                shown.compressed.push(shown.messages.len());
                if self.coding().is_none() {
                    shown.messages.push(Value::Bytes(frame.content.to_vec()));
                    continue;
                }
            }
            let plain = frames::plain(frame, self.coding(), left)?;
            left -= plain.len();
            shown.messages.push(match self.kind.is_proto {
                true => protobuf::decode(&plain, self.of, self.schemas),
                false => Value::from_bytes(&plain),
            });
        }
        Some(shown)
    }

    /// Each message as the frame that it was.
    pub(super) fn frames(
        &self,
        messages: &Value,
        compressed: Option<&Value>,
    ) -> Result<Vec<Vec<u8>>, String> {
        let Value::List(list) = messages else {
            return Err(format!("messages is {}; it must be a list", messages.kind()));
        };
        let mut out = Vec::with_capacity(list.len());
        for (place, message) in list.iter().enumerate() {
            let fault = |problem: String| match problem.split_once(": ") {
                Some((path, _)) if !path.contains(' ') => format!("messages[{place}].{problem}"),
                _ => format!("messages[{place}]: {problem}"),
            };
            let frame = self.frame(message, is_compressed(compressed, place)?);
            out.push(frame.map_err(fault)?);
        }
        Ok(out)
    }

    fn frame(&self, message: &Value, compressed: bool) -> Result<Vec<u8>, String> {
        let coding = self.coding().filter(|_| compressed);
        let raw = compressed && coding.is_none();
        let mut bytes = match message {
            _ if self.kind.is_proto && !raw => protobuf::encode(message, self.of, self.schemas)?,
            _ => match message.as_bytes() {
                Some(bytes) => bytes.to_vec(),
                None => return Err(format!("it is {}; it must be text or bytes", message.kind())),
            },
        };
        if let Some(coding) = coding {
            bytes = coding.encode(&bytes).map_err(|error| format!("compression: {error}"))?;
        }
        let mut frame = Vec::with_capacity(bytes.len() + 5);
        let flag = if compressed { COMPRESSED } else { 0 };
        let written = frames::write(flag, &bytes, &mut frame);
        written.map(|()| frame).ok_or_else(|| "it is longer than 4 GiB".to_owned())
    }

    /// Whether trailers are a part of the content.
    pub(super) fn has_own_trailers(&self) -> bool {
        self.kind.web
    }

    /// The content of frames, with trailers if it has such.
    pub(super) fn content(
        &self,
        mut frames: Vec<Vec<u8>>,
        trailers: Option<(&[Field], web::Separator)>,
    ) -> Result<Vec<u8>, String> {
        if let Some((fields, separator)) = trailers {
            let mut frame = Vec::new();
            let text = web::write(fields, separator)?;
            frames::write(TRAILERS, &text, &mut frame).ok_or("trailers are longer than 4 GiB")?;
            frames.push(frame);
        }
        let content = frames.concat();
        Ok(if self.kind.text { base64::encode_padded(&content).into_bytes() } else { content })
    }
}

/// The value that tells which messages are compressed; `None` when none is.
pub(super) fn compressed_value(places: &[usize], messages: usize) -> Option<Value> {
    match places.len() {
        0 => None,
        count if count == messages => Some(Value::Bool(true)),
        _ => Some(places.iter().map(|place| Value::from(*place)).collect::<Vec<_>>().into()),
    }
}

fn is_compressed(compressed: Option<&Value>, place: usize) -> Result<bool, String> {
    match compressed {
        None => Ok(false),
        Some(Value::Bool(all)) => Ok(*all),
        Some(Value::List(places)) => {
            let place = i64::try_from(place).ok();
            Ok(places.iter().any(|it| it.as_i64() == place))
        }
        Some(other) => {
            Err(format!("compressed is {}; it must be true or a list of places", other.kind()))
        }
    }
}

/// The text of a key, when it is there and text.
pub(super) fn text_of<'a>(fields: &[(&str, &'a Value)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
    found.1.as_text()
}

/// The path of a request, without what a query may add.
pub(super) fn path_of(request: &Map) -> Option<&str> {
    let target = request.text("http")?.split(' ').nth(1)?;
    target.split('?').next()
}
