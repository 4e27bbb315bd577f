//! Time as a value. Functions take `now: Timestamp`; only [`Clock`] reads the system's clocks: the
//! one that tells the time, which may be set, and the one that only runs.

mod watch;

use std::ops::{Add, Sub};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
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
    /// Clocks that are set by hand: those of tests, and of a development server. All clones share
    /// them.
    Manual(Arc<ManualTime>),
    /// The system's clocks.
    #[default]
    System,
}

/// The state of clocks that are set by hand.
#[derive(Debug)]
pub struct ManualTime(Mutex<Hands>);

/// What clocks said when they were touched last, and whether they run since.
#[derive(Clone, Copy, Debug)]
struct Hands {
    said: Reading,
    /// How long the program had run by then, if they run; `None`: they stand still.
    since: Option<Duration>,
}

impl Hands {
    fn reading(self) -> Reading {
        let passed = self.since.map(|since| running().saturating_sub(since)).unwrap_or_default();
        Reading { now: self.said.now + passed, running: self.said.running + passed }
    }
}

impl Clock {
    /// Clocks that start at `at` and stand still.
    pub fn manual(at: Timestamp) -> Self {
        let said = Reading { now: at, running: Duration::ZERO };
        Self::Manual(Arc::new(ManualTime(Mutex::new(Hands { said, since: None }))))
    }

    /// Clocks that start at `at` and run.
    pub fn running_from(at: Timestamp) -> Self {
        let clock = Self::manual(at);
        clock.run(true);
        clock
    }

    /// The present time. A system clock before 1970 reads as 1970.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Manual(_) => self.reading().now,
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
        match self {
            Self::Manual(time) => time.hands().reading(),
            Self::System => Reading { now: self.now(), running: running() },
        }
    }

    /// Whether the clocks run by themselves.
    pub fn runs(&self) -> bool {
        match self {
            Self::Manual(time) => time.hands().since.is_some(),
            Self::System => true,
        }
    }

    /// Lets time pass on manual clocks. It has no effect on the system's clocks.
    pub fn advance(&self, by: Duration) {
        self.touch(|said| Reading { now: said.now + by, running: said.running.saturating_add(by) });
    }

    /// Sets a manual clock to `now`, while no time passes. It has no effect on the system's clocks.
    pub fn set(&self, now: Timestamp) {
        self.touch(|said| Reading { now, ..said });
    }

    /// Lets manual clocks run by themselves, or stand still. It has no effect on the system's clocks.
    pub fn run(&self, runs: bool) {
        if let Self::Manual(time) = self {
            let mut hands = time.0.lock().unwrap_or_else(PoisonError::into_inner);
            *hands = Hands { said: hands.reading(), since: runs.then(running) };
        }
    }

    /// Changes what manual clocks say. They run or stand as before.
    fn touch(&self, change: impl FnOnce(Reading) -> Reading) {
        if let Self::Manual(time) = self {
            let mut hands = time.0.lock().unwrap_or_else(PoisonError::into_inner);
            *hands = Hands { said: change(hands.reading()), since: hands.since.map(|_| running()) };
        }
    }
}

impl ManualTime {
    fn hands(&self) -> Hands {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time for which the program has run.
fn running() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
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

    #[test]
    fn a_clock_that_runs_is_touched_as_one_that_stands_and_goes_on() {
        let clock = Clock::running_from(Timestamp::from_seconds(10));
        clock.advance(Duration::from_secs(5));

        let started = clock.reading();
        while clock.reading().running == started.running {
            std::thread::yield_now();
        }
        clock.run(false);
        let stopped = clock.reading();

        assert!(started.now >= Timestamp::from_seconds(15) && !clock.runs());
        assert!(stopped.running > started.running && stopped.now >= started.now);
        assert_eq!(clock.reading(), stopped);
    }
}
