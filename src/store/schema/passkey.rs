//! Passkeys, the ceremonies that succeeded, and recovery codes.

use serde::{Deserialize, Serialize};

use super::{Deadline, layout};
use crate::clock::Timestamp;
use crate::model::authenticator::{Aaguid, Transport};
use crate::model::folding::folded;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{CeremonyId, PasskeyId, UserId};
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Key, References, Row, Share, Tag};

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
    /// The model of its authenticator, if that names one.
    pub aaguid: Option<Aaguid>,
    /// Whether it may be synchronised.
    pub backup_eligible: bool,
    /// Whether it is synchronised, so that it survives the loss of its device.
    pub backed_up: bool,
    /// The time of its registration.
    pub created: Timestamp,
    /// The credential as JSON, since its types do not support positional formats.
    pub credential: Vec<u8>,
    /// Its id here.
    pub id: PasskeyId,
    /// The name that its owner gave it, which no other of their passkeys has.
    pub name: DisplayName,
    /// A number that increases with every use. An assertion holds for the revision it was verified
    /// against.
    pub revision: u64,
    /// How browsers reach its authenticator, as far as the browser that made it knows.
    pub transports: Vec<Transport>,
    /// The last use.
    pub used: Option<Timestamp>,
    /// The owner.
    pub user: UserId,
}

/// Passkeys by their id here.
pub const PASSKEYS_BY_ID: Index<PasskeyId, CredentialId> = Index::new(96, "passkeys_by_id");

/// Passkeys by their name, folded.
pub const PASSKEYS_BY_NAME: Index<String, CredentialId> = Index::new(106, "passkeys_by_name");

/// Passkeys by their owner.
pub const PASSKEYS_BY_USER: Index<UserId, CredentialId> = Index::new(41, "passkeys_by_user");

layout!(PasskeyLayout, Passkey);

impl Row for Passkey {
    type Key = CredentialId;
    type Layout = PasskeyLayout;
    const TABLE: Tag = Tag { byte: 15, name: "passkeys" };

    fn entries(&self, key: &CredentialId, into: &mut Entries) {
        into.add(&PASSKEYS_BY_ID, &self.id, key);
        into.add(&PASSKEYS_BY_NAME, &folded(self.name.as_str()), key);
        into.add(&PASSKEYS_BY_USER, &self.user, key);
        into.weigh_on(Share::Person(self.user));
    }

    fn references(&self, _key: &CredentialId, into: &mut References) {
        into.person(self.user);
    }
}

/// The mark of a passkey that was removed, or was made and never stored. Whoever still has it is told
/// so, and their browser may forget it. Nothing else depends on the mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedPasskey {
    /// The time of the removal.
    pub at: Timestamp,
    /// Its owner, who may be gone.
    pub user: UserId,
    /// Why it opens nothing.
    pub why: Removed,
}

/// Why a passkey opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removed {
    /// Its owner or an operator removed it.
    Passkey,
    /// Its owner was removed.
    Person,
    /// It was made by a setup link that another ceremony used up in the meantime.
    Unstored,
}

/// Marks by the owner of the passkey.
pub const REMOVED_PASSKEYS_BY_USER: Index<UserId, CredentialId> =
    Index::new(97, "removed_passkeys_by_user");

/// The time for which a mark is stored: two years.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(2 * 365 * 24);

layout!(RemovedPasskeyLayout, RemovedPasskey);

impl Row for RemovedPasskey {
    type Key = CredentialId;
    type Layout = RemovedPasskeyLayout;
    const TABLE: Tag = Tag { byte: 98, name: "removed_passkeys" };

    fn entries(&self, key: &CredentialId, into: &mut Entries) {
        into.add(&REMOVED_PASSKEYS_BY_USER, &self.user, key);
        into.expire(self.at + RETENTION);
        into.weigh_on(Share::Person(self.user));
    }

    /// The owner may be gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
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

    /// The person may be gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A recovery code, by its hash. The row of a used one stays until its person makes new codes, so that
/// it is told from an unknown one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCode {
    /// The time at which it was made.
    pub created: Timestamp,
    /// The time of its use, if it was used.
    pub used: Option<Timestamp>,
    /// Its person.
    pub user: UserId,
}

/// Recovery codes by their person.
pub const RECOVERY_CODES_BY_USER: Index<UserId, TokenHash> =
    Index::new(117, "recovery_codes_by_user");

layout!(StoredCodeLayout, StoredCode);

impl Row for StoredCode {
    type Key = TokenHash;
    type Layout = StoredCodeLayout;
    const TABLE: Tag = Tag { byte: 107, name: "recovery_codes" };

    fn entries(&self, key: &TokenHash, into: &mut Entries) {
        into.add(&RECOVERY_CODES_BY_USER, &self.user, key);
        into.weigh_on(Share::Person(self.user));
    }

    fn references(&self, _key: &TokenHash, into: &mut References) {
        into.person(self.user);
    }
}
