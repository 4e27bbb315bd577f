//! `/oauth/authorize`: RFC 6749 §3.1. It reads no cookie: it checks the request, stores it, and
//! sends the browser on to the pages.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::authorize::consent::ClientRedirect;
use crate::flow::authorize::{self, CheckedRequest, pushed};
use crate::http::extract::{body, peer};
use crate::http::failure::{AboutClient, Cause, Failure};
use crate::http::pages::browser::with_cookie;
use crate::http::pages::cookie::Cookie;
use crate::http::pages::templates;
use crate::oauth::authorize::pushed::PushedParameters;
use crate::oauth::authorize::{
    AuthorizationResponse, AuthorizeRequest, Callback, RedirectParameters,
};
use crate::oauth::id::{ClientId, InteractionId};
use crate::oauth::params::Params;
use crate::secret::BrowserSecret;
use crate::store::Tx;

pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let params = body::query(&request).map_err(Failure::page)?;
    let looks = request.method() == Method::HEAD;
    let address = peer::address(&app, &request);
    authorize(&app, address, &params, looks).await
}

/// OpenID Connect Core §3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and
/// POST methods".
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let address = peer::address(&app, &request);
    let params = body::form(request).await.map_err(Failure::page)?;
    authorize(&app, address, &params, false).await
}

/// Whoever only looks (HEAD) is told what would come of it, and nothing is fetched or stored.
async fn authorize(
    app: &App,
    address: IpAddr,
    params: &Params,
    looks: bool,
) -> Result<Response, Failure> {
    if let Some(pushed) = PushedParameters::parse(params).map_err(Failure::page)? {
        return authorize_pushed(app, address, pushed, looks).await;
    }
    // Nothing is redirected before this much is proven.
    let parameters = RedirectParameters::parse(params).map_err(Failure::page)?;
    if !looks {
        app.ensure_current(&parameters.client_id, address).await.map_err(Failure::page)?;
    }
    let view = app.read().map_err(Failure::page)?;
    let opened = authorize::resolve(&view, &parameters);
    let (client, callback) = opened.map_err(|error| of_client(error, &parameters.client_id))?;

    let checked = AuthorizeRequest::parse(params).map_err(Error::from).and_then(|mut request| {
        authorize::check_plain(&client)?;
        authorize::check(&view, app.rules(), &client, &mut request)?;
        let hinted_subject =
            hinted_subject(app, &parameters.client_id, request.id_token_hint.take().as_deref())?;
        Ok(CheckedRequest {
            callback: callback.clone(),
            client: parameters.client_id.clone(),
            expected: hinted_subject,
            redirect_uri_named: parameters.redirect_uri.is_some(),
            request,
        })
    });
    if looks && checked.is_ok() {
        return Ok(StatusCode::SEE_OTHER.into_response());
    }
    let begun = match checked {
        Ok(checked) => match authorize::check_capacity(&view, app.rules()) {
            Ok(()) => {
                let begin = move |tx: &mut Tx<'_>, cx: &Context| {
                    authorize::admit(tx, cx, address)?;
                    authorize::store_request(tx, cx, &checked)
                };
                app.write(begin).await
            }
            Err(refused) => Err(refused),
        },
        Err(refused) => Err(refused),
    };
    Ok(AboutClient(parameters.client_id).mark(begin(app, &callback, begun)))
}

/// Takes up a request that was pushed (RFC 9126 §4). As long as it is not found there is no
/// callback, so that what is wrong with the reference is told on a page.
async fn authorize_pushed(
    app: &App,
    address: IpAddr,
    pushed: PushedParameters,
    looks: bool,
) -> Result<Response, Failure> {
    let PushedParameters { client_id, reference } = pushed;
    let reference = app.rules().pepper.hash(&reference);
    let view = app.read().map_err(Failure::page)?;
    let opened = pushed::find(&view, &app.context(), &client_id, &reference);
    let callback = opened.map_err(Failure::page)?.callback;
    if looks {
        return Ok(StatusCode::SEE_OTHER.into_response());
    }
    let about = AboutClient(client_id.clone());
    if let Err(refused) = authorize::check_capacity(&view, app.rules()) {
        return Ok(about.mark(begin(app, &callback, Err(refused))));
    }
    let begun = app.write(move |tx, cx| {
        authorize::admit(tx, cx, address)?;
        pushed::redeem(tx, cx, &client_id, &reference)
    });
    let begun = begun.await;
    match begun {
        // Of two browsers that come at once the second finds nothing any more.
        Err(Error::Refused(refusal)) => Err(Failure::page(refusal)),
        Ok(_) | Err(Error::Internal(_)) => Ok(about.mark(begin(app, &callback, begun))),
    }
}

