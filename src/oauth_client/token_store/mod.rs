//! The stored sign-in: the refresh token, and the access tokens, one for each resource and scope
//! that was requested.
//!
//! `store` reads and replaces the file of an issuer, which only its owner can read; `seal` seals it
//! under a key that `keyring` holds, if there is a keyring. This module does not contact a server.

pub(crate) mod keyring;
mod seal;
mod store;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;

use super::token::Tokens;

pub(crate) use self::store::{Locked, StoredSignIn, TokenFile};
pub(crate) use crate::oauth_client::opaque::Opaque;

/// The minimum remaining lifetime of a token that is returned, in seconds.
const MIN_VALIDITY: u64 = 60;

/// The most stored access tokens; the oldest are removed first.
const MAX_ACCESS_TOKENS: usize = 64;

/// The claims of an ID token that are stored, for `whoami` if userinfo is unavailable.
const CLAIMS: [&str; 4] = ["sub", "preferred_username", "name", "email"];

/// The purpose of a token: a resource (RFC 8707), or the server's default if none is named, and a
/// scope, or all that was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenPurpose {
    pub(crate) resource: Option<String>,
    pub(crate) scope: Option<String>,
}

impl TokenPurpose {
    /// The purpose of `resource` and `scopes`. The order of the scopes does not matter.
    pub(crate) fn new(resource: Option<String>, scopes: &[String]) -> Self {
        let mut scopes: Vec<&str> = scopes.iter().flat_map(|s| s.split_whitespace()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self { resource, scope: Some(scopes.join(" ")).filter(|scope| !scope.is_empty()) }
    }
}

/// An access token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    /// Expiry, as a `NumericDate`.
    pub(crate) expires_at: u64,
    lifetime: u64,
    pub(crate) purpose: TokenPurpose,
    /// The granted scope, if the server stated it.
    pub(crate) scope: Option<String>,
    #[serde(serialize_with = "Opaque::serialize_exposed")]
    pub(crate) token: Opaque,
}

impl AccessToken {
    /// The access token of `tokens`, for `purpose`.
    fn new(tokens: &Tokens, purpose: TokenPurpose, now: Timestamp) -> Self {
        Self {
            expires_at: now.seconds().saturating_add(tokens.expires_in),
            lifetime: tokens.expires_in,
            purpose,
            scope: tokens.scope.clone(),
            token: tokens.access_token.clone(),
        }
    }

    /// Whether it is valid for another minute, or, if its whole lifetime is not longer than that,
    /// for another half of its lifetime.
    fn is_usable(&self, now: Timestamp) -> bool {
        let margin = if self.lifetime > MIN_VALIDITY { MIN_VALIDITY } else { self.lifetime / 2 };
        now.seconds().saturating_add(margin) <= self.expires_at
    }
}

/// A sign-in.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) access: Vec<AccessToken>,
    /// The stored claims of the ID token.
    pub(crate) claims: Map<String, Value>,
    #[serde(serialize_with = "Opaque::serialize_optional")]
    pub(crate) refresh_token: Option<Opaque>,
    /// The requested resources.
    resources: Vec<String>,
    /// The granted scope.
    pub(crate) scope: Option<String>,
}

impl Session {
    /// The session of a sign-in for `resources`.
    pub(crate) fn new(
        tokens: Tokens,
        claims: &Map<String, Value>,
        resources: Vec<String>,
        now: Timestamp,
    ) -> Self {
        let claims = CLAIMS.iter().filter_map(|name| {
            let claim = claims.get(*name).filter(|claim| claim.is_string())?;
            Some(((*name).to_owned(), claim.clone()))
        });
        let mut session = Self {
            access: Vec::new(),
            claims: claims.collect(),
            refresh_token: None,
            resources,
            scope: tokens.scope.clone(),
        };
        session.keep(tokens, session.resolve(&TokenPurpose::default()), now);
        session
    }

    /// Completes a purpose: if it names no resource and the sign-in was for exactly one, that one
    /// is meant.
    pub(crate) fn resolve(&self, asked: &TokenPurpose) -> TokenPurpose {
        let only = || match self.resources.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        TokenPurpose { resource: asked.resource.clone().or_else(only), scope: asked.scope.clone() }
    }

    /// The token for `purpose`, if a usable one is stored.
    pub(crate) fn usable(&self, purpose: &TokenPurpose, now: Timestamp) -> Option<&AccessToken> {
        self.access.iter().find(|own| own.purpose == *purpose && own.is_usable(now))
    }

