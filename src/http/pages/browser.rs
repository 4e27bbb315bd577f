//! Who stands at the door: the cookies of a request, and the anti-forgery token they carry.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::cookie::Cookie;
use crate::app::App;
use crate::error::Refusal;
use crate::flow::Context;
use crate::flow::authorize::step::PresentedInteraction;
use crate::http::extract::peer;
use crate::oauth::id::InteractionId;
use crate::secret::{AnonymousSecret, BrowserSecret, Pepper, SessionSecret, TokenHash};

/// A browser, by its cookies.
pub(in crate::http) struct Browser {
    anonymous: Option<AnonymousSecret>,
    browser: Option<BrowserSecret>,
    session: Option<SessionSecret>,
}

impl Browser {
    /// Who sends these headers.
    pub(in crate::http) fn of(app: &App, headers: &HeaderMap) -> Self {
        let read = |cookie: Cookie| cookie.read(&app.rules().issuer, headers);
        Self {
            anonymous: read(Cookie::Anonymous).and_then(|value| value.parse().ok()),
            browser: read(Cookie::Browser).and_then(|value| value.parse().ok()),
            session: read(Cookie::Session).and_then(|value| value.parse().ok()),
        }
    }

    /// What the cookie of an anonymous session is known by. It proves nobody: an enrolment merges
    /// it, and nothing else asks for it.
    pub(in crate::http) fn anonymous(&self, app: &App) -> Option<TokenHash> {
        self.anonymous.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// What the session cookie is known by.
    pub(in crate::http) fn session(&self, app: &App) -> Option<TokenHash> {
        self.session.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// What the browser's own cookie is known by.
    pub(in crate::http) fn id(&self, app: &App) -> Option<TokenHash> {
        self.browser.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// How this browser comes to an interaction.
    pub(in crate::http) fn presented(
        &self,
        app: &App,
        request: &Request,
        id: InteractionId,
    ) -> PresentedInteraction {
        let cookie = Cookie::Interaction(id).read(&app.rules().issuer, request.headers());
        let secret = cookie.and_then(|value| value.parse::<BrowserSecret>().ok());
        let browser = secret.map(|secret| app.rules().pepper.hash(&secret));
        let device = peer::device(app, request);
        PresentedInteraction { interaction: id, browser, device, session: self.session(app) }
    }

    /// Gives the browser a cookie of its own, if it has none. It goes out with [`with_browser_cookie`].
    pub(in crate::http) fn ensure_browser_cookie(&mut self, cx: &Context) -> Option<BrowserSecret> {
        if self.browser.is_some() {
            return None;
        }
        self.browser = Some(cx.seed.token());
        self.browser.clone()
    }

    /// The anti-forgery token of a page: bound to the session, or before sign-in to the browser's
    /// own cookie.
    pub(in crate::http) fn csrf(&self, pepper: &Pepper) -> String {
        match (&self.session, &self.browser) {
            (Some(session), _) => pepper.csrf(session),
            (None, Some(browser)) => pepper.csrf(browser),
            (None, None) => String::new(),
        }
    }

    /// Whether `presented` is a token of this browser. One from before sign-in still counts: it
    /// was made for the same browser.
    pub(in crate::http) fn check_csrf(
        &self,
        pepper: &Pepper,
        presented: &str,
    ) -> Result<(), Refusal> {
        let session = self.session.as_ref();
        let browser = self.browser.as_ref();
        let matches = session.is_some_and(|holder| pepper.csrf_matches(holder, presented))
            || browser.is_some_and(|holder| pepper.csrf_matches(holder, presented));
        if matches { Ok(()) } else { Err(Refusal::CsrfTokenWrong) }
    }
}

/// Whether a POST comes from a page of ours: by `Sec-Fetch-Site` (Fetch Metadata §2.4), or where
/// a browser sends none, by an `Origin` equal to the issuer.
pub(in crate::http) fn check_same_origin(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let same = match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == app.rules().issuer.as_str(),
        (None, None) => false,
    };
    if same { Ok(()) } else { Err(Refusal::CrossSite) }
}

/// Adds a cookie to a response.
pub(in crate::http) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Adds the cookie of a browser that was just welcomed.
pub(in crate::http) fn with_browser_cookie(
    app: &App,
    response: Response,
    new_cookie: Option<&BrowserSecret>,
) -> Response {
    let Some(secret) = new_cookie else { return response };
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Browser.set(&app.rules().issuer, &secret.expose(), lasting);
    with_cookie(response, cookie)
}

/// Adds the cookie of a session that was just opened.
pub(in crate::http) fn sign_in(app: &App, response: Response, secret: &SessionSecret) -> Response {
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Session.set(&app.rules().issuer, &secret.expose(), lasting);
    with_cookie(response, cookie)
}
