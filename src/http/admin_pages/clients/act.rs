//! What is done to a client by one button, after a question.

use std::sync::Arc;

use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde_json::json;

use super::Named;
use super::made::{self, Made};
use crate::admin::client::ClientView;
use crate::admin::usage::UsageView;
use crate::app::App;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::confirm::{self, Question};
use crate::http::admin_pages::refused::{Fault, Refused};
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::redirect;

/// What is done to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http::admin_pages) enum Act {
    /// Nobody signs in with it until it is enabled.
    Disable,
    /// It works again.
    Enable,
    /// It goes, with its grants.
    Remove,
    /// Its logo goes.
    RemoveLogo,
    /// It gets a new secret.
    RotateSecret,
}

impl Act {
    /// The page that asks, and its form.
    pub(in crate::http::admin_pages) fn pages(self) -> MethodRouter<Arc<App>> {
        get(move |RecentAdministrator(administrator), id| ask(self, administrator, id))
            .post(move |id, form| run(self, id, form))
    }

    /// What is asked before it is done to `client`.
    async fn question(
        self,
        administrator: &Administrator,
        client: &ClientView,
    ) -> Result<Question, Refused> {
        let (t, name) = (&administrator.texts().admin.client, &client.name);
        let (title, button, means) = match self {
            Self::Disable => (t.disable_title(name), t.disable(), t.disable_means()),
            Self::Enable => (t.enable_title(name), t.enable(), t.enable_means()),
            Self::Remove => (t.remove_title(name), t.remove(), t.remove_means()),
            Self::RemoveLogo => (t.remove_logo_title(name), t.remove_logo(), t.remove_logo_means()),
            Self::RotateSecret => (t.rotate_title(name), t.rotate(), t.rotate_means()),
        };
        let mut means = vec![means.plain()];
        if matches!(self, Self::Disable | Self::Remove) {
            let path = format!("{}/usage", path_of("clients", &client.client_id));
            let usage: UsageView = administrator.get(&path).await?;
            let connected = match usage.people {
                0 => t.connected_none(),
                people => t.connected(people),
            };
            means.push(connected.plain());
            means.extend(usage.at_least.then(|| t.at_least().plain()));
        }
        Ok(Question {
            back: AdminPath::client(&client.client_id),
            button: button.plain(),
            choice: None,
            danger: self == Self::Remove,
            means,
            ticks: Vec::new(),
            title: title.plain(),
        })
    }

    /// Does it. Returns the page that follows.
    async fn done(
        self,
        administrator: &Administrator,
        client: &ClientView,
    ) -> Result<Response, Refused> {
        let path = path_of("clients", &client.client_id);
        let own = AdminPath::client(&client.client_id);
        match self {
            Self::Disable | Self::Enable => {
                let enabled = json!({ "enabled": self == Self::Enable });
                let _: ClientView = administrator.send(Method::PATCH, &path, &enabled).await?;
                let done =
                    if self == Self::Enable { Done::ClientEnabled } else { Done::ClientDisabled };
                Ok(redirect::to_page_after(done, &PagePath::Admin(own)))
            }
            Self::Remove => {
                administrator.delete(&path).await?;
                let next = PagePath::Admin(AdminPath::of(["clients"]));
                Ok(redirect::to_page_after(Done::ClientRemoved, &next))
            }
            Self::RemoveLogo => {
                let none = json!({ "logo": null });
                let _: ClientView = administrator.send(Method::PATCH, &path, &none).await?;
                Ok(redirect::to_page(&PagePath::Admin(own)))
            }
            Self::RotateSecret => {
                let path = format!("{path}/secret");
                let client = administrator.send(Method::POST, &path, &json!({})).await?;
                Ok(made::page(administrator, client, Made::Rotated))
            }
        }
    }
}

async fn ask(
    act: Act,
    administrator: Administrator,
    Named(id): Named,
) -> Result<Response, PageFailure> {
    let client: ClientView = administrator.get(&path_of("clients", &id)).await?;
    let question = act.question(&administrator, &client).await?;
    Ok(confirm::page(&administrator, question, Fault::default()))
}

async fn run(
    act: Act,
    Named(id): Named,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let client: ClientView = administrator.get(&path_of("clients", &id)).await?;
    match act.done(&administrator, &client).await {
        Ok(response) => Ok(response),
        Err(refused) => {
            let question = act.question(&administrator, &client).await?;
            administrator
                .again(refused, &form, |fault| Ok(confirm::page(&administrator, question, fault)))
        }
    }
}
