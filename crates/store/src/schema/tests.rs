//! The schemas are those in the repository, and take what the writer writes.

use super::json_schema::{json_schemas, schemas_for};
use crate::files::sample::{SQL, WEB, sample, write};
use crate::yaml;
use rehearsal_model::{Map, Value};
use std::fs;
use std::path::Path;

#[test]
fn the_schemas_of_the_repository_are_up_to_date() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas"));
    for (name, schema) in json_schemas() {
        let path = folder.join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(folder).unwrap();
            fs::write(&path, &schema).unwrap();
        }
        let present = fs::read_to_string(&path).unwrap_or_default();
        let hint = "run `UPDATE=1 cargo test -p rehearsal-store schemas` and commit the result";
        assert!(present == schema, "schemas/{name} is stale; {hint}");
    }
}

/// What is wrong with a value, by the part of JSON Schema that the schemas use.
fn validate(value: &Value, schema: &Map, whole: &Map) -> Result<(), String> {
    for (key, rule) in schema.iter() {
        let fits = match key {
            "$ref" => {
                let name = rule.as_text().unwrap().strip_prefix("#/$defs/").unwrap();
                let target = whole.get("$defs").unwrap().as_map().unwrap().get(name).unwrap();
                return validate(value, target.as_map().unwrap(), whole);
            }
            "type" => match (rule.as_text().unwrap(), value.kind()) {
                ("string", "text" | "bytes") | ("array", "list") | ("object", "map") => true,
                (wanted, kind) => wanted == kind,
            },
            "enum" => rule.as_list().unwrap().contains(value),
            "anyOf" => {
                let any = rule.as_list().unwrap();
                any.iter().any(|schema| validate(value, schema.as_map().unwrap(), whole).is_ok())
            }
            "items" => {
                let rule = rule.as_map().unwrap();
                return value
                    .as_list()
                    .unwrap()
                    .iter()
                    .try_for_each(|item| validate(item, rule, whole));
            }
            "required" => {
                let names = rule.as_list().unwrap().iter();
                let map = value.as_map().unwrap();
                names.map(|name| name.as_text().unwrap()).all(|name| map.get(name).is_some())
            }
            "properties" => {
                let rules = rule.as_map().unwrap();
                let pairs = value.as_map().unwrap().iter();
                pairs
                    .filter_map(|(name, value)| Some((value, rules.get(name)?)))
                    .try_for_each(|(value, rule)| validate(value, rule.as_map().unwrap(), whole))?;
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_map);
                let is_extra = |name: &str| known.is_none_or(|known| known.get(name).is_none());
                let mut extra = value.as_map().unwrap().iter().filter(|(name, _)| is_extra(name));
                match rule.as_map() {
                    Some(rule) => extra.all(|(_, value)| validate(value, rule, whole).is_ok()),
                    None => extra.next().is_none(),
                }
            }
            "$schema" | "title" | "description" | "$defs" | "pattern" | "format" => true,
            other => panic!("a rule that this test does not know: {other}"),
        };
        if !fits {
            return Err(format!("{key} in {}", yaml::to_string(value).unwrap()));
        }
    }
    Ok(())
}

fn check(schema: &str, text: &str) -> Result<(), String> {
    let schemas = schemas_for(&[("web", &WEB), ("sql", &SQL)]);
    let (_, schema) = schemas.iter().find(|(name, _)| *name == schema).unwrap();
    validate(&yaml::parse(text).unwrap().into_value(), schema, schema)
}

#[test]
fn they_take_what_is_written_and_refuse_slips() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("checkout");
    write(&folder, &sample());
    let text = |name| fs::read_to_string(folder.join(name)).unwrap();
    let (test, ambient) = (text("tests/0001-post-orders.yaml"), text("ambient.yaml"));
    assert_eq!(check("test.schema.json", &test), Ok(()));
    assert_eq!(check("ambient.schema.json", &ambient), Ok(()));
    assert_eq!(check("recording.schema.json", &text("recording.yaml")), Ok(()));
    for (from, to) in [
        ("test:", "tset:"),
        ("status: 201", "status: ok"),
        ("  status: 201\n", ""),
        ("parallel: true", "parallel: maybe"),
        ("failure: refused", "failure: gone"),
        ("    failure: refused\n", ""),
        ("params: [A1]", "params: A1"),
        ("sql: |-", "sqll: |-"),
        ("tag: INSERT", "tga: INSERT"),
    ] {
        assert!(test.contains(from));
        assert!(check("test.schema.json", &test.replacen(from, to, 1)).is_err(), "{to}");
    }
    assert!(check("ambient.schema.json", &ambient.replace("after:", "aftr:")).is_err());
    assert!(check("rehearsal.schema.json", "timeout: 10").is_err());
    assert_eq!(
        check("rehearsal.schema.json", "command: [a]\nenv: {A: 1}\nedges: {x: {real: true}}"),
        Ok(())
    );
}
