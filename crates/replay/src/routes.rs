//! Which edge an address is that the app connects to.

use crate::families::twin;
use crate::shelf::{EdgeNumber, Shelf};
use rehearsal_capture::Endpoint;
use rehearsal_model::{EdgeSettings, Role};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// It is this edge of the recording.
    Edge(EdgeNumber),
    /// The user wants it let through; it is this edge of the recording, if any.
    Real(Option<EdgeNumber>),
    /// The recording does not have it, but the same port of this machine in the other address family.
    Aside,
    /// The recording does not have it.
    Unknown,
}

/// See the module.
pub(crate) struct Routes {
    by_address: HashMap<String, EdgeNumber>,
    settings: Vec<EdgeSettings>,
    by_name: HashMap<String, EdgeNumber>,
    /// The names that addresses were resolved from in this run.
    names: Mutex<HashMap<IpAddr, Vec<String>>>,
}

impl Routes {
    pub(crate) fn new(shelf: &Shelf, settings: &[EdgeSettings]) -> Self {
        let (mut by_address, mut by_name) = (HashMap::new(), HashMap::new());
        for (edge, number) in shelf.edges.iter().zip(0u32..) {
            if edge.role == Role::Inbound {
                continue;
            }
            by_name.entry(edge.name.to_string()).or_insert(number);
            for address in &edge.addresses {
                by_address.entry(address.clone()).or_insert(number);
            }
        }
        Routes { by_address, by_name, settings: settings.to_vec(), names: Mutex::default() }
    }

    /// Notes that a name was resolved to an address.
    pub(crate) fn resolved(&self, name: &str, address: IpAddr) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let names = names.entry(address.to_canonical()).or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    /// The first name that an address was resolved from, with its port.
    pub(crate) fn name(&self, endpoint: &Endpoint) -> Option<String> {
        let Endpoint::Tcp(tcp) = endpoint else { return None };
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.get(&tcp.ip().to_canonical())?.first()?;
        Some(format!("{name}:{}", tcp.port()))
    }

    /// The route to an address, or to a name with a port where that is known.
    pub(crate) fn to(&self, endpoint: &Endpoint, host: Option<&str>) -> Route {
        let route = self.spelled(&self.spellings(endpoint, host));
        let (Route::Unknown, Endpoint::Tcp(tcp)) = (route, endpoint) else { return route };
        match twin(*tcp).map(|twin| self.spelled(&self.spellings(&Endpoint::Tcp(twin), None))) {
            Some(Route::Edge(_)) => Route::Aside,
            Some(Route::Real(_)) => Route::Real(None),
            _ => Route::Unknown,
        }
    }

    /// The route to a party that the app names to somebody who connects it, as `host:port`.
    pub(crate) fn named(&self, party: &str) -> Route {
        match party.parse() {
            Ok(plain) => self.to(&Endpoint::Tcp(plain), None),
            Err(_) => self.spelled(&[party.to_owned()]),
        }
    }

    fn spelled(&self, spellings: &[String]) -> Route {
        let named = |setting: &&EdgeSettings| {
            setting.addresses.iter().any(|address| spellings.contains(address))
        };
        if let Some(setting) = self.settings.iter().find(named) {
            if setting.real {
                return Route::Real(self.by_name.get(&setting.name).copied());
            }
            if let Some(edge) = self.by_name.get(&setting.name) {
                return Route::Edge(*edge);
            }
        }
        let Some(edge) = spellings.iter().find_map(|address| self.by_address.get(address)) else {
            return Route::Unknown;
        };
        let is_real =
            |setting: &&EdgeSettings| setting.real && self.by_name.get(&setting.name) == Some(edge);
        match self.settings.iter().find(is_real) {
            Some(_) => Route::Real(Some(*edge)),
            None => Route::Edge(*edge),
        }
    }

    fn spellings(&self, endpoint: &Endpoint, host: Option<&str>) -> Vec<String> {
        let mut spellings: Vec<String> = host.map(str::to_owned).into_iter().collect();
        spellings.push(endpoint.to_string());
        if let Endpoint::Tcp(tcp) = endpoint {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            let names = names.get(&tcp.ip().to_canonical());
            spellings
                .extend(names.into_iter().flatten().map(|name| format!("{name}:{}", tcp.port())));
        }
        spellings
    }
}
