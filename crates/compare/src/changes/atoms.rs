//! The single changes of one test: fields that were renamed, moved, came or went, values that are
//! others, calls that are gone, new, elsewhere or in another order.

use super::group::Kind;
use super::words::{are_alike, general, general_operation, last_key, parent, path_change, steps};
use rehearsal_model::{Change, Difference, Edit, Finding, Value, Verdict};

/// Why a call that was never answered cannot be accepted.
const UNKNOWN: &str = "no answer to it is known: record it, by `rehearsal record --append`";

/// One change of one test.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    /// What makes it the same change as another one of its kind.
    pub(super) key: String,
    /// It in words, for all tests together.
    pub(super) title: String,
    pub(super) edits: Vec<Edit>,
    pub(super) differences: Vec<Difference>,
    /// Why it cannot be accepted.
    pub(super) obstacle: Option<String>,
}

/// The changes of a test, and whether others are held back.
pub(super) fn atoms(verdict: &Verdict) -> (Vec<Atom>, bool) {
    let refused = verdict.findings.iter().any(is_refusal);
    let mut atoms = Vec::new();
    let mut held = false;
    for finding in &verdict.findings {
        match finding {
            Finding::Response { .. } | Finding::NoAnswer { .. } | Finding::TimedOut { .. }
                if refused =>
            {
                held = true;
            }
            Finding::Response { differences } => message(differences, None, &mut atoms),
            Finding::CallDiffers { edge, differences, .. } => {
                message(differences, Some(edge), &mut atoms);
            }
            Finding::CallMissing { call, edge, operation, request, .. } => {
                if moved_to(verdict, *call).is_some() {
                    continue;
                }
                if refused {
                    held = true;
                    continue;
                }
                atoms.push(missing(*call, edge, operation, request));
            }
            Finding::CallUnexpected { .. } => unexpected(verdict, finding, &mut atoms),
            Finding::CallRepeated { edge, operation, request, times, .. } => atoms.push(Atom {
                edits: vec![Edit::Repeat {
                    edge: edge.clone(),
                    request: request.clone(),
                    times: *times,
                }],
                ..of_call(Kind::CallRepeated, edge, operation, "is made more often")
            }),
            Finding::CallMultiplied { edge, operation, .. } => atoms.push(Atom {
                obstacle: Some(UNKNOWN.to_owned()),
                ..of_call(Kind::CallUnexpected, edge, operation, "is made with more values")
            }),
            Finding::CallOrder { call, before, edge, operation, .. } => {
                let other = verdict.calls.get(before.saturating_sub(1));
                let other = other.map_or_else(String::new, |call| {
                    format!("{}: {}", call.edge, general_operation(&call.operation))
                });
                let edit = Edit::Before { call: call - 1, other: before.saturating_sub(1) };
                let text = format!("now comes before {other}");
                atoms.push(Atom {
                    edits: vec![edit],
                    ..of_call(Kind::CallOrder, edge, operation, &text)
                });
            }
            Finding::NoAnswer { .. }
            | Finding::TimedOut { .. }
            | Finding::Contradiction { .. }
            | Finding::UnknownEdge { .. }
            | Finding::NotReplayable { .. }
            | Finding::AppExited { .. } => {}
        }
    }
    (atoms, held)
}

/// Whether the app was told an error in place of an answer.
fn is_refusal(finding: &Finding) -> bool {
    match finding {
        Finding::CallDiffers { answered, .. } => !answered,
        Finding::CallMultiplied { refused, .. } => *refused > 0,
        Finding::CallUnexpected { .. }
        | Finding::UnknownEdge { .. }
        | Finding::NotReplayable { .. }
        | Finding::AppExited { .. } => true,
        _ => false,
    }
}

fn of_call(kind: Kind, edge: &str, operation: &str, text: &str) -> Atom {
    let title = format!("{edge}: {} {text}", general_operation(operation));
    Atom {
        kind,
        key: title.clone(),
        title,
        edits: Vec::new(),
        differences: Vec::new(),
        obstacle: None,
    }
}

fn missing(call: usize, edge: &str, operation: &str, request: &rehearsal_model::Map) -> Atom {
    let atom = of_call(Kind::CallMissing, edge, operation, "is not made any more");
    match call.checked_sub(1) {
        Some(call) => Atom { edits: vec![Edit::Drop { call, request: request.clone() }], ..atom },
        None => {
            let why = "it is shared by several tests, in ambient.yaml: take it out there";
            Atom { obstacle: Some(why.to_owned()), ..atom }
        }
    }
}

/// The unexpected call that a missing one of the same test has become.
fn moved_to(verdict: &Verdict, missing: usize) -> Option<&Finding> {
    let place = format!("call {missing} of this test");
    verdict.findings.iter().find(|finding| match finding {
        Finding::CallUnexpected { nearest: Some(nearest), .. } => {
            nearest.place == place && headline(&nearest.differences).is_some()
        }
        _ => false,
    })
}

/// The change of the line that says what a call is.
fn headline(differences: &[Difference]) -> Option<(String, String)> {
    differences.iter().find_map(|difference| match &difference.change {
        Change::Changed { expected: Value::Text(from), actual: Value::Text(to) } => {
            let inside = difference.path.split_once("].").map_or("", |(_, inside)| inside);
            let plain = !inside.is_empty() && !inside.contains(['.', '[', '/']);
            plain.then(|| path_change(from, to)).flatten()
        }
        _ => None,
    })
}

