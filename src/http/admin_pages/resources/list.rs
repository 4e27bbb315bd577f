//! `/gate/admin/resources`: the resources, and below them the scopes and roles of the configuration.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;

use crate::admin::config::ConfigView;
use crate::admin::resource::ResourceView;
use crate::config::Config;
use crate::http::admin_pages::administrator::Administrator;
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::roles;
use crate::http::admin_pages::rows::{self, Rows};
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{Page, scope_items};
use crate::http::texts::Texts;
use crate::model::dotted::dotted;

#[derive(Template)]
#[template(path = "admin/resources.html", config = "assets/askama.toml")]
pub(in crate::http) struct ResourcesPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) rows: Rows<ResourceView>,
    pub(in crate::http) may_add: bool,
    /// What the configuration says, for whoever may see it.
    pub(in crate::http) configured: Option<Configured>,
}

/// The scopes and roles as they are configured.
pub(in crate::http) struct Configured {
    pub(in crate::http) roles: Vec<ConfiguredRole>,
    pub(in crate::http) scopes: Vec<ConfiguredScope>,
}

/// A role.
pub(in crate::http) struct ConfiguredRole {
    /// What whoever has it may do.
    pub(in crate::http) means: String,
    pub(in crate::http) name: String,
    /// What people of it may allow an application.
    pub(in crate::http) scope: String,
    /// Where that stands.
    pub(in crate::http) source: String,
}

/// A scope.
pub(in crate::http) struct ConfiguredScope {
    pub(in crate::http) description: String,
    pub(in crate::http) name: String,
    /// Whether every client may ask for it.
    pub(in crate::http) open: bool,
    /// Where its description stands.
    pub(in crate::http) source: String,
}

impl ResourcesPage {
    /// The page of a resource.
    fn to(&self, resource: &ResourceView) -> AdminPath {
        AdminPath::of(["resources", resource.resource.as_str()])
    }
}

impl Configured {
    fn new(t: &Texts, config: &Config, view: &ConfigView) -> Self {
        let sources: BTreeMap<&str, &str> = view
            .settings
            .iter()
            .map(|setting| (setting.key.as_str(), setting.source.as_str()))
            .collect();
        let source = |path: [&str; 3]| {
            sources.get(dotted(&path).as_str()).copied().unwrap_or_default().to_owned()
        };
        let items = scope_items(t, config, &config.scope());
        let open = config.open_scope();
        let scopes = items.into_iter().map(|item| ConfiguredScope {
            open: open.has(&item.name),
            source: source(["scopes", &item.name, "description"]),
            description: item.description,
            name: item.name,
        });
        let roles = config.roles.iter().map(|(role, scope)| ConfiguredRole {
            means: roles::means(t, role, scope),
            name: role.to_string(),
            scope: scope.to_string(),
            source: source(["roles", role.as_str(), "scopes"]),
        });
        Self { roles: roles.collect(), scopes: scopes.collect() }
    }
}

/// The resources.
pub(in crate::http::admin_pages) async fn list(
    administrator: Administrator,
) -> Result<Response, PageFailure> {
    let configured = if administrator.may(&["admin:read"]) {
        let view: ConfigView = administrator.get("/api/v1/config").await?;
        let config = &administrator.app().rules().config;
        Some(Configured::new(administrator.texts(), config, &view))
    } else {
        None
    };
    let (page, frame) = (administrator.page(), administrator.frame());
    let may_add = administrator.may(&["admin:clients"]);
    rows::list(&administrator, "/api/v1/resources", &["q"], |rows| ResourcesPage {
        page,
        frame,
        rows,
        may_add,
        configured,
    })
    .await
}
