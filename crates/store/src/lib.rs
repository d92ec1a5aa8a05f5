//! The files of a project: recordings, settings, locks, the journal and the cache.

pub mod binary;
