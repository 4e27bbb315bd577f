//! Dynamic client registration: [RFC 7591](https://www.rfc-editor.org/rfc/rfc7591) and [RFC
//! 7592](https://www.rfc-editor.org/rfc/rfc7592). This module fetches a sector document before the
//! transition.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::App;
use crate::error::{Error, Refusal};
use crate::flow::client::registration::{self, Registered, Update};
use crate::flow::throttle::{self, Guessed, Source};
use crate::keys;
use crate::model::actor::Acting;
use crate::model::network::Network;
use crate::oauth::client::RegistrationPolicy;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::registration::is_absent;
use crate::oauth::id::{ClientId, KeyId};
use crate::oauth::jwt::Compact;
use crate::secret::{MadeClientSecret, RegistrationToken};

/// The members that only the server sets (RFC 7592 §2.2: "MUST NOT include").
const SERVER_MEMBERS: [&str; 4] = [
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

/// The label of its keyed hash.
const INITIAL_ACCESS_TOKEN: &str = "initial access token";

/// The most bytes of a software statement, as of any token.
const MAX_STATEMENT: usize = 16 * 1024;

/// Proof that a request may register a client.
pub struct Admission {
    from: IpAddr,
}

/// Admits a request to register by the policy: nobody's, anybody's, or one with the initial access
/// token (RFC 7591 §3), which is used only under that policy.
pub async fn admit(
    app: &App,
    from: IpAddr,
    initial_access_token: Result<Option<String>, Refusal>,
) -> Result<Admission, Error> {
    let rules = app.rules();
    match rules.config.registration_policy(&rules.issuer) {
        RegistrationPolicy::Off => Err(Refusal::RegistrationOff.into()),
        RegistrationPolicy::Open => Ok(Admission { from }),
        RegistrationPolicy::Token => {
            let presented = initial_access_token?.ok_or(Refusal::BearerTokenMissing)?;
            let network = Network::of(from);
            let (guessed, source) = (Guessed::InitialAccessToken, Source::Network(network));
            if !app.passwords().was_proven_by(network, INITIAL_ACCESS_TOKEN, &presented) {
                throttle::check(&app.read()?, &app.present(), guessed, &source)?;
            }
            let hash =
                |token: &str| rules.pepper.hash_parts(INITIAL_ACCESS_TOKEN, token.as_bytes());
            let configured = rules.config.registration.token.as_ref();
            if configured.is_some_and(|configured| hash(configured).matches(&hash(&presented))) {
                app.passwords().remember(network, INITIAL_ACCESS_TOKEN, &presented);
                return Ok(Admission { from });
            }
            app.write(move |tx, cx| throttle::record_failure(tx, cx, guessed, &source)).await?;
            Err(Refusal::InitialAccessTokenWrong.into())
        }
    }
}

/// Registers the client that `stated` describes (RFC 7591 §3.1).
pub async fn register(app: &App, admission: Admission, stated: Value) -> Result<Registered, Error> {
    let Admission { from } = admission;
    let metadata = metadata(app, stated, from).await?;
    let acting = Acting::stranger(from);
    app.write_by(acting, move |tx, cx| registration::register(tx, cx, &metadata, from)).await
}

/// Replaces the metadata of a client with that in `stated` (RFC 7592 §2.2).
pub async fn update(
    app: &App,
    from: IpAddr,
    id: ClientId,
    token: RegistrationToken,
    stated: Value,
) -> Result<Registered, Error> {
    let secret = own_secret(&id, &stated)?;
    let metadata = metadata(app, stated, from).await?;
    let update = Update { id, metadata, secret, token };
    app.write_by(Acting::stranger(from), move |tx, cx| registration::update(tx, cx, &update)).await
}

/// The metadata that `stated` describes, after a check of the software statement and the sector.
async fn metadata(app: &App, stated: Value, from: IpAddr) -> Result<ClientMetadata, Error> {
    let config = &app.rules().config;
    let (stated, statement) = with_statement(app, stated)?;
    let metadata = ClientMetadata::from_value(&stated, &config.policy.private_use_schemes)?;
    app.check_sector(&metadata, Some(from)).await?;
    Ok(ClientMetadata { software_statement: statement, ..metadata })
}

/// The members of a registration, in which the claims of the software statement override others
/// (RFC 7591 §2.3), and that statement.
fn with_statement(app: &App, mut stated: Value) -> Result<(Value, Option<String>), Refusal> {
    let Some(members) = stated.as_object_mut() else { return Ok((stated, None)) };
    let written = members.remove("software_statement").filter(|written| !is_absent(written));
    let Some(written) = written else { return Ok((stated, None)) };
    let written = written.as_str().filter(|written| written.len() <= MAX_STATEMENT);
    let written = written.ok_or(Refusal::SoftwareStatementMalformed)?;
    let rules = app.rules();
    let keys = rules.statement_keys.as_ref().ok_or(Refusal::SoftwareStatementUnapproved)?;
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
    let expired = claims.contains_key("exp") && time("exp").is_none_or(|exp| now >= exp);
    let early = claims.contains_key("nbf") && time("nbf").is_none_or(|nbf| now < nbf);
    // "[…] and MUST contain an 'iss' (issuer) claim denoting the party attesting to the claims".
    let attested = claims.get("iss").is_some_and(Value::is_string);
    if expired || early || !attested {
        return Err(Refusal::SoftwareStatementMalformed);
    }
    // "[…] the values in the software statement MUST take precedence".
    members.extend(claims);
    Ok((stated, Some(written.to_owned())))
}

/// The secret that an update names. It also checks that the update is about this client. RFC 7592
/// §2.2: "The client MUST include its 'client_id' field in the request, and it MUST be the same as
/// its currently issued client identifier."
fn own_secret(id: &ClientId, stated: &Value) -> Result<Option<MadeClientSecret>, Refusal> {
    let mismatched = Refusal::ClientUpdateMismatched;
    let named = stated.get("client_id").and_then(Value::as_str);
    let present = |name: &str| stated.get(name).filter(|value| !is_absent(value));
    if named != Some(id.as_str()) || SERVER_MEMBERS.iter().any(|name| present(name).is_some()) {
        return Err(mismatched);
    }
    let Some(secret) = present("client_secret") else { return Ok(None) };
    let secret = secret.as_str().and_then(|secret| secret.parse().ok());
    secret.map(Some).ok_or(mismatched)
}
