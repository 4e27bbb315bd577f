//! What full pools took.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::store::{Pool, References, Row, Tag};

/// What one pool took while it was full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The last time.
    pub last: Timestamp,
    /// How many rows, ever.
    pub rows: u64,
}

layout!(TakenLayout, Taken);

impl Row for Taken {
    type Key = Pool;
    type Layout = TakenLayout;
    const TABLE: Tag = Tag { byte: 75, name: "taken" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
