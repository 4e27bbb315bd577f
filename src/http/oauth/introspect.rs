//! `/oauth/introspect`: RFC 7662, and RFC 9701 where a signed answer is asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::token::introspect::{self, PresentedToken};
use crate::http::extract::body;
use crate::http::extract::caller::{self, Caller};
use crate::http::failure::Failure;
use crate::oauth::introspection::{SIGNED, SignedIntrospection, TokenParameter, wants_signed};

pub(in crate::http) async fn introspect(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let caller = Caller::of(&app, &request);
    handle(&app, &caller, request).await.map_err(|error| caller.failure(error))
}

async fn handle(app: &Arc<App>, caller: &Caller, request: Request) -> Result<Response, Error> {
    let headers = request.headers().clone();
    let form = body::form(request).await?;
    let proven = caller::proven(app, caller, &form).await.map_err(|error| match error {
        // RFC 6749 §5.2: `invalid_client` also where "no client authentication included".
        Error::Refused(Refusal::ClientIdMissing) => Refusal::ClientAuthMissing.into(),
        Error::Internal(_) | Error::Refused(_) => error,
    })?;
    let presented = presented(app, TokenParameter::parse(&form)?);

    let context = app.context();
    let (told, alg) = introspect::read(&app.read()?, &context, &proven, &presented)?;
    if !is_signed_wanted(&headers) {
        return Ok(Json(told).into_response());
    }
    // RFC 9701 §5: `iss` "MUST be set to the issuer URL of the authorization server", `aud` "MUST
    // identify the resource server receiving the token introspection response", and `iat` "MUST be
    // set to the time when the introspection response was created".
    let claims = SignedIntrospection {
        iss: app.rules().issuer.to_string(),
        aud: proven.id().to_string(),
        iat: context.now.seconds(),
        token_introspection: told,
    };
    // RFC 9701 §5: "The "typ" JWT header parameter MUST be set to "token-introspection+jwt"".
    let signed = app.signing_key(alg).await?.sign("token-introspection+jwt", &claims)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(SIGNED))], signed).into_response())
}

/// The token that a request is about, as far as this server may have issued it.
pub(in crate::http) fn presented(app: &App, token: TokenParameter) -> PresentedToken {
    let now = app.clock().now();
    match token {
        TokenParameter::Access(token) => match app.keys().verify_access(&token, now) {
            Ok(claims) => PresentedToken::Access(Box::new(claims)),
            Err(_) => PresentedToken::Foreign,
        },
        TokenParameter::Refresh(token) => PresentedToken::Refresh(token),
    }
}

fn is_signed_wanted(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    accepted.any(|value| value.to_str().is_ok_and(wants_signed))
}
