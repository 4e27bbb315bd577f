//! Forward authentication: sign-in for applications behind a proxy that asks `/auth/verify`.
//!
//! The issuer's session never reaches another host. A single-use code carries the sign-in to the
//! application's host, in the same browser that began there. It opens a session of the
//! application's own, which ends with the sign-in session.

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::installation::evidence;
use crate::flow::session::{self, LiveSession};
use crate::flow::{Context, Present, Rules};
use crate::model::application::{AppHost, ReturnPath};
use crate::model::person::Role;
use crate::secret::{AppCodeSecret, AppSecret, AppStart, TokenHash};
use crate::store::schema::{AppCode, AppSession};
use crate::store::{StoreError, Tx, View};

/// The lifetime of a code, which has to outlast one redirect.
const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// Proof that an application is registered.
#[derive(Clone, Debug)]
pub struct App {
    host: AppHost,
    roles: Vec<Role>,
}

impl App {
    /// The application at `host`, if the operator registered it.
    pub fn at(rules: &Rules, host: &AppHost) -> Result<Self, Refusal> {
        let host = host.under(scheme(rules));
        let roles = rules.config.apps.get(&host).cloned().ok_or(Refusal::AppUnknown)?;
        Ok(Self { host, roles })
    }

    /// Its host.
    pub fn host(&self) -> &AppHost {
        &self.host
    }

    /// The URL of a path of the application. Its scheme is the issuer's: `https`, or `http` if the
    /// issuer is on loopback.
    pub fn address(&self, rules: &Rules, path: &str) -> String {
        format!("{}://{}{path}", scheme(rules), self.host)
    }

    /// Whether the person has a role that the application lets in.
    fn is_open_to(&self, session: &LiveSession) -> bool {
        let has = |role| session.person().roles.contains(role);
        self.roles.is_empty() || self.roles.iter().any(has)
    }

    fn admits(&self, session: &LiveSession) -> Result<(), Error> {
        if self.is_open_to(session) {
            Ok(())
        } else {
            let listed =
                |roles: &[Role]| roles.iter().map(Role::as_str).collect::<Vec<_>>().join(" ");
            let refused = Error::about(Refusal::AppRoleMissing, session.user());
            Err(refused.compared(listed(&self.roles), listed(&session.person().roles)))
        }
    }
}

/// The applications that the person of a session may open.
pub fn open_to(rules: &Rules, session: &LiveSession) -> Vec<App> {
    let app =
        |(host, roles): (&AppHost, &Vec<Role>)| App { host: host.clone(), roles: roles.clone() };
    rules.config.apps.iter().map(app).filter(|app| app.is_open_to(session)).collect()
}

fn scheme(rules: &Rules) -> &'static str {
    if rules.issuer.is_https() { "https" } else { "http" }
}

/// The sign-in session behind a cookie of the application.
///
/// # Errors
///
/// [`Refusal::AppSessionMissing`] if there is no live session, [`Refusal::AppRoleMissing`] if the
/// person has none of the roles that the application requires.
pub fn verify(
    view: &impl View,
    cx: &Present,
    app: &App,
    cookie: Option<&TokenHash>,
) -> Result<LiveSession, Error> {
    let cookie = cookie.ok_or(Refusal::AppSessionMissing)?;
    let row = view.find_shared::<AppSession>(cookie)?.ok_or(Refusal::AppSessionMissing)?;
    if row.app != app.host || cx.now >= row.expires {
        return Err(Refusal::AppSessionMissing.into());
    }
    let live = session::by_id(view, cx, row.session)?.ok_or(Refusal::AppSessionMissing)?;
    app.admits(&live)?;
    Ok(live)
}

/// Whether the session of a cookie is stored under an earlier root secret.
pub fn is_outdated(view: &impl View, cookie: &TokenHash) -> Result<bool, StoreError> {
    if cookie.earlier().next().is_none() {
        return Ok(false);
    }
    Ok(view.find::<AppSession>(&cookie.newest_alone())?.is_none())
}

/// Makes a code for the person behind the session of the key or cookie `holder`.
pub fn issue(
    tx: &mut Tx<'_>,
    cx: &Context,
    app: &App,
    holder: &TokenHash,
    state: &str,
    path: &ReturnPath,
) -> Result<AppCodeSecret, Error> {
    let live = session::live(tx, cx, holder)?.ok_or(Refusal::AppSessionMissing)?;
    app.admits(&live)?;
    let secret: AppCodeSecret = cx.seed.token();
    let code = AppCode {
        app: app.host.clone(),
        expires: cx.deadline(CODE_LIFETIME),
        path: path.clone(),
        session: live.id(),
        state: state.to_owned(),
    };
    tx.put(&cx.rules.pepper.hash(&secret), code)?;
    Ok(secret)
}

/// Spends a code, and opens a session at the application for the browser that began there.
///
/// A code for another host or of another browser is refused without being spent.
pub fn redeem(
    tx: &mut Tx<'_>,
    cx: &Context,
    app: &App,
    code: &AppCodeSecret,
    start: &AppStart,
) -> Result<(AppSecret, ReturnPath), Error> {
    let hash = cx.rules.pepper.hash(code);
    let row = tx.find::<AppCode>(&hash)?.ok_or(Refusal::AppCodeUnknown)?;
    if row.app != app.host || evidence::is_over(tx, cx, row.expires)? {
        return Err(Refusal::AppCodeUnknown.into());
    }
    if !cx.rules.pepper.csrf_matches(start, &row.state) {
        return Err(Refusal::AppCodeOfAnotherBrowser.into());
    }
    let live = session::by_id(tx, cx, row.session)?.ok_or(Refusal::AppCodeUnknown)?;
    tx.remove::<AppCode>(&hash)?;
    let secret: AppSecret = cx.seed.token();
    let expires = cx.now + cx.rules.config.lifetimes.session_total;
    let session = AppSession { app: row.app, expires, session: live.id() };
    tx.put(&cx.rules.pepper.hash(&secret), session)?;
    Ok((secret, row.path))
}

/// Ends the application's session. The sign-in session stays.
pub fn sign_out(tx: &mut Tx<'_>, app: &App, cookie: &TokenHash) -> Result<(), Error> {
    if tx.find::<AppSession>(cookie)?.is_some_and(|row| row.app == app.host) {
        tx.remove::<AppSession>(cookie)?;
    }
    Ok(())
}
