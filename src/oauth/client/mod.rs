//! Clients: their types, grant types, metadata and authentication.
//!
//! [RFC 6749 §2](https://www.rfc-editor.org/rfc/rfc6749#section-2), names as in
//! [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2).

pub mod assertion;
pub mod cimd;
pub mod decisions;
pub mod jwks;
pub mod member;
pub mod metadata;
pub mod registration;

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::oauth::client::assertion::{ClientAssertion, JWT_BEARER};
use crate::oauth::id::ClientId;
use crate::oauth::params::{Params, form_decode};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $refusal:ident $(($member:literal))? $(, default $default:ident)? { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// What a refusal says of any other value.
            pub const EXPECTED: &'static str =
                concat!("none of the values that are known here:" $(, " ", $word)*);

            /// All values.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The value on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        $(impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        })?

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(s: &str) -> Result<Self, Refusal> {
                let found = Self::ALL.iter().copied().find(|word| word.as_str() == s);
                found.ok_or(Refusal::$refusal $(($member, Self::EXPECTED))?)
            }
        }

        // The store uses the value on the wire too, so that the order of the variants has no
        // meaning.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                word.parse().map_err(|_| D::Error::custom(concat!("no ", stringify!($name))))
            }
        }
    };
}

names! {
    /// The client types of RFC 6749 §2.1.
    ClientType, MemberMalformed("client_type") {
        /// A client that can keep a secret.
        Confidential = "confidential",
        /// A client that cannot: anybody who has the program has its secrets.
        Public = "public",
    }
}

names! {
    /// `grant_type` (RFC 6749 §4).
    GrantType, GrantTypeUnsupported {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
        /// RFC 8628 §3.4.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
    }
}

names! {
    /// `application_type` (OpenID Connect Registration §2).
    ApplicationType, MemberMalformed("application_type"), default Web {
        /// An application on a person's own machine.
        Native = "native",
        /// An application on a server or in a browser.
        Web = "web",
    }
}

names! {
    /// `subject_type` (OpenID Connect Core §8): the type of the `sub` that a client gets.
    SubjectType, MemberMalformed("subject_type"), default Public {
        /// A different `sub` for each sector, so that two clients cannot recognise the same person.
        Pairwise = "pairwise",
        /// The same `sub` for all clients.
        Public = "public",
    }
}

names! {
    /// `token_endpoint_auth_method` (RFC 7591 §2).
    AuthMethod, MemberMalformed("token_endpoint_auth_method") {
        /// The secret in an `Authorization` header (RFC 6749 §2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// The secret in the body (RFC 6749 §2.3.1).
        ClientSecretPost = "client_secret_post",
        /// No proof: a public client.
        None = "none",
        /// A JWT that the client signed (RFC 7523 §2.2).
        PrivateKeyJwt = "private_key_jwt",
    }
}

names! {
    /// A signature algorithm that this server has a key for, such as the
    /// `id_token_signed_response_alg` of OpenID Connect Registration §2.
    SigningAlg, MemberMalformed("alg"), default Rs256 {
        /// RFC 8037 §3.1, with Ed25519.
        EdDsa = "EdDSA",
        /// RFC 7518 §3.4.
        Es256 = "ES256",
        /// RFC 7518 §3.3, with 2048 bits.
        Rs256 = "RS256",
    }
}

names! {
    /// The hosts whose Client ID Metadata Documents are read.
    DocumentPolicy, MemberMalformed("documents.policy") {
        /// All hosts.
        Any = "any",
        /// The listed hosts.
        Listed = "listed",
        /// No host.
        Off = "off",
    }
}

names! {
    /// Who may use dynamic client registration (RFC 7591 §3).
    RegistrationPolicy, MemberMalformed("registration.policy") {
        /// Nobody.
        Off = "off",
        /// Everybody.
        Open = "open",
        /// A caller with the initial access token.
        Token = "token",
    }
}

names! {
    /// The response to a spent refresh token that is used again soon.
    RefreshPolicy, MemberMalformed("refresh"), default Grace {
        /// Within the replay grace, the client gets the newest token of the family.
        Grace = "grace",
        /// The grant is revoked at once.
        Strict = "strict",
    }
}

names! {
    /// Whether a client must send a PKCE challenge.
    PkcePolicy, MemberMalformed("pkce"), default Required {
        /// A confidential client may send a `nonce` with scope `openid` instead
        /// (RFC 9700 §2.1.1).
        Nonce = "nonce",
        /// A confidential client may send neither, and sends a `state` then (RFC 9700 §2.1). An
        /// operator says so of one client that they registered; it is no policy of an installation.
        Optional = "optional",
        /// Every client must.
        Required = "required",
    }
}

