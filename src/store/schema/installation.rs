//! What an installation is, and the keys it signs with.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;
use crate::oauth::issuer::Issuer;
use crate::store::{Entries, Row, Tag};

/// The one row that makes a store an installation's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// What the root secret must derive, so that a wrong one is noticed.
    pub check: [u8; 32],
    /// When the installation began.
    pub created: Timestamp,
    /// Who it is: frozen at the first start.
    pub issuer: Issuer,
}

layout!(InstallationLayout, Installation);

impl Row for Installation {
    type Key = ();
    type Layout = InstallationLayout;
    const TABLE: Tag = Tag { byte: 10, name: "installation" };
}

/// A signing key. The private half is encrypted under the root secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRow {
    /// What it signs with.
    pub alg: SigningAlg,
    /// When it was made, and published from then on.
    pub created: Timestamp,
    /// When it starts to sign.
    pub active: Timestamp,
    /// How it ends; unknown while it is the current one.
    pub retires: Option<Retirement>,
    /// The PKCS #8 document, sealed.
    pub sealed: Vec<u8>,
}

/// The end of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    /// When it is no longer published: everything it signed has expired.
    pub at: Timestamp,
    /// When it is removed: until then it still verifies hints.
    pub forgotten: Timestamp,
}

layout!(SigningKeyLayout, SigningKeyRow);

impl Row for SigningKeyRow {
    type Key = KeyId;
    type Layout = SigningKeyLayout;
    const TABLE: Tag = Tag { byte: 11, name: "signing_keys" };

    fn entries(&self, _key: &KeyId, into: &mut Entries) {
        if let Some(retires) = self.retires {
            into.expire(retires.forgotten);
        }
    }
}
