//! What a conversation says of the schema of the database.
//!
//! The server says of each column of a result by which number it calls the table, and statements
//! about one table say what that is called. Tables of the system are left out.

use super::Observer;
use crate::postgres::columns::{self, Column};
use crate::postgres::plan::Statement;
use crate::postgres::{sql, types};
use crate::sql::{Dialect, is_alias, only_table, written};
use crate::{Command, Taught};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The first number that a table of an app can have.
const FIRST: u32 = 16_384;

impl Observer {
    /// Tells of the columns that a statement gives.
    pub(super) fn teach_columns(
        &mut self,
        text: Option<&str>,
        columns: &[Column],
        out: &mut Vec<Command>,
    ) {
        let of_apps = || columns.iter().filter(|column| column.table >= FIRST);
        let Some(text) = text.filter(|_| of_apps().next().is_some()) else { return };
        let key = of_apps().map(|column| (column.table, &column.name, column.oid, column.modifier));
        let key: Vec<_> = key.collect();
        let known = of_apps().all(|column| self.named.contains(&column.table));
        if !self.lessons.is_new((&key, text.len() * usize::from(!known))) {
            return;
        }
        let statements = sql::statements(text);
        let [statement] = &statements[..] else { return };
        let table = only_table(statement, Dialect::Postgres);
        let table = table.filter(|_| key.iter().all(|(number, ..)| *number == key[0].0));
        if table.is_some() {
            self.named.insert(key[0].0);
        }
        for column in of_apps().filter(|column| !is_alias(statement, &column.name)) {
            out.push(Command::Teach(Taught {
                number: Some(u64::from(self.database) << 32 | u64::from(column.table)),
                table: table.clone(),
                column: column.name.clone(),
                kind: Some(columns::kind(column)),
            }));
        }
    }

    /// Tells of the columns that a statement writes; their types where parameters are given to them
    /// and the server has said what it takes these for.
    pub(super) fn teach_written(
        &mut self,
        text: &str,
        prepared: Option<&Statement>,
        out: &mut Vec<Command>,
    ) {
        let verb = text.trim_start().as_bytes();
        let writes = [&b"insert"[..], b"update", b"copy"]
            .iter()
            .any(|word| verb.get(..word.len()).is_some_and(|verb| verb.eq_ignore_ascii_case(word)));
        let told = prepared.and_then(|statement| statement.inferred());
        if !writes || !self.lessons.is_new((text, &told)) {
            return;
        }
        let statements = sql::statements(text);
        let [statement] = &statements[..] else { return };
        let Some(table) = only_table(statement, Dialect::Postgres) else { return };
        for one in written(statement, Dialect::Postgres) {
            let kind = told.as_ref().zip(one.parameter).and_then(|(told, number)| {
                let oid = told.get(number.checked_sub(1)?).copied().flatten()?;
                Some(types::name(oid).into_owned())
            });
            let (table, column) = (Some(table.clone()), one.column);
            out.push(Command::Teach(Taught { number: None, table, column, kind }));
        }
    }
}

/// A number for a database: tables of two may have the same number.
pub(super) fn database(name: Option<&str>) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    (hasher.finish() >> 33) as u32
}

#[cfg(test)]
mod tests {
    use crate::Peer::{Client, Server};
    use crate::damage::{Line, taught};
    use crate::postgres::Postgres;
    use crate::postgres::tests::*;

    /// Columns of tables by their numbers.
    fn columns(each: &[(&str, u32, u32)]) -> Vec<u8> {
        let mut body = vec![0, u8::try_from(each.len()).unwrap()];
        for (name, table, oid) in each {
            body.extend_from_slice(name.as_bytes());
            body.push(0);
            body.extend_from_slice(&table.to_be_bytes());
            body.extend_from_slice(&[0, 1]);
            body.extend_from_slice(&oid.to_be_bytes());
            body.extend_from_slice(&[0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        }
        message(b'T', &body)
    }

    #[test]
    fn results_name_the_columns_of_a_table_and_inserts_theirs() {
        let result = |each: &[(&str, u32, u32)]| [columns(each), done("SELECT 0")].concat();
        let joined = "SELECT o.id, u.name FROM orders o JOIN users u ON true";
        let given = [message(b't', &[0, 2, 0, 0, 0, 25, 0, 0, 0, 23]), message(b'n', b"")].concat();
        let ask = |sql: &str| [parse("", sql), describe(b'S', ""), sync()].concat();
        let answer = |said: &[u8]| [&message(b'1', b""), said, &ready("I")].concat();
        let lines: Vec<Line> = vec![
            (Client, startup()),
            (Server, welcome()),
            (Client, query(joined)),
            (Server, result(&[("id", 20_000, 23), ("name", 20_001, 25)])),
            (Server, ready("I")),
            (Client, query("SELECT id, sku AS article, relname FROM Orders")),
            (Server, result(&[("id", 20_000, 23), ("article", 20_000, 25), ("relname", 1259, 19)])),
            (Server, ready("I")),
            (Client, query("SELECT id FROM orders")),
            (Server, [result(&[("id", 20_000, 23)]), ready("I")].concat()),
            (Client, ask("INSERT INTO orders (sku, amount) VALUES ($1, $2)")),
            (Server, answer(&given)),
            (Client, query("UPDATE orders SET state = 'paid'")),
            (Server, [done("UPDATE 1"), ready("I")].concat()),
        ];
        let expected = [
            "#.id int4",
            "#.name text",
            "orders.id int4",
            "orders.id int4",
            "orders.sku text",
            "orders.amount int4",
            "orders.state ?",
        ];
        assert_eq!(taught(&Postgres, &lines), expected);
    }
}
