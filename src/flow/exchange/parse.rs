//! Lines as rows: what an import stores.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::lines::{
    CertificateLine, ClientLine, DeviceLine, EmailMember, InvitationLine, MakerMember, MeansMember,
    OriginMember, PasskeyLine, PersonLine, PurposeMember, ResourceLine, SecretMember,
    SetupLinkLine, TokenOriginMember, VouchedMember,
};
use super::member::{Fault, Moment, Text};
use crate::error::Refusal;
use crate::flow::Context;
use crate::flow::client::logo;
use crate::model::actor::Actor;
use crate::model::authenticator::Transport;
use crate::model::email::{PersonEmail, Vouched};
use crate::model::network::Network;
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::member::InvalidMember;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::id::UserId;
use crate::store::schema::{
    Client, ClientLogo, ClientProof, CredentialId, DeviceCertificate, DeviceMeans, FetchedDocument,
    Invitation, LinkedDevice, Origin, Passkey, Person, Protected, SetupLink, SetupPurpose,
    SignedOut, TokenOrigin,
};
use crate::store::{Holding, Rank};
use crate::{passkey, password};

/// The row of a resource.
pub(super) fn resource(line: &ResourceLine) -> Protected {
    Protected {
        accepts_bridge: line.accepts_bridge,
        created: line.created.0,
        name: line.name.0.clone(),
        open: line.open,
        resource: line.resource.0.clone(),
        scope: line.scope.clone(),
        server: line.client.clone().map(|client| client.0),
        typ: line.typ,
    }
}

