//! `/gate/admin/people/{id}/passkeys/{it}`: a passkey of a person.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;

use super::deed::{self, Deed, check};
use crate::admin::passkey::{PasskeyPatch, PasskeyView};
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/person_passkey.html", config = "assets/askama.toml")]
pub(in crate::http) struct PersonPasskeyPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    /// The page of the person.
    pub(in crate::http) back: AdminPath,
    /// What is wrong with the name; empty if nothing is.
    pub(in crate::http) fault: Fault,
    /// What stands in the field.
    pub(in crate::http) name: String,
    pub(in crate::http) passkey: PasskeyView,
    pub(in crate::http) removal: AdminPath,
}

fn page(
    administrator: &Administrator,
    person: &str,
    passkey: PasskeyView,
    name: String,
    fault: Fault,
) -> Response {
    templates::show_alone(&PersonPasskeyPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        back: AdminPath::person(person),
        fault,
        name,
        removal: AdminPath::of(["people", person, "passkeys", &passkey.id, "remove"]),
        passkey,
    })
}

/// The passkey, with the form that renames it.
pub(super) async fn show(
    RecentAdministrator(administrator): RecentAdministrator,
    Path((person, id)): Path<(String, String)>,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let passkey: PasskeyView = administrator.get(&path_of("passkeys", &id)).await?;
    let name = administrator.query.one("name")?.unwrap_or(&passkey.name).to_owned();
    Ok(page(&administrator, &person, passkey, name, Fault::default()))
}

/// Names the passkey anew.
pub(super) async fn rename(
    Path((person, id)): Path<(String, String)>,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let passkey: PasskeyView = administrator.get(&path_of("passkeys", &id)).await?;
    let patch = PasskeyPatch { name: form.one("name")?.unwrap_or_default().trim().to_owned() };
    let operation = path_of("passkeys", &passkey.id);
    match administrator.send::<PasskeyView>(Method::PATCH, &operation, &patch).await {
        Ok(_) => {
            let next = AdminPath::person(&person);
            Ok(redirect::to_page_after(Done::PasskeyRenamed, &PagePath::Admin(next)))
        }
        Err(refused) => administrator.again(refused, &form, |fault| {
            Ok(page(&administrator, &person, passkey, patch.name, fault))
        }),
    }
}

/// The removal of a passkey.
pub(super) enum Remove {}

impl deed::Kind for Remove {
    const DONE: Done = Done::PasskeyRemoved;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let passkey: PasskeyView = administrator.get(&path_of("passkeys", id)).await?;
        let t = &administrator.texts().admin.person_passkey;
        let owner = passkey.username.clone().unwrap_or_default();
        let next = deed::person(administrator);
        let question = deed::ending(
            next.clone(),
            t.remove_title(&passkey.name, owner).plain(),
            t.remove_means().plain(),
            t.remove().plain(),
        );
        Ok(Deed::end(path_of("passkeys", &passkey.id), next, question))
    }
}
