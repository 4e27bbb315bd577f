//! The installation and its signing keys.

use serde::{Deserialize, Serialize};

use super::{InstallationV1, SigningKeyRowV1, layout, second_layout};
use crate::clock::Timestamp;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;
use crate::oauth::issuer::Issuer;
use crate::store::{Entries, References, Row, Tag};

/// The installation: the only row of its table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The time of its creation.
    pub created: Timestamp,
    /// The issuer, which is fixed at the first start.
    pub issuer: Issuer,
    /// The root secrets in force, the newest first.
    pub roots: Vec<RootKey>,
}

/// A root secret in force, without the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// A value derived from the secret, by which it is recognised, and a wrong one noticed.
    pub check: [u8; 32],
    /// The number by which hashes, refresh tokens and sealed keys name it.
    pub generation: u8,
    /// The time from which new things were made under it.
    pub since: Timestamp,
}

second_layout!(InstallationLayout, InstallationV1, Installation);

impl Row for Installation {
    type Key = ();
    type Layout = InstallationLayout;
    const TABLE: Tag = Tag { byte: 10, name: "installation" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The key of pairwise subjects and of marks, which no rotation changes. The only row of its table;
/// there is none before the first rotation, since the key follows from the first root secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastingKeyRow {
    /// The key, encrypted.
    pub sealed: Vec<u8>,
}

layout!(LastingKeyLayout, LastingKeyRow);

impl Row for LastingKeyRow {
    type Key = ();
    type Layout = LastingKeyLayout;
    const TABLE: Tag = Tag { byte: 112, name: "lasting_key" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The last restore: the store was replaced by a backup of itself. The only row of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The time of the restore.
    pub at: Timestamp,
    /// The time at which the backup was made.
    pub backup: Timestamp,
}

layout!(RestoreLayout, Restore);

impl Row for Restore {
    type Key = ();
    type Layout = RestoreLayout;
    const TABLE: Tag = Tag { byte: 66, name: "restore" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// What the store knows of the clock. The only row of its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRecord {
    /// The time up to which the sweep has removed the used assertions of clients, whose expiry
    /// their clients chose. It never goes back.
    pub assertions_removed_up_to: Timestamp,
    /// The jump that puts the clock in doubt, if it is: where the clock would be without it, and
    /// where it is.
    pub jump: Option<(Timestamp, Timestamp)>,
    /// The latest time that there was. It never goes back.
    pub latest: Timestamp,
    /// The time up to which the sweep has removed anything, and so evidence of what was used or
    /// revoked. It never goes back.
    pub removed_up_to: Timestamp,
    /// The time at which the clock was last believed.
    pub seen: Timestamp,
}

layout!(ClockRecordLayout, ClockRecord);

impl Row for ClockRecord {
    type Key = ();
    type Layout = ClockRecordLayout;
    const TABLE: Tag = Tag { byte: 67, name: "clock" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A signing key. The private key is encrypted under a key derived from the root secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRow {
    /// Its algorithm.
    pub alg: SigningAlg,
    /// The time of its creation, from which it is published.
    pub created: Timestamp,
    /// The time from which it signs.
    pub active: Timestamp,
    /// Its end; `None` until it has a successor.
    pub retires: Option<Retirement>,
    /// The private key in PKCS #8, encrypted, behind the generation of the root secret.
    pub sealed: Vec<u8>,
}

/// The end of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    /// The time from which it is no longer published: everything it signed has expired.
    pub at: Timestamp,
    /// The time at which it is removed. Until then it verifies hints.
    pub forgotten: Timestamp,
}

second_layout!(SigningKeyLayout, SigningKeyRowV1, SigningKeyRow);

impl Row for SigningKeyRow {
    type Key = KeyId;
    type Layout = SigningKeyLayout;
    const TABLE: Tag = Tag { byte: 11, name: "signing_keys" };

    fn entries(&self, _key: &KeyId, into: &mut Entries) {
        if let Some(retires) = self.retires {
            into.expire(retires.forgotten);
        }
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The time for which sizes are stored: 30 days, and a few in which no server ran.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(35 * 24);

/// How large the tables and indices were at some moment of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// The moment.
    pub at: Timestamp,
    /// Those that were not empty, each by its tag: its rows, and their bytes with their keys.
    pub tables: Vec<(u8, u64, u64)>,
}

layout!(SizesLayout, Sizes);

/// By the beginning of the day.
impl Row for Sizes {
    type Key = Timestamp;
    type Layout = SizesLayout;
    const TABLE: Tag = Tag { byte: 110, name: "sizes" };

    fn entries(&self, day: &Timestamp, into: &mut Entries) {
        into.expire(*day + RETENTION);
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
