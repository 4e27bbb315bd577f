//! The restore of a backup, and what it means for the time that was lost.
//!
//! A restored store is older than what it gave out: tokens were rotated and sessions used of which
//! it knows nothing. The time between the backup and its restore therefore counts against nobody.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::{Context, Present};
use crate::store::schema::Restore;
use crate::store::{StoreError, Tx, View};

/// Records that the store was replaced by a backup of itself that was made at `backup`. It is
/// written before the restored store is used.
pub fn record(tx: &mut Tx<'_>, cx: &Context, backup: Timestamp) -> Result<(), StoreError> {
    let lifetimes = &cx.rules.config.lifetimes;
    let idle = lifetimes.refresh_idle.max(lifetimes.session_idle);
    // What lived on by an earlier restore, when this backup was made, lives on by this one too.
    let earlier = tx.find::<Restore>(&())?.filter(|earlier| backup < earlier.at + idle);
    let backup = earlier.map_or(backup, |earlier| backup.min(earlier.backup));
    tx.put(&(), Restore { at: cx.now, backup })
}

/// The expiry of what expires at `expires`, unless it is used again, and lives for `idle` after each
/// use. If it was alive in the backup, its idle lifetime counts from the restore.
pub fn idle_expiry(
    view: &impl View,
    cx: &Present,
    expires: Timestamp,
    idle: Duration,
) -> Result<Timestamp, StoreError> {
    if cx.now < expires {
        return Ok(expires);
    }
    let restore = view.find::<Restore>(&())?.filter(|restore| restore.backup < expires);
    Ok(restore.map_or(expires, |restore| expires.max(restore.at + idle)))
}

/// Whether the store was restored within `time`, so that what is unknown may be lost by that.
pub fn is_recent(view: &impl View, cx: &Present, time: Duration) -> Result<bool, StoreError> {
    let restore = view.find::<Restore>(&())?;
    Ok(restore.is_some_and(|restore| cx.now < restore.at + time))
}

/// Whether a token of a grant that was created at `created` may be unknown to the store because of
/// a restore. If so, it was issued before the restore, and must be used within `idle` of it.
pub fn explains(
    view: &impl View,
    cx: &Present,
    created: Timestamp,
    idle: Duration,
) -> Result<bool, StoreError> {
    let restore = view.find::<Restore>(&())?;
    Ok(restore.is_some_and(|restore| created <= restore.at && cx.now < restore.at + idle))
}
