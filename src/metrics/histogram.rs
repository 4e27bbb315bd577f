//! A histogram with fixed bounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the values of a histogram are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Numbers of things.
    Count,
    /// Durations in microseconds. The text has them in seconds.
    Microseconds,
}

impl Unit {
    /// A value as the text has it.
    pub(super) fn written(self, value: u64) -> String {
        match self {
            Self::Count => value.to_string(),
            Self::Microseconds => Duration::from_micros(value).as_secs_f64().to_string(),
        }
    }
}

/// How many values fell between which bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above all of them.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    unit: Unit,
}

impl Histogram {
    /// An empty histogram. `bounds` ascend; each is the largest value of its bucket.
    pub fn new(bounds: &'static [u64], unit: Unit) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::default()).collect();
        Self { bounds, buckets, sum: AtomicU64::default(), unit }
    }

    /// Counts a value.
    pub fn observe(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a duration.
    pub fn observe_duration(&self, took: Duration) {
        self.observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// The unit of its values.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    /// For each bound, and then for no bound, how many values are not above it; and the sum of the
    /// values.
    pub(super) fn read(&self) -> (Vec<(Option<u64>, u64)>, u64) {
        let sum = self.sum.load(Ordering::Relaxed);
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let mut count = 0;
        let read = bounds.zip(&self.buckets).map(|(bound, bucket)| {
            count += bucket.load(Ordering::Relaxed);
            (bound, count)
        });
        (read.collect(), sum)
    }

    /// How many values it has.
    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// Whether it has no value.
    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_at_its_bound_and_all_above() {
        let histogram = Histogram::new(&[1, 10], Unit::Count);
        assert!(histogram.is_empty());

        for value in [0, 1, 2, 10, 11] {
            histogram.observe(value);
        }

        assert_eq!(histogram.read(), (vec![(Some(1), 2), (Some(10), 4), (None, 5)], 24));
        assert!(!histogram.is_empty());
    }
}
