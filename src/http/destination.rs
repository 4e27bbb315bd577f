//! The URLs to which a response may send a browser.
//!
//! A [`Destination`] is made only from a value that proves the URL: a registered redirect URI, a
//! registered application, a checked loopback URI, or a page of this server. Only `redirect.rs`
//! writes it into a response.

use std::fmt;

use axum::http::Uri;

use super::texts::Language;
use crate::error::ErrorCode;
use crate::event::EventId;
use crate::flow::Rules;
use crate::flow::application::App as Protected;
use crate::flow::client::home::Home;
use crate::model::application::{AppHost, ReturnPath};
use crate::model::bridge::LinkRedirect;
use crate::oauth::authorize::AuthorizationResponse;
use crate::oauth::id::{InteractionId, PasskeyId};
use crate::oauth::issuer::Issuer;
use crate::oauth::logout::PostLogout;
use crate::oauth::params::{form_encode, segment_encode};
use crate::oauth::token::device::UserCode;
use crate::secret::{AppCodeSecret, ExchangeCode};

/// The URL to which a response sends a browser.
pub(super) struct Destination {
    host: Option<String>,
    url: String,
}

impl Destination {
    /// The redirect URI of a client, with its authorization response.
    pub(super) fn client(response: &AuthorizationResponse) -> Self {
        Self::elsewhere(response.host(), response.url().to_owned())
    }

    /// The post-logout redirect URI of a client.
    pub(super) fn logout(next: &PostLogout) -> Self {
        Self::elsewhere(next.host(), next.url().to_owned())
    }

    /// The place at which a person begins again with a client.
    pub(super) fn home(home: &Home) -> Self {
        Self { host: None, url: home.url().to_owned() }
    }

    /// The first page of the host that was asked.
    pub(super) fn own_root() -> Self {
        Self { host: None, url: "/".to_owned() }
    }

    /// The redirect URI of a bridge, with its exchange code.
    pub(super) fn link_code(uri: &LinkRedirect, code: &ExchangeCode) -> Self {
        Self::elsewhere(uri.host(), uri.with_code(&code.expose()))
    }

    /// The redirect URI of a bridge, with an error.
    pub(super) fn link_error(uri: &LinkRedirect, error: ErrorCode) -> Self {
        Self::elsewhere(uri.host(), uri.with_error(error))
    }

    /// The path of an application that the person requested.
    pub(super) fn application(rules: &Rules, app: &Protected, path: &ReturnPath) -> Self {
        Self::at_application(rules, app, path.as_str())
    }

    /// The start of a sign-in at an application.
    pub(super) fn application_start(rules: &Rules, app: &Protected, path: &ReturnPath) -> Self {
        let query = form_encode([("rd", path.as_str())]);
        Self::at_application(rules, app, &format!("/_gatelodge/start?{query}"))
    }

    /// The end of a sign-in at an application, with its code and the `state` of its start.
    pub(super) fn application_callback(
        rules: &Rules,
        app: &Protected,
        code: &AppCodeSecret,
        state: &str,
    ) -> Self {
        let query = form_encode([("code", code.expose().as_str()), ("state", state)]);
        Self::at_application(rules, app, &format!("/_gatelodge/callback?{query}"))
    }

    /// A page of this server, for a browser on the issuer's host.
    pub(super) fn page(page: &PagePath) -> Self {
        Self { host: None, url: page.to_string() }
    }

    /// A page of this server, for a browser on an application's host.
    pub(super) fn page_from_application(issuer: &Issuer, page: &PagePath) -> Self {
        Self::elsewhere(issuer.authority(), issuer.at(&page.to_string()))
    }

    /// The page for devices, with the query of `request`.
    pub(super) fn device_page(request: &Uri) -> Self {
        let page = PagePath::Device(None);
        match request.query() {
            Some(query) => Self { host: None, url: format!("{page}?{query}") },
            None => Self::page(&page),
        }
    }

    /// The path and query of `request` on the issuer's host.
    pub(super) fn at_issuer(issuer: &Issuer, request: &Uri) -> Self {
        let path = request.path_and_query().map_or("/", |path| path.as_str());
        // Any other first character would extend the host.
        let path = if path.starts_with(['/', '?']) { path } else { "/" };
        Self { host: None, url: issuer.at(path) }
    }

    fn at_application(rules: &Rules, app: &Protected, path: &str) -> Self {
        Self::elsewhere(app.host().as_str(), app.address(rules, path))
    }

    fn elsewhere(host: impl Into<String>, url: String) -> Self {
        Self { host: Some(host.into()), url }
    }

