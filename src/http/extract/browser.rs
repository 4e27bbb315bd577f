//! What a browser brings of its own, and the anti-forgery token that is derived from it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method};
use axum::response::{IntoResponse, Response};

use super::outcomes::Outcomes;
use super::peer;
use super::session_proof::{self, ProvenNewKey, ProvenSession, Unproven};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::step::PresentedInteraction;
use crate::flow::session::{self, LiveSession, NewSessionKey};
use crate::flow::{Context, Present};
use crate::http::about::About;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::cookie::Cookie;
use crate::http::texts::Language;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::InteractionId;
use crate::secret::{AnonymousSecret, BrowserSecret, Pepper, SessionSecret, TokenHash};
use crate::store::{StoreError, View};

/// The secrets of a browser: those in its cookies, or, where a session is a key, what the script of a
/// page brings. A session that no proof shows is none there, whatever cookies come along.
pub(in crate::http) struct Browser {
    about: About,
    anonymous: Option<AnonymousSecret>,
    outcomes: Outcomes,
    browser: Option<BrowserSecret>,
    done: Option<Done>,
    session: Option<Holder>,
}

/// What proves the session.
enum Holder {
    Cookie(SessionSecret),
    Key(ProvenSession),
}

impl FromRequestParts<Arc<App>> for Browser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let browser = Self::of(app, &parts.headers, &parts.extensions);
        let browser = browser.map_err(|error| PageFailure::from(error).into_response())?;
        if browser.is_unproven(app, &parts.method) {
            return Err(Unproven { interaction: None }.into_response());
        }
        Ok(browser)
    }
}

impl Browser {
    /// What was answered last in this browser.
    pub(in crate::http) fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// What was done in it a moment ago, for the page that says it.
    pub(in crate::http) fn done(&self) -> Option<Done> {
        self.done
    }

    /// The language of the person.
    pub(in crate::http) fn language(&self) -> Language {
        self.about.language()
    }

