//! What the error page and the log line of a failure say beside the refusal.
//!
//! The facts are values of the request, and names that clients gave themselves. A sentence of a
//! refusal has none of them: here each is bounded, has no control or invisible character, and is
//! labelled as what it is.

use std::fmt;
use std::sync::Arc;

use crate::app::App;
use crate::error::Refusal;
use crate::flow::authorize;
use crate::flow::client::self_named::SelfNamed;
use crate::oauth::authorize::AuthorizationResponse;
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::RedirectUri;
use crate::store::StoreError;
use crate::store::schema::Client;

/// The most characters of a value that are shown.
const MAX_DISPLAYED: usize = 256;

/// The most registered redirect URIs that a log line names.
const MAX_REGISTERED: usize = 3;

/// The facts of a failure.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// What the request asked for, for the log: an address without user name, query and fragment.
    pub(super) asked: Option<String>,
    /// The same for the page, and what it is.
    pub(super) asked_on_page: Option<(Asked, String)>,
    /// The host to which the app would have sent the browser, for the page.
    pub(super) back_to: Option<(Asked, String)>,
    /// The name by which the client calls itself.
    pub(super) client_name: Option<String>,
    /// Where the client is, if it named itself, for the page.
    pub(super) self_named: Option<SelfNamed>,
    /// The response to the client, to which the page leads on if the person wants it.
    pub(super) client_response: Option<ClientResponse>,
    /// The registered redirect URIs that are most like the one asked for, for the log.
    pub(super) registered: Option<String>,
}

/// What a value of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A redirect URI.
    Address,
    /// A `client_id`.
    Client,
    /// The host of an application.
    Host,
    /// The host of a redirect URI.
    Return,
}

/// A response to a client that no redirect carries: the person presses a button.
#[derive(Clone)]
pub(super) struct ClientResponse(pub(super) Arc<AuthorizationResponse>);

impl fmt::Debug for ClientResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientResponse")
    }
}

impl Facts {
    /// The facts of an application's host.
    pub(super) fn of_host(host: &str) -> Self {
        Self {
            asked: Some(displayed(host)),
            asked_on_page: Some((Asked::Host, displayed(host))),
            ..Self::default()
        }
    }

    /// The facts of an authorization request that is answered with a page, since its client or its
    /// redirect URI is not proven.
    pub(super) fn of_unproven(
        app: &App,
        params: &Params,
        refusal: Option<Refusal>,
    ) -> Result<Self, StoreError> {
        let one = |name| params.one(name).ok().flatten();
        let client_id = one("client_id");
        if refusal == Some(Refusal::ClientUnknownAtAuthorize) {
            let asked = client_id.map(displayed);
            let asked_on_page = asked.clone().map(|asked| (Asked::Client, asked));
            // The one thing that tells a person which app it was.
            let uri = one("redirect_uri").and_then(|uri| uri.parse::<RedirectUri>().ok());
            let back_to = uri.map(|uri| (Asked::Return, displayed(&uri.host())));
            return Ok(Self { asked, asked_on_page, back_to, ..Self::default() });
        }
        if !refusal.is_some_and(is_about_redirect_uri) {
            return Ok(Self::default());
        }
        let client = match client_id.and_then(|id| id.parse::<ClientId>().ok()) {
            Some(id) => authorize::find_enabled(&app.read()?, &id)?.map(|client| (id, client)),
            None => None,
        };
        let client = client.as_ref().map(|(id, client)| (id, client));
        let requested = one("redirect_uri");
        let logged = requested.map(without_secrets);
        let near = logged.as_deref().unwrap_or_default();
        Ok(Self {
            asked: logged.as_deref().map(displayed),
            asked_on_page: requested.map(|uri| (Asked::Address, displayed(uri))),
            registered: client.map(|(_, own)| nearest(own, near)),
            ..Self::of_client(client)
        })
    }

    /// The facts of an error that a page takes to a client that nobody vouches for.
    pub(super) fn of_unvouched(
        app: &App,
        client: &ClientId,
        response: AuthorizationResponse,
    ) -> Result<Self, StoreError> {
        let found = authorize::find_enabled(&app.read()?, client)?;
        let client_response = Some(ClientResponse(Arc::new(response)));
        let named = found.as_ref().map(|found| (client, found));
        Ok(Self { client_response, ..Self::of_client(named) })
    }

    /// What the page shows of the request.
    pub(super) fn on_page(&self) -> impl Iterator<Item = &(Asked, String)> {
        self.asked_on_page.iter().chain(&self.back_to)
    }

    /// The name of a client, and where it is.
    fn of_client(client: Option<(&ClientId, &Client)>) -> Self {
        let client_name = client.map(|(_, client)| displayed(client.metadata.name()));
        let self_named = client.and_then(|(id, client)| SelfNamed::of(id, client));
        Self { client_name, self_named, ..Self::default() }
    }
}

/// Whether a refusal is one of a `redirect_uri`: all of them are named so.
fn is_about_redirect_uri(refusal: Refusal) -> bool {
    refusal.name().starts_with("RedirectUri")
}

/// A value as it is shown: bounded, and without characters that move, hide or reverse others.
pub(super) fn displayed(value: &str) -> String {
    let visible = |c: char| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c };
    let mut displayed: String = value.chars().take(MAX_DISPLAYED).map(visible).collect();
    if value.chars().nth(MAX_DISPLAYED).is_some() {
        displayed.push('…');
    }
    displayed
}

/// Whether a character has no shape of its own, or changes the direction of others.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// An address without what may be secret in it: user name and password, query and fragment.
pub(super) fn without_secrets(address: &str) -> String {
    let (place, more) = match address.find(['?', '#']) {
        Some(at) => (address.split_at(at).0, "?…"),
        None => (address, ""),
    };
    format!("{}{more}", without_password(place))
}

/// An address without user name and password.
pub(super) fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("//") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}//{host}{path}")
}

/// The redirect URIs of a client that are most like `requested`.
fn nearest(client: &Client, requested: &str) -> String {
    let common = |own: &RedirectUri| {
        let pairs = own.as_str().bytes().zip(requested.bytes());
        pairs.take_while(|(own, requested)| own == requested).count()
    };
    let mut registered: Vec<&RedirectUri> = client.metadata.redirect_uris.iter().collect();
    registered.sort_by_key(|own| std::cmp::Reverse(common(own)));
    let registered = registered.into_iter().take(MAX_REGISTERED);
    registered.map(|own| displayed(own.as_str())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_bounded_and_hides_nothing() {
        assert_eq!(displayed("a\r\nb\u{202e}c\u{200b}"), "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(displayed(&"é".repeat(256)), "é".repeat(256));
        assert_eq!(displayed(&"é".repeat(257)), format!("{}…", "é".repeat(256)));
    }

    #[test]
    fn an_address_in_the_log_has_no_secrets() {
        for (address, logged) in [
            ("https://app.example/cb", "https://app.example/cb"),
            ("https://ada:pw@app.example/cb?token=x", "https://app.example/cb?…"),
            ("https://app.example#access_token=x", "https://app.example?…"),
            ("//u:p@x", "//x"),
            ("com.example:/cb", "com.example:/cb"),
            ("/cb", "/cb"),
        ] {
            assert_eq!(without_secrets(address), logged);
        }
    }
}
