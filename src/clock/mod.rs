//! Time as a value. Functions take `now: Timestamp`; only [`Clock`] reads the system's clocks: the
//! one that tells the time, which may be set, and the one that only runs.

mod watch;

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, Time};

pub use watch::{ClockWatch, Jump};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The beginning of the year before the first release: a clock that is behind it is wrong.
    pub const BEFORE_RELEASE: Self = Self::from_seconds(1_735_689_600);

    /// The time `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The time `seconds` seconds after the epoch, a `NumericDate` (RFC 7519 §2).
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch: a `NumericDate` (RFC 7519 §2).
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The duration from `earlier` to this time; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The duration between this time and `other`, whichever is earlier.
    pub const fn apart(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }

    /// The time in the form of RFC 3339, in UTC, to the second. The last year is 9999, as in the
    /// RFC.
    pub fn rfc3339(self) -> String {
        let last = OffsetDateTime::new_utc(Date::MAX, Time::MAX);
        let seconds = i64::try_from(self.seconds()).unwrap_or(i64::MAX);
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(last);
        let moment = moment.replace_nanosecond(0).unwrap_or(moment);
        moment.format(&Rfc3339).expect("years up to 9999 have a form in RFC 3339")
    }

    /// Reads a time in the form of [`Timestamp::rfc3339`]. Any other text is none.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let read = Self::from_seconds(u64::try_from(moment.unix_timestamp()).ok()?);
        (read.rfc3339() == text).then_some(read)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(later.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(earlier.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// What both clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The present time.
    pub now: Timestamp,
    /// The time for which the program has run. Nobody sets it.
    pub running: Duration,
}

/// The source of `now`: the system's clocks, or those that are set by hand.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// Clocks that move only by [`Clock::advance`] and [`Clock::set`]. All clones share them.
    Manual(Arc<ManualTime>),
    /// The system's clocks.
    #[default]
    System,
}

/// The state of manual clocks, in milliseconds.
#[derive(Debug)]
pub struct ManualTime {
    now: AtomicU64,
    running: AtomicU64,
}

impl Clock {
    /// Manual clocks that start at `at`.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(ManualTime { now: at.0.into(), running: 0.into() }))
    }

    /// The present time. A system clock before 1970 reads as 1970.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Manual(time) => Timestamp(time.now.load(Ordering::SeqCst)),
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
                let now = std::time::SystemTime::now();
                let elapsed = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                Timestamp(0) + elapsed
            }
        }
    }

    /// What both clocks say.
    pub fn reading(&self) -> Reading {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let running = match self {
            Self::Manual(time) => Duration::from_millis(time.running.load(Ordering::SeqCst)),
            Self::System => START.elapsed(),
        };
        Reading { now: self.now(), running }
    }

    /// Lets time pass on manual clocks. It has no effect on the system's clocks.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(time) = self {
            let by = u64::try_from(by.as_millis()).unwrap_or(0);
            time.now.fetch_add(by, Ordering::SeqCst);
            time.running.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Sets a manual clock to `now`, while no time passes. It has no effect on the system's clocks.
    pub fn set(&self, now: Timestamp) {
        if let Self::Manual(time) = self {
            time.now.store(now.0, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_rfc_3339_says() {
        for (seconds, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let time = Timestamp::from_seconds(seconds);
            assert_eq!(time.rfc3339(), written);
            assert_eq!(Timestamp::from_rfc3339(written), Some(time));
        }
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_seconds(10));
        let other = clock.clone();

        other.advance(Duration::from_secs(5));

        assert_eq!(clock.now(), Timestamp::from_seconds(15));
        clock.set(Timestamp::from_seconds(3));
        let running = Duration::from_secs(5);
        assert_eq!(clock.reading(), Reading { now: Timestamp::from_seconds(3), running });
    }
}
