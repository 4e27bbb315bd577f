//! Parser of JSON Web Tokens that are not verified yet: [RFC 7515
//! §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1) and [RFC
//! 7519](https://www.rfc-editor.org/rfc/rfc7519).
//!
//! This module knows no keys. The verifier finds the key by its `kid` and takes the algorithm from
//! the key, never from the header (RFC 8725 §3.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;

/// The longest token that is read, in bytes, which is the limit of a parameter that contains one.
const MAX_LENGTH: usize = 16 * 1024;

/// A JWS in compact serialization (RFC 7515 §7.1) whose signature is not verified yet.
///
/// It contains a token that may be valid, so it has no `Debug`.
pub struct Compact<'a> {
    header: Header,
    payload: Vec<u8>,
    signing_input: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Parses the three parts of `token`. Each must be canonical base64url.
    pub fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > MAX_LENGTH {
            return Err(Refusal::BearerTokenMalformed);
        }
        let (signing_input, signature) =
            token.rsplit_once('.').ok_or(Refusal::BearerTokenMalformed)?;
        let (header, payload) =
            signing_input.split_once('.').ok_or(Refusal::BearerTokenMalformed)?;
        // A fourth part fails here, since base64url has no dot.
        if decode(signature)?.is_empty() {
            return Err(Refusal::BearerTokenMalformed);
        }
        let header = Header::parse(&decode(header)?)?;
        Ok(Self { header, payload: decode(payload)?, signing_input, signature })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload as it was signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The input of the signature: `BASE64URL(header) || '.' || BASE64URL(payload)`.
    pub fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The signature in base64url.
    pub fn signature(&self) -> &'a str {
        self.signature
    }

    /// The payload as a JWT Claims Set. It proves nothing before the signature is verified.
    ///
    /// RFC 7519 §4: "The Claim Names within a JWT Claims Set MUST be unique".
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let Members(claims) = Members::parse(&self.payload)?;
        serde_json::from_value(Value::Object(claims)).map_err(|_| Refusal::BearerTokenMalformed)
    }
}

/// The members of a JOSE header (RFC 7515 §4.1) that this server reads. Others are ignored,
/// including `jwk`, `jku` and `x5u`: a token does not bring its own key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm, which is one that this server supports, so never `none` or an HMAC.
    pub alg: SigningAlg,
    /// The id of the key, if the header names it.
    pub kid: Option<KeyId>,
    /// The media type of the token, if the header names it.
    pub typ: Option<String>,
}

impl Header {
    fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let Members(members) = Members::parse(json)?;
        // RFC 7515 §4.1.11: if a listed extension is not "understood and supported by the
        // recipient, then the JWS is invalid"; none is. `b64` (RFC 7797 §3) changes what is
        // signed, whether `crit` lists it or not.
        if members.contains_key("b64") || members.contains_key("crit") {
            return Err(Refusal::BearerTokenMalformed);
        }
        let text = |name| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Refusal::BearerTokenMalformed),
        };
        let alg = text("alg")?.ok_or(Refusal::BearerTokenMalformed)?;
        Ok(Self {
            alg: alg.parse().map_err(|_| Refusal::BearerTokenMalformed)?,
            kid: text("kid")?.map(KeyId::new),
            typ: text("typ")?.map(str::to_owned),
        })
    }

    /// Whether `typ` is `application/subtype`.
    ///
    /// RFC 7515 §4.1.9: media types are compared without regard to case, and "it is RECOMMENDED
    /// that producers omit an 'application/' prefix".
    pub fn is_typed(&self, subtype: &str) -> bool {
        const PREFIX: &str = "application/";
        self.typ.as_deref().is_some_and(|typ| {
            let bare = match typ.split_at_checked(PREFIX.len()) {
                Some((prefix, bare)) if prefix.eq_ignore_ascii_case(PREFIX) => bare,
                Some(_) | None => typ,
            };
            bare.eq_ignore_ascii_case(subtype)
        })
    }
}

/// A JSON object without duplicate names.
///
/// RFC 7515 §4 leaves a choice: "reject JWSs with duplicate Header Parameter names or use a JSON
/// parser that returns only the lexically last". This server rejects, so that no other reader of
/// the token can see another value.
struct Members(Map<String, Value>);

impl Members {
    fn parse(json: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(json).map_err(|_| Refusal::BearerTokenMalformed)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Unique)
    }
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object in which no name stands twice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Members(members))
    }
}

/// Decodes base64url. RFC 7515 §2: "with all trailing '=' characters omitted […] and without the
/// inclusion of any line breaks, whitespace, or other additional characters"; unused bits must be
/// zero.
fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::BearerTokenMalformed)
}

#[cfg(test)]
mod tests {
    use crate::oauth::claims::{AccessClaims, IdClaims};

    use super::*;

