//! Events: what people and operators did, and which requests were refused.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::event::EventId;
use crate::model::actor::Actor;
use crate::model::network::Network;
use crate::oauth::id::{ClientId, UserId};
use crate::store::{Entries, Held, Holding, Index, Pool, Rank, References, Row, Share, Tag};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who did it, as far as it is proven.
    pub actor: Actor,
    /// The address of the request.
    pub address: Option<IpAddr>,
    /// When it happened.
    pub at: Timestamp,
    /// The client that it is about.
    pub client: Option<ClientId>,
    /// When it may be removed.
    pub expires: Timestamp,
    /// What is known about it beside that: names and values without secrets.
    pub facts: Vec<(String, String)>,
    /// The name of its [`Kind`](crate::event::Kind).
    pub kind: String,
    /// What it was done to, by the name that it had then.
    pub named: Option<String>,
    /// The person whom it is about.
    pub person: Option<UserId>,
    /// The refused request, if it is one.
    pub refused: Option<RefusedRequest>,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequest {
    /// What would have been accepted, where the request was compared with something.
    pub expected: Option<String>,
    /// The method.
    pub method: String,
    /// The precise reason.
    pub reason: String,
    /// What the request had instead.
    pub received: Option<String>,
    /// The name of the [`Refusal`](crate::error::Refusal); `None` for a fault of this server.
    pub refusal: Option<String>,
    /// The route, or `(none)`.
    pub route: String,
    /// The status of the response.
    pub status: u16,
}

/// The delivery of an event to the webhook. It stays until the webhook has taken the event, or is
/// given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDelivery {
    /// The number of failed attempts.
    pub attempts: u32,
    /// The time of the next attempt.
    pub due: Timestamp,
}

/// Deliveries of events by the time at which they are due.
pub const EVENT_DELIVERIES_BY_DUE: Index<Timestamp, EventId> =
    Index::new(105, "event_deliveries_by_due");

layout!(EventDeliveryLayout, EventDelivery);

/// By the id of the event.
impl Row for EventDelivery {
    type Key = EventId;
    type Layout = EventDeliveryLayout;
    const TABLE: Tag = Tag { byte: 104, name: "event_deliveries" };

    fn entries(&self, key: &EventId, into: &mut Entries) {
        into.add(&EVENT_DELIVERIES_BY_DUE, &self.due, key);
        into.weigh_on(Share::EventDeliveries);
    }

    /// The event may be gone, and then there is nothing to deliver.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// Events by words: `kind:K`, `refusal:R`, `client:ID` and `person:ID`, the newest first.
pub const EVENTS_BY_WORD: Index<String, EventId> = Index::new(103, "events_by_word");

layout!(EventLayout, Event);

impl Event {
    /// The word by which the events of a kind are found.
    pub fn word_of_kind(kind: &str) -> String {
        format!("kind:{kind}")
    }

    /// The word by which the requests that a refusal refused are found.
    pub fn word_of_refusal(refusal: &str) -> String {
        format!("refusal:{refusal}")
    }

    /// The word by which the events about a client are found.
    pub fn word_of_client(client: &ClientId) -> String {
        format!("client:{client}")
    }

    /// The word by which the events about a person, or by them, are found.
    pub fn word_of_person(person: UserId) -> String {
        format!("person:{person}")
    }

    fn terms(&self) -> impl Iterator<Item = String> {
        let actor = self.actor.person().filter(|id| Some(*id) != self.person);
        let people = self.person.into_iter().chain(actor);
        let client = self.client.as_ref().map(Self::word_of_client);
        let kind = Self::word_of_kind(&self.kind);
        let refusal = self.refused.as_ref().and_then(|refused| refused.refusal.as_deref());
        let client = client.into_iter().chain(refusal.map(Self::word_of_refusal));
        std::iter::once(kind).chain(client).chain(people.map(Self::word_of_person))
    }
}

/// By its id, the newest first.
impl Row for Event {
    type Key = EventId;
    type Layout = EventLayout;
    const TABLE: Tag = Tag { byte: 102, name: "events" };

    fn entries(&self, key: &EventId, into: &mut Entries) {
        into.expire(self.expires);
        into.hold(self);
        for word in self.terms() {
            into.add(&EVENTS_BY_WORD, &word, key);
        }
    }

    /// What happened to somebody stays when they are gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// What strangers and clients cause is theirs, and so is what administrators are refused. What a person
/// does is the person's. The acts of administrators, operators and the server are in no pool.
impl Held for Event {
    const POOL: Pool = Pool::Events;

    fn holding(&self) -> Option<Holding> {
        match (&self.actor, self.address) {
            (Actor::Person(person), _) if self.refused.is_none() => Some(Holding::persons(*person)),
            (Actor::Client(_) | Actor::Stranger, address) => {
                let address = address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
                Some(Holding::strangers(Network::of(address), Rank::Plain))
            }
            (Actor::Administrator { .. }, Some(address)) if self.refused.is_some() => {
                Some(Holding::strangers(Network::of(address), Rank::Vouched))
            }
            (Actor::Person(_), Some(address)) => {
                Some(Holding::strangers(Network::of(address), Rank::Vouched))
            }
            (
                Actor::Person(_)
                | Actor::Administrator { .. }
                | Actor::Operator { .. }
                | Actor::Server,
                _,
            ) => None,
        }
    }

    fn stored_at(&self) -> Timestamp {
        self.at
    }
}
