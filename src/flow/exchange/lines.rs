//! The lines of an export: one object of JSON for each thing.
//!
//! These are no rows: a row may change its layout, and a line stays. What a line names has the names of
//! the protocols where those have one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::member::{Bytes, Digest, Fault, Moment, Text, line, take};
use crate::model::authenticator::Aaguid;
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::email::Email;
use crate::model::fingerprint::Fingerprint;
use crate::model::person::{Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::{ClientId, InvitationId, LinkId, PasskeyId, UserId};
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::{Scope, ScopeToken};

/// The number of the format of these lines.
pub(super) const FORMAT: u32 = 1;

line! {
    /// The first line: what the others are.
    Header {
        /// The time of the snapshot.
        at: Moment,
        /// The number of the format.
        format: u32,
        /// The value by which the key of hashes is recognised, by the number of its generation.
        hash_keys: BTreeMap<String, String>,
        /// The issuer.
        issuer: String,
        /// What is not in the file, on purpose.
        left_out: Vec<String>,
        /// The relying party of the passkeys: the host of the issuer.
        rp_id: String,
        /// The version of the program.
        version: String,
    }
}

line! {
    /// The last line, without which a file was cut.
    Trailer {
        /// The number of lines before it.
        lines: u64,
        /// The SHA-256 of all lines before it with their ends, in hexadecimal digits.
        sha256: String,
    }
}

line! {
    /// A scope that an applied file defined.
    ScopeLine {
        /// What the consent page says of it.
        description: String,
        /// Its name.
        name: Text<ScopeToken>,
        /// Whether every person may grant it, and every client ask for it.
        open: bool,
    }
}

line! {
    /// A role that an applied file defined.
    RoleLine {
        /// Its name.
        name: Text<Role>,
        /// The scopes that its people may grant.
        scope: Scope,
    }
}

line! {
    /// A resource.
    ResourceLine {
        /// Whether its introspection knows the tokens of bridges.
        accepts_bridge: bool,
        /// The client with whose credentials it introspects.
        client: Option<Text<ClientId>>,
        /// The time of its registration.
        created: Moment,
        /// Its name.
        name: Text<DisplayName>,
        /// Whether every client may ask for its scopes.
        open: bool,
        /// Its URI.
        resource: Text<Resource>,
        /// Its scopes.
        scope: Scope,
        /// The type of its access tokens.
        typ: TokenType,
    }
}

line! {
    /// A client.
    ClientLine {
        /// Its id.
        client_id: Text<ClientId>,
        /// The time of its registration.
        created: Moment,
        /// The decisions of the operator, by the names of the operator's API.
        decisions: Map<String, Value>,
        /// Whether it is enabled.
        enabled: bool,
        /// Its logo, in base64url.
        logo: Option<Bytes>,
        /// Its metadata, by the names of RFC 7591.
        metadata: Map<String, Value>,
        /// How it came to be.
        origin: OriginMember,
        /// The person it belongs to.
        owner: Option<Text<UserId>>,
        /// The verifier of its secret.
        secret: Option<SecretMember>,
    }
}

/// How a client came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OriginMember {
    /// By the document at the URL that is its id, which is fetched again.
    Document {
        /// The person who has used it.
        held_by: Option<Text<UserId>>,
        /// The time at which it may be removed if it holds no live grant.
        unused: Moment,
    },
    /// By dynamic registration.
    Dynamic {
        /// The hash of its metadata.
        fingerprint: Digest,
        /// The person who has used it.
        held_by: Option<Text<UserId>>,
        /// The hash of its registration access token.
        registration: Digest,
        /// The time at which it may be removed if it holds no live grant.
        unused: Moment,
    },
    /// By a bridge.
    Hook,
    /// By a document that an operator imported.
    Imported,
    /// By an operator.
    Operator,
}

/// The verifier of a client secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum SecretMember {
    /// The Argon2id hash of a secret that a person chose, in PHC form. It needs no key.
    Chosen(String),
    /// The secrets of its owner's linked devices.
    Devices,
    /// The keyed hash of a secret that the server made.
    Made(Digest),
}

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

line! {
    /// The mark of something that an applied file made.
    AppliedLine {
        /// The creation of what was made.
        created: Moment,
        /// The people whom it put into a group.
        members: Vec<Text<UserId>>,
        /// The name of what was made.
        name: String,
        /// Its noun.
        noun: String,
    }
}

