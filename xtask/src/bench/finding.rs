//! How long a large recording takes to load, and whether finding a mock in it
//! takes longer than in a small one.

use super::Bench;
use super::page::{Samples, Section, Table};
use super::process;
use anyhow::{Context as _, ensure};
use rehearsal_matching::{Asked, Desk, Entry, Judge, Library, Verdict, fingerprint};
use rehearsal_model::{
    Difference, Edge, EdgeName, EdgeTls, Exchange, Manifest, Map, Mock, Moment, Role, Tables,
    TestId, Value,
};
use rehearsal_store::cache;
use rehearsal_store::writer::Writer;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

const MOCKS: [u32; 3] = [100, 10_000, 100_000];
/// So many are more than one file may hold, and take minutes to read: only the index is made of them.
const MANY: u32 = 2_000_000;
const LOOKUPS: u32 = 20_000;

/// A recording that is loaded and indexed.
struct Loaded {
    mocks: u32,
    name: String,
    library: Library,
    recording: cache::Loaded,
    read: Samples,
    load: Samples,
    index: Samples,
    find: Samples,
    print: Samples,
    decode: Samples,
}

/// Finds every candidate equal: what is measured is the index.
struct Equal;

impl Judge for Equal {
    fn differences(&self, _mock: u32) -> Vec<Difference> {
        Vec::new()
    }
}

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut all = Vec::new();
    for mocks in MOCKS {
        all.push(write(bench.folder(), mocks)?);
        bench.progress(&format!("{mocks} mocks written"));
    }
    let prints = many(&all[0].recording.prints[0])?;
    let [mut index, mut find] = <[Samples; 2]>::default();
    for _ in 0..bench.rounds(9) {
        for loaded in &mut all {
            process::check()?;
            round(bench.folder(), loaded)?;
        }
        process::check()?;
        let again = prints.clone();
        let began = Instant::now();
        let library = made(again, &prints)?;
        index.add(began.elapsed().as_secs_f64() * 1e3);
        find.add(lookups(&library, questions(&prints).into_iter())?);
    }
    let mut table = Table::new(&[
        "mocks",
        "read the files, ms",
        "load from cache, ms",
        "make the index, ms",
        "find a mock, ns",
        "with fingerprints of the request, µs",
        "decode the answer, µs",
    ]);
    for loaded in &all {
        table.row([
            super::page::number(f64::from(loaded.mocks)),
            loaded.read.shown(),
            loaded.load.shown(),
            loaded.index.shown(),
            loaded.find.shown(),
            loaded.print.shown(),
            loaded.decode.shown(),
        ]);
    }
    let none = || Samples::default().shown();
    let many = super::page::number(f64::from(MANY));
    table.row([many, none(), none(), index.shown(), find.shown(), none(), none()]);
    let notes = vec![
        "goals: 100,000 mocks loaded from cache within 100 ms; lookup time flat".to_owned(),
        format!(
            "measured in this process by calling the crates; {LOOKUPS} lookups a round, of mocks all over the \
             recording, {} in each run",
            MOCKS[0]
        ),
        "a lookup reads one line of the index, which a small recording has in the processor's first cache and \
         a large one in its last or in memory: what is left of the difference is that one read"
            .to_owned(),
    ];
    Ok(Section { title: "Loading a recording and finding a mock", tables: vec![table], notes })
}

fn write(folder: &Path, mocks: u32) -> anyhow::Result<Loaded> {
    let name = format!("mocks-{mocks}");
    let mut writer =
        Writer::create(folder, folder.join("rehearsal").join(&name), manifest(), false)?;
    for number in 0..mocks {
        let exchange = exchange(number);
        let edge = EdgeName::new("payments");
        writer.mock(Mock {
            edge,
            exchange,
            after: TestId(0),
            calls: 0,
            shared_by: Vec::new(),
            of_test: None,
        })?;
    }
    writer.finish(manifest())?;
    cache::load(folder, &name)?;
    // A cache is trusted by the age of the files; only when they are older than the clock's steps.
    process::moment(Duration::from_millis(2500));
    cache::load(folder, &name)?;
    let recording = cache::load(folder, &name)?;
    ensure!(recording.mocks.len() == mocks as usize, "mocks were lost");
    let library = Library::new(recording.prints.clone(), |_| Vec::new());
    let [read, load, index, find, print, decode] = Default::default();
    Ok(Loaded { mocks, name, library, recording, read, load, index, find, print, decode })
}

/// The prints of many mocks, each of another request.
fn many(like: &Entry) -> anyhow::Result<Vec<Entry>> {
    let facets = rehearsal_wire::protocol("http").context("no protocol http")?.facets();
    let print = |number| {
        let request = exchange(number).request;
        let (identity, values) =
            (fingerprint(&facets.identity(&request)), fingerprint(&facets.request(&request)));
        Entry { identity, values, ..*like }
    };
    Ok((0..MANY).map(print).collect())
}

