//! What a conversation says of the schema of the database.
//!
//! The server says of each column of a result where it comes from. Of what a statement writes only
//! the names are known. The system's own tables are left out, and so is the schema that a table is
//! in: a connection may change it at any time.

use super::Observer;
use crate::mysql::columns::Column;
use crate::mysql::shown;
use crate::sql::{Dialect, only_table, statements, written};
use crate::{Command, Taught};

const OF_THE_SYSTEM: &[&str] = &["information_schema", "mysql", "performance_schema", "sys"];

impl Observer {
    /// Notes the columns of a result.
    pub(super) fn teach_columns(&mut self, columns: &[Column]) {
        let of_system =
            |schema: &str| OF_THE_SYSTEM.iter().any(|known| known.eq_ignore_ascii_case(schema));
        for column in columns {
            let from = &column.source;
            let is_real = !from.real_table.is_empty() && !from.real_name.is_empty();
            if !is_real || of_system(&from.schema) {
                continue;
            }
            let key = (&from.real_table, &from.real_name, column.code, column.flags);
            if self.lessons.is_new((key, column.length, column.charset)) {
                self.taught.push(Taught {
                    number: None,
                    table: Some(from.real_table.clone()),
                    column: from.real_name.clone(),
                    kind: Some(shown::kind(column)),
                });
            }
        }
    }

    /// Tells of what was noted, and of the columns that a statement writes.
    pub(super) fn teach(&mut self, text: Option<&str>, out: &mut Vec<Command>) {
        if let Some(text) = text {
            self.teach_written(text);
        }
        out.extend(self.taught.drain(..).map(Command::Teach));
    }

    fn teach_written(&mut self, text: &str) {
        let verb = text.trim_start().as_bytes();
        let writes = [&b"insert"[..], b"update", b"replac"]
            .iter()
            .any(|word| verb.get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case(word)));
        if !writes || !self.lessons.is_new(text) {
            return;
        }
        let statements = statements(text, Dialect::Mysql);
        let [statement] = &statements[..] else { return };
        let Some(table) = only_table(statement, Dialect::Mysql) else { return };
        let table = table.rsplit('.').next().unwrap_or_default().to_owned();
        for one in written(statement, Dialect::Mysql) {
            let (table, column) = (Some(table.clone()), one.column);
            self.taught.push(Taught { number: None, table, column, kind: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::damage::taught;
    use crate::mysql::Mysql;
    use crate::mysql::tests::{conversation, written};

    #[test]
    fn results_say_where_their_columns_come_from_and_inserts_what_they_write() {
        let mut lines = conversation();
        assert_eq!(taught(&Mysql, &lines), ["orders.id int"]);
        let quit = lines.len() - 1;
        lines.splice(quit.., written("INSERT INTO shop.orders (sku) VALUES ('A1')"));
        assert_eq!(taught(&Mysql, &lines), ["orders.id int", "orders.sku ?"]);
    }
}
