//! Forward authentication: what proxies ask (`/auth/verify`), and what browsers do on an
//! application's own host (`/_gatelodge/…`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::extract::{body, host, peer};
use super::failure::{ErrorFormat, Failure, format_for};
use super::oauth::authorize::redirect_without_referrer;
use super::pages::browser::with_cookie;
use super::pages::cookie;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::application::{self, App as Protected};
use crate::flow::session::{self, LiveSession};
use crate::model::application::{ForwardedHeaders, OriginalRequest, ReturnPath};
use crate::oauth::params::form_encode;
use crate::secret::{AppSecret, AppStart};

/// Answers a proxy: 200 with who it is, or where to sign in.
///
/// Every identity header is always there, if only empty, for the proxy to overwrite what came from
/// outside. That it does is the proxy's affair: Caddy 2.10.0 to 2.11.1 lets a header from outside
/// stand where ours says nothing (GHSA-7r4p-vjf4-gxv4), and before 2.11.4 one whose name has `_` for
/// `-` on its way to FastCGI (GHSA-f59h-q822-g45g).
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    // Caddy and Traefik hand a refusal on to the browser.
    let format = format_for(request.headers());
    verified(&app, request, format).await.map_err(|error| Failure::new(error, format))
}

async fn verified(app: &App, request: Request, format: ErrorFormat) -> Result<Response, Error> {
    // What the headers say is believed only from a proxy of ours.
    if !peer::is_proxy(app, &request) {
        return Err(Refusal::AppProxyUnknown.into());
    }
    let headers = request.headers();
    let original = original(headers)?;
    let protected = Protected::at(app.rules(), &original.host)?;
    let cookie = Cookie::Session.read::<AppSecret>(app, &protected, headers);
    let cookie = cookie.map(|secret| app.rules().pepper.hash(&secret));

    let cx = app.context();
    match application::verify(&app.read()?, &cx, &protected, cookie.as_ref()) {
        Ok(live) => {
            if live.needs_touch(&cx) {
                let id = live.id();
                // It is the proxy that comes here: what it tells of itself is not the browser's.
                app.write(move |tx, cx| session::touch(tx, cx, id, None)).await?;
            }
            Ok(identity(&live))
        }
        Err(Error::Refused(Refusal::AppSessionMissing)) => {
            let start = form_encode([("rd", original.path.as_str())]);
            let start = protected.address(app.rules(), &format!("/_gatelodge/start?{start}"));
            if !original.by_status {
                let mut response = redirect_without_referrer(&start);
                *response.status_mut() = StatusCode::FOUND;
                return Ok(response);
            }
            let mut response = Failure::new(Refusal::AppSessionMissing, format).into_response();
            if let Ok(start) = HeaderValue::from_str(&start) {
                response.headers_mut().insert(header::LOCATION, start);
            }
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

fn original(headers: &HeaderMap) -> Result<OriginalRequest, Refusal> {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::AppUnknown),
            (Some(_), Some(_)) => Err(Refusal::AppUnknown),
        }
    };
    OriginalRequest::parse(ForwardedHeaders {
        fetch_mode: one("sec-fetch-mode")?,
        original_url: one("x-original-url")?,
        forwarded_host: one("x-forwarded-host")?,
        forwarded_method: one("x-forwarded-method")?,
        forwarded_uri: one("x-forwarded-uri")?,
    })
}

/// Who it is, in the headers that applications know by convention.
fn identity(live: &LiveSession) -> Response {
    let person = live.person();
    let roles: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
    let email = person.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut response = StatusCode::OK.into_response();
    for (name, value) in [
        ("remote-user", person.username.as_str()),
        ("remote-name", person.display_name.as_str()),
        ("remote-email", &email),
        ("remote-groups", &roles.join(",")),
    ] {
        // Names have no control characters; all else goes as the UTF-8 that it is.
        let value = HeaderValue::from_bytes(value.as_bytes());
        let value = value.unwrap_or_else(|_| HeaderValue::from_static(""));
        response.headers_mut().insert(name, value);
    }
    response
}

