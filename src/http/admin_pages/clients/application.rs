//! The form of an application of the catalogue, which asks for its address alone.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::described;
use super::made::{self, Made};
use crate::admin::catalogue::{EntryChoice, EntryView};
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::fields::{Field, FieldKind, Form};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;
use crate::model::catalogue::base;
use crate::oauth::params::Params;

/// What the name of the field of an option begins with.
const OPTION: &str = "option.";

#[derive(Template)]
#[template(path = "admin/client_application.html", config = "assets/askama.toml")]
pub(in crate::http) struct ApplicationPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    pub(in crate::http) entry: EntryView,
    /// Why it was not added; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) form: Form,
}

impl ApplicationPage {
    /// What is asked of its client.
    fn pkce(&self, t: &Texts) -> String {
        described::pkce_description(t, self.entry.application.pkce)
    }

    /// The addresses of a member that its client gets, where it is reached at what was typed, or at
    /// the example.
    fn addresses(&self, member: &str) -> Vec<String> {
        let application = &self.entry.application;
        let url = self.form.field("url").map(|field| field.value.as_str());
        let url = url.filter(|url| base(url).is_ok()).unwrap_or(&application.reached_at);
        let options = application.options.keys().map(|name| {
            let typed = self.form.field(&format!("{OPTION}{name}"));
            let typed = typed.map(|field| field.value.clone()).filter(|value| !value.is_empty());
            (name.clone(), typed.unwrap_or_else(|| format!("{{{name}}}")))
        });
        let members = application.members(Some(url), &options.collect()).unwrap_or_default();
        match members.get(member) {
            Some(Value::Array(uris)) => {
                uris.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(Value::String(uri)) => vec![uri.clone()],
            _ => Vec::new(),
        }
    }
}

fn form(administrator: &Administrator, entry: &EntryView) -> Form {
    let texts = administrator.texts();
    let t = &texts.admin.client_form;
    let application = &entry.application;
    let mut fields = Vec::new();
    let needs = application.needs_address();
    if needs || application.settings.iter().any(|own| own.text.contains("{url}")) {
        let hint = t.url_hint(&application.reached_at).plain();
        fields.push(Field::new("url", t.url().plain(), FieldKind::Line).with_hint(hint));
    }
    for (name, option) in &application.options {
        let field = Field::new(format!("{OPTION}{name}"), name.as_str(), FieldKind::Line);
        let field =
            field.with(&option.default).with_hint(texts.meaning(&entry.name, name, option).text);
        fields.push(if option.default.is_some() { field.extra() } else { field });
    }
    Form { changes: false, fields }
}

fn page(administrator: &Administrator, entry: EntryView, form: Form, fault: Fault) -> Response {
    templates::show_alone(&ApplicationPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        entry,
        fault,
        form,
    })
}

/// Asks for the address of an application.
pub(super) async fn ask(administrator: &Administrator, app: &str) -> Result<Response, PageFailure> {
    let entry: EntryView = administrator.get(&path_of("catalogue", app)).await?;
    let form = form(administrator, &entry).filled(&administrator.query)?;
    Ok(page(administrator, entry, form, Fault::default()))
}

/// Adds the client of an application.
pub(super) async fn add(
    administrator: &Administrator,
    app: &str,
    typed: &Params,
) -> Result<Response, PageFailure> {
    let entry: EntryView = administrator.get(&path_of("catalogue", app)).await?;
    let form = form(administrator, &entry).filled(typed)?;
    let options = form.fields.iter().filter_map(|field| {
        let name = field.name.strip_prefix(OPTION)?;
        (!field.value.is_empty()).then(|| (name.to_owned(), field.value.clone()))
    });
    let options: BTreeMap<_, _> = options.collect();
    let url = form.field("url").map(|field| field.value.clone()).filter(|url| !url.is_empty());
    let choice = json!({ "catalogue": EntryChoice { name: entry.name.clone(), options, url } });
    match administrator.send(Method::POST, "/api/v1/clients", &choice).await {
        Ok(client) => Ok(made::page(administrator, client, Made::Added)),
        Err(refused) => {
            administrator.again(refused, typed, |fault| Ok(page(administrator, entry, form, fault)))
        }
    }
}