    const ACCESS: &str = r#"{"iss":"http://localhost:7455","sub":"u","aud":"a","exp":2,"iat":1,
        "nbf":1,"jti":"j","client_id":"shop","scope":"openid"}"#;

    fn token(header: &str, payload: &str) -> String {
        let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
        format!("{}.{}.{}", encode(header), encode(payload), encode("signature"))
    }

    fn refused(token: &str) -> bool {
        Compact::parse(token).err() == Some(Refusal::BearerTokenMalformed)
    }

    fn refused_header(header: &str) -> bool {
        refused(&token(header, "{}"))
    }

    /// RFC 7515 A.2.1, with a truncated signature
    #[test]
    fn the_specifications_example_is_read() {
        let token = "eyJhbGciOiJSUzI1NiJ9\
            .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
            .cC4hiUPoj9Eetdgtv3hF80EGrhuB";

        let compact = Compact::parse(token).ok().unwrap();

        assert_eq!(compact.header(), &Header { alg: SigningAlg::Rs256, kid: None, typ: None });
        assert!(compact.payload().starts_with(b"{\"iss\":\"joe\",\r\n"));
        assert_eq!(format!("{}.{}", compact.signing_input(), compact.signature()), token);
    }

    #[test]
    fn a_header_says_how_to_verify_it() {
        let token = token(r#"{"alg":"ES256","kid":"k","typ":"at+jwt","jku":"https://e"}"#, ACCESS);

        let compact = Compact::parse(&token).ok().unwrap();

        assert_eq!(compact.header().alg, SigningAlg::Es256);
        assert_eq!(compact.header().kid, Some(KeyId::new("k")));
        assert!(compact.header().is_typed("at+jwt"));
        assert_eq!(compact.claims::<AccessClaims>().unwrap().client_id, "shop");
        assert_eq!(compact.claims::<IdClaims>(), Err(Refusal::BearerTokenMalformed));
    }

    #[test]
    fn an_algorithm_without_a_key_here_is_refused() {
        for alg in ["none", "None", "", "HS256", "RS512", "PS256", "es256", "ES256 "] {
            assert!(refused_header(&format!(r#"{{"alg":"{alg}"}}"#)), "{alg}");
        }
        for header in ["{}", r#"{"alg":null}"#, r#"{"alg":["ES256"]}"#, r#"{"alg":0}"#] {
            assert!(refused_header(header), "{header}");
        }
    }

    #[test]
    fn a_header_that_could_be_read_in_two_ways_is_refused() {
        for header in [
            r#"{"alg":"ES256","alg":"RS256"}"#,
            r#"{"alg":"ES256","\u0061lg":"ES256"}"#,
            r#"{"alg":"ES256","kid":"a","kid":"b"}"#,
            r#"{"alg":"ES256","other":1,"other":1}"#,
            r#"{"alg":"ES256"}{}"#,
            r#"["ES256"]"#,
            "\u{feff}{\"alg\":\"ES256\"}",
        ] {
            assert!(refused_header(header), "{header}");
        }
    }

    #[test]
    fn an_extension_is_refused() {
        for header in [
            r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"ES256","crit":[]}"#,
            r#"{"alg":"ES256","crit":null}"#,
            r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#,
            r#"{"alg":"ES256","b64":true}"#,
        ] {
            assert!(refused_header(header), "{header}");
        }
    }

    #[test]
    fn members_that_are_no_text_are_refused() {
        assert!(refused_header(r#"{"alg":"ES256","kid":1}"#));
        assert!(refused_header(r#"{"alg":"ES256","typ":null}"#));
    }

    #[test]
    fn anything_but_three_parts_of_strict_base64url_is_refused() {
        let good = token(r#"{"alg":"ES256"}"#, "{}");
        let (rest, _) = good.rsplit_once('.').unwrap();

        assert!(!refused(&good));
        for wrong in [
            "",
            ".",
            "..",
            rest,
            &format!("{rest}."),
            &format!("{good}."),
            &format!("{good}.AA"),
            &format!("{good}="),
            &format!("{good}\n"),
            &format!(" {good}"),
            &format!("{rest}.+/+/"),
            // "AB" has four unused bits, and one of them is set.
            &format!("{rest}.AB"),
        ] {
            assert!(refused(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_token_is_at_most_as_long_as_its_parameter() {
        let head = format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#));
        let of_length = |length: usize| format!("{head}{}", "A".repeat(length - head.len()));

        assert!(!refused(&of_length(16 * 1024)));
        assert!(refused(&of_length(16 * 1024 + 1)));
    }

    #[test]
    fn claims_that_could_be_read_in_two_ways_are_refused() {
        for payload in [
            ACCESS.replace("\"sub\"", "\"sub\":\"v\",\"sub\""),
            ACCESS.replace('{', "{\"x\":1,\"x\":2,"),
            format!("{ACCESS}{{}}"),
            format!("[{ACCESS}]"),
            String::new(),
        ] {
            let token = token(r#"{"alg":"ES256"}"#, &payload);
            let compact = Compact::parse(&token).ok().unwrap();

            assert_eq!(compact.claims::<AccessClaims>(), Err(Refusal::BearerTokenMalformed));
        }
    }

    #[test]
    fn a_media_type_is_compared_as_one() {
        for (typ, is) in [
            ("at+jwt", true),
            ("AT+JWT", true),
            ("application/at+jwt", true),
            ("Application/AT+jwt", true),
            ("JWT", false),
            ("text/at+jwt", false),
            ("application/application/at+jwt", false),
        ] {
            let header = Header { alg: SigningAlg::Es256, kid: None, typ: Some(typ.to_owned()) };
            assert_eq!(header.is_typed("at+jwt"), is, "{typ}");
        }
        let untyped = Header { alg: SigningAlg::Es256, kid: None, typ: None };
        assert!(!untyped.is_typed("at+jwt"));
    }
}