    /// The host, for display; `None` if the browser stays at this server.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The URL. For a page of this server, it may be the path alone.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// What stands before an id that cannot be the segment of a path.
const MARKED: char = '~';

/// The path of a page of the administration, with its query.
#[derive(Clone, Debug)]
pub(super) struct AdminPath(String);

impl AdminPath {
    /// The path under which every page of the administration is.
    pub(super) const ROOT: &str = "/gate/admin";

    /// The page `segments` under the administration, each a name of something or of a page.
    pub(super) fn of<'a>(segments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut path = Self::ROOT.to_owned();
        for segment in segments {
            path.push('/');
            path.push_str(&segment_encode(segment));
        }
        Self(path)
    }

    /// The page of a client. An id that would be another page, or that a browser takes out of a path
    /// (`..`), stands behind a tilde, and so does one that begins with a tilde.
    pub(super) fn client(id: &str) -> Self {
        if id.starts_with(MARKED) || ["add", ".", ".."].contains(&id) {
            return Self(format!("{}/clients/{MARKED}{}", Self::ROOT, segment_encode(id)));
        }
        Self::of(["clients", id])
    }

    /// The id that a segment of [`AdminPath::client`] names.
    pub(super) fn client_id(segment: &str) -> &str {
        segment.strip_prefix(MARKED).unwrap_or(segment)
    }

    /// The page of a person. Their name may be that of another page.
    pub(super) fn person(id: &str) -> Self {
        Self::of(["people", id])
    }

    /// The page below which this one is, so many segments under the administration.
    pub(super) fn above(&self, segments: usize) -> Self {
        let root = Self::ROOT.len();
        let within = self.path().get(root..).unwrap_or_default();
        let end = within.match_indices('/').nth(segments).map_or(within.len(), |(at, _)| at);
        Self(format!("{}{}", Self::ROOT, within.get(..end).unwrap_or_default()))
    }

    /// The page that a request asks for, if it is one of the administration.
    pub(super) fn requested(uri: &Uri) -> Option<Self> {
        let within = uri.path().strip_prefix(Self::ROOT)?;
        let path = uri.path_and_query()?.as_str().to_owned();
        (within.is_empty() || within.starts_with('/')).then_some(Self(path))
    }

    /// The same page with another query.
    #[must_use]
    pub(super) fn with_query<'a>(
        &self,
        query: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let path = self.path();
        match form_encode(query).as_str() {
            "" => Self(path.to_owned()),
            query => Self(format!("{path}?{query}")),
        }
    }

    /// The first page of the part of the administration that it is in.
    pub(super) fn part(&self) -> Self {
        let within = self.path().strip_prefix(Self::ROOT).unwrap_or_default();
        let part = within.split('/').nth(1).filter(|part| !part.is_empty());
        // It is encoded already.
        Self(part.map_or_else(|| Self::ROOT.to_owned(), |part| format!("{}/{part}", Self::ROOT)))
    }

    /// The path without its query.
    pub(super) fn path(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }
}

impl fmt::Display for AdminPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a page of this server.
pub(super) enum PagePath {
    /// The account of the person who is signed in.
    Account,
    /// A page of the administration.
    Admin(AdminPath),
    /// The sign-in at an application.
    Application {
        /// The application.
        host: AppHost,
        /// The path of the application that the person requested.
        path: ReturnPath,
        /// The value that binds the sign-in to the browser that started it.
        state: String,
    },
    /// As [`PagePath::Application`], where somebody else signs in first.
    ApplicationAsAnother {
        /// The application.
        host: AppHost,
        /// The path of the application that the person requested.
        path: ReturnPath,
        /// The value that binds the sign-in to the browser that started it.
        state: String,
    },
    /// The page for devices, with a user code if one is known.
    Device(Option<UserCode>),
    /// The page after a decision about a device.
    DeviceDone,
    /// An event, for administrators.
    Event(EventId),
    /// An interaction.
    Interaction(InteractionId),
    /// As [`PagePath::Interaction`], where somebody else signs in first.
    InteractionAsAnother(InteractionId),
    /// As [`PagePath::Interaction`], in a language that its request named.
    InteractionIn(InteractionId, Language),
    /// The page where a person authorizes a bridge.
    Link(InteractionId),
    /// As [`PagePath::Link`], where somebody else signs in first.
    LinkAsAnother(InteractionId),
    /// The page after a sign-out.
    LoggedOut,
    /// The same in a language that the request named.
    LoggedOutIn(Language),
    /// The sign-in that no client requested.
    Login,
    /// The start of a sign-out (OpenID Connect RP-Initiated Logout §2).
    Logout,
    /// A further passkey.
    NewPasskey,
    /// The end of every other session of the person who is signed in.
    OtherSessions,
    /// A passkey of the person who is signed in.
    Passkey(PasskeyId),
    /// How the person who is signed in is called, and their e-mail address.
    Profile,
    /// The recovery codes of the person who is signed in.
    RecoveryCodes,
    /// The enrolment of a passkey.
    Setup,
}

