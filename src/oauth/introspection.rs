//! Token introspection: [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662), and the `token`
//! parameter, which [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1) shares with
//! it.

use serde::Serialize;

use crate::error::Refusal;
use crate::oauth::claims::{AccessClaims, Audience};
use crate::oauth::params::Params;
use crate::oauth::scope::Scope;
use crate::secret::RefreshToken;

/// The media type of a signed response (RFC 9701 §10.2.1).
pub const SIGNED: &str = "application/token-introspection+jwt";

/// The `token` parameter of RFC 7662 §2.1 and RFC 7009 §2.1. Its form decides the token type.
pub enum TokenParameter {
    /// A possible access token; its signature decides.
    Access(Box<str>),
    /// A refresh token, of any client.
    Refresh(RefreshToken),
}

impl TokenParameter {
    /// Reads the token of a form.
    ///
    /// RFC 7662 §2.1: "An authorization server MAY ignore this `[token_type_hint]`, particularly
    /// if it is able to detect the token type automatically."
    pub fn parse(form: &Params) -> Result<Self, Refusal> {
        form.one("token_type_hint")?;
        Ok(Self::of(form.one("token")?.ok_or(Refusal::TokenMissing)?))
    }

    /// Reads a token.
    pub fn of(written: &str) -> Self {
        written.parse().map_or_else(|_| Self::Access(written.into()), Self::Refresh)
    }
}

/// An introspection response (RFC 7662 §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of RFC 7662 §2.2 and RFC 9068 §2.2")]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

impl Introspection {
    /// The response for a token that is unknown, not in force, or not for the caller.
    ///
    /// RFC 7662 §2.2: "the authorization server SHOULD NOT include any additional information
    /// about an inactive token, including why the token is inactive."
    pub fn inactive() -> Self {
        Self::default()
    }

    /// The response for an access token that is in force.
    pub fn of_access(claims: &AccessClaims, username: Option<String>) -> Self {
        let claims = claims.clone();
        Self {
            active: true,
            scope: claims.scope,
            client_id: Some(claims.client_id),
            username,
            token_type: Some("Bearer"),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            nbf: Some(claims.nbf),
            sub: Some(claims.sub),
            aud: Some(claims.aud),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
            sid: claims.sid,
            auth_time: claims.auth_time,
            acr: claims.acr,
            amr: claims.amr,
            groups: claims.groups,
            roles: claims.roles,
        }
    }
}

/// A signed response (RFC 9701 §5).
///
/// "The JWT response MUST NOT include the `sub` and `exp` claims" at its top level, so that it
/// cannot pass for an access token.
#[derive(Clone, Debug, Serialize)]
pub struct SignedIntrospection {
    /// The issuer.
    pub iss: String,
    /// The client that introspects.
    pub aud: String,
    /// The time of the response.
    pub iat: u64,
    /// The response.
    pub token_introspection: Introspection,
}

/// Whether an `Accept` header requests a signed response (RFC 9701 §4): it names the media type
/// with a weight above zero (RFC 9110 §12.4.2).
pub fn wants_signed(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|media| media.eq_ignore_ascii_case(SIGNED));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(form: &str) -> Result<TokenParameter, Refusal> {
        TokenParameter::parse(&Params::parse(form.as_bytes()).unwrap())
    }

    #[test]
    fn the_form_of_a_token_tells_its_kind_whatever_the_hint_says() {
        let refresh = format!("token=gl_rt_{}&token_type_hint=access_token", "A".repeat(76));

        assert!(matches!(parsed(&refresh), Ok(TokenParameter::Refresh(_))));
        assert!(matches!(parsed("token=mF_9.B5f-4.1JqM"), Ok(TokenParameter::Access(_))));
        assert!(matches!(parsed("token=x&token_type_hint=new"), Ok(TokenParameter::Access(_))));
    }

    #[test]
    fn a_request_about_no_token_is_refused() {
        assert_eq!(parsed("token_type_hint=access_token").err(), Some(Refusal::TokenMissing));
        assert_eq!(parsed("token=").err(), Some(Refusal::TokenMissing));
        assert_eq!(parsed("token=a&token=b").err(), Some(Refusal::ParameterRepeated("token")));
    }

    /// RFC 7662 §2.2
    #[test]
    fn an_inactive_token_is_told_nothing_of() {
        let introspection = serde_json::to_string(&Introspection::inactive()).unwrap();

        assert_eq!(introspection, r#"{"active":false}"#);
    }

    #[test]
    fn a_signed_answer_is_one_that_was_asked_for() {
        for (accept, signed) in [
            ("application/token-introspection+jwt", true),
            ("application/json;q=0.5, Application/Token-Introspection+JWT;q=0.9", true),
            ("application/token-introspection+jwt;q=0", false),
            ("application/json", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(wants_signed(accept), signed, "{accept}");
        }
    }
}