    /// Stores the result of a refresh. RFC 6749 §6: "The authorization server MAY issue a new
    /// refresh token, in which case the client MUST discard the old refresh token".
    pub(crate) fn keep(&mut self, tokens: Tokens, purpose: TokenPurpose, now: Timestamp) {
        self.access.retain(|own| own.purpose != purpose && now.seconds() < own.expires_at);
        if self.access.len() >= MAX_ACCESS_TOKENS {
            self.access.remove(0);
        }
        self.access.push(AccessToken::new(&tokens, purpose, now));
        if tokens.refresh_token.is_some() {
            self.refresh_token = tokens.refresh_token;
        }
    }

    /// Removes the token for `purpose`; if `named` is given, only if it is that token.
    pub(crate) fn forget(&mut self, purpose: &TokenPurpose, named: Option<&str>) {
        let resolve = |own: &AccessToken| {
            own.purpose == *purpose && named.is_none_or(|named| own.token.is(named))
        };
        self.access.retain(|own| !resolve(own));
    }

    /// The name of the person for display.
    pub(crate) fn name(&self) -> String {
        let named = ["preferred_username", "name", "email", "sub"];
        let mut names = named.iter().filter_map(|name| self.claims.get(*name)?.as_str());
        names.next().map_or_else(String::new, crate::oauth_client::printable)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn tokens(access: &str, lifetime: u64, refresh: Option<&str>) -> Tokens {
        serde_json::from_value(json!({
            "access_token": access, "token_type": "Bearer", "expires_in": lifetime,
            "refresh_token": refresh,
        }))
        .unwrap()
    }

    fn session(lifetime: u64) -> Session {
        let claims = Map::from_iter([("sub".to_owned(), json!("1")), ("x".to_owned(), json!("y"))]);
        Session::new(tokens("one", lifetime, Some("first")), &claims, Vec::new(), NOW)
    }

    fn token_at(session: &Session, later: u64) -> Option<&str> {
        let now = NOW + Duration::from_secs(later);
        session.usable(&TokenPurpose::default(), now).map(|access| access.token.expose())
    }

    #[test]
    fn a_token_is_handed_out_while_it_is_good_for_a_minute() {
        let session = session(900);

        assert_eq!(token_at(&session, 840), Some("one"));
        assert_eq!(token_at(&session, 841), None);
    }

    #[test]
    fn a_token_that_never_lasts_a_minute_serves_for_half_its_life() {
        assert_eq!(token_at(&session(60), 30), Some("one"));
        assert_eq!(token_at(&session(60), 31), None);
        assert_eq!(token_at(&session(0), 1), None);
    }

    #[test]
    fn each_purpose_has_its_own_token() {
        let mut session = session(900);
        let mail = TokenPurpose::new(None, &["mail  a".to_owned(), "a".to_owned()]);
        session.keep(tokens("two", 900, None), mail.clone(), NOW);

        assert_eq!(mail.scope.as_deref(), Some("a mail"));
        assert_eq!(session.usable(&mail, NOW).map(|own| own.token.expose()), Some("two"));
        assert_eq!(token_at(&session, 0), Some("one"));
        assert_eq!(session.refresh_token.as_ref().map(Opaque::expose), Some("first"));
        session.forget(&mail, Some("another"));
        assert!(session.usable(&mail, NOW).is_some());
        session.forget(&mail, Some("two"));
        assert!(session.usable(&mail, NOW).is_none());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let written = serde_json::to_vec(&session(900)).unwrap();

        let read: Session = serde_json::from_slice(&written).unwrap();

        assert_eq!(token_at(&read, 0), Some("one"));
        assert_eq!((read.name().as_str(), read.claims.len()), ("1", 1));
    }

    #[test]
    fn the_one_resource_that_was_signed_in_for_is_meant_where_none_is_named() {
        let resource = || "https://api.example".to_owned();
        let one = Session::new(tokens("a", 9, None), &Map::new(), vec![resource()], NOW);

        assert_eq!(one.resolve(&TokenPurpose::default()).resource, Some(resource()));
        assert_eq!(session(9).resolve(&TokenPurpose::default()).resource, None);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut session = session(900);
        for n in 0..100 {
            session.keep(tokens("t", 900, None), TokenPurpose::new(Some(n.to_string()), &[]), NOW);
        }

        assert_eq!(session.access.len(), MAX_ACCESS_TOKENS);
    }
}
