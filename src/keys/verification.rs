//! Verification of this server's own JWTs: as an access token, as a hint, or for an operator. Each
//! has a result type of its own.

use std::sync::Arc;

use jsonwebtoken::crypto::verify;
use serde_json::Value;

use super::verified::Remembered;
use super::{KeyRing, SigningKey, algorithm};
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::oauth::claims::{AccessClaims, IdClaims};
use crate::oauth::jwt::Compact;

/// The `typ` values of this server's JWTs: RFC 9068 §2.1, RFC 7519 §5.1, OpenID Connect
/// Back-Channel Logout §2.4.
const ACCESS_TOKEN: &str = "at+jwt";
/// ID tokens, and access tokens for a resource that takes no other type.
const JWT: &str = "JWT";
const LOGOUT_TOKEN: &str = "logout+jwt";

impl KeyRing {
    /// Verifies that a published key of this ring signed an access token (RFC 9068). The caller
    /// checks expiry and audience.
    ///
    /// # Errors
    ///
    /// [`Refusal::BearerTokenMalformed`], [`Refusal::BearerTokenSignatureWrong`], or
    /// [`Refusal::BearerTokenKeyRetired`], so that a key that leaks after its retirement is
    /// useless.
    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<VerifiedAccess, Refusal> {
        let digest = self.verified.digest(token);
        let remembered = digest.as_ref().and_then(|digest| self.verified.find(digest));
        if let Some(Remembered { claims, key }) = remembered {
            return if key.is_published(now) {
                Ok(VerifiedAccess(claims))
            } else {
                Err(Refusal::BearerTokenKeyRetired)
            };
        }
        let compact = Compact::parse(token)?;
        let key = match self.signature(&compact, now) {
            (Signature::Valid, Some(key)) => Arc::clone(key),
            (Signature::Retired(_), _) => return Err(Refusal::BearerTokenKeyRetired),
            (Signature::UnknownKey | Signature::Valid | Signature::Wrong, _) => {
                return Err(Refusal::BearerTokenSignatureWrong);
            }
        };
        if kind(&compact, &compact.claims()?) != JwtKind::Access {
            return Err(Refusal::BearerTokenMalformed);
        }
        let claims = Arc::new(compact.claims()?);
        if let Some(digest) = digest {
            self.verified.insert(digest, Remembered { claims: Arc::clone(&claims), key });
        }
        Ok(VerifiedAccess(claims))
    }

    /// Verifies an ID token that is sent as a hint (OpenID Connect Core §3.1.2.1). It may have
    /// expired, and the key that signed it may have retired.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdTokenHintMalformed`] for everything but an ID token of this server, including
    /// access tokens and logout tokens.
    pub fn verify_hint(&self, token: &str, now: Timestamp) -> Result<VerifiedHint, Refusal> {
        let token = Compact::parse(token).map_err(|_| Refusal::IdTokenHintMalformed)?;
        let signed = match self.signature(&token, now).0 {
            Signature::Retired(_) | Signature::Valid => true,
            Signature::UnknownKey | Signature::Wrong => false,
        };
        let claims = token.claims().map_err(|_| Refusal::IdTokenHintMalformed)?;
        if !signed || kind(&token, &claims) != JwtKind::Id {
            return Err(Refusal::IdTokenHintMalformed);
        }
        token.claims().map(VerifiedHint).map_err(|_| Refusal::IdTokenHintMalformed)
    }

    /// Reads the claims and the signature of a JWT, for an operator who wants to know what a token
    /// is. The result proves nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::BearerTokenMalformed`] if it is no JWT.
    pub fn examine(&self, token: &str, now: Timestamp) -> Result<Examined, Refusal> {
        let token = Compact::parse(token)?;
        let claims = token.claims().unwrap_or_default();
        let kind = kind(&token, &claims);
        Ok(Examined { claims, kind, signature: self.signature(&token, now).0 })
    }

    /// Checks the signature of a token, and returns the key that it names. The algorithm is that of the
    /// key named by `kid`, not that of the header.
    fn signature(
        &self,
        token: &Compact<'_>,
        now: Timestamp,
    ) -> (Signature, Option<&Arc<SigningKey>>) {
        let kid = token.header().kid.as_ref();
        let Some(key) = self.keys.iter().find(|key| kid == Some(&key.id)) else {
            return (Signature::UnknownKey, None);
        };
        let (signature, input) = (token.signature(), token.signing_input().as_bytes());
        let verified = verify(signature, input, &key.decoding, algorithm(key.alg));
        let signature = match (verified, key.retires) {
            (Ok(true), Some(retired)) if now >= retired => Signature::Retired(retired),
            (Ok(true), _) => Signature::Valid,
            (Ok(false) | Err(_), _) => Signature::Wrong,
        };
        (signature, Some(key))
    }
}

/// Proof that a published key of this server signed an access token with these claims.
#[derive(Clone, Debug)]
pub struct VerifiedAccess(Arc<AccessClaims>);

impl VerifiedAccess {
    /// Its claims.
    pub fn claims(&self) -> &AccessClaims {
        &self.0
    }
}

/// Proof that this server once issued an ID token with these claims.
#[derive(Clone, Debug)]
pub struct VerifiedHint(IdClaims);

impl VerifiedHint {
    /// Its claims.
    pub fn claims(&self) -> &IdClaims {
        &self.0
    }
}

/// A JWT as it was read, which proves nothing.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Its claims; null if they cannot be read.
    pub claims: Value,
    /// Its kind.
    pub kind: JwtKind,
    /// The state of its signature.
    pub signature: Signature,
}

/// The kind of a JWT, by its `typ` and, where several kinds have one, by its claims. RFC 8725
/// §3.12: the rules for the kinds of an issuer's JWTs "MUST be mutually exclusive". Every access
/// token has a `client_id` (RFC 9068 §2.2), and nothing else of the type `JWT` has that or a `scope`.
fn kind(token: &Compact<'_>, claims: &Value) -> JwtKind {
    let has = |claim| claims.get(claim).is_some();
    let typed = |typ| token.header().is_typed(typ);
    if typed(ACCESS_TOKEN) || typed(JWT) && has("client_id") {
        JwtKind::Access
    } else if typed(LOGOUT_TOKEN) {
        JwtKind::Logout
    } else if typed(JWT) && !has("scope") {
        JwtKind::Id
    } else {
        JwtKind::Other
    }
}

/// The kind of a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtKind {
    /// An access token.
    Access,
    /// An ID token, or a signed response of another kind.
    Id,
    /// A logout token.
    Logout,
    /// None of these.
    Other,
}

/// The state of a JWT's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Valid, by a key that retired at this time.
    Retired(Timestamp),
    /// The `kid` names no key of this server.
    UnknownKey,
    /// Valid, by a published key.
    Valid,
    /// Invalid: the key that it names did not make it.
    Wrong,
}
