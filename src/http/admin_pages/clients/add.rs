//! `/gate/admin/clients/add`: a new client, of the catalogue or by hand.

use askama::Template;
use axum::http::Method;
use axum::response::Response;

use super::made::{self, Made};
use super::{application, described};
use crate::admin::catalogue::EntryView;
use crate::admin::listing::ListView;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator,
};
use crate::http::admin_pages::fields::{FieldKind, Form};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/client_add.html", config = "assets/askama.toml")]
pub(in crate::http) struct AddClientPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) entries: Vec<EntryView>,
    pub(in crate::http) searched: String,
}

impl AddClientPage {
    /// The form of an application.
    fn to(&self, entry: &EntryView) -> AdminPath {
        AdminPath::of(["clients", "add"]).with_query([("app", entry.name.as_str())])
    }
}

#[derive(Template)]
#[template(path = "admin/client_new.html", config = "assets/askama.toml")]
pub(in crate::http) struct NewClientPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    /// Why it was not added; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) form: Form,
}

/// Asks for the application, or for what the client is to be.
pub(in crate::http::admin_pages) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    let query = &administrator.query;
    if let Some(app) = query.one("app")? {
        return application::ask(&administrator, app).await;
    }
    if query.one("by")?.is_some() {
        let form = described::new_client(&administrator).await?.filled(query)?;
        return Ok(by_hand(&administrator, form, Fault::default()));
    }
    choose(&administrator).await
}

/// The applications of the catalogue that have in their name or kind what was searched for, in English
/// or in the language of the page.
async fn choose(administrator: &Administrator) -> Result<Response, PageFailure> {
    let searched = administrator.query.one("q")?.unwrap_or_default();
    let wanted = searched.to_lowercase();
    let mut entries: ListView<EntryView> =
        administrator.get("/api/v1/catalogue?limit=1000").await?;
    entries.items.retain(|entry| {
        let said = administrator.texts().kind_of(&entry.application).text;
        let texts = [&entry.name, &entry.application.title, &entry.application.kind, &said];
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    });
    entries.items.sort_by_cached_key(|entry| entry.application.title.to_lowercase());
    Ok(templates::show_alone(&AddClientPage {
        page: administrator.page(),
        frame: administrator.frame(),
        entries: entries.items,
        searched: searched.to_owned(),
    }))
}

fn by_hand(administrator: &Administrator, form: Form, fault: Fault) -> Response {
    templates::show_alone(&NewClientPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        fault,
        form,
    })
}

/// Adds the client.
pub(in crate::http::admin_pages) async fn add(
    AdministratorForm { administrator, form: typed }: AdministratorForm,
) -> Result<Response, PageFailure> {
    if let Some(app) = typed.one("app")? {
        return application::add(&administrator, app, &typed).await;
    }
    let form = described::new_client(&administrator).await?.filled(&typed)?;
    let members = described::members(form.fields.iter());
    match administrator.send(Method::POST, "/api/v1/clients", &members).await {
        Ok(client) => Ok(made::page(&administrator, client, Made::Added)),
        Err(refused) => {
            administrator.again(refused, &typed, |fault| Ok(by_hand(&administrator, form, fault)))
        }
    }
}
