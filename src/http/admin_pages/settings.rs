//! `/gate/admin/settings`: the configuration in force, and its reload.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::administrator::{Administrator, AdministratorForm, RecentAdministrator};
use super::confirm::{self, Question};
use super::frame::Frame;
use super::refused::Fault;
use crate::admin::config::{ConfigView, ReloadView};
use crate::config::InForce;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/settings.html", config = "assets/askama.toml")]
pub(in crate::http) struct SettingsPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) config: ConfigView,
    /// Why the configuration was not read; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) may_reload: bool,
    pub(in crate::http) searched: String,
}

impl SettingsPage {
    /// A value as people read it.
    fn text(setting: &InForce) -> String {
        match &setting.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let text =
                    |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                items.iter().map(text).collect::<Vec<_>>().join(" ")
            }
            other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
        }
    }

    /// Whether the new value of a key waits for a restart.
    fn waits(&self, setting: &InForce) -> bool {
        self.config.waiting.contains(&setting.key)
    }
}

fn page(administrator: &Administrator, config: ConfigView, fault: Fault) -> SettingsPage {
    SettingsPage {
        page: administrator.page(),
        frame: administrator.frame(),
        config,
        fault,
        may_reload: administrator.may(&["admin"]),
        searched: String::new(),
    }
}

/// The settings that have in their key, their value or their source what was searched for.
pub(super) async fn show(administrator: Administrator) -> Result<Response, PageFailure> {
    let searched = administrator.query.one("q")?.unwrap_or_default();
    let wanted = searched.to_lowercase();
    let mut config: ConfigView = administrator.get("/api/v1/config").await?;
    config.settings.retain(|own| {
        let texts = [&own.key, &SettingsPage::text(own), &own.source];
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    });
    let page = page(&administrator, config, Fault::default());
    Ok(templates::show_alone(&SettingsPage { searched: searched.to_owned(), ..page }))
}

fn question(administrator: &Administrator) -> Question {
    let t = &administrator.texts().admin.settings;
    Question {
        back: AdminPath::of(["settings"]),
        button: t.reload().plain(),
        choice: None,
        danger: false,
        means: vec![t.reload_means().plain()],
        ticks: Vec::new(),
        title: t.reload_title().plain(),
    }
}

/// Asks whether the configuration shall be read again.
pub(super) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    Ok(confirm::page(&administrator, question(&administrator), Fault::default()))
}

/// Reads the configuration again.
pub(super) async fn reload(
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let reloaded = administrator.send(Method::POST, "/api/v1/config/reload", &json!({})).await;
    match reloaded {
        Ok(ReloadView { .. }) => {
            let next = PagePath::Admin(AdminPath::of(["settings"]));
            Ok(redirect::to_page_after(Done::SettingsRead, &next))
        }
        Err(refused) => {
            // It has the faults, too.
            let config = administrator.get("/api/v1/config").await?;
            administrator.again(refused, &form, |fault| {
                Ok(templates::show_alone(&page(&administrator, config, fault)))
            })
        }
    }
}
