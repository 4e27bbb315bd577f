//! Events: an append-only log of what people and operators did, and of refused requests.
//!
//! An act is written in the transition that does it, so that neither is there without the other.
//! Refused requests are collected in memory ([`Unwritten`]) and written at intervals: no request waits
//! for that, and a crash loses those of the last moment. Events are removed when they expire. What
//! strangers and clients cause is in a [pool](crate::store::Pool), so that a flood takes from itself.
//!
//! An event whose kind the operator named gets a row of its delivery to the webhook in the same
//! transaction ([`delivery`]).

pub mod delivery;
mod explain;
mod repair;
mod unwritten;
mod view;

pub use explain::{Explanation, MADE, UNFIT, explain, self_named};
pub use repair::{Change, Repair};
pub use unwritten::{Unwritten, write};
pub(crate) use view::{ActorView, EventView};

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::{EventId, Kind};
use crate::flow::{Context, admission};
use crate::model::actor::Actor;
use crate::oauth::id::{ClientId, UserId};
use crate::store::schema::{EVENTS_BY_WORD, Event};
use crate::store::{Held as _, Holder, Holding, Listing, Span, StoreError, Tx, View};

/// The most characters of a value that an event has.
const MAX_VALUE: usize = 512;

/// Something that is done in a transition.
#[derive(Clone, Debug)]
pub struct Act {
    actor: Option<Actor>,
    client: Option<ClientId>,
    facts: Vec<(String, String)>,
    kind: Kind,
    named: Option<String>,
    person: Option<UserId>,
}

impl Act {
    /// An act of whoever runs the transition.
    pub const fn new(kind: Kind) -> Self {
        Self { actor: None, client: None, facts: Vec::new(), kind, named: None, person: None }
    }

    /// The same, done by a person whom the transition has proven.
    #[must_use]
    pub fn by(self, person: UserId) -> Self {
        Self { actor: Some(Actor::Person(person)), person: Some(person), ..self }
    }

    /// The same, done by a client that the transition has proven.
    #[must_use]
    pub fn by_client(self, client: &ClientId) -> Self {
        Self { actor: Some(Actor::Client(client.clone())), ..self }.client(client)
    }

    /// The same, about a client.
    #[must_use]
    pub fn client(self, client: &ClientId) -> Self {
        Self { client: Some(client.clone()), ..self }
    }

    /// The same, about a person.
    #[must_use]
    pub fn person(self, person: UserId) -> Self {
        Self { person: Some(person), ..self }
    }

    /// The same, to something of that name.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a value and a reference are alike here")]
    pub fn named(self, name: impl ToString) -> Self {
        Self { named: Some(bounded(&name.to_string())), ..self }
    }

    /// The same, with a fact that is no secret.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a value and a reference are alike here")]
    pub fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.push((name.to_owned(), bounded(&value.to_string())));
        self
    }

    /// The same, with a fact for a list, unless it is empty.
    #[must_use]
    pub fn facts<T: ToString>(self, name: &str, values: &[T]) -> Self {
        if values.is_empty() {
            return self;
        }
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        self.fact(name, values.join(", "))
    }
}

/// Writes an act.
pub fn record(tx: &mut Tx<'_>, cx: &Context, act: Act) -> Result<EventId, Error> {
    let mut id = EventId::new(cx.now, &cx.seed);
    while tx.find::<Event>(&id)?.is_some() {
        id = id.next();
    }
    store(tx, cx, &id, event(cx, act))?;
    Ok(id)
}

/// The event of an act.
pub fn event(cx: &Context, act: Act) -> Event {
    let Act { actor, client, facts, kind, named, person } = act;
    Event {
        actor: actor.unwrap_or_else(|| cx.acting.actor.clone()),
        address: cx.acting.address,
        at: cx.now,
        client,
        expires: cx.now + cx.rules.config.events.keep,
        facts,
        kind: kind.name().to_owned(),
        named,
        person,
        refused: None,
    }
}

