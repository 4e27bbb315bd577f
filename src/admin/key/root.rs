//! `/api/v1/keys/root`: the root key, from which every other key is derived, and its rotation.

use axum::Json;
use serde::{Deserialize, Serialize};

use crate::admin::Failed;
use crate::admin::by::{All, By};
use crate::admin::request::Body;
use crate::app::{App, Ended, RootRotation};
use crate::error::Error;
use crate::store::View as _;
use crate::store::schema::{Person, RootKey};

/// A root key in force.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RootKeyView {
    /// Its number. What was made under it names it so.
    pub(crate) generation: u8,
    /// The time from which new things were made under it.
    pub(crate) since: String,
}

impl RootKeyView {
    fn all(keys: &[RootKey]) -> Vec<Self> {
        let view = |key: &RootKey| Self { generation: key.generation, since: key.since.rfc3339() };
        keys.iter().map(view).collect()
    }
}

/// A rotation of the root key.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RootRotationView {
    /// The root keys in force, the newest first.
    pub(crate) in_force: Vec<RootKeyView>,
    /// Whether a new one is in force. Otherwise the root secret is in a setting, and only an operator can
    /// put a new one there.
    pub(crate) rotated: bool,
    /// Whether a rotation went on that had begun before.
    pub(crate) went_on: bool,
}

/// A request to forget the earlier root keys.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RootForgetting {
    /// Whether it is only told what would end.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// The end of the earlier root keys.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RootForgottenView {
    /// Whether it is only told what would end.
    pub(crate) dry_run: bool,
    /// What ended, or would.
    pub(crate) ended: RootEndedView,
    /// The root keys in force, the newest first.
    pub(crate) in_force: Vec<RootKeyView>,
}

/// What was never used since the last rotation, and ends with the earlier root keys.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RootEndedView {
    /// The number of sessions at applications behind a proxy.
    pub(crate) application_sessions: usize,
    /// The ids of the clients whose secret ends.
    pub(crate) client_secrets: Vec<String>,
    /// The number of grants.
    pub(crate) grants: usize,
    /// The number of secrets of hook clients. A bridge gets another one by itself.
    pub(crate) hook_secrets: usize,
    /// The number of invitations.
    pub(crate) invitations: usize,
    /// The number of setup links.
    pub(crate) links: usize,
    /// The number of personal access tokens.
    pub(crate) personal_tokens: usize,
    /// The usernames of the people whose recovery codes end.
    pub(crate) recovery_codes: Vec<String>,
    /// The number of registration access tokens of clients.
    pub(crate) registration_tokens: usize,
    /// The number of sessions.
    pub(crate) sessions: usize,
}

impl RootEndedView {
    fn new(app: &App, ended: &Ended) -> Result<Self, Error> {
        let view = app.read()?;
        let mut recovery_codes = Vec::new();
        for user in &ended.without_codes {
            let person = view.find::<Person>(user)?;
            recovery_codes
                .push(person.map_or_else(|| user.to_string(), |own| own.username.to_string()));
        }
        Ok(Self {
            application_sessions: ended.applications,
            client_secrets: ended.clients.iter().map(ToString::to_string).collect(),
            grants: ended.grants,
            hook_secrets: ended.hooks,
            invitations: ended.invitations,
            links: ended.links,
            personal_tokens: ended.personal_tokens,
            recovery_codes,
            registration_tokens: ended.registrations,
            sessions: ended.sessions,
        })
    }
}

/// Rotates the root key, or goes on with a rotation that was begun.
pub(in crate::admin) async fn rotate(app: By<All>) -> Result<Json<RootRotationView>, Failed> {
    // The key file is written before the transaction that proves whoever asks.
    app.prove().await?;
    Ok(Json(match app.rotate_root_key(app.acting(), app.proof()).await? {
        RootRotation::Done { went_on, in_force } => {
            tracing::warn!(went_on, "an operator rotated the root key");
            RootRotationView { in_force: RootKeyView::all(&in_force), rotated: true, went_on }
        }
        RootRotation::InSetting(in_force) => RootRotationView {
            in_force: RootKeyView::all(&in_force),
            rotated: false,
            went_on: false,
        },
    }))
}

/// Ends what was never used since the last rotation, and forgets the earlier root keys.
pub(in crate::admin) async fn forget(
    app: By<All>,
    Body(asked): Body<RootForgetting>,
) -> Result<Json<RootForgottenView>, Failed> {
    let ended = if asked.dry_run {
        app.forgettable().await?
    } else {
        let ended = app.forget_root_keys(app.acting(), app.proof()).await?;
        tracing::warn!("an operator ended what was made under earlier root keys");
        ended
    };
    Ok(Json(RootForgottenView {
        dry_run: asked.dry_run,
        ended: RootEndedView::new(&app, &ended)?,
        in_force: RootKeyView::all(&app.root_keys()?),
    }))
}
