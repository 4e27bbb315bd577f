//! Bridges at work: what they tell of themselves, and who is there.

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::model::bridge::{BridgeSessionId, Heartbeat};
use crate::model::person::Username;
use crate::store::schema::{Bridge, Person};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// How lately a bridge that is at work was heard of: it tells of itself every 30 seconds.
const ACTIVE_FOR: Duration = Duration::from_secs(120);

/// Writes down what a bridge tells of itself.
///
/// # Errors
///
/// [`Refusal::BridgeSessionOfAnother`] where it names a session that is over, or not its person's.
pub fn beat(
    tx: &mut Tx<'_>,
    cx: &Context,
    bridge: &LiveBridge,
    beat: &Heartbeat,
) -> Result<(), Error> {
    access::recheck(tx, cx, bridge)?;
    let named = access::live(tx, cx, &beat.session)?;
    let named = named.filter(|named| named.user() == bridge.user());
    let named = named.ok_or(Refusal::BridgeSessionOfAnother)?;
    if named.needs_touch(cx.now) {
        access::touch(tx, cx, &beat.session)?;
    }
    let known = tx.find::<Bridge>(&beat.session)?;
    let row = Bridge {
        first_seen: known.map_or(cx.now, |known| known.first_seen),
        forwarded_total: beat.forwarded_total,
        hostname: beat.hostname.clone(),
        last_activity: beat.last_activity.clone(),
        last_seen: cx.now,
        os: beat.os.clone(),
        tokens_in_total: beat.tokens_in_total,
        tokens_out_total: beat.tokens_out_total,
        user: bridge.user(),
        version: beat.version.clone(),
    };
    tx.put(&beat.session, row)?;
    Ok(())
}

/// A bridge, as the operator sees it.
pub struct BridgeStatus {
    /// Whether it was heard of within two minutes, and its session lives.
    pub active: bool,
    /// What it told.
    pub bridge: Bridge,
    /// Its session.
    pub session: BridgeSessionId,
    /// Whose it is.
    pub username: Username,
}

/// A page of the bridges that sent a heartbeat, the latest first within the page.
pub fn list(
    view: &impl View,
    cx: &Context,
    span: &Span<BridgeSessionId>,
) -> Result<Listing<BridgeStatus, BridgeSessionId>, StoreError> {
    let mut seen = view.filter::<Bridge, _>(span, |session, bridge| {
        let Some(person) = view.find::<Person>(&bridge.user)? else { return Ok(None) };
        let heard = cx.now.since(bridge.last_seen) <= ACTIVE_FOR;
        let active = heard && access::live(view, cx, session)?.is_some();
        let (session, username) = (session.clone(), person.username);
        Ok(Some(BridgeStatus { active, bridge, session, username }))
    })?;
    seen.items.sort_by_key(|seen| std::cmp::Reverse(seen.bridge.last_seen));
    Ok(seen)
}