fn store(tx: &mut Tx<'_>, cx: &Context, id: &EventId, event: Event) -> Result<(), Error> {
    delivery::enqueue(tx, cx, id, &event)?;
    match event.holding() {
        Some(Holding { holder: Holder::Person(person), .. }) => {
            admission::give(tx, id, event, person)
        }
        Some(Holding { holder: Holder::Network(_), .. }) => admission::store(tx, cx, id, event),
        None => Ok(tx.put(id, event)?),
    }
}

/// Which events are listed. What is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// About that client.
    pub client: Option<ClientId>,
    /// Of that kind.
    pub kind: Option<Kind>,
    /// About that person, or by them.
    pub person: Option<UserId>,
    /// Refused by that refusal.
    pub refusal: Option<Refusal>,
    /// From that time on.
    pub since: Option<Timestamp>,
    /// Before that time.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// The word that the fewest events have, of those that the filter asks for.
    fn word(&self) -> Option<String> {
        let refusal = || self.refusal.map(|refusal| Event::word_of_refusal(refusal.name()));
        let kind = || self.kind.map(|kind| Event::word_of_kind(kind.name()));
        let client = || self.client.as_ref().map(Event::word_of_client);
        self.person.map(Event::word_of_person).or_else(client).or_else(refusal).or_else(kind)
    }

    fn has(&self, event: &Event) -> bool {
        let client = self.client.as_ref().is_none_or(|id| event.client.as_ref() == Some(id));
        let kind = self.kind.is_none_or(|kind| event.kind == kind.name());
        let refusal = self.refusal.is_none_or(|refusal| {
            let refused = event.refused.as_ref().and_then(|refused| refused.refusal.as_deref());
            refused == Some(refusal.name())
        });
        client && kind && refusal
    }
}

/// A page of the events that `filter` asks for, the newest first. A page may have fewer than it could
/// where the filter fits little: it looks at as many as `span` says, or at a few more.
pub fn list(
    view: &impl View,
    filter: &Filter,
    span: &Span<EventId>,
) -> Result<Listing<(EventId, Event), EventId>, StoreError> {
    let mut after = filter.until.map(EventId::first_at);
    if let Some(own) = span.after {
        after = Some(after.map_or(own, |until| until.min(own)));
    }
    let first = filter.since.map(EventId::first_at);
    let (mut items, mut seen) = (Vec::new(), 0);
    let word = filter.word();
    loop {
        let batch = batch(view, word.as_ref(), after.as_ref())?;
        let is_last = batch.len() < BATCH;
        for (id, event) in batch {
            if first.is_some_and(|first| id < first) {
                return Ok(Listing { items, next: None });
            }
            if items.len() == span.limit {
                return Ok(Listing { items, next: after });
            }
            after = Some(id);
            if filter.has(&event) {
                items.push((id, event));
            }
        }
        seen += BATCH;
        if is_last || seen >= span.seen {
            return Ok(Listing { items, next: after.filter(|_| !is_last) });
        }
    }
}

/// The number of events that are read at a time.
const BATCH: usize = 256;

/// The events after `after`, of a word or of all.
fn batch(
    view: &impl View,
    word: Option<&String>,
    after: Option<&EventId>,
) -> Result<Vec<(EventId, Event)>, StoreError> {
    let Some(word) = word else { return view.list_after::<Event, ()>(&(), after, BATCH) };
    let ids = view.by_after(&EVENTS_BY_WORD, word, after, BATCH)?;
    let mut events = Vec::with_capacity(ids.len());
    for id in ids {
        events.extend(view.find::<Event>(&id)?.map(|event| (id, event)));
    }
    Ok(events)
}

/// The event of that id.
///
/// # Errors
///
/// [`Refusal::EventNotFound`].
pub fn find(view: &impl View, id: EventId) -> Result<Event, Error> {
    Ok(view.find::<Event>(&id)?.ok_or(Refusal::EventNotFound)?)
}

/// The beginning of a value, so that an event is bounded.
fn bounded(value: &str) -> String {
    let mut bounded: String = value.chars().take(MAX_VALUE).collect();
    if value.chars().nth(MAX_VALUE).is_some() {
        bounded.push('…');
    }
    bounded
}
