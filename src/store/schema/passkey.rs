//! Passkeys, and the ceremonies that succeeded.

use serde::{Deserialize, Serialize};

use super::{Deadline, layout};
use crate::clock::Timestamp;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{CeremonyId, UserId};
use crate::store::{Entries, Index, Key, Row, Share, Tag};

/// The id of a credential, which the authenticator chose (WebAuthn §5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialId(pub Vec<u8>);

/// The id has no fixed length, so it can only come last in a key.
impl Key for CredentialId {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let all = bytes.to_vec();
        *bytes = &[];
        Some(Self(all))
    }
}

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Whether it is synchronised, so that it survives the loss of its device.
    pub backed_up: bool,
    /// The time of its registration.
    pub created: Timestamp,
    /// The credential as JSON, since its types do not support positional formats.
    pub credential: Vec<u8>,
    /// The name that its owner gave it.
    pub name: DisplayName,
    /// A number that increases with every use. An assertion holds for the revision it was verified
    /// against.
    pub revision: u64,
    /// The last use.
    pub used: Option<Timestamp>,
    /// The owner.
    pub user: UserId,
}

/// Passkeys by their owner.
pub const PASSKEYS_BY_USER: Index<UserId, CredentialId> = Index::new(41, "passkeys_by_user");

layout!(PasskeyLayout, Passkey);

impl Row for Passkey {
    type Key = CredentialId;
    type Layout = PasskeyLayout;
    const TABLE: Tag = Tag { byte: 15, name: "passkeys" };

    fn entries(&self, key: &CredentialId, into: &mut Entries) {
        into.add(&PASSKEYS_BY_USER, &self.user, key);
        into.weigh_on(Share::Person(self.user));
    }
}

/// A passkey ceremony that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedCeremony {
    /// The expiry of the ceremony.
    pub expires: Deadline,
    /// The person.
    pub user: UserId,
}

layout!(UsedCeremonyLayout, UsedCeremony);

impl Row for UsedCeremony {
    type Key = CeremonyId;
    type Layout = UsedCeremonyLayout;
    const TABLE: Tag = Tag { byte: 16, name: "used_ceremonies" };

    fn entries(&self, _key: &CeremonyId, into: &mut Entries) {
        into.expire(self.expires.by_evidence());
        into.weigh_on(Share::Person(self.user));
    }
}
