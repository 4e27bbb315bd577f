//! `/gate/admin/clients/{id}/edit`: what an administrator changes of a client.

use askama::Template;
use axum::http::Method;
use axum::response::Response;

use super::Named;
use super::described;
use super::made::{self, Made};
use crate::admin::client::{ClientOrigin, ClientView};
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::fields::{FieldKind, Form};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/client_edit.html", config = "assets/askama.toml")]
pub(in crate::http) struct EditClientPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    pub(in crate::http) client: ClientView,
    /// Why it was not changed; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) form: Form,
}

impl EditClientPage {
    /// The page of the client.
    fn back(&self) -> AdminPath {
        AdminPath::client(&self.client.client_id)
    }

    /// Whether only the decisions about it can be changed.
    fn describes_itself(&self) -> bool {
        !matches!(self.client.origin, ClientOrigin::Operator)
    }
}

fn page(administrator: &Administrator, client: ClientView, form: Form, fault: Fault) -> Response {
    templates::show_alone(&EditClientPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        client,
        fault,
        form,
    })
}

/// Asks what is to change.
pub(in crate::http::admin_pages) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
    Named(id): Named,
) -> Result<Response, PageFailure> {
    let client: ClientView = administrator.get(&path_of("clients", &id)).await?;
    let form = described::form_of(&administrator, &client).await?.filled(&administrator.query)?;
    Ok(page(&administrator, client, form, Fault::default()))
}

/// Changes what was changed in the form, and nothing else.
pub(in crate::http::admin_pages) async fn change(
    Named(id): Named,
    AdministratorForm { administrator, form: typed }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let client: ClientView = administrator.get(&path_of("clients", &id)).await?;
    let path = path_of("clients", &client.client_id);
    let form = described::form_of(&administrator, &client).await?.filled(&typed)?;
    let patch = described::members(form.changed());
    match administrator.send::<ClientView>(Method::PATCH, &path, &patch).await {
        // Its secret, if it got one, and what will not work are in this response alone.
        Ok(client) if client.client_secret.is_some() || !client.notes.is_empty() => {
            Ok(made::page(&administrator, client, Made::Changed))
        }
        Ok(client) => {
            let next = AdminPath::client(&client.client_id);
            Ok(redirect::to_page_after(Done::Saved, &PagePath::Admin(next)))
        }
        Err(refused) => administrator
            .again(refused, &typed, |fault| Ok(page(&administrator, client, form, fault))),
    }
}
