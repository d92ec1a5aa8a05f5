//! Our own encoding, and the journal in it, as a crash may have left them.

use crate::cut::parts;
use crate::memory::within;
use rehearsal_model::{Manifest, Mock, TestCase, Value};
use rehearsal_store::binary::{Binary, VERSION, decode, encode};
use rehearsal_store::journal as store;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What decoding may hold at once for an input of 64 KiB: each byte can be a value.
const MEMORY: usize = 64 << 20;

/// The first byte of an input chooses the type.
pub(crate) fn binary(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    within(MEMORY, || match which % 4 {
        0 => comes_back::<Value>(bytes),
        1 => comes_back::<TestCase>(bytes),
        2 => comes_back::<Mock>(bytes),
        _ => comes_back::<Manifest>(bytes),
    });
}

fn comes_back<T: Binary + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(thing) = decode::<T>(bytes) else { return };
    let encoded = encode(&thing).expect("what was decoded is not too deep");
    let again: T = decode(&encoded).expect("what was encoded can be decoded");
    assert_eq!(again, thing);
}

/// Each part of an input is the payload of a frame with a right checksum; the bytes behind the last
/// marker are a torn end as they are.
pub(crate) fn journal(data: &[u8]) {
    let mut parts = parts(data);
    let torn = parts.pop().unwrap_or_default();
    let mut bytes = b"REHEARSALJ".to_vec();
    bytes.extend([VERSION, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    for payload in &parts {
        let length = u32::try_from(payload.len()).expect("inputs are short");
        bytes.extend(length.to_le_bytes());
        bytes.extend(&blake3::hash(payload).as_bytes()[..8]);
        bytes.extend(*payload);
    }
    bytes.extend(torn);
    let folder = folder();
    fs::write(folder.join(store::FILE), &bytes).expect("the folder can be written");
    within(MEMORY, || {
        let survey =
            store::survey(folder).expect("every end is taken").expect("there is a journal");
        let mut reader = store::Reader::open(folder).expect("it is readable").expect("it is there");
        assert_eq!(reader.known_mocks(), 3);
        let mut frames = 0;
        while let Some(frame) = reader.frame().expect("every frame is read or none is there") {
            frames += 1;
            // What a frame holds may be anything: the checksum is right, the payload is not ours.
            drop(frame.decode());
        }
        assert!(frames <= parts.len() + torn.len());
        assert!(survey.torn <= bytes.len() as u64);
    });
}

/// A folder of this process; `run.sh` removes it.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("journal-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder can be made");
        folder
    })
}
