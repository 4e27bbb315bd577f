//! The expiry of what is used once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The expiry of something that is used once, or of a revocation. It counts by the clock, and by the
/// time up to which the sweep has removed evidence, which never goes back. It can be compared with
/// nothing but both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    by_clock: Timestamp,
    by_evidence: Timestamp,
}

impl Deadline {
    /// The deadline `lifetime` from `now`, if `latest` is the latest time that there was.
    pub fn after(lifetime: Duration, now: Timestamp, latest: Timestamp) -> Self {
        Self { by_clock: now + lifetime, by_evidence: now.max(latest) + lifetime }
    }

    /// Whether it is over at `now`, or evidence of it may have been removed.
    pub fn is_over(self, now: Timestamp, removed_up_to: Timestamp) -> bool {
        now >= self.by_clock || now.max(removed_up_to) >= self.by_evidence
    }

    /// The time by the clock, for people and programs to see.
    pub fn by_clock(self) -> Timestamp {
        self.by_clock
    }

    /// The time until which evidence of it has to be stored.
    pub fn by_evidence(self) -> Timestamp {
        self.by_evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn what_was_made_before_evidence_was_removed_is_over_wherever_the_clock_goes() {
        let start = Timestamp::from_seconds(1_767_225_600);
        let deadline = Deadline::after(HOUR, start, start);

        assert!(!deadline.is_over(start, start));
        assert!(deadline.is_over(start + HOUR, start));
        for now in [start, start - HOUR * 1000] {
            assert!(deadline.is_over(now, start + HOUR));
        }
    }

    #[test]
    fn what_is_made_by_a_clock_behind_the_evidence_lives_by_the_clock_and_ends_with_its_own() {
        let start = Timestamp::from_seconds(1_767_225_600);
        let removed_up_to = start + HOUR * 1000;
        let deadline = Deadline::after(HOUR, start, removed_up_to);

        assert!(!deadline.is_over(start, removed_up_to));
        assert!(deadline.is_over(start + HOUR, removed_up_to));
        assert!(deadline.is_over(start, removed_up_to + HOUR));
    }
}
