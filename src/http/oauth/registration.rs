//! `/oauth/register`: RFC 7591, and RFC 7592 below it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::userinfo::from_header;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::client::registration::{self, Registered, Update};
use crate::flow::throttle::{self, GuessLimit};
use crate::http::extract::{body, peer};
use crate::http::failure::{ErrorFormat, Failure};
use crate::keys;
use crate::oauth::client::RegistrationPolicy;
use crate::oauth::client::registration::ClientMetadata;
use crate::oauth::id::{ClientId, KeyId};
use crate::oauth::jwt::Compact;
use crate::secret::{MadeClientSecret, RegistrationToken};
use crate::store::schema::Client;

/// What only the server says of a client (RFC 7592 §2.2: "MUST NOT include").
const OURS: [&str; 4] = [
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

/// The most bytes of a software statement: as of any token.
const MAX_STATEMENT: usize = 16 * 1024;

/// RFC 7591 §3.1.
pub(in crate::http) async fn register(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let network = throttle::network(peer::address(&app, &request));
    admit(&app, request.headers(), &network).await?;
    count(&app, &network).await?;
    let stated: Value = body::json(request).await.map_err(Failure::json)?;
    let metadata = metadata(&app, stated).await.map_err(Failure::json)?;
    let registered = app.write(move |tx, cx| registration::register(tx, cx, &metadata, &network));
    let registered = registered.await.map_err(Failure::json)?;
    Ok((StatusCode::CREATED, Json(response(&app, &registered))))
}

/// RFC 7592 §2.1.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let (id, token) = claimed(&id, &headers)?;
    let view = app.read().map_err(Failure::json)?;
    let client = registration::managed(&view, app.rules(), &id, &token).map_err(refused)?;
    Ok(Json(response(&app, &Registered { client, id, secret: None, token })))
}

/// RFC 7592 §2.2.
pub(in crate::http) async fn update(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    let (id, token) = claimed(&id, request.headers())?;
    let view = app.read().map_err(Failure::json)?;
    registration::managed(&view, app.rules(), &id, &token).map_err(refused)?;
    count(&app, &throttle::network(peer::address(&app, &request))).await?;
    let stated: Value = body::json(request).await.map_err(Failure::json)?;
    let secret = own_secret(&id, &stated).map_err(Failure::json)?;
    let metadata = metadata(&app, stated).await.map_err(Failure::json)?;
    let update = Update { id, metadata, secret, token };
    let updated = app.write(move |tx, cx| registration::update(tx, cx, &update));
    Ok(Json(response(&app, &updated.await.map_err(refused)?)))
}

