//! What a request is about, as far as it is known when it fails.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Uri, header};

use super::facts::{displayed, without_password, without_secrets};
use super::preferences::preferences;
use super::texts::Language;
use crate::app::App;
use crate::model::actor::Actor;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::params::Params;

/// The parameters of which it is said that they came, and no more.
const SENT: [&str; 4] = ["code_challenge", "code_verifier", "nonce", "state"];

/// The parameters that say what a request asks for, and are no secrets.
const ASKED: [&str; 22] = [
    "acr_values",
    "audience",
    "client_assertion_type",
    "client_id",
    "code_challenge_method",
    "display",
    "grant_type",
    "host_id",
    "max_age",
    "plugin_id",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "session_id",
    "token_type_hint",
    "ui_locales",
    "user_code_length",
];

/// A value without what may be secret in it. An address keeps its query and its fragment, since it is
/// compared whole, unless they name a secret.
fn redacted(value: &str) -> String {
    const SECRETS: [&str; 5] = ["code=", "token=", "secret=", "password=", "assertion="];
    let rest = value.split_once(['?', '#']).map(|(_, rest)| rest.to_ascii_lowercase());
    let secret = rest.is_some_and(|rest| SECRETS.iter().any(|name| rest.contains(name)));
    if secret { without_secrets(value) } else { without_password(value) }
}

/// What a request is about. The outermost layer adds an empty one to each request, counts a refusal
/// for the client that it then holds, and writes the rest into the event.
///
/// It has what was sent, which may be secret, so it has no `Debug`.
#[derive(Clone, Default)]
pub(super) struct About(Arc<Known>);

#[derive(Default)]
struct Known {
    /// `Accept-Language`.
    accepted: Vec<HeaderValue>,
    /// The administrator, who is proven.
    administrator: OnceLock<Actor>,
    /// What the request asks for, as it is written.
    asked: OnceLock<Bytes>,
    /// What the request asks for that this one goes on with.
    continued: OnceLock<Vec<(String, String)>>,
    client: OnceLock<ClientId>,
    /// The language that the request names itself.
    language: OnceLock<Language>,
    person: OnceLock<UserId>,
}

impl About {
    /// The one of a request with these headers.
    pub(super) fn accepting(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT_LANGUAGE).iter().cloned().collect();
        Self(Arc::new(Known { accepted, ..Known::default() }))
    }

    /// The language of the person: one of `ui_locales` (OpenID Connect Core §3.1.2.1), else one of
    /// `Accept-Language` (RFC 9110 §12.5.4), else English.
    pub(super) fn language(&self) -> Language {
        let accepted = || Language::of(preferences(&self.0.accepted));
        self.0.language.get().copied().or_else(accepted).unwrap_or_default()
    }

    /// Sets the language to the first of `ui_locales` that there is, unless one is set already.
    pub(super) fn prefer<'a>(&self, ui_locales: impl IntoIterator<Item = &'a str>) {
        if let Some(language) = Language::of(ui_locales) {
            self.0.language.get_or_init(|| language);
        }
    }

    /// The language that the request names itself.
    pub(super) fn named_language(&self) -> Option<Language> {
        self.0.language.get().copied()
    }

    /// Sets the language that the address of a page names.
    pub(super) fn prefer_named(&self, address: &Uri) {
        let query = address.query().filter(|_| address.path().starts_with("/gate/"));
        let params = query.and_then(|query| Params::parse(query.as_bytes()).ok());
        self.prefer(params.iter().flat_map(|params| params.many("language")));
    }

    /// The one that the outermost layer added to the request.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Sets the client, which is known to exist, unless one is set already.
    pub(super) fn set(&self, client: &ClientId) {
        self.0.client.get_or_init(|| client.clone());
    }

    /// As [`About::set`], if the client is known.
    pub(super) fn set_if_known(&self, client: Option<&ClientId>) {
        if let Some(client) = client {
            self.set(client);
        }
    }

    /// Sets the person, who is proven, unless one is set already.
    pub(super) fn set_person(&self, person: UserId) {
        self.0.person.get_or_init(|| person);
    }

    /// Sets the administrator in whose name an operation is asked for, unless one is set already.
    pub(super) fn set_administrator(&self, administrator: &Actor) {
        self.0.administrator.get_or_init(|| administrator.clone());
    }

    /// Sets what the request asks for, unless that is set already, and its language. `written` is what
    /// `params` were read from.
    pub(super) fn asks(&self, params: &Params, written: &Bytes) {
        self.prefer(params.many("ui_locales").flat_map(str::split_whitespace));
        self.0.asked.get_or_init(|| written.clone());
    }

    /// Sets what an earlier request asked for that this one goes on with. It counts instead.
    pub(super) fn continues(&self, asked: Vec<(&str, String)>) {
        let asked = asked.into_iter().map(|(name, value)| (name.to_owned(), displayed(&value)));
        self.0.continued.get_or_init(|| asked.collect());
    }

    /// The client, if one is set.
    pub(super) fn client(&self) -> Option<&ClientId> {
        self.0.client.get()
    }

    /// The administrator, if one is set.
    pub(super) fn administrator(&self) -> Option<&Actor> {
        self.0.administrator.get()
    }

    /// The person, if one is set.
    pub(super) fn person(&self) -> Option<UserId> {
        self.0.person.get().copied()
    }

    /// What the request asks for.
    pub(super) fn asked(&self) -> Vec<(String, String)> {
        if let Some(continued) = self.0.continued.get() {
            return continued.clone();
        }
        let params = self.0.asked.get().and_then(|written| Params::parse(written).ok());
        params.map_or_else(Vec::new, |params| asked(&params))
    }
}

/// What `params` ask for.
fn asked(params: &Params) -> Vec<(String, String)> {
    let asked = ASKED.iter().flat_map(|name| {
        let values = params.many(name);
        values.map(|value| ((*name).to_owned(), displayed(&redacted(value))))
    });
    let sent = SENT.iter().filter(|name| params.many(name).next().is_some());
    let sent = sent.map(|name| ((*name).to_owned(), "(sent)".to_owned()));
    asked.take(ASKED.len()).chain(sent).collect()
}

impl FromRequestParts<Arc<App>> for About {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}
