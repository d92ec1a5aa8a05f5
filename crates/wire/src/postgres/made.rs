//! Values in binary of types that a database has defined: arrays of an enumeration, composites. Only
//! the bytes say what they are made of (`array_send`, `record_send`).
//!
//! A column says it too, in recordings: `moods #16391=#16385[]`, `place #16400=(int4,text)`. What is
//! not a composite or an array is carried as it came.

use super::fields::Fields;
use super::{array, binary, frames, types};
use rehearsal_model::Value;

/// The most columns that a server allows.
const MOST_FIELDS: usize = 1664;

/// The first object id that a server gives to what a database defines.
const FIRST: u32 = 16_384;

/// `record`, which says no more of what it is made of.
const RECORD: u32 = 2249;

/// What a value is made of, by object ids.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Parts {
    /// An array of this type.
    Array(u32),
    /// A composite of these types.
    Record(Vec<u32>),
}

/// Whether values of a type may say themselves what they are made of.
pub(super) fn may_say(oid: u32) -> bool {
    oid >= FIRST || oid == RECORD || oid == 0
}

impl Parts {
    /// What bytes say that they are made of.
    pub(super) fn of(bytes: &[u8]) -> Option<Parts> {
        [Self::of_array(bytes), Self::of_record(bytes)]
            .into_iter()
            .flatten()
            .find(|parts| parts.read(bytes).is_some())
    }

    fn of_array(bytes: &[u8]) -> Option<Parts> {
        let mut fields = Fields::new(bytes);
        fields.take(8).ok()?;
        Some(Parts::Array(fields.u32().ok()?))
    }

    fn of_record(bytes: &[u8]) -> Option<Parts> {
        let mut fields = Fields::new(bytes);
        let count = fields.u32().ok()? as usize;
        if count == 0 || count > MOST_FIELDS {
            return None;
        }
        let mut oids = Vec::new();
        for _ in 0..count {
            oids.push(fields.u32().ok()?);
            fields.sized().ok()?;
        }
        fields.is_empty().then_some(Parts::Record(oids))
    }

    /// The list that bytes stand for, when the same bytes come out of it again.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Value> {
        let value = match self {
            Parts::Array(element) => array::decode_binary(*element, bytes)?,
            Parts::Record(oids) => {
                let mut fields = Fields::new(bytes);
                fields.take(4).ok()?;
                let mut list = Vec::new();
                for oid in oids {
                    fields.take(4).ok()?;
                    let field = fields.sized().ok()?;
                    list.push(field.map_or(Value::Null, |field| binary::decode(*oid, field)));
                }
                Value::List(list)
            }
        };
        (self.write(&value).as_deref() == Some(bytes)).then_some(value)
    }

    /// The bytes of a list, or `None` when it is not made of that.
    pub(super) fn write(&self, value: &Value) -> Option<Vec<u8>> {
        let oids = match self {
            Parts::Array(element) => return array::encode_binary(*element, value),
            Parts::Record(oids) => oids,
        };
        let list = value.as_list().filter(|list| list.len() == oids.len())?;
        let mut out = u32::try_from(list.len()).ok()?.to_be_bytes().to_vec();
        for (oid, value) in oids.iter().zip(list) {
            out.extend_from_slice(&oid.to_be_bytes());
            if *value == Value::Null {
                out.extend_from_slice(&frames::NULL);
                continue;
            }
            let bytes = binary::encode(*oid, value)?;
            out.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
            out.extend_from_slice(&bytes);
        }
        Some(out)
    }

    /// The text format of a list; none for composites.
    pub(super) fn write_text(&self, value: &Value) -> Option<Vec<u8>> {
        match self {
            Parts::Array(element) => array::encode_text(*element, value),
            Parts::Record(_) => None,
        }
    }

    /// `#16385[]`, or `(int4,text)`.
    pub(super) fn spell(&self) -> String {
        match self {
            Parts::Array(element) => format!("{}[]", types::name(*element)),
            Parts::Record(oids) => {
                let names: Vec<_> = oids.iter().map(|oid| types::name(*oid)).collect();
                format!("({})", names.join(","))
            }
        }
    }

    /// What [`Parts::spell`] wrote.
    pub(super) fn parse(text: &str) -> Option<Parts> {
        if let Some(fields) = text.strip_prefix('(') {
            let names = fields.strip_suffix(')')?.split(',');
            return names.map(types::oid).collect::<Option<_>>().map(Parts::Record);
        }
        types::oid(text.strip_suffix("[]")?).map(Parts::Array)
    }
}

/// The list that bytes of a type stand for, when they say what they are made of.
pub(super) fn decode(oid: u32, bytes: &[u8]) -> Option<Value> {
    if !may_say(oid) {
        return None;
    }
    Parts::of(bytes)?.read(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parts: &Parts, value: Value, spelled: &str) {
        let bytes = parts.write(&value).unwrap();
        assert_eq!(Parts::of(&bytes).as_ref(), Some(parts));
        assert_eq!(parts.read(&bytes), Some(value));
        assert_eq!(parts.spell(), spelled);
        assert_eq!(Parts::parse(spelled).as_ref(), Some(parts));
    }

    #[test]
    fn bytes_say_what_they_are_made_of() {
        let moods = Value::from(vec![Value::from("busy"), Value::Null]);
        check(&Parts::Array(16_385), moods, "#16385[]");
        let nested = Value::List(vec![Value::from(1), "a b".into(), vec![2, 3].into()]);
        check(&Parts::Record(vec![23, 25, 1007]), nested, "(int4,text,int4[])");
        check(&Parts::Record(vec![20]), Value::List(vec![Value::Null]), "(int8)");
    }

    #[test]
    fn other_bytes_stay() {
        for bytes in [&b""[..], b"busy", b"\0\0\0\x01", b"\0\0\0\0\0\0\0\0", &[0; 16], &[255; 40]] {
            assert_eq!(Parts::of(bytes), None, "{bytes:?}");
        }
        assert_eq!(decode(600, &Parts::Array(23).write(&Value::List(vec![])).unwrap()), None);
    }
}
