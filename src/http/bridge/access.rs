//! `/v1/auth/bridge/…`: the endpoints that give a bridge access.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self, AccessRequest, AccessTerms, BridgeAccess};
use crate::flow::bridge::pat::{self, NewToken};
use crate::flow::bridge::{certificate as registered, exchange};
use crate::http::extract::bearer::BearerToken;
use crate::http::extract::body::JsonBody;
use crate::http::extract::peer::PeerCertificate;
use crate::http::failure::{BearerFailure, JsonFailure};
use crate::model::actor::Acting;
use crate::oauth::client::SigningAlg;
use crate::secret::{ExchangeCode, PersonalToken};
use crate::store::schema::TokenOrigin;

/// The name of a personal access token if the request has none.
const UNNAMED: &str = "bridge device-link";

#[derive(Deserialize)]
pub(super) struct Presented {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    device_name: Option<String>,
}

impl Presented {
    fn code(&self) -> Result<ExchangeCode, Refusal> {
        let written = self.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        let written = written.ok_or(Refusal::ExchangeCodeMissing)?;
        written.parse().map_err(|_| Refusal::ExchangeCodeUnknown)
    }
}

/// The response with a bridge token.
#[derive(Serialize)]
pub(super) struct Granted {
    token: String,
    ttl: u64,
    headers: Value,
}

/// Gives access for an exchange code. One transaction spends the code and opens the session.
pub(super) async fn by_code(
    State(app): State<Arc<App>>,
    acting: Acting,
    access_request: AccessRequest,
    JsonBody(presented): JsonBody<Presented>,
) -> Result<Json<Granted>, JsonFailure> {
    let code = presented.code()?;
    let terms = AccessTerms::usual()?;
    // After the commit, signing must not fail because a key is missing.
    app.complete_keys().await?;
    let opened = app.write_by(acting, move |tx, cx| {
        let opener = exchange::redeem(tx, cx, &code)?;
        access::open(tx, cx, &opener, &access_request, &terms)
    });
    Ok(Json(grant(&app, opened.await?).await?))
}

/// Links a device: makes a personal access token for an exchange code.
pub(super) async fn pat_by_code(
    State(app): State<Arc<App>>,
    acting: Acting,
    JsonBody(presented): JsonBody<Presented>,
) -> Result<Json<Value>, JsonFailure> {
    let code = presented.code()?;
    let named = presented.device_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let new = NewToken {
        lasting: None,
        name: named.unwrap_or(UNNAMED).parse()?,
        origin: named.map_or(TokenOrigin::UnnamedLogin, |_| TokenOrigin::NamedLogin),
    };
    let made = app.write_by(acting, move |tx, cx| {
        let opener = exchange::redeem(tx, cx, &code)?;
        pat::make(tx, cx, opener.user, &new)
    });
    Ok(Json(json!({ "pat": *made.await?.expose() })))
}

/// Gives access for a personal access token.
pub(super) async fn by_pat(
    State(app): State<Arc<App>>,
    acting: Acting,
    access_request: AccessRequest,
    BearerToken(token): BearerToken,
) -> Result<Json<Granted>, BearerFailure> {
    let token: PersonalToken = token.parse().map_err(|_| Refusal::PersonalTokenUnknown)?;
    let terms = AccessTerms::usual()?;
    app.complete_keys().await?;
    let opened = app.write_by(acting, move |tx, cx| {
        let opener = pat::redeem(tx, cx, &token)?;
        pat::hash_anew(tx, cx, &token)?;
        access::open(tx, cx, &opener, &access_request, &terms)
    });
    Ok(Json(grant(&app, opened.await?).await?))
}

#[derive(Deserialize)]
pub(super) struct Named {
    device_cert_fingerprint: String,
}

/// Gives access for the certificate that the connection proved. The fingerprint in the body must
/// match it; a fingerprint alone is a public value and proves nothing.
pub(super) async fn by_certificate(
    State(app): State<Arc<App>>,
    acting: Acting,
    access_request: AccessRequest,
    PeerCertificate(proven): PeerCertificate,
    JsonBody(named): JsonBody<Named>,
) -> Result<Json<Granted>, JsonFailure> {
    let proven = proven.ok_or(Refusal::DeviceCertificateMissing)?.fingerprint();
    // A malformed fingerprint differs too.
    if named.device_cert_fingerprint.parse() != Ok(proven) {
        return Err(Refusal::DeviceCertificateDiffers.into());
    }
    let terms = AccessTerms::usual()?;
    app.complete_keys().await?;
    let opened = app.write_by(acting, move |tx, cx| {
        let opener = registered::redeem(tx, cx, &proven)?;
        access::open(tx, cx, &opener, &access_request, &terms)
    });
    Ok(Json(grant(&app, opened.await?).await?))
}

/// Signs the token, and adds the headers that the bridge sends with it.
async fn grant(app: &App, access: BridgeAccess) -> Result<Granted, Error> {
    let token = app.sign(SigningAlg::Es256, "at+jwt", &access.claims).await?;
    Ok(Granted {
        token,
        ttl: access.terms.ttl.as_secs(),
        headers: json!({
            "x-user-id": access.user.to_string(),
            "x-session-id": access.session.as_str(),
            "x-trace-id": app.context().seed.uuid("trace").to_string(),
            "x-client-id": access.terms.client.as_str(),
            "x-policy-version": "unversioned",
            "x-call-source": access.terms.source,
        }),
    })
}
