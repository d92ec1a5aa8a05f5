//! What the messages of a client refer to by name: prepared statements and portals.

use super::columns::{self, Column, format_of};
use super::fields::Fields;
use super::{NAME, malformed, sql};
use crate::WireError;
use bytes::Bytes;
use rehearsal_model::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};

/// Names of one kind that a connection may have at once.
const MOST_NAMES: usize = 65_536;

/// Texts whose descriptions are kept.
const MOST_KNOWN: usize = 1024;

/// A prepared statement.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) sql: Value,
    /// The types that the client gave; 0 where it leaves them to the server.
    given: Vec<u32>,
    /// The types that the server said.
    pub(super) told: OnceLock<Vec<u32>>,
    /// The columns that the server said; none for a statement without rows.
    pub(super) columns: OnceLock<Option<Vec<Column>>>,
    /// One of the same text that was described before, for drivers that do not ask again.
    known: Weak<Statement>,
}

/// A statement with its parameters.
#[derive(Debug, Default)]
pub(super) struct Portal {
    pub(super) number: u64,
    pub(super) statement: Arc<Statement>,
    pub(super) params: Vec<Value>,
    /// The formats in which the client wants the columns.
    pub(super) formats: Vec<i16>,
    /// The columns that the server said of the portal itself.
    pub(super) columns: OnceLock<Option<Vec<Column>>>,
    /// Set once its result is complete: whoever runs it again gets nothing more.
    pub(super) complete: OnceLock<()>,
}

/// What a Describe asks about.
#[derive(Debug)]
pub(super) enum Described {
    Statement(Arc<Statement>),
    Portal(Arc<Portal>),
}

impl Statement {
    /// Whether nobody has prepared it.
    pub(super) fn is_unknown(&self) -> bool {
        self.sql == Value::Null
    }

    /// The request that asks what the statement takes and gives.
    pub(super) fn request(&self, portal: bool) -> Map {
        let mut request = Map::from([("describe", self.sql.clone())]);
        if portal {
            request.push_new("portal", true);
        }
        request
    }

    /// The request that prepares it.
    pub(super) fn prepare(&self) -> Map {
        Map::from([("prepare", self.sql.clone())])
    }

    /// The types that the server worked out for those parameters whose type the client left open.
    pub(super) fn inferred(&self) -> Option<Vec<Option<u32>>> {
        let each = self.told.get()?.iter().enumerate();
        let is_open = |place: &usize| self.given.get(*place).is_none_or(|given| *given == 0);
        Some(each.map(|(place, oid)| is_open(&place).then_some(*oid)).collect())
    }

    fn param_type(&self, index: usize) -> u32 {
        let known = self.known.upgrade();
        let known = known.as_ref().and_then(|known| known.told.get());
        let told = self.told.get().or(known).and_then(|told| told.get(index));
        match (self.given.get(index), told) {
            (Some(0) | None, Some(told)) => *told,
            (given, _) => given.copied().unwrap_or(0),
        }
    }
}

impl Portal {
    /// The request that runs it.
    pub(super) fn request(&self) -> Map {
        let mut request = Map::from([("sql", self.statement.sql.clone())]);
        if !self.params.is_empty() {
            request.push_new("params", self.params.clone());
        }
        request
    }

    /// The columns with the formats that were asked for, as far as anybody has said them.
    pub(super) fn columns(&self) -> Option<Vec<Column>> {
        if let Some(columns) = self.columns.get() {
            return columns.clone();
        }
        let known = self.statement.known.upgrade();
        let known = || known.as_ref().and_then(|known| known.columns.get().cloned());
        let mut columns = self.statement.columns.get().cloned().or_else(known)??;
        for (index, column) in columns.iter_mut().enumerate() {
            column.format = format_of(&self.formats, index);
        }
        Some(columns)
    }
}

/// The names of one connection.
#[derive(Debug, Default)]
pub(super) struct Plans {
    statements: HashMap<Bytes, Arc<Statement>>,
    portals: HashMap<Bytes, Arc<Portal>>,
    /// The statement that was last described, by its text.
    known: HashMap<Value, Arc<Statement>>,
    next: u64,
}

impl Plans {
    /// Reads a Parse.
    pub(super) fn parse(&mut self, body: &[u8]) -> Result<Arc<Statement>, WireError> {
        let mut fields = Fields::new(body);
        let name = Bytes::copy_from_slice(fields.zero_ended()?);
        let sql = Value::from_bytes(fields.zero_ended()?);
        let count = fields.count()?;
        let given = (0..count).map(|_| fields.u32()).collect::<Result<_, _>>()?;
        let known = self.known.get(&sql).map(Arc::downgrade).unwrap_or_default();
        let statement = Arc::new(Statement { sql, given, known, ..Statement::default() });
        bounded(&self.statements)?;
        self.statements.insert(name, Arc::clone(&statement));
        Ok(statement)
    }

