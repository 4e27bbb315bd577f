//! The templates of the pages, one struct each, and the headers that all pages have.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::asker::{Asker, ClientMark};
use super::email::EmailField;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::{Config, Look, TlsMode};
use crate::error::Internal;
use crate::flow::client::self_named::SelfNamed;
use crate::flow::person::people;
use crate::http::assets;
use crate::http::destination::{Destination, PagePath};
use crate::http::done::Done;
use crate::http::extract::browser::Browser;
use crate::http::failure::JsonFailure;
use crate::http::texts::{Day, Language, Texts};
use crate::oauth::client::cimd::DocumentAddress;
use crate::oauth::id::{ClientId, PasskeyId};
use crate::oauth::scope::{Scope, ScopeToken};
use crate::store::StoreError;
use crate::store::schema::{Client, Origin};

/// The `Content-Security-Policy` of a page: only this server's files, no frames, forms only to this
/// server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// The `Content-Security-Policy` of a page that leads to a client. If its form goes there, there is no
/// `form-action`, because Chromium does not accept `[::1]` in it, and applies it to the client's
/// redirects too. The page may be in a frame of the origin `ancestor`.
pub(in crate::http) fn content_security_policy(
    form_post: bool,
    ancestor: Option<&str>,
) -> HeaderValue {
    let form_action = if form_post { "" } else { "form-action 'self'; " };
    let ancestor = ancestor.unwrap_or("'none'");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; {form_action}frame-ancestors {ancestor}"
    );
    HeaderValue::from_str(&policy).expect("origins are printable ASCII")
}

/// The values that every page needs.
pub(in crate::http) struct Page {
    /// The folder of its style sheets and modules.
    pub(in crate::http) assets: &'static str,
    /// The anti-forgery token.
    pub(in crate::http) csrf: String,
    /// What was done a moment ago.
    pub(in crate::http) done: Option<Done>,
    /// The issuer's host.
    pub(in crate::http) host: String,
    /// The language of its texts.
    pub(in crate::http) language: Language,
    /// What the operator gave it.
    pub(in crate::http) look: Look,
    /// Its texts.
    pub(in crate::http) t: &'static Texts,
    /// Whether a device has to trust the local CA first.
    pub(in crate::http) to_trust: bool,
}

impl Page {
    pub(in crate::http) fn of(app: &App, browser: &Browser) -> Self {
        let csrf = browser.csrf(&app.rules().pepper);
        Self { csrf, done: browser.done(), ..Self::anonymous(app, browser.language()) }
    }

    /// As [`Page::of`], without an anti-forgery token.
    pub(in crate::http) fn anonymous(app: &App, language: Language) -> Self {
        Self {
            assets: assets::folder(false),
            csrf: String::new(),
            done: None,
            host: app.rules().issuer.authority().to_owned(),
            language,
            look: app.rules().config.look.clone(),
            t: language.texts(),
            to_trust: app.rules().config.tls.mode == TlsMode::Local,
        }
    }

    /// What this place is called.
    pub(in crate::http) fn place(&self) -> &str {
        self.look.name.as_deref().unwrap_or("Gatelodge")
    }

    /// What the page calls this place behind its own title: its name, or the host.
    pub(in crate::http) fn place_or_host(&self) -> &str {
        self.look.name.as_deref().unwrap_or(&self.host)
    }

    /// The address of the style sheet of the accent.
    pub(in crate::http) fn accent(&self) -> Option<String> {
        Some(assets::accent(self.assets, self.look.sheet.as_deref()?))
    }

    /// The address of the logo.
    pub(in crate::http) fn logo(&self) -> Option<String> {
        Some(assets::logo(self.assets, self.look.picture.as_deref()?))
    }
}

/// A scope token, as the pages display it.
pub(in crate::http) struct ScopeItem {
    /// What it allows; its name, if nothing describes it.
    pub(in crate::http) description: String,
    /// Its name among the icons.
    pub(in crate::http) icon: &'static str,
    /// Whether something describes it.
    pub(in crate::http) is_described: bool,
    /// Whether it is one of the administration.
    pub(in crate::http) is_powerful: bool,
    /// The token.
    pub(in crate::http) name: String,
    /// The resources that it is a scope of.
    pub(in crate::http) resources: Vec<String>,
}