/// Begins a sign-in on the application's host: the cookie that is set here has to come back with
/// the code, so that nobody can be signed in as somebody else from elsewhere.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let protected = protected(&app, &request)?;
    let query = body::query(&request).map_err(Failure::page)?;
    let path = ReturnPath::of(query.one("rd").map_err(Failure::page)?);
    // Two tabs of one browser begin alike.
    let kept = Cookie::Start.read::<AppStart>(&app, &protected, request.headers());
    let secret = kept.unwrap_or_else(|| app.context().seed.token());
    let state = app.rules().pepper.csrf(&secret);
    let host = protected.host().as_str();
    let query = form_encode([("app", host), ("state", &state), ("rd", path.as_str())]);
    let lasting = app.rules().config.lifetimes.interaction;
    let cookie = Cookie::Start.set(&app, &protected, &secret.expose(), lasting);
    let redirect_page = app.rules().issuer.at(&format!("/gate/apps/start?{query}"));
    Ok(with_cookie(redirect_without_referrer(&redirect_page), cookie))
}

/// Turns the code into the application's own cookie, and goes on to where the person wanted to be.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let protected = protected(&app, &request)?;
    let query = body::query(&request).map_err(Failure::page)?;
    // Whoever only looks brings nothing about.
    if request.method() == Method::HEAD {
        return Ok(StatusCode::SEE_OTHER.into_response());
    }
    let code = query.one("code").map_err(Failure::page)?.and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| Failure::page(Refusal::AppCodeUnknown))?;
    let start = Cookie::Start.read::<AppStart>(&app, &protected, request.headers());
    let start = start.ok_or_else(|| Failure::page(Refusal::AppCodeOfAnotherBrowser))?;
    let state = query.one("state").map_err(Failure::page)?.unwrap_or_default();
    if !app.rules().pepper.csrf_matches(&start, state) {
        return Err(Failure::page(Refusal::AppCodeOfAnotherBrowser));
    }
    let at = protected.clone();
    let redeemed = app.write(move |tx, cx| application::redeem(tx, cx, &at, &code, &start));
    let (secret, path) = redeemed.await.map_err(Failure::page)?;
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Session.set(&app, &protected, &secret.expose(), lasting);
    // The cookie of the beginning stays: another tab may have begun with it.
    Ok(with_cookie(
        redirect_without_referrer(&protected.address(app.rules(), path.as_str())),
        cookie,
    ))
}

/// Ends the application's session, and offers to sign out altogether.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let protected = protected(&app, &request)?;
    if request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(Failure::page(Refusal::CrossSite));
    }
    let redirect_page = redirect_without_referrer(&app.rules().issuer.at("/oauth/logout"));
    if request.method() == Method::HEAD {
        return Ok(redirect_page);
    }
    if let Some(secret) = Cookie::Session.read::<AppSecret>(&app, &protected, request.headers()) {
        let cookie = app.rules().pepper.hash(&secret);
        let at = protected.clone();
        let ended = app.write(move |tx, _| application::sign_out(tx, &at, &cookie));
        ended.await.map_err(Failure::page)?;
    }
    Ok(with_cookie(redirect_page, Cookie::Session.set(&app, &protected, "", Duration::ZERO)))
}

/// The application on whose host a browser is.
fn protected(app: &App, request: &Request) -> Result<Protected, Failure> {
    let host = host::host(request).and_then(|host| host.parse().ok()).ok_or(Refusal::AppUnknown);
    let found = host.and_then(|host| Protected::at(app.rules(), &host));
    found.map_err(|refusal| Failure::new(refusal, format_for(request.headers())))
}

/// The cookies of an application's host.
#[derive(Clone, Copy)]
enum Cookie {
    /// What proves its session.
    Session,
    /// What binds a sign-in to the browser that began it.
    Start,
}

impl Cookie {
    /// RFC 6265 §8.5: "Cookies do not provide isolation by port", so the name has the
    /// application's.
    fn name(self, app: &App, protected: &Protected) -> String {
        let begun = match self {
            Self::Session => "",
            Self::Start => "_start",
        };
        let port = protected.host().port().map(|port| format!("_{port}")).unwrap_or_default();
        if app.rules().issuer.is_https() {
            return format!("__Host-gatelodge{begun}{port}");
        }
        format!("gatelodge_app{begun}{port}")
    }

    fn read<T: std::str::FromStr>(
        self,
        app: &App,
        protected: &Protected,
        headers: &HeaderMap,
    ) -> Option<T> {
        cookie::one(&self.name(app, protected), headers).and_then(|value| value.parse().ok())
    }

    fn set(self, app: &App, protected: &Protected, value: &str, lasting: Duration) -> HeaderValue {
        let secure = if app.rules().issuer.is_https() { "; Secure" } else { "" };
        let header = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(app, protected),
            lasting.as_secs(),
        );
        let mut header = HeaderValue::from_str(&header).expect("our tokens are base64url");
        header.set_sensitive(true);
        header
    }
}
