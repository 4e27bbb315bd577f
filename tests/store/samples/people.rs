//! Samples of people, their passkeys and the ways to one.

use std::collections::BTreeMap;

use gatelodge::model::authenticator::{Aaguid, Transport};
use gatelodge::model::email::{PersonEmail, Vouched};
use gatelodge::oauth::id::{CeremonyId, UserId};
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{
    CredentialId, Passkey, Person, Removed, RemovedPasskey, SetupLink, SetupPurpose, SignedOut,
    UsedCeremony,
};

use super::{at, hash, id, read, until};

pub(super) fn used_ceremonies() -> Vec<(CeremonyId, UsedCeremony)> {
    vec![(id(1), UsedCeremony { expires: until(300), user: id(5) })]
}

pub(super) fn passkeys() -> Vec<(CredentialId, Passkey)> {
    let full = Passkey {
        aaguid: Aaguid::from_bytes([7; 16]),
        backed_up: true,
        backup_eligible: true,
        created: at(6),
        credential: b"{\"cred\":{}}".to_vec(),
        id: id(6),
        name: read("Ada's phone"),
        revision: 1,
        transports: vec![Transport::Hybrid, Transport::Internal],
        used: Some(at(7)),
        user: id(5),
    };
    let least = Passkey {
        aaguid: None,
        backed_up: false,
        backup_eligible: false,
        id: id(7),
        transports: vec![],
        used: None,
        ..full.clone()
    };
    vec![(CredentialId(vec![0, 0xff, 1]), full), (CredentialId(vec![2; 64]), least)]
}

pub(super) fn removed_passkeys() -> Vec<(CredentialId, RemovedPasskey)> {
    let row = |why| RemovedPasskey { at: at(8), user: id(5), why };
    vec![
        (CredentialId(vec![3; 16]), row(Removed::Passkey)),
        (CredentialId(vec![4; 16]), row(Removed::Person)),
        (CredentialId(vec![5; 16]), row(Removed::Unstored)),
    ]
}

pub(super) fn people() -> Vec<(UserId, Person)> {
    let full = Person {
        claims: BTreeMap::from([(read("given_name"), read("Ada"))]),
        tokens_valid_after: Some(at(10)),
        created: at(8),
        disabled: true,
        display_name: read("Ada Lovelace — Gräfin"),
        email: Some(PersonEmail {
            address: read("Ada@example.org"),
            vouched: Vouched::Explicitly(true),
        }),
        groups: vec![read("staff"), read("team/engines")],
        roles: vec![read("admin"), read("user")],
        signed_out: Some(SignedOut { at: at(11), except: Some(id(12)) }),
        updated: at(9),
        username: read("Ada.L@example"),
    };
    let least = Person {
        claims: BTreeMap::new(),
        tokens_valid_after: None,
        disabled: false,
        email: None,
        groups: vec![],
        roles: vec![],
        signed_out: None,
        username: read("bob"),
        ..full.clone()
    };
    let email = |address, vouched| Some(PersonEmail { address: read(address), vouched });
    let typed = Person {
        email: email("eve@example.org", Vouched::Nobody),
        username: read("eve"),
        ..least.clone()
    };
    let entered = Person {
        email: email("dan@example.org", Vouched::ByPolicy),
        username: read("dan"),
        ..least.clone()
    };
    vec![(id(5), full), (id(7), least), (id(8), typed), (id(9), entered)]
}

pub(super) fn setup_links() -> Vec<(TokenHash, SetupLink)> {
    let row = |purpose, used| SetupLink { expires: until(16), purpose, used };
    vec![
        (hash(10), row(SetupPurpose::Enrol(id(5)), None)),
        (hash(11), row(SetupPurpose::First, Some(at(17)))),
        (hash(12), row(SetupPurpose::Recover(id(5)), None)),
    ]
}
