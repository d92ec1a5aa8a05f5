//! Whatever is written comes back; whatever is cut or changed is an error or another value, never a
//! panic.

use crate::binary::{decode, encode};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rehearsal_model::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (any::<i32>(), any::<u32>(), any::<i8>()).prop_map(|(whole, fraction, exponent)| {
            Value::from(Number::parse(&format!("{whole}.{fraction}e{exponent}")).unwrap())
        }),
        ".{0,12}".prop_map(Value::from),
        vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            vec((".{0,4}", inner), 0..20).prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
        ]
    })
}

fn map() -> impl Strategy<Value = Map> {
    vec(("[a-z]{1,6}", value()), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let plain = prop::sample::select(&Failure::ALL[..]).prop_map(|(failure, _)| failure);
    let coded = (prop::sample::select(&Failure::CODED[..]), any::<u32>());
    let coded = coded.prop_map(|((make, _), code)| make(ResetCode(code)));
    let failure = prop_oneof![plain, coded];
    let times = (any::<u64>(), any::<u64>());
    (map(), option::of(map()), option::of(failure), any::<u32>(), times).prop_map(
        |(request, response, failure, connection, (started, finished))| Exchange {
            request,
            response,
            failure,
            connection,
            unit: None,
            started: Moment(started),
            finished: Moment(finished),
        },
    )
}

fn edge_name() -> impl Strategy<Value = EdgeName> {
    ".{0,12}".prop_map(EdgeName::new)
}

fn test_case() -> impl Strategy<Value = TestCase> {
    let call = (edge_name(), exchange(), any::<bool>())
        .prop_map(|(edge, exchange, parallel)| Call { edge, exchange, parallel });
    let part = || proptest::option::of("[a-z]{0,5}");
    let noise = ("[a-z.]{0,12}", part(), part(), part());
    let noise =
        noise.prop_map(|(path, matches, kind, learned)| Noise { path, matches, kind, learned });
    let noise = vec(noise, 0..3);
    let head = (any::<u32>(), ".{0,12}", any::<i64>(), edge_name());
    let during = vec(any::<u32>().prop_map(TestId), 0..3);
    (head, exchange(), vec(call, 0..3), noise, during).prop_map(
        |((id, name, at, edge), exchange, calls, noise, during)| TestCase {
            id: TestId(id),
            name,
            at: Timestamp(at),
            edge,
            exchange,
            calls,
            noise,
            during,
        },
    )
}

fn mock() -> impl Strategy<Value = Mock> {
    let shared_by = vec(any::<u32>().prop_map(TestId), 0..4);
    let of_test = option::of(".{1,8}");
    (edge_name(), exchange(), any::<u32>(), any::<u32>(), shared_by, of_test).prop_map(
        |(edge, exchange, after, calls, shared_by, of_test)| Mock {
            edge,
            exchange,
            after: TestId(after),
            calls,
            shared_by,
            of_test,
        },
    )
}

fn tables() -> impl Strategy<Value = Tables> {
    let columns = btree_map(".{0,8}", "[a-z0-9 |]{0,12}", 0..3);
    btree_map(".{0,8}", columns, 0..3)
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let role = prop_oneof![Just(Role::Inbound), Just(Role::Outbound)];
    let how = || {
        prop_oneof![Just(None), Just(Some(Certificate::Valid)), Just(Some(Certificate::Misnamed))]
    };
    let name = prop_oneof![Just(None), "[a-z.]{1,9}".prop_map(Some)];
    let tls = (how(), how(), name).prop_map(|(first, midway, server_name)| EdgeTls {
        first,
        midway,
        server_name,
    });
    let numbers = || proptest::option::of(any::<(u64, u64, u64)>());
    let latency = (numbers(), numbers()).prop_map(|(answers, own)| {
        let latency = |(calls, p50_us, p95_us)| Latency { calls, p50_us, p95_us };
        EdgeLatency { answers: answers.map(latency), own: own.map(latency) }
    });
    let edge = (edge_name(), role, "[a-z0-9]{0,8}", vec(".{0,12}", 0..3), tls, tables(), latency)
        .prop_map(|(name, role, protocol, addresses, tls, tables, latency)| Edge {
            name,
            role,
            protocol,
            addresses,
            tls,
            tables,
            latency,
        });
    let schemas = vec(any::<u8>(), 0..4);
    (".{0,8}", vec(".{0,8}", 0..4), vec(edge, 0..4), vec(".{0,12}", 0..3), schemas).prop_map(
        |(tool, command, edges, listens, schemas)| Manifest {
            tool,
            command,
            edges,
            listens,
            schemas,
            at: None,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 32,
        ..ProptestConfig::default()
    })]

    #[test]
    fn tests_come_back_and_every_cut_is_an_error(test in test_case()) {
        let bytes = encode(&test).unwrap();
        for end in 0..bytes.len() {
            prop_assert!(decode::<TestCase>(&bytes[..end]).is_err(), "cut at {}", end);
        }
        prop_assert_eq!(decode::<TestCase>(&bytes), Ok(test));
    }

    #[test]
    fn mocks_come_back_and_every_cut_is_an_error(mock in mock()) {
        let bytes = encode(&mock).unwrap();
        for end in 0..bytes.len() {
            prop_assert!(decode::<Mock>(&bytes[..end]).is_err(), "cut at {}", end);
        }
        prop_assert_eq!(decode::<Mock>(&bytes), Ok(mock));
    }

    #[test]
    fn manifests_come_back_and_every_cut_is_an_error(manifest in manifest()) {
        let bytes = encode(&manifest).unwrap();
        for end in 0..bytes.len() {
            prop_assert!(decode::<Manifest>(&bytes[..end]).is_err(), "cut at {}", end);
        }
        prop_assert_eq!(decode::<Manifest>(&bytes), Ok(manifest));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode::<TestCase>(&bytes);
        let _ = decode::<Mock>(&bytes);
        let _ = decode::<Manifest>(&bytes);
        if let Ok(value) = decode::<Value>(&bytes) {
            prop_assert_eq!(decode::<Value>(&encode(&value).unwrap()), Ok(value));
        }
    }

    #[test]
    fn a_changed_byte_is_read_without_panic(
        test in test_case(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode(&test).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = decode::<TestCase>(&bytes);
    }
}
