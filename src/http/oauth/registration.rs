//! `/oauth/register` (RFC 7591), and `/oauth/register/{client_id}` (RFC 7592).

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::Value;

use super::json::Json;
use crate::app::registration::{self as use_case, Admission};
use crate::app::{App, Used};
use crate::error::Refusal;
use crate::flow::client::registration::{self, Registered};
use crate::http::extract::bearer::from_header;
use crate::http::extract::body::JsonBody;
use crate::http::extract::peer::ClientAddress;
use crate::http::failure::ManagementFailure;
use crate::model::actor::Acting;
use crate::oauth::id::ClientId;
use crate::secret::RegistrationToken;
use crate::store::schema::Client;

/// Proof that a request may register a client.
pub(in crate::http) struct Admitted(Admission);

impl FromRequestParts<Arc<App>> for Admitted {
    type Rejection = ManagementFailure;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementFailure> {
        let Ok(ClientAddress(from)) = ClientAddress::from_request_parts(parts, app).await;
        Ok(Self(use_case::admit(app, from, from_header(&parts.headers)).await?))
    }
}

/// A client that manages its registration, with the registration access token that proves it.
pub(in crate::http) struct ManagedClient {
    client: Client,
    id: ClientId,
    token: RegistrationToken,
}

impl FromRequestParts<Arc<App>> for ManagedClient {
    type Rejection = ManagementFailure;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, ManagementFailure> {
        let token = from_header(&parts.headers)?.ok_or(Refusal::BearerTokenMissing)?;
        let id = Path::<String>::from_request_parts(parts, app).await;
        let id = id.map(|Path(id)| id).unwrap_or_default();
        let wrong = Refusal::RegistrationAccessTokenWrong;
        let (id, token) = (id.parse().map_err(|_| wrong)?, token.parse().map_err(|_| wrong)?);
        let rules = app.rules();
        let client = registration::managed(&app.read()?, &rules, &id, &token)?;
        if let Some(anew) = registration::token_anew(&rules, &client, &token) {
            app.note_used(Used::Registration(id.clone(), anew));
        }
        Ok(Self { client, id, token })
    }
}

/// Registers a client (RFC 7591 §3.1).
pub(in crate::http) async fn register(
    State(app): State<Arc<App>>,
    Admitted(admission): Admitted,
    JsonBody(stated): JsonBody<Value>,
) -> Result<(StatusCode, Json<Value>), ManagementFailure> {
    let registered = use_case::register(&app, admission, stated).await?;
    Ok((StatusCode::CREATED, Json(response(&app, &registered))))
}

/// The present registration (RFC 7592 §2.1).
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    ManagedClient { client, id, token }: ManagedClient,
) -> Json<Value> {
    Json(response(&app, &Registered { client, id, secret: None, token }))
}

/// Replaces the registration (RFC 7592 §2.2).
pub(in crate::http) async fn update(
    State(app): State<Arc<App>>,
    ClientAddress(from): ClientAddress,
    ManagedClient { id, token, .. }: ManagedClient,
    JsonBody(stated): JsonBody<Value>,
) -> Result<Json<Value>, ManagementFailure> {
    let updated = use_case::update(&app, from, id, token, stated).await?;
    Ok(Json(response(&app, &updated)))
}

/// Removes the client (RFC 7592 §2.3).
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    acting: Acting,
    ManagedClient { id, token, .. }: ManagedClient,
) -> Result<StatusCode, ManagementFailure> {
    app.write_by(acting, move |tx, cx| registration::remove(tx, cx, &id, &token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The response of RFC 7591 §3.2.1, with the members of RFC 7592 §3.
fn response(app: &App, registered: &Registered) -> Value {
    let Registered { client, id, secret, token } = registered;
    let mut members = registration::described(&client.metadata_in_force());
    let mut insert = |name: &str, value: Value| members.insert(name.to_owned(), value);
    insert("client_id", id.as_str().into());
    insert("client_id_issued_at", client.created.seconds().into());
    if let Some(secret) = secret {
        insert("client_secret", secret.expose().as_str().into());
        // RFC 7591 §3.2.1: "[…] or 0 if it will not expire."
        insert("client_secret_expires_at", 0.into());
    }
    insert("registration_access_token", token.expose().as_str().into());
    let own = app.rules().issuer.at(&format!("/oauth/register/{id}"));
    insert("registration_client_uri", own.into());
    Value::Object(members)
}
