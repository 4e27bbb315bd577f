//! `/gate/admin/bridges`: the bridges that were heard of lately.

use askama::Template;
use axum::response::Response;

use super::CHANGE;
use super::deed::{self, Deed};
use crate::admin::bridge::{BridgeView, DeviceView};
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::Texts;

#[derive(Template)]
#[template(path = "admin/bridges.html", config = "assets/askama.toml")]
pub(in crate::http) struct BridgesPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) may_end: bool,
    pub(in crate::http) rows: Rows<BridgeView>,
}

/// The bridges.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    rows::list(&administrator, "/api/v1/bridge", &[], |rows| BridgesPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_end: administrator.may(CHANGE),
        rows,
    })
    .await
}

/// The end of a linked device, named by its id or by that of a session of its bridge.
pub(super) enum End {}

impl deed::Kind for End {
    const DONE: Done = Done::BridgeEnded;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let device: DeviceView = administrator.get(&path_of("bridge/devices", id)).await?;
        let t = &administrator.texts().admin.bridges;
        let next = AdminPath::of(["bridges"]);
        let person = device.username.clone().unwrap_or_default();
        let mut question = deed::ending(
            next.clone(),
            t.end_title(&device.name, person).plain(),
            t.end_means().plain(),
            t.end().plain(),
        );
        question.means.push(t.end_means_person().plain());
        Ok(Deed::end(path_of("bridge/devices", &device.id), next, question))
    }
}
