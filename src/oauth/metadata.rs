//! The server's metadata: [RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2) and
//! [OpenID Connect Discovery
//! §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata).
//!
//! It lists only what is enabled.

use serde::Serialize;

use crate::oauth::authorize::ResponseMode;
use crate::oauth::client::{AuthMethod, GrantType, SigningAlg};
use crate::oauth::issuer::Issuer;
use crate::oauth::scope::Scope;

/// The metadata document, the same at both well-known addresses.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of RFC 8414 §2")]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub userinfo_endpoint: String,
    pub device_authorization_endpoint: String,
    pub pushed_authorization_request_endpoint: String,
    pub end_session_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub jwks_uri: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<&'static str>,
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub userinfo_signing_alg_values_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    pub introspection_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub code_challenge_methods_supported: Vec<&'static str>,
    pub prompt_values_supported: Vec<&'static str>,
    pub acr_values_supported: Vec<&'static str>,
    pub ui_locales_supported: Vec<&'static str>,
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    pub claims_supported: Vec<&'static str>,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub require_pushed_authorization_requests: bool,
    pub authorization_response_iss_parameter_supported: bool,
    pub client_id_metadata_document_supported: bool,
}

impl Metadata {
    /// The metadata of the server at `issuer`, with its known `scopes`. `iss` tells whether
    /// authorization responses have that parameter (RFC 9207 §3).
    pub fn new(issuer: &Issuer, scopes: &Scope, iss: bool) -> Self {
        let algs: Vec<_> = SigningAlg::ALL.iter().map(|alg| alg.as_str()).collect();
        let methods: Vec<_> = AuthMethod::ALL.iter().map(|method| method.as_str()).collect();
        Self {
            issuer: issuer.to_string(),
            authorization_endpoint: issuer.at("/oauth/authorize"),
            token_endpoint: issuer.at("/oauth/token"),
            introspection_endpoint: issuer.at("/oauth/introspect"),
            revocation_endpoint: issuer.at("/oauth/revoke"),
            userinfo_endpoint: issuer.at("/oauth/userinfo"),
            device_authorization_endpoint: issuer.at("/oauth/device_authorization"),
            pushed_authorization_request_endpoint: issuer.at("/oauth/par"),
            end_session_endpoint: issuer.at("/oauth/logout"),
            registration_endpoint: None,
            jwks_uri: issuer.at("/.well-known/jwks.json"),
            scopes_supported: scopes.iter().map(|token| token.as_str().to_owned()).collect(),
            response_types_supported: vec!["code"],
            response_modes_supported: ResponseMode::ALL.iter().map(|mode| mode.as_str()).collect(),
            grant_types_supported: GrantType::ALL.iter().map(|grant| grant.as_str()).collect(),
            subject_types_supported: vec!["pairwise", "public"],
            id_token_signing_alg_values_supported: algs.clone(),
            userinfo_signing_alg_values_supported: algs.clone(),
            // RFC 7662 §2.1: the caller has to authenticate.
            introspection_endpoint_auth_methods_supported: methods
                .iter()
                .filter(|method| **method != AuthMethod::None.as_str())
                .copied()
                .collect(),
            introspection_signing_alg_values_supported: algs.clone(),
            // RFC 8414 §2: required if clients can authenticate by a JWT.
            introspection_endpoint_auth_signing_alg_values_supported: algs.clone(),
            revocation_endpoint_auth_methods_supported: methods.clone(),
            revocation_endpoint_auth_signing_alg_values_supported: algs.clone(),
            token_endpoint_auth_signing_alg_values_supported: algs.clone(),
            token_endpoint_auth_methods_supported: methods,
            code_challenge_methods_supported: vec!["S256"],
            prompt_values_supported: vec!["none", "login", "consent", "select_account"],
            acr_values_supported: vec![crate::oauth::claims::PHISHING_RESISTANT],
            ui_locales_supported: vec!["en"],
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            claims_supported: vec![
                "acr",
                "amr",
                "at_hash",
                "aud",
                "auth_time",
                "azp",
                "email",
                "email_verified",
                "exp",
                "family_name",
                "given_name",
                "groups",
                "iat",
                "iss",
                "locale",
                "name",
                "nonce",
                "picture",
                "preferred_username",
                "roles",
                "sid",
                "sub",
                "updated_at",
                "zoneinfo",
            ],
            claims_parameter_supported: true,
            request_parameter_supported: false,
            // This is about request objects, not about pushed requests (RFC 9126 §5).
            request_uri_parameter_supported: false,
            require_pushed_authorization_requests: false,
            authorization_response_iss_parameter_supported: iss,
            client_id_metadata_document_supported: false,
        }
    }
}
