//! The sweep removes rows that have expired or whose subject has ended. Correctness does not depend
//! on it, since every reader checks expiry and the mark of an ended subject. It waits while the clock
//! is in doubt, since what it removes does not come back when the clock is corrected.

use std::time::Duration;

use crate::error::Error;
use crate::flow::bridge::access;
use crate::flow::client::retention;
use crate::flow::installation::evidence;
use crate::flow::{Context, removal, session};
use crate::store::schema::{
    self, BridgeSession, Client, Removal, Session, Subject, UsedAssertion, Withdrawal,
};
use crate::store::{Row, StoreError, Tx, View};

/// The most rows that one transaction removes. Each has entries in several places of the file, and whoever
/// writes meanwhile waits for all of them.
const MAX_ROWS: usize = 5;

/// The time by which the expiry of a mark is postponed as long as readers still need it.
const POSTPONEMENT: Duration = Duration::from_hours(1);

/// The result of one step of the sweep.
pub struct Swept {
    /// Whether there may be more to remove.
    pub more: bool,
    /// The rows that could not be read. They stay in the store, and later steps skip them, so that
    /// they do not hold up other rows.
    pub unreadable: Vec<StoreError>,
}

/// So many steps of [`run`] in one transaction, or fewer if nothing is left.
pub fn steps(tx: &mut Tx<'_>, cx: &Context, count: usize) -> Result<Swept, Error> {
    let mut all = Swept { more: true, unreadable: Vec::new() };
    for _ in 0..count {
        let swept = run(tx, cx)?;
        all.unreadable.extend(swept.unreadable);
        all.more = swept.more;
        if !all.more {
            break;
        }
    }
    Ok(all)
}

/// Removes at most five rows that have expired or whose subject has ended.
pub fn run(tx: &mut Tx<'_>, cx: &Context) -> Result<Swept, Error> {
    if cx.in_doubt {
        return Ok(Swept { more: false, unreadable: Vec::new() });
    }
    let expired = tx.expired(cx.now, MAX_ROWS)?;
    let mut unreadable = Vec::new();
    let mut assertions = None;
    let mut left = MAX_ROWS;
    for (since, key) in &expired {
        if left == 0 {
            break;
        }
        match remove(tx, cx, key, left) {
            Err(error @ StoreError::Corrupt { .. }) => {
                tx.leave_expired(*since, key);
                unreadable.push(error);
                left -= 1;
            }
            removed => left = left.saturating_sub(removed?),
        }
        if key.first() == Some(&UsedAssertion::TABLE.byte) {
            assertions = Some(*since);
        }
    }
    if left < MAX_ROWS {
        evidence::record_removal(tx, cx, assertions)?;
    }
    Ok(Swept { more: left == 0, unreadable })
}

/// Removes the expired row, or at most `limit` rows of an ended subject. Returns their number.
fn remove(tx: &mut Tx<'_>, cx: &Context, key: &[u8], limit: usize) -> Result<usize, StoreError> {
    let table = key.first().copied().unwrap_or_default();
    if table == Session::TABLE.byte {
        let id = tx.listed_key::<Session>(key)?;
        if let Some(session) = tx.find::<Session>(&id)? {
            let expires = if removal::is_pending(tx, &Subject::Session(id))? {
                cx.now + POSTPONEMENT
            } else {
                session::expiry(tx, cx, &session)?
            };
            if cx.now < expires {
                tx.put(&id, Session { expires, ..session })?;
                return Ok(1);
            }
        }
        return removal::end_session(tx, cx, id).map(|scheduled| scheduled + 1);
    }
    if table == Withdrawal::TABLE.byte {
        let key = tx.listed_key::<Withdrawal>(key)?;
        let subject = Subject::Authorization(key.0, key.1.clone());
        match tx.find::<Withdrawal>(&key)? {
            Some(withdrawal) if removal::is_pending(tx, &subject)? => {
                let expires = cx.now + POSTPONEMENT;
                tx.put(&key, Withdrawal { expires, ..withdrawal })?;
            }
            Some(_) | None => {
                tx.remove::<Withdrawal>(&key)?;
            }
        }
        return Ok(1);
    }
    if table == Removal::TABLE.byte {
        let subject = tx.listed_key::<Removal>(key)?;
        return removal::step(tx, cx, &subject, limit);
    }
    if table == BridgeSession::TABLE.byte {
        let session = tx.remove_listed::<BridgeSession>(key)?;
        return access::forget(tx, cx, &session).map(|()| 1);
    }
    if table == Client::TABLE.byte {
        return retention::remove_unused(tx, cx, &tx.listed_key::<Client>(key)?).map(|()| 1);
    }
    schema::remove_listed(tx, key).map(|()| 1)
}
