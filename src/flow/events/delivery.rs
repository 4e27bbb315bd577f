//! The deliveries of events to the operator's webhook.
//!
//! A row is written with its event, and stays until the webhook has taken the event, its attempts are
//! used up, or nobody asks for it any more. So an event arrives at least once, and may arrive twice.

use std::time::Duration;

use super::EventView;
use crate::error::Error;
use crate::event::EventId;
use crate::flow::Context;
use crate::store::schema::{EVENT_DELIVERIES_BY_DUE, Event, EventDelivery};
use crate::store::{Share, StoreError, Tx, View};

/// The most deliveries that wait. Beyond that, events are stored and not sent.
pub const MAX_WAITING: u64 = 10_000;

/// The most deliveries that wait while a refused request is queued. Anybody can cause those, so they
/// neither hold up nor keep out an event of another kind.
const MAX_BEFORE_REFUSED: u64 = 100;

/// The pauses between attempts. The attempt after the last pause is the last one.
const RETRY_DELAYS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(6),
    Duration::from_hours(24),
];

/// Queues an event for the webhook, if its kind is one of those that are sent and there is room.
pub(super) fn enqueue(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &EventId,
    event: &Event,
) -> Result<(), StoreError> {
    let limit = if event.refused.is_some() { MAX_BEFORE_REFUSED } else { MAX_WAITING };
    if !cx.rules.config.events.sends(&event.kind) || waiting(tx)? >= limit {
        return Ok(());
    }
    tx.put(id, EventDelivery { attempts: 0, due: cx.now })
}

/// The number of deliveries that wait.
pub fn waiting(view: &impl View) -> Result<u64, StoreError> {
    Ok(view.weight(&Share::EventDeliveries)?.rows)
}

/// The earliest event that waits.
pub fn oldest(view: &impl View) -> Result<Option<EventId>, StoreError> {
    let limit = usize::try_from(MAX_WAITING).unwrap_or(usize::MAX);
    let rows = view.list::<EventDelivery>(limit)?;
    Ok(rows.into_iter().map(|(id, _)| id).min())
}

/// A delivery that is due.
pub struct DueEvent {
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The event in JSON, as the API has it; `None` if it was removed, or its kind is not sent any
    /// more.
    pub body: Option<String>,
    /// The id of the event.
    pub id: EventId,
}

/// The first `limit` deliveries that are due, in the order in which they became due. An unreadable
/// row does not hold up the others.
pub fn due(
    view: &impl View,
    cx: &Context,
    limit: usize,
) -> Result<Vec<Result<DueEvent, StoreError>>, StoreError> {
    let ids = view.up_to(&EVENT_DELIVERIES_BY_DUE, &cx.now, limit)?.into_iter();
    Ok(ids.filter_map(|id| delivery(view, cx, id).transpose()).collect())
}

fn delivery(view: &impl View, cx: &Context, id: EventId) -> Result<Option<DueEvent>, StoreError> {
    let Some(delivery) = view.find::<EventDelivery>(&id)? else { return Ok(None) };
    let event = view.find::<Event>(&id)?;
    let event = event.filter(|event| cx.rules.config.events.sends(&event.kind));
    let presented = event.map(|event| EventView::new(view, id, &event)).transpose()?;
    let json = |presented| serde_json::to_string(&presented).expect("views have text for keys");
    Ok(Some(DueEvent { attempt: delivery.attempts + 1, body: presented.map(json), id }))
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The webhook was not reached, or did not take the event.
    Failed,
    /// The webhook took the event, does not want it, or nobody asks for it any more.
    Settled,
}

/// Records the outcome of an attempt. Returns whether it was the last one and failed.
pub fn record_attempt(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: EventId,
    number: u32,
    outcome: Attempt,
) -> Result<bool, Error> {
    let Some(delivery) = tx.find::<EventDelivery>(&id)? else { return Ok(false) };
    // A concurrent attempt may have been recorded.
    if delivery.attempts + 1 != number {
        return Ok(false);
    }
    let pause = RETRY_DELAYS.get(usize::try_from(delivery.attempts).unwrap_or(usize::MAX));
    match (outcome, pause) {
        (Attempt::Failed, Some(pause)) => {
            tx.put(&id, EventDelivery { attempts: number, due: cx.now + *pause })?;
            Ok(false)
        }
        (Attempt::Failed, None) | (Attempt::Settled, _) => {
            tx.remove::<EventDelivery>(&id)?;
            Ok(outcome == Attempt::Failed)
        }
    }
}

/// Forgets at most `limit` deliveries, since there is no webhook any more. Returns their number.
pub fn forget(tx: &mut Tx<'_>, limit: usize) -> Result<usize, Error> {
    let rows = tx.list::<EventDelivery>(limit)?;
    for (id, _) in &rows {
        tx.remove::<EventDelivery>(id)?;
    }
    Ok(rows.len())
}
