//! Messages of every kind there and back, edited ones, and any bytes whatever.

use super::elements::{Element, Wire, write};
use super::{Schemas, decode, encode};
use proptest::prelude::*;
use rehearsal_model::{Value, json};

fn bytes(number: u32, content: &[u8]) -> Vec<u8> {
    element(number, Wire::Length(content))
}

fn int(number: u32, value: u64) -> Vec<u8> {
    element(number, Wire::Varint(value))
}

fn element(number: u32, wire: Wire<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write(Element { number, wire }, &mut out);
    out
}

/// A field of a descriptor: `name number [repeated] type`, where the type is a number or a name.
fn field(line: &str) -> Vec<u8> {
    let mut words = line.split(' ');
    let (name, number) = (words.next().unwrap(), words.next().unwrap().parse().unwrap());
    let mut kind = words.next().unwrap();
    let repeated = kind == "repeated";
    if repeated {
        kind = words.next().unwrap();
    }
    let label = int(4, if repeated { 3 } else { 1 });
    let kind = match kind.parse() {
        Ok(number) => int(5, number),
        Err(_) => {
            let code = if kind.ends_with("Color") { 14 } else { 11 };
            [int(5, code), bytes(6, format!(".{kind}").as_bytes())].concat()
        }
    };
    bytes(2, &[bytes(1, name.as_bytes()), int(3, number), label, kind].concat())
}

fn message(name: &str, fields: &[&str], rest: &[u8]) -> Vec<u8> {
    let fields = fields.iter().flat_map(|line| field(line)).collect::<Vec<_>>();
    [bytes(1, name.as_bytes()), fields, rest.to_vec()].concat()
}

fn file(package: &str, messages: &[Vec<u8>], rest: &[u8]) -> Vec<u8> {
    let messages = messages.iter().flat_map(|it| bytes(4, it)).collect::<Vec<_>>();
    let content = [bytes(2, package.as_bytes()), messages, rest.to_vec(), bytes(12, b"proto3")];
    bytes(1, &content.concat())
}

/// Types numbered as `FieldDescriptorProto.Type` numbers them.
fn schemas() -> Schemas {
    let all = [
        "double 1 1",
        "float 2 2",
        "int64 3 3",
        "uint64 4 4",
        "int32 5 5",
        "fixed64 6 6",
        "fixed32 7 7",
        "bool 8 8",
        "text 9 9",
        "data 12 12",
        "uint32 13 13",
        "sfixed32 15 15",
        "sfixed64 16 16",
        "sint32 17 17",
        "sint64 18 18",
        "color 14 t.Color",
        "inner 20 t.All",
        "many 21 repeated t.All",
        "numbers 22 repeated 5",
        "texts 23 repeated 9",
        "counts 24 repeated t.All.CountsEntry",
        "at 30 google.protobuf.Timestamp",
        "took 31 google.protobuf.Duration",
        "any 32 google.protobuf.Any",
        "tree 33 google.protobuf.Struct",
        "maybe 34 google.protobuf.StringValue",
        "doubles 35 repeated 1",
    ];
    let is_entry = bytes(7, &int(7, 1));
    let entry = bytes(3, &message("CountsEntry", &["key 1 9", "value 2 5"], &is_entry));
    let red = bytes(2, &[bytes(1, b"RED"), int(2, 0)].concat());
    let blue = bytes(2, &[bytes(1, b"BLUE"), int(2, (-5i64).cast_unsigned())].concat());
    let color = bytes(5, &[bytes(1, b"Color"), red, blue].concat());
    let method = [bytes(1, b"Get"), bytes(2, b".t.All"), bytes(3, b".t.All")].concat();
    let service = bytes(6, &[bytes(1, b"Svc"), bytes(2, &method)].concat());
    let ours = file("t", &[message("All", &all, &entry)], &[color, service].concat());
    let tree =
        bytes(3, &message("FieldsEntry", &["key 1 9", "value 2 google.protobuf.Value"], &is_entry));
    let value = [
        "null_value 1 5",
        "number_value 2 1",
        "string_value 3 9",
        "bool_value 4 8",
        "struct_value 5 google.protobuf.Struct",
        "list_value 6 google.protobuf.ListValue",
    ];
    let known = file(
        "google.protobuf",
        &[
            message("Timestamp", &["seconds 1 3", "nanos 2 5"], &[]),
            message("Duration", &["seconds 1 3", "nanos 2 5"], &[]),
            message("Any", &["type_url 1 9", "value 2 12"], &[]),
            message("Struct", &["fields 1 repeated google.protobuf.Struct.FieldsEntry"], &tree),
            message("Value", &value, &[]),
            message("ListValue", &["values 1 repeated google.protobuf.Value"], &[]),
            message("StringValue", &["value 1 9"], &[]),
        ],
        &[],
    );
    Schemas::read(&[ours, known].concat()).unwrap()
}

