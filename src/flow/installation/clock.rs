//! What the store keeps of the clock, so that the next start can tell whether it jumped meanwhile.

use std::time::Duration;

use crate::clock::{ClockWatch, Timestamp};
use crate::flow::Context;
use crate::store::schema::ClockRecord;
use crate::store::{StoreError, Tx, View};

/// The precision at which the times are stored, so that an idle server lets the disk rest.
const PRECISION: Duration = Duration::from_hours(1);

/// What is stored.
pub fn find(view: &impl View) -> Result<ClockRecord, StoreError> {
    Ok(view.find::<ClockRecord>(&())?.unwrap_or_default())
}

/// Whether the store says what `watch` does, within the precision.
pub fn is_recorded(view: &impl View, cx: &Context, watch: &ClockWatch) -> Result<bool, StoreError> {
    let stored = find(view)?;
    // Once the clock is behind the latest time, nothing but the row knows it.
    let is_behind = cx.now < watch.latest();
    let precision = if is_behind { Duration::from_secs(1) } else { PRECISION };
    Ok(stored.jump == jump(watch)
        && stored.seen.apart(watch.believed()) < PRECISION
        && watch.latest().since(stored.latest) <= precision)
}

/// The time of something that has to come after all that was before it, and before all that follows,
/// wherever the clock goes: the registration of a client, whose name an earlier one may have had, or
/// the end of what was granted. The store remembers it.
pub fn milestone(tx: &mut Tx<'_>, cx: &Context) -> Result<Timestamp, StoreError> {
    let old = find(tx)?;
    if old.latest < cx.latest {
        tx.put(&(), ClockRecord { latest: cx.latest, ..old })?;
    }
    Ok(cx.latest)
}

/// Stores what `watch` says.
pub fn record(tx: &mut Tx<'_>, watch: &ClockWatch) -> Result<(), StoreError> {
    let old = find(tx)?;
    let latest = old.latest.max(watch.latest());
    let (jump, seen) = (jump(watch), watch.believed());
    tx.put(&(), ClockRecord { jump, latest, seen, ..old })
}

fn jump(watch: &ClockWatch) -> Option<(Timestamp, Timestamp)> {
    watch.jump().map(|jump| (jump.from, jump.to))
}
