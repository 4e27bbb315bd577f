//! Identifiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Refusal;
use crate::secret::Seed;

/// The `client_id` of bridge tokens, unless an operator names another. No client can have it.
pub const BRIDGE_CLIENT_ID: &str = "sp_bridge";

/// The `client_id` of RFC 6749 §2.2: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(Box<str>);

impl ClientId {
    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses an id that an operator chooses for a client. Ids that could be those of a metadata
    /// document, a resource, a bridge, an anonymous session or a person are refused, since the ID
    /// tokens of a client name it as their audience.
    pub fn chosen(s: &str) -> Result<Self, Refusal> {
        let prefixes = ["http:", "https:", "bridge:", AnonymousSub::PREFIX];
        let names = [BRIDGE_CLIENT_ID, "bridge", "hook", "mcp"];
        let reserved = prefixes.iter().any(|prefix| s.starts_with(prefix)) || names.contains(&s);
        if reserved || Uuid::try_parse(s).is_ok() {
            return Err(Refusal::ClientIdReserved);
        }
        s.parse()
    }
}

impl FromStr for ClientId {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let printable = s.bytes().all(|b| (0x20..=0x7e).contains(&b));
        if s.is_empty() || s.len() > 255 || !printable {
            return Err(Refusal::ClientIdMalformed);
        }
        Ok(Self(s.into()))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuids {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $refusal:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Uuid);

        impl $name {
            /// Derives an id from `seed`.
            pub fn from_seed(seed: &Seed) -> Self {
                Self(seed.uuid($label))
            }

            /// The UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(s: &str) -> Result<Self, Refusal> {
                let uuid = Uuid::try_parse(s).map_err(|_| Refusal::$refusal)?;
                // Only the spelling that `Display` writes is accepted.
                if uuid.hyphenated().to_string() != s {
                    return Err(Refusal::$refusal);
                }
                Ok(Self(uuid))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    )*};
}

uuids! {
    /// A passkey ceremony, from its challenge to its response.
    CeremonyId = "ceremony", CeremonyUnknown;
    /// A grant: what a person allowed a client, and every token under it.
    GrantId = "grant", BearerTokenMalformed;
    /// An interaction: a stored request of a browser whose response is pending.
    InteractionId = "interaction", InteractionUnknown;
    /// An invitation, by which several people make their accounts.
    InvitationId = "invitation", InvitationNotFound;
    /// A setup link.
    LinkId = "link", SetupLinkNotFound;
    /// A passkey, as people and operators name it. The id of its credential is the authenticator's.
    PasskeyId = "passkey", PasskeyNotFound;
    /// A session: the `sid` of OpenID Connect Back-Channel Logout §2.1.
    SessionId = "session", BearerTokenMalformed;
    /// A person: the `sub` of OpenID Connect Core §2.
    UserId = "user", BearerTokenMalformed;
}

/// The `sub` of an anonymous session: `anon_` and a UUID. No person or client has such a `sub`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnonymousSub(Uuid);

impl AnonymousSub {
    /// The prefix, which no other `sub` has.
    const PREFIX: &'static str = "anon_";

    /// Derives a `sub` from `seed`.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(seed.uuid("anonymous"))
    }

    /// Whether `sub` is that of an anonymous session.
    pub fn is_in(sub: &str) -> bool {
        sub.starts_with(Self::PREFIX)
    }
}

impl From<Uuid> for AnonymousSub {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for AnonymousSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0.simple())
    }
}

/// The `kid` of RFC 7517 §4.5: the RFC 7638 thumbprint of the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// The id of a thumbprint.
    pub fn new(thumbprint: &str) -> Self {
        Self(thumbprint.into())
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_may_choose_any_printable_id() {
        for id in ["shop", "my app: #1 + 100% \"ok\"", "~"] {
            assert_eq!(ClientId::chosen(id).map(|id| id.to_string()), Ok(id.to_string()));
        }
    }

    #[test]
    fn an_id_that_could_be_mistaken_for_something_else_is_reserved() {
        for id in [
            "http://a.example/c",
            "https://a.example/c",
            "bridge:x",
            "anon_1",
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "mcp",
        ] {
            assert_eq!(ClientId::chosen(id), Err(Refusal::ClientIdReserved));
        }
    }

    #[test]
    fn an_id_outside_printable_ascii_is_refused() {
        for id in ["", "é", "a\nb", &"x".repeat(256)] {
            assert_eq!(id.parse::<ClientId>(), Err(Refusal::ClientIdMalformed));
        }
    }

    #[test]
    fn a_uuid_has_one_spelling() {
        let written = "0190163d-8694-739b-aea5-966c26f8ad91";

        assert_eq!(written.parse::<UserId>().map(|id| id.to_string()), Ok(written.to_string()));
        assert!(written.to_uppercase().parse::<UserId>().is_err());
        assert!(written.replace('-', "").parse::<UserId>().is_err());
    }
}
