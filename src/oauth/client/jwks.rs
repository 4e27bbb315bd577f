//! The public keys of a client: [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517).

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::oauth::client::SigningAlg;

/// The most keys of a set.
const MAX_KEYS: usize = 32;
/// The longest set, in bytes.
const MAX_LENGTH: usize = 32 * 1024;
/// The longest `kid`, in bytes.
const MAX_KID: usize = 255;

/// The bytes of a coordinate of P-256 and of an Ed25519 key (RFC 7518 §6.2.1.2, RFC 8037 §2).
const POINT: RangeInclusive<usize> = 32..=32;

/// The bytes of an RSA modulus. RFC 7518 §3.3: "A key of size 2048 bits or larger MUST be used".
/// Above 4096 bits, whoever names the key decides how long a verification takes.
const MODULUS: RangeInclusive<usize> = 256..=512;
/// The exponent of an RSA key, 65537: a larger one only costs more.
const EXPONENT: &str = "AQAB";

/// The most keys that are tried for one signature. A larger set needs a `kid`.
const MAX_CANDIDATES: usize = 4;

/// A JWK Set (RFC 7517 §5), reduced to the keys that this server can verify signatures with.
///
/// §5: "Implementations SHOULD ignore JWKs within a JWK Set that use 'kty' (key type) values that
/// are not understood by them, that are missing required members, or for which values are out of
/// the supported ranges."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwkSet(Vec<Jwk>);

/// A public key that verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    /// Its algorithm, which its type decides.
    pub alg: SigningAlg,
    /// Its `kid`, if it has one.
    pub kid: Option<String>,
    members: Value,
}

impl Jwk {
    /// The JWK with only its public members (RFC 7518 §6).
    pub fn members(&self) -> &Value {
        &self.members
    }

    /// Reads a key that this server can verify signatures with.
    pub fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let octets = |name: &str, length: RangeInclusive<usize>| {
            let octets = URL_SAFE_NO_PAD.decode(text(name)?).ok()?;
            length.contains(&octets.len()).then_some(text(name)?)
        };
        // §4.2 and §4.3: a key for encryption verifies nothing.
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        if let Some(operations) = key.get("key_ops").and_then(Value::as_array)
            && !operations.iter().any(|operation| operation == "verify")
        {
            return None;
        }
        let (alg, members) = match (text("kty")?, text("crv")) {
            ("EC", Some("P-256")) => {
                let (x, y) = (octets("x", POINT)?, octets("y", POINT)?);
                (SigningAlg::Es256, json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}))
            }
            ("OKP", Some("Ed25519")) => {
                let x = octets("x", POINT)?;
                (SigningAlg::EdDsa, json!({"kty": "OKP", "crv": "Ed25519", "x": x}))
            }
            ("RSA", None) => {
                let n = octets("n", MODULUS)?;
                text("e").filter(|e| *e == EXPONENT)?;
                (SigningAlg::Rs256, json!({"kty": "RSA", "n": n, "e": EXPONENT}))
            }
            _ => return None,
        };
        if text("alg").is_some_and(|own| own != alg.as_str())
            || text("kid").is_some_and(|kid| kid.len() > MAX_KID)
        {
            return None;
        }
        Some(Self { alg, kid: text("kid").map(str::to_owned), members })
    }

    fn written(&self) -> Value {
        let mut key = self.members.clone();
        if let (Some(kid), Value::Object(members)) = (&self.kid, &mut key) {
            members.insert("kid".to_owned(), kid.as_str().into());
        }
        key
    }
}

impl JwkSet {
    /// Reads a set. A set with a private or symmetric key is refused as a whole, since that key is
    /// disclosed.
    pub fn from_value(value: &Value) -> Result<Self, Refusal> {
        let keys = value.get("keys").and_then(Value::as_array).ok_or(Refusal::JwksMalformed)?;
        let secret = |key: &Value| key.get("d").is_some() || key.get("k").is_some();
        if keys.len() > MAX_KEYS || keys.iter().any(secret) {
            return Err(Refusal::JwksMalformed);
        }
        let set = Self(keys.iter().filter_map(Jwk::read).collect());
        // The stored form is parsed again, so it must be within the limit too.
        if set.0.is_empty() || set.to_value().to_string().len() > MAX_LENGTH {
            return Err(Refusal::JwksMalformed);
        }
        Ok(set)
    }

    /// Parses a set.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_LENGTH {
            return Err(Refusal::JwksMalformed);
        }
        let value = serde_json::from_slice(bytes).map_err(|_| Refusal::JwksMalformed)?;
        Self::from_value(&value)
    }

    /// Whether a signature has to name its key, because there are more than are tried.
    pub fn demands_kid(&self) -> bool {
        self.0.len() > MAX_CANDIDATES
    }

    /// The keys that may have signed a token with this header, at most four: those with its `kid`;
    /// in a set of at most four keys also those without one, and all if the header has no `kid`,
    /// which is only a hint there (RFC 7515 §4.1.4).
    pub fn candidates<'a>(
        &'a self,
        alg: SigningAlg,
        kid: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Jwk> {
        let demanded = self.demands_kid();
        let named = move |key: &Jwk| match (key.kid.as_deref(), kid) {
            (Some(own), Some(kid)) => own == kid,
            (None, _) | (_, None) => !demanded,
        };
        self.0.iter().filter(move |key| key.alg == alg && named(key)).take(MAX_CANDIDATES)
    }

    /// The set in the form of RFC 7517 §5.
    pub fn to_value(&self) -> Value {
        json!({ "keys": self.0.iter().map(Jwk::written).collect::<Vec<_>>() })
    }
}

