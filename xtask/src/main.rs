//! The tasks of the project that are not the product.
fn main() {}
