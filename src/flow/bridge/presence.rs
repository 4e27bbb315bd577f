//! Bridge presence: the heartbeats of bridges, and the list of active ones.

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::model::bridge::{BridgeSessionId, Heartbeat};
use crate::model::person::Username;
use crate::store::schema::{Bridge, BridgeSession, Person};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The time after its last heartbeat for which a bridge counts as active. A bridge sends one every
/// 30 seconds.
const ACTIVE_FOR: Duration = Duration::from_secs(120);

/// Records a heartbeat under the session that it names, or under that of the token if the named one
/// is not live: a bridge may go on naming the session with which it began.
///
/// # Errors
///
/// [`Refusal::BridgeSessionOfAnother`] if it names a session of another person, and
/// [`Refusal::BearerTokenOfEndedGrant`] if the session of `bridge` has ended.
pub fn beat(
    tx: &mut Tx<'_>,
    cx: &Context,
    bridge: &LiveBridge,
    beat: &Heartbeat,
) -> Result<(), Error> {
    let own = access::recheck(tx, cx, bridge)?;
    let named = tx.find::<BridgeSession>(&beat.session)?;
    if named.is_some_and(|named| named.user != own.user()) {
        return Err(Refusal::BridgeSessionOfAnother.into());
    }
    let session = access::live(tx, cx, &beat.session)?.unwrap_or(own);
    if session.needs_touch(cx.now) {
        access::touch(tx, cx, session.id())?;
    }
    let known = tx.find::<Bridge>(session.id())?;
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
    tx.put(session.id(), row)?;
    Ok(())
}

/// A bridge, as the operator sees it.
pub struct BridgeStatus {
    /// Whether its last heartbeat was within two minutes, and its session is live.
    pub active: bool,
    /// Its last heartbeat.
    pub bridge: Bridge,
    /// Its session.
    pub session: BridgeSessionId,
    /// The name of its person.
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
