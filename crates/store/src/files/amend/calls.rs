//! Accepted calls: those that went are taken out, those that come again are written again, and those
//! in another order change places. Noise follows them.

use rehearsal_model::{Edit, Map, TestCase, Value};

/// A call of the file, and which it was.
type Known = (Option<usize>, Value);

/// Applies what concerns whole calls; where each one has come to.
pub(super) fn apply(
    root: &mut Value,
    case: &TestCase,
    form: &Value,
    edits: &[&Edit],
) -> Result<Vec<Option<usize>>, String> {
    let stays = || (0..case.calls.len()).map(Some).collect::<Vec<_>>();
    if edits.iter().all(|edit| matches!(edit, Edit::Value { .. })) {
        return Ok(stays());
    }
    let Value::Map(root) = root else { return Ok(stays()) };
    let Some(Value::List(list)) = root.get("calls") else { return Ok(stays()) };
    let mut calls: Vec<Known> =
        list.iter().cloned().enumerate().map(|(place, call)| (Some(place), call)).collect();
    for edit in edits {
        match edit {
            Edit::Drop { call, .. } => drop_call(&mut calls, *call),
            Edit::Before { call, other } => move_before(&mut calls, *call, *other),
            Edit::Repeat { edge, request, times } => {
                repeat(&mut calls, (edge, request), *times, case, form).ok_or_else(|| {
                    format!(
                        "the answer to a repeated call of {edge} is not in this test: record again"
                    )
                })?;
            }
            Edit::Value { .. } => {}
        }
    }
    let order: Vec<Option<usize>> = (0..case.calls.len())
        .map(|call| calls.iter().position(|(known, _)| *known == Some(call)))
        .collect();
    if calls.is_empty() {
        root.remove("calls");
    } else {
        root.insert("calls", Value::List(calls.into_iter().map(|(_, call)| call).collect()));
    }
    renumber(root, &order);
    Ok(order)
}

const PARALLEL: &str = "parallel";

fn is_parallel(call: &Value) -> bool {
    call.as_map().is_some_and(|call| call.get(PARALLEL) == Some(&Value::Bool(true)))
}

fn set_parallel(call: &mut Value, parallel: bool) {
    let Value::Map(map) = call else { return };
    if parallel {
        map.insert(PARALLEL, true);
    } else {
        map.remove(PARALLEL);
    }
}

/// Takes a call out; one that was beside it is then the first of its group.
fn take(calls: &mut Vec<Known>, call: usize) -> Option<Known> {
    let place = calls.iter().position(|(known, _)| *known == Some(call))?;
    let taken = calls.remove(place);
    if !is_parallel(&taken.1)
        && let Some((_, next)) = calls.get_mut(place)
    {
        set_parallel(next, false);
    }
    Some(taken)
}

fn drop_call(calls: &mut Vec<Known>, call: usize) {
    take(calls, call);
}

fn move_before(calls: &mut Vec<Known>, call: usize, other: usize) {
    let Some((known, mut value)) = take(calls, call) else { return };
    let place = calls.iter().position(|(known, _)| *known == Some(other)).unwrap_or(calls.len());
    let beside = calls.get(place).is_some_and(|(_, other)| is_parallel(other));
    set_parallel(&mut value, beside);
    calls.insert(place, (known, value));
}

/// Writes a call of this test again behind itself.
fn repeat(
    calls: &mut Vec<Known>,
    (edge, request): (&str, &Map),
    times: usize,
    case: &TestCase,
    form: &Value,
) -> Option<()> {
    let forms = form.as_map()?.get("calls")?.as_list()?;
    let asked = Value::Map(request.clone());
    let same = |place: usize| {
        let call = &case.calls[place];
        let own = Value::Map(call.exchange.request.clone());
        call.edge.as_str() == edge && (crate::yaml::alike(&own, &asked) || forms[place] == asked)
    };
    let original = (0..case.calls.len()).find(|place| same(*place))?;
    let place = calls.iter().position(|(known, _)| *known == Some(original))?;
    let mut again = calls[place].1.clone();
    set_parallel(&mut again, false);
    for _ in 0..times {
        calls.insert(place + 1, (None, again.clone()));
    }
    Some(())
}

/// Lets noise follow the calls it is about; that of calls that are gone goes.
fn renumber(root: &mut Map, order: &[Option<usize>]) {
    let Some(Value::List(noise)) = root.get("noise") else { return };
    let moved: Vec<Value> = noise.iter().filter_map(|one| renumbered(one, order)).collect();
    if moved.is_empty() {
        root.remove("noise");
    } else {
        root.insert("noise", Value::List(moved));
    }
}

fn renumbered(noise: &Value, order: &[Option<usize>]) -> Option<Value> {
    match noise {
        Value::Text(path) => path_now(path, order).map(Value::from),
        Value::Map(map) => {
            let pairs = map.iter().map(|(path, it)| Some((path_now(path, order)?, it.clone())));
            pairs.collect::<Option<Map>>().map(Value::Map)
        }
        other => Some(other.clone()),
    }
}

fn path_now(path: &str, order: &[Option<usize>]) -> Option<String> {
    let own = path.strip_prefix("calls[").and_then(|rest| rest.split_once(']'));
    let Some((number, rest)) = own else { return Some(path.to_owned()) };
    let Ok(number) = number.parse::<usize>() else { return Some(path.to_owned()) };
    match order.get(number) {
        Some(now) => now.map(|now| format!("calls[{now}]{rest}")),
        None => Some(path.to_owned()),
    }
}