/// Declares the kinds of lines, in the order in which they are written.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($line:ident) = $name:literal,)*) => {
        /// A line between the first and the last.
        #[derive(Clone, Debug)]
        pub(super) enum Line {
            $($(#[$doc])* $kind($line),)*
        }

        impl Line {
            /// The names of the kinds.
            pub(super) const KINDS: &[&str] = &[$($name),*];

            /// The name of its kind.
            pub(super) const fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)* }
            }

            /// Its members, without the kind.
            pub(super) fn members(&self) -> Map<String, Value> {
                let value = match self { $(Self::$kind(line) => serde_json::to_value(line),)* };
                match value {
                    Ok(Value::Object(members)) => members,
                    // Every member has text for its keys.
                    Ok(_) | Err(_) => Map::new(),
                }
            }

            fn of(kind: &str, members: Map<String, Value>) -> Result<Self, Fault> {
                match kind {
                    $($name => $line::read(members).map(Self::$kind),)*
                    _ => {
                        let known = Self::KINDS.join(", ");
                        Err(Fault::at("kind", format!("{kind:?} is none; there is {known}")))
                    }
                }
            }
        }
    };
}

kinds! {
    /// A scope.
    Scope(ScopeLine) = "scope",
    /// A role.
    Role(RoleLine) = "role",
    /// A resource.
    Resource(ResourceLine) = "resource",
    /// A client.
    Client(ClientLine) = "client",
    /// A person.
    Person(PersonLine) = "person",
    /// A passkey.
    Passkey(PasskeyLine) = "passkey",
    /// A recovery code.
    RecoveryCode(RecoveryCodeLine) = "recovery_code",
    /// A linked device.
    Device(DeviceLine) = "device",
    /// A certificate.
    Certificate(CertificateLine) = "certificate",
    /// A consent.
    Consent(ConsentLine) = "consent",
    /// A setup link.
    SetupLink(SetupLinkLine) = "setup_link",
    /// An invitation.
    Invitation(InvitationLine) = "invitation",
    /// The mark of an applied file.
    Applied(AppliedLine) = "applied",
}

/// Any line of a file.
pub(super) enum AnyLine {
    /// The first.
    Header(Header),
    /// One between.
    Line(Line),
    /// The last.
    Trailer(Trailer),
}

impl AnyLine {
    /// Reads a line. Every member has to be there, and no other.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(text: &[u8]) -> Result<Self, Fault> {
        let value = serde_json::from_slice(text)
            .map_err(|error| Fault::whole(format!("this is no JSON: {}", without_line(&error))))?;
        let Value::Object(mut members) = value else {
            return Err(Fault::whole("an object is expected"));
        };
        let kind: String = take(&mut members, "kind")?;
        Ok(match kind.as_str() {
            HEADER => Self::Header(Header::read(members)?),
            TRAILER => Self::Trailer(Trailer::read(members)?),
            other => Self::Line(Line::of(other, members)?),
        })
    }
}

/// The sentence of the parser, whose line is always the first.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// The kind of the first line.
pub(super) const HEADER: &str = "header";
/// The kind of the last line.
pub(super) const TRAILER: &str = "end";

/// The bytes of a line of a kind, with its end. The kind comes first, for whoever reads it.
pub(super) fn written(kind: &str, members: &Map<String, Value>) -> Vec<u8> {
    let members = Value::Object(members.clone()).to_string();
    let rest = members.strip_prefix('{').unwrap_or(&members);
    let between = if rest == "}" { "" } else { "," };
    format!("{{\"kind\":{}{between}{rest}\n", Value::from(kind)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (Option<String>, String) {
        let fault = AnyLine::read(text.as_bytes()).err().unwrap();
        (fault.member, fault.sentence)
    }

    #[test]
    fn a_line_is_read_as_it_is_written_with_its_kind_first() {
        let text = r#"{"kind":"scope","description":"Look","name":"orders:read","open":true}"#;

        let Ok(AnyLine::Line(line)) = AnyLine::read(text.as_bytes()) else { panic!("a scope") };

        assert_eq!(line.kind(), "scope");
        assert_eq!(written(line.kind(), &line.members()), format!("{text}\n").into_bytes());
    }

    #[test]
    fn a_line_is_read_strictly() {
        let member = |text: &str| fault(text).0.unwrap_or_default();

        assert_eq!(member(r#"{"kind":"ghost"}"#), "kind");
        assert_eq!(member(r#"{"kind":"role","name":"a"}"#), "scope");
        assert_eq!(member(r#"{"kind":"role","name":"a b","scope":""}"#), "name");
        assert_eq!(member(r#"{"kind":"role","name":1,"scope":""}"#), "name");
        let unknown = fault(r#"{"kind":"role","name":"a","scope":"","more":1}"#);
        assert_eq!(unknown.0.as_deref(), Some("more"));
        assert!(unknown.1.ends_with("there is name scope"), "{}", unknown.1);
        assert!(fault("{").1.starts_with("this is no JSON: EOF"));
        assert_eq!(fault("[]").1, "an object is expected");
    }
}