fn unexpected(verdict: &Verdict, finding: &Finding, atoms: &mut Vec<Atom>) {
    let Finding::CallUnexpected { edge, operation, nearest, .. } = finding else { return };
    let is_missing = |call: usize| {
        verdict.findings.iter().any(
            |other| matches!(other, Finding::CallMissing { call: missing, .. } if *missing == call),
        )
    };
    if let Some(nearest) = nearest
        && let Some(call) = nearest.place.strip_prefix("call ")
        && let Some(call) = call.strip_suffix(" of this test").and_then(|call| call.parse().ok())
        && is_missing(call)
        && moved_to(verdict, call) == Some(finding)
    {
        return message(&nearest.differences, Some(edge), atoms);
    }
    atoms.push(Atom {
        obstacle: Some(UNKNOWN.to_owned()),
        ..of_call(Kind::CallUnexpected, edge, operation, "is new")
    });
}

/// The changes within one message; `edge` is that of a call.
fn message(differences: &[Difference], edge: Option<&String>, atoms: &mut Vec<Atom>) {
    let mut left: Vec<&Difference> = differences.iter().collect();
    while let Some((one, other, kind)) = pair(&left) {
        let (gone, new) = (left[one], left[other]);
        let (from, to) = (general(&gone.path, edge), general(&new.path, edge));
        let title = match kind {
            Kind::Renamed => {
                let (place, from, to) = (parent(&from), last_key(&from), last_key(&to));
                format!("{place}: {from} is now {to}")
            }
            _ => format!("{from} is now at {to}"),
        };
        let taken = vec![gone.clone(), new.clone()];
        atoms.push(of_values(kind, title, taken));
        let paths = [gone.path.clone(), new.path.clone()];
        left.retain(|difference| !paths.contains(&difference.path));
    }
    for difference in left {
        let at = general(&difference.path, edge);
        let (kind, title) = match &difference.change {
            Change::Missing { .. } => (Kind::Removed, format!("{at} is gone")),
            Change::Added { .. } => (Kind::Added, format!("{at} is new")),
            Change::Retyped { expected, actual } => {
                (Kind::Retyped, format!("{at}: {} is now {}", expected.kind(), actual.kind()))
            }
            Change::Changed { .. } => {
                match edge.and_then(|_| headline(std::slice::from_ref(difference))) {
                    Some((from, to)) => {
                        let edge = edge.map_or("", String::as_str);
                        (Kind::CallPath, format!("{edge}: {from} is now {to}"))
                    }
                    None => (Kind::Changed, at),
                }
            }
        };
        atoms.push(of_values(kind, title, vec![difference.clone()]));
    }
}

fn of_values(kind: Kind, title: String, differences: Vec<Difference>) -> Atom {
    let mut obstacle = None;
    let mut edits = Vec::new();
    for Difference { path, change } in &differences {
        match steps(path) {
            Some(at) => edits.push(Edit::Value {
                at,
                expected: change.expected().cloned(),
                actual: change.actual().cloned(),
            }),
            None => {
                obstacle =
                    Some("it is a text between elements of XML: edit the file by hand".to_owned())
            }
        }
    }
    Atom { kind, key: title.clone(), title, edits, differences, obstacle }
}

/// Something that went and something that came which are the same under another name or elsewhere.
fn pair(left: &[&Difference]) -> Option<(usize, usize, Kind)> {
    let gone = || {
        left.iter().enumerate().filter_map(|(place, it)| match &it.change {
            Change::Missing { expected } => Some((place, &it.path, expected)),
            _ => None,
        })
    };
    let new = || {
        left.iter().enumerate().filter_map(|(place, it)| match &it.change {
            Change::Added { actual } => Some((place, &it.path, actual)),
            _ => None,
        })
    };
    let siblings = |path: &str, other: &str| parent(path) == parent(other) && !path.ends_with(']');
    let found = gone().find_map(|(one, path, value)| {
        let mut same = new().filter(|(_, other, it)| siblings(path, other) && *it == value);
        same.next().map(|(other, ..)| (one, other, Kind::Renamed))
    });
    let found = found.or_else(|| {
        // A renamed field whose value is another one too: nothing else in its map came or went, and
        // the names are nearly the same.
        gone().find_map(|(one, path, value)| {
            let mut near = new().filter(|(_, other, _)| siblings(path, other));
            let alone = gone().filter(|(_, other, _)| siblings(path, other)).count() == 1;
            let (other, _, came) = near.next().filter(|_| alone)?;
            let named = are_alike(last_key(path), last_key(left[other].path.as_str()));
            let alike = came.kind() == value.kind() && near.next().is_none();
            (alike && named).then_some((one, other, Kind::Renamed))
        })
    });
    found.or_else(|| {
        gone().find_map(|(one, path, value)| {
            let (last, tells) = (last_key(path), tells(value));
            let mut same =
                new().filter(|(_, other, it)| *it == value && (tells || last_key(other) == last));
            let (other, ..) = same.next()?;
            same.next().is_none().then_some((one, other, Kind::Moved))
        })
    })
}

/// Whether a value is unlikely to stand at another place by chance.
fn tells(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => number.as_str().len() > 3,
        Value::Text(text) => text.len() > 3,
        Value::Bytes(bytes) => bytes.len() > 3,
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}
