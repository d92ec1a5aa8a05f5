//! What of a message to a proxy identifies it, and what two must agree in.

use super::messages::{self, Stage};
use crate::{Facets, Flaw};
use rehearsal_model::{Map, Value};

/// The facets of SOCKS.
#[derive(Debug)]
pub(super) struct SocksFacets;

fn headline(request: &Map) -> &str {
    request.get("socks").and_then(Value::as_text).unwrap_or_default()
}

fn stage(request: &Map) -> Stage {
    match headline(request) {
        "greeting" => Stage::Greeting,
        "login" => Stage::Login,
        _ => Stage::Wish,
    }
}

fn offers(request: &Map, method: &str) -> bool {
    let methods = request.get("methods").and_then(Value::as_list).unwrap_or_default();
    methods.iter().any(|offered| offered.as_text() == Some(method))
}

impl Facets for SocksFacets {
    fn operation(&self, request: &Map) -> String {
        headline(request).to_owned()
    }

    fn subject(&self, request: &Map) -> Option<String> {
        messages::party(request)
    }

    fn identity(&self, request: &Map) -> Value {
        Map::from([("socks", headline(request).to_owned())]).into()
    }

    /// A greeting says whether the client can say who it is; in what other ways it could is its library's
    /// matter. A password is compared by nobody but the proxy.
    fn request(&self, request: &Map) -> Value {
        let mut form = Map::from([("socks", headline(request).to_owned())]);
        match (stage(request), request.get("user")) {
            (Stage::Greeting, _) => drop(form.insert("credentials", offers(request, "password"))),
            (Stage::Login, Some(user)) => drop(form.insert("user", user.clone())),
            _ => {}
        }
        form.into()
    }

    fn response(&self, _request: &Map, response: &Map) -> Value {
        Value::Map(response.clone())
    }

    fn repeatable(&self, _request: &Map) -> bool {
        false
    }

    fn sets_up(&self, request: &Map) -> bool {
        stage(request) != Stage::Wish || messages::party(request).is_some()
    }

    /// Clients of another version greet in another way.
    fn usual(&self, request: &Map) -> Option<Map> {
        match stage(request) {
            Stage::Greeting if offers(request, "password") => {
                Some(Map::from([("method", "password")]))
            }
            Stage::Greeting if offers(request, "none") => Some(Map::from([("method", "none")])),
            Stage::Greeting | Stage::Wish => None,
            Stage::Login => Some(Map::from([("status", "accepted")])),
        }
    }

    fn failure(&self, request: &Map, response: &Map) -> Option<String> {
        let status = response.get("status").and_then(Value::as_text)?;
        let failed = stage(request) == Stage::Wish && status != "succeeded";
        failed.then(|| status.to_owned())
    }

    fn flaw(&self, request: &Map, response: &Map) -> Option<Flaw> {
        messages::write(stage(request), response).err().map(|error| Flaw::of(&error))
    }

    fn trace(&self, _request: &Map) -> Vec<String> {
        Vec::new()
    }
}
