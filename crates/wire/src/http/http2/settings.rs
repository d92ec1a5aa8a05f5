//! What a peer can take (RFC 9113, section 6.5), as far as it concerns us.

use super::{frames, malformed, table};
use crate::WireError;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
/// Streams may be tunnels for another protocol (RFC 8441, section 3).
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// The largest header table that is kept for a peer, whatever it was allowed.
const LARGEST_TABLE: usize = 1 << 20;

/// How much may be on its way to a stream of ours.
pub(super) const OUR_WINDOW: usize = 1 << 20;
/// How much may be on its way to us.
pub(super) const OUR_CONNECTION_WINDOW: usize = 16 << 20;
/// How much may be on its way before anything is said of it.
pub(super) const FIRST_WINDOW: i64 = 65_535;

/// Settings, each with its value when it is not said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Bytes that a header table may have.
    pub(super) table: usize,
    /// Bytes that the payload of a frame may have.
    pub(super) frame: usize,
    /// Bytes that may be sent on a new stream; `None` when nothing is said of it.
    pub(super) window: Option<i64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { table: table::CAPACITY, frame: frames::LARGEST, window: None }
    }
}

impl Settings {
    pub(super) fn read(payload: &[u8]) -> Result<Self, WireError> {
        let mut settings = Settings::default();
        let (said, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(malformed("settings of another length"));
        }
        for &[a, b, c, d, e, f] in said {
            let value = u32::from_be_bytes([c, d, e, f]);
            match u16::from_be_bytes([a, b]) {
                HEADER_TABLE_SIZE => settings.table = LARGEST_TABLE.min(value as usize),
                INITIAL_WINDOW_SIZE if value > i32::MAX as u32 => {
                    return Err(malformed("a window larger than any"));
                }
                INITIAL_WINDOW_SIZE => settings.window = Some(value.into()),
                MAX_FRAME_SIZE if value >> 24 != 0 => {
                    return Err(malformed("frames larger than any"));
                }
                MAX_FRAME_SIZE => settings.frame = frames::LARGEST.max(value as usize),
                _ => {}
            }
        }
        Ok(settings)
    }
}

/// Appends our settings and a window for the connection. A server says how many streams it takes, and
/// that they may be WebSockets, a client that it takes no promises.
pub(super) fn write_ours(streams: Option<usize>, out: &mut Vec<u8>) {
    let mut payload = Vec::with_capacity(18);
    let of_server = streams.map(|streams| {
        let most = u32::try_from(streams).unwrap_or(u32::MAX);
        [Some((MAX_CONCURRENT_STREAMS, most)), Some((ENABLE_CONNECT_PROTOCOL, 1))]
    });
    let said = of_server.unwrap_or([Some((ENABLE_PUSH, 0)), None]);
    let window = Some((INITIAL_WINDOW_SIZE, OUR_WINDOW as u32));
    for (key, value) in said.into_iter().chain([window]).flatten() {
        payload.extend_from_slice(&key.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    frames::write(frames::SETTINGS, 0, 0, &payload, out);
    let more = OUR_CONNECTION_WINDOW as u32 - FIRST_WINDOW as u32;
    frames::write(frames::WINDOW_UPDATE, 0, 0, &more.to_be_bytes(), out);
}
