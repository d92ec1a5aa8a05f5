//! The built-in types by their object ids, which no server changes (`pg_type.dat`).

use std::borrow::Cow;

/// How values of a type are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// A signed integer of so many bytes.
    Integer(u8),
    /// An unsigned integer of four bytes: an object id.
    Oid,
    /// A floating point number of so many bytes.
    Float(u8),
    Numeric,
    /// What is the same bytes in text and in binary.
    Text,
    Bytea,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    Jsonb,
    /// An address, with its network or (true) a network only.
    Inet(bool),
    Macaddr,
    Bits,
    /// A range with bounds of this type, by its object id.
    Range(u32),
    /// Several ranges with bounds of this type.
    Multirange(u32),
    /// An array of this type, by its object id.
    Array(u32),
    /// A type that is carried as it came.
    Other,
}

use Kind::{
    Bits, Bool, Bytea, Date, Float, Inet, Integer, Interval, Jsonb, Macaddr, Multirange, Numeric,
    Oid, Other, Range, Text, Time, TimeTz, Timestamp, TimestampTz, Uuid,
};

/// Object id, name, kind, and object id of the array (0 where there is none of interest).
const TYPES: &[(u32, &str, Kind, u32)] = &[
    (16, "bool", Bool, 1000),
    (17, "bytea", Bytea, 1001),
    (18, "char", Text, 1002),
    (19, "name", Text, 1003),
    (20, "int8", Integer(8), 1016),
    (21, "int2", Integer(2), 1005),
    (22, "int2vector", Other, 1006),
    (23, "int4", Integer(4), 1007),
    (24, "regproc", Other, 1008),
    (25, "text", Text, 1009),
    (26, "oid", Oid, 1028),
    (27, "tid", Other, 1010),
    (28, "xid", Oid, 1011),
    (29, "cid", Oid, 1012),
    (30, "oidvector", Other, 1013),
    (114, "json", Text, 199),
    (142, "xml", Text, 143),
    (194, "pg_node_tree", Text, 0),
    (600, "point", Other, 1017),
    (601, "lseg", Other, 1018),
    (602, "path", Other, 1019),
    (603, "box", Other, 1020),
    (604, "polygon", Other, 1027),
    (628, "line", Other, 629),
    (650, "cidr", Inet(true), 651),
    (700, "float4", Float(4), 1021),
    (701, "float8", Float(8), 1022),
    (705, "unknown", Text, 0),
    (718, "circle", Other, 719),
    (774, "macaddr8", Macaddr, 775),
    (790, "money", Other, 791),
    (829, "macaddr", Macaddr, 1040),
    (869, "inet", Inet(false), 1041),
    (1033, "aclitem", Other, 1034),
    (1042, "bpchar", Text, 1014),
    (1043, "varchar", Text, 1015),
    (1082, "date", Date, 1182),
    (1083, "time", Time, 1183),
    (1114, "timestamp", Timestamp, 1115),
    (1184, "timestamptz", TimestampTz, 1185),
    (1186, "interval", Interval, 1187),
    (1266, "timetz", TimeTz, 1270),
    (1560, "bit", Bits, 1561),
    (1562, "varbit", Bits, 1563),
    (1700, "numeric", Numeric, 1231),
    (1790, "refcursor", Text, 2201),
    (2202, "regprocedure", Other, 2207),
    (2205, "regclass", Other, 2210),
    (2206, "regtype", Other, 2211),
    (2249, "record", Other, 2287),
    (2275, "cstring", Text, 1263),
    (2278, "void", Text, 0),
    (2950, "uuid", Uuid, 2951),
    (3220, "pg_lsn", Other, 3221),
    (3614, "tsvector", Other, 3643),
    (3615, "tsquery", Other, 3645),
    (3802, "jsonb", Jsonb, 3807),
    (3904, "int4range", Range(23), 3905),
    (3906, "numrange", Range(1700), 3907),
    (3908, "tsrange", Range(1114), 3909),
    (3910, "tstzrange", Range(1184), 3911),
    (3912, "daterange", Range(1082), 3913),
    (3926, "int8range", Range(20), 3927),
    (4072, "jsonpath", Other, 4073),
    (4089, "regnamespace", Other, 4090),
    (4096, "regrole", Other, 4097),
    (4451, "int4multirange", Multirange(23), 6150),
    (4532, "nummultirange", Multirange(1700), 6151),
    (4533, "tsmultirange", Multirange(1114), 6152),
    (4534, "tstzmultirange", Multirange(1184), 6153),
    (4535, "datemultirange", Multirange(1082), 6155),
    (4536, "int8multirange", Multirange(20), 6157),
];

/// How values of a type are read and written.
pub(super) fn kind(oid: u32) -> Kind {
    if let Ok(place) = TYPES.binary_search_by_key(&oid, |row| row.0) {
        return TYPES[place].2;
    }
    let element = TYPES.iter().find(|row| row.3 == oid && oid != 0);
    match element {
        Some((_, _, Other, _)) | None => Other,
        Some((element, ..)) => Kind::Array(*element),
    }
}

/// The name of a type as people write it; `#16385` for one that the database has defined.
pub(super) fn name(oid: u32) -> Cow<'static, str> {
    if let Ok(place) = TYPES.binary_search_by_key(&oid, |row| row.0) {
        return Cow::Borrowed(TYPES[place].1);
    }
    match TYPES.iter().find(|row| row.3 == oid && oid != 0) {
        Some((_, name, ..)) => Cow::Owned(format!("{name}[]")),
        None => Cow::Owned(format!("#{oid}")),
    }
}

/// The object id of a name that [`name`] gave.
pub(super) fn oid(name: &str) -> Option<u32> {
    if let Some(number) = name.strip_prefix('#') {
        return number.parse().ok();
    }
    let (name, array) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
    let row = TYPES.iter().find(|row| row.1 == name)?;
    match (array, row.3) {
        (false, _) => Some(row.0),
        (true, 0) => None,
        (true, array) => Some(array),
    }
}

/// How many bytes a value of the type has in the server's memory, as RowDescription says it: -1 for
/// types of no fixed length.
pub(super) fn size(oid: u32) -> i16 {
    match kind(oid) {
        Kind::Bool => 1,
        Kind::Integer(bytes) | Kind::Float(bytes) => i16::from(bytes),
        Kind::Oid | Kind::Date => 4,
        Kind::Time | Kind::Timestamp | Kind::TimestampTz => 8,
        Kind::TimeTz => 12,
        Kind::Interval | Kind::Uuid => 16,
        Kind::Macaddr if oid == 829 => 6,
        Kind::Macaddr => 8,
        Kind::Text if oid == 18 => 1,
        Kind::Text if oid == 19 => 64,
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_object_id() {
        assert!(TYPES.is_sorted_by_key(|row| row.0));
        for row in TYPES {
            for id in [row.0, row.3] {
                assert!(id == 0 || oid(&name(id)) == Some(id), "{}", row.1);
            }
        }
        assert_eq!(oid(&name(16_385)), Some(16_385));
        assert_eq!(kind(1007), Kind::Array(23));
    }
}