impl fmt::Display for PagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("/gate/account"),
            Self::Admin(path) => path.fmt(f),
            Self::Application { host, path, state } => {
                let query = [("app", host.as_str()), ("state", state), ("rd", &path.encoded())];
                write!(f, "/gate/apps/start?{}", form_encode(query))
            }
            Self::ApplicationAsAnother { host, path, state } => {
                let (host, path) = (host.as_str(), path.encoded());
                let query = [("app", host), ("as", "another"), ("state", state), ("rd", &path)];
                write!(f, "/gate/apps/start?{}", form_encode(query))
            }
            Self::Device(None) => f.write_str("/gate/device"),
            Self::Device(Some(code)) => write!(f, "/gate/device?user_code={}", *code.expose()),
            Self::DeviceDone => f.write_str("/gate/device/done"),
            Self::Event(id) => write!(f, "/gate/admin/events/{id}"),
            Self::Interaction(id) => write!(f, "/gate/interaction/{id}"),
            Self::InteractionAsAnother(id) => write!(f, "/gate/interaction/{id}?as=another"),
            Self::InteractionIn(id, language) => {
                write!(f, "/gate/interaction/{id}?language={}", language.tag())
            }
            Self::Link(id) => write!(f, "/gate/link/{id}"),
            Self::LinkAsAnother(id) => write!(f, "/gate/link/{id}?as=another"),
            Self::LoggedOut => f.write_str("/gate/logged-out"),
            Self::LoggedOutIn(language) => {
                write!(f, "/gate/logged-out?language={}", language.tag())
            }
            Self::Login => f.write_str("/gate/login"),
            Self::Logout => f.write_str("/oauth/logout"),
            Self::NewPasskey => f.write_str("/gate/account/passkeys/new"),
            Self::OtherSessions => f.write_str("/gate/account/sessions/others"),
            Self::Passkey(id) => write!(f, "/gate/account/passkeys/{id}"),
            Self::Profile => f.write_str("/gate/account/profile"),
            Self::RecoveryCodes => f.write_str("/gate/account/recovery-codes"),
            Self::Setup => f.write_str("/gate/setup"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_request_stays_on_the_issuers_host() {
        let issuer: Issuer = "https://id.example".parse().unwrap();
        let at_issuer =
            |request: &str| Destination::at_issuer(&issuer, &request.parse().unwrap()).url;

        for (request, expected) in [
            ("/gate/login?a=b", "https://id.example/gate/login?a=b"),
            ("//evil.example/", "https://id.example//evil.example/"),
            ("http://127.0.0.1/account", "https://id.example/account"),
            ("http://127.0.0.1?a=b", "https://id.example?a=b"),
            ("127.0.0.1:7455", "https://id.example/"),
            ("*", "https://id.example/"),
        ] {
            assert_eq!(at_issuer(request), expected, "{request}");
        }
    }

    #[test]
    fn the_page_of_a_client_is_no_other_page_whatever_its_id() {
        for id in ["shop", "a/b"] {
            assert_eq!(AdminPath::client(id).path(), AdminPath::of(["clients", id]).path());
        }
        for id in ["add", ".", "..", "~add"] {
            let path = format!("/gate/admin/clients/~{}", segment_encode(id));
            assert_eq!(AdminPath::client(id).path(), path);
        }
        for (segment, id) in [("shop", "shop"), ("~add", "add"), ("~..", ".."), ("~~add", "~add")] {
            assert_eq!(AdminPath::client_id(segment), id);
        }
    }

    #[test]
    fn a_page_is_below_that_of_its_person() {
        let path = AdminPath::of(["people", "bob", "passkeys", "x", "remove"]);

        assert_eq!(path.with_query([("a", "b")]).above(2).path(), "/gate/admin/people/bob");
        assert_eq!(path.above(9).path(), path.path());
    }

    #[test]
    fn the_page_for_devices_has_the_query_of_the_request() {
        let url = |request: &str| Destination::device_page(&request.parse().unwrap()).url;

        assert_eq!(url("/device"), "/gate/device");
        assert_eq!(url("/device?user_code=WDJB-MJHT"), "/gate/device?user_code=WDJB-MJHT");
    }
}
