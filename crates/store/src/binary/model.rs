//! Exchanges, test cases, mocks and manifests as bytes: their fields in order.

use super::input::{put_bytes, put_list, put_number};
use super::{Binary, BinaryError, Input};
use rehearsal_model::{
    Call, Certificate, Edge, EdgeLatency, EdgeName, EdgeTls, Exchange, Failure, Latency, Manifest,
    Map, Mock, Moment, Noise, ResetCode, Role, TestCase, TestId, Timestamp,
};
use std::collections::BTreeMap;

impl Binary for String {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_bytes(out, self.as_bytes());
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        input.text().map(str::to_owned)
    }
}

impl Binary for EdgeName {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_bytes(out, self.as_str().as_bytes());
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        input.text().map(EdgeName::new)
    }
}

impl Binary for TestId {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_number(out, u64::from(self.0));
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        input.number32().map(TestId)
    }
}

/// Signed numbers are folded so that small ones of either sign are short.
impl Binary for Timestamp {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_number(out, ((self.0 << 1) ^ (self.0 >> 63)) as u64);
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let folded = input.number()?;
        Ok(Timestamp((folded >> 1) as i64 ^ -((folded & 1) as i64)))
    }
}

impl Binary for Exchange {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.request.put(out)?;
        out.push(u8::from(self.response.is_some()));
        if let Some(response) = &self.response {
            response.put(out)?;
        }
        put_failure(out, self.failure);
        put_number(out, u64::from(self.connection));
        put_number(out, self.started.0);
        put_number(out, self.finished.0);
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let request = Map::take(input)?;
        let response = if input.flag()? { Some(Map::take(input)?) } else { None };
        let failure = take_failure(input)?;
        let connection = input.number32()?;
        let (started, finished) = (Moment(input.number()?), Moment(input.number()?));
        Ok(Exchange { request, response, failure, connection, unit: None, started, finished })
    }
}

/// The place of its word from 1, those with a code last and with it; 0 is none.
fn put_failure(out: &mut Vec<u8>, failure: Option<Failure>) {
    let Some(failure) = failure else { return out.push(0) };
    match failure.code() {
        None => {
            let place = Failure::ALL.iter().position(|(known, _)| *known == failure);
            out.push(place.map_or(0, |place| place as u8 + 1));
        }
        Some(code) => {
            let place = Failure::CODED.iter().position(|(make, _)| make(code) == failure);
            out.push(place.map_or(0, |place| (place + Failure::ALL.len()) as u8 + 1));
            put_number(out, u64::from(code.0));
        }
    }
}

fn take_failure(input: &mut Input<'_>) -> Result<Option<Failure>, BinaryError> {
    let Some(place) = usize::from(input.byte()?).checked_sub(1) else { return Ok(None) };
    if let Some((plain, _)) = Failure::ALL.get(place) {
        return Ok(Some(*plain));
    }
    let coded = Failure::CODED.get(place - Failure::ALL.len());
    let (make, _) = coded.ok_or(BinaryError::Damaged(input.at() - 1))?;
    Ok(Some(make(ResetCode(input.number32()?))))
}

impl Binary for Call {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.edge.put(out)?;
        out.push(u8::from(self.parallel));
        self.exchange.put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let (edge, parallel) = (EdgeName::take(input)?, input.flag()?);
        Ok(Call { edge, parallel, exchange: Exchange::take(input)? })
    }
}

impl Binary for Noise {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.path.put(out)?;
        for part in [&self.matches, &self.kind, &self.learned] {
            out.push(u8::from(part.is_some()));
            part.clone().unwrap_or_default().put(out)?;
        }
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        let path = String::take(input)?;
        let mut part = || {
            let (there, text) = (input.flag()?, String::take(input)?);
            Ok(there.then_some(text))
        };
        Ok(Noise { path, matches: part()?, kind: part()?, learned: part()? })
    }
}

