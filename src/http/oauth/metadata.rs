//! The server's metadata documents and health checks.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::json::{Json, Made, json_of};
use crate::app::{App, Readiness};
use crate::config::SignUpPolicy;
use crate::error::Refusal;
use crate::flow::Rules;
use crate::flow::resource::registered;
use crate::http::destination::PagePath;
use crate::http::failure::JsonFailure;
use crate::http::texts::Language;
use crate::oauth::client::{DocumentPolicy, RegistrationPolicy};
use crate::oauth::metadata::Metadata;

/// The metadata document (RFC 8414 §3, OpenID Connect Discovery §4).
pub(in crate::http) async fn show(State(app): State<Arc<App>>) -> Made {
    let rules = app.rules();
    Made(rules.documents.metadata.made(|| json_of(&metadata(&rules))))
}

fn metadata(rules: &Rules) -> Metadata {
    let iss = rules.config.policy.iss_parameter;
    // Programs ask for all that they find here, and few of them administer. The scopes of the
    // administration are in the metadata of this server as a resource.
    let scopes = rules.config.scope().without_administration();
    let mut metadata = Metadata::new(&rules.issuer, &scopes, iss);
    // An offline server neither notifies clients of a logout nor fetches documents.
    metadata.backchannel_logout_supported = !rules.config.offline;
    metadata.backchannel_logout_session_supported = !rules.config.offline;
    let registers = rules.config.registration_policy(&rules.issuer) != RegistrationPolicy::Off;
    metadata.registration_endpoint = registers.then(|| rules.issuer.at("/oauth/register"));
    metadata.client_id_metadata_document_supported =
        rules.config.documents.policy != DocumentPolicy::Off && !rules.config.offline;
    metadata.ui_locales_supported = Language::all().map(Language::tag).collect();
    // Initiating User Registration §4.2: a value that is listed is supported.
    if rules.config.policy.sign_up == SignUpPolicy::Open {
        metadata.prompt_values_supported.push("create");
    }
    metadata
}

/// The JWK Set (RFC 7517 §5). It waits until all keys exist, because clients cache it.
pub(in crate::http) async fn jwks(State(app): State<Arc<App>>) -> Result<Made, JsonFailure> {
    Ok(Made(app.complete_keys().await?.jwks(app.clock().now())))
}

/// The page where people create and manage passkeys (W3C A Well-Known URL for Relying Party Passkey
/// Endpoints).
pub(in crate::http) async fn passkey_endpoints(State(app): State<Arc<App>>) -> Made {
    let rules = app.rules();
    Made(rules.documents.passkey_endpoints.made(|| {
        let account = rules.issuer.at(&PagePath::Account.to_string());
        json_of(&json!({ "enroll": account, "manage": account }))
    }))
}

/// The origins at which the server's passkeys may be used (WebAuthn Level 3 §5.11): only its own.
pub(in crate::http) async fn related_origins(State(app): State<Arc<App>>) -> Made {
    let rules = app.rules();
    let origins = || json!({ "origins": [rules.issuer.as_str()] });
    Made(rules.documents.related_origins.made(|| json_of(&origins())))
}

/// The metadata of this server as a protected resource (RFC 9728 §3), which its `WWW-Authenticate`
/// names.
pub(in crate::http) async fn own_resource(State(app): State<Arc<App>>) -> Made {
    let rules = app.rules();
    Made(rules.documents.own_resource.made(|| {
        let scopes = rules.config.scope();
        json_of(&json!({
            "resource": rules.issuer.as_str(),
            "authorization_servers": [rules.issuer.as_str()],
            "bearer_methods_supported": ["header", "body"],
            "scopes_supported": scopes.iter().map(|token| token.as_str()).collect::<Vec<_>>(),
        }))
    }))
}

/// A copy of the metadata of a registered resource that cannot serve its own (RFC 9728 §3).
pub(in crate::http) async fn resource(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Response, JsonFailure> {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource/";
    // The path stays percent-encoded, because the decoded path names another resource.
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let rest = path.strip_prefix(WELL_KNOWN).unwrap_or_default();
    let row = registered::copied(&app.read()?, rest)?.ok_or(Refusal::ResourceNotFound)?;
    Ok(Json(registered::metadata(&app.rules(), &row)).into_response())
}

/// Liveness: the server runs.
pub(in crate::http) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Readiness: the store can be written, and tokens can be signed. `detail` says what the system does, and
/// names no file.
pub(in crate::http) async fn ready(State(app): State<Arc<App>>) -> Result<Response, JsonFailure> {
    Ok(match app.readiness().await? {
        Readiness::Ready(remarks) if remarks.is_empty() => {
            Json(json!({ "status": "ok" })).into_response()
        }
        Readiness::Ready(remarks) => {
            Json(json!({ "status": "ok", "detail": remarks.join("; ") })).into_response()
        }
        Readiness::Unwritable(detail) => {
            JsonFailure::from(Refusal::StoreUnwritable).with_detail(detail)
        }
    })
}
