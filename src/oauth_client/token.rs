//! Requests to the token endpoint: [RFC 6749 §5](https://www.rfc-editor.org/rfc/rfc6749#section-5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind, printable};

use super::http::{Http, HttpResponse, NoResponse};

/// A successful token response (§5.1).
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: Opaque,
    token_type: String,
    /// "The lifetime in seconds of the access token." If absent, the token is used once and not
    /// stored.
    #[serde(default)]
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: Option<Opaque>,
    pub(crate) scope: Option<String>,
    pub(crate) id_token: Option<Opaque>,
}

/// The error of a token request.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// The server refused (§5.2): its error code and its description.
    Refused { error: String, description: Option<String> },
    /// The server did not respond.
    NoResponse(NoResponse),
    /// The response is not understood.
    Unclear(&'static str),
}

impl TokenError {
    /// Whether the server refused with this code.
    pub(crate) fn is(&self, code: &str) -> bool {
        match self {
            Self::Refused { error, .. } => error == code,
            Self::NoResponse(_) | Self::Unclear(_) => false,
        }
    }
}

/// Requests tokens.
pub(crate) async fn ask(
    http: &Http,
    endpoint: &Url,
    pairs: &[(&str, &str)],
) -> Result<Tokens, TokenError> {
    read(http.post_form(endpoint, pairs).await.map_err(TokenError::NoResponse)?)
}

fn read(response: HttpResponse) -> Result<Tokens, TokenError> {
    if response.status != 200 {
        return Err(refusal(&response));
    }
    let tokens: Tokens = serde_json::from_value(response.body)
        .map_err(|_| TokenError::Unclear("the server's answer holds no token"))?;
    // §7.1: "The client MUST NOT use an access token if it does not understand the token type."
    if !tokens.token_type.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Unclear("the server gives tokens that are no bearer tokens"));
    }
    Ok(tokens)
}

/// The error of an unsuccessful response (§5.2).
pub(crate) fn refusal(response: &HttpResponse) -> TokenError {
    let word = |name: &str| response.body.get(name).and_then(Value::as_str).map(printable);
    match word("error") {
        Some(error) => TokenError::Refused { error, description: word("error_description") },
        None if response.status >= 500 => {
            TokenError::Unclear("the server failed; its log says why")
        }
        None => TokenError::Unclear("the server refused without an OAuth error"),
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused { error, description: Some(description) } => {
                Self::new(ErrorKind::Refused, format!("{description} ({error})"))
            }
            TokenError::Refused { error, description: None } => {
                Self::new(ErrorKind::Refused, error)
            }
            TokenError::NoResponse(no_response) => no_response.into(),
            TokenError::Unclear(why) => Self::new(ErrorKind::Failed, why),
        }
    }
}

/// The claims of an ID token from the token endpoint, if they are for this sign-in.
///
/// OpenID Connect Core §3.1.3.7: "If the ID Token is received via direct communication between the
/// Client and the Token Endpoint […], the TLS server validation MAY be used to validate the issuer
/// in place of checking the token signature." On loopback, the connection itself replaces TLS.
pub(crate) fn claims(
    id_token: &Opaque,
    issuer: &str,
    client_id: &str,
    nonce: Option<&Opaque>,
) -> Option<Map<String, Value>> {
    let payload = id_token.expose().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let for_us = match claims.get("aud")? {
        Value::Array(all) => all.iter().any(|one| one == client_id),
        one => one == client_id,
    };
    let of_this =
        nonce.is_none_or(|nonce| text("nonce").is_some_and(|described| nonce.is(described)));
    (text("iss") == Some(issuer) && for_us && of_this && text("sub").is_some()).then_some(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn response(status: u16, body: Value) -> Result<Tokens, TokenError> {
        read(HttpResponse { status, body })
    }

    /// RFC 6749 §5.1, the example
    #[test]
    fn a_grant_is_read() {
        let tokens = response(
            200,
            json!({
                "access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "example",
                "expires_in": 3600, "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA"
            }),
        );
        assert!(matches!(tokens, Err(TokenError::Unclear(_))), "a type that we do not know");

        let tokens = response(200, json!({ "access_token": "a", "token_type": "bearer" })).ok();
        assert!(tokens.is_some_and(|tokens| tokens.expires_in == 0));
        let split = response(200, json!({ "access_token": "a\nb", "token_type": "Bearer" }));
        assert!(split.is_err());
    }

    #[test]
    fn a_refusal_keeps_its_code() {
        let body = json!({ "error": "invalid_grant", "error_description": "Gone.\u{1b}" });
        let refused = response(400, body).err().unwrap();

        assert!(refused.is("invalid_grant") && !refused.is("invalid_client"));
        let failure = Error::from(refused);
        assert_eq!(failure.kind, ErrorKind::Refused);
        assert_eq!(failure.message, "Gone.\u{fffd} (invalid_grant)");
        assert!(matches!(response(502, Value::Null), Err(TokenError::Unclear(_))));
    }

    #[test]
    fn an_id_token_is_about_this_sign_in_or_says_nothing() {
        let token = |claims: Value| {
            let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
            Opaque::new(format!("e30.{payload}.e30")).unwrap()
        };
        let nonce = Opaque::new("n".to_owned());
        let described = |own: Value| claims(&token(own), "https://id", "cli", nonce.as_ref());

        let sound = json!({ "iss": "https://id", "aud": ["cli"], "sub": "1", "nonce": "n" });
        assert!(described(sound.clone()).is_some());
        for (name, other) in [("iss", "https://evil"), ("aud", "shop"), ("nonce", "m"), ("sub", "")]
        {
            let mut amiss = sound.clone();
            amiss[name] = if other.is_empty() { Value::Null } else { other.into() };
            assert!(described(amiss).is_none(), "{name}");
        }
        assert!(claims(&Opaque::new("no.jwt".to_owned()).unwrap(), "i", "c", None).is_none());
    }
}
