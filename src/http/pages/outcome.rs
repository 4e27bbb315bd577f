//! The page that says what a person answered a moment ago, and leads on.

use askama::Template;
use axum::response::Response;

use super::asker::ClientMark;
use super::templates::{self, Page};
use crate::app::App;
use crate::flow::authorize;
use crate::flow::client::home::Home;
use crate::flow::client::self_named::SelfNamed;
use crate::http::destination::{Destination, PagePath};
use crate::http::extract::outcomes::Outcome;
use crate::http::redirect;
use crate::http::texts::{Language, Texts};
use crate::store::StoreError;

#[derive(Template)]
#[template(path = "outcome.html", config = "assets/askama.toml")]
pub(in crate::http) struct OutcomePage<'a> {
    pub(in crate::http) page: Page,
    pub(in crate::http) outcome: &'a Outcome,
    pub(in crate::http) client_name: String,
    pub(in crate::http) home: Option<Destination>,
    /// The mark of the client, if it is about one that there is.
    pub(in crate::http) mark: Option<ClientMark>,
    /// Whether a code was shown, which the tab may still have.
    pub(in crate::http) is_code: bool,
    /// Where the client is, if it named itself.
    pub(in crate::http) self_named: Option<SelfNamed>,
}

/// The page that says what was answered, and leads on.
pub(in crate::http) fn show(
    app: &App,
    language: Language,
    outcome: &Outcome,
) -> Result<Response, StoreError> {
    match outcome {
        Outcome::SignedOut => return Ok(redirect::to_page(&PagePath::LoggedOut)),
        Outcome::Stayed => return Ok(redirect::to_page(&PagePath::Account)),
        Outcome::Allowed(_)
        | Outcome::Asked(_)
        | Outcome::CodeDisplayed
        | Outcome::Denied(_)
        | Outcome::Linked
        | Outcome::NotLinked => {}
    }
    let view = app.read()?;
    let (mut client, mut mark) = (None, None);
    if let Some(id) = outcome.client()
        && let Some(found) = authorize::find_enabled(&view, id)?
    {
        mark = Some(ClientMark::of_client(&view, id, found.metadata.name())?);
        client = Some(found);
    }
    let home = client.as_ref().and_then(|client| Home::of(&app.context(), client));
    let named = outcome.client().zip(client.as_ref());
    let self_named = named.and_then(|(id, client)| SelfNamed::of(id, client));
    let name = client.as_ref().map(|client| client.metadata.name().to_owned());
    Ok(templates::show(&OutcomePage {
        page: Page::anonymous(app, language),
        outcome,
        mark,
        is_code: *outcome == Outcome::CodeDisplayed,
        // A program on another port can have set the cookie: nothing of it is read out.
        client_name: name.unwrap_or_else(|| language.texts().error.app().plain()),
        home: home.as_ref().map(Destination::home),
        self_named,
    }))
}
