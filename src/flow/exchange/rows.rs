//! Rows as lines: what an export writes, and what an import compares with.

use serde::Serialize;
use serde_json::{Map, Value};

use super::lines::{
    AllowedMember, AppliedLine, CertificateLine, ClientLine, ConsentLine, DeviceLine, EmailMember,
    InvitationLine, Line, MakerMember, MeansMember, OriginMember, PasskeyLine, PersonLine,
    PurposeMember, RecoveryCodeLine, ResourceLine, RoleLine, ScopeLine, SecretMember,
    SetupLinkLine, TokenOriginMember, VouchedMember,
};
use super::member::{Bytes, Digest, Moment, Text};
use crate::error::{Error, Internal};
use crate::flow::client::logo;
use crate::model::actor::Actor;
use crate::model::email::Vouched;
use crate::model::fingerprint::Fingerprint;
use crate::oauth::id::{ClientId, InvitationId, LinkId, UserId};
use crate::secret::TokenHash;
use crate::store::schema::{
    Applied, AppliedRole, AppliedScope, Client, ClientProof, Consent, CredentialId,
    DeviceCertificate, DeviceMeans, Invitation, LinkedDevice, Origin, Passkey, Person, Protected,
    SetupLink, SetupPurpose, StoredCode, TokenOrigin,
};
use crate::store::{Holder, Holding, View};

/// The name of a scope or role, which was parsed before it was stored.
fn parsed<T: std::str::FromStr>(name: &str) -> Result<T, Error> {
    name.parse().map_err(|_| Internal::new("a stored name cannot be read").into())
}

fn object(value: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(value).map_err(Internal::new)? {
        Value::Object(members) => Ok(members),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {
            Err(Internal::new("no object").into())
        }
    }
}

/// The line of a scope.
pub(super) fn scope(name: &str, row: &AppliedScope) -> Result<Line, Error> {
    let (description, open) = (row.description.clone(), row.open);
    Ok(Line::Scope(ScopeLine { description, name: Text(parsed(name)?), open }))
}

/// The line of a role.
pub(super) fn role(name: &str, row: &AppliedRole) -> Result<Line, Error> {
    Ok(Line::Role(RoleLine { name: Text(parsed(name)?), scope: row.scope.clone() }))
}

/// The line of a resource.
pub(super) fn resource(row: &Protected) -> Line {
    Line::Resource(ResourceLine {
        accepts_bridge: row.accepts_bridge,
        client: row.server.clone().map(Text),
        created: Moment(row.created),
        name: Text(row.name.clone()),
        open: row.open,
        resource: Text(row.resource.clone()),
        scope: row.scope.clone(),
        typ: row.typ,
    })
}

/// The person who holds a client that described itself.
fn held_by(holding: &Holding) -> Option<Text<UserId>> {
    match holding.holder {
        Holder::Person(user) => Some(Text(user)),
        Holder::Network(_) => None,
    }
}

/// The line of a client.
pub(super) fn client(view: &impl View, id: &ClientId, row: &Client) -> Result<Line, Error> {
    let origin = match &row.origin {
        Origin::Document { fetched: None } => OriginMember::Imported,
        Origin::Document { fetched: Some(fetched) } => OriginMember::Document {
            held_by: held_by(&fetched.holding),
            unused: Moment(fetched.unused),
        },
        Origin::Dynamic { fingerprint, holding, registration, unused } => OriginMember::Dynamic {
            fingerprint: (*fingerprint).into(),
            held_by: held_by(holding),
            registration: (*registration).into(),
            unused: Moment(*unused),
        },
        Origin::Hook => OriginMember::Hook,
        Origin::Operator => OriginMember::Operator,
    };
    Ok(Line::Client(ClientLine {
        client_id: Text(id.clone()),
        created: Moment(row.created),
        decisions: object(&*row.decisions)?,
        enabled: row.enabled,
        logo: logo::of(view, id)?.map(|logo| Bytes(logo.content)),
        metadata: object(&*row.metadata)?,
        origin,
        owner: row.owner.map(Text),
        secret: row.proof.as_ref().map(|proof| match proof {
            ClientProof::Chosen(phc) => SecretMember::Chosen(phc.clone()),
            ClientProof::Devices => SecretMember::Devices,
            ClientProof::Made(hash) => SecretMember::Made((*hash).into()),
        }),
    }))
}

