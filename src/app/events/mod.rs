//! The events in memory, and their transfer to the store and to the webhook.

mod webhook;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(super) use webhook::WebhookWarnings;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::{EventId, Kind};
use crate::flow::authorize::CheckedRequest;
use crate::flow::events::{self, Act, Unwritten};
use crate::model::actor::{Acting, Actor};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::scope::Scope;
use crate::store::schema::{Event, RefusedRequest};

/// The events since the last write that no transition wrote.
#[derive(Default)]
pub(super) struct EventBuffer {
    unwritten: Mutex<Unwritten>,
    /// Held while events are written. Whoever waits for it finds them in the store.
    writing: tokio::sync::Mutex<()>,
}

impl EventBuffer {
    /// Calls `work` with the events, under a lock that is never held across an `await`.
    fn with<T>(&self, work: impl FnOnce(&mut Unwritten) -> T) -> T {
        work(&mut self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A refused request, for the events.
pub struct Refused {
    /// The administrator who asked for it, once they are proven. The person is then whom it is about.
    pub actor: Option<Actor>,
    /// The address that sent it.
    pub address: IpAddr,
    /// The client, once it is known to exist.
    pub client: Option<ClientId>,
    /// What it asked for: names and values without secrets.
    pub facts: Vec<(String, String)>,
    /// The person, once they are proven.
    pub person: Option<UserId>,
    /// The request.
    pub request: RefusedRequest,
}

/// How often it is noted that scopes are left out of the requests of a client.
const LEFT_OUT_AGAIN: Duration = Duration::from_hours(1);

/// The most clients and scopes of which that is remembered. What is beyond them is not noted.
const MAX_LEFT_OUT: usize = 1_000;

/// The scopes that were left out of requests within the last hour, by the client.
#[derive(Default)]
pub(super) struct LeftOut(Mutex<BTreeMap<(ClientId, String), Timestamp>>);

impl LeftOut {
    /// Whether one of `scope` was not left out of a request of the client within the last hour.
    fn is_new(&self, client: &ClientId, scope: &Scope, now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, at| now < *at + LEFT_OUT_AGAIN);
        let mut is_new = false;
        for token in scope.iter() {
            let is_full = known.len() >= MAX_LEFT_OUT;
            let entry = known.entry((client.clone(), token.as_str().to_owned()));
            if let Entry::Vacant(place) = entry
                && !is_full
            {
                place.insert(now);
                is_new = true;
            }
        }
        is_new
    }
}

impl App {
    /// Notes the scopes that are left out of a request, once an hour, since its client meets no
    /// refusal: it gets a token that lets it do less.
    pub(super) fn note_left_out(&self, checked: &CheckedRequest, address: IpAddr) {
        let (client, left_out) = (checked.client(), checked.left_out());
        if left_out.is_empty() || !self.left_out.is_new(client, left_out, self.clock().now()) {
            return;
        }
        let act = Act::new(Kind::ScopesLeftOut).client(client).fact("left_out", left_out);
        let asked = checked.scope().into_iter();
        let act = asked.fold(act, |act, scope| act.fact("scope", scope));
        self.note(Acting::stranger(address), act);
    }

    /// Adds a refused request to the events, in memory.
    pub fn record_refused(&self, id: EventId, refused: Refused) {
        let now = self.clock().now();
        let Refused { actor, address, client, facts, person, request } = refused;
        let event = Event {
            actor: actor.unwrap_or_else(|| person.map_or(Actor::Stranger, Actor::Person)),
            address: Some(address),
            at: now,
            client,
            expires: now + self.rules().config.events.keep,
            facts,
            kind: Kind::RequestRefused.name().to_owned(),
            named: None,
            person,
            refused: Some(request),
        };
        self.unwritten.with(|unwritten| unwritten.add(id, event));
    }

    /// Adds an event to which no transition belongs, in memory, and returns its id.
    pub fn note(&self, acting: Acting, act: Act) -> EventId {
        let cx = self.context_of(acting);
        let id = EventId::new(cx.now, &cx.seed);
        self.unwritten.with(|unwritten| unwritten.add(id, events::event(&cx, act)));
        id
    }

    /// How many events were dropped, since more came than were written.
    pub fn dropped_events(&self) -> u64 {
        self.unwritten.with(|unwritten| unwritten.dropped())
    }

    /// Writes the events of the memory in one transaction. If that fails, they stay there. Whatever
    /// happened before the call is in the store after it, whoever else was writing it.
    pub async fn write_events(&self) -> Result<(), Error> {
        let _writing = self.unwritten.writing.lock().await;
        let taken = Arc::new(self.unwritten.with(Unwritten::take));
        if taken.is_empty() {
            return Ok(());
        }
        let own = Arc::clone(&taken);
        let written = self.write(move |tx, cx| events::write(tx, cx, &own)).await;
        if written.is_err() {
            self.unwritten.with(|unwritten| unwritten.restore(&taken));
        }
        written
    }
}
