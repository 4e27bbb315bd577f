//! `/v1/auth/bridge/…`: how a bridge comes to its access.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{access_request, check_mode};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self, AccessRequest, AccessTerms, BridgeAccess};
use crate::flow::bridge::{certificate as registered, exchange, pat};
use crate::http::extract::body;
use crate::http::failure::{ErrorFormat, Failure};
use crate::http::oauth::userinfo;
use crate::model::bridge::Mode;
use crate::oauth::client::SigningAlg;
use crate::oauth::display_name::DisplayName;
use crate::secret::{ExchangeCode, PersonalToken};
use crate::tls::ProvenCertificate;

/// What a personal access token is called that nobody named.
const UNNAMED: &str = "bridge device-link";

#[derive(Deserialize)]
struct Presented {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    device_name: Option<String>,
}

impl Presented {
    /// The code that was presented.
    fn code(&self) -> Result<ExchangeCode, Refusal> {
        let written = self.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        let written = written.ok_or(Refusal::ExchangeCodeMissing)?;
        written.parse().map_err(|_| Refusal::ExchangeCodeUnknown)
    }
}

/// What a bridge gets.
#[derive(Serialize)]
pub(super) struct Granted {
    token: String,
    ttl: u64,
    headers: Value,
}

/// Bridge access by an exchange code: the code is spent, the session and the token are born, all
/// or nothing.
pub(super) async fn by_code(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Granted>, Failure> {
    code(&app, request).await.map(Json).map_err(Failure::json)
}

async fn code(app: &App, request: Request) -> Result<Granted, Error> {
    check_mode(app, Mode::Session)?;
    let access_request = access_request(app, &request);
    let code = body::json::<Presented>(request).await?.code()?;
    let terms = AccessTerms::usual()?;
    // Once committed, signing must not fail for want of a key.
    app.complete_keys().await?;
    let opened = app.write(move |tx, cx| {
        let user = exchange::redeem(tx, cx, &code)?;
        access::open(tx, cx, user, &access_request, &terms)
    });
    grant(app, opened.await?).await
}

/// A personal access token by an exchange code.
pub(super) async fn pat_by_code(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failure> {
    pat_of(&app, request).await.map(Json).map_err(Failure::json)
}

async fn pat_of(app: &App, request: Request) -> Result<Value, Error> {
    check_mode(app, Mode::SessionPat)?;
    let presented = body::json::<Presented>(request).await?;
    let code = presented.code()?;
    let named = presented.device_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name: DisplayName = named.unwrap_or(UNNAMED).parse()?;
    let made = app.write(move |tx, cx| {
        let user = exchange::redeem(tx, cx, &code)?;
        pat::make(tx, cx, user, &name, None)
    });
    Ok(json!({ "pat": *made.await?.expose() }))
}

/// Bridge access by a personal access token.
pub(super) async fn by_pat(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Granted>, Failure> {
    let tried = request.headers().contains_key("authorization");
    let access_request = access_request(&app, &request);
    let presented = userinfo::from_header(request.headers());
    let granted = token(&app, access_request, presented).await;
    granted.map(Json).map_err(|error| Failure::new(error, ErrorFormat::Bearer { tried }))
}

async fn token(
    app: &App,
    access_request: AccessRequest,
    presented: Result<Option<String>, Refusal>,
) -> Result<Granted, Error> {
    check_mode(app, Mode::Pat)?;
    let token = presented?.ok_or(Refusal::BearerTokenMissing)?;
    let token: PersonalToken = token.parse().map_err(|_| Refusal::PersonalTokenUnknown)?;
    let terms = AccessTerms::usual()?;
    app.complete_keys().await?;
    let opened = app.write(move |tx, cx| {
        let user = pat::redeem(tx, cx, &token)?;
        access::open(tx, cx, user, &access_request, &terms)
    });
    grant(app, opened.await?).await
}

#[derive(Deserialize)]
struct Named {
    device_cert_fingerprint: String,
}

/// Bridge access by the certificate that the connection proved. A fingerprint alone is a public
/// value and opens nothing.
pub(super) async fn by_certificate(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Granted>, Failure> {
    certificate(&app, request).await.map(Json).map_err(Failure::json)
}

async fn certificate(app: &App, request: Request) -> Result<Granted, Error> {
    check_mode(app, Mode::Mtls)?;
    let access_request = access_request(app, &request);
    let proven = request.extensions().get::<ProvenCertificate>().copied();
    let named: Named = body::json(request).await?;
    let proven = proven.ok_or(Refusal::DeviceCertificateMissing)?.fingerprint();
    // Whatever is no fingerprint is another one than was proven.
    if named.device_cert_fingerprint.parse() != Ok(proven) {
        return Err(Refusal::DeviceCertificateDiffers.into());
    }
    let terms = AccessTerms::usual()?;
    app.complete_keys().await?;
    let opened = app.write(move |tx, cx| {
        let (user, _) = registered::redeem(tx, cx, &proven)?;
        access::open(tx, cx, user, &access_request, &terms)
    });
    grant(app, opened.await?).await
}

/// Signs what was opened, and says with which headers the bridge carries it on.
async fn grant(app: &App, access: BridgeAccess) -> Result<Granted, Error> {
    let token = app.signing_key(SigningAlg::Es256).await?.sign("at+jwt", &access.claims)?;
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
