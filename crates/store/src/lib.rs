//! The files of a project: recordings, settings and the schemas that describe them.
//!
//! What the words mean is in `model`; how a protocol's messages look in a file is said by `wire`.
//! Nothing here starts a program or opens a socket.

pub mod binary;
pub mod cache;
mod disk;
mod error;
mod files;
pub mod journal;
pub mod key;
pub mod lock;
mod project;
mod schema;
pub mod scrub;
mod settings;
pub mod writer;
pub mod yaml;

pub use error::StoreError;
pub use files::{
    FORMAT, append_recording, read_manifest, read_recording, replace, test_file_name, text,
    write_recording, write_tests,
};
pub use project::Project;
pub use schema::json_schemas;
pub use settings::{
    SETTINGS_FILE, UnitError, format_instant, init_text, parse_clock, parse_duration, parse_size,
};