/// The scopes that every installation knows in the order of their meaning, with their icons: who it
/// is, what is told of them, and for how long. Those of resources stand behind them, and those of the
/// administration last.
const ICONS: [(&str, &str); 6] = [
    ("openid", "passkey"),
    ("profile", "person"),
    ("email", "mail"),
    ("groups", "people"),
    ("roles", "people"),
    ("offline_access", "clock"),
];

/// The descriptions of `scope`: the operator's, or those of every installation in the language of
/// the person.
pub(in crate::http) fn scope_items(t: &Texts, config: &Config, scope: &Scope) -> Vec<ScopeItem> {
    let item = |token: &ScopeToken| {
        let known = config.scopes.get(token).map(|entry| entry.description.as_str());
        let own = known.is_some() && known == Config::built_in_description(token);
        let translated = own.then(|| t.scope(token.as_str())).flatten();
        let name = token.as_str().to_owned();
        let description = translated.or_else(|| known.map(str::to_owned));
        let is_powerful = token.is_of_administration();
        let place = ICONS.iter().position(|(known, _)| *known == name);
        let icon = match place.and_then(|place| ICONS.get(place)) {
            Some((_, icon)) => icon,
            None if is_powerful => "shield",
            None => "resource",
        };
        let item = ScopeItem {
            is_described: description.is_some(),
            description: description.unwrap_or_else(|| name.clone()),
            icon,
            is_powerful,
            name,
            resources: Vec::new(),
        };
        (place.unwrap_or(ICONS.len() + usize::from(is_powerful)), item)
    };
    let mut items: Vec<_> = scope.iter().map(item).collect();
    items.sort_by_key(|(place, _)| *place);
    items.into_iter().map(|(_, item)| item).collect()
}

/// The address of the client's metadata document, if a document registered it.
pub(in crate::http) fn named_by(id: &ClientId, client: &Client) -> Option<DocumentAddress> {
    match client.origin {
        Origin::Document { .. } => DocumentAddress::of(id).ok(),
        Origin::Dynamic { .. } | Origin::Hook | Origin::Operator => None,
    }
}

/// A passkey, as the pages of its owner have it.
pub(in crate::http) struct PasskeyItem {
    pub(in crate::http) backed_up: bool,
    pub(in crate::http) created: Day,
    pub(in crate::http) id: PasskeyId,
    pub(in crate::http) last_used: Option<Day>,
    pub(in crate::http) name: String,
    pub(in crate::http) product: Option<&'static str>,
    pub(in crate::http) transports: Vec<String>,
}

/// The passkeys of a person, for `PublicKeyCredential.signalAllAcceptedCredentials` (WebAuthn §5.1.10):
/// a browser may hide every other one of this person.
pub(in crate::http) struct Accepted {
    /// The ids of the credentials as a JSON array of base64url.
    pub(in crate::http) credentials: String,
    /// The RP ID.
    pub(in crate::http) rp_id: String,
    /// The user handle in base64url.
    pub(in crate::http) user: String,
}

/// The date of a timestamp in UTC, `YYYY-MM-DD`.
pub(in crate::http) fn day(at: Timestamp) -> Day {
    Day(at.rfc3339().split('T').next().unwrap_or_default().to_owned())
}

/// The date and time of a timestamp in UTC, `YYYY-MM-DD hh:mm UTC`.
pub(in crate::http) fn moment(at: Timestamp) -> Day {
    moment_of(&at.rfc3339())
}

/// As [`moment`], of a time as the views of the administration write it.
pub(in crate::http) fn moment_of(written: &str) -> Day {
    let (day, time) = written.split_once('T').unwrap_or((written, ""));
    let minutes = time.get(..5).unwrap_or_default();
    Day(format!("{day} {minutes} UTC"))
}

/// An application to which a person consented, as the account page lists it.
pub(in crate::http) struct ApplicationItem {
    pub(in crate::http) client_id: String,
    pub(in crate::http) mark: ClientMark,
    pub(in crate::http) name: String,
    pub(in crate::http) scopes: Vec<String>,
    /// Where it is, if it named itself.
    pub(in crate::http) self_named: Option<SelfNamed>,
    pub(in crate::http) since: Day,
    /// The last use, if it is known.
    pub(in crate::http) used: Option<Day>,
}