/// Sets each of `members`, and refuses one that there is not.
fn set_all(
    of: &str,
    members: &Map<String, Value>,
    known: &[&'static str],
    mut set: impl FnMut(&str, &Value) -> Result<bool, InvalidMember>,
) -> Result<(), Fault> {
    for (name, value) in members {
        let place = || format!("{of}.{name}");
        let own = known.iter().find(|own| *own == name);
        let own = own.ok_or_else(|| Fault::at(place(), "there is no such member of a client"))?;
        set(name, value).map_err(|invalid| Fault::at(place(), reason(invalid.to_operator(own))))?;
    }
    Ok(())
}

/// The reason of a refusal, without the member that the place has, too.
fn reason(refusal: Refusal) -> String {
    if let Refusal::MemberMalformed(_, why) = refusal {
        return why.to_owned();
    }
    refusal.reason().into_owned()
}

fn holding(held_by: Option<&Text<UserId>>) -> Holding {
    // A client that nobody holds is one about which an operator decided, and is in no pool.
    let nowhere = Network::of(IpAddr::V4(Ipv4Addr::LOCALHOST));
    held_by.map_or(Holding::strangers(nowhere, Rank::Plain), |user| Holding::persons(user.0))
}

/// The row of a client, and its logo.
///
/// # Errors
///
/// A fault of its metadata, its decisions, its secret or its logo.
pub(super) fn client(
    cx: &Context,
    line: &ClientLine,
) -> Result<(Client, Option<ClientLogo>), Fault> {
    let (mut metadata, mut decisions) = (ClientMetadata::default(), OperatorDecisions::default());
    set_all("metadata", &line.metadata, ClientMetadata::MEMBERS, |name, value| {
        metadata.set(name, value)
    })?;
    set_all("decisions", &line.decisions, OperatorDecisions::MEMBERS, |name, value| {
        decisions.set(name, value)
    })?;
    let origin = match &line.origin {
        OriginMember::Document { held_by, unused } => Origin::Document {
            // It is fetched again at its next use.
            fetched: Some(FetchedDocument {
                holding: holding(held_by.as_ref()),
                stale: cx.now,
                unused: unused.0,
            }),
        },
        OriginMember::Dynamic { fingerprint, held_by, registration, unused } => Origin::Dynamic {
            fingerprint: fingerprint.hash(),
            holding: holding(held_by.as_ref()),
            registration: registration.hash(),
            unused: unused.0,
        },
        OriginMember::Hook => Origin::Hook,
        OriginMember::Imported => Origin::Document { fetched: None },
        OriginMember::Operator => Origin::Operator,
    };
    let proof = match &line.secret {
        None => None,
        Some(SecretMember::Chosen(phc)) if password::is_hash(phc) => {
            Some(ClientProof::Chosen(phc.clone()))
        }
        Some(SecretMember::Chosen(_)) => {
            return Err(Fault::at("secret", "this is no Argon2id hash in PHC form"));
        }
        Some(SecretMember::Devices) => Some(ClientProof::Devices),
        Some(SecretMember::Made(hash)) => Some(ClientProof::Made(hash.hash())),
    };
    if proof.is_some() && !metadata.auth_method().is_secret() {
        return Err(Fault::at("secret", "the authentication method of the client needs none"));
    }
    let logo = match &line.logo {
        None => None,
        Some(content) => {
            let why = "this is no PNG, WebP or JPEG image of at most 16 KiB";
            Some(logo::read(content.0.clone()).ok_or_else(|| Fault::at("logo", why))?)
        }
    };
    if logo.is_some() && origin != Origin::Operator {
        return Err(Fault::at("logo", "only a client that an operator registered has one"));
    }
    let row = Client {
        decisions: Arc::new(decisions),
        enabled: line.enabled,
        owner: line.owner.clone().map(|owner| owner.0),
        proof,
        ..Client::new(line.created.0, origin, metadata)
    };
    Ok((row, logo))
}

/// The row of a person.
pub(super) fn person(line: &PersonLine) -> Person {
    let claims = line.claims.iter().map(|(name, value)| (name.0.clone(), value.0.clone()));
    Person {
        claims: claims.collect(),
        created: line.created.0,
        disabled: line.disabled,
        display_name: line.display_name.0.clone(),
        email: line.email.as_ref().map(email),
        groups: texts(&line.groups),
        roles: texts(&line.roles),
        signed_out: line.signed_out.map(|at| SignedOut { at: at.0, except: None }),
        tokens_valid_after: line.tokens_valid_after.map(|at| at.0),
        updated: line.updated.0,
        username: line.username.0.clone(),
    }
}

fn texts<T: Clone>(texts: &[Text<T>]) -> Vec<T> {
    texts.iter().map(|text| text.0.clone()).collect()
}

fn email(member: &EmailMember) -> PersonEmail {
    let vouched = match member.vouched {
        VouchedMember::Policy => Vouched::ByPolicy,
        VouchedMember::Typed => Vouched::Nobody,
        VouchedMember::Unverified => Vouched::Explicitly(false),
        VouchedMember::Verified => Vouched::Explicitly(true),
    };
    PersonEmail { address: member.address.0.clone(), vouched }
}

/// The row of a passkey.
///
/// # Errors
///
/// A fault of its transports or its credential.
pub(super) fn passkey(line: &PasskeyLine) -> Result<(CredentialId, Passkey), Fault> {
    let transports: Option<Vec<_>> =
        line.transports.iter().map(|name| Transport::named(name)).collect();
    let transports =
        transports.ok_or_else(|| Fault::at("transports", "one of them is no transport"))?;
    let id = CredentialId(line.credential_id.0.clone());
    let credential = line.credential.to_string().into_bytes();
    if !passkey::is_credential(&credential, &id) {
        return Err(Fault::at("credential", "this is no public key of that credential_id"));
    }
    let row = Passkey {
        aaguid: line.aaguid,
        backed_up: line.backed_up,
        backup_eligible: line.backup_eligible,
        created: line.created.0,
        credential,
        id: line.id.0,
        name: line.name.0.clone(),
        revision: 1,
        transports,
        used: moment(line.used),
        user: line.user.0,
    };
    Ok((id, row))
}

fn moment(moment: Option<Moment>) -> Option<crate::clock::Timestamp> {
    moment.map(|moment| moment.0)
}

/// The row of a linked device.
pub(super) fn device(line: &DeviceLine) -> LinkedDevice {
    let means = match &line.means {
        MeansMember::Certificate(fingerprint) => DeviceMeans::Certificate(fingerprint.0),
        MeansMember::Token { expires, hash, origin } => DeviceMeans::Token {
            expires: expires.0,
            hash: hash.hash(),
            origin: match origin {
                TokenOriginMember::NamedLogin => TokenOrigin::NamedLogin,
                TokenOriginMember::Operator => TokenOrigin::Operator,
                TokenOriginMember::UnnamedLogin => TokenOrigin::UnnamedLogin,
            },
        },
    };
    LinkedDevice {
        created: line.created.0,
        ended: false,
        expires: line.expires.0,
        hook: line.hook.map(|hook| hook.hash()),
        means,
        name: line.name.0.clone(),
        used: moment(line.used),
        user: line.user.0,
    }
}

/// The row of a certificate.
pub(super) fn certificate(line: &CertificateLine) -> DeviceCertificate {
    DeviceCertificate {
        created: line.created.0,
        expires: line.expires.0,
        linked: line.device.clone(),
        name: line.name.0.clone(),
        revoked: moment(line.revoked),
        used: moment(line.used),
        user: line.user.0,
    }
}

fn made_by(maker: Option<&MakerMember>) -> Actor {
    match maker {
        None | Some(MakerMember { client: None, person: None }) => Actor::Operator { uid: None },
        Some(MakerMember { client, person }) => Actor::Administrator {
            client: client.clone().map(|client| client.0),
            person: person.clone().map(|person| person.0),
        },
    }
}

/// The row of a setup link that has not expired.
pub(super) fn setup_link(cx: &Context, line: &SetupLinkLine) -> SetupLink {
    let user = line.user.0;
    SetupLink {
        created: line.created.0,
        ended: None,
        expires: cx.deadline(line.expires.0.since(cx.now)),
        made_by: made_by(line.made_by.as_ref()),
        purpose: match line.purpose {
            PurposeMember::Further => SetupPurpose::Further(user),
            PurposeMember::New => SetupPurpose::New(user),
            PurposeMember::Recovery => SetupPurpose::Recovery(user),
        },
        token: line.token.hash(),
    }
}

/// The row of an invitation that has not expired.
pub(super) fn invitation(cx: &Context, line: &InvitationLine) -> Invitation {
    Invitation {
        created: line.created.0,
        expires: cx.deadline(line.expires.0.since(cx.now)),
        groups: texts(&line.groups),
        made_by: made_by(line.made_by.as_ref()),
        revoked: None,
        roles: texts(&line.roles),
        token: line.token.hash(),
        used: line.used,
        uses: line.uses,
    }
}
