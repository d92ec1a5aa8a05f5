//! Runs, recordings and the past as pages in a browser, on this machine alone.
//!
//! Pages are made here, on the server, and every one of them is refused to whoever did not come with
//! the token. What is shown of a test is drawn by `report`; what is known of recordings and what
//! becomes of a difference comes from [`Backstage`], which the command line has. Nothing here starts a
//! run, edits a file or asks another machine.

mod backstage;
mod flow;
mod guard;
#[macro_use]
mod html;
mod live;
mod pages;
mod reply;
mod request;
mod routes;
mod runs;
mod server;
mod shell;

pub use backstage::{
    Backstage, Caused, Contents, Drawing, Found, Listed, Node, Overview, Problem, Reviewed, Row,
    Story, TestName, Verb,
};
pub use server::{Place, Server};
