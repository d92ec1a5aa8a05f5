//! Calls of a function by its object id (PostgreSQL manual, "Function Call"). Drivers use them for large
//! objects, whose functions have the same ids in every database; any other has its number for a name.

use super::columns::{decode, format_of};
use super::fields::Fields;
use super::frames::{Frames, NULL, sized};
use super::{binary, fitting, text, unwritable};
use crate::{Flaw, Step, WireError};
use rehearsal_model::{Map, Value};
use std::borrow::Cow;

const BYTEA: u32 = 17;
const INT8: u32 = 20;
const INT4: u32 = 23;
const OID: u32 = 26;

/// A function, with the types of what it takes and gives (`pg_proc.dat`).
struct Function {
    oid: u32,
    name: &'static str,
    takes: &'static [u32],
    gives: u32,
}

const FUNCTIONS: &[Function] = &[
    Function { oid: 715, name: "lo_create", takes: &[OID], gives: OID },
    Function { oid: 952, name: "lo_open", takes: &[OID, INT4], gives: INT4 },
    Function { oid: 953, name: "lo_close", takes: &[INT4], gives: INT4 },
    Function { oid: 954, name: "loread", takes: &[INT4, INT4], gives: BYTEA },
    Function { oid: 955, name: "lowrite", takes: &[INT4, BYTEA], gives: INT4 },
    Function { oid: 956, name: "lo_lseek", takes: &[INT4, INT4, INT4], gives: INT4 },
    Function { oid: 957, name: "lo_creat", takes: &[INT4], gives: OID },
    Function { oid: 958, name: "lo_tell", takes: &[INT4], gives: INT4 },
    Function { oid: 964, name: "lo_unlink", takes: &[OID], gives: INT4 },
    Function { oid: 1004, name: "lo_truncate", takes: &[INT4, INT4], gives: INT4 },
    Function { oid: 3170, name: "lo_lseek64", takes: &[INT4, INT8, INT4], gives: INT8 },
    Function { oid: 3171, name: "lo_tell64", takes: &[INT4], gives: INT8 },
    Function { oid: 3172, name: "lo_truncate64", takes: &[INT4, INT8], gives: INT4 },
];

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    name: Cow<'static, str>,
    params: Vec<Value>,
    result: Expected,
}

/// How the result is spelled on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    oid: u32,
    format: i16,
}

/// What is wrong with the recorded result of a function.
pub(super) fn flaw(name: &str, result: &Map) -> Option<Flaw> {
    let gives = FUNCTIONS.iter().find(|function| function.name == name)?.gives;
    let problem = fitting::problem_alone(gives, result.get("value")?)?;
    Some(Flaw { path: vec![Step::Key("value".to_owned())], problem })
}

impl Call {
    /// Reads a FunctionCall.
    pub(super) fn read(body: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        let oid = fields.u32()?;
        let known = FUNCTIONS.iter().find(|function| function.oid == oid);
        let formats = fields.formats()?;
        let mut params = Vec::new();
        for index in 0..fields.count()? {
            let takes = known.and_then(|known| known.takes.get(index)).copied();
            let format = format_of(&formats, index);
            params.push(decode(takes.unwrap_or_default(), format, fields.sized()?)?);
        }
        let name = known.map_or_else(|| oid.to_string().into(), |known| known.name.into());
        let gives = known.map_or(0, |known| known.gives);
        Ok(Call { name, params, result: Expected { oid: gives, format: fields.i16()? } })
    }

    pub(super) fn expected(&self) -> Expected {
        self.result
    }

    /// The request as recordings have it.
    pub(super) fn into_map(self) -> Map {
        let mut map = Map::from([("call", self.name.into_owned())]);
        if !self.params.is_empty() {
            map.push_new("params", self.params);
        }
        map
    }
}

impl Expected {
    /// Reads a FunctionCallResponse.
    pub(super) fn read(self, body: &[u8]) -> Result<Value, WireError> {
        decode(self.oid, self.format, Fields::new(body).sized()?)
    }

    /// Writes a recorded result.
    pub(super) fn write(self, result: &Map, frames: &mut Frames) -> Result<(), WireError> {
        let value = result.get("value").unwrap_or(&Value::Null);
        let bytes = match (value, self.format) {
            (Value::Null, _) => {
                frames.add(b'V', |out| out.extend_from_slice(&NULL));
                return Ok(());
            }
            (value, 1) => binary::encode(self.oid, value),
            (value, _) => text::encode(self.oid, value),
        };
        let wrong = || unwritable(&format!("`value` of a function cannot be {}", value.kind()));
        let bytes = bytes.ok_or_else(wrong)?;
        frames.try_add(b'V', |out| {
            sized(out, |out| {
                out.extend_from_slice(&bytes);
                Ok(())
            })
        })
    }
}
