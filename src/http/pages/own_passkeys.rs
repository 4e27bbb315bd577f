//! `/gate/account/passkeys/…` and `/gate/account/recovery-codes`: the pages by which a person changes
//! how they sign in. Each asks for a sign-in that is not older than five minutes.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::email::refusing;
use super::login::{self, SignInPrompt};
use super::templates::{self, Accepted, Page, PasskeyItem};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::person::own::{self, RemovalWish};
use crate::flow::person::{passkeys, recovery_codes};
use crate::flow::session::LiveSession;
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::model::authenticator::Transport;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{PasskeyId, UserId};
use crate::secret::TokenHash;
use crate::store::schema::{CredentialId, Passkey};

/// What was wrong with the forms of a passkey.
#[derive(Default)]
pub(in crate::http) struct Faults {
    /// What is wrong with the name; empty if nothing is.
    pub(in crate::http) name: String,
    /// Why it was not removed; empty if nobody tried.
    pub(in crate::http) removal: String,
}

#[derive(Template)]
#[template(path = "passkey.html", config = "assets/askama.toml")]
pub(in crate::http) struct PasskeyPage {
    pub(in crate::http) page: Page,
    /// The number of recovery codes that are left.
    pub(in crate::http) codes: usize,
    pub(in crate::http) faults: Faults,
    pub(in crate::http) is_only: bool,
    pub(in crate::http) passkey: PasskeyItem,
}

#[derive(Template)]
#[template(path = "new_passkey.html", config = "assets/askama.toml")]
pub(in crate::http) struct NewPasskeyPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) display_name: String,
}

#[derive(Template)]
#[template(path = "recovery_codes.html", config = "assets/askama.toml")]
pub(in crate::http) struct RecoveryCodesPage {
    pub(in crate::http) page: Page,
    /// The new ones; empty if none were made now.
    pub(in crate::http) codes: Vec<String>,
    /// The number of those that open something.
    pub(in crate::http) left: usize,
}

/// The passkeys of a person, for their browser.
pub(super) fn accepted(app: &App, user: UserId, passkeys: &[(CredentialId, Passkey)]) -> Accepted {
    let encoded = |(id, _): &(CredentialId, Passkey)| URL_SAFE_NO_PAD.encode(&id.0);
    let credentials: Vec<String> = passkeys.iter().map(encoded).collect();
    Accepted {
        credentials: serde_json::Value::from(credentials).to_string(),
        rp_id: app.rules().issuer.host().to_owned(),
        user: URL_SAFE_NO_PAD.encode(user.uuid().as_bytes()),
    }
}

/// What the pages show of a passkey.
pub(super) fn item(t: &Texts, passkey: &Passkey) -> PasskeyItem {
    let transport = |transport: &Transport| {
        let transports = &t.transports;
        match transport {
            Transport::Ble => transports.ble().plain(),
            Transport::Hybrid => transports.hybrid().plain(),
            Transport::Internal => transports.internal().plain(),
            Transport::Nfc => transports.nfc().plain(),
            Transport::SmartCard => transports.smart_card().plain(),
            Transport::Usb => transports.usb().plain(),
        }
    };
    PasskeyItem {
        backed_up: passkey.backed_up,
        created: templates::moment(passkey.created),
        id: passkey.id,
        last_used: passkey.used.map(templates::moment),
        name: passkey.name.to_string(),
        product: passkey.aaguid.and_then(|aaguid| aaguid.product()),
        transports: passkey.transports.iter().map(transport).collect(),
    }
}

/// Runs `show` for whoever has signed in a moment ago. Anybody else gets the sign-in page, which leads
/// back.
pub(in crate::http) fn recently(
    app: &App,
    browser: Browser,
    page: PagePath,
    show: impl FnOnce(&Browser, &LiveSession) -> Result<Response, Error>,
) -> Result<Response, PageFailure> {
    let (view, cx) = (app.read()?, app.context());
    let response = match browser.live_session(app, &view, &cx)? {
        Some(session) if session.is_recent(&cx) => show(&browser, &session),
        Some(session) => {
            let name = session.person().display_name.to_string();
            drop(view);
            login::page(app, browser, SignInPrompt::again(name, page))
        }
        None => login::page(app, browser, SignInPrompt::to(page)),
    };
    Ok(response?)
}

fn id(named: &str) -> Result<PasskeyId, Refusal> {
    named.parse()
}

/// The page of a passkey.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    let id = id(&named)?;
    recently(&app, browser, PagePath::Passkey(id), |browser, session| {
        page(&app, browser, session, id, Faults::default())
    })
}