/// A page that tells why nothing goes to the client, counted as its own where there is one.
fn of_client(error: Error, client: &ClientId) -> Failure {
    let unknown = match &error {
        Error::Internal(_) => true,
        Error::Refused(refusal) => *refusal == Refusal::ClientUnknownAtAuthorize,
    };
    let failure = Failure::page(error);
    if unknown { failure } else { failure.about(client.clone()) }
}

/// Sends the browser on, or home with the reason why not.
fn begin(
    app: &App,
    callback: &Callback,
    begun: Result<(InteractionId, BrowserSecret), Error>,
) -> Response {
    match begun {
        Ok((id, secret)) => to_interaction(app, id, &secret),
        Err(Error::Refused(refusal)) => {
            respond_to_client(app, &ClientRedirect::refused(&app.context(), callback, refusal))
        }
        Err(Error::Internal(internal)) => {
            let mut response =
                respond_to_client(app, &ClientRedirect::failed(&app.context(), callback));
            response.extensions_mut().insert(Cause(Arc::new(internal.into())));
            response
        }
    }
}

/// Who an `id_token_hint` says is expected. It may have expired (OpenID Connect Core §3.1.2.1).
pub(in crate::http) fn hinted_subject(
    app: &App,
    client: &ClientId,
    hint: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let Some(hint) = hint else { return Ok(None) };
    let hint = app.keys().verify_hint(hint, app.clock().now())?;
    let claims = hint.claims();
    // Another client may know the person by another `sub`.
    if claims.aud != client.as_str() {
        return Err(Refusal::IdTokenHintClientDiffers);
    }
    Ok(Some(claims.sub.clone()))
}

/// Sends a browser to an interaction, with the cookie that binds it.
pub(in crate::http) fn to_interaction(
    app: &App,
    id: InteractionId,
    secret: &BrowserSecret,
) -> Response {
    to_page(app, id, secret, &format!("/gate/interaction/{id}"))
}

/// Sends a browser on to the page at `path`, with the cookie that opens it.
pub(in crate::http) fn to_page(
    app: &App,
    id: InteractionId,
    secret: &BrowserSecret,
    path: &str,
) -> Response {
    let lasting = app.rules().config.lifetimes.interaction;
    let cookie = Cookie::Interaction(id).set(&app.rules().issuer, &secret.expose(), lasting);
    let location = [(header::LOCATION, path.to_owned())];
    with_cookie((StatusCode::SEE_OTHER, location).into_response(), cookie)
}

/// Sends a browser to a client, without telling from which page.
pub(in crate::http) fn redirect_without_referrer(url: &str) -> Response {
    let policy = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let location = (header::LOCATION, HeaderValue::from_str(url).expect("URIs are ASCII"));
    (StatusCode::SEE_OTHER, [policy, location]).into_response()
}

/// Sends a browser home to the client that asked.
pub(in crate::http) fn respond_to_client(app: &App, client_redirect: &ClientRedirect) -> Response {
    let mut response = match &client_redirect.response {
        AuthorizationResponse::Form { action, fields } => {
            templates::form_post(app, client_redirect, action, fields)
        }
        AuthorizationResponse::Location(url) => redirect_without_referrer(url),
    };
    if let Some(refusal) = client_redirect.refusal {
        response.extensions_mut().insert(Cause(Arc::new(refusal.into())));
    }
    response
}
