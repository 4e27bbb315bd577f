//! The JWT by which a client authenticates: [RFC 7523 §2.2 and
//! §3](https://www.rfc-editor.org/rfc/rfc7523), as [RFC
//! 10070](https://www.rfc-editor.org/rfc/rfc10070) updates it.
//!
//! This module knows no keys. The verifier takes the algorithm from the key.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::oauth::client::{AssertionProfile, SigningAlg};
use crate::oauth::id::{ClientId, KeyId};
use crate::oauth::jwt::Compact;

/// The only `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The type of the JWT (RFC 10070 §4).
const TYPE: &str = "client-authentication+jwt";

/// The longest time until the expiry of an assertion: the lifetime that widely used libraries give
/// it.
const MAX_LIFETIME: Duration = Duration::from_hours(1);
/// The time by which a client's clock may be ahead.
const SKEW: Duration = Duration::from_secs(30);

/// The longest `jti`, in bytes.
const MAX_JTI: usize = 1024;

/// A `client_assertion` whose signature is not verified yet.
///
/// Anybody who reads it could use it, so it has no `Debug`.
pub struct ClientAssertion {
    alg: SigningAlg,
    claims: Claims,
    client_id: ClientId,
    kid: Option<KeyId>,
    token: Box<str>,
    /// Whether its type is [`TYPE`].
    typed: bool,
}

/// The claims of RFC 7523 §3.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    jti: String,
}

impl ClientAssertion {
    /// The algorithm of its header, which only selects candidate keys.
    pub fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The client: its `sub`.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The `kid` of its header.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_ref().map(KeyId::as_str)
    }

    /// The `jti`, which is unique for each assertion of a client.
    pub fn jti(&self) -> &str {
        &self.claims.jti
    }

    /// The JWT.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Expiry.
    pub fn expires(&self) -> Result<Timestamp, Refusal> {
        moment(self.claims.exp)
    }

    /// Checks that the assertion is valid at `now` by the rules of `profile`. Returns its expiry.
    ///
    /// Its audience is `issuer`, as a string or as an array of one, or by the older rules one of
    /// `endpoints`. There may be no other audience, since that one could use the JWT at this server.
    /// An endpoint is no audience by RFC 10070, since a client may have learnt it from the metadata
    /// of an attacker, who would then use the JWT at the server whose endpoint it is.
    pub fn judge(
        &self,
        profile: AssertionProfile,
        issuer: &str,
        endpoints: &[&str],
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let audience = match &self.claims.aud {
            Value::String(audience) => Some(audience),
            Value::Array(all) => match all.as_slice() {
                [Value::String(audience)] => Some(audience),
                _ => None,
            },
            _ => None,
        };
        let audience = audience.map_or("", String::as_str);
        let of_before = endpoints.contains(&audience);
        if audience != issuer && !of_before {
            return Err(Refusal::ClientAssertionAudienceWrong);
        }
        if profile == AssertionProfile::Rfc10070 {
            if of_before {
                return Err(Refusal::ClientAssertionAudienceOld);
            }
            if !self.typed {
                return Err(Refusal::ClientAssertionUntyped);
            }
        }
        let expires = self.expires()?;
        // §3: "The authorization server MUST reject any JWT with an expiration time that has
        // passed".
        if now >= expires {
            return Err(Refusal::ClientAssertionExpired);
        }
        if expires > now + MAX_LIFETIME + SKEW {
            return Err(Refusal::ClientAssertionTooLong);
        }
        // §3: `nbf` "identifies the time before which the token MUST NOT be accepted for
        // processing."
        for begins in [self.claims.iat, self.claims.nbf].into_iter().flatten() {
            if moment(begins)? > now + SKEW {
                return Err(Refusal::ClientAssertionEarly);
            }
        }
        Ok(expires)
    }
}

impl std::str::FromStr for ClientAssertion {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let malformed = |_| Refusal::ClientAssertionMalformed;
        let compact = Compact::parse(s).map_err(malformed)?;
        let claims: Claims = compact.claims().map_err(malformed)?;
        // §3: "For client authentication, the subject MUST be the 'client_id' of the OAuth client."
        if claims.iss != claims.sub {
            return Err(Refusal::ClientAssertionOfAnother);
        }
        if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
            return Err(Refusal::ClientAssertionMalformed);
        }
        let client_id = claims.sub.parse().map_err(malformed)?;
        let header = compact.header();
        let typed = header.is_typed(TYPE);
        // A JWT of another type was made for something else.
        if header.typ.is_some() && !typed && !header.is_typed("JWT") {
            return Err(Refusal::ClientAssertionMalformed);
        }
        let (alg, kid) = (header.alg, header.kid.clone());
        Ok(Self { alg, claims, client_id, kid, token: s.into(), typed })
    }
}

