//! What the server says of itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::error::Refusal;
use crate::flow::installation;
use crate::flow::resource::registered;
use crate::http::failure::Failure;
use crate::oauth::client::{DocumentPolicy, RegistrationPolicy, SigningAlg};
use crate::oauth::metadata::Metadata;

/// Clients may keep what rarely changes for a while; well within the time a key is published
/// ahead of its use.
fn cacheable(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let hour = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, hour);
    response
}

/// The metadata document (RFC 8414 §3, OpenID Connect Discovery §4).
pub(in crate::http) async fn show(State(app): State<Arc<App>>) -> Response {
    let rules = app.rules();
    let iss = rules.config.policy.iss_parameter;
    let mut metadata = Metadata::new(&rules.issuer, &rules.config.scope(), iss);
    // Where nothing is ever fetched, nobody is told of a logout, and no document is met.
    metadata.backchannel_logout_supported = !rules.config.offline;
    metadata.backchannel_logout_session_supported = !rules.config.offline;
    let registers = rules.config.registration_policy(&rules.issuer) != RegistrationPolicy::Off;
    metadata.registration_endpoint = registers.then(|| rules.issuer.at("/oauth/register"));
    metadata.client_id_metadata_document_supported =
        rules.config.documents.policy != DocumentPolicy::Off && !rules.config.offline;
    cacheable(Json(metadata))
}

/// The public keys (RFC 7517 §5), once they are all there: a client keeps what it got.
pub(in crate::http) async fn jwks(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let keys = app.complete_keys().await.map_err(Failure::json)?;
    Ok(cacheable(Json(keys.jwks(app.clock().now()))))
}

/// Where passkeys are made and managed (W3C A Well-Known URL for Relying Party Passkey Endpoints).
pub(in crate::http) async fn passkey_endpoints(State(app): State<Arc<App>>) -> Response {
    let account = app.rules().issuer.at("/gate/account");
    cacheable(Json(json!({ "enroll": account, "manage": account })))
}

/// The origins at which its passkeys may be used (WebAuthn Level 3 §5.11): its own and no other.
pub(in crate::http) async fn related_origins(State(app): State<Arc<App>>) -> Response {
    cacheable(Json(json!({ "origins": [app.rules().issuer.as_str()] })))
}

/// The server's own resources, which `WWW-Authenticate` leads to (RFC 9728 §3).
pub(in crate::http) async fn own_resource(State(app): State<Arc<App>>) -> Response {
    let rules = app.rules();
    let scopes = rules.config.scope();
    cacheable(Json(json!({
        "resource": rules.issuer.as_str(),
        "authorization_servers": [rules.issuer.as_str()],
        "bearer_methods_supported": ["header", "body"],
        "scopes_supported": scopes.iter().map(|token| token.as_str()).collect::<Vec<_>>(),
    })))
}

/// The metadata of a registered resource, for one that cannot serve its own (RFC 9728 §3).
pub(in crate::http) async fn resource(
    State(app): State<Arc<App>>,
    uri: Uri,
) -> Result<Response, Failure> {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource/";
    // As it was asked: a path that is decoded names another resource.
    let asked = uri.path_and_query().map_or("", |asked| asked.as_str());
    let rest = asked.strip_prefix(WELL_KNOWN).unwrap_or_default();
    let view = app.read().map_err(Failure::json)?;
    let row = registered::copied(&view, rest).map_err(Failure::json)?;
    let row = row.ok_or(Refusal::ResourceNotFound).map_err(Failure::json)?;
    Ok(cacheable(Json(registered::metadata(app.rules(), &row))))
}

/// The program runs.
pub(in crate::http) async fn alive() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// The store takes writes, and tokens can be signed; at a first start the keys are waited for.
pub(in crate::http) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    app.write(installation::probe).await.map_err(Failure::json)?;
    app.signing_key(SigningAlg::Es256).await.map_err(Failure::json)?;
    Ok(Json(json!({ "status": "ok" })).into_response())
}
