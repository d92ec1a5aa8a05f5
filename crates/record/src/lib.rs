//! Records what crosses the edges of an app as test cases and mocks.

mod attribution;
mod order;