    /// Reads what a request brings.
    pub(in crate::http) fn of(
        app: &App,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Self, StoreError> {
        let read = |cookie: Cookie| cookie.read(&app.rules().issuer, headers);
        let (browser, session) = if app.rules().session_is_key() {
            let session = extensions.get::<ProvenSession>().copied().map(Holder::Key);
            (session_proof::storage(headers), session)
        } else {
            let browser = read(Cookie::Browser).and_then(|value| value.parse().ok());
            (browser, session_cookie(app, headers)?.map(Holder::Cookie))
        };
        let anonymous = read(Cookie::Anonymous).and_then(|value| value.parse().ok());
        let outcomes = Outcomes::of(&app.rules().issuer, headers);
        let (about, done) = (About::of(extensions), extensions.get::<Done>().copied());
        Ok(Self { about, anonymous, outcomes, browser, done, session })
    }

    /// Whether the request asks for a page and no script sent it, where a session is a key.
    fn is_unproven(&self, app: &App, method: &Method) -> bool {
        let asks = method == Method::GET || method == Method::HEAD;
        app.rules().session_is_key() && asks && self.browser.is_none()
    }

    /// The hash of the anonymous session's cookie. It authenticates nobody; only an enrolment reads
    /// it, to merge the session.
    pub(in crate::http) fn anonymous(&self, app: &App) -> Option<TokenHash> {
        self.anonymous.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// The hash of the session's key, which the request has proven, or of its cookie.
    pub(in crate::http) fn session(&self, app: &App) -> Option<TokenHash> {
        match self.session.as_ref()? {
            Holder::Cookie(secret) => {
                let holder = app.rules().pepper.hash(secret);
                app.note_used_session(&holder);
                Some(holder)
            }
            // Its proof has noted it.
            Holder::Key(proven) => proven.live(),
        }
    }

    /// The hash of the browser's own cookie, or of the secret in its storage.
    pub(in crate::http) fn id(&self, app: &App) -> Option<TokenHash> {
        self.browser.as_ref().map(|secret| app.rules().pepper.hash(secret))
    }

    /// The session that the browser is signed in to.
    pub(in crate::http) fn live_session(
        &self,
        app: &App,
        view: &impl View,
        cx: &Present,
    ) -> Result<Option<LiveSession>, StoreError> {
        let Some(holder) = self.session(app) else { return Ok(None) };
        let live = session::live(view, cx, &holder)?;
        if let Some(live) = &live {
            self.about.set_person(live.user());
        }
        Ok(live)
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
        let storage = if app.rules().session_is_key() { self.id(app) } else { None };
        let session = self.session(app);
        PresentedInteraction { interaction: id, browser, device, session, storage }
    }

    /// Makes the browser's own cookie if it has none, and returns it. The response must set it.
    pub(in crate::http) fn ensure_browser_cookie(&mut self, cx: &Context) -> Option<BrowserSecret> {
        if self.browser.is_some() {
            return None;
        }
        self.browser = Some(cx.seed.token());
        self.browser.clone()
    }

    /// The anti-forgery token of a page. It is bound to the session, or, without one, to the browser's
    /// own cookie or the secret in its storage.
    pub(in crate::http) fn csrf(&self, pepper: &Pepper) -> String {
        let of_session = match &self.session {
            Some(Holder::Cookie(secret)) => Some(pepper.csrf(secret)),
            Some(Holder::Key(proven)) => proven.live().map(|key| pepper.csrf_of_key(&key)),
            None => None,
        };
        let of_browser = || self.browser.as_ref().map(|secret| pepper.csrf(secret));
        of_session.or_else(of_browser).unwrap_or_default()
    }

    /// Whether `csrf` is an anti-forgery token of this browser. A token from before the sign-in
    /// stays valid, because it belongs to the same browser; so does one of a session that has ended,
    /// so that its page leads to the sign-in.
    pub(super) fn csrf_matches(&self, pepper: &Pepper, csrf: &str) -> bool {
        let of_session = match &self.session {
            Some(Holder::Cookie(secret)) => pepper.csrf_matches(secret, csrf),
            Some(Holder::Key(proven)) => pepper.csrf_of_key_matches(&proven.key(), csrf),
            None => false,
        };
        let of_browser = |secret: &BrowserSecret| pepper.csrf_matches(secret, csrf);
        of_session || self.browser.as_ref().is_some_and(of_browser)
    }
}

/// The session cookie. Another program on the host can set a second one of the same name, which
/// must not sign the person out: of several, the one whose session is live counts.
fn session_cookie(app: &App, headers: &HeaderMap) -> Result<Option<SessionSecret>, StoreError> {
    let values = Cookie::Session.read_all(&app.rules().issuer, headers);
    let mut secrets: Vec<SessionSecret> =
        values.into_iter().filter_map(|value| value.parse().ok()).collect();
    if secrets.len() > 1 {
        let (view, cx) = (app.read()?, app.present());
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
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let at = Self::read(parts, app).await;
        let at = at.map_err(|error| PageFailure::from(error).into_response())?;
        if at.browser.is_unproven(app, &parts.method) {
            return Err(Unproven { interaction: Some(at.presented) }.into_response());
        }
        Ok(at)
    }
}

impl AtInteraction {
    async fn read(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let id = Path::<String>::from_request_parts(parts, app).await;
        let id = id.map(|Path(id)| id).unwrap_or_default().parse()?;
        let device = peer::device_of(app, parts);
        let browser = Browser::of(app, &parts.headers, &parts.extensions)?;
        let presented = browser.present(app, &parts.headers, id, device);
        Ok(Self { browser, presented })
    }
}

/// What the session of a sign-in will be: a key that the request has proven, or a cookie.
pub(in crate::http) struct NewSession(Option<ProvenNewKey>);

impl NewSession {
    /// The key; `None` if the session will be a cookie.
    pub(in crate::http) fn key(&self, app: &App) -> Result<Option<NewSessionKey>, Refusal> {
        if !app.rules().session_is_key() {
            return Ok(None);
        }
        self.0.map(|proven| Some(proven.key())).ok_or(Refusal::SessionKeyMissing)
    }
}

impl FromRequestParts<Arc<App>> for NewSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ProvenNewKey>().copied()))
    }
}
