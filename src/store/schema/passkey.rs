//! Passkeys and the ceremonies that make and use them.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{CeremonyId, UserId};
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Key, Row, Tag};

/// The id that an authenticator gave a credential (WebAuthn §5.1).
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
    /// Whether it is synchronised, and so outlives its device.
    pub backed_up: bool,
    /// When it was made.
    pub created: Timestamp,
    /// The credential as JSON: its types are not made for positional formats.
    pub credential: Vec<u8>,
    /// What its owner calls it.
    pub name: DisplayName,
    /// A number that every use raises: an assertion holds for the revision it was checked with.
    pub revision: u64,
    /// When it was used last.
    pub used: Option<Timestamp>,
    /// Whose it is.
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
    }
}

/// What a ceremony will do when it is finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CeremonyPurpose {
    /// Sign somebody in.
    Authenticate,
    /// Give a person a passkey, by the right of a setup link.
    Register {
        /// The link.
        link: TokenHash,
        /// Who they will be.
        user: UserId,
        /// Their name, which a first administrator chooses.
        username: Username,
        /// What they are called.
        display_name: DisplayName,
    },
}

/// A challenge that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremony {
    /// The browser that it was given to.
    pub browser: TokenHash,
    /// Expiry: a later response is refused.
    pub expires: Timestamp,
    /// What it is for.
    pub purpose: CeremonyPurpose,
    /// The server's half as JSON.
    pub state: Vec<u8>,
}

layout!(CeremonyLayout, Ceremony);

impl Row for Ceremony {
    type Key = CeremonyId;
    type Layout = CeremonyLayout;
    const TABLE: Tag = Tag { byte: 16, name: "ceremonies" };

    fn entries(&self, _key: &CeremonyId, into: &mut Entries) {
        into.expire(self.expires);
    }
}