/// Reads a `NumericDate` (RFC 7519 §2), rounded down to a second.
fn moment(seconds: f64) -> Result<Timestamp, Refusal> {
    // The end of the year 9999, which both types represent exactly.
    const MAX_SECONDS: f64 = 253_402_300_799.0;
    if !(0.0..=MAX_SECONDS).contains(&seconds) {
        return Err(Refusal::ClientAssertionMalformed);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "judged above")]
    let whole = seconds as u64;
    Ok(Timestamp::from_seconds(whole))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_311_281_900);

    fn written(changes: &Value) -> String {
        let mut claims = json!({
            "iss": "https-less", "sub": "https-less", "aud": "http://localhost:7455",
            "exp": 1_311_281_970, "jti": "id123456",
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        of_type(Some(TYPE), &claims)
    }

    fn of_type(typ: Option<&str>, claims: &Value) -> String {
        let mut header = json!({ "alg": "ES256", "kid": "16" });
        if let Some(typ) = typ {
            header["typ"] = typ.into();
        }
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        format!("{}.{}.AAAA", part(&header), part(claims))
    }

    fn judged_by(profile: AssertionProfile, assertion: &str) -> Result<Timestamp, Refusal> {
        let (issuer, endpoint) = ("http://localhost:7455", "http://localhost:7455/oauth/token");
        assertion.parse::<ClientAssertion>()?.judge(profile, issuer, &[endpoint], NOW)
    }

    fn judged(changes: &Value) -> Result<Timestamp, Refusal> {
        judged_by(AssertionProfile::Rfc10070, &written(changes))
    }

    #[test]
    fn it_names_one_audience_and_that_is_the_issuer() {
        use Refusal::{ClientAssertionAudienceOld as Old, ClientAssertionAudienceWrong as Wrong};
        for (aud, refusal) in [
            (json!("http://localhost:7455"), None),
            (json!(["http://localhost:7455"]), None),
            (json!("http://localhost:7455/oauth/token"), Some(Old)),
            (json!(["http://localhost:7455/oauth/token"]), Some(Old)),
            (json!("http://localhost:7455/"), Some(Wrong)),
            (json!("http://localhost:7455/oauth/introspect"), Some(Wrong)),
            (json!("https://other.example"), Some(Wrong)),
            (json!(["http://localhost:7455", "https://other.example"]), Some(Wrong)),
            (json!(["http://localhost:7455", "http://localhost:7455"]), Some(Wrong)),
            (json!([]), Some(Wrong)),
            (json!({}), Some(Wrong)),
            (json!(""), Some(Wrong)),
        ] {
            assert_eq!(judged(&json!({ "aud": aud })).err(), refusal, "{aud}");
            let refusal = refusal.filter(|refusal| *refusal == Wrong);
            let older = judged_by(AssertionProfile::Rfc7523, &written(&json!({ "aud": aud })));
            assert_eq!(older.err(), refusal, "{aud}");
        }
    }

    #[test]
    fn it_lives_an_hour_at_most_and_begins_half_a_minute_ahead_at_most() {
        let now = NOW.seconds();
        for (claims, refusal) in [
            (json!({ "exp": now }), Some(Refusal::ClientAssertionExpired)),
            (json!({ "exp": now + 1 }), None),
            (json!({ "exp": (now as f64) + 1.5 }), None),
            (json!({ "exp": now + 3630, "iat": now + 30 }), None),
            (json!({ "exp": now + 3631 }), Some(Refusal::ClientAssertionTooLong)),
            (json!({ "exp": -1 }), Some(Refusal::ClientAssertionMalformed)),
            (json!({ "exp": 1e300 }), Some(Refusal::ClientAssertionMalformed)),
            (json!({ "iat": now + 30, "nbf": now + 30 }), None),
            (json!({ "iat": now + 31 }), Some(Refusal::ClientAssertionEarly)),
            (json!({ "nbf": now + 31 }), Some(Refusal::ClientAssertionEarly)),
            (json!({ "iat": 0 }), None),
        ] {
            assert_eq!(judged(&claims).err(), refusal, "{claims}");
        }
    }

    #[test]
    fn it_has_every_claim_and_speaks_of_one_client() {
        for claims in [
            json!({ "iss": null }),
            json!({ "sub": null }),
            json!({ "aud": null }),
            json!({ "exp": null }),
            json!({ "exp": "1311281970" }),
            json!({ "jti": null }),
            json!({ "jti": "" }),
            json!({ "jti": "x".repeat(1025) }),
            json!({ "iss": "", "sub": "" }),
        ] {
            assert_eq!(judged(&claims), Err(Refusal::ClientAssertionMalformed), "{claims}");
        }
        assert_eq!(judged(&json!({ "iss": "other" })), Err(Refusal::ClientAssertionOfAnother));
        assert!("a.b.c".parse::<ClientAssertion>().is_err());
    }

    #[test]
    fn it_has_a_type_of_its_own_or_by_the_older_rules_none() {
        use Refusal::{ClientAssertionMalformed as Malformed, ClientAssertionUntyped as Untyped};
        let claims = json!({
            "iss": "a", "sub": "a", "aud": "http://localhost:7455", "exp": NOW.seconds() + 60,
            "jti": "j",
        });
        for (typ, refusal, older) in [
            (Some("client-authentication+jwt"), None, None),
            (Some("application/Client-Authentication+JWT"), None, None),
            (Some("JWT"), Some(Untyped), None),
            (Some("jwt"), Some(Untyped), None),
            (None, Some(Untyped), None),
            (Some("at+jwt"), Some(Malformed), Some(Malformed)),
            (Some("logout+jwt"), Some(Malformed), Some(Malformed)),
            (Some("secevent+jwt"), Some(Malformed), Some(Malformed)),
            (Some(""), Some(Malformed), Some(Malformed)),
        ] {
            let assertion = of_type(typ, &claims);
            let [strict, lenient] = [AssertionProfile::Rfc10070, AssertionProfile::Rfc7523]
                .map(|profile| judged_by(profile, &assertion).err());
            assert_eq!((strict, lenient), (refusal, older), "{typ:?}");
        }
    }
}
