//! The lines of things: scopes, roles, resources, clients, and the marks of applied files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::member::{Bytes, Digest, Moment, Text, line};
use crate::model::person::Role;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::{Scope, ScopeToken};

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