impl Serialize for JwkSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Self::from_value(&Value::deserialize(deserializer)?);
        read.map_err(|refusal: Refusal| serde::de::Error::custom(refusal.reason()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 A.2
    const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    /// RFC 7517 A.1
    #[test]
    fn the_specifications_keys_are_read_but_for_those_that_encrypt() {
        let set = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
             "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1"},
            {"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
             "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"},
        ]});

        let read = JwkSet::from_value(&set).unwrap();

        assert_eq!(read.candidates(SigningAlg::Es256, None).count(), 0);
        assert_eq!(read.candidates(SigningAlg::Rs256, Some("2011-04-29")).count(), 1);
        assert_eq!(read.candidates(SigningAlg::Rs256, None).count(), 1);
        assert_eq!(read.candidates(SigningAlg::Rs256, Some("other")).count(), 0);
        let nameless = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": ED25519}]});
        let nameless = JwkSet::from_value(&nameless).unwrap();
        assert_eq!(nameless.candidates(SigningAlg::EdDsa, Some("any")).count(), 1);
        assert_eq!(JwkSet::parse(read.to_value().to_string().as_bytes()), Ok(read));
    }

    #[test]
    fn a_set_without_a_key_that_verifies_or_with_a_secret_one_is_refused() {
        for set in [
            json!({}),
            json!({"keys": []}),
            json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
            json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": ED25519, "d": "BB"}]}),
            json!({"keys": [{"kty": "RSA", "n": "AA", "e": "AQAB"}]}),
            json!({"keys": [{"kty": "EC", "crv": "P-521", "x": "AA", "y": "BB"}]}),
        ] {
            assert_eq!(JwkSet::from_value(&set), Err(Refusal::JwksMalformed), "{set}");
        }
        assert_eq!(JwkSet::parse(b"no"), Err(Refusal::JwksMalformed));
    }

    #[test]
    fn a_key_out_of_its_range_is_ignored() {
        let ed25519 = |x: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": x});
        let named = |length| {
            let mut key = ed25519(ED25519);
            key["kid"] = "k".repeat(length).into();
            key
        };
        let rsa = |n: usize, e: &str| json!({"kty": "RSA", "n": "A".repeat(n), "e": e});

        for (key, usable) in [
            (ed25519(ED25519), true),
            (ed25519(&ED25519[1..]), false),
            (ed25519(&format!("{ED25519}=")), false),
            (ed25519(&ED25519.replace('_', "/")), false),
            (named(255), true),
            (named(256), false),
            (rsa(342, "AQAB"), true),
            (rsa(340, "AQAB"), false),
            (rsa(683, "AQAB"), true),
            (rsa(686, "AQAB"), false),
            (rsa(342, "Aw"), false),
            (rsa(342, "AQAAAAE"), false),
            (rsa(342, ""), false),
            (json!({"kty": "EC", "crv": "P-256", "x": ED25519, "y": ED25519}), true),
            (json!({"kty": "EC", "crv": "P-256", "x": ED25519, "y": "AA"}), false),
        ] {
            assert_eq!(JwkSet::from_value(&json!({ "keys": [key] })).is_ok(), usable, "{key}");
        }
    }

    #[test]
    fn a_large_set_demands_a_kid_and_never_more_than_four_keys_are_tried() {
        let key =
            |kid: Option<&str>| json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519, "kid": kid});
        let tried = |keys: &[Option<&str>], kid: Option<&str>| {
            let keys = keys.iter().map(|kid| key(*kid)).collect::<Vec<_>>();
            let set = JwkSet::from_value(&json!({ "keys": keys })).unwrap();
            (set.demands_kid(), set.candidates(SigningAlg::EdDsa, kid).count())
        };

        assert_eq!(tried(&[None, Some("a"), Some("b"), None], None), (false, 4));
        assert_eq!(tried(&[None, Some("a"), Some("b"), None], Some("a")), (false, 3));
        let five = [None, Some("a"), Some("b"), None, Some("c")];
        assert_eq!(tried(&five, None), (true, 0));
        assert_eq!(tried(&five, Some("a")), (true, 1));
        assert_eq!(tried(&[Some("a"); 32], Some("a")), (true, 4));
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again_or_is_refused() {
        let set = |keys: usize| {
            let (n, kid) = ("A".repeat(683), "\u{1}".repeat(255));
            let key = json!({"kty": "RSA", "n": n, "e": "AQAB", "kid": kid});
            JwkSet::from_value(&json!({ "keys": vec![key; keys] }))
        };

        let usable = set(14).unwrap();
        assert_eq!(JwkSet::parse(usable.to_value().to_string().as_bytes()), Ok(usable));
        assert_eq!(set(15), Err(Refusal::JwksMalformed));
    }
}
