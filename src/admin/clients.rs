//! `/api/v1/clients`. The members are those of RFC 7591 §2, and ours beside them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Failed, body, optional, parsed};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::client::operator::{self, Change, NewClient};
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{ApplicationType, ClientSecret, ClientType, SubjectType};
use crate::oauth::id::ClientId;
use crate::oauth::web_uri::WebUri;
use crate::secret::MadeClientSecret;
use crate::store::View;
use crate::store::schema::{Client, Links, Origin};

/// The most clients that one listing shows.
const MAX_LISTED: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    name: String,
    client_id: Option<String>,
    client_type: Option<ClientType>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    grant_types: Vec<String>,
    client_secret: Option<String>,
    scope: Option<String>,
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    first_party: bool,
    pkce: Option<String>,
    refresh: Option<String>,
    id_token_signed_response_alg: Option<String>,
    access_token_lifetime: Option<u32>,
    #[serde(default)]
    anonymous: bool,
    application_type: Option<ApplicationType>,
    #[serde(default)]
    backchannel_logout_session_required: bool,
    backchannel_logout_uri: Option<String>,
    #[serde(default)]
    confirmation_waived: bool,
    default_max_age: Option<u32>,
    #[serde(default)]
    introspect_any: bool,
    introspection_signed_response_alg: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    resources: Vec<String>,
    sector: Option<String>,
    subject_type: Option<SubjectType>,
    userinfo_signed_response_alg: Option<String>,
}

impl Registration {
    /// Without its secret, which is hashed first.
    fn parse(self) -> Result<NewClient, Refusal> {
        Ok(NewClient {
            access_token_lifetime: self.access_token_lifetime,
            anonymous: self.anonymous,
            any_secret_method: None,
            application_type: self.application_type,
            auth_method: optional(self.token_endpoint_auth_method.as_deref())?,
            backchannel_logout_session_required: self.backchannel_logout_session_required,
            backchannel_logout_uri: optional(self.backchannel_logout_uri.as_deref())?,
            client_id: self.client_id.as_deref().map(ClientId::chosen).transpose()?,
            client_type: self.client_type,
            confirmation_waived: self.confirmation_waived,
            default_max_age: self.default_max_age,
            first_party: self.first_party,
            grant_types: Some(parsed(&self.grant_types)?).filter(|grants| !grants.is_empty()),
            id_token_alg: optional(self.id_token_signed_response_alg.as_deref())?,
            introspect_any: self.introspect_any,
            introspection_alg: optional(self.introspection_signed_response_alg.as_deref())?,
            jwks: self.jwks.as_ref().map(JwkSet::from_value).transpose()?,
            jwks_uri: optional(self.jwks_uri.as_deref())?,
            links: Links::default(),
            name: Some(self.name.parse()?),
            pkce: optional(self.pkce.as_deref())?,
            post_logout_redirect_uris: parsed(&self.post_logout_redirect_uris)?,
            redirect_uris: parsed(&self.redirect_uris)?,
            refresh: optional(self.refresh.as_deref())?,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            resources: parsed(&self.resources)?,
            scope: optional(self.scope.as_deref())?,
            scope_decided: false,
            secret: None,
            sector: self.sector.map(sector).transpose()?,
            subject_type: self.subject_type,
            userinfo_alg: optional(self.userinfo_signed_response_alg.as_deref())?,
        })
    }
}

/// The sector of a client with pairwise subjects: the host of a URL (OpenID Connect Core §8.1).
fn sector(host: String) -> Result<String, Refusal> {
    let address: WebUri = format!("https://{host}/").parse()?;
    if address.authority() == host { Ok(host) } else { Err(Refusal::WebUriMalformed) }
}

pub(super) fn shown(id: &ClientId, client: &Client) -> Value {
    let texts = |uris: &[crate::oauth::redirect_uri::RedirectUri]| {
        uris.iter().map(|uri| uri.as_str().to_owned()).collect::<Vec<_>>()
    };
    let grant_types: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    let mut shown = json!({
        "client_id": id.as_str(),
        "name": client.name.as_str(),
        "client_type": client.client_type,
        "redirect_uris": texts(&client.redirect_uris),
        "post_logout_redirect_uris": texts(&client.post_logout_redirect_uris),
        "grant_types": grant_types,
        "scope": client.scope,
        "token_endpoint_auth_method": client.auth_method.as_str(),
        "first_party": client.first_party,
        "pkce": client.pkce.as_str(),
        "refresh": client.refresh.as_str(),
        "id_token_signed_response_alg": client.id_token_alg.as_str(),
        "access_token_lifetime": client.access_token_lifetime,
        "anonymous": client.anonymous,
        "application_type": client.application_type,
        "backchannel_logout_session_required": client.backchannel_logout_session_required,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "confirmation_waived": client.confirmation_waived,
        "default_max_age": client.default_max_age,
        "introspect_any": client.introspect_any,
        "introspection_signed_response_alg": client.introspection_alg,
        "jwks": client.jwks.as_ref().map(JwkSet::to_value),
        "jwks_uri": client.jwks_uri,
        "require_pushed_authorization_requests": client.require_pushed_authorization_requests,
        "resources": client.resources,
        "sector": client.sector,
        "subject_type": client.subject_type,
        "userinfo_signed_response_alg": client.userinfo_alg,
        "origin": match client.origin {
            Origin::Document { .. } => "document",
            Origin::Dynamic { .. } => "dynamic",
            Origin::Hook { .. } => "hook",
            Origin::Operator => "operator",
        },
        "enabled": client.enabled,
        "created": client.created.rfc3339(),
    });
    if let Value::Object(members) = &mut shown {
        members.retain(|_, value| !value.is_null());
    }
    shown
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let clients = app.read()?.list::<Client>(MAX_LISTED)?;
    let clients: Vec<Value> = clients.iter().map(|(id, client)| shown(id, client)).collect();
    Ok(Json(json!({ "clients": clients })))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let mut asked = body::<Registration>(request).await?;
    let secret = hashed(&app, asked.client_secret.take()).await?;
    let new = NewClient { secret, ..asked.parse()? };
    let (id, client, secret) = app.write(move |tx, cx| operator::add(tx, cx, &new)).await?;
    Ok((StatusCode::CREATED, Json(told(&id, &client, secret.as_ref()))))
}