    /// Reads a Bind; gives the portal and the number of the one whose name it takes over.
    pub(super) fn bind(&mut self, body: &[u8]) -> Result<(Arc<Portal>, Option<u64>), WireError> {
        let mut fields = Fields::new(body);
        let name = Bytes::copy_from_slice(fields.zero_ended()?);
        let statement = self.statement(fields.zero_ended()?);
        let formats = fields.formats()?;
        let count = fields.count()?;
        let mut params = Vec::new();
        for index in 0..count {
            let oid = statement.param_type(index);
            params.push(columns::decode(oid, format_of(&formats, index), fields.sized()?)?);
        }
        let formats = fields.formats()?;
        if formats.iter().any(|format| !matches!(format, 0 | 1)) {
            return Err(malformed("a format other than text and binary"));
        }
        self.next += 1;
        let number = self.next;
        let portal = Portal { number, statement, params, formats, ..Portal::default() };
        let portal = Arc::new(portal);
        bounded(&self.portals)?;
        let before = self.portals.insert(name, Arc::clone(&portal));
        Ok((portal, before.map(|portal| portal.number)))
    }

    /// Notes the cursors that a text of SQL declares: they are portals too. What they give is known
    /// by the text of the declaration.
    pub(super) fn declare(&mut self, sql: &Value) -> Result<(), WireError> {
        let Some(text) = sql.as_text() else { return Ok(()) };
        if !text.as_bytes().windows(7).any(|word| word.eq_ignore_ascii_case(b"declare")) {
            return Ok(());
        }
        for name in sql::cursors(text) {
            let statement = Arc::new(Statement { sql: sql.clone(), ..Statement::default() });
            self.next += 1;
            let portal = Portal { number: self.next, statement, ..Portal::default() };
            bounded(&self.portals)?;
            self.portals.insert(Bytes::from(name), Arc::new(portal));
        }
        Ok(())
    }

    /// The statement of a name. One that nobody prepared has no text; the server says so.
    fn statement(&self, name: &[u8]) -> Arc<Statement> {
        self.statements.get(name).cloned().unwrap_or_default()
    }

    /// The portal of a name. One that nobody bound has no text; the server says so.
    fn portal(&self, name: &[u8]) -> Arc<Portal> {
        self.portals.get(name).cloned().unwrap_or_default()
    }

    /// Reads a Describe.
    pub(super) fn described(&mut self, body: &[u8]) -> Result<Described, WireError> {
        let mut fields = Fields::new(body);
        let kind = fields.byte()?;
        let name = fields.zero_ended()?;
        match kind {
            b'S' => {
                let statement = self.statement(name);
                if self.known.len() >= MOST_KNOWN {
                    self.known.clear();
                }
                self.known.insert(statement.sql.clone(), Arc::clone(&statement));
                Ok(Described::Statement(statement))
            }
            b'P' => Ok(Described::Portal(self.portal(name))),
            _ => Err(malformed("a Describe of neither a statement nor a portal")),
        }
    }

    /// Reads an Execute; gives how many rows are wanted, 0 for all.
    pub(super) fn executed(&self, body: &[u8]) -> Result<(Arc<Portal>, usize), WireError> {
        let mut fields = Fields::new(body);
        let portal = self.portal(fields.zero_ended()?);
        Ok((portal, usize::try_from(fields.i32()?).unwrap_or(0)))
    }

    /// Reads a Close; gives the number of the portal that it closes.
    pub(super) fn close(&mut self, body: &[u8]) -> Result<Option<u64>, WireError> {
        let mut fields = Fields::new(body);
        let kind = fields.byte()?;
        let name = fields.zero_ended()?;
        if kind == b'S' {
            self.statements.remove(name);
            return Ok(None);
        }
        Ok(self.portals.remove(name).map(|portal| portal.number))
    }

    /// A transaction has ended, and all portals with it.
    pub(super) fn end_portals(&mut self) {
        self.portals.clear();
    }
}

fn bounded<V>(names: &HashMap<Bytes, V>) -> Result<(), WireError> {
    match names.len() < MOST_NAMES {
        true => Ok(()),
        false => Err(WireError::TooLarge { protocol: NAME, what: "the names", limit: MOST_NAMES }),
    }
}
