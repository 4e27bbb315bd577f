//! `/oauth/token`: RFC 6749 §3.2.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use super::json::Json;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::event::{AheadLog, ReplayLog};
use crate::flow::client::usage::UsageEvent;
use crate::flow::token::client_credentials;
use crate::flow::token::code::{self, Redeemed};
use crate::flow::token::device::{self, Polled};
use crate::flow::token::grant::Replay;
use crate::flow::token::issue::Issued;
use crate::flow::token::refresh::{self, Ahead, Rotated};
use crate::http::extract::caller::AuthenticatedForm;
use crate::http::failure::ClientFailure;
use crate::model::actor::Acting;
use crate::oauth::claims::at_hash;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::ClientId;
use crate::oauth::scope::Scope;
use crate::oauth::token::TokenRequest;

/// A successful response (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Serialize)]
pub(in crate::http) struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Scope::is_empty")]
    scope: Scope,
}

pub(in crate::http) async fn token(
    State(app): State<Arc<App>>,
    acting: Acting,
    AuthenticatedForm { client, form }: AuthenticatedForm,
) -> Result<Json<Tokens>, ClientFailure> {
    let request = TokenRequest::parse(&form)?;
    let (client_id, grant_type) = (client.id().clone(), request.grant_type());
    // After the commit, signing must not fail because a key is missing.
    app.complete_keys().await?;

    // Each write is boxed: together they would make the state of every request large.
    let issued = match request {
        TokenRequest::AuthorizationCode(request) => {
            let redeemed =
                app.write_by(acting, move |tx, cx| code::redeem(tx, cx, &client, &request));
            match Box::pin(redeemed).await? {
                Redeemed::Replayed(replay) => {
                    log_replay(&client_id, &replay);
                    return Err(Refusal::CodeReplayed.into());
                }
                Redeemed::Tokens(issued) => *issued,
            }
        }
        TokenRequest::ClientCredentials(request) => {
            client_credentials::issue(&app.read()?, &app.context(), &client, &request)?
        }
        TokenRequest::DeviceCode(request) => {
            let polled =
                app.write_by(acting, move |tx, cx| device::redeem(tx, cx, &client, &request));
            match Box::pin(polled).await? {
                Polled::Tokens(issued) => *issued,
                Polled::Wait(refusal) => return Err(refusal.into()),
            }
        }
        TokenRequest::RefreshToken(request) => {
            let rotated =
                app.write_by(acting, move |tx, cx| refresh::rotate(tx, cx, &client, &request));
            match Box::pin(rotated).await? {
                Rotated::Replayed(replay) => {
                    log_replay(&client_id, &replay);
                    return Err(Refusal::RefreshReplayed.into());
                }
                Rotated::Tokens(issued, ahead) => {
                    if let Some(Ahead { by, event, grant, restored }) = ahead {
                        let (client, grant) = (client_id.to_string(), grant.to_string());
                        AheadLog { by, client: &client, grant: &grant, restored }.log(&event);
                    }
                    *issued
                }
            }
        }
    };
    let tokens = sign(&app, issued).await?;
    app.count(&client_id, UsageEvent::Issued(grant_type));
    Ok(Json(tokens))
}

fn log_replay(client: &ClientId, replay: &Replay) {
    let (client, grant) = (client.to_string(), replay.grant.to_string());
    ReplayLog { client: &client, grant: &grant, refresh_tokens: replay.refresh_tokens }
        .log(&replay.event);
}

pub(super) async fn sign(app: &App, issued: Issued) -> Result<Tokens, Error> {
    // RFC 9068 §2.1: "JWT access tokens MUST include this media type in the "typ" header
    // parameter", unless an operator says otherwise of the resource.
    let access_token = app.sign(SigningAlg::Es256, issued.typ.typ(), &issued.access).await?;
    let id_token = match issued.id_token {
        Some((alg, mut claims)) => {
            claims.at_hash = Some(at_hash(alg, &access_token));
            Some(app.sign(alg, "JWT", &claims).await?)
        }
        None => None,
    };
    Ok(Tokens {
        access_token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        refresh_token: issued.refresh_token.map(|token| token.expose().to_string()),
        id_token,
        scope: issued.scope,
    })
}
