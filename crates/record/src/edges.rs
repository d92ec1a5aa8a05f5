//! The parties that were met: their names, addresses and what was seen of each.

use rehearsal_capture::Endpoint;
use rehearsal_model::{Edge, EdgeLatency, EdgeName, EdgeSettings, EdgeTls, Role};
use rehearsal_wire::{SeenTables, Taught};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of a party, in the order in which they were met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PartyId(pub(crate) usize);

/// One remote party.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) name: EdgeName,
    pub(crate) role: Role,
    pub(crate) addresses: Vec<String>,
    /// The protocol that the settings give it.
    pub(crate) protocol: Option<String>,
    connections: u32,
    /// Where it can be dialled; none where only the app or somebody between can reach it.
    target: Option<String>,
}

/// Everybody that was met. Shared by the capture policy and the engine.
pub(crate) struct Parties {
    settings: Vec<EdgeSettings>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    list: Vec<Party>,
    by_address: HashMap<(Role, String), PartyId>,
    /// The names that addresses were resolved from.
    names: HashMap<IpAddr, String>,
}

impl Parties {
    pub(crate) fn new(settings: &[EdgeSettings]) -> Self {
        Parties { settings: settings.to_vec(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a name was resolved to an address, so that connections to it bear the name.
    pub(crate) fn resolved(&self, name: &str, address: IpAddr) {
        self.state().names.entry(address.to_canonical()).or_insert_with(|| name.to_owned());
    }

    /// The party behind an address that the app connects to; `host` is its name where that is
    /// known otherwise than by DNS.
    pub(crate) fn outbound(&self, to: &Endpoint, host: Option<&str>) -> PartyId {
        let mut state = self.state();
        let plain = canonical(to);
        let named = host.map(str::to_owned).or_else(|| named(&state.names, to));
        let address = named.clone().unwrap_or_else(|| plain.clone());
        if let Some(id) = state.by_address.get(&(Role::Outbound, address.clone())) {
            return *id;
        }
        let texts = [Some(plain), named];
        let setting = self.setting(texts.iter().flatten());
        let name = setting.map_or_else(|| address.clone(), |setting| setting.name.clone());
        let protocol = setting.and_then(|setting| setting.protocol.clone());
        state.add(Role::Outbound, name, address, protocol)
    }

    /// The party that the app names to somebody who connects it, as `host:port`.
    pub(crate) fn named(&self, address: &str) -> PartyId {
        let mut state = self.state();
        // One spelling for what is an address.
        let plain = address.parse().map(|plain| canonical(&Endpoint::Tcp(plain)));
        let address = plain.unwrap_or_else(|_| address.to_owned());
        if let Some(id) = state.by_address.get(&(Role::Outbound, address.clone())) {
            return *id;
        }
        let setting = self.setting(std::iter::once(&address));
        let name = setting.map_or_else(|| address.clone(), |setting| setting.name.clone());
        let protocol = setting.and_then(|setting| setting.protocol.clone());
        state.add(Role::Outbound, name, address, protocol)
    }

    /// The party that calls the app at an address.
    pub(crate) fn inbound(&self, at: &Endpoint) -> PartyId {
        let mut state = self.state();
        let address = canonical(at);
        if let Some(id) = state.by_address.get(&(Role::Inbound, address.clone())) {
            return *id;
        }
        let setting = self.setting(std::iter::once(&address));
        let first = !state.list.iter().any(|party| party.role == Role::Inbound);
        let name = match (setting, at) {
            (Some(setting), _) => setting.name.clone(),
            (None, _) if first => EdgeName::INBOUND.to_owned(),
            (None, Endpoint::Tcp(tcp)) => format!("{}-{}", EdgeName::INBOUND, tcp.port()),
            (None, Endpoint::Unix(_)) => format!("{}-{address}", EdgeName::INBOUND),
        };
        let protocol = setting.and_then(|setting| setting.protocol.clone());
        state.add(Role::Inbound, name, address, protocol)
    }

    /// The party that answers questions for names.
    pub(crate) fn resolver(&self) -> PartyId {
        let mut state = self.state();
        let known = state.list.iter().position(|party| party.protocol.as_deref() == Some("dns"));
        let new = || ("dns".to_owned(), "dns".to_owned());
        known.map(PartyId).unwrap_or_else(|| {
            let (name, protocol) = new();
            state.list.push(Party {
                name: EdgeName::new(name),
                role: Role::Outbound,
                addresses: Vec::new(),
                protocol: Some(protocol),
                connections: 0,
                target: None,
            });
            PartyId(state.list.len() - 1)
        })
    }

    fn setting<'a>(
        &self,
        addresses: impl Iterator<Item = &'a String> + Clone,
    ) -> Option<&EdgeSettings> {
        self.settings.iter().find(|setting| {
            setting.addresses.iter().any(|known| addresses.clone().any(|address| known == address))
        })
    }

    /// The ordinal of one more connection with a party, from 1.
    pub(crate) fn connected(&self, party: PartyId) -> u32 {
        let mut state = self.state();
        let party = &mut state.list[party.0];
        party.connections += 1;
        party.connections
    }

    /// Notes where a party can be dialled; what is known of the latest connection counts.
    pub(crate) fn dialled(&self, party: PartyId, target: Option<&str>) {
        let mut state = self.state();
        let known = &mut state.list[party.0].target;
        if target.is_some() && known.as_deref() != target {
            *known = target.map(str::to_owned);
        }
    }

    /// Where a party can be dialled.
    pub(crate) fn target(&self, party: PartyId) -> Option<String> {
        self.state().list[party.0].target.clone()
    }

    pub(crate) fn get(&self, party: PartyId) -> Party {
        self.state().list[party.0].clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.state().list.len()
    }
}

impl State {
    fn add(
        &mut self,
        role: Role,
        name: String,
        address: String,
        protocol: Option<String>,
    ) -> PartyId {
        let known =
            self.list.iter().position(|party| party.role == role && party.name.as_str() == name);
        let id = PartyId(known.unwrap_or(self.list.len()));
        match self.list.get_mut(id.0) {
            Some(party) => party.addresses.push(address.clone()),
            None => self.list.push(Party {
                name: EdgeName::new(name),
                role,
                addresses: vec![address.clone()],
                protocol,
                connections: 0,
                target: None,
            }),
        }
        self.by_address.insert((role, address), id);
        id
    }
}

fn named(names: &HashMap<IpAddr, String>, to: &Endpoint) -> Option<String> {
    let Endpoint::Tcp(tcp) = to else { return None };
    names.get(&tcp.ip().to_canonical()).map(|name| format!("{name}:{}", tcp.port()))
}

/// The text of an address that is the same however the app spelled it.
pub(crate) fn canonical(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(tcp) => SocketAddr::new(tcp.ip().to_canonical(), tcp.port()).to_string(),
        Endpoint::Unix(_) => endpoint.to_string(),
    }
}

/// Which protocols were spoken with whom: the first that a party speaks has its plain name, another
/// one a name of its own, so that an edge has one protocol.
#[derive(Default)]
pub(crate) struct Spoken {
    edges: Vec<(PartyId, SpokenEdge)>,
    changed: bool,
}

struct SpokenEdge {
    name: EdgeName,
    /// None while nothing was said.
    protocol: Option<&'static str>,
    tls: EdgeTls,
    /// When it is a database.
    tables: SeenTables,
}

impl Spoken {
    /// The edge of a protocol with a party; without one, that of a party with whom no connection
    /// came about.
    pub(crate) fn edge(
        &mut self,
        parties: &Parties,
        party: PartyId,
        protocol: Option<&'static str>,
    ) -> EdgeName {
        let of_party = |(known, _): &&mut (PartyId, SpokenEdge)| *known == party;
        for (_, edge) in self.edges.iter_mut().filter(of_party) {
            if edge.protocol.is_none() {
                edge.protocol = protocol;
                self.changed = true;
            }
            if protocol.is_none() || edge.protocol == protocol {
                return edge.name.clone();
            }
        }
        let name = parties.get(party).name;
        let taken = self.edges.iter().any(|(_, edge)| edge.name == name);
        let name = match protocol.filter(|_| taken) {
            Some(protocol) => name.speaking(protocol),
            None => name,
        };
        self.edges.push((
            party,
            SpokenEdge {
                name: name.clone(),
                protocol,
                tls: EdgeTls::default(),
                tables: SeenTables::default(),
            },
        ));
        self.changed = true;
        name
    }

