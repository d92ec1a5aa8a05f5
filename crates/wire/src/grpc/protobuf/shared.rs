//! Schemas that live as long as the program, so that sessions are handed them like a number.

use super::Schemas;
use std::sync::{Mutex, PoisonError};

/// What was read, with what it was read from. A program reads those of a recording or two.
static READ: Mutex<Vec<(Vec<u8>, &'static Schemas)>> = Mutex::new(Vec::new());

impl Schemas {
    /// As [`Schemas::read`], once for each descriptor set. One that is empty is none.
    ///
    /// # Errors
    /// As [`Schemas::read`].
    pub fn shared(descriptor_set: &[u8]) -> Result<Option<&'static Schemas>, String> {
        if descriptor_set.is_empty() {
            return Ok(None);
        }
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = read.iter().find(|(bytes, _)| bytes == descriptor_set) {
            return Ok(Some(known));
        }
        let schemas: &'static Schemas = Box::leak(Box::new(Schemas::read(descriptor_set)?));
        read.push((descriptor_set.to_vec(), schemas));
        Ok(Some(schemas))
    }
}
