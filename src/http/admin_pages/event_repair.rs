//! `/gate/admin/events/{id}/repair`: the change that lets a refused request pass, with what it means.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;

use super::administrator::{Administrator, AdministratorForm, RecentAdministrator, path_of};
use super::clients::made::{self, Made};
use super::events::may_repair;
use super::frame::Frame;
use super::refused::{Fault, Refused};
use crate::admin::event::{ExplanationView, RepairKind, RepairView};
use crate::error::{Internal, Refusal};
use crate::http::destination::{AdminPath, PagePath};
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/repair.html", config = "assets/askama.toml")]
pub(in crate::http) struct RepairPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    pub(in crate::http) back: AdminPath,
    /// The command that does the same.
    pub(in crate::http) command: String,
    /// Why it was not done; empty: it was not tried.
    pub(in crate::http) fault: Fault,
    /// What it means.
    pub(in crate::http) means: String,
    /// The operation, as it was shown.
    pub(in crate::http) operation: String,
    pub(in crate::http) repair: RepairView,
}

/// What a repair means for whoever makes it.
pub(in crate::http) fn means(t: &Texts, repair: &RepairView) -> String {
    let t = &t.admin.repair;
    let client = repair.client_name.as_deref().or(repair.client_id.as_deref()).unwrap_or_default();
    let person = repair.username.as_deref().unwrap_or_default();
    let value = repair.value.as_deref().unwrap_or_default();
    let means = match repair.kind {
        RepairKind::AddGroup => t.add_group(person, value),
        RepairKind::AddPostLogoutUri => t.add_post_logout_uri(client, value),
        RepairKind::AddRedirectUri => t.add_redirect_uri(client, value),
        RepairKind::AddResource => t.add_resource(client, value),
        RepairKind::AddRole => t.add_role(person, value),
        RepairKind::AddScope => t.add_scope(client, value),
        RepairKind::AllowAnonymous => t.allow_anonymous(client),
        RepairKind::AllowGrant => t.allow_grant(client, value),
        RepairKind::AllowOldAssertions => t.allow_old_assertions(client),
        RepairKind::AllowUnpushed => t.allow_unpushed(client),
        RepairKind::EnableClient => t.enable_client(client),
        RepairKind::EnablePerson => t.enable_person(person),
        RepairKind::FirstParty => t.first_party(client),
        RepairKind::NewClient => t.new_client(client, value),
        RepairKind::NewResource => t.new_resource(value),
        RepairKind::SetAuthMethod => t.set_auth_method(client, value),
        RepairKind::SetTokenType => t.set_token_type(value),
        RepairKind::WithoutPkce if value == "nonce" => t.without_pkce_by_nonce(client),
        RepairKind::WithoutPkce => t.without_pkce(client),
    };
    means.plain()
}

/// The operation as text, to be compared with the one that was shown.
fn written(repair: &RepairView) -> String {
    format!("{} {} {}", repair.method, repair.path, repair.body)
}

/// The repair of an event that the administrator may make, with the command that does the same.
async fn find(
    administrator: &Administrator,
    id: &str,
) -> Result<(RepairView, String), PageFailure> {
    let view: ExplanationView = administrator.get(&path_of("events", id)).await?;
    let (Some(repair), Some(command)) = (view.repair, view.command) else {
        return Err(Refusal::RepairMissing.into());
    };
    if !may_repair(administrator, &repair) {
        return Err(Refusal::AdministrationClosed.into());
    }
    Ok((repair, command))
}

fn page(
    administrator: &Administrator,
    id: &str,
    (repair, command): (RepairView, String),
    fault: Fault,
) -> Response {
    templates::show_alone(&RepairPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        back: AdminPath::of(["events", id]),
        command,
        fault,
        means: means(administrator.texts(), &repair),
        operation: written(&repair),
        repair,
    })
}

/// Shows what would be changed, and what that means.
pub(super) async fn ask(
    Path(id): Path<String>,
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    let found = find(&administrator, &id).await?;
    Ok(page(&administrator, &id, found, Fault::default()))
}

/// Makes the change that was shown, and no other.
pub(super) async fn repair(
    Path(id): Path<String>,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let (repair, command) = find(&administrator, &id).await?;
    let same = form.one("operation")?.unwrap_or_default() == written(&repair);
    let needs_trust = repair.host.is_some() || repair.self_named.is_some();
    let trusted = !needs_trust || form.one("trust")?.is_some();
    let made = if !same {
        Err(Refused::of(Refusal::RepairDiffers))
    } else if trusted {
        let method = if repair.method == "POST" { Method::POST } else { Method::PATCH };
        administrator.send::<serde_json::Value>(method, &repair.path, &repair.body).await
    } else {
        Err(Refused::of(Refusal::RepairUntrusted))
    };
    match made {
        // Only now anybody sees the secret that was made with it.
        Ok(view) if view.get("client_secret").is_some_and(serde_json::Value::is_string) => {
            let client = serde_json::from_value(view).map_err(Internal::new)?;
            let made = if repair.method == "POST" { Made::Added } else { Made::Changed };
            Ok(made::page(&administrator, client, made))
        }
        Ok(_) => Ok(redirect::to_page(&PagePath::Admin(AdminPath::of(["events", &id])))),
        Err(refused) => administrator
            .again(refused, &form, |fault| Ok(page(&administrator, &id, (repair, command), fault))),
    }
}