/// A client, and the secret that is told this once.
fn told(id: &ClientId, client: &Client, secret: Option<&MadeClientSecret>) -> Value {
    let mut told = shown(id, client);
    if let (Some(secret), Value::Object(members)) = (secret, &mut told) {
        members.insert("client_secret".to_owned(), secret.expose().as_str().into());
    }
    told
}

/// The hash of a secret that the operator chose, if they did.
async fn hashed(app: &App, secret: Option<String>) -> Result<Option<String>, Failed> {
    let Some(secret) = secret.map(Zeroizing::new) else { return Ok(None) };
    let secret: ClientSecret = secret.parse().map_err(|_| Refusal::ClientSecretUnfit)?;
    Ok(Some(app.passwords().hash(secret.expose(), &app.context().seed).await?))
}

/// The members of a client that cannot be described.
const FACTS: &[&str] = &["client_id", "created", "enabled", "origin"];

/// The members of a client that describes itself which are the operator's to decide. The others
/// would last until it describes itself anew.
const DECIDED: &[&str] = &[
    "access_token_lifetime",
    "anonymous",
    "confirmation_waived",
    "first_party",
    "introspect_any",
    "pkce",
    "refresh",
    "resources",
    "scope",
];

/// Changes what a JSON Merge Patch (RFC 7396) names, and nothing else; null takes a member back
/// to its default.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let id: ClientId = id.parse()?;
    let mut patch = body::<Map<String, Value>>(request).await?;
    let secret = match patch.remove("client_secret") {
        None => None,
        Some(Value::String(secret)) => hashed(&app, Some(secret)).await?,
        Some(_) => return Err(Refusal::ClientSecretUnfit.into()),
    };
    let enabled = match patch.remove("enabled") {
        None => None,
        Some(Value::Bool(enabled)) => Some(enabled),
        Some(_) => return Err(Refusal::BodyMalformed.into()),
    };
    let asked = id.clone();
    let change = app.write(move |tx, cx| {
        operator::change(tx, cx, &asked, |client| {
            let described =
                (!patch.is_empty()).then(|| patched(&asked, client, &patch)).transpose()?;
            let enabled = enabled.unwrap_or(client.enabled);
            Ok(Change { described, enabled, secret: secret.clone() })
        })
    });
    let (client, secret) = change.await?;
    Ok(Json(told(&id, &client, secret.as_ref())))
}

/// The description that a patch makes of a client.
fn patched(
    id: &ClientId,
    client: &Client,
    patch: &Map<String, Value>,
) -> Result<NewClient, Refusal> {
    let decides = |name: &String| DECIDED.contains(&name.as_str());
    if client.origin != Origin::Operator && !patch.keys().all(decides) {
        return Err(Refusal::ClientDescribesItself);
    }
    let Value::Object(mut members) = shown(id, client) else { return Err(Refusal::BodyMalformed) };
    members.retain(|name, _| !FACTS.contains(&name.as_str()));
    for (name, value) in patch {
        match value {
            Value::Null => members.remove(name),
            _ if FACTS.contains(&name.as_str()) => return Err(Refusal::BodyMalformed),
            _ => members.insert(name.clone(), value.clone()),
        };
    }
    let described: Registration =
        serde_json::from_value(Value::Object(members)).map_err(|_| Refusal::BodyMalformed)?;
    let mut new = described.parse()?;
    // A description cannot say that either method serves, nor that a client asks for no tokens.
    if !patch.contains_key("token_endpoint_auth_method") {
        new.any_secret_method = Some(client.any_secret_method);
    }
    if !patch.contains_key("grant_types") {
        new.grant_types = Some(client.grant_types.clone());
    }
    new.scope_decided = match patch.get("scope") {
        None => client.scope_decided,
        Some(scope) => client.origin != Origin::Operator && !scope.is_null(),
    };
    Ok(new)
}

pub(super) async fn rotate_secret(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: ClientId = id.parse()?;
    let rotated = id.clone();
    let (client, secret) =
        app.write(move |tx, cx| operator::rotate_secret(tx, cx, &rotated)).await?;
    Ok(Json(told(&id, &client, Some(&secret))))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: ClientId = id.parse()?;
    let client = app.read()?.find::<Client>(&id)?.ok_or(Refusal::ClientNotFound)?;
    Ok(Json(shown(&id, &client)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: ClientId = id.parse()?;
    let removed = id.clone();
    let ended = app.write(move |tx, cx| operator::remove(tx, cx, &removed)).await?;
    Ok(Json(json!({ "client_id": id.as_str(), "grants_ended": ended })))
}
