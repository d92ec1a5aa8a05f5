//! JSON Schemas (draft 2020-12) of the files, so that editors complete and check them.
//!
//! They say a little less than the reader checks: what only several files together show, such as
//! the protocol of an edge, they leave open.

use crate::files::fields::{AMBIENT, CALL, MANIFEST, MOCK, TEST, answer};
use crate::settings::SETTINGS;
use rehearsal_model::json::{self, Space, Style};
use rehearsal_model::shape::{ExchangeShape, Field, Shape};
use rehearsal_model::{Map, Value};

/// A protocol's name and how it writes its exchanges.
pub(super) type Named = (&'static str, &'static ExchangeShape);

/// The schemas by the names of their files, for the protocols that `wire` has.
#[must_use]
pub fn json_schemas() -> Vec<(&'static str, String)> {
    let protocols = rehearsal_wire::ALL.iter().map(|protocol| (protocol.name(), protocol.shape()));
    let protocols: Vec<Named> = protocols.collect();
    let style = Style { space: Space::Indented(2), newline: true, ..Style::default() };
    schemas_for(&protocols)
        .into_iter()
        .map(|(name, schema)| (name, json::to_string_styled(&Value::from(schema), style)))
        .collect()
}

pub(super) fn schemas_for(protocols: &[Named]) -> [(&'static str, Map); 4] {
    let answers = || answers(protocols);
    [
        ("rehearsal.schema.json", document("rehearsal.yaml", object(&[SETTINGS]), Map::new())),
        ("recording.schema.json", document("recording.yaml", object(&[MANIFEST]), Map::new())),
        ("test.schema.json", document("A test of a recording", test(protocols), answers())),
        ("ambient.schema.json", document("ambient.yaml", ambient(protocols), answers())),
    ]
}

fn document(title: &str, schema: Map, definitions: Map) -> Map {
    let mut whole =
        Map::from([("$schema", "https://json-schema.org/draft/2020-12/schema"), ("title", title)]);
    for (key, value) in schema {
        whole.push_new(key, value);
    }
    if !definitions.is_empty() {
        whole.push_new("$defs", definitions);
    }
    whole
}

/// The answers of all protocols, for reference.
fn answers(protocols: &[Named]) -> Map {
    protocols.iter().map(|(name, shape)| (answer_name(name), object(&[shape.response]))).collect()
}

fn answer_name(protocol: &str) -> String {
    format!("{protocol}-answer")
}

fn reference(protocol: &str) -> Value {
    Map::from([("$ref", format!("#/$defs/{}", answer_name(protocol)))]).into()
}

fn test(protocols: &[Named]) -> Map {
    let mut schema = object(&[TEST]);
    let requests = protocols.iter().map(|(_, shape)| object(&[shape.request]));
    let calls = items(inline(CALL, protocols));
    if let Some(Value::Map(properties)) = schema.get_mut("properties") {
        replace(properties, "request", any_of(requests.collect::<Vec<_>>()));
        replace(properties, "calls", calls);
        let mut keys: Vec<&str> = protocols.iter().map(|(_, shape)| shape.answer).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let speaking = protocols.iter().filter(|(_, shape)| shape.answer == key);
            let answers: Vec<Value> = speaking.map(|(name, _)| reference(name)).collect();
            properties.insert(key, any_of(answers));
        }
    }
    schema
}

fn ambient(protocols: &[Named]) -> Map {
    let mut schema = object(&[AMBIENT]);
    if let Some(Value::Map(properties)) = schema.get_mut("properties") {
        replace(properties, "mocks", items(inline(MOCK, protocols)));
    }
    schema
}

/// Calls or mocks: one form for each protocol, and one for a connection that never came about.
fn inline(own: &[Field], protocols: &[Named]) -> Map {
    let mut forms: Vec<Map> = Vec::new();
    for (name, shape) in protocols {
        let mut form = object(&[own, shape.request, &[answer(shape)]]);
        if let Some(Value::Map(properties)) = form.get_mut("properties") {
            properties.insert(shape.answer, reference(name));
        }
        forms.push(form);
    }
    let mut refused = object(&[own]);
    if let Some(Value::List(required)) = refused.get_mut("required") {
        required.push(Value::from("failure"));
    }
    forms.push(refused);
    any_of(forms)
}

/// Puts a schema in the place of a property's, keeping what is said of it.
fn replace(properties: &mut Map, name: &str, schema: Map) {
    let doc = properties.get(name).and_then(Value::as_map).and_then(|old| old.get("description"));
    let mut new = Map::new();
    if let Some(doc) = doc {
        new.push_new("description", doc.clone());
    }
    for (key, value) in schema {
        new.push_new(key, value);
    }
    properties.insert(name, new);
}

fn items(item: Map) -> Map {
    Map::from([("type", Value::from("array")), ("items", Value::from(item))])
}

fn any_of<V: Into<Value>>(schemas: Vec<V>) -> Map {
    Map::from([("anyOf", Value::from(schemas))])
}

fn object(tables: &[&[Field]]) -> Map {
    let fields = || tables.iter().flat_map(|fields| fields.iter());
    let properties: Map = fields()
        .map(|field| {
            let mut schema = Map::from([("description", field.doc)]);
            for (key, value) in schema_of(&field.shape) {
                schema.push_new(key, value);
            }
            (field.name, schema)
        })
        .collect();
    let required: Vec<&str> =
        fields().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = Map::from([("type", "object")]);
    schema.push_new("properties", properties);
    if !required.is_empty() {
        schema.push_new("required", required);
    }
    schema.push_new("additionalProperties", false);
    schema
}

fn schema_of(shape: &Shape) -> Map {
    let of_type = |name: &str| Map::from([("type", name)]);
    let pattern = |pattern: &str| Map::from([("type", "string"), ("pattern", pattern)]);
    match shape {
        Shape::Any => Map::new(),
        Shape::Text | Shape::Data => of_type("string"),
        Shape::Bool => of_type("boolean"),
        Shape::Integer => of_type("integer"),
        Shape::Duration => pattern("^[0-9]+(ms|s|m|h)$"),
        Shape::Size => pattern("^[0-9]+(B|KiB|MiB|GiB)$"),
        Shape::Timestamp => Map::from([("type", "string"), ("format", "date-time")]),
        Shape::Choice(words) => Map::from([("enum", words.to_vec())]),
        Shape::List(item) => items(schema_of(item)),
        Shape::Named(item) => {
            let mut schema = of_type("object");
            schema.push_new("additionalProperties", schema_of(item));
            schema
        }
        Shape::Map(fields) => object(&[fields]),
        Shape::Either(shapes) => any_of(shapes.iter().map(schema_of).collect::<Vec<_>>()),
    }
}
