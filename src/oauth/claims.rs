//! The claims of tokens: access tokens ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)), ID
//! tokens ([OpenID Connect Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken))
//! and logout tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

use crate::clock::Timestamp;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::GrantId;
use crate::oauth::scope::Scope;

/// The `acr` of every sign-in at this server: phishing-resistant (OpenID EAP ACR Values §4).
pub const PHISHING_RESISTANT: &str = "phr";

/// `aud` (RFC 7519 §4.1.3): one value as a string, several as an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One audience.
    One(String),
    /// Several audiences.
    Many(Vec<String>),
}

impl Audience {
    /// Whether it contains `name`.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::Many(own) => own.iter().any(|own| own == name),
        }
    }
}

impl Audience {
    /// All audiences, with spaces between them.
    pub fn joined(&self) -> String {
        match self {
            Self::One(own) => own.clone(),
            Self::Many(own) => own.join(" "),
        }
    }
}

impl From<Vec<String>> for Audience {
    fn from(names: Vec<String>) -> Self {
        match <[String; 1]>::try_from(names) {
            Ok([one]) => Self::One(one),
            Err(many) => Self::Many(many),
        }
    }
}

/// The claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of RFC 9068 §2.2")]
pub struct AccessClaims {
    pub iss: String,
    pub sub: String,
    pub aud: Audience,
    pub exp: u64,
    pub iat: u64,
    pub nbf: u64,
    pub jti: String,
    pub client_id: String,
    #[serde(skip_serializing_if = "Scope::is_empty", default)]
    pub scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// Of this server alone: the time until which a revocation of the token is remembered, if that
    /// is later than `exp`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revocable_until: Option<u64>,
}

impl AccessClaims {
    /// The time until which a revocation of the token is remembered.
    pub fn revocable_until(&self) -> Timestamp {
        Timestamp::from_seconds(self.revocable_until.unwrap_or(self.exp))
    }

    /// The time of its issue as a `NumericDate`: `iat`, or the latest time that there had been, if
    /// the clock had gone back.
    pub fn issued_by_latest(&self) -> u64 {
        self.iat + self.revocable_until.map_or(0, |until| until.saturating_sub(self.exp))
    }
}

/// What the `jti` of a hook token begins with, so that no grant is taken for a linked device.
const OF_DEVICE: &str = "d-";

/// The `jti` of a token: the id of its grant, a dot and a random part. The grant of a token is
/// found by it, since access tokens are not stored. Without a grant it is only the random part.
pub fn jti(grant: Option<GrantId>, random: [u8; 32]) -> String {
    match grant {
        Some(grant) => format!("{grant}.{}", random_part(random)),
        None => random_part(random),
    }
}

/// The `jti` of a hook token, by which its linked device is found.
pub fn jti_of_device(device: &str, random: [u8; 32]) -> String {
    format!("{OF_DEVICE}{device}.{}", random_part(random))
}

fn random_part(random: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(random.first_chunk::<16>().copied().unwrap_or_default())
}

/// The grant that a `jti` names.
pub fn grant_of(jti: &str) -> Option<GrantId> {
    jti.split_once('.').and_then(|(grant, _)| grant.parse().ok())
}

/// The id of the linked device that a `jti` names.
pub fn device_of(jti: &str) -> Option<&str> {
    jti.strip_prefix(OF_DEVICE)?.split_once('.').map(|(device, _)| device)
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of OpenID Connect Core §2")]
pub struct IdClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub azp: String,
    pub exp: u64,
    pub iat: u64,
    pub auth_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    pub acr: String,
    pub amr: Vec<String>,
    pub sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    #[serde(flatten)]
    pub profile: Profile,
}

/// The claims of a logout token (OpenID Connect Back-Channel Logout §2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of Back-Channel Logout §2.4")]
pub struct LogoutClaims {
    pub iss: String,
    pub aud: String,
    pub iat: u64,
    pub exp: u64,
    pub jti: String,
    pub events: LogoutEvents,
    pub sub: String,
    pub sid: String,
}

/// The `events` claim, which makes a token a logout token: one member of that name, whose value is
/// an empty object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogoutEvents {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    logout: Nothing,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Nothing {}

/// The claims about a person that scopes request (OpenID Connect Core §5.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of OpenID Connect Core §5.1")]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The groups and roles of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Their roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Those that an operator gave them, by name.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// `at_hash` (OpenID Connect Core §3.1.3.6): the left half of the hash of the access token, with
/// the hash function of the ID token's algorithm. For Ed25519 that is SHA-512.
pub fn at_hash(alg: SigningAlg, access_token: &str) -> String {
    match alg {
        SigningAlg::EdDsa => {
            let hash: [u8; 64] = Sha512::digest(access_token).into();
            URL_SAFE_NO_PAD.encode(hash.first_chunk::<32>().copied().unwrap_or_default())
        }
        SigningAlg::Es256 | SigningAlg::Rs256 => {
            let hash: [u8; 32] = Sha256::digest(access_token).into();
            URL_SAFE_NO_PAD.encode(hash.first_chunk::<16>().copied().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenID Connect Core A.3
    #[test]
    fn at_hash_is_that_of_the_specifications_example() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

        assert_eq!(at_hash(SigningAlg::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn a_jti_leads_to_its_grant() {
        let grant: GrantId = "0190163d-8694-439b-aea5-966c26f8ad91".parse().unwrap();

        assert_eq!(grant_of(&jti(Some(grant), [7; 32])), Some(grant));
        assert_eq!(grant_of(&jti(None, [7; 32])), None);
    }

    #[test]
    fn a_jti_leads_to_its_linked_device_and_to_no_grant() {
        let jti_of_device = jti_of_device("0123456789ab", [7; 32]);

        assert_eq!(device_of(&jti_of_device), Some("0123456789ab"));
        assert_eq!(grant_of(&jti_of_device), None);
        assert_eq!(device_of(&jti(None, [7; 32])), None);
    }

    #[test]
    fn one_audience_is_a_string_and_several_are_an_array() {
        let one = Audience::from(vec!["a".to_owned()]);
        let two = Audience::from(vec!["a".to_owned(), "b".to_owned()]);

        assert_eq!(serde_json::to_string(&one).unwrap(), r#""a""#);
        assert_eq!(serde_json::to_string(&two).unwrap(), r#"["a","b"]"#);
        assert!(one.has("a") && two.has("b") && !one.has("b"));
    }
}
