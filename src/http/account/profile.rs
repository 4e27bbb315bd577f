//! `/gate/account/profile`: how a person is called, and their e-mail address.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::person::own::{self, Profile};
use crate::flow::session::LiveSession;
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::pages::email::{self, EmailField};
use crate::http::pages::own_passkeys::recently;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
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

/// The name that was typed.
fn typed_name(form: &Params) -> Result<String, Refusal> {
    Ok(form.one("display_name")?.unwrap_or_default().trim().to_owned())
}

/// What the form says. An empty address takes the person's away.
fn profile(form: &Params) -> Result<Profile, Refusal> {
    let display_name = typed_name(form)?.parse()?;
    Ok(Profile { display_name, email: email::parsed(&email::typed(form)?)? })
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
    let stored = match profile(&form) {
        Ok(profile) => {
            app.write_by(acting, move |tx, cx| own::set_profile(tx, cx, &holder, &profile)).await
        }
        Err(refusal) => Err(refusal.into()),
    };
    match stored {
        Ok(()) => Ok(redirect::to_page_after(Done::Saved, &PagePath::Account)),
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
    let (typed_name, typed_email) = (typed_name(form)?, email::typed(form)?);
    let email = EmailField::refused(t, typed_email.clone(), &error);
    let fault = match error.refusal() {
        Some(Refusal::SignInStale) => return Ok(redirect::to_page(&PagePath::Profile)),
        Some(Refusal::NameMalformed) => t.sentence(&error),
        _ if email.is_some() => String::new(),
        _ => return Err(error.into()),
    };
    let page = recently(app, browser, PagePath::Profile, |browser, session| {
        let stored = ProfilePage::of(app, browser, session);
        let email =
            email.unwrap_or_else(|| EmailField { fault: String::new(), value: typed_email });
        let name = NameField { fault, value: typed_name };
        Ok(templates::show_alone(&ProfilePage { email, name, ..stored }))
    });
    Ok(email::refusing(page?, error))
}
