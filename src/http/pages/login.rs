//! The sign-in page, which other pages show to a browser that is not signed in.

use axum::response::Response;

use super::asker::Asker;
use super::cookie::with_browser_cookie;
use super::templates::{self, LoginPage, Page};
use crate::app::App;
use crate::config::SignUpPolicy;
use crate::error::Error;
use crate::flow::person::people;
use crate::http::destination::PagePath;
use crate::http::extract::browser::Browser;
use crate::oauth::params::form_encode;

/// The contents of the sign-in page, and the page that follows it.
pub(in crate::http) struct SignInPrompt {
    /// The page to which a cancellation is posted, if the sign-in can be cancelled.
    pub(in crate::http) cancel: Option<PagePath>,
    /// Whether an account is to be made in the first place.
    pub(in crate::http) create: bool,
    /// What the sign-in is for, if it is for more than this server's own pages.
    pub(in crate::http) client: Option<Asker>,
    /// The name of the person who is signed in, and is asked to sign in once more.
    pub(in crate::http) again: Option<String>,
    /// The `login_hint`, or empty.
    pub(in crate::http) login_hint: String,
    /// The page that follows the sign-in.
    pub(in crate::http) next: PagePath,
}

impl SignInPrompt {
    /// A sign-in that leads to `next`.
    pub(in crate::http) fn to(next: PagePath) -> Self {
        let login_hint = String::new();
        Self { again: None, cancel: None, client: None, create: false, login_hint, next }
    }

    /// Another sign-in of the person of that name, who is signed in for longer.
    pub(in crate::http) fn again(name: String, next: PagePath) -> Self {
        Self { again: Some(name), ..Self::to(next) }
    }

    /// A sign-in for what is called `name` that leads to `next`.
    pub(in crate::http) fn for_client(name: &str, next: PagePath) -> Self {
        Self { client: Some(Asker::named(name, name)), ..Self::to(next) }
    }
}

/// The sign-in page. It sets the browser's own cookie if the browser has none.
pub(in crate::http) fn page(
    app: &App,
    mut browser: Browser,
    prompt: SignInPrompt,
) -> Result<Response, Error> {
    let new_cookie = browser.ensure_browser_cookie(&app.context());
    let open = app.rules().config.policy.sign_up == SignUpPolicy::Open && prompt.again.is_none();
    let sign_up = open.then(|| {
        let query = form_encode([("next", &*prompt.next.to_string())]);
        format!("{}?{query}#sign-up", PagePath::Setup)
    });
    // Whoever is signed in can leave it at that.
    let back = prompt.again.is_some().then(|| match &prompt.next {
        PagePath::Admin(path) => PagePath::Admin(path.part()),
        _ => PagePath::Account,
    });
    let page = LoginPage {
        back,
        create: prompt.create && open,
        sign_up,
        page: Page::of(app, &browser),
        next: prompt.next,
        again: prompt.again,
        client: prompt.client,
        login_hint: prompt.login_hint,
        cancel: prompt.cancel,
        nobody: people::nobody(&app.read()?)?,
    };
    Ok(with_browser_cookie(app, templates::show(&page), new_cookie.as_ref()))
}