impl Binary for TestCase {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.id.put(out)?;
        self.name.put(out)?;
        self.at.put(out)?;
        self.edge.put(out)?;
        self.exchange.put(out)?;
        put_list(out, &self.calls)?;
        put_list(out, &self.noise)?;
        put_list(out, &self.during)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        Ok(TestCase {
            id: TestId::take(input)?,
            name: String::take(input)?,
            at: Timestamp::take(input)?,
            edge: EdgeName::take(input)?,
            exchange: Exchange::take(input)?,
            calls: input.list()?,
            noise: input.list()?,
            during: input.list()?,
        })
    }
}

impl Binary for Mock {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.edge.put(out)?;
        self.exchange.put(out)?;
        self.after.put(out)?;
        put_number(out, u64::from(self.calls));
        put_list(out, &self.shared_by)?;
        // No test is without a name.
        self.of_test.clone().unwrap_or_default().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        Ok(Mock {
            edge: EdgeName::take(input)?,
            exchange: Exchange::take(input)?,
            after: TestId::take(input)?,
            calls: input.number32()?,
            shared_by: input.list()?,
            of_test: Some(String::take(input)?).filter(|name| !name.is_empty()),
        })
    }
}

impl Binary for Edge {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.name.put(out)?;
        out.push(u8::from(self.role == Role::Outbound));
        self.protocol.put(out)?;
        put_list(out, &self.addresses)?;
        let word = |how: Option<Certificate>| how.map_or("", Certificate::word).to_owned();
        word(self.tls.first).put(out)?;
        word(self.tls.midway).put(out)?;
        self.tls.server_name.clone().unwrap_or_default().put(out)?;
        put_pairs(out, &self.tables)?;
        for latency in [self.latency.answers, self.latency.own] {
            out.push(u8::from(latency.is_some()));
            let Latency { calls, p50_us, p95_us } = latency.unwrap_or_default();
            [calls, p50_us, p95_us].into_iter().for_each(|number| put_number(out, number));
        }
        Ok(())
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        Ok(Edge {
            name: EdgeName::take(input)?,
            role: if input.flag()? { Role::Outbound } else { Role::Inbound },
            protocol: String::take(input)?,
            addresses: input.list()?,
            tls: EdgeTls {
                first: Certificate::of_word(&String::take(input)?),
                midway: Certificate::of_word(&String::take(input)?),
                server_name: Some(String::take(input)?).filter(|name| !name.is_empty()),
            },
            tables: take_pairs(input)?,
            latency: EdgeLatency { answers: take_latency(input)?, own: take_latency(input)? },
        })
    }
}

fn take_latency(input: &mut Input<'_>) -> Result<Option<Latency>, BinaryError> {
    let there = input.flag()?;
    let (calls, p50_us, p95_us) = (input.number()?, input.number()?, input.number()?);
    Ok(there.then_some(Latency { calls, p50_us, p95_us }))
}

impl Binary for BTreeMap<String, String> {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        put_pairs(out, self)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        take_pairs(input)
    }
}

/// Pairs behind their number.
fn put_pairs<V: Binary>(out: &mut Vec<u8>, pairs: &BTreeMap<String, V>) -> Result<(), BinaryError> {
    put_number(out, pairs.len() as u64);
    pairs.iter().try_for_each(|(key, value)| {
        key.put(out)?;
        value.put(out)
    })
}

fn take_pairs<V: Binary>(input: &mut Input<'_>) -> Result<BTreeMap<String, V>, BinaryError> {
    // Nothing is allocated for a number that lies: each pair must be there.
    let count = input.number()?;
    (0..count).map(|_| Ok((String::take(input)?, V::take(input)?))).collect()
}

impl Binary for Manifest {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), BinaryError> {
        self.tool.put(out)?;
        put_list(out, &self.command)?;
        put_list(out, &self.edges)?;
        put_list(out, &self.listens)?;
        put_bytes(out, &self.schemas);
        let at: Vec<Timestamp> = self.at.into_iter().collect();
        put_list(out, &at)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, BinaryError> {
        Ok(Manifest {
            tool: String::take(input)?,
            command: input.list()?,
            edges: input.list()?,
            listens: input.list()?,
            schemas: input.bytes()?.to_vec(),
            at: input.list()?.pop(),
        })
    }
}

#[cfg(test)]
mod tests;