fn page(
    app: &App,
    browser: &Browser,
    session: &LiveSession,
    id: PasskeyId,
    faults: Faults,
) -> Result<Response, Error> {
    let view = app.read()?;
    let (_, passkey) = passkeys::by_id(&view, id, Some(session.user()))?;
    let page = Page::of(app, browser);
    Ok(templates::show_alone(&PasskeyPage {
        codes: recovery_codes::left(&view, session.user())?,
        faults,
        is_only: passkeys::of(&view, session.user())?.len() == 1,
        passkey: item(page.t, &passkey),
        page,
    }))
}

/// The holder of the session that a form comes from.
fn holder(app: &App, browser: &Browser) -> Result<TokenHash, Refusal> {
    browser.session(app).ok_or(Refusal::SignInStale)
}

/// Names the passkey anew.
pub(in crate::http) async fn rename(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    acting: Acting,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let (id, holder) = (id(&named)?, holder(&app, &browser)?);
    let name = form.one("name")?.unwrap_or_default().trim().parse::<DisplayName>();
    let renamed = match name {
        Ok(name) => {
            let rename = app
                .write_by(acting, move |tx, cx| own::rename(tx, cx, &holder, id, &name).map(drop));
            rename.await
        }
        Err(refusal) => Err(refusal.into()),
    };
    outcome(&app, browser, id, renamed, Done::PasskeyRenamed)
}

/// Where a form leads: on if it was done; to the page once more, with what is wrong beside its field; or
/// to the page that asks for a new sign-in, where the sign-in has grown old over it.
fn outcome(
    app: &App,
    browser: Browser,
    id: PasskeyId,
    outcome: Result<(), Error>,
    done: Done,
) -> Result<Response, PageFailure> {
    let Err(error) = outcome else {
        return Ok(redirect::to_page_after(done, &PagePath::Account));
    };
    let sentence = browser.language().texts().sentence(&error);
    let faults = match error.refusal() {
        Some(Refusal::SignInStale) => return Ok(redirect::to_page(&PagePath::Passkey(id))),
        Some(Refusal::NameMalformed | Refusal::PasskeyNameTaken) => {
            Faults { name: sentence, ..Faults::default() }
        }
        Some(Refusal::PasskeyIsLast) => Faults { removal: sentence, ..Faults::default() },
        Some(_) | None => return Err(error.into()),
    };
    let page = recently(app, browser, PagePath::Passkey(id), |browser, session| {
        page(app, browser, session, id, faults)
    });
    Ok(refusing(page?, error))
}

/// Removes the passkey.
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    acting: Acting,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let (id, holder) = (id(&named)?, holder(&app, &browser)?);
    let wish = RemovalWish {
        even_last: form.one("even_last")?.is_some(),
        others_out: form.one("others_out")?.is_some(),
    };
    let removed =
        app.write_by(acting, move |tx, cx| own::remove(tx, cx, &holder, id, wish).map(drop)).await;
    outcome(&app, browser, id, removed, Done::PasskeyRemoved)
}

/// The page on which a person makes a further passkey.
pub(in crate::http) async fn new(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    recently(&app, browser, PagePath::NewPasskey, |browser, session| {
        let display_name = session.person().display_name.to_string();
        let page = Page::of(&app, browser);
        Ok(templates::show_alone(&NewPasskeyPage { page, display_name }))
    })
}

/// The page that says how many recovery codes there are, and makes new ones.
pub(in crate::http) async fn codes(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    recently(&app, browser, PagePath::RecoveryCodes, |browser, session| {
        let left = recovery_codes::left(&app.read()?, session.user())?;
        let (page, codes) = (Page::of(&app, browser), Vec::new());
        Ok(templates::show_alone(&RecoveryCodesPage { page, codes, left }))
    })
}

/// Makes new recovery codes, and shows them, once.
pub(in crate::http) async fn renew_codes(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageForm { browser, .. }: PageForm,
) -> Result<Response, PageFailure> {
    let holder = holder(&app, &browser)?;
    let made = app.write_by(acting, move |tx, cx| recovery_codes::renew(tx, cx, &holder)).await;
    match made {
        Ok(made) => {
            let codes: Vec<_> = made.iter().map(|code| code.expose().to_string()).collect();
            let (page, left) = (Page::of(&app, &browser), codes.len());
            Ok(templates::show_alone(&RecoveryCodesPage { page, codes, left }))
        }
        Err(error) if error.refusal() == Some(Refusal::SignInStale) => {
            Ok(redirect::to_page(&PagePath::RecoveryCodes))
        }
        Err(error) => Err(error.into()),
    }
}
