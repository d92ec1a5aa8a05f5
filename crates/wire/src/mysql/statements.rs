//! Prepared statements of one connection: their texts, the types of their parameters, and long data
//! that was sent ahead.

use super::columns::Column;
use super::fields::Fields;
use super::{NAME, malformed, text, values};
use crate::WireError;
use rehearsal_model::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// No server takes more.
const MOST: usize = 1 << 16;

/// Bytes of texts and of data sent ahead that are kept of one connection.
const MOST_BYTES: usize = 64 << 20;

/// Stands for the statement that was prepared last (MariaDB).
const LAST: u32 = u32::MAX;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: Value,
    /// How many parameters it takes.
    pub(super) params: usize,
    /// The types of its parameters when it was executed last, and whether they are unsigned.
    types: Vec<(u8, bool)>,
    /// Values that were sent ahead, by parameter.
    ahead: HashMap<usize, Vec<u8>>,
    /// What the server said its columns were.
    pub(super) columns: Option<Arc<[Column]>>,
}

/// The prepared statements of one connection.
#[derive(Debug, Default)]
pub(super) struct Statements {
    /// By a number of our own: the server's is not known when the client goes on already.
    all: HashMap<u64, Statement>,
    by_id: HashMap<u32, u64>,
    next: u64,
    bytes: usize,
}

/// What a client executes.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) number: u64,
    pub(super) request: Map,
    /// The client wants to fetch the rows by and by.
    pub(super) cursor: bool,
}

impl Statements {
    /// Notes a text that is prepared; gives its number.
    pub(super) fn prepare(&mut self, sql: Value) -> Result<u64, WireError> {
        self.next += 1;
        self.grow(text::length(&sql))?;
        if self.all.len() >= MOST {
            return Err(too_many());
        }
        let params = text::of(&sql).map_or(0, |sql| text::parameters(&sql));
        let (types, ahead, columns) = (Vec::new(), HashMap::new(), None);
        self.all.insert(self.next, Statement { sql, params, types, ahead, columns });
        Ok(self.next)
    }

    fn grow(&mut self, bytes: usize) -> Result<(), WireError> {
        self.bytes = self.bytes.saturating_add(bytes);
        match self.bytes > MOST_BYTES {
            true => Err(too_many()),
            false => Ok(()),
        }
    }

