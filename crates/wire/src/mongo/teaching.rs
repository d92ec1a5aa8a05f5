//! What a conversation says of the fields of collections: documents that are inserted or found.
//!
//! Fields within fields are not told, nor are those that an update or a pipeline names.

use super::command::Command;
use crate::Taught;
use crate::sql::Lessons;
use rehearsal_model::{Map, Value};

/// Documents of one message that are looked at.
const DOCUMENTS: usize = 64;

/// The fields that an exchange shows and that were not told before.
pub(super) fn taught(command: &Command, response: &Map, lessons: &mut Lessons) -> Vec<Taught> {
    let documents = match command.name.as_str() {
        "insert" => command.request.get("documents"),
        // Aggregations give what they have made up, and so may what reads on.
        "find" if command.request.get("projection").is_none() => response.get("documents"),
        _ => None,
    };
    let documents = documents.and_then(Value::as_list).unwrap_or_default();
    let of_system = ["admin.", "config.", "local."];
    if of_system.iter().any(|prefix| command.target.starts_with(prefix)) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (name, value) in
        documents.iter().take(DOCUMENTS).filter_map(Value::as_map).flat_map(Map::iter)
    {
        let kind = kind(value);
        if kind != "null" && lessons.is_new((&command.target, name, kind)) {
            all.push(Taught {
                number: None,
                table: Some(command.target.clone()),
                column: name.to_owned(),
                kind: Some(kind.to_owned()),
            });
        }
    }
    all
}

/// The alias by which `$type` calls the type of a value.
fn kind(value: &Value) -> &str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) => match number.as_str() {
            text if text.contains(['.', 'e', 'E']) => "double",
            text if text.parse::<i32>().is_ok() => "int",
            _ => "long",
        },
        Value::Text(_) => "string",
        Value::Bytes(_) => "binData",
        Value::List(_) => "array",
        Value::Map(map) => match map.keys().next() {
            Some("$oid") => "objectId",
            Some("$date") => "date",
            Some("$numberDecimal") => "decimal",
            Some("$numberLong") => "long",
            Some("$numberInt") => "int",
            Some("$numberDouble") => "double",
            Some("$binary" | "$uuid") => "binData",
            Some("$regularExpression") => "regex",
            Some("$timestamp") => "timestamp",
            Some("$code") => "javascript",
            Some("$array") => "array",
            Some("$symbol") => "symbol",
            Some("$minKey") => "minKey",
            Some("$maxKey") => "maxKey",
            Some("$undefined") => "null",
            _ => "object",
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::damage::taught;
    use crate::mongo::Mongo;
    use crate::mongo::tests::{asks, conversation, says};

    #[test]
    fn documents_that_are_inserted_or_found_have_fields() {
        let mut lines = conversation();
        let first = ["shop.orders._id int", "shop.orders.a long"];
        assert_eq!(taught(&Mongo, &lines), first);
        let insert = r#"{"insert":"orders","documents":[{"_id":{"$oid":"65e0a1b2c3d4e5f601020304"},"a":null,"b":1.0,"c":[1],"d":{"e":1}}],"$db":"shop"}"#;
        lines.extend([asks(9, insert), says(109, 9, r#"{"n":1,"ok":1.0}"#)]);
        let more = ["_id objectId", "b double", "c array", "d object"];
        let more = more.map(|one| format!("shop.orders.{one}"));
        assert_eq!(taught(&Mongo, &lines)[2..], more);
    }
}
