//! `/gate/account/profile`: how a person is called, and their e-mail address.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::person::own::{self, ProfileChange};
use crate::flow::session::LiveSession;
use crate::http::destination::PagePath;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::pages::email::{self, EmailField};
use crate::http::pages::own_passkeys::recently;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::oauth::display_name::DisplayName;
use crate::oauth::params::Params;

/// The field of the name, as the page displays it.
pub(in crate::http) struct NameField {
    /// What is wrong with the value; empty if nothing is.
    pub(in crate::http) fault: String,
    /// The name that is stored or was typed.
    pub(in crate::http) value: String,
}

#[derive(Template)]
#[template(path = "profile.html", config = "assets/askama.toml")]
pub(in crate::http) struct ProfilePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) email: EmailField,
    pub(in crate::http) name: NameField,
    pub(in crate::http) username: String,
}

impl ProfilePage {
    fn of(app: &App, browser: &Browser, session: &LiveSession) -> Self {
        let person = session.person();
        Self {
            page: Page::of(app, browser),
            email: EmailField::of(person),
            name: NameField { fault: String::new(), value: person.display_name.to_string() },
            username: person.username.to_string(),
        }
    }
}

/// The page with the fields.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    recently(&app, browser, PagePath::Profile, |browser, session| {
        Ok(templates::show_alone(&ProfilePage::of(&app, browser, session)))
    })
}

/// What the form changes. A field that it lacks stays, and an empty address takes the person's away.
fn change(form: &Params) -> Result<ProfileChange, Refusal> {
    let name = form.one("display_name")?.map(|typed| typed.trim().parse::<DisplayName>());
    let email = form.one("email")?.map(|typed| email::parsed(typed.trim()));
    Ok(ProfileChange { display_name: name.transpose()?, email: email.transpose()? })
}

/// Stores what the person typed, or says beside the field what is wrong with it.
pub(in crate::http) async fn store(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let Some(holder) = browser.session(&app) else {
        return Ok(redirect::to_page(&PagePath::Profile));
    };
    let stored = match change(&form) {
        Ok(change) => {
            app.write_by(acting, move |tx, cx| own::set_profile(tx, cx, &holder, &change)).await
        }
        Err(refusal) => Err(refusal.into()),
    };
    match stored {
        Ok(()) => Ok(redirect::to_page(&PagePath::Account)),
        Err(error) => refuse(&app, browser, &form, error),
    }
}

/// The page once more, after `error`; or the page that asks for a new sign-in, where the sign-in has
/// grown old over it.
fn refuse(
    app: &App,
    browser: Browser,
    form: &Params,
    error: Error,
) -> Result<Response, PageFailure> {
    let t = browser.language().texts();
    let typed_email = email::typed(form)?;
    let typed_name = form.one("display_name")?.map(|typed| typed.trim().to_owned());
    let email = EmailField::refused(t, typed_email.clone(), &error);
    let fault = match error.refusal() {
        Some(Refusal::SignInStale) => return Ok(redirect::to_page(&PagePath::Profile)),
        Some(Refusal::NameMalformed) => t.sentence(&error),
        _ if email.is_some() => String::new(),
        _ => return Err(error.into()),
    };
    let page = recently(app, browser, PagePath::Profile, |browser, session| {
        let stored = ProfilePage::of(app, browser, session);
        let name = typed_name.unwrap_or(stored.name.value);
        let email =
            email.unwrap_or_else(|| EmailField { fault: String::new(), value: typed_email });
        let name = NameField { fault, value: name };
        Ok(templates::show_alone(&ProfilePage { email, name, ..stored }))
    });
    Ok(email::refusing(page?, error))
}
