//! A recorded request or response between the form in which HTTP has it, with a body, and the form
//! in which people read it: `messages`, and how the call ended under `grpc`.

use super::content::{self, Kind, Side, compressed_value, text_of};
use super::protobuf::Schemas;
use super::status::{self, Block, Field};
use super::web::Separator;
use crate::http::fields;
use rehearsal_model::{Map, Value};

/// Whether a message is a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Request,
    Response,
}

/// The fields that messages are read by.
pub(super) struct Reading<'a> {
    pub(super) schemas: &'a Schemas,
    /// The path of the call, by which its schema is found.
    pub(super) path: &'a str,
    pub(super) part: Part,
}

impl<'a> Reading<'a> {
    /// How the content of a message is read; `None` when it is not of gRPC.
    pub(super) fn side<'m>(&self, map: &'m Map) -> Option<Side<'m>>
    where
        'a: 'm,
    {
        let list = fields::each(map.get("headers"));
        let kind = Kind::of(text_of(&list, "content-type")?)?;
        let of = self.schemas.method(self.path).map(|(request, response)| match self.part {
            Part::Request => request,
            Part::Response => response,
        });
        let encoding = text_of(&list, "grpc-encoding");
        Some(Side { kind, encoding, of, schemas: self.schemas })
    }

    /// Shows a message by what is in it, as far as that can be read. Messages take at most `limit` bytes.
    pub(super) fn show(&self, map: &mut Map, limit: usize) {
        let Some(side) = self.side(map) else { return };
        let plain = map.get("body-format").is_none() && !map.keys().any(|key| key == "omitted");
        let body = map.get("body").filter(|_| plain);
        let shown = body.and_then(Value::as_bytes).and_then(|body| side.show(body, limit));
        let has_trailers = map.get("trailers").is_some();
        let shown = shown.filter(|shown| shown.trailers.is_none() || !has_trailers);
        if let Some(shown) = shown {
            map.remove("body");
            let count = shown.messages.len();
            map.push_new("messages", Value::List(shown.messages));
            if let Some(value) = compressed_value(&shown.compressed, count) {
                map.push_new("compressed", value);
            }
            if let Some((trailers, separator)) = shown.trailers {
                let words = if separator == Separator::Spaced { "spaced" } else { "plain" };
                map.push_new("web-trailers", words);
                if let Some(trailers) = fields::record(trailers) {
                    map.push_new("trailers", trailers);
                }
            }
        }
        if self.part == Part::Response {
            self.lift(map);
        }
    }

    /// Shows how a call ended, which its trailers say, or its headers when it has no trailers.
    fn lift(&self, map: &mut Map) {
        for (key, block) in [("trailers", Block::Trailers), ("headers", Block::Headers)] {
            let mut list = owned(map.get(key));
            if let Some(ended) = status::lift(&mut list, block, self.schemas) {
                map.remove(key);
                if let Some(rest) = fields::record(list) {
                    map.push_new(key, rest);
                }
                map.push_new("grpc", ended);
                return;
            }
        }
    }

    /// The message as HTTP has it; `None` when it shows nothing of gRPC. `Err` says what in it cannot
    /// be sent.
    pub(super) fn hide(&self, map: &Map) -> Result<Option<Map>, String> {
        if map.get("messages").is_none() && map.get("grpc").is_none() {
            return Ok(None);
        }
        let Some(side) = self.side(map) else {
            return Err("messages and grpc need a content-type such as application/grpc".into());
        };
        let mut out = map.clone();
        self.lower(map, &mut out)?;
        let Some(messages) = out.remove("messages") else { return Ok(Some(out)) };
        if map.get("body").is_some() {
            return Err("it has both messages and a body".into());
        }
        let frames = side.frames(&messages, map.get("compressed"))?;
        out.remove("compressed");
        let separator = match out.remove("web-trailers").as_ref().and_then(Value::as_text) {
            Some("spaced") => Some(Separator::Spaced),
            Some(_) => Some(Separator::Colon),
            None => None,
        };
        let separator = separator.filter(|_| side.has_own_trailers());
        let trailers =
            separator.map(|separator| (owned(out.remove("trailers").as_ref()), separator));
        let trailers = trailers.as_ref().map(|(list, separator)| (list.as_slice(), *separator));
        out.insert("body", Value::Bytes(side.content(frames, trailers)?));
        Ok(Some(out))
    }

    fn lower(&self, map: &Map, out: &mut Map) -> Result<(), String> {
        let Some(ended) = out.remove("grpc") else { return Ok(()) };
        let in_headers = status::has_place(&fields::each(map.get("headers")));
        let (key, block) = match in_headers {
            true => ("headers", Block::Headers),
            false => ("trailers", Block::Trailers),
        };
        let mut list = owned(map.get(key));
        status::lower(&ended, &mut list, block, self.schemas)?;
        out.remove(key);
        if let Some(list) = fields::record(list) {
            out.push_new(key, list);
        }
        Ok(())
    }
}

fn owned(recorded: Option<&Value>) -> Vec<Field> {
    let list = fields::each(recorded).into_iter();
    list.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// The path of the call that a request makes; `None` when it is not one of gRPC.
pub(crate) fn path_of(request: &Map) -> Option<&str> {
    Kind::of(fields::first(request.get("headers"), "content-type")?.as_text()?)?;
    content::path_of(request)
}

/// Whether a recorded call was over before its client ended it, and not because that gave it up.
pub(crate) fn is_unheard(request: &Map) -> bool {
    request.get("open").is_some() && request.get("cancelled").is_none()
}
