//! The events that are not written yet.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::error::{Error, Refusal};
use crate::event::EventId;
use crate::flow::Context;
use crate::flow::events::explain::{Comparison, compare};
use crate::model::network::Network;
use crate::store::schema::Event;
use crate::store::{StoreError, Tx, View};

/// The most events that wait to be written.
const MAX_WAITING: usize = 500;

/// Events that wait to be written. Their number is bounded: a newcomer pushes out the oldest
/// of the network that has the most.
#[derive(Clone, Debug, Default)]
pub struct Unwritten {
    dropped: u64,
    networks: BTreeMap<Network, VecDeque<(EventId, Event)>>,
    waiting: usize,
}

impl Unwritten {
    /// Adds one.
    pub fn add(&mut self, id: EventId, event: Event) {
        let address = event.address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        self.networks.entry(Network::of(address)).or_default().push_back((id, event));
        self.waiting += 1;
        if self.waiting > MAX_WAITING {
            self.drop_one();
        }
    }

    fn drop_one(&mut self) {
        let busiest = self.networks.iter().max_by_key(|(_, waiting)| waiting.len());
        let Some(network) = busiest.map(|(network, _)| *network) else { return };
        let waiting = self.networks.entry(network).or_default();
        if waiting.pop_front().is_some() {
            self.dropped += 1;
            self.waiting -= 1;
        }
        if waiting.is_empty() {
            self.networks.remove(&network);
        }
    }

    /// Takes all of them, to write them.
    pub fn take(&mut self) -> Self {
        let left = Self { dropped: self.dropped, ..Self::default() };
        std::mem::replace(self, left)
    }

    /// Adds those that could not be written.
    pub fn restore(&mut self, unwritten: &Self) {
        for (id, event) in unwritten.iter() {
            self.add(*id, event.clone());
        }
    }

    /// How many were dropped, ever, since more came than were written.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    fn iter(&self) -> impl Iterator<Item = &(EventId, Event)> {
        self.networks.values().flatten()
    }
}

/// Writes events. One that is there already stays as it is.
pub fn write(tx: &mut Tx<'_>, cx: &Context, unwritten: &Unwritten) -> Result<(), Error> {
    for (id, event) in unwritten.iter() {
        if tx.find::<Event>(id)?.is_none() {
            super::store(tx, cx, id, compared(tx, cx, event)?)?;
        }
    }
    Ok(())
}

/// The event of a refused request, with what it was compared with, where nobody said it before.
fn compared(view: &impl View, cx: &Context, event: &Event) -> Result<Event, StoreError> {
    let mut event = event.clone();
    let Some(mut refused) = event.refused.take() else { return Ok(event) };
    let refusal = refused.refusal.as_deref().and_then(Refusal::named);
    if let Some(refusal) = refusal.filter(|_| refused.expected.is_none()) {
        let Comparison { expected, received } = compare(view, &cx.rules, refusal, &event)?;
        refused.expected = expected;
        refused.received = refused.received.or(received);
    }
    Ok(Event { refused: Some(refused), ..event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::model::actor::Actor;

    fn event(address: &str) -> Event {
        Event {
            actor: Actor::Stranger,
            address: Some(address.parse().unwrap()),
            at: Timestamp::default(),
            client: None,
            expires: Timestamp::default(),
            facts: Vec::new(),
            kind: "request.refused".to_owned(),
            named: None,
            person: None,
            refused: None,
        }
    }

    #[test]
    fn a_flood_pushes_out_its_own_and_nobody_elses() {
        let mut unwritten = Unwritten::default();
        unwritten.add(EventId::from_bits(1), event("192.0.2.1"));

        for n in 0..2_000 {
            unwritten.add(EventId::from_bits(10 + n), event("198.51.100.7"));
        }

        let waiting: Vec<u64> = unwritten.iter().map(|(id, _)| id.to_bits()).collect();
        assert_eq!(waiting.len(), MAX_WAITING);
        assert_eq!(unwritten.dropped(), 2_001 - 500);
        assert!(waiting.contains(&1) && waiting.contains(&2_009) && !waiting.contains(&10));
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let mut unwritten = Unwritten::default();
        unwritten.add(EventId::from_bits(1), event("192.0.2.1"));

        let taken = unwritten.take();
        unwritten.add(EventId::from_bits(2), event("192.0.2.1"));
        unwritten.restore(&taken);

        assert_eq!(unwritten.iter().count(), 2);
    }
}
