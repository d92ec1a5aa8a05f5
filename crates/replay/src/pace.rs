//! What a run measured beside the times that its recording knows of its edges.
//!
//! A mock answers at once, so its times say nothing. What can be compared is what the app itself takes for
//! a test, without waiting for others, and the answers of edges that are let through and listened to.

use crate::evidence::MOST_STEPS;
use crate::theatre::Performed;
use rehearsal_model::{Edge, Latency, Measured, RunEvent, Times, without_waiting};
use std::time::Duration;

/// Counts what the app itself took for a test, if that is known.
pub(crate) fn own(performed: &Performed, times: &mut Times) {
    let steps = &performed.evidence.steps;
    if performed.took_ms <= 0.0 || steps.len() >= MOST_STEPS {
        return;
    }
    let waits =
        steps.iter().filter_map(|step| Some((step.came_ms?, step.came_ms? + step.took_ms?)));
    let own = without_waiting(performed.took_ms, waits.collect());
    times.add(Duration::try_from_secs_f64(own / 1e3).unwrap_or_default());
}

/// The events that tell of the edges of a recording. `real` gives what was measured of an edge that was
/// let through, if it was; `own` is what was measured of the app, which says nothing where the app waited
/// for others that were not seen.
pub(crate) fn told(
    recording: &str,
    edges: &[Edge],
    real: impl Fn(&Edge) -> Option<Option<Latency>>,
    own: Option<Latency>,
) -> Vec<RunEvent> {
    let unseen = edges.iter().any(|edge| real(edge).is_some());
    let inbound = edges.iter().filter(|edge| edge.latency.own.is_some()).count();
    let each = edges.iter().filter_map(|edge| {
        let (recorded, of, measured) = match edge.latency.own {
            // Whose time it was cannot be told where the app is called on several edges.
            Some(recorded) => (recorded, Measured::App, own.filter(|_| !unseen && inbound == 1)),
            None => match real(edge) {
                Some(measured) => (edge.latency.answers?, Measured::Real, measured),
                None => (edge.latency.answers?, Measured::Mock, None),
            },
        };
        let (recording, edge) = (recording.to_owned(), edge.name.to_string());
        Some(RunEvent::EdgeLatency { recording, edge, of, recorded, measured })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::{CallTime, EdgeLatency, EdgeName, Evidence, Role};

    fn edge(name: &str, role: Role) -> Edge {
        let latency = Latency { calls: 9, p50_us: 1000, p95_us: 2000 };
        let own = (role == Role::Inbound).then_some(latency);
        Edge {
            name: EdgeName::new(name),
            role,
            protocol: "http".into(),
            addresses: Vec::new(),
            tls: Default::default(),
            tables: Default::default(),
            latency: EdgeLatency { answers: Some(latency), own },
        }
    }

    #[test]
    fn a_mock_is_not_measured_and_a_real_edge_leaves_the_app_unmeasured() {
        let edges = [edge("inbound", Role::Inbound), edge("payments", Role::Outbound)];
        let measured = Latency { calls: 3, p50_us: 500, p95_us: 700 };
        let of = |real: Option<Option<Latency>>| {
            let real = |edge: &Edge| real.filter(|_| edge.role == Role::Outbound);
            let events = told("shop", &edges, real, Some(measured));
            let of = events.iter().map(|event| match event {
                RunEvent::EdgeLatency { of, measured, .. } => (*of, measured.is_some()),
                _ => (Measured::App, false),
            });
            of.collect::<Vec<_>>()
        };
        assert_eq!(of(None), [(Measured::App, true), (Measured::Mock, false)]);
        assert_eq!(of(Some(Some(measured))), [(Measured::App, false), (Measured::Real, true)]);
        assert_eq!(of(Some(None)), [(Measured::App, false), (Measured::Real, false)]);
    }

    #[test]
    fn what_the_app_waits_for_is_not_its_own() {
        let step = |came, took| CallTime {
            came_ms: Some(came),
            took_ms: Some(took),
            ..CallTime::default()
        };
        let steps = vec![step(1.0, 2.0), step(2.0, 4.0), CallTime::default()];
        let performed = Performed {
            took_ms: 10.0,
            calls: Vec::new(),
            findings: Vec::new(),
            bindings: Vec::new(),
            evidence: Evidence { steps, ..Evidence::default() },
            death: None,
        };
        let mut times = Times::default();
        own(&performed, &mut times);
        let near = times.latency().unwrap().p50_us;
        assert!((4900..=5000).contains(&near), "{near}");
    }
}
