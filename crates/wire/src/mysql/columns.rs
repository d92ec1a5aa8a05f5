//! The columns of a result (MySQL source documentation, "Column Definition"; MariaDB documentation,
//! "Result Set Packets", for what it adds).

use super::fields::{Fields, put_number, put_sized};
use super::{charset, types};
use crate::WireError;

/// One column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    pub(super) source: Source,
    pub(super) name: String,
    pub(super) charset: u16,
    pub(super) length: u32,
    pub(super) code: u8,
    pub(super) flags: u16,
    pub(super) decimals: u8,
    /// What MariaDB says beyond the type: 0 for its name, 1 for its format.
    pub(super) extra: Vec<(u8, String)>,
}

/// Where a column comes from; all empty when it is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Source {
    pub(super) schema: String,
    /// The alias of the table.
    pub(super) table: String,
    pub(super) real_table: String,
    pub(super) real_name: String,
}

impl Column {
    /// Reads a definition.
    pub(super) fn read(body: &[u8], extended: bool) -> Result<Self, WireError> {
        let mut fields = Fields::new(body);
        let mut text = || fields.sized().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let _catalogue = text()?;
        let (schema, table, real_table) = (text()?, text()?, text()?);
        let (name, real_name) = (text()?, text()?);
        let mut extra = Vec::new();
        if extended {
            let mut list = Fields::new(fields.sized()?);
            while !list.is_empty() {
                let kind = list.byte()?;
                let text = String::from_utf8_lossy(list.sized()?).into_owned();
                // Names of types and formats, which are words.
                if !text.is_empty() && !text.contains(char::is_whitespace) {
                    extra.push((kind, text));
                }
            }
        }
        fields.number()?;
        let (charset, length, code) = (fields.u16()?, fields.u32()?, fields.byte()?);
        let (flags, decimals) = (fields.u16()?, fields.byte()?);
        let source = Source { schema, table, real_table, real_name };
        Ok(Column { source, name, charset, length, code, flags, decimals, extra })
    }

    /// Writes a definition.
    pub(super) fn write(&self, extended: bool, out: &mut Vec<u8>) {
        let Source { schema, table, real_table, real_name } = &self.source;
        for text in ["def", schema, table, real_table, &self.name, real_name] {
            put_sized(out, text.as_bytes());
        }
        if extended {
            let mut list = Vec::new();
            for (kind, text) in &self.extra {
                list.push(*kind);
                put_sized(&mut list, text.as_bytes());
            }
            put_sized(out, &list);
        }
        put_number(out, 12);
        out.extend_from_slice(&self.charset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.push(self.code);
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&[self.decimals, 0, 0]);
    }

    pub(super) fn is_unsigned(&self) -> bool {
        self.flags & UNSIGNED != 0
    }

    pub(super) fn kind(&self) -> types::Kind {
        types::kind(self.code)
    }

    /// A parameter of which nothing is known, as servers describe it.
    pub(super) fn parameter() -> Self {
        Column {
            name: "?".to_owned(),
            charset: charset::BINARY,
            code: types::VAR_STRING,
            flags: types::BINARY_FLAG,
            ..Column::default()
        }
    }
}

pub(super) const NOT_NULL: u16 = 1;
pub(super) const UNSIGNED: u16 = 32;
