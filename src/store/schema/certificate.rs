//! The certificates by which devices prove themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::fingerprint::Fingerprint;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::store::{Entries, Index, Row, Tag};

/// A certificate that stands for a person, registered by an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCertificate {
    /// When it was registered.
    pub created: Timestamp,
    /// The last moment of the certificate's own time.
    pub expires: Timestamp,
    /// What the device is called.
    pub name: DisplayName,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
    /// When it was used last.
    pub used: Option<Timestamp>,
    /// The person it identifies.
    pub user: UserId,
}

/// How long one that has expired is remembered, so that it can be told from an unknown one.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Device certificates by their person.
pub const CERTIFICATES_BY_USER: Index<UserId, Fingerprint> = Index::new(51, "certificates_by_user");

layout!(DeviceCertificateLayout, DeviceCertificate);

impl Row for DeviceCertificate {
    type Key = Fingerprint;
    type Layout = DeviceCertificateLayout;
    const TABLE: Tag = Tag { byte: 33, name: "device_certificates" };

    fn entries(&self, key: &Fingerprint, into: &mut Entries) {
        into.add(&CERTIFICATES_BY_USER, &self.user, key);
        into.expire(self.expires + RETENTION);
    }
}
