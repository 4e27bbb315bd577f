use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::secret::Seed;

/// The bits that are random. A millisecond has about a million ids.
const RANDOM: u32 = 20;

/// The id of an event: when it happened, in milliseconds, and 20 random bits. It is written as 16
/// hexadecimal digits. Later events have greater ids, as far as the clock goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(u64);

impl EventId {
    /// Derives the id of an event at `at` from `seed`.
    pub fn new(at: Timestamp, seed: &Seed) -> Self {
        let bytes = seed.bytes("event");
        let random = bytes.first_chunk().copied().map_or(0, u64::from_be_bytes);
        Self(Self::first_at(at).0 | random & ((1 << RANDOM) - 1))
    }

    /// The first id of the events at `at`.
    pub const fn first_at(at: Timestamp) -> Self {
        Self(at.millis() << RANDOM)
    }

    /// When the event happened.
    pub const fn at(self) -> Timestamp {
        Timestamp::from_millis(self.0 >> RANDOM)
    }

    /// The next id, for another event of the same transition.
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The id as a number.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The id of that number.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What was written is no id of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEventId;

impl FromStr for EventId {
    type Err = NoEventId;

    fn from_str(written: &str) -> Result<Self, NoEventId> {
        let digits = written.len() == 16 && written.bytes().all(|b| b.is_ascii_hexdigit());
        let id = digits.then(|| u64::from_str_radix(written, 16).ok()).flatten();
        id.map(Self).ok_or(NoEventId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Entropy;

    #[test]
    fn an_id_is_read_as_it_is_written_and_tells_when_it_was() {
        let (entropy, at) = (Entropy::seeded(1), Timestamp::from_seconds(1_800_000_000));

        let id = EventId::new(at, &entropy.seed());

        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.at(), at);
        assert!(EventId::first_at(at) <= id);
        assert!(id < EventId::first_at(Timestamp::from_millis(at.millis() + 1)));
        assert_ne!(id, EventId::new(at, &entropy.seed()));
        for wrong in ["", "1b", "+123456789abcdef", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(wrong.parse::<EventId>(), Err(NoEventId), "{wrong}");
        }
    }
}
