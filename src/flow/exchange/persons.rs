//! The lines of people, and of what they have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::member::{Bytes, Digest, Moment, Text, line};
use crate::model::authenticator::Aaguid;
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::email::Email;
use crate::model::fingerprint::Fingerprint;
use crate::model::person::{Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::{ClientId, InvitationId, LinkId, PasskeyId, UserId};
use crate::oauth::scope::Scope;

line! {
    /// A person.
    PersonLine {
        /// Their claims.
        claims: BTreeMap<Text<ClaimName>, Text<ClaimValue>>,
        /// The time of the creation of the account.
        created: Moment,
        /// Whether they are disabled.
        disabled: bool,
        /// Their display name.
        display_name: Text<DisplayName>,
        /// Their e-mail address.
        email: Option<EmailMember>,
        /// Their groups.
        groups: Vec<Text<Group>>,
        /// Their id, which is their `sub`.
        id: Text<UserId>,
        /// Their roles.
        roles: Vec<Text<Role>>,
        /// The last time at which all of their sessions ended at once.
        signed_out: Option<Moment>,
        /// The time at which they were last disabled.
        tokens_valid_after: Option<Moment>,
        /// The time of the last change.
        updated: Moment,
        /// The name of the account.
        username: Text<Username>,
    }
}

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmailMember {
    /// The address.
    pub(super) address: Text<Email>,
    /// Who vouches for it.
    pub(super) vouched: VouchedMember,
}

/// Who says that an address is the person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum VouchedMember {
    /// An operator entered it, and the policy decides.
    Policy,
    /// Nobody: the person typed it.
    Typed,
    /// An operator said that it is not.
    Unverified,
    /// An operator said that it is.
    Verified,
}

line! {
    /// A passkey, of which there is no secret here.
    PasskeyLine {
        /// The model of its authenticator.
        aaguid: Option<Aaguid>,
        /// Whether it is synchronised.
        backed_up: bool,
        /// Whether it may be synchronised.
        backup_eligible: bool,
        /// The time of its registration.
        created: Moment,
        /// Its public key and its counter.
        credential: Value,
        /// The id that its authenticator gave it, in base64url.
        credential_id: Bytes,
        /// Its id here.
        id: Text<PasskeyId>,
        /// Its name.
        name: Text<DisplayName>,
        /// How browsers reach its authenticator.
        transports: Vec<String>,
        /// The last use.
        used: Option<Moment>,
        /// Its person.
        user: Text<UserId>,
    }
}

line! {
    /// A recovery code.
    RecoveryCodeLine {
        /// The time at which it was made.
        created: Moment,
        /// Its hash.
        hash: Digest,
        /// The time of its use.
        used: Option<Moment>,
        /// Its person.
        user: Text<UserId>,
    }
}

line! {
    /// A linked device with a personal access token or a certificate.
    DeviceLine {
        /// The time of its creation.
        created: Moment,
        /// Its expiry.
        expires: Moment,
        /// The hash of its secret of the hook client.
        hook: Option<Digest>,
        /// Its id.
        id: String,
        /// The way in which it comes in.
        means: MeansMember,
        /// Its name.
        name: Text<DisplayName>,
        /// The last use.
        used: Option<Moment>,
        /// Its person.
        user: Text<UserId>,
    }
}

/// The way in which a linked device comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum MeansMember {
    /// By the certificate with this fingerprint.
    Certificate(Text<Fingerprint>),
    /// By a personal access token.
    Token {
        /// Its expiry.
        expires: Moment,
        /// The hash of its secret part.
        hash: Digest,
        /// Its origin.
        origin: TokenOriginMember,
    },
}

/// The origin of a personal access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenOriginMember {
    /// A login of a device that sent its name.
    NamedLogin,
    /// An operator.
    Operator,
    /// A login of a device that sent no name.
    UnnamedLogin,
}

line! {
    /// A registered certificate of a device.
    CertificateLine {
        /// The time of its registration.
        created: Moment,
        /// The linked device that has it.
        device: String,
        /// The last second of its validity.
        expires: Moment,
        /// Its fingerprint.
        fingerprint: Text<Fingerprint>,
        /// The name of the device.
        name: Text<DisplayName>,
        /// The time of its revocation.
        revoked: Option<Moment>,
        /// The last use.
        used: Option<Moment>,
        /// Its person.
        user: Text<UserId>,
    }
}

line! {
    /// A remembered consent.
    ConsentLine {
        /// The scope for each resource.
        allowed: Vec<AllowedMember>,
        /// The client.
        client: Text<ClientId>,
        /// The time at which it was last given or widened.
        given: Moment,
        /// The host of the redirect URI.
        host: String,
        /// The person.
        user: Text<UserId>,
    }
}

/// What a consent allows at a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowedMember {
    /// The canonical spelling of the resource.
    pub(super) resource: String,
    /// The scope.
    pub(super) scope: Scope,
}

line! {
    /// An open setup link.
    SetupLinkLine {
        /// The time of its creation.
        created: Moment,
        /// Its expiry.
        expires: Moment,
        /// Its id.
        id: Text<LinkId>,
        /// The person or the client that made it; null: an operator.
        made_by: Option<MakerMember>,
        /// What it is for.
        purpose: PurposeMember,
        /// The hash of its token.
        token: Digest,
        /// The person it is for.
        user: Text<UserId>,
    }
}

/// What a setup link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PurposeMember {
    /// A further passkey.
    Further,
    /// The first passkey.
    New,
    /// A new passkey for a lost one.
    Recovery,
}

/// Who made a link, with whom it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MakerMember {
    /// The client that sent the token, or acts for itself.
    pub(super) client: Option<Text<ClientId>>,
    /// The administrator.
    pub(super) person: Option<Text<UserId>>,
}

line! {
    /// An open invitation.
    InvitationLine {
        /// The time of its creation.
        created: Moment,
        /// Its expiry.
        expires: Moment,
        /// The groups of whoever comes by it.
        groups: Vec<Text<Group>>,
        /// Its id.
        id: Text<InvitationId>,
        /// The person or the client that made it; null: an operator.
        made_by: Option<MakerMember>,
        /// The roles of whoever comes by it.
        roles: Vec<Text<Role>>,
        /// The hash of its token.
        token: Digest,
        /// The number of people who have come by it.
        used: u32,
        /// The most people who may.
        uses: u32,
    }
}
