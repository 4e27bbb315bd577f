//! Claims that an operator gives a person, beside those that the account has anyway.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;

/// The most claims of one person.
pub const MAX_CLAIMS: usize = 32;

/// The names that an operator cannot give away: those that the protocol uses (RFC 7519 §4.1, RFC
/// 7662 §2.2, RFC 8693 §4, RFC 9068 §2.2, OpenID Connect Core §2, §5.1 and §5.6.2), unless their
/// value is a text about the person, and those that this server uses.
const RESERVED: &[&str] = &[
    "_claim_names",
    "_claim_sources",
    "acr",
    "act",
    "active",
    "address",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "email",
    "email_verified",
    "entitlements",
    "events",
    "exp",
    "groups",
    "iat",
    "iss",
    "jti",
    "may_act",
    "name",
    "nbf",
    "nonce",
    "phone_number",
    "phone_number_verified",
    "plugin_id",
    "preferred_username",
    "revocable_until",
    "roles",
    "s_hash",
    "scope",
    "sid",
    "sub",
    "sub_id",
    "sub_jwk",
    "token_introspection",
    "token_type",
    "updated_at",
    "username",
    "verified_claims",
];

/// The name of a claim that an operator gives a person: 1 to 128 visible ASCII characters without
/// `=`, and none that the protocol or this server uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClaimName(Box<str>);

impl ClaimName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClaimName {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let visible = |b: u8| b.is_ascii_graphic() && b != b'=';
        if s.is_empty() || s.len() > 128 || !s.bytes().all(visible) {
            let why = "a name is 1 to 128 visible ASCII characters without =";
            return Err(Refusal::MemberMalformed("claims", why));
        }
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(s)) {
            return Err(Refusal::ClaimReserved);
        }
        Ok(Self(s.into()))
    }
}

/// The value of such a claim: 1 to 1024 bytes of text without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimValue(Box<str>);

impl FromStr for ClaimValue {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        if s.is_empty() || s.len() > 1024 || s.chars().any(char::is_control) {
            let why = "a value is 1 to 1024 bytes of text without control characters";
            return Err(Refusal::MemberMalformed("claims", why));
        }
        Ok(Self(s.into()))
    }
}

impl ClaimValue {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_protocol_and_of_this_server_are_reserved() {
        for name in ["sub", "scope", "Client_ID", "groups", "email_verified", "_claim_names"] {
            assert_eq!(name.parse::<ClaimName>(), Err(Refusal::ClaimReserved), "{name}");
        }
        for name in ["given_name", "zoneinfo", "department", "https://id.example/claims/desk"] {
            assert!(name.parse::<ClaimName>().is_ok(), "{name}");
        }
        for name in ["", "a=b", "a b", "caf\u{e9}"] {
            assert!(name.parse::<ClaimName>().is_err(), "{name}");
        }
    }

    #[test]
    fn the_reserved_names_are_in_order() {
        assert!(RESERVED.is_sorted());
    }
}