    /// Notes of an edge that it is TLS; what was seen first counts.
    pub(crate) fn secured(&mut self, name: &EdgeName, tls: &EdgeTls) {
        let known = self.edges.iter_mut().map(|(_, edge)| edge).find(|edge| edge.name == *name);
        let Some(edge) = known else { return };
        let before = edge.tls.clone();
        let merged = EdgeTls {
            first: before.first.or(tls.first),
            midway: before.midway.or(tls.midway),
            server_name: before.server_name.clone().or_else(|| tls.server_name.clone()),
        };
        self.changed |= merged != before;
        edge.tls = merged;
    }

    /// Notes of an edge that a column of its schema was used.
    pub(crate) fn taught(&mut self, name: &EdgeName, taught: Taught) {
        let known = self.edges.iter_mut().map(|(_, edge)| edge).find(|edge| edge.name == *name);
        self.changed |= known.is_some_and(|edge| edge.tables.add(taught));
    }

    /// There is news of what is beside the edges.
    pub(crate) fn renew(&mut self) {
        self.changed = true;
    }

    /// Every edge, when there is news of any since the last time.
    pub(crate) fn news(&mut self, parties: &Parties) -> Option<Vec<Edge>> {
        std::mem::take(&mut self.changed).then(|| self.edges(parties))
    }