/// RFC 7592 §2.3.
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Failure> {
    let (id, token) = claimed(&id, &headers)?;
    let removed = app.write(move |tx, cx| registration::remove(tx, cx, &id, &token));
    removed.await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Counts a registration or its update, of which there are so many a minute, from one network and
/// in all: either may have the server fetch something.
async fn count(app: &App, network: &[u8]) -> Result<(), Failure> {
    let network = network.to_vec();
    let counted = app.write(move |tx, cx| {
        let limit = cx.rules.config.registration.per_minute;
        throttle::consume(tx, cx, "registrations from", &network, limit)?;
        throttle::consume(tx, cx, "registrations", b"", limit)
    });
    counted.await.map_err(Failure::json)
}

/// Whether anybody, or whoever brings the initial access token (RFC 7591 §3), may register.
async fn admit(app: &App, headers: &HeaderMap, network: &[u8]) -> Result<(), Failure> {
    let rules = app.rules();
    match rules.config.registration_policy(&rules.issuer) {
        RegistrationPolicy::Off => Err(Failure::json(Refusal::RegistrationOff)),
        RegistrationPolicy::Open => Ok(()),
        RegistrationPolicy::Token => {
            let presented = bearer(headers)?;
            let guessed = GuessLimit::InitialAccessTokenFrom;
            let view = app.read().map_err(Failure::json)?;
            throttle::check(&view, &app.context(), guessed, network).map_err(Failure::json)?;
            let hash =
                |token: &str| rules.pepper.hash_parts("initial access token", token.as_bytes());
            let known = rules.config.registration.token.as_ref();
            if known.is_some_and(|known| hash(known).matches(&hash(&presented))) {
                return Ok(());
            }
            let network = network.to_vec();
            let failed =
                app.write(move |tx, cx| Ok(throttle::record_failure(tx, cx, guessed, &network)?));
            failed.await.map_err(Failure::json)?;
            Err(refused(Refusal::InitialAccessTokenWrong))
        }
    }
}

/// The client that a request is about, and the registration access token that it brings.
fn claimed(id: &str, headers: &HeaderMap) -> Result<(ClientId, RegistrationToken), Failure> {
    let unknown = || refused(Refusal::RegistrationAccessTokenWrong);
    let token = bearer(headers)?.parse().map_err(|_| unknown())?;
    Ok((id.parse().map_err(|_| unknown())?, token))
}

fn bearer(headers: &HeaderMap) -> Result<String, Failure> {
    let token = from_header(headers).map_err(refused)?;
    let missing = Failure::new(Refusal::BearerTokenMissing, ErrorFormat::Bearer { tried: false });
    token.ok_or(missing)
}

/// A failure of what a token was to open: with a challenge where the token was not the one.
fn refused(error: impl Into<Error>) -> Failure {
    let error = error.into();
    let format = match &error {
        Error::Refused(refusal) if refusal.code().status() == 401 => {
            ErrorFormat::Bearer { tried: true }
        }
        Error::Internal(_) | Error::Refused(_) => ErrorFormat::Json,
    };
    Failure::new(error, format)
}

/// The metadata that a body states, once what it refers to was looked at.
async fn metadata(app: &App, stated: Value) -> Result<ClientMetadata, Error> {
    let config = &app.rules().config;
    let (stated, statement) = vouched(app, stated)?;
    let metadata = ClientMetadata::from_value(&stated, &config.policy.private_use_schemes)?;
    app.check_sector(&metadata).await?;
    Ok(ClientMetadata { software_statement: statement, ..metadata })
}

/// What a registration states, with the claims of its software statement in place of its own
/// (RFC 7591 §2.3), and that statement.
fn vouched(app: &App, mut stated: Value) -> Result<(Value, Option<String>), Refusal> {
    let Some(members) = stated.as_object_mut() else { return Ok((stated, None)) };
    let written = members.remove("software_statement").filter(|written| !written.is_null());
    let Some(written) = written else { return Ok((stated, None)) };
    let written = written.as_str().filter(|written| written.len() <= MAX_STATEMENT);
    let written = written.ok_or(Refusal::SoftwareStatementMalformed)?;
    let keys = app.statement_keys().ok_or(Refusal::SoftwareStatementUnapproved)?;
    let malformed = |_| Refusal::SoftwareStatementMalformed;
    let statement = Compact::parse(written).map_err(malformed)?;
    let header = statement.header();
    let mut keys = keys.candidates(header.alg, header.kid.as_ref().map(KeyId::as_str));
    if !keys.any(|key| keys::signed_by(key, &statement)) {
        return Err(Refusal::SoftwareStatementUnapproved);
    }
    let claims: Map<String, Value> = statement.claims().map_err(malformed)?;
    let now = app.clock().now().seconds();
    let time = |name: &str| claims.get(name).and_then(Value::as_u64);
    let over = claims.contains_key("exp") && time("exp").is_none_or(|exp| now >= exp);
    let early = claims.contains_key("nbf") && time("nbf").is_none_or(|nbf| now < nbf);
    // "[…] and MUST contain an 'iss' (issuer) claim denoting the party attesting to the claims".
    let attested = claims.get("iss").is_some_and(Value::is_string);
    if over || early || !attested {
        return Err(Refusal::SoftwareStatementMalformed);
    }
    // "[…] the values in the software statement MUST take precedence".
    members.extend(claims);
    Ok((stated, Some(written.to_owned())))
}

/// The secret that an update names, if what it says of the client is so (RFC 7592 §2.2): "The
/// client MUST include its 'client_id' field in the request, and it MUST be the same as its
/// currently issued client identifier."
fn own_secret(id: &ClientId, stated: &Value) -> Result<Option<MadeClientSecret>, Refusal> {
    let mismatched = Refusal::ClientUpdateMismatched;
    let named = stated.get("client_id").and_then(Value::as_str);
    let present = |name: &str| stated.get(name).filter(|value| !value.is_null());
    if named != Some(id.as_str()) || OURS.iter().any(|ours| present(ours).is_some()) {
        return Err(mismatched);
    }
    let Some(secret) = present("client_secret") else { return Ok(None) };
    let secret = secret.as_str().and_then(|secret| secret.parse().ok());
    secret.map(Some).ok_or(mismatched)
}

/// RFC 7591 §3.2.1, with the members of RFC 7592 §3.
fn response(app: &App, registered: &Registered) -> Value {
    let Registered { client, id, secret, token } = registered;
    let mut members = stated(client);
    let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
    tell("client_id", id.as_str().into());
    tell("client_id_issued_at", client.created.seconds().into());
    if let Some(secret) = secret {
        tell("client_secret", secret.expose().as_str().into());
        // "[…] or 0 if it will not expire."
        tell("client_secret_expires_at", 0.into());
    }
    tell("registration_access_token", token.expose().as_str().into());
    let own = app.rules().issuer.at(&format!("/oauth/register/{id}"));
    tell("registration_client_uri", own.into());
    Value::Object(members)
}

/// What is registered; the sector is known by its URI and no member of its own.
fn stated(client: &Client) -> Map<String, Value> {
    let mut members = registration::stated(client);
    members.remove("sector");
    members
}