/// The line of a person.
pub(super) fn person(id: UserId, row: &Person) -> Line {
    let claims = row.claims.iter().map(|(name, value)| (Text(name.clone()), Text(value.clone())));
    Line::Person(PersonLine {
        claims: claims.collect(),
        created: Moment(row.created),
        disabled: row.disabled,
        display_name: Text(row.display_name.clone()),
        email: row.email.as_ref().map(|email| EmailMember {
            address: Text(email.address.clone()),
            vouched: match email.vouched {
                Vouched::ByPolicy => VouchedMember::Policy,
                Vouched::Explicitly(true) => VouchedMember::Verified,
                Vouched::Explicitly(false) => VouchedMember::Unverified,
                Vouched::Nobody => VouchedMember::Typed,
            },
        }),
        groups: row.groups.iter().cloned().map(Text).collect(),
        id: Text(id),
        roles: row.roles.iter().cloned().map(Text).collect(),
        signed_out: row.signed_out.map(|out| Moment(out.at)),
        tokens_valid_after: row.tokens_valid_after.map(Moment),
        updated: Moment(row.updated),
        username: Text(row.username.clone()),
    })
}

/// The line of a passkey.
pub(super) fn passkey(id: &CredentialId, row: &Passkey) -> Result<Line, Error> {
    Ok(Line::Passkey(PasskeyLine {
        aaguid: row.aaguid,
        backed_up: row.backed_up,
        backup_eligible: row.backup_eligible,
        created: Moment(row.created),
        credential: serde_json::from_slice(&row.credential).map_err(Internal::new)?,
        credential_id: Bytes(id.0.clone()),
        id: Text(row.id),
        name: Text(row.name.clone()),
        transports: row.transports.iter().map(|own| own.as_str().to_owned()).collect(),
        used: row.used.map(Moment),
        user: Text(row.user),
    }))
}

/// The line of a recovery code.
pub(super) fn recovery_code(hash: TokenHash, row: &StoredCode) -> Line {
    Line::RecoveryCode(RecoveryCodeLine {
        created: Moment(row.created),
        hash: hash.into(),
        used: row.used.map(Moment),
        user: Text(row.user),
    })
}

/// The line of a linked device; `None` if it has nothing but a session.
pub(super) fn device(id: &str, row: &LinkedDevice) -> Option<Line> {
    let means = match &row.means {
        DeviceMeans::Certificate(fingerprint) => MeansMember::Certificate(Text(*fingerprint)),
        DeviceMeans::Session(_) => return None,
        DeviceMeans::Token { expires, hash, origin } => MeansMember::Token {
            expires: Moment(*expires),
            hash: (*hash).into(),
            origin: match origin {
                TokenOrigin::NamedLogin => TokenOriginMember::NamedLogin,
                TokenOrigin::Operator => TokenOriginMember::Operator,
                TokenOrigin::UnnamedLogin => TokenOriginMember::UnnamedLogin,
            },
        },
    };
    Some(Line::Device(DeviceLine {
        created: Moment(row.created),
        expires: Moment(row.expires),
        hook: row.hook.map(Digest::from),
        id: id.to_owned(),
        means,
        name: Text(row.name.clone()),
        used: row.used.map(Moment),
        user: Text(row.user),
    }))
}

/// The line of a certificate.
pub(super) fn certificate(fingerprint: Fingerprint, row: &DeviceCertificate) -> Line {
    Line::Certificate(CertificateLine {
        created: Moment(row.created),
        device: row.linked.clone(),
        expires: Moment(row.expires),
        fingerprint: Text(fingerprint),
        name: Text(row.name.clone()),
        revoked: row.revoked.map(Moment),
        used: row.used.map(Moment),
        user: Text(row.user),
    })
}

/// The line of a consent.
pub(super) fn consent((user, client, host): &(UserId, ClientId, String), row: &Consent) -> Line {
    let allowed = row.allowed.iter().map(|(resource, scope)| AllowedMember {
        resource: resource.clone(),
        scope: scope.clone(),
    });
    Line::Consent(ConsentLine {
        allowed: allowed.collect(),
        client: Text(client.clone()),
        given: Moment(row.given),
        host: host.clone(),
        user: Text(*user),
    })
}