    /// Every edge in an order that does not depend on when each was met: inbound ones first.
    pub(crate) fn edges(&self, parties: &Parties) -> Vec<Edge> {
        let whole = |(party, edge): &(PartyId, SpokenEdge)| {
            let Party { role, mut addresses, protocol, .. } = parties.get(*party);
            addresses.sort();
            let known = edge.protocol.map(str::to_owned).or(protocol);
            let protocol = known.unwrap_or_else(|| rehearsal_wire::fallback().name().to_owned());
            let tables = edge.tables.resolved();
            Edge {
                name: edge.name.clone(),
                role,
                protocol,
                addresses,
                tls: edge.tls.clone(),
                tables,
                latency: EdgeLatency::default(),
            }
        };
        let mut edges: Vec<Edge> = self.edges.iter().map(whole).collect();
        edges.sort_by(|one, other| {
            let key = |edge: &Edge| (edge.role == Role::Outbound, edge.name.clone());
            key(one).cmp(&key(other))
        });
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn a_party_is_named_by_settings_then_by_dns_then_by_its_address() {
        let payments = EdgeSettings {
            name: "payments".to_owned(),
            addresses: vec!["127.0.0.1:9002".to_owned(), "pay.example:443".to_owned()],
            ..EdgeSettings::default()
        };
        let parties = Parties::new(&[payments]);
        parties.resolved("pay.example", "10.0.0.7".parse().unwrap());
        parties.resolved("db.example", "10.0.0.8".parse().unwrap());
        let name =
            |text: &str| parties.get(parties.outbound(&endpoint(text), None)).name.to_string();
        assert_eq!(name("127.0.0.1:9002"), "payments");
        assert_eq!(name("[::ffff:127.0.0.1]:9002"), "payments");
        assert_eq!(name("10.0.0.7:443"), "payments");
        assert_eq!(name("10.0.0.8:5432"), "db.example:5432");
        assert_eq!(name("127.0.0.1:1"), "127.0.0.1:1");
        assert_eq!(name("unix:/run/db.sock"), "unix:/run/db.sock");
        assert_eq!(parties.count(), 4);
        let name = |text: &str| parties.get(parties.named(text)).name.to_string();
        assert_eq!(name("pay.example:443"), "payments");
        assert_eq!(name("db.example:5432"), "db.example:5432");
        assert_eq!(name("[::ffff:127.0.0.1]:1"), "127.0.0.1:1");
        assert_eq!(parties.count(), 4);
        assert_eq!(name("shop.example:80"), "shop.example:80");
    }

    #[test]
    fn another_protocol_with_a_party_is_another_edge() {
        let (parties, mut spoken) = (Parties::new(&[]), Spoken::default());
        let party = parties.outbound(&endpoint("127.0.0.1:1"), None);
        let mut edge = |party, protocol| spoken.edge(&parties, party, protocol).to_string();
        assert_eq!(edge(party, None), "127.0.0.1:1");
        assert_eq!(edge(party, Some("http")), "127.0.0.1:1");
        assert_eq!(edge(party, Some("opaque")), "127.0.0.1:1+opaque");
        assert_eq!(edge(party, Some("http")), "127.0.0.1:1");
        assert_eq!(edge(party, None), "127.0.0.1:1");
        let inbound = parties.inbound(&endpoint("0.0.0.0:8080"));
        assert_eq!(edge(inbound, Some("http")), "inbound");
        assert_eq!(spoken.news(&parties).unwrap()[0].role, Role::Inbound);
        assert_eq!(spoken.news(&parties), None);
    }
}