/// What people write, as a message and back.
#[track_caller]
fn there_and_back(shown: &str) -> Vec<u8> {
    let schemas = schemas();
    let of = schemas.message("t.All");
    let value = json::parse(shown).unwrap();
    let encoded = encode(&value, of, &schemas).unwrap();
    assert_eq!(json::to_string(&decode(&encoded, of, &schemas)), shown);
    encoded
}

#[test]
fn every_scalar_comes_back_by_its_name() {
    there_and_back(concat!(
        r#"{"double":-0.1,"float":1.5,"int64":-9223372036854775808,"uint64":18446744073709551615,"#,
        r#""int32":-1,"fixed64":7,"fixed32":4294967295,"bool":true,"text":"hé","data":"plain","#,
        r#""uint32":0,"sfixed32":-3,"sfixed64":-4,"sint32":-2147483648,"sint64":-1,"color":"BLUE"}"#
    ));
    there_and_back(r#"{"double":"NaN","float":"-Infinity","color":9,"bool":false}"#);
}

#[test]
fn lists_maps_and_messages_come_back_in_their_order() {
    there_and_back(
        r#"{"counts":{"b":1,"a":0},"numbers":[1,-1],"many":[{},{"inner":{"text":""}}],"texts":["x"]}"#,
    );
    // The entries and the numbers as other encoders write them.
    let bare = [bytes(24, &bytes(1, b"a")), int(22, 1), int(22, 2)].concat();
    let schemas = schemas();
    let of = schemas.message("t.All");
    let shown = decode(&bare, of, &schemas);
    assert_eq!(json::to_string(&shown), r#"{"counts":[{"key":"a"}],"22":[1,2]}"#);
    assert_eq!(encode(&shown, of, &schemas).unwrap(), bare);
}

#[test]
fn well_known_types_are_shown_as_json_shows_them() {
    there_and_back(concat!(
        r#"{"at":"2026-11-20T10:00:00.123Z","took":"-1.000000001s","#,
        r#""any":{"@type":"type.googleapis.com/t.All","int32":4},"#,
        r#""tree":{"a":null,"b":[1,"x",true,{}]},"maybe":""}"#
    ));
    there_and_back(r#"{"at":"0001-01-01T00:00:00Z","took":"0s","maybe":"x"}"#);
    there_and_back(r#"{"at":{"seconds":-99999999999999},"took":{"seconds":1,"nanos":-1}}"#);
    there_and_back(
        r#"{"any":{"@type":"a/google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z"}}"#,
    );
    there_and_back(r#"{"any":{"type_url":"x/unknown","value":"abc"}}"#);
}

#[test]
fn what_is_not_known_is_shown_by_its_number() {
    let schemas = Schemas::default();
    let inner = [int(1, 5), bytes(2, &[b'x'; 40])].concat();
    let encoded = [
        bytes(1, b"shop"),
        int(2, u64::MAX),
        element(3, Wire::Fixed64(1.25f64.to_bits())),
        element(4, Wire::Fixed32(7)),
        bytes(5, &inner),
        bytes(5, &bytes(1, &[b'y'; 32])),
        element(6, Wire::Group(&int(1, 1))),
        bytes(7, &[0xff]),
    ]
    .concat();
    let shown = decode(&encoded, None, &schemas);
    let expected = format!(
        concat!(
            r#"{{"1":"shop","2":-1,"3 double":1.25,"4 fixed32":7,"#,
            r#""5":[{{"1":5,"2":"{}"}},{{"1":"{}"}}],"6 group":{{"1":1}},"7":"#
        ),
        "x".repeat(40),
        "y".repeat(32)
    );
    let mut map = shown.as_map().unwrap().clone();
    assert_eq!(map.remove("7"), Some(Value::Bytes(vec![0xff])));
    assert_eq!(
        json::to_string(&Value::Map(map)),
        format!("{}}}", expected.trim_end_matches(r#","7":"#))
    );
    assert_eq!(encode(&shown, None, &schemas).unwrap(), encoded);
}

#[test]
fn a_field_that_comes_again_later_makes_a_list_of_fields() {
    let schemas = Schemas::default();
    let encoded = [int(1, 5), int(2, 6), int(1, 7)].concat();
    let shown = decode(&encoded, None, &schemas);
    assert_eq!(json::to_string(&shown), r#"[{"1":5},{"2":6},{"1":7}]"#);
    let outer = bytes(9, &encoded);
    let shown = decode(&outer, None, &schemas);
    assert_eq!(json::to_string(&shown), r#"{"9":[[{"1":5},{"2":6},{"1":7}]]}"#);
    assert_eq!(encode(&shown, None, &schemas).unwrap(), outer);
}

#[test]
fn what_an_edit_breaks_is_refused_by_name() {
    let schemas = schemas();
    let of = schemas.message("t.All");
    let check = |shown: &str, problem: &str| {
        let value = json::parse(shown).unwrap();
        assert_eq!(encode(&value, of, &schemas).unwrap_err(), problem);
    };
    check(r#"{"int32":"5"}"#, "int32: it is text; it must be a whole number");
    check(
        r#"{"inner":{"int32":3000000000}}"#,
        "inner.int32: 3000000000 is not between -2147483648 and 2147483647",
    );
    check(r#"{"color":"GREEN"}"#, r#"color: "GREEN" is no value of t.Color; it has RED, BLUE"#);
    check(r#"{"texts":"x"}"#, "texts: it is text; it must be a list");
    check(
        r#"{"at":"yesterday"}"#,
        r#"at: "yesterday" is no time such as 2026-11-20T10:00:00.123Z"#,
    );
    check(
        r#"{"at":"2026-02-30T00:00:00Z"}"#,
        r#"at: "2026-02-30T00:00:00Z" is no time such as 2026-11-20T10:00:00.123Z"#,
    );
    check(r#"{"0":1}"#, "0: field numbers go from 1 to 536870911");
    let error = encode(&json::parse(r#"{"amuont":1}"#).unwrap(), of, &schemas).unwrap_err();
    assert!(error.starts_with("amuont: t.All has no such field; it has double, float"), "{error}");
}

#[test]
fn a_method_has_the_types_that_its_service_says() {
    let schemas = schemas();
    assert!(schemas.method("/t.Svc/Get").is_some());
    assert!(schemas.method("/t.Svc/Put").is_none());
    assert_eq!(Schemas::read(b"\xff").unwrap_err(), "it is no FileDescriptorSet");
    let broken = file("t", &[message("A", &["b 1 t.B"], &[])], &[]);
    let error = Schemas::read(&broken).unwrap_err();
    assert_eq!(error, "it has no type t.B, which field b mentions");
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let schemas = schemas();
    let deep = (0..200).fold(Vec::new(), |inner, _| bytes(20, &inner));
    let many = int(1, 0).repeat(1 << 19);
    for encoded in [deep, many] {
        for of in [None, schemas.message("t.All")] {
            let shown = decode(&encoded, of, &schemas);
            assert_eq!(encode(&shown, of, &schemas).unwrap(), encoded);
        }
    }
    assert!(matches!(decode(&int(1, 0).repeat(1 << 19), None, &schemas), Value::Bytes(_)));
}

/// Bytes that are a message of `t.All` more often than not.
fn nearly_a_message() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        (1u32..40, any::<u64>()).prop_map(|(number, value)| int(number, value)),
        (1u32..40, 0u64..3).prop_map(|(number, value)| int(number, value)),
        (1u32..40, any::<u64>()).prop_map(|(number, it)| element(number, Wire::Fixed64(it))),
        (1u32..40, any::<u32>()).prop_map(|(number, it)| element(number, Wire::Fixed32(it))),
        (1u32..40, "[a-z\n]{0,6}").prop_map(|(number, text)| bytes(number, text.as_bytes())),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|parts| parts.concat()),
            (1u32..40, inner.clone()).prop_map(|(number, inner)| bytes(number, &inner)),
            (20u32..36, prop::collection::vec(inner, 0..4))
                .prop_map(|(number, parts)| bytes(number, &parts.concat())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_come_back(encoded in prop::collection::vec(any::<u8>(), 0..64)) {
        comes_back(&encoded)?;
    }

    #[test]
    fn any_message_comes_back(encoded in nearly_a_message()) {
        comes_back(&encoded)?;
    }
}

fn comes_back(encoded: &[u8]) -> Result<(), TestCaseError> {
    let schemas = schemas();
    for name in
        ["t.All", "google.protobuf.Value", "google.protobuf.Any", "google.protobuf.Struct", "?"]
    {
        let of = schemas.message(name);
        let shown = decode(encoded, of, &schemas);
        prop_assert_eq!(encode(&shown, of, &schemas), Ok(encoded.to_vec()), "{:?}", shown);
    }
    Ok(())
}
