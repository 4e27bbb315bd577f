//! `/api/v1/passkeys`: the passkeys of people.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, OfPerson, Query};
use super::request::{Body, Named};
use crate::flow::named;
use crate::flow::person::passkeys::{self, RemovedNow};
use crate::model::authenticator::Transport;
use crate::oauth::display_name::DisplayName;
use crate::store::schema::{Passkey, Person};
use crate::store::{Key as _, Listing, StoreError, View};

/// A passkey.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PasskeyView {
    /// The model of its authenticator, an AAGUID; null: it names none.
    pub(crate) aaguid: Option<String>,
    /// The time of its registration.
    pub(crate) created: String,
    /// Its id here. That of the credential is no part of this API.
    pub(crate) id: String,
    /// The name that its owner gave it.
    pub(crate) name: String,
    /// The product that has this AAGUID, if it is known.
    pub(crate) product: Option<String>,
    /// Whether it is synchronised, so that it survives the loss of its device.
    pub(crate) synced: bool,
    /// Whether it may be synchronised.
    pub(crate) syncable: bool,
    /// How browsers reach its authenticator, as the one that made it said (WebAuthn §5.8.4).
    pub(crate) transports: Vec<String>,
    /// The time of its last use.
    pub(crate) used: Option<String>,
    /// Its owner.
    pub(crate) username: Option<String>,
}

impl Noun for PasskeyView {
    const PLURAL: &'static str = "passkeys";
}

/// A passkey that was removed.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RemovedPasskeyView {
    /// The number of passkeys that its owner still has.
    pub(crate) left: usize,
    /// The passkey.
    #[serde(flatten)]
    pub(crate) passkey: PasskeyView,
}

/// A JSON Merge Patch (RFC 7396) of a passkey.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyPatch {
    /// The name, which no other passkey of its owner has: 1 to 128 characters.
    #[cfg_attr(test, schemars(length(min = 1, max = 128)))]
    pub(crate) name: String,
}

impl PasskeyView {
    /// The view of a row.
    pub(crate) fn new(view: &impl View, passkey: &Passkey) -> Result<Self, StoreError> {
        let person = view.find::<Person>(&passkey.user)?;
        Ok(Self {
            aaguid: passkey.aaguid.map(|aaguid| aaguid.to_string()),
            created: passkey.created.rfc3339(),
            id: passkey.id.to_string(),
            name: passkey.name.to_string(),
            product: passkey.aaguid.and_then(|aaguid| aaguid.product()).map(str::to_owned),
            synced: passkey.backed_up,
            syncable: passkey.backup_eligible,
            transports: passkey.transports.iter().map(Transport::to_string).collect(),
            used: passkey.used.map(|used| used.rfc3339()),
            username: person.map(|person| person.username.to_string()),
        })
    }
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPerson>,
) -> Result<Json<ListView<PasskeyView>>, Failed> {
    let view = app.read()?;
    let Listing { items, next } = passkeys::list(&view, query.user(&view)?, &query.span()?)?;
    let items = items.iter().map(|passkey| PasskeyView::new(&view, passkey));
    let items = items.collect::<Result<_, _>>()?;
    Ok(Json(ListView { items, next: next.map(|next| next.to_cursor()) }))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<PasskeyView>, Failed> {
    let view = app.read()?;
    let (_, passkey) = passkeys::by_id(&view, named::passkey(&view, &named)?, None)?;
    Ok(Json(PasskeyView::new(&view, &passkey)?))
}

pub(super) async fn change(
    app: By<People>,
    Named(named): Named,
    Body(patch): Body<PasskeyPatch>,
) -> Result<Json<PasskeyView>, Failed> {
    let name: DisplayName = patch.name.parse()?;
    let changed = app.write(move |tx, cx| {
        let id = named::passkey(tx, &named)?;
        passkeys::rename(tx, cx, id, None, &name)
    });
    let changed = changed.await?;
    Ok(Json(PasskeyView::new(&app.read()?, &changed)?))
}

pub(super) async fn remove(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<RemovedPasskeyView>, Failed> {
    let removed = app.write(move |tx, cx| {
        let id = named::passkey(tx, &named)?;
        passkeys::remove(tx, cx, id, None)
    });
    let RemovedNow { left, passkey } = removed.await?;
    let passkey = PasskeyView::new(&app.read()?, &passkey)?;
    Ok(Json(RemovedPasskeyView { left, passkey }))
}
