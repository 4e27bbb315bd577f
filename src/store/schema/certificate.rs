//! Device certificates.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LinkedDevice, layout};
use crate::clock::Timestamp;
use crate::model::fingerprint::Fingerprint;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::store::{Entries, Index, References, Row, Share, Tag};

/// A certificate that identifies a person, registered by an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCertificate {
    /// The time of its registration.
    pub created: Timestamp,
    /// The last second of its validity.
    pub expires: Timestamp,
    /// The linked device that has it, with which it ends.
    pub linked: String,
    /// The name of the device.
    pub name: DisplayName,
    /// The time of its revocation, if it was revoked.
    pub revoked: Option<Timestamp>,
    /// The last use.
    pub used: Option<Timestamp>,
    /// The person it identifies.
    pub user: UserId,
}

/// The time for which an expired certificate is stored, to distinguish it from an unknown one.
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
        into.weigh_on(Share::Person(self.user));
    }

    /// The row of the device may be gone before that of a certificate that is over.
    fn references(&self, _key: &Fingerprint, into: &mut References) {
        into.person(self.user);
        if self.revoked.is_none() {
            into.of_person::<LinkedDevice>(&self.linked, self.user).until(self.expires);
        }
    }
}