names! {
    /// Where the claims are that a client requests by scopes (OpenID Connect Core §5.4).
    ClaimsPlace, MemberMalformed("claims"), default IdToken {
        /// In the ID token, too, where most programs look for them.
        IdToken = "id_token",
        /// At userinfo alone. The ID token has those that are requested in it by name (§5.5).
        Userinfo = "userinfo",
    }
}

names! {
    /// The rules for the assertions of a client that signs.
    AssertionProfile, MemberMalformed("assertions"), default Rfc10070 {
        /// RFC 10070 §4: only the issuer is the audience, and the JWT has a type of its own.
        Rfc10070 = "rfc10070",
        /// RFC 7523 §3 and RFC 9126 §2: an endpoint may be the audience, and the type may be missing.
        /// An operator says so of one client that they registered, whose library is older.
        Rfc7523 = "rfc7523",
    }
}

/// A client secret as a request presents it.
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// The secret in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientSecret {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let printable = s.bytes().all(|b| (0x20..=0x7e).contains(&b));
        if s.is_empty() || s.len() > 1024 || !printable {
            return Err(Refusal::ClientSecretMalformed);
        }
        Ok(Self(Zeroizing::new(s.to_owned())))
    }
}

/// The client credentials of a request.
pub struct PresentedCredentials {
    /// The claimed client.
    pub client_id: ClientId,
    /// The proof of it.
    pub proof: Proof,
}

/// The proof by which a client authenticates.
pub enum Proof {
    /// `private_key_jwt`.
    Assertion(Box<ClientAssertion>),
    /// `client_secret_basic`.
    Basic(ClientSecret),
    /// None: `client_id` alone.
    None,
    /// `client_secret_post`.
    Post(ClientSecret),
}

impl AuthMethod {
    /// Whether it uses a shared secret.
    pub const fn is_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
            Self::None | Self::PrivateKeyJwt => false,
        }
    }
}

impl PresentedCredentials {
    /// Reads the credentials in an `Authorization` header and a form.
    ///
    /// RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each
    /// request."
    pub fn parse(authorization: Option<&[u8]>, form: &Params) -> Result<Self, Refusal> {
        let secret = form.one("client_secret")?;
        let asserts = form.one("client_assertion")?.or(form.one("client_assertion_type")?);
        let came = [authorization.is_some(), secret.is_some(), asserts.is_some()];
        if came.into_iter().filter(|came| *came).count() > 1 {
            return Err(Refusal::ClientAuthTwice);
        }
        let client_id = form.parsed::<ClientId>("client_id")?;
        if let Some(header) = authorization {
            return Self::basic(header, client_id.as_ref());
        }
        if let Some(assertion) = assertion(form)? {
            // RFC 7521 §4.2: "The 'client_id' is unnecessary for client assertion authentication
            // because the client is identified by the subject within the assertion. If present,
            // the value of the 'client_id' parameter MUST identify the same client as is
            // identified by the client assertion."
            if client_id.is_some_and(|named| named != *assertion.client_id()) {
                return Err(Refusal::ClientAssertionOfAnother);
            }
            let client_id = assertion.client_id().clone();
            return Ok(Self { client_id, proof: Proof::Assertion(Box::new(assertion)) });
        }
        let client_id = client_id.ok_or(Refusal::ClientIdMissing)?;
        let secret = secret.map(str::parse).transpose()?;
        Ok(Self { client_id, proof: secret.map_or(Proof::None, Proof::Post) })
    }

    /// Reads the credentials in an `Authorization` header. `named` is the client that the request
    /// names elsewhere than in a form.
    pub fn by_head(authorization: Option<&[u8]>, named: &ClientId) -> Result<Self, Refusal> {
        match authorization {
            Some(header) => Self::basic(header, Some(named)),
            None => Ok(Self { client_id: named.clone(), proof: Proof::None }),
        }
    }

    fn basic(header: &[u8], named: Option<&ClientId>) -> Result<Self, Refusal> {
        let (client_id, secret) = basic(header)?;
        if named.is_some_and(|named| *named != client_id) {
            return Err(Refusal::ClientAuthTwice);
        }
        Ok(Self { client_id, proof: secret.map_or(Proof::None, Proof::Basic) })
    }
}