/// The index, with all that is made of it when it is first asked.
fn made(own: Vec<Entry>, prints: &[Entry]) -> anyhow::Result<Library> {
    let library = Library::new(own, |_| Vec::new());
    let mut desk = Desk::default();
    desk.begin(&library, TestId(1));
    find(&mut desk, &library, asked(&prints[0]))?;
    Ok(library)
}

/// What is asked: mocks all over the recording. It is gathered beforehand, since looking for the next
/// question in a large list takes as long as finding its answer.
fn questions(prints: &[Entry]) -> Vec<Asked> {
    places(prints.len()).map(|place| asked(&prints[place])).collect()
}

fn places(count: usize) -> impl Iterator<Item = usize> {
    (0..LOOKUPS as usize).map(move |number| number * 7919 % count)
}

/// Nanoseconds for each of many lookups. What a run has used grows with what it has asked, not with the
/// recording: so each run asks as much as the smallest recording can answer.
fn lookups(library: &Library, asks: impl Iterator<Item = Asked>) -> anyhow::Result<f64> {
    let mut desk = Desk::default();
    let began = Instant::now();
    for (number, asked) in (0..).zip(asks) {
        if number % MOCKS[0] == 0 {
            desk = Desk::default();
        }
        find(&mut desk, library, asked)?;
    }
    Ok(began.elapsed().as_secs_f64() / f64::from(LOOKUPS) * 1e9)
}

fn round(folder: &Path, loaded: &mut Loaded) -> anyhow::Result<()> {
    let began = Instant::now();
    rehearsal_store::read_recording(&folder.join("rehearsal").join(&loaded.name))?;
    loaded.read.add(began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    let again = cache::load(folder, &loaded.name)?;
    loaded.load.add(began.elapsed().as_secs_f64() * 1e3);
    let prints: Vec<Entry> = again.prints.clone();
    let began = Instant::now();
    loaded.library = made(prints, &again.prints)?;
    loaded.index.add(began.elapsed().as_secs_f64() * 1e3);
    loaded.recording = again;

    let prints = &loaded.recording.prints;
    loaded.find.add(lookups(&loaded.library, questions(prints).into_iter())?);

    let facets = rehearsal_wire::protocol("http").context("no protocol http")?.facets();
    let requests: Vec<Map> =
        places(prints.len()).map(|place| exchange(place as u32).request).collect();
    let printed = requests.iter().map(|request| Asked {
        identity: fingerprint(&facets.identity(request)),
        values: fingerprint(&facets.request(request)),
        repeatable: facets.repeatable(request),
        ..asked(&prints[0])
    });
    loaded.print.add(lookups(&loaded.library, printed)? / 1e3);

    let began = Instant::now();
    for place in places(prints.len()) {
        black_box(loaded.recording.mock(u32::try_from(place)?)?);
    }
    loaded.decode.add(began.elapsed().as_secs_f64() / f64::from(LOOKUPS) * 1e6);
    Ok(())
}

fn asked(entry: &Entry) -> Asked {
    Asked {
        edge: entry.edge,
        identity: entry.identity,
        values: entry.values,
        repeatable: entry.repeatable,
        optional: false,
        stands: false,
    }
}

fn find(desk: &mut Desk, library: &Library, asked: Asked) -> anyhow::Result<()> {
    let pick = desk.pick(library, asked, &Equal, &[]);
    ensure!(matches!(black_box(pick).verdict, Verdict::Mock(_)), "a recorded call was missed");
    Ok(())
}

fn manifest() -> Manifest {
    let edge = |name: &str, role| Edge {
        name: EdgeName::new(name),
        role,
        protocol: "http".into(),
        addresses: vec![format!("{name}.example:80")],
        tls: EdgeTls::default(),
        tables: Tables::new(),
        latency: Default::default(),
    };
    let edges = vec![edge(EdgeName::INBOUND, Role::Inbound), edge("payments", Role::Outbound)];
    Manifest { tool: "bench".into(), command: vec!["./shop".into()], edges, ..Manifest::default() }
}

fn exchange(number: u32) -> Exchange {
    let headers: Map = [
        ("host", "payments.example"),
        ("user-agent", "shop/1.0"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
    ]
    .into();
    let body = Map::from([("order", Value::from(i64::from(number))), ("amount", "19.90".into())]);
    let mut request = Map::from([("http", format!("POST /charges/{number}"))]);
    request.insert("headers", headers);
    request.insert("body", body);
    let mut response = Map::from([("status", 200)]);
    response.insert("headers", Map::from([("content-type", "application/json")]));
    response.insert("body", Map::from([("id", Value::from(17)), ("status", "paid".into())]));
    let (started, finished) = (Moment(1), Moment(2));
    Exchange {
        request,
        response: Some(response),
        failure: None,
        connection: 1,
        unit: None,
        started,
        finished,
    }
}
