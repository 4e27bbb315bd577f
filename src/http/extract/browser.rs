//! The cookies of a browser, and the anti-forgery token that is derived from them.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::peer;
use crate::app::App;
use crate::flow::Context;
use crate::flow::authorize::step::PresentedInteraction;
use crate::flow::session::{self, LiveSession};
use crate::http::failure::PageFailure;
use crate::http::pages::cookie::Cookie;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::InteractionId;
use crate::secret::{AnonymousSecret, BrowserSecret, Pepper, SessionSecret, TokenHash};
use crate::store::{StoreError, View};

/// The secrets in a browser's cookies.
pub(in crate::http) struct Browser {
    anonymous: Option<AnonymousSecret>,
    browser: Option<BrowserSecret>,
    session: Option<SessionSecret>,
}

impl FromRequestParts<Arc<App>> for Browser {
    type Rejection = PageFailure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageFailure> {
        Ok(Self::of(app, &parts.headers)?)
    }
}

impl Browser {
    /// Reads the cookies of a request.
    pub(in crate::http) fn of(app: &App, headers: &HeaderMap) -> Result<Self, StoreError> {
        let read = |cookie: Cookie| cookie.read(&app.rules().issuer, headers);
        Ok(Self {
            anonymous: read(Cookie::Anonymous).and_then(|value| value.parse().ok()),
            browser: read(Cookie::Browser).and_then(|value| value.parse().ok()),
            session: session_cookie(app, headers)?,
        })
    }

    /// The hash of the anonymous session's cookie. It authenticates nobody; only an enrolment reads
    /// it, to merge the session.
    pub(in crate::http) fn anonymous(&self, app: &App) -> Option<TokenHash> {
        self.anonymous.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// The hash of the session cookie.
    pub(in crate::http) fn session(&self, app: &App) -> Option<TokenHash> {
        self.session.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// The hash of the browser's own cookie.
    pub(in crate::http) fn id(&self, app: &App) -> Option<TokenHash> {
        self.browser.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// The session that the browser is signed in to.
    pub(in crate::http) fn live_session(
        &self,
        app: &App,
        view: &impl View,
        cx: &Context,
    ) -> Result<Option<LiveSession>, StoreError> {
        match self.session(app) {
            Some(cookie) => session::live(view, cx, &cookie),
            None => Ok(None),
        }
    }

    /// The request of this browser at the interaction `id`.
    fn present(
        &self,
        app: &App,
        headers: &HeaderMap,
        id: InteractionId,
        device: DeviceInfo,
    ) -> PresentedInteraction {
        let cookie = Cookie::Interaction(id).read(&app.rules().issuer, headers);
        let secret = cookie.and_then(|value| value.parse::<BrowserSecret>().ok());
        let browser = secret.map(|secret| app.rules().pepper.hash(&secret));
        PresentedInteraction { interaction: id, browser, device, session: self.session(app) }
    }

    /// Makes the browser's own cookie if it has none, and returns it. The response must set it.
    pub(in crate::http) fn ensure_browser_cookie(&mut self, cx: &Context) -> Option<BrowserSecret> {
        if self.browser.is_some() {
            return None;
        }
        self.browser = Some(cx.seed.token());
        self.browser.clone()
    }

    /// The anti-forgery token of a page. It is bound to the session cookie, or, without one, to the
    /// browser's own cookie.
    pub(in crate::http) fn csrf(&self, pepper: &Pepper) -> String {
        match (&self.session, &self.browser) {
            (Some(session), _) => pepper.csrf(session),
            (None, Some(browser)) => pepper.csrf(browser),
            (None, None) => String::new(),
        }
    }

    /// Whether `csrf` is an anti-forgery token of this browser. A token from before the sign-in
    /// stays valid, because it belongs to the same browser.
    pub(super) fn csrf_matches(&self, pepper: &Pepper, csrf: &str) -> bool {
        let (session, browser) = (self.session.as_ref(), self.browser.as_ref());
        session.is_some_and(|holder| pepper.csrf_matches(holder, csrf))
            || browser.is_some_and(|holder| pepper.csrf_matches(holder, csrf))
    }
}

/// The session cookie. Another program on the host can set a second one of the same name, which
/// must not sign the person out: of several, the one whose session is live counts.
fn session_cookie(app: &App, headers: &HeaderMap) -> Result<Option<SessionSecret>, StoreError> {
    let values = Cookie::Session.read_all(&app.rules().issuer, headers);
    let mut secrets: Vec<SessionSecret> =
        values.into_iter().filter_map(|value| value.parse().ok()).collect();
    if secrets.len() > 1 {
        let (view, cx) = (app.read()?, app.context());
        for secret in &secrets {
            if session::live(&view, &cx, &app.rules().pepper.hash(secret))?.is_some() {
                return Ok(Some(secret.clone()));
            }
        }
    }
    Ok(secrets.pop())
}

/// A browser, and the interaction that the path names.
pub(in crate::http) struct AtInteraction {
    pub(in crate::http) browser: Browser,
    pub(in crate::http) presented: PresentedInteraction,
}

impl FromRequestParts<Arc<App>> for AtInteraction {
    type Rejection = PageFailure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageFailure> {
        let id = Path::<String>::from_request_parts(parts, app).await;
        let id = id.map(|Path(id)| id).unwrap_or_default().parse()?;
        let device = peer::device_of(app, parts);
        let browser = Browser::of(app, &parts.headers)?;
        let presented = browser.present(app, &parts.headers, id, device);
        Ok(Self { browser, presented })
    }
}