/// The assertion of a form, if it has one (RFC 7521 §4.2).
fn assertion(form: &Params) -> Result<Option<ClientAssertion>, Refusal> {
    match (form.one("client_assertion_type")?, form.one("client_assertion")?) {
        (None, None) => Ok(None),
        (Some(JWT_BEARER), Some(assertion)) => assertion.parse().map(Some),
        (Some(_) | None, Some(_)) | (Some(_), None) => Err(Refusal::ClientAssertionTypeUnsupported),
    }
}

/// Parses Basic credentials (RFC 7617 §2), whose halves are encoded as RFC 6749 §2.3.1 says: "using
/// the `application/x-www-form-urlencoded` encoding algorithm". An empty secret is none: "The client
/// MAY omit the parameter if the client secret is an empty string."
fn basic(header: &[u8]) -> Result<(ClientId, Option<ClientSecret>), Refusal> {
    let malformed = Refusal::AuthorizationHeaderMalformed;
    let (scheme, encoded) = header.split_at_checked(6).ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return Err(malformed);
    }
    let decoded = STANDARD.decode(encoded.trim_ascii()).map_err(|_| malformed)?;
    let decoded = Zeroizing::new(decoded);
    let decoded = str::from_utf8(&decoded).map_err(|_| malformed)?;
    let (id, secret) = decoded.split_once(':').ok_or(malformed)?;
    let id = form_decode(id).map_err(|_| malformed)?;
    let secret = form_decode(secret).map_err(|_| malformed)?;
    let secret = Zeroizing::new(secret);
    let secret = if secret.is_empty() { None } else { Some(secret.parse()?) };
    Ok((id.parse().map_err(|_| malformed)?, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(header: Option<&str>, form: &str) -> Result<PresentedCredentials, Refusal> {
        PresentedCredentials::parse(
            header.map(str::as_bytes),
            &Params::parse(form.as_bytes()).unwrap(),
        )
    }

    fn refused(header: Option<&str>, form: &str) -> Option<Refusal> {
        presented(header, form).err()
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("my+app%3A:a%2Bb%25c"));

        let presented = presented(Some(&header), "").ok().unwrap();

        assert_eq!(presented.client_id.as_str(), "my app:");
        assert!(matches!(presented.proof, Proof::Basic(secret) if secret.expose() == "a+b%c"));
    }

    /// RFC 6749 §2.3.1
    #[test]
    fn an_empty_secret_is_none() {
        let header = format!("Basic {}", STANDARD.encode("agent:"));

        let presented = presented(Some(&header), "client_id=agent").ok().unwrap();

        assert_eq!(presented.client_id.as_str(), "agent");
        assert!(matches!(presented.proof, Proof::None));
        assert_eq!(refused(Some(&header), "client_secret=b"), Some(Refusal::ClientAuthTwice));
    }

    #[test]
    fn two_proofs_in_one_request_are_refused() {
        let header = format!("Basic {}", STANDARD.encode("a:b"));

        assert_eq!(refused(Some(&header), "client_secret=b"), Some(Refusal::ClientAuthTwice));
        assert_eq!(refused(Some(&header), "client_id=c"), Some(Refusal::ClientAuthTwice));
        let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIiwic3ViIjoiYSIsImF1ZCI6IngiLCJleHAiOjEsImp0aSI6ImoifQ.AAAA";
        let assertion = format!("client_assertion_type={JWT_BEARER}&client_assertion={assertion}");
        assert_eq!(refused(None, &assertion), None);
        assert_eq!(refused(Some(&header), &assertion), Some(Refusal::ClientAuthTwice));
        let with_secret = format!("{assertion}&client_secret=b");
        assert_eq!(refused(None, &with_secret), Some(Refusal::ClientAuthTwice));
        // Even if one of them is malformed.
        let broken = "client_assertion=abc&client_secret=%09";
        assert_eq!(refused(None, broken), Some(Refusal::ClientAuthTwice));
        assert_eq!(refused(Some("Basic !!!"), "client_secret=b"), Some(Refusal::ClientAuthTwice));
        let other = format!("{assertion}&client_id=b");
        assert_eq!(refused(None, &other), Some(Refusal::ClientAssertionOfAnother));
        assert_eq!(refused(Some(&header), "client_id=a"), None);
    }

    #[test]
    fn a_broken_header_is_named() {
        for header in ["Basic", "Bearer abc", "Basic !!!", "Basic YQ=="] {
            let refusal = refused(Some(header), "");
            assert_eq!(refusal, Some(Refusal::AuthorizationHeaderMalformed), "{header}");
        }
        assert_eq!(refused(None, ""), Some(Refusal::ClientIdMissing));
    }
}
