//! `/api/v1/events`: what people and operators did, and which requests were refused.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Request};
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, Read};
use super::listing::{ListView, Noun, Query};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::{EventId, Kind};
use crate::flow::events::{self, Explanation, Filter};
use crate::flow::named;
use crate::model::actor::Actor;
use crate::store::schema::{Client, Event, Person, RefusedRequest};
use crate::store::{Key as _, Span, StoreError, View};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub(crate) struct ActorView {
    /// `administrator`, `client`, `operator`, `person`, `server` or `stranger`.
    pub(crate) kind: String,
    /// The client that acted, or by which an administrator did.
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

impl Noun for EventView {
    const PLURAL: &'static str = "events";
}

/// An event, and what can be done about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExplanationView {
    /// The command that lets the request pass.
    pub(crate) command: Option<String>,
    /// The event.
    #[serde(flatten)]
    pub(crate) event: EventView,
    /// Why there is no such command.
    pub(crate) no_command: Option<String>,
    /// What can be done, in words.
    pub(crate) remedy: Option<String>,
    /// The section that decides it.
    pub(crate) section: Option<String>,
}

impl EventView {
    fn new(view: &impl View, id: EventId, event: &Event) -> Result<Self, StoreError> {
        let person = |id| -> Result<Option<String>, StoreError> {
            Ok(view.find::<Person>(&id)?.map(|person| person.username.to_string()))
        };
        let kind = event.kind.parse::<Kind>();
        let (actor, client_id, uid, user) = match &event.actor {
            Actor::Administrator { client, person } => {
                ("administrator", Some(client), None, *person)
            }
            Actor::Client(client) => ("client", Some(client), None, None),
            Actor::Operator { uid } => ("operator", None, *uid, None),
            Actor::Person(person) => ("person", None, None, Some(*person)),
            Actor::Server => ("server", None, None, None),
            Actor::Stranger => ("stranger", None, None, None),
        };
        let actor = ActorView {
            kind: actor.to_owned(),
            client_id: client_id.map(ToString::to_string),
            uid,
            user_id: user.map(|id| id.to_string()),
            username: user.map(person).transpose()?.flatten(),
        };
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

/// A page of the events, the newest first. The query names `kind`, `client`, `user`, `refusal`,
/// `since` and `until`; each limits the listing. A page may have fewer events than it could where the
/// filter fits little.
pub(super) async fn list(
    app: By<Read>,
    request: Request,
) -> Result<Json<ListView<EventView>>, Failed> {
    app.write_events().await?;
    let (view, query) = (app.read()?, Query::of(&request)?);
    let filter = filter(&view, &query)?;
    let span: Span<EventId> = query.span()?;
    let listing = events::list(&view, &filter, &span)?;
    let items: Result<Vec<_>, StoreError> =
        listing.items.iter().map(|(id, event)| EventView::new(&view, *id, event)).collect();
    Ok(Json(ListView { items: items?, next: listing.next.map(|id| id.to_cursor()) }))
}

fn filter(view: &impl View, query: &Query) -> Result<Filter, Failed> {
    let kind = query.text("kind")?.map(str::parse::<Kind>).transpose();
    let kind = kind.map_err(|()| {
        let kinds = Kind::ALL.iter().map(|kind| kind.name().to_owned());
        Error::with_known(Refusal::EventKindUnknown, kinds.collect())
    })?;
    let refusal = match query.text("refusal")? {
        Some(name) => Some(Refusal::named(name).ok_or(Refusal::RefusalUnknown)?),
        None => None,
    };
    let time = |name| -> Result<Option<Timestamp>, Failed> {
        let Some(written) = query.text(name)? else { return Ok(None) };
        Ok(Some(Timestamp::from_rfc3339(written).ok_or(Refusal::TimeMalformed)?))
    };
    let client = match query.text("client")? {
        // The events of a removed client are there, too.
        Some(written) => Some(match written.parse() {
            Ok(id) if view.find::<Client>(&id)?.is_none() && is_in_events(view, &id)? => id,
            Ok(_) | Err(_) => named::client(view, written)?.0,
        }),
        None => None,
    };
    let person = match query.text("user")? {
        // And those of a removed person.
        Some(written) => Some(match written.parse() {
            Ok(id) => id,
            Err(_) => named::person(view, written)?.0,
        }),
        None => None,
    };
    Ok(Filter { client, kind, person, refusal, since: time("since")?, until: time("until")? })
}

/// Whether an event is about a client of that id.
fn is_in_events(view: &impl View, id: &crate::oauth::id::ClientId) -> Result<bool, StoreError> {
    let filter = Filter { client: Some(id.clone()), ..Filter::default() };
    Ok(!events::list(view, &filter, &Span::first(1))?.items.is_empty())
}

/// An event, and what can be done about it.
pub(super) async fn explain(
    app: By<Read>,
    Path(written): Path<String>,
) -> Result<Json<ExplanationView>, Failed> {
    app.write_events().await?;
    let (view, cx) = (app.read()?, app.context());
    let id: EventId = written.trim().parse().map_err(|_| Refusal::EventIdMalformed)?;
    let event = events::find(&view, id)?;
    let refused = event.refused.as_ref().and_then(|refused| refused.refusal.as_deref());
    let refusal = refused.and_then(Refusal::named);
    let (command, no_command) = match refusal {
        Some(refusal) => match events::explain(&view, &cx, refusal, &event)? {
            Explanation::Command(command) => (Some(command), None),
            Explanation::NoCommand(why) => (None, Some(why.to_owned())),
        },
        None => (None, None),
    };
    let client = event.client.as_ref().map(ToString::to_string);
    Ok(Json(ExplanationView {
        command,
        event: EventView::new(&view, id, &event)?,
        no_command,
        remedy: refusal.map(|refusal| refusal.remedy_for(client.as_deref()).into_owned()),
        section: refusal.map(|refusal| refusal.section().to_owned()),
    }))
}