/// A browser session, as the account page lists it.
pub(in crate::http) struct SessionItem {
    pub(in crate::http) address: String,
    pub(in crate::http) id: String,
    pub(in crate::http) own: bool,
    pub(in crate::http) program: String,
    pub(in crate::http) since: Day,
    pub(in crate::http) seen: Day,
}

/// What the person prefers about a host of agents, as the account page lists it.
pub(in crate::http) struct HostItem {
    pub(in crate::http) enabled: bool,
    pub(in crate::http) name: String,
    /// The protocols to which its models are restricted, if they are.
    pub(in crate::http) protocols: Option<String>,
}

#[derive(Template)]
#[template(path = "not_for_you.html", config = "assets/askama.toml")]
pub(in crate::http) struct NotForYouPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    /// The sign-in of somebody else, who then goes on.
    pub(in crate::http) another: PagePath,
    pub(in crate::http) administrators: Vec<String>,
    pub(in crate::http) client_name: String,
    pub(in crate::http) display_name: String,
    pub(in crate::http) groups: Vec<String>,
    /// Where the client is, if it named itself.
    pub(in crate::http) self_named: Option<SelfNamed>,
    pub(in crate::http) username: String,
}

/// The most people whom a page names as those to ask.
const MAX_NAMED: usize = 3;

/// The names of people whom somebody of this name can ask: others than themselves.
pub(in crate::http) fn administrators(
    app: &App,
    asking: Option<&str>,
) -> Result<Vec<String>, StoreError> {
    let named = people::administrators(&app.read()?, MAX_NAMED)?;
    let named = named.iter().map(ToString::to_string);
    Ok(named.filter(|name| Some(name.as_str()) != asking).collect())
}

#[derive(Template)]
#[template(path = "device.html", config = "assets/askama.toml")]
pub(in crate::http) struct DevicePage {
    pub(in crate::http) page: Page,
    /// Whether the code came by a link.
    pub(in crate::http) linked: bool,
    pub(in crate::http) typed: String,
    pub(in crate::http) unknown: bool,
}

#[derive(Template)]
#[template(path = "device_confirm.html", config = "assets/askama.toml")]
pub(in crate::http) struct DeviceConfirmPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) administrators: Vec<String>,
    /// How long ago the device asked.
    pub(in crate::http) asked: String,
    /// Where it asked from.
    pub(in crate::http) place: String,
    pub(in crate::http) user_agent: Option<String>,
    pub(in crate::http) allowable: bool,
    pub(in crate::http) client_id: String,
    pub(in crate::http) client_name: String,
    pub(in crate::http) display_name: String,
    /// The groups that the client is for, if the person is in none of them.
    pub(in crate::http) groups: Vec<String>,
    pub(in crate::http) mark: ClientMark,
    pub(in crate::http) named_by: Option<DocumentAddress>,
    pub(in crate::http) resources: Vec<String>,
    pub(in crate::http) scope: String,
    pub(in crate::http) scopes: Vec<ScopeItem>,
    /// Where the client is, if it named itself.
    pub(in crate::http) self_named: Option<SelfNamed>,
    pub(in crate::http) unregistered: bool,
    pub(in crate::http) unverified: bool,
    pub(in crate::http) user_code: String,
    pub(in crate::http) username: String,
    /// As on [`ConsentPage`](super::consent::ConsentPage).
    pub(in crate::http) email: Option<EmailField>,
}

#[derive(Template)]
#[template(path = "device_done.html", config = "assets/askama.toml")]
pub(in crate::http) struct DeviceDonePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) allowed: bool,
    pub(in crate::http) client_name: String,
    /// Where the client is, if it named itself.
    pub(in crate::http) self_named: Option<SelfNamed>,
    /// The mark of the client, if there is one any more.
    pub(in crate::http) mark: Option<ClientMark>,
}

#[derive(Template)]
#[template(path = "form_post.html", config = "assets/askama.toml")]
pub(in crate::http) struct FormPostPage<'a> {
    pub(in crate::http) page: Page,
    pub(in crate::http) destination: &'a Destination,
    pub(in crate::http) fields: &'a [(&'static str, String)],
    pub(in crate::http) host: &'a str,
    pub(in crate::http) denied: bool,
    /// Whether the page goes nowhere by itself.
    pub(in crate::http) waits: bool,
}

