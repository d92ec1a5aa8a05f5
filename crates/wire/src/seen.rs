//! What of the schema of a database was used, put together from what its connections saw.
//!
//! Nothing depends on the order in which it was told, so that two recordings of the same traffic are
//! equal. A table that the server only ever called by a number is left out: numbers say nothing to
//! people, and differ between databases.

use crate::Taught;
use rehearsal_model::Tables;
use std::collections::{BTreeMap, BTreeSet};

/// Columns kept of one edge: an app that makes tables as it goes must not fill the recording.
const COLUMNS: usize = 4096;
/// Types kept of one column.
const KINDS: usize = 8;
/// Stands for a type that nothing said.
const UNKNOWN: &str = "unknown";

/// For each column the types that were seen.
type Columns = BTreeMap<String, BTreeSet<String>>;

/// See the module.
#[derive(Debug, Default)]
pub struct SeenTables {
    names: BTreeMap<u64, BTreeSet<String>>,
    numbered: BTreeMap<u64, Columns>,
    named: BTreeMap<String, Columns>,
    count: usize,
}

impl SeenTables {
    /// Takes in a column; whether that was news.
    pub fn add(&mut self, taught: Taught) -> bool {
        let Taught { number, table, column, kind } = taught;
        let mut news = false;
        let columns = match (number, table) {
            (Some(number), table) => {
                if let Some(table) = table {
                    let names = self.names.entry(number).or_default();
                    news = names.len() < KINDS && names.insert(table);
                }
                self.numbered.entry(number).or_default()
            }
            (None, Some(table)) => self.named.entry(table).or_default(),
            (None, None) => return false,
        };
        if !columns.contains_key(&column) {
            if self.count == COLUMNS {
                return news;
            }
            self.count += 1;
            news = true;
        }
        let kinds = columns.entry(column).or_default();
        news | kind.is_some_and(|kind| kinds.len() < KINDS && kinds.insert(kind))
    }

    /// The tables whose names are known. One of several spellings has the shortest.
    #[must_use]
    pub fn resolved(&self) -> Tables {
        let mut tables = self.named.clone();
        for (number, columns) in &self.numbered {
            let names = self.names.get(number).into_iter().flatten();
            let Some(name) = names.min_by_key(|name| (name.len(), *name)) else { continue };
            let table = tables.entry(name.clone()).or_default();
            for (column, kinds) in columns {
                table.entry(column.clone()).or_default().extend(kinds.iter().cloned());
            }
        }
        let shown = |kinds: BTreeSet<String>| match kinds.is_empty() {
            true => UNKNOWN.to_owned(),
            false => kinds.into_iter().collect::<Vec<_>>().join(" | "),
        };
        let columns = |columns: Columns| columns.into_iter().map(|(name, of)| (name, shown(of)));
        let filled = tables.into_iter().filter(|(_, columns)| !columns.is_empty());
        filled.map(|(table, of)| (table, columns(of).collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(number: u64, table: &str, column: &str, kind: &str) -> Taught {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let number = Some(number).filter(|number| *number > 0);
        Taught { number, table: some(table), column: column.to_owned(), kind: some(kind) }
    }

    #[test]
    fn numbers_become_names_in_whatever_order_they_are_told() {
        let told = [
            taught(7, "", "id", "int4"),
            taught(0, "orders", "sku", ""),
            taught(7, "public.orders", "id", "int4"),
            taught(7, "orders", "total", "numeric"),
            taught(0, "orders", "id", "int8"),
            taught(8, "", "lost", "text"),
        ];
        let mut there = SeenTables::default();
        let mut back = SeenTables::default();
        assert!(told.iter().all(|one| there.add(one.clone())));
        assert!(!there.add(told[0].clone()));
        told.iter().rev().for_each(|one| _ = back.add(one.clone()));
        let tables = there.resolved();
        assert_eq!(tables, back.resolved());
        let [(name, columns)] = &tables.iter().collect::<Vec<_>>()[..] else {
            panic!("{tables:?}")
        };
        let columns: Vec<_> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        assert_eq!(*name, "orders");
        assert_eq!(columns, ["id int4 | int8", "sku unknown", "total numeric"]);
    }

    #[test]
    fn columns_without_end_are_not_kept() {
        let mut seen = SeenTables::default();
        for number in 0..COLUMNS + 10 {
            seen.add(taught(0, "t", &number.to_string(), "int"));
        }
        assert_eq!(seen.resolved()["t"].len(), COLUMNS);
    }
}
