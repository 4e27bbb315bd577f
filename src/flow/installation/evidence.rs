//! The expiry of what is used once, and of revocations.
//!
//! A code, a ceremony, a link or an assertion is used once because the store remembers its use until
//! it has expired; a revoked token stays revoked because the store remembers that. If the clock goes
//! back after the sweep has removed such evidence, the clock alone would bring them back. So they
//! are judged by the time up to which evidence was removed, too, which never goes back. Sessions,
//! grants and keys are judged by the clock alone: their rows say what has become of them.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::{Context, Present};
use crate::store::schema::{ClockRecord, Deadline};
use crate::store::{StoreError, Tx, View};

/// Whether a deadline is over.
pub fn is_over(view: &impl View, cx: &Present, deadline: Deadline) -> Result<bool, StoreError> {
    Ok(deadline.is_over(cx.now, record(view)?.removed_up_to))
}

/// The time until which the revocation of a token that is issued now has to be remembered, if the
/// clock went back and it is later than the token's `exp`.
pub fn revocable_until(cx: &Context, lifetime: Duration) -> Option<u64> {
    let deadline = cx.deadline(lifetime);
    let until = deadline.by_evidence().seconds();
    (until > deadline.by_clock().seconds()).then_some(until)
}

/// Whether evidence that had to be remembered until `until` may have been removed.
pub fn is_removed(view: &impl View, until: Timestamp) -> Result<bool, StoreError> {
    Ok(record(view)?.removed_up_to >= until)
}

/// Whether a client's assertion has expired, or the store may have forgotten that it was used.
pub fn is_assertion_over(
    view: &impl View,
    cx: &Present,
    expires: Timestamp,
) -> Result<bool, StoreError> {
    Ok(cx.now.max(record(view)?.assertions_removed_up_to) >= expires)
}

/// Records that expired rows were removed by the present time, and used assertions that had expired
/// by `assertions`. It is written in the transaction that removes them.
pub fn record_removal(
    tx: &mut Tx<'_>,
    cx: &Context,
    assertions: Option<Timestamp>,
) -> Result<(), StoreError> {
    let old = record(tx)?;
    let assertions = assertions.unwrap_or_default();
    let assertions_removed_up_to = old.assertions_removed_up_to.max(assertions);
    let removed_up_to = old.removed_up_to.max(cx.now);
    tx.put(&(), ClockRecord { assertions_removed_up_to, removed_up_to, ..old })
}

fn record(view: &impl View) -> Result<ClockRecord, StoreError> {
    let record = view.find_shared::<ClockRecord>(&())?;
    Ok(record.map(|record| *record).unwrap_or_default())
}
