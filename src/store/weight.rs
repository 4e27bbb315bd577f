//! What the rows of a share weigh together.
//!
//! The sum of a share is one row, since one writer commits everything. An engine with several writers would
//! spread it, so that they seldom write the same row. A share in which nothing counts has no sum.

use std::ops::{Add, Sub};

use crate::model::network::Network;
use crate::store::StoreError;
use crate::store::key::Key as _;
use crate::store::share::{self, Pool, Share};
use crate::store::table::{Tag, corrupt, prefix};

/// The sums, by share.
pub(super) const WEIGHTS: Tag = Tag { byte: 2, name: "weights" };

/// Rows and their bytes, with their keys and without their index entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// How many rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Weight {
    /// Whether it is within `bound`, in rows and in bytes.
    pub const fn fits(self, bound: Self) -> bool {
        self.rows <= bound.rows && self.bytes <= bound.bytes
    }

    /// The weight of one row, as it is stored under `key`.
    pub(super) fn of(key: &[u8], row: &[u8]) -> Self {
        Self { rows: 1, bytes: u64::try_from(key.len() + row.len()).unwrap_or(u64::MAX) }
    }

    /// The weight that `bytes` write, which lie under `key`.
    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self, StoreError> {
        let read = |half: &[u8]| half.try_into().ok().map(u64::from_be_bytes);
        let halves = bytes.split_at_checked(size_of::<u64>());
        let weight =
            halves.and_then(|(rows, bytes)| Some(Self { rows: read(rows)?, bytes: read(bytes)? }));
        weight.ok_or_else(|| corrupt(WEIGHTS, key))
    }

    /// The bytes of a sum, if anything counts in it.
    pub(super) fn encode(self) -> Option<Vec<u8>> {
        let bytes = || [self.rows.to_be_bytes(), self.bytes.to_be_bytes()].concat();
        (self != Self::default()).then(bytes)
    }
}

impl Add for Weight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Sub for Weight {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_sub(other.rows),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// Where the sums of the widest networks in `within` lie, or those of the widest networks of all.
pub(super) fn sums_within(pool: Pool, within: Option<&Network>) -> Vec<Vec<u8>> {
    let lengths = match within {
        None => Network::WIDEST.to_vec(),
        Some(wider) => wider.narrower().into_iter().map(|length| (wider.is_v6(), length)).collect(),
    };
    let sums = |(v6, length): (bool, u8)| {
        let mut sums = vec![WEIGHTS.byte];
        share::write_networks(pool, v6, length, &mut sums);
        sums.extend_from_slice(within.map_or(&[], Network::prefix));
        sums
    };
    lengths.into_iter().map(sums).collect()
}

/// The network whose sum lies at `key`.
pub(super) fn network_of(key: &[u8]) -> Result<Network, StoreError> {
    let share = key.get(1..).and_then(|mut rest| Share::read(&mut rest));
    match share {
        Some(Share::Network(_, network)) => Ok(network),
        Some(Share::Pool(_) | Share::Person(_) | Share::EventDeliveries) | None => {
            Err(corrupt(WEIGHTS, key))
        }
    }
}

/// Where the sum of `share` lies.
pub(super) fn sum(share: &Share) -> Vec<u8> {
    prefix(WEIGHTS, share)
}

/// Whether the sum of a share lies under `key`.
pub(super) fn is_sum(key: &[u8]) -> bool {
    key.first() == Some(&WEIGHTS.byte)
}
