//! Clients that are made when they are met first, where `--open-clients` asks for it.
//!
//! Such a client has the redirect URI of its request, if that leads to this machine or to a name that is
//! nobody's: otherwise a page of the web could send the browser here, and get a code. It is public
//! until it brings a secret, which is its own from then on.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::installation::Installation;
use crate::oauth::id::ClientId;
use crate::oauth::params::{Params, form_decode, segment_encode};
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::store::View as _;
use crate::store::schema::Client;

/// The most bytes of a form that is read.
const MAX_FORM: usize = 64 << 10;

/// The endpoints at which a client names itself.
const ENDPOINTS: [&str; 4] =
    ["/oauth/authorize", "/oauth/device_authorization", "/oauth/par", "/oauth/token"];

/// The top-level domains that nobody has (RFC 2606 §2), for tests and documentation.
const RESERVED: [&str; 4] = ["example", "invalid", "localhost", "test"];

/// RFC 8628 §3.4
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The client that a request names, and what it brings.
struct Named {
    id: ClientId,
    params: Params,
    secret: Option<(String, &'static str)>,
}

/// Makes the client of a request, if it is not known yet. Returns the request.
///
/// # Errors
///
/// The response, where the request cannot be read.
pub(super) async fn introduce(
    installation: &Installation,
    request: Request,
) -> Result<Request, Response> {
    if !ENDPOINTS.contains(&request.uri().path()) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let (body, form) = if parts.method == Method::POST {
        let bytes = to_bytes(body, MAX_FORM).await;
        let bytes = bytes.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        (Body::from(bytes.clone()), Some(bytes))
    } else {
        (body, None)
    };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let named = named(&parts.headers, form.as_deref().unwrap_or(query));
    if let Some(named) = named {
        make(installation, &named).await;
    }
    Ok(Request::from_parts(parts, body))
}

fn named(headers: &HeaderMap, parameters: &[u8]) -> Option<Named> {
    let params = Params::parse(parameters).ok()?;
    let basic = basic(headers);
    let in_form = params.one("client_secret").ok().flatten().map(str::to_owned);
    let written = match &basic {
        Some((id, _)) => id.clone(),
        None => params.one("client_id").ok()??.to_owned(),
    };
    let secret = match basic {
        Some((_, secret)) => Some((secret, "client_secret_basic")),
        None => in_form.map(|secret| (secret, "client_secret_post")),
    };
    Some(Named { id: written.parse().ok()?, params, secret })
}

/// RFC 6749 §2.3.1
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let written = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, value) = written.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(value).ok())??;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decode(id).ok()?, form_decode(secret).ok()?))
}

/// Makes a client, or gives one that was made here the secret that it brings first. What the
/// administration refuses, the endpoint refuses, too.
async fn make(installation: &Installation, named: &Named) {
    let Named { id, params, secret } = named;
    let found = installation.app.read().and_then(|view| view.find::<Client>(id));
    let Ok(found) = found else { return };
    let (method, path, body) = match (found, secret) {
        (Some(_), Some((secret, way))) if installation.is_secretless(id) => {
            let path = format!("/api/v1/clients/{}", segment_encode(id.as_str()));
            let body = json!({
                "client_secret": secret,
                "client_type": "confidential",
                "token_endpoint_auth_method": way,
            });
            (Method::PATCH, path, body)
        }
        (Some(_), _) => return,
        // A client that is its document is fetched.
        (None, _) if id.as_str().contains("://") => return,
        (None, _) => match registration(installation, named) {
            Some(body) => (Method::POST, "/api/v1/clients".to_owned(), body),
            None => return,
        },
    };
    match installation.administer(method, &path, &body).await {
        Ok(_) => {
            installation.note_open(id, secret.is_none());
            let redirect = params.one("redirect_uri").ok().flatten().unwrap_or_default();
            tracing::warn!(
                client = id.as_str(),
                redirect,
                "gatelodge dev --open-clients: a client that nobody registered is known from now on"
            );
        }
        Err((_, refused)) => {
            tracing::warn!(client = id.as_str(), %refused, "gatelodge dev could not make a client");
        }
    }
}

/// The registration of a client; `None` if its redirect URI leads to somebody.
fn registration(installation: &Installation, named: &Named) -> Option<Value> {
    let Named { id, params, secret } = named;
    let redirect = params.one("redirect_uri").ok()?;
    let (id, code, refresh) = (id.as_str(), "authorization_code", "refresh_token");
    let grants = if redirect.is_some() {
        json!([code, refresh, DEVICE_GRANT])
    } else if params.one("grant_type").ok()? == Some("client_credentials") {
        json!(["client_credentials"])
    } else {
        json!([DEVICE_GRANT, refresh])
    };
    let mut members = vec![("client_id", json!(id)), ("name", json!(id)), ("grant_types", grants)];
    if let Some(redirect) = redirect {
        let uri = redirect.parse::<RedirectUri>().ok()?;
        if !stays_here(&uri) {
            tracing::warn!(
                client = id,
                redirect,
                "gatelodge dev makes no client whose codes leave this machine: register it by --apply"
            );
            return None;
        }
        members.push(("redirect_uris", json!([redirect])));
    }
    let way = secret.as_ref().map_or("none", |(_, way)| way);
    members.push(("token_endpoint_auth_method", json!(way)));
    members.extend(secret.iter().map(|(secret, _)| ("client_secret", json!(secret))));
    let scope = scope(installation, named, redirect.is_some());
    members.extend(scope.map(|scope| ("scope", json!(scope))));
    Some(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The scope of a client: what it asks for, as far as there is such and it is not of the administration,
/// and, if it acts for people, every open scope.
fn scope(installation: &Installation, named: &Named, for_people: bool) -> Option<String> {
    let rules = installation.app.rules();
    let known = |token: &&str| {
        let known = rules.config.scopes.keys().any(|own| own.as_str() == *token);
        known && !token.starts_with("admin")
    };
    let asked = named.params.one("scope").ok().flatten().unwrap_or_default();
    let open = rules.config.open_scope().to_string();
    let open = if for_people { open.as_str() } else { "" };
    let mut scope: Vec<&str> = open.split_whitespace().collect();
    scope.extend(asked.split_whitespace().filter(known));
    scope.sort_unstable();
    scope.dedup();
    (!scope.is_empty()).then(|| scope.join(" "))
}

/// Whether a redirect URI leads to this machine, or to a name that nobody has.
fn stays_here(uri: &RedirectUri) -> bool {
    match uri.kind() {
        Kind::Loopback { .. } | Kind::PrivateUse { .. } => true,
        Kind::Https { authority } => {
            let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
            let last = host.rsplit_once('.').map_or(host, |(_, last)| last);
            RESERVED.contains(&last.to_ascii_lowercase().as_str())
        }
    }
}
