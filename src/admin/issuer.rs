//! `/api/v1/issuer`: the issuer in the store.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{All, By, Read};
use super::request::Body;
use crate::error::Internal;
use crate::flow::installation;
use crate::oauth::issuer::Issuer;

/// The issuer in the store.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IssuerView {
    /// Its URL.
    pub(crate) issuer: Issuer,
}

/// A request to change the issuer in the store.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerChange {
    /// Whether to store the new issuer. If false, the response only lists the consequences.
    #[serde(default)]
    pub(crate) confirm: bool,
    /// The new issuer.
    pub(crate) issuer: String,
}

/// The consequences of a change of the issuer.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IssuerChangeView {
    /// Whether the new issuer is stored.
    pub(crate) changed: bool,
    /// The new issuer.
    pub(crate) issuer: Issuer,
    /// The passkeys that do not belong to the new issuer's host.
    pub(crate) orphaned: Vec<OrphanedPasskey>,
    /// The issuer before the change.
    pub(crate) previous: Issuer,
}

/// A passkey that the new issuer cannot use.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OrphanedPasskey {
    /// Its name.
    pub(crate) passkey: String,
    /// Its owner.
    pub(crate) username: String,
}

/// The issuer in the store. A running server uses the one with which it started.
pub(super) async fn show(app: By<Read>) -> Result<Json<IssuerView>, Failed> {
    let found = installation::find(&app.read()?)?;
    let found = found.ok_or_else(|| Internal::new("the store holds no installation"))?;
    Ok(Json(IssuerView { issuer: found.issuer }))
}

pub(super) async fn change(
    app: By<All>,
    Body(change): Body<IssuerChange>,
) -> Result<Json<IssuerChangeView>, Failed> {
    let issuer: Issuer = change.issuer.parse()?;
    let (next, confirm) = (issuer.clone(), change.confirm);
    let outcome =
        app.write(move |tx, cx| installation::change_issuer(tx, cx, &next, confirm)).await?;
    let orphaned = outcome.orphaned.into_iter();
    let orphaned = orphaned.map(|(username, passkey)| OrphanedPasskey { passkey, username });
    Ok(Json(IssuerChangeView {
        changed: confirm,
        issuer,
        orphaned: orphaned.collect(),
        previous: outcome.previous,
    }))
}
