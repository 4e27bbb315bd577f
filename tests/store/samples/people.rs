//! Samples of people, their passkeys and the ways to one.

use std::collections::BTreeMap;

use gatelodge::model::actor::Actor;
use gatelodge::model::authenticator::{Aaguid, Transport};
use gatelodge::model::email::{PersonEmail, Vouched};
use gatelodge::oauth::id::{CeremonyId, InvitationId, LinkId, UserId};
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{
    CredentialId, Invitation, LinkEnd, Passkey, Person, Removed, RemovedPasskey, SetupLink,
    SetupPurpose, SignedOut, StoredCode, UsedCeremony,
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

pub(super) fn recovery_codes() -> Vec<(TokenHash, StoredCode)> {
    let row = |used| StoredCode { created: at(8), used, user: id(5) };
    vec![(hash(20), row(None)), (hash(21), row(Some(at(9))))]
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

pub(super) fn setup_links() -> Vec<(LinkId, SetupLink)> {
    let row = |n, purpose, ended| SetupLink {
        created: at(15),
        ended,
        expires: until(16),
        made_by: Actor::Operator { uid: Some(1000) },
        purpose,
        token: hash(n),
    };
    vec![
        (id(10), row(10, SetupPurpose::New(id(5)), None)),
        (id(11), row(11, SetupPurpose::First, Some((at(17), LinkEnd::Used)))),
        (id(12), row(12, SetupPurpose::Recovery(id(5)), Some((at(18), LinkEnd::Superseded)))),
        (id(13), row(13, SetupPurpose::Further(id(5)), Some((at(19), LinkEnd::Revoked)))),
    ]
}

pub(super) fn invitations() -> Vec<(InvitationId, Invitation)> {
    let full = Invitation {
        created: at(20),
        expires: until(21),
        groups: vec![read("staff")],
        made_by: Actor::Administrator { client: Some(read("robot")), person: Some(id(5)) },
        revoked: Some(at(22)),
        roles: vec![read("user")],
        token: hash(14),
        used: 3,
        uses: 20,
    };
    let least = Invitation {
        groups: vec![],
        made_by: Actor::Server,
        revoked: None,
        token: hash(15),
        used: 0,
        ..full.clone()
    };
    vec![(id(14), full), (id(15), least)]
}
