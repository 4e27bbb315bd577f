//! An event as it is told outside: by the API, on the command line and to the webhook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::event::{EventId, Kind};
use crate::model::actor::Actor;
use crate::store::schema::{Event, Person, RefusedRequest};
use crate::store::{StoreError, View};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EventView {
    /// Who did it.
    pub(crate) actor: ActorView,
    /// The address of the request; null: it came over the socket, or the server did it by itself.
    pub(crate) address: Option<String>,
    /// When it happened.
    pub(crate) at: String,
    /// The client that it is about.
    pub(crate) client_id: Option<String>,
    /// What is known beside that.
    pub(crate) facts: BTreeMap<String, String>,
    /// Its id: 16 hexadecimal digits.
    pub(crate) id: String,
    /// Its kind.
    pub(crate) kind: String,
    /// What it was done to, by the name that it had then.
    pub(crate) name: Option<String>,
    /// The refused request, if it is one.
    pub(crate) refused: Option<RefusedView>,
    /// What happened, as a part of a sentence.
    pub(crate) summary: String,
    /// The id of the person whom it is about.
    pub(crate) user_id: Option<String>,
    /// Their name; null: there is nobody, or they were removed.
    pub(crate) username: Option<String>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ActorView {
    /// `administrator`, `client`, `operator`, `person`, `server` or `stranger`.
    pub(crate) kind: String,
    /// The client that acted, or by which an administrator did; null for one at the pages.
    pub(crate) client_id: Option<String>,
    /// The user of the operating system.
    pub(crate) uid: Option<u32>,
    /// The id of the person.
    pub(crate) user_id: Option<String>,
    /// Their name.
    pub(crate) username: Option<String>,
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RefusedView {
    /// The code on the wire; null: it was a fault of this server.
    pub(crate) error: Option<String>,
    /// What would have been accepted.
    pub(crate) expected: Option<String>,
    /// The method.
    pub(crate) method: String,
    /// The precise reason.
    pub(crate) reason: String,
    /// What the request had instead.
    pub(crate) received: Option<String>,
    /// The name of the refusal.
    pub(crate) refusal: Option<String>,
    /// The route.
    pub(crate) route: String,
    /// The status of the response.
    pub(crate) status: u16,
}

impl ActorView {
    pub(crate) fn new(view: &impl View, actor: &Actor) -> Result<Self, StoreError> {
        let person = |id| -> Result<Option<String>, StoreError> {
            Ok(view.find::<Person>(&id)?.map(|person| person.username.to_string()))
        };
        let (kind, client_id, uid, user) = match actor {
            Actor::Administrator { client, person } => {
                ("administrator", client.as_ref(), None, *person)
            }
            Actor::Client(client) => ("client", Some(client), None, None),
            Actor::Operator { uid } => ("operator", None, *uid, None),
            Actor::Person(person) => ("person", None, None, Some(*person)),
            Actor::Server => ("server", None, None, None),
            Actor::Stranger => ("stranger", None, None, None),
        };
        Ok(Self {
            kind: kind.to_owned(),
            client_id: client_id.map(ToString::to_string),
            uid,
            user_id: user.map(|id| id.to_string()),
            username: user.map(person).transpose()?.flatten(),
        })
    }
}

impl EventView {
    pub(crate) fn new(view: &impl View, id: EventId, event: &Event) -> Result<Self, StoreError> {
        let person = |id| -> Result<Option<String>, StoreError> {
            Ok(view.find::<Person>(&id)?.map(|person| person.username.to_string()))
        };
        let kind = event.kind.parse::<Kind>();
        let actor = ActorView::new(view, &event.actor)?;
        let mut facts = BTreeMap::<String, String>::new();
        for (name, value) in &event.facts {
            let values = facts.entry(name.clone()).or_default();
            if !values.is_empty() {
                values.push(' ');
            }
            values.push_str(value);
        }
        Ok(Self {
            actor,
            address: event.address.map(|address| address.to_string()),
            at: event.at.rfc3339(),
            client_id: event.client.as_ref().map(ToString::to_string),
            facts,
            id: id.to_string(),
            kind: event.kind.clone(),
            name: event.named.clone(),
            refused: event.refused.as_ref().map(RefusedView::new),
            summary: kind.map_or_else(|()| event.kind.clone(), |kind| kind.sentence().to_owned()),
            user_id: event.person.map(|id| id.to_string()),
            username: event.person.map(person).transpose()?.flatten(),
        })
    }
}

impl EventView {
    /// To what it was done, or which request was refused, in a few words.
    pub(crate) fn what(&self) -> String {
        let client = self.client_id.as_deref();
        let about = match &self.refused {
            Some(refused) => {
                let refusal = refused.refusal.as_deref().unwrap_or("a fault of this server");
                return match client {
                    Some(client) => format!("{refusal}: {client}"),
                    None => format!("{refusal}: {} {}", refused.method, refused.route),
                };
            }
            None => self.name.as_deref().or(self.username.as_deref()).or(client),
        };
        let changed = self.facts.get("changed").map(|changed| format!(" ({changed})"));
        format!("{}{}", about.unwrap_or_default(), changed.unwrap_or_default())
    }
}

impl RefusedView {
    fn new(request: &RefusedRequest) -> Self {
        let refusal = request.refusal.as_deref().and_then(Refusal::named);
        Self {
            error: refusal.map(|refusal| refusal.code().as_str().to_owned()),
            expected: request.expected.clone(),
            method: request.method.clone(),
            reason: request.reason.clone(),
            received: request.received.clone(),
            refusal: request.refusal.clone(),
            route: request.route.clone(),
            status: request.status,
        }
    }
}
