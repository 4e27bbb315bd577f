//! `/gate/admin/keys`: the signing keys, and their rotation.

use askama::Template;
use axum::http::Method;
use axum::response::Response;

use super::administrator::{Administrator, AdministratorForm, RecentAdministrator};
use super::confirm::{self, Question, Tick};
use super::frame::Frame;
use super::refused::Fault;
use crate::admin::key::{KeyStateView, KeyView, RotationRequest, RotationView};
use crate::admin::listing::ListView;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::oauth::params::Params;

#[derive(Template)]
#[template(path = "admin/keys.html", config = "assets/askama.toml")]
pub(in crate::http) struct KeysPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_rotate: bool,
    pub(in crate::http) keys: Vec<KeyView>,
    /// What a rotation did not do; empty if there is nothing to say.
    pub(in crate::http) remark: String,
}

/// The keys.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    page(&administrator, String::new()).await
}

async fn page(administrator: &Administrator, remark: String) -> Result<Response, PageFailure> {
    let keys: ListView<KeyView> = administrator.get("/api/v1/keys?limit=1000").await?;
    Ok(templates::show_alone(&KeysPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_rotate: administrator.may(&["admin:keys"]),
        keys: keys.items,
        remark,
    }))
}

fn question(administrator: &Administrator, form: &Params) -> Result<Question, PageFailure> {
    let t = &administrator.texts().admin.keys;
    let tick = |name, label: String| -> Result<Tick, PageFailure> {
        Ok(Tick { name, label, on: form.one(name)?.is_some() })
    };
    Ok(Question {
        back: AdminPath::of(["keys"]),
        button: t.rotate().plain(),
        choice: None,
        danger: false,
        means: vec![t.rotate_means().plain()],
        ticks: vec![tick("now", t.now().plain())?, tick("revoke", t.revoke().plain())?],
        title: t.rotate_title().plain(),
    })
}

/// Asks whether the keys shall be rotated.
pub(super) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    let question = question(&administrator, &administrator.query)?;
    Ok(confirm::page(&administrator, question, Fault::default()))
}

/// Rotates the keys.
pub(super) async fn rotate(
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let revoke = form.one("revoke")?.is_some();
    // What a key signed ends with it only if another signs at once.
    let now = revoke || form.one("now")?.is_some();
    let request = RotationRequest { algorithms: Vec::new(), now, revoke };
    let rotated = administrator.send(Method::POST, "/api/v1/keys/rotate", &request).await;
    match rotated {
        Ok(RotationView { rotated }) => {
            // Keys that wait already are not replaced once more.
            let waiting = rotated.iter().filter(|_| !now).find(|rotated| !rotated.made);
            let Some(waiting) = waiting else {
                return Ok(redirect::to_page(&PagePath::Admin(AdminPath::of(["keys"]))));
            };
            let t = &administrator.texts().admin.keys;
            page(&administrator, t.waiting(&waiting.signs_from).plain()).await
        }
        Err(refused) => administrator.again(refused, &form, |fault| {
            Ok(confirm::page(&administrator, question(&administrator, &form)?, fault))
        }),
    }
}
