//! The watch over the clock: whether it goes on from where it was, or has jumped.
//!
//! Whether a jump is a fault or its correction cannot be seen at once. A clock that jumps is
//! therefore in doubt until it has run steadily for an hour, or is back where it was.

use std::fmt;
use std::time::Duration;

use super::{Reading, Timestamp};

/// The most by which a clock may differ from where it would be, in either direction.
const MAX_STEP: Duration = Duration::from_hours(24);

/// The time after which a clock that jumped, and runs steadily, is believed.
const STEADY: Duration = Duration::from_hours(1);

/// The smallest difference of two times.
const MOMENT: Duration = Duration::from_millis(1);

/// The difference below which a clock counts as not behind, so that it soon catches up with the
/// latest time, however often it is looked at.
const NEAR: Duration = Duration::from_secs(1);

/// A jump of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Whether it happened before the program started.
    pub at_start: bool,
    /// Where the clock would be without it. At a start this is when the store was last in use.
    pub from: Timestamp,
    /// Where it is.
    pub to: Timestamp,
}

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.rfc3339(), self.to.rfc3339());
        if self.at_start {
            write!(f, "this store was last in use at {from} and the clock says {to}")?;
        } else {
            write!(f, "the clock jumped from {from} to {to}")?;
        }
        f.write_str("; nothing is removed for its age until it has run steadily for an hour")
    }
}

/// The state of the watch.
#[derive(Clone, Copy, Debug)]
pub struct ClockWatch {
    believed: Reading,
    doubt: Option<Doubt>,
    latest: Timestamp,
}

/// A clock in doubt.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    jump: Jump,
    since: Reading,
}

impl Reading {
    /// Whether a clock that read this comes to `later` without a jump.
    fn leads_to(&self, later: Reading) -> bool {
        self.after(later.running).apart(later.now) <= MAX_STEP
    }

    /// The time once the program has run for `running`.
    fn after(&self, running: Duration) -> Timestamp {
        self.now + running.saturating_sub(self.running)
    }
}

impl ClockWatch {
    /// Begins with the reading at the start of the program. `seen` is the time that was last
    /// believed, and `latest` the latest that there was, before the start.
    pub fn new(first: Reading, seen: Option<Timestamp>, latest: Timestamp) -> Self {
        let believed = Reading { now: seen.unwrap_or(first.now), ..first };
        let mut watch = Self { believed, doubt: None, latest };
        watch.look(first);
        if let Some(doubt) = &mut watch.doubt {
            doubt.jump.at_start = true;
        }
        watch
    }

    /// Compares a reading with those before it.
    pub fn look(&mut self, at: Reading) {
        // Behind the latest time, two looks are told apart by a moment each.
        let is_behind = at.now + NEAR < self.latest;
        self.latest = if is_behind { self.latest + MOMENT } else { self.latest.max(at.now) };
        self.doubt = match self.doubt {
            _ if self.believed.leads_to(at) => None,
            Some(doubt) if doubt.since.leads_to(at) => {
                let steady = at.running.saturating_sub(doubt.since.running) >= STEADY;
                (!steady).then_some(doubt)
            }
            Some(_) | None => {
                let from = self.believed.after(at.running);
                Some(Doubt { jump: Jump { at_start: false, from, to: at.now }, since: at })
            }
        };
        if self.doubt.is_none() {
            self.believed = at;
        }
    }

    /// The jump that puts the clock in doubt, if it is.
    pub fn jump(&self) -> Option<Jump> {
        self.doubt.map(|doubt| doubt.jump)
    }

    /// The time that was last believed.
    pub fn believed(&self) -> Timestamp {
        self.believed.now
    }

    /// The latest time that there was. It never goes back, and goes on when the clock has gone back.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_767_225_600);
    const MINUTE: Duration = Duration::from_mins(1);
    const DAY: Duration = Duration::from_hours(24);

    fn reading(now: Timestamp, running: Duration) -> Reading {
        Reading { now, running }
    }

    fn watch(seen: Option<Timestamp>) -> ClockWatch {
        ClockWatch::new(reading(START, Duration::ZERO), seen, START)
    }

    #[test]
    fn a_clock_that_runs_is_believed_however_long_nobody_looks() {
        let mut watch = watch(None);

        watch.look(reading(START + DAY * 400, DAY * 400));
        watch.look(reading(START + DAY * 401, DAY * 400));

        assert_eq!((watch.jump(), watch.believed()), (None, START + DAY * 401));
    }

    #[test]
    fn a_clock_that_jumps_ahead_or_back_is_believed_after_an_hour_of_running() {
        for to in [START + DAY * 2, START - DAY * 2] {
            let mut watch = watch(None);

            watch.look(reading(to, Duration::ZERO));
            watch.look(reading(to + MINUTE * 59, MINUTE * 59));
            assert_eq!(watch.jump(), Some(Jump { at_start: false, from: START, to }));
            assert_eq!(watch.believed(), START);
            watch.look(reading(to + MINUTE * 60, MINUTE * 60));

            assert_eq!((watch.jump(), watch.believed()), (None, to + MINUTE * 60));
        }
    }

    #[test]
    fn a_clock_that_comes_back_to_where_it_was_is_believed_at_once() {
        let mut watch = watch(None);

        watch.look(reading(START + DAY * 365, Duration::ZERO));
        watch.look(reading(START + MINUTE, MINUTE));

        assert_eq!((watch.jump(), watch.believed()), (None, START + MINUTE));
        assert_eq!(watch.latest(), START + DAY * 365 + MOMENT);
    }

    #[test]
    fn a_clock_that_jumps_again_has_to_run_for_another_hour() {
        let mut watch = watch(None);

        watch.look(reading(START + DAY * 365, Duration::ZERO));
        watch.look(reading(START + DAY * 370, MINUTE * 59));
        watch.look(reading(START + DAY * 370 + MINUTE * 59, MINUTE * 118));

        assert_eq!(watch.jump().map(|jump| jump.to), Some(START + DAY * 370));
    }

    #[test]
    fn a_start_long_after_the_last_one_or_before_it_is_a_jump() {
        let from =
            |seen| watch(Some(seen)).jump().filter(|jump| jump.at_start).map(|jump| jump.from);

        assert_eq!(from(START - DAY), None);
        assert_eq!(from(START - DAY * 3), Some(START - DAY * 3));
        assert_eq!(from(START + DAY * 3), Some(START + DAY * 3));
    }
}
