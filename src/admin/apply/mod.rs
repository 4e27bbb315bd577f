//! `/api/v1/apply`: a file of clients, people, groups, scopes, roles and resources, as a JSON document.

mod document;

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Failed;
use super::by::{All, By};
use super::link::SetupLinkView;
use super::request::Body;
use crate::app::{App, Application};
use crate::flow::apply::{Changed, Kind};

pub(crate) use crate::flow::apply::Noun;
pub(crate) use document::members_of;

/// The most bytes of a request: a file of 1 MiB, its secrets and key sets.
pub(super) const MAX_BODY: usize = 8 << 20;

/// A request to apply a document. It has secrets.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyRequest {
    /// The document: an object for each section, with an object for each name.
    pub(crate) document: Map<String, Value>,
    /// Whether it is only tried out, and nothing is written.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Whether it was made of another server's files: nothing that is there changes, and no document
    /// prunes what is new. Nothing is pruned then.
    #[serde(default)]
    pub(crate) import: bool,
    /// Whether everything is removed that a document made and this one does not name.
    #[serde(default)]
    pub(crate) prune: bool,
}

/// What a document changed, or would change.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ApplyView {
    /// The objects that changed.
    pub(crate) changes: Vec<ChangeView>,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
}

/// An object that changed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ChangeView {
    /// What became of it.
    pub(crate) change: ChangeKind,
    /// The setup link of a new person.
    #[serde(flatten)]
    pub(crate) link: Option<SetupLinkView>,
    /// The members that changed, of one that there was and is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<MemberView>,
    /// Its name.
    pub(crate) name: String,
    /// Its noun: client, resource, role, scope or user.
    pub(crate) noun: String,
    /// The client that got a secret that nobody has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unseen_secret: Option<String>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeKind {
    /// It is new.
    Added,
    /// It changed.
    Changed,
    /// It is gone.
    Removed,
}

/// A member that changed.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MemberView {
    /// Its value after the change; null if it has none or is a secret.
    pub(crate) after: Value,
    /// Its value before the change; null if it had none or is a secret.
    pub(crate) before: Value,
    /// Its name.
    pub(crate) member: String,
}

impl ChangeView {
    fn new(app: &App, changed: Changed, dry_run: bool) -> Self {
        let members = changed.members.into_iter();
        let link = changed.link.filter(|_| !dry_run);
        Self {
            change: match changed.kind {
                Kind::Added => ChangeKind::Added,
                Kind::Changed => ChangeKind::Changed,
                Kind::Removed => ChangeKind::Removed,
            },
            link: link.map(|link| SetupLinkView::new(app, &link)),
            members: members
                .map(|change| MemberView {
                    after: change.after,
                    before: change.before,
                    member: change.member,
                })
                .collect(),
            name: changed.name,
            noun: changed.noun.as_str().to_owned(),
            unseen_secret: changed.unseen_secret.map(|id| id.to_string()),
        }
    }
}

/// Applies a document, or tries it out.
pub(super) async fn apply(
    app: By<All>,
    Body(request): Body<ApplyRequest, MAX_BODY>,
) -> Result<Json<ApplyView>, Failed> {
    let (manifest, secrets) = document::read(&request.document)?;
    let ApplyRequest { dry_run, import, prune, .. } = request;
    let application = Application { dry_run, import, manifest, prune, secrets };
    let changes = app.apply(app.acting(), app.proof(), application).await?;
    if !dry_run && !changes.is_empty() {
        let of = |kind| changes.iter().filter(|change| change.kind == kind).count();
        let (added, changed, removed) = (of(Kind::Added), of(Kind::Changed), of(Kind::Removed));
        tracing::info!(added, changed, removed, "an operator applied a file");
    }
    let changes = changes.into_iter().map(|change| ChangeView::new(&app, change, dry_run));
    Ok(Json(ApplyView { changes: changes.collect(), dry_run }))
}