fn made_by(actor: &Actor) -> Option<MakerMember> {
    let (client, person) = match actor {
        Actor::Administrator { client, person } => (client.clone(), *person),
        Actor::Client(client) => (Some(client.clone()), None),
        Actor::Person(person) => (None, Some(*person)),
        Actor::Operator { .. } | Actor::Server | Actor::Stranger => return None,
    };
    Some(MakerMember { client: client.map(Text), person: person.map(Text) })
}

/// The line of a setup link; `None` if it is for the first administrator.
pub(super) fn setup_link(id: LinkId, row: &SetupLink) -> Option<Line> {
    let purpose = match row.purpose {
        SetupPurpose::First => return None,
        SetupPurpose::Further(_) => PurposeMember::Further,
        SetupPurpose::New(_) => PurposeMember::New,
        SetupPurpose::Recovery(_) => PurposeMember::Recovery,
    };
    Some(Line::SetupLink(SetupLinkLine {
        created: Moment(row.created),
        expires: Moment(row.expires.by_clock()),
        id: Text(id),
        made_by: made_by(&row.made_by),
        purpose,
        token: row.token.into(),
        user: Text(row.purpose.user()?),
    }))
}

/// The line of an invitation.
pub(super) fn invitation(id: InvitationId, row: &Invitation) -> Line {
    Line::Invitation(InvitationLine {
        created: Moment(row.created),
        expires: Moment(row.expires.by_clock()),
        groups: row.groups.iter().cloned().map(Text).collect(),
        id: Text(id),
        made_by: made_by(&row.made_by),
        roles: row.roles.iter().cloned().map(Text).collect(),
        token: row.token.into(),
        used: row.used,
        uses: row.uses,
    })
}

/// The line of the mark of an applied file.
pub(super) fn applied((noun, name): &(String, String), row: &Applied) -> Line {
    Line::Applied(AppliedLine {
        created: Moment(row.created),
        members: row.members.iter().copied().map(Text).collect(),
        name: name.clone(),
        noun: noun.clone(),
    })
}

/// The line of what is stored under the key of `line`.
pub(super) fn stored(view: &impl View, line: &Line) -> Result<Option<Line>, Error> {
    Ok(match line {
        Line::Scope(own) => {
            let name = own.name.0.as_str();
            let row = view.find::<AppliedScope>(&name.to_owned())?;
            row.map(|row| scope(name, &row)).transpose()?
        }
        Line::Role(own) => {
            let name = own.name.0.as_str();
            let row = view.find::<AppliedRole>(&name.to_owned())?;
            row.map(|row| role(name, &row)).transpose()?
        }
        Line::Resource(own) => {
            let key = own.resource.0.canonical().to_owned();
            view.find::<Protected>(&key)?.map(|row| resource(&row))
        }
        Line::Client(own) => {
            let id = &own.client_id.0;
            view.find::<Client>(id)?.map(|row| client(view, id, &row)).transpose()?
        }
        Line::Person(own) => view.find::<Person>(&own.id.0)?.map(|row| person(own.id.0, &row)),
        Line::Passkey(own) => {
            let id = CredentialId(own.credential_id.0.clone());
            view.find::<Passkey>(&id)?.map(|row| passkey(&id, &row)).transpose()?
        }
        Line::RecoveryCode(own) => {
            let hash = own.hash.hash();
            view.find::<StoredCode>(&hash)?.map(|row| recovery_code(hash, &row))
        }
        Line::Device(own) => {
            view.find::<LinkedDevice>(&own.id)?.and_then(|row| device(&own.id, &row))
        }
        Line::Certificate(own) => {
            let id = own.fingerprint.0;
            view.find::<DeviceCertificate>(&id)?.map(|row| certificate(id, &row))
        }
        Line::Consent(own) => {
            let key = (own.user.0, own.client.0.clone(), own.host.clone());
            view.find::<Consent>(&key)?.map(|row| consent(&key, &row))
        }
        Line::SetupLink(own) => {
            view.find::<SetupLink>(&own.id.0)?.and_then(|row| setup_link(own.id.0, &row))
        }
        Line::Invitation(own) => {
            view.find::<Invitation>(&own.id.0)?.map(|row| invitation(own.id.0, &row))
        }
        Line::Applied(own) => {
            let key = (own.noun.clone(), own.name.clone());
            view.find::<Applied>(&key)?.map(|row| applied(&key, &row))
        }
    })
}