#[derive(Template)]
#[template(path = "link.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinkPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    pub(in crate::http) address: String,
    /// The sign-in of somebody else, who then goes on.
    pub(in crate::http) another: PagePath,
    pub(in crate::http) device: String,
    pub(in crate::http) host: Option<String>,
    pub(in crate::http) scopes: Vec<ScopeItem>,
    pub(in crate::http) display_name: String,
    pub(in crate::http) username: String,
}

#[derive(Template)]
#[template(path = "link_code.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinkCodePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) code: String,
    pub(in crate::http) command: String,
    pub(in crate::http) seconds: u64,
    /// The seconds as a person reads them.
    pub(in crate::http) time: String,
}

#[derive(Template)]
#[template(path = "link_refused.html", config = "assets/askama.toml")]
pub(in crate::http) struct LinkRefusedPage {
    pub(in crate::http) page: Page,
}

#[derive(Template)]
#[template(path = "logged_out.html", config = "assets/askama.toml")]
pub(in crate::http) struct LoggedOutPage {
    pub(in crate::http) page: Page,
    /// Whether the app named an address that could not be verified.
    pub(in crate::http) astray: bool,
}

#[derive(Template)]
#[template(path = "login.html", config = "assets/askama.toml")]
pub(in crate::http) struct LoginPage {
    pub(in crate::http) page: Page,
    /// As in [`SignInPrompt`](super::login::SignInPrompt).
    pub(in crate::http) again: Option<String>,
    /// The page to go back to without another sign-in.
    pub(in crate::http) back: Option<PagePath>,
    /// Whether an account is to be made in the first place.
    pub(in crate::http) create: bool,
    pub(in crate::http) next: PagePath,
    pub(in crate::http) client: Option<Asker>,
    pub(in crate::http) login_hint: String,
    pub(in crate::http) cancel: Option<PagePath>,
    pub(in crate::http) nobody: bool,
    /// The page on which somebody makes an account by themselves, if they may.
    pub(in crate::http) sign_up: Option<String>,
}

#[derive(Template)]
#[template(path = "logout.html", config = "assets/askama.toml")]
pub(in crate::http) struct LogoutPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    pub(in crate::http) astray: bool,
    pub(in crate::http) client_name: Option<String>,
    pub(in crate::http) display_name: String,
    /// Where the client is, if it named itself.
    pub(in crate::http) self_named: Option<SelfNamed>,
}

/// The page whose script proves the session and displays the page itself.
#[derive(Template)]
#[template(path = "prove.html", config = "assets/askama.toml")]
pub(in crate::http) struct ProvePage {
    pub(in crate::http) page: Page,
    pub(in crate::http) challenge: String,
}

#[derive(Template)]
#[template(path = "redirect.html", config = "assets/askama.toml")]
pub(in crate::http) struct RedirectPage<'a> {
    pub(in crate::http) page: Page,
    pub(in crate::http) destination: &'a Destination,
    pub(in crate::http) host: &'a str,
    pub(in crate::http) denied: bool,
    /// Whether the page goes nowhere by itself.
    pub(in crate::http) waits: bool,
}

#[derive(Template)]
#[template(path = "setup.html", config = "assets/askama.toml")]
pub(in crate::http) struct SetupPage {
    pub(in crate::http) page: Page,
}

/// As [`ProvePage`], for a request with `prompt=none`: it displays nothing.
#[derive(Template)]
#[template(path = "silent.html", config = "assets/askama.toml")]
pub(in crate::http) struct SilentPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) challenge: String,
}

/// Renders a page.
pub(in crate::http) fn show(template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return JsonFailure::from(Internal::new(error)).into_response(),
    };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        // With `no-referrer`, the page's own POST would carry `Origin: null`.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (fixed, html).into_response()
}

/// As [`show`], with `Cross-Origin-Opener-Policy`, so that no window of another origin keeps a
/// reference to the page. On other pages it would break clients that open the sign-in in a popup.
pub(in crate::http) fn show_alone(template: &impl Template) -> Response {
    let mut response = show(template);
    let value = HeaderValue::from_static("same-origin");
    response.headers_mut().insert("cross-origin-opener-policy", value);
    response
}
