//! `/gate/admin/resources/add` and `…/{resource}/edit`: the form of a resource.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::show;
use crate::admin::resource::ResourceView;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::fields::{Choice, Field, FieldKind, Form};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::oauth::resource::TokenType;

/// The choice that says: as it is usual for the address.
const USUAL: &str = "usual";

#[derive(Template)]
#[template(path = "admin/resource_form.html", config = "assets/askama.toml")]
pub(in crate::http) struct ResourceFormPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    /// The page to go back to.
    pub(in crate::http) back: AdminPath,
    /// Why nothing was done; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) form: Form,
    /// The name of the resource; `None`: it is new.
    pub(in crate::http) name: Option<String>,
}

/// The form of `resource`, or of a new one.
fn form_of(t: &Texts, resource: Option<&ResourceView>) -> Form {
    let own = &t.admin.resource_form;
    let line = |name: &str, label: String| Field::new(name, label, FieldKind::Line);
    let mut fields = Vec::new();
    if resource.is_none() {
        let field = line("resource", own.resource().plain());
        fields.push(field.with_hint(own.resource_hint().plain()));
    }
    let named = line("resource_name", own.name().plain()).with_hint(own.name_hint().plain());
    fields.push(named.with(resource.map(|own| &own.resource_name)));
    let scopes = Field::new("scope", own.scope().plain(), FieldKind::Lines);
    let tokens = resource.into_iter().flat_map(|own| own.scope.iter().map(|own| own.as_str()));
    fields.push(scopes.with_hint(own.scope_hint().plain()).with(tokens));
    let mut choices = Vec::new();
    if resource.is_none() {
        choices.push(Choice::new(USUAL, own.open_usual().plain()));
    }
    choices.push(Choice::new("true", own.open_yes().plain()));
    choices.push(Choice::new("false", own.open_no().plain()));
    let open = resource.map_or(USUAL, |own| if own.open { "true" } else { "false" });
    fields.push(Field::new("open", own.open().plain(), FieldKind::One(choices)).with([open]));
    if resource.is_none() {
        fields.push(Field::new("introspect", own.introspect().plain(), FieldKind::Tick));
        let client = line("client_id", own.client().plain());
        fields.push(client.with_hint(own.client_hint().plain()).extra());
    }
    let bridges = Field::new("accepts_bridge", own.accepts_bridge().plain(), FieldKind::Tick);
    fields.push(bridges.ticked(resource.is_some_and(|own| own.accepts_bridge)).extra());
    let types = TokenType::ALL.iter().map(|(name, _)| Choice::new(*name, "")).collect();
    let typ = resource.map(|own| own.typ).unwrap_or_default();
    let typ = TokenType::ALL.iter().find(|(_, own)| *own == typ).map(|(name, _)| *name);
    fields.push(Field::new("typ", own.typ().plain(), FieldKind::One(types)).with(typ).extra());
    Form { changes: resource.is_some(), fields }
}

/// The members that these fields are.
fn members<'a>(fields: impl Iterator<Item = &'a Field>) -> Map<String, Value> {
    let mut members = Map::new();
    for field in fields {
        let text = field.value.as_str();
        let value = match field.name.as_str() {
            "accepts_bridge" | "introspect" => json!(field.is_ticked()),
            "open" if text == USUAL => Value::Null,
            "open" => json!(text == "true"),
            "scope" => {
                json!(field.lines().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" "))
            }
            "client_id" if text.is_empty() => Value::Null,
            // On a form of something that is there, nothing means nothing.
            "resource_name" if text.is_empty() && field.was.is_empty() => Value::Null,
            _ => json!(text),
        };
        members.insert(field.name.clone(), value);
    }
    members
}

fn page(
    administrator: &Administrator,
    resource: Option<&ResourceView>,
    form: Form,
    fault: Fault,
) -> Response {
    let back = ["resources"].into_iter().chain(resource.map(|own| own.resource.as_str()));
    templates::show_alone(&ResourceFormPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        back: AdminPath::of(back),
        fault,
        form,
        name: resource.map(|own| own.resource_name.clone()),
    })
}

/// What follows: the page of the resource, or, if it got a secret, that page with the secret.
fn after(done: Done, administrator: &Administrator, resource: ResourceView) -> Response {
    if resource.client_secret.is_some() {
        return show::page(administrator, resource);
    }
    let next = AdminPath::of(["resources", resource.resource.as_str()]);
    redirect::to_page_after(done, &PagePath::Admin(next))
}

/// Asks what the resource is to be.
pub(in crate::http::admin_pages) async fn ask_new(
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    let form = form_of(administrator.texts(), None).filled(&administrator.query)?;
    Ok(page(&administrator, None, form, Fault::default()))
}

/// Adds the resource.
pub(in crate::http::admin_pages) async fn add(
    AdministratorForm { administrator, form: typed }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let form = form_of(administrator.texts(), None).filled(&typed)?;
    let members = members(form.fields.iter());
    match administrator.send(Method::POST, "/api/v1/resources", &members).await {
        Ok(resource) => Ok(after(Done::ResourceAdded, &administrator, resource)),
        Err(refused) => administrator
            .again(refused, &typed, |fault| Ok(page(&administrator, None, form, fault))),
    }
}

/// Asks what is to change.
pub(in crate::http::admin_pages) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
    Path(named): Path<String>,
) -> Result<Response, PageFailure> {
    let resource: ResourceView = administrator.get(&path_of("resources", &named)).await?;
    let form = form_of(administrator.texts(), Some(&resource)).filled(&administrator.query)?;
    Ok(page(&administrator, Some(&resource), form, Fault::default()))
}

/// Changes what was changed in the form, and nothing else.
pub(in crate::http::admin_pages) async fn change(
    Path(named): Path<String>,
    AdministratorForm { administrator, form: typed }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let resource: ResourceView = administrator.get(&path_of("resources", &named)).await?;
    let path = path_of("resources", resource.resource.as_str());
    let form = form_of(administrator.texts(), Some(&resource)).filled(&typed)?;
    let patch = members(form.changed());
    match administrator.send(Method::PATCH, &path, &patch).await {
        Ok(resource) => Ok(after(Done::Saved, &administrator, resource)),
        Err(refused) => administrator
            .again(refused, &typed, |fault| Ok(page(&administrator, Some(&resource), form, fault))),
    }
}