    /// The server calls a statement by that id.
    pub(super) fn name(&mut self, number: u64, id: u32) {
        self.by_id.insert(id, number);
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Statement> {
        self.all.get_mut(&number)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Statement> {
        self.all.get(&number)
    }

    /// The number of a statement by the id that a client uses.
    pub(super) fn number(&self, id: u32) -> Option<u64> {
        match id {
            LAST => Some(self.next).filter(|number| self.all.contains_key(number)),
            id => self.by_id.get(&id).copied(),
        }
    }

    pub(super) fn remove(&mut self, number: u64) {
        if let Some(statement) = self.all.remove(&number) {
            let ahead: usize = statement.ahead.values().map(Vec::len).sum();
            self.bytes = self.bytes.saturating_sub(text::length(&statement.sql) + ahead);
        }
        self.by_id.retain(|_, named| *named != number);
    }

    pub(super) fn clear(&mut self) {
        let next = self.next;
        *self = Statements { next, ..Statements::default() };
    }

    /// Takes data that is sent ahead; gives the number of its statement.
    pub(super) fn send_ahead(&mut self, body: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(body);
        let (id, place) = (fields.u32()?, usize::from(fields.u16()?));
        let data = fields.rest();
        let Some(number) = self.number(id) else { return Ok(()) };
        self.grow(data.len())?;
        if let Some(statement) = self.all.get_mut(&number) {
            statement.ahead.entry(place).or_default().extend_from_slice(data);
        }
        Ok(())
    }

    /// Forgets what was sent ahead.
    pub(super) fn reset(&mut self, number: u64) {
        if let Some(statement) = self.all.get_mut(&number) {
            let ahead: usize = statement.ahead.drain().map(|(_, data)| data.len()).sum();
            self.bytes = self.bytes.saturating_sub(ahead);
        }
    }

    /// Reads what executes a statement, from behind the byte of the command; `None` when there is no
    /// such statement.
    pub(super) fn execute(&mut self, body: &[u8]) -> Result<Option<Executed>, WireError> {
        let mut fields = Fields::new(body);
        let (id, flags) = (fields.u32()?, fields.byte()?);
        fields.u32()?;
        let Some(number) = self.number(id) else { return Ok(None) };
        let Some(statement) = self.all.get_mut(&number) else { return Ok(None) };
        let mut request = Map::from([("sql", statement.sql.clone())]);
        if statement.params > 0 {
            request.push_new("params", statement.read_params(&mut fields)?);
        }
        self.reset(number);
        Ok(Some(Executed { number, request, cursor: flags & 7 != 0 }))
    }

    /// Reads what executes a statement for many rows of parameters (MariaDB documentation,
    /// "COM_STMT_BULK_EXECUTE").
    pub(super) fn execute_bulk(&mut self, body: &[u8]) -> Result<Option<Executed>, WireError> {
        let mut fields = Fields::new(body);
        let (id, flags) = (fields.u32()?, fields.u16()?);
        let Some(number) = self.number(id) else { return Ok(None) };
        let Some(statement) = self.all.get_mut(&number) else { return Ok(None) };
        if flags & TYPES_FOLLOW != 0 {
            statement.read_types(&mut fields)?;
        }
        let mut rows = Vec::new();
        while !fields.is_empty() && !statement.types.is_empty() {
            let mut row = Vec::with_capacity(statement.types.len());
            for (code, is_unsigned) in &statement.types {
                row.push(match fields.byte()? {
                    0 => values::read_parameter(
                        &values::parameter(*code, *is_unsigned),
                        &mut fields,
                    )?,
                    1 => Value::Null,
                    2 => Value::Map(Map::from([("use", "default")])),
                    3 => Value::Map(Map::from([("use", "ignored")])),
                    _ => return Err(malformed("an indicator of a value that is not known")),
                });
            }
            rows.push(Value::List(row));
        }
        let mut request = Map::from([("sql", statement.sql.clone())]);
        request.push_new("bulk", rows);
        Ok(Some(Executed { number, request, cursor: false }))
    }
}

const TYPES_FOLLOW: u16 = 128;

impl Statement {
    fn read_types(&mut self, fields: &mut Fields<'_>) -> Result<(), WireError> {
        let mut types = Vec::new();
        for _ in 0..self.params {
            let (code, flags) = (fields.byte()?, fields.byte()?);
            types.push((code, flags & 0x80 != 0));
        }
        self.types = types;
        Ok(())
    }

    fn read_params(&mut self, fields: &mut Fields<'_>) -> Result<Vec<Value>, WireError> {
        let nulls = fields.take(self.params.div_ceil(8))?;
        if fields.byte()? == 1 {
            self.read_types(fields)?;
        }
        let mut params = Vec::with_capacity(self.types.len());
        for place in 0..self.params {
            let is_null = nulls[place / 8] >> (place % 8) & 1 == 1;
            params.push(match (self.ahead.get(&place), self.types.get(place)) {
                (Some(data), _) => Value::from_bytes(data),
                _ if is_null => Value::Null,
                (None, Some((code, is_unsigned))) => {
                    values::read_parameter(&values::parameter(*code, *is_unsigned), fields)?
                }
                (None, None) => return Err(malformed("parameters without types")),
            });
        }
        Ok(params)
    }
}

fn too_many() -> WireError {
    let what = "what is prepared on one connection";
    WireError::TooLarge { protocol: NAME, what, limit: MOST_BYTES }
}
