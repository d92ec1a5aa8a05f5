//! What files may hold, by the shapes of `model::shape`: checking what was read, and JSON Schemas
//! for editors.

mod check;
mod fields;
mod json_schema;
mod nearest;

pub(crate) use check::check;
pub(crate) use fields::{Fields, number};
pub use json_schema::json_schemas;
pub(crate) use nearest::nearest;

#[cfg(test)]
mod tests;
