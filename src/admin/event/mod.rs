//! `/api/v1/events`: what people and operators did, and which requests were refused.

mod repair;
mod views;

pub(crate) use repair::{RepairKind, RepairView};
pub(crate) use views::{ActorView, EventView, ExplanationView};

use axum::Json;

use super::Failed;
use super::by::{By, Read};
use super::listing::{ListView, OfEvents, Query};
use super::request::Named;
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::{EventId, Kind};
use crate::flow::events::{self, Explanation, Filter, Repair};
use crate::flow::named;
use crate::model::near::nearest;
use crate::oauth::id::ClientId;
use crate::store::schema::Client;
use crate::store::{Key as _, Span, StoreError, View};

/// The most names that stand beside a refusal.
const MAX_KNOWN: usize = 20;

/// A page of the events, the newest first. The query names `kind`, `client`, `user`, `refusal`,
/// `since` and `until`; each limits the listing. A page may have fewer events than it could where the
/// filter fits little.
pub(super) async fn list(
    app: By<Read>,
    query: Query<OfEvents>,
) -> Result<Json<ListView<EventView>>, Failed> {
    app.write_events().await?;
    let view = app.read()?;
    let filter = filter(&view, &query)?;
    let span: Span<EventId> = query.span()?;
    let listing = events::list(&view, &filter, &span)?;
    let items: Result<Vec<_>, StoreError> =
        listing.items.iter().map(|(id, event)| EventView::new(&view, *id, event)).collect();
    Ok(Json(ListView { items: items?, next: listing.next.map(|id| id.to_cursor()) }))
}

fn filter(view: &impl View, query: &Query<OfEvents>) -> Result<Filter, Failed> {
    let kind = |name: &str| {
        let known = Kind::ALL.iter().map(|kind| kind.name().to_owned());
        let near = || nearest(name, known, MAX_KNOWN);
        name.parse().map_err(|()| Error::with_known(Refusal::EventKindUnknown, near()))
    };
    let refusal = |name: &str| {
        let known = Refusal::ALL.iter().map(|refusal| refusal.name().to_owned());
        let near = || nearest(name, known, MAX_KNOWN);
        let named = Refusal::named(name);
        named.ok_or_else(|| Error::with_known(Refusal::RefusalUnknown, near()))
    };
    let kind = query.text("kind")?.map(kind).transpose()?;
    let refusal = query.text("refusal")?.map(refusal).transpose()?;
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
fn is_in_events(view: &impl View, id: &ClientId) -> Result<bool, StoreError> {
    let filter = Filter { client: Some(id.clone()), ..Filter::default() };
    Ok(!events::list(view, &filter, &Span::first(1))?.items.is_empty())
}

/// An event, and what can be done about it.
pub(super) async fn explain(
    app: By<Read>,
    Named(written): Named,
) -> Result<Json<ExplanationView>, Failed> {
    app.write_events().await?;
    let (view, cx) = (app.read()?, app.context());
    let id: EventId = written.trim().parse().map_err(|_| Refusal::EventIdMalformed)?;
    let event = events::find(&view, id)?;
    let refused = event.refused.as_ref().and_then(|refused| refused.refusal.as_deref());
    // Scopes that were left out are given as those are of a request that was refused for them.
    let left_out = event.kind == Kind::ScopesLeftOut.name();
    let left_out = Some(Refusal::ScopeNotAllowed).filter(|_| left_out);
    let refusal = refused.and_then(Refusal::named).or(left_out);
    let explanation = match refusal {
        Some(refusal) => Some(events::explain(&view, &cx, refusal, &event)?),
        None => None,
    };
    let made = matches!(explanation, Some(Explanation::Made(_)));
    let (repair, no_command) = match explanation {
        Some(Explanation::Made(_)) => (None, Some(events::MADE.to_owned())),
        Some(Explanation::NoRepair(why)) => (None, Some(why.to_owned())),
        Some(Explanation::Repair(repair)) => (Some(repair), None),
        None => (None, None),
    };
    let client = event.client.as_ref().map(ToString::to_string);
    let self_named = events::self_named(&view, &event)?.map(|own| own.hosts);
    let name = |id: &ClientId| -> Result<Option<String>, StoreError> {
        Ok(view.find::<Client>(id)?.map(|client| client.metadata.name().to_owned()))
    };
    let changed =
        if let Some(Repair::Client { client, .. }) = &repair { name(client)? } else { None };
    let change = repair.as_ref().map(RepairView::new);
    Ok(Json(ExplanationView {
        client_name: event.client.as_ref().map(name).transpose()?.flatten(),
        command: repair.as_ref().map(Repair::command),
        event: EventView::new(&view, id, &event)?,
        made,
        no_command,
        repair: change.map(|repair| RepairView { client_name: changed, self_named, ..repair }),
        remedy: refusal.map(|refusal| refusal.remedy_for(client.as_deref()).into_owned()),
        section: refusal.map(|refusal| refusal.section().to_owned()),
    }))
}
