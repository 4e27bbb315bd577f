//! How large the tables are: written down once a day, so that it can be said how they grow.
//!
//! All rows lie in one ordered map, which does not count them by table: only a read of all of it says
//! how large each one is. That takes two seconds or so for a million rows, so the server does it once a
//! day, on a thread that may wait, and no transaction does.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::Context;
use crate::store::schema::Sizes;
use crate::store::{StoreError, Tx, View};

/// A day.
const DAY: Duration = Duration::from_hours(24);

/// The most rows that there are: one a day, until the sweep removes them.
const MAX_DAYS: usize = 64;

/// The beginning of the day of `at`, in UTC.
fn day_of(at: Timestamp) -> Timestamp {
    let seconds = at.seconds();
    Timestamp::from_seconds(seconds - seconds % DAY.as_secs())
}

/// Whether the sizes of today are yet to be written down. While the clock is in doubt, nobody knows
/// which day it is.
pub fn are_due(view: &impl View, cx: &Context) -> Result<bool, StoreError> {
    Ok(!cx.in_doubt && view.find::<Sizes>(&day_of(cx.now))?.is_none())
}

/// Writes down the sizes, unless those of the day are there already.
pub fn record(tx: &mut Tx<'_>, cx: &Context, sizes: Sizes) -> Result<(), StoreError> {
    let day = day_of(sizes.at);
    if cx.in_doubt || tx.find::<Sizes>(&day)?.is_some() {
        return Ok(());
    }
    tx.put(&day, sizes)
}

/// Sizes of before, to which those of now are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Those of about a day ago: the newest that are at least a day old, or the first.
    pub day: Option<Sizes>,
    /// Those of about 30 days ago: the newest that are at least 30 days old, or the first. `None` if
    /// those are the same as `day`.
    pub month: Option<Sizes>,
}

/// The sizes of before.
pub fn before(view: &impl View, now: Timestamp) -> Result<Before, StoreError> {
    let all: Vec<Sizes> =
        view.list::<Sizes>(MAX_DAYS)?.into_iter().map(|(_, sizes)| sizes).collect();
    let aged = |age: Duration| {
        let old_enough = all.iter().rev().find(|sizes| sizes.at + age <= now);
        old_enough.or_else(|| all.first().filter(|first| first.at <= now)).cloned()
    };
    let day = aged(DAY);
    let month = aged(DAY * 30).filter(|month| Some(month) != day.as_ref());
    Ok(Before { day, month })
}
