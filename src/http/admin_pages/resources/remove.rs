//! `/gate/admin/resources/{resource}/remove`: the end of a resource.

use axum::extract::Path;
use axum::response::Response;

use crate::admin::resource::ResourceView;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::confirm::{self, Question};
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::redirect;

fn question(administrator: &Administrator, resource: &ResourceView) -> Question {
    let t = &administrator.texts().admin.resource;
    let mut means = vec![t.remove_means().plain()];
    means.extend(resource.client_id.as_ref().map(|id| t.remove_client(id).plain()));
    Question {
        back: AdminPath::of(["resources", resource.resource.as_str()]),
        button: t.remove().plain(),
        choice: None,
        danger: true,
        means,
        ticks: Vec::new(),
        title: t.remove_title(&resource.resource_name).plain(),
    }
}

/// Asks whether the resource shall go.
pub(in crate::http::admin_pages) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
    Path(named): Path<String>,
) -> Result<Response, PageFailure> {
    let resource: ResourceView = administrator.get(&path_of("resources", &named)).await?;
    let question = question(&administrator, &resource);
    Ok(confirm::page(&administrator, question, Fault::default()))
}

/// Removes the resource.
pub(in crate::http::admin_pages) async fn remove(
    Path(named): Path<String>,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let resource: ResourceView = administrator.get(&path_of("resources", &named)).await?;
    let path = path_of("resources", resource.resource.as_str());
    match administrator.delete(&path).await {
        Ok(()) => {
            let next = PagePath::Admin(AdminPath::of(["resources"]));
            Ok(redirect::to_page_after(Done::ResourceRemoved, &next))
        }
        Err(refused) => administrator.again(refused, &form, |fault| {
            Ok(confirm::page(&administrator, question(&administrator, &resource), fault))
        }),
    }
}
