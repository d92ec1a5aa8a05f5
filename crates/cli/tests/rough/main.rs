//! What cannot be said as data in `tests/cases`: processes that are killed in the middle, users without
//! privileges, bytes that are no HTTP. Each test runs a real app under the real program.

mod bytes;
mod copies;
mod killed;
mod places;
mod secrets;
mod stage;
