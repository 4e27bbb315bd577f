//! The input of the token endpoint: the credentials of a client, and its request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::model::anonymous::{AnonymousRequest, Metadata};
use crate::oauth::client::{PresentedCredentials, Proof};
use crate::oauth::params::{Params, form_encode};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::Resource;
use crate::oauth::token::TokenRequest;

use super::reread;

/// A request for an anonymous session: its fields are those of its members, and its metadata is a
/// stored object within its limit. (A number may lose its last digit, as JSON numbers do.)
pub fn anonymous_request(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let Ok(request) = AnonymousRequest::from_value(&value) else { return };
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    assert_eq!(text("client_id"), Some(request.client_id.as_str()));
    assert_eq!(text("redirect_uri"), request.redirect_uri.as_ref().map(RedirectUri::as_str));
    let asked = value.get("metadata").filter(|metadata| !metadata.is_null());
    assert_eq!(request.metadata.is_some(), asked.is_some());
    if let (Some(metadata), Some(asked)) = (&request.metadata, asked) {
        let (printed, asked) = (metadata.to_value(), asked.as_object());
        let names = |object: &Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
        assert!(printed.is_object());
        assert_eq!(printed.as_object().map(names), asked.map(names));
        assert!(reread::<String>(metadata).len() <= Metadata::MAX_LENGTH);
    }
}

/// A Basic `Authorization` header: equal after it is encoded and parsed again.
pub fn basic_header(bytes: &[u8]) {
    let nothing = Params::default();
    let Ok(presented) = PresentedCredentials::parse(Some(bytes), &nothing) else { return };
    let secret = match &presented.proof {
        Proof::Basic(secret) => secret.expose(),
        // An empty secret is none.
        Proof::None => "",
        Proof::Assertion(_) | Proof::Post(_) => unreachable!("the header is Basic or refused"),
    };
    let id = presented.client_id.as_str();

    let pair = form_encode([(id, secret)]).replacen('=', ":", 1);
    let written = format!("Basic {}", STANDARD.encode(pair));
    let again = PresentedCredentials::parse(Some(written.as_bytes()), &nothing);
    let again = again.expect("what was read can be written");
    assert_eq!(again.client_id, presented.client_id);
    match &again.proof {
        Proof::Basic(same) => assert_eq!(same.expose(), secret),
        Proof::None => assert_eq!(secret, ""),
        Proof::Assertion(_) | Proof::Post(_) => unreachable!("the header is Basic"),
    }

    let beside = |name, value| {
        let form = Params::parse(form_encode([(name, value)]).as_bytes());
        PresentedCredentials::parse(Some(bytes), &form.expect("one short pair is a form")).err()
    };
    assert_eq!(beside("client_id", id), None);
    assert_eq!(
        beside("client_id", if id == "a" { "b" } else { "a" }),
        Some(Refusal::ClientAuthTwice)
    );
    let secret = if secret.is_empty() { "a" } else { secret };
    assert_eq!(beside("client_secret", secret), Some(Refusal::ClientAuthTwice));
}

/// A token request: its fields are those of its parameters.
pub fn token_request(bytes: &[u8]) {
    let Ok(form) = Params::parse(bytes) else { return };
    if let Ok(presented) = PresentedCredentials::parse(None, &form) {
        let named = form.one("client_id").expect("it was read");
        let asserted = matches!(presented.proof, Proof::Assertion(_));
        assert!(named == Some(presented.client_id.as_str()) || asserted && named.is_none());
        let secret = match &presented.proof {
            Proof::Assertion(_) | Proof::None => None,
            Proof::Basic(_) => unreachable!("there is no header"),
            Proof::Post(secret) => Some(secret.expose()),
        };
        assert_eq!(form.one("client_secret"), Ok(secret));
    }
    let Ok(request) = TokenRequest::parse(&form) else { return };
    assert_eq!(form.one("grant_type"), Ok(Some(request.grant_type().as_str())));
    let resources = match &request {
        TokenRequest::AuthorizationCode(code) => {
            assert_eq!(form.one("code"), Ok(Some(code.code.expose().as_str())));
            assert_eq!(form.one("redirect_uri"), Ok(code.redirect_uri.as_deref()));
            assert_eq!(
                form.one("code_verifier").map(|v| v.is_some()),
                Ok(code.code_verifier.is_some())
            );
            &code.resources
        }
        TokenRequest::ClientCredentials(own) => {
            assert_eq!(form.parsed("scope").as_ref(), Ok(&own.scope));
            &own.resources
        }
        TokenRequest::DeviceCode(device) => {
            let token = device.device_code.expose();
            assert_eq!(form.one("device_code"), Ok(Some(token.as_str())));
            &device.resources
        }
        TokenRequest::RefreshToken(refresh) => {
            let token = refresh.refresh_token.expose();
            assert_eq!(form.one("refresh_token"), Ok(Some(token.as_str())));
            assert_eq!(form.parsed("scope").as_ref(), Ok(&refresh.scope));
            &refresh.resources
        }
    };
    assert!(form.many("resource").eq(resources.iter().map(Resource::as_str)));
}
