//! POSTs of our own pages. Only these extractors check the origin and the anti-forgery token, and
//! they do so before the handler runs.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::body;
use super::browser::Browser;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::session::LiveSession;
use crate::http::destination::PagePath;
use crate::http::failure::{PageFailure, ScriptFailure};
use crate::http::redirect;
use crate::oauth::params::Params;
use crate::secret::TokenHash;

/// A form of one of our pages.
pub(in crate::http) struct PageForm {
    pub(in crate::http) browser: Browser,
    pub(in crate::http) form: Params,
}

impl PageForm {
    async fn read(app: &App, request: Request) -> Result<Self, Error> {
        check_same_origin(app, request.headers())?;
        let browser = Browser::of(app, request.headers(), request.extensions())?;
        let form = body::form(request).await?;
        check_csrf(app, &browser, form.one("csrf")?)?;
        Ok(Self { browser, form })
    }
}

impl FromRequest<Arc<App>> for PageForm {
    type Rejection = PageFailure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, PageFailure> {
        Ok(Self::read(app, request).await?)
    }
}

/// A form of one of our pages, from a browser that is signed in. Any other browser is redirected to
/// the sign-in page.
pub(in crate::http) struct SignedInForm {
    pub(in crate::http) session: LiveSession,
    pub(in crate::http) form: Params,
}

impl SignedInForm {
    async fn read(app: &App, request: Request) -> Result<Option<Self>, Error> {
        let PageForm { browser, form } = PageForm::read(app, request).await?;
        let session = browser.live_session(app, &app.read()?, &app.present())?;
        Ok(session.map(|session| Self { session, form }))
    }
}

impl FromRequest<Arc<App>> for SignedInForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let form = Self::read(app, request).await;
        let form = form.map_err(|error| PageFailure::from(error).into_response())?;
        form.ok_or_else(|| redirect::to_page(&PagePath::Login))
    }
}

/// JSON from a script of one of our pages, with the anti-forgery token in `x-csrf-token`.
pub(in crate::http) struct PageJson<T> {
    pub(in crate::http) body: T,
    pub(in crate::http) browser: Browser,
    /// The hash of the browser's own cookie, or of the secret in its storage.
    pub(in crate::http) browser_id: TokenHash,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for PageJson<T> {
    type Rejection = ScriptFailure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ScriptFailure> {
        check_same_origin(app, request.headers())?;
        let browser = Browser::of(app, request.headers(), request.extensions())?;
        let csrf = request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok());
        check_csrf(app, &browser, csrf)?;
        let browser_id = browser.id(app).ok_or(Refusal::CsrfTokenWrong)?;
        Ok(Self { body: body::json(request).await?, browser, browser_id })
    }
}

/// Proof that the browser does not report the request as cross-site (`Sec-Fetch-Site`, Fetch
/// Metadata §2.4). Sibling hosts are the same site, so an application's own pages can sign out.
pub(in crate::http) struct SameSite(());

impl FromRequestParts<Arc<App>> for SameSite {
    type Rejection = PageFailure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, PageFailure> {
        if parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
            return Err(Refusal::LogoutCrossSite.into());
        }
        Ok(Self(()))
    }
}

/// Refuses a request that does not come from the issuer's origin. `Sec-Fetch-Site` decides (Fetch
/// Metadata §2.4); if the browser sends none, `Origin` must equal the issuer.
fn check_same_origin(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let same = match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == app.rules().issuer.as_str(),
        (None, None) => false,
    };
    if same { Ok(()) } else { Err(Refusal::CrossSite) }
}

/// Refuses an anti-forgery token that is missing or not this browser's. Where a session is a key, the
/// page's script sends the secret of its storage with every request.
fn check_csrf(app: &App, browser: &Browser, csrf: Option<&str>) -> Result<(), Refusal> {
    let sent = !app.rules().session_is_key() || browser.id(app).is_some();
    if sent && browser.csrf_matches(&app.rules().pepper, csrf.unwrap_or_default()) {
        Ok(())
    } else {
        Err(Refusal::CsrfTokenWrong)
    }
}
