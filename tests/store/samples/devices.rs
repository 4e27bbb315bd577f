//! Samples of what devices prove themselves with.

use gatelodge::model::fingerprint::Fingerprint;
use gatelodge::store::schema::DeviceCertificate;

use super::{at, id, read, text};

pub(super) fn certificates() -> Vec<(Fingerprint, DeviceCertificate)> {
    let full = DeviceCertificate {
        created: at(1),
        expires: at(2),
        linked: text("0190163d"),
        name: read("Ada\u{2019}s laptop"),
        revoked: Some(at(3)),
        used: Some(at(4)),
        user: id(5),
    };
    let least = DeviceCertificate { revoked: None, used: None, ..full.clone() };
    vec![(Fingerprint::of(b"one"), full), (Fingerprint::of(b"two"), least)]
}
