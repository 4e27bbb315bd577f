//! `/gate/webauthn/authenticate/…`: the sign-in ceremony.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::browser::{Browser, check_same_origin, sign_in};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::person::login::{self, AssertionProof, SignInOutcome};
use crate::http::extract::{body, peer};
use crate::http::failure::Failure;
use crate::oauth::id::CeremonyId;
use crate::passkey::Assertion;
use crate::secret::TokenHash;
use crate::store::schema::CeremonyPurpose;

/// How often a sign-in is verified anew because the passkey was used meanwhile.
const MAX_ATTEMPTS: usize = 3;

/// A JSON body that a page of ours sent from a browser we know.
pub(in crate::http) struct Posted<T> {
    pub(in crate::http) body: T,
    pub(in crate::http) browser_id: TokenHash,
    pub(in crate::http) browser: Browser,
}

pub(in crate::http) async fn posted<T: DeserializeOwned>(
    app: &App,
    request: Request,
) -> Result<Posted<T>, Failure> {
    let headers = request.headers();
    check_same_origin(app, headers).map_err(Failure::json)?;
    let browser = Browser::of(app, headers);
    let csrf = headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
    browser.check_csrf(&app.rules().pepper, csrf.unwrap_or_default()).map_err(Failure::json)?;
    let browser_id = browser.id(app).ok_or(Refusal::CsrfTokenWrong).map_err(Failure::json)?;
    let body = body::json(request).await.map_err(Failure::json)?;
    Ok(Posted { body, browser, browser_id })
}

/// No name is asked for, so no answer tells whether somebody is known.
#[derive(Deserialize)]
pub(in crate::http) struct Start {}

pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Posted { browser_id, .. } = posted::<Start>(&app, request).await?;
    let view = app.read().map_err(Failure::json)?;
    login::check_capacity(&view, app.rules()).map_err(Failure::json)?;
    let begun = app.passkeys().start_authentication().map_err(Failure::json)?;
    let state = begun.state;
    let ceremony = app
        .write(move |tx, cx| {
            login::start_ceremony(tx, cx, browser_id, CeremonyPurpose::Authenticate, state.clone())
        })
        .await
        .map_err(Failure::json)?;
    Ok(Json(json!({
        "ceremony": ceremony.to_string(),
        "expires_in": app.rules().config.lifetimes.ceremony.as_secs(),
        "publicKey": begun.public_key,
    }))
    .into_response())
}

#[derive(Deserialize)]
pub(in crate::http) struct Finish {
    ceremony: String,
    credential: Value,
}

pub(in crate::http) async fn finish(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let device = peer::device(&app, &request);
    let Posted { body, browser, browser_id } = posted::<Finish>(&app, request).await?;
    let ceremony: CeremonyId = body.ceremony.parse().map_err(Failure::json)?;
    let assertion = Assertion::parse(body.credential).map_err(Failure::json)?;
    let credential = assertion.credential();
    for _ in 0..MAX_ATTEMPTS {
        let view = app.read().map_err(Failure::json)?;
        let cx = app.context();
        let challenged =
            login::challenged(&view, &cx, ceremony, &browser_id, &credential, assertion.user())
                .map_err(Failure::json)?;
        let kept = &challenged.passkey.credential;
        let asserted = app
            .passkeys()
            .finish_authentication(&challenged.state, &assertion, kept)
            .map_err(Failure::json)?;
        let proof = AssertionProof {
            asserted,
            browser: browser_id,
            ceremony,
            credential: credential.clone(),
            device: device.clone(),
            previous: browser.session(&app),
            revision: challenged.passkey.revision,
        };
        let completed = app.write(move |tx, cx| login::complete(tx, cx, &proof));
        if let SignInOutcome::SignedIn(secret) = completed.await.map_err(Failure::json)? {
            return Ok(sign_in(&app, Json(json!({})).into_response(), &secret));
        }
    }
    Err(Failure::json(Refusal::CredentialRefused))
}
