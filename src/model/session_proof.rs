//! The proof of a session key: what a page's script signs for each request.
//!
//! Where a session is a key in the origin's storage, each request of a page carries such a proof. It
//! resembles a DPoP proof (RFC 9449 §4.2) and is none: it binds no token, its key is a claim, and
//! it covers the body. It is a JWS in compact form whose signature is not verified here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::Refusal;
use crate::oauth::client::SigningAlg;
use crate::oauth::client::jwks::Jwk;
use crate::oauth::jwt::Compact;

/// The `typ` of a proof.
pub const TYPE: &str = "session-proof+jwt";

/// The longest proof, in bytes. One of a page's script has about 700, beside the path and query that it
/// is for: the way back to an application has up to 8 KiB.
const MAX_LENGTH: usize = 16 * 1024;

/// A proof whose signature is not verified yet.
pub struct SessionProof<'a> {
    claims: Claims,
    key: Jwk,
    token: Compact<'a>,
}

/// The claims. Beside them the script sends a random `jti`, so that no two proofs are the same.
#[derive(Deserialize)]
struct Claims {
    digest: String,
    htm: String,
    htu: String,
    jwk: Value,
    nonce: String,
}

/// The request that a proof is for.
pub struct ProvenRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path and the query.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> SessionProof<'a> {
    /// Parses a proof.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let malformed = |_| Refusal::SessionProofMalformed;
        if text.len() > MAX_LENGTH {
            return Err(Refusal::SessionProofMalformed);
        }
        let token = Compact::parse(text).map_err(malformed)?;
        if token.header().alg != SigningAlg::Es256 || !token.header().is_typed(TYPE) {
            return Err(Refusal::SessionProofMalformed);
        }
        let claims: Claims = token.claims().map_err(malformed)?;
        let key = Jwk::read(&claims.jwk).filter(|key| key.alg == SigningAlg::Es256);
        Ok(Self { key: key.ok_or(Refusal::SessionProofMalformed)?, claims, token })
    }

    /// Refuses a proof for another method, path, query or body.
    pub fn check(&self, request: &ProvenRequest<'_>) -> Result<(), Refusal> {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(request.body));
        let Claims { digest: own, htm, htu, .. } = &self.claims;
        if htm == request.method && htu == request.target && *own == digest {
            Ok(())
        } else {
            Err(Refusal::SessionProofMismatched)
        }
    }

    /// The challenge that it signs.
    pub fn challenge(&self) -> &str {
        &self.claims.nonce
    }

    /// The public key that it brings.
    pub fn key(&self) -> &Jwk {
        &self.key
    }

    /// The JWS.
    pub fn token(&self) -> &Compact<'a> {
        &self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(typ: &str, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.AAAA", part(&json!({ "alg": "ES256", "typ": typ })), part(claims))
    }

    fn claims() -> Value {
        let half = "A".repeat(43);
        json!({
            "digest": URL_SAFE_NO_PAD.encode(Sha256::digest(b"a=b")),
            "htm": "POST",
            "htu": "/gate/device?user_code=A",
            "jti": "1",
            "jwk": { "kty": "EC", "crv": "P-256", "x": half, "y": half },
            "nonce": "now",
        })
    }

    #[test]
    fn a_proof_is_for_one_method_path_query_and_body() {
        let text = written(TYPE, &claims());
        let proof = SessionProof::parse(&text).unwrap();
        let check = |method, target, body: &str| {
            proof.check(&ProvenRequest { method, target, body: body.as_bytes() })
        };

        assert_eq!(proof.challenge(), "now");
        assert_eq!(check("POST", "/gate/device?user_code=A", "a=b"), Ok(()));
        for (method, target, body) in [
            ("GET", "/gate/device?user_code=A", "a=b"),
            ("POST", "/gate/device", "a=b"),
            ("POST", "/gate/device?user_code=A", "a=c"),
        ] {
            assert_eq!(check(method, target, body), Err(Refusal::SessionProofMismatched));
        }
    }

    #[test]
    fn what_is_no_proof_is_malformed() {
        let mut without = claims();
        without.as_object_mut().unwrap().remove("nonce");
        let mut of_another_kind = claims();
        of_another_kind["jwk"] = json!({ "kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43) });

        for text in [
            String::new(),
            "a.b.c".to_owned(),
            written("dpop+jwt", &claims()),
            written(TYPE, &without),
            written(TYPE, &of_another_kind),
            format!("{}{}", written(TYPE, &claims()), "A".repeat(MAX_LENGTH)),
        ] {
            let refusal = SessionProof::parse(&text).err();
            assert_eq!(refusal, Some(Refusal::SessionProofMalformed), "{text}");
        }
    }
}
