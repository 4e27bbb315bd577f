//! `/oauth/introspect`: RFC 7662, and RFC 9701 if the request accepts a signed response.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::json::Json;
use crate::app::App;
use crate::error::Refusal;
use crate::event::Kind;
use crate::event::WithheldLog;
use crate::flow::client::usage::UsageEvent;
use crate::flow::events::Act;
use crate::flow::token::introspect::{self, Introspected, PresentedToken};
use crate::http::extract::caller::AuthenticatedForm;
use crate::http::failure::ClientFailure;
use crate::model::actor::Acting;
use crate::oauth::introspection::{SIGNED, SignedIntrospection, TokenParameter, wants_signed};

pub(in crate::http) async fn introspect(
    State(app): State<Arc<App>>,
    acting: Acting,
    headers: HeaderMap,
    request: Result<AuthenticatedForm, ClientFailure>,
) -> Result<Response, ClientFailure> {
    // RFC 6749 §5.2: `invalid_client` is also for "no client authentication included".
    let AuthenticatedForm { client, form } = request
        .map_err(|failure| failure.replace(Refusal::ClientIdMissing, Refusal::ClientAuthMissing))?;
    let presented = presented(&app, TokenParameter::parse(&form)?);

    let cx = app.present();
    let outcome = introspect::read(&app.read()?, &cx, &client, &presented)?;
    let Introspected { alg, introspection, withheld } = outcome;
    if withheld {
        app.count(client.id(), UsageEvent::Withheld);
        let event = app.note(acting, Act::new(Kind::TokenWithheld).by_client(client.id()));
        WithheldLog { client: client.id().as_str() }.log(&event);
    }
    if !accepts_signed(&headers) {
        return Ok(Json(introspection).into_response());
    }
    // RFC 9701 §5: `iss` "MUST be set to the issuer URL of the authorization server", `aud` "MUST
    // identify the resource server receiving the token introspection response", and `iat` "MUST be
    // set to the time when the introspection response was created".
    let claims = SignedIntrospection {
        iss: app.rules().issuer.to_string(),
        aud: client.id().to_string(),
        iat: cx.now.seconds(),
        token_introspection: introspection,
    };
    // RFC 9701 §5: "The "typ" JWT header parameter MUST be set to "token-introspection+jwt"".
    let signed = app.sign(alg, "token-introspection+jwt", &claims).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(SIGNED))], signed).into_response())
}

/// Classifies the token of a request. A JWT is [`PresentedToken::Foreign`] unless this server
/// signed it as an access token.
pub(in crate::http) fn presented(app: &App, token: TokenParameter) -> PresentedToken {
    let now = app.clock().now();
    match token {
        TokenParameter::Access(token) => match app.keys().verify_access(&token, now) {
            Ok(verified) => PresentedToken::Access(Box::new(verified)),
            Err(_) => PresentedToken::Foreign,
        },
        TokenParameter::Refresh(token) => PresentedToken::Refresh(token),
    }
}

fn accepts_signed(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    accepted.any(|value| value.to_str().is_ok_and(wants_signed))
}
