//! `/api/v1/keys`: the signing keys, and their rotation.
//!
//! The key that bridges pin is none of them: it never changes.

pub(crate) mod root;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, Keys, ReadKeys};
use super::listing::{ListView, Noun, Query, Unfiltered};
use super::request::Body;
use crate::error::Refusal;
use crate::flow::installation::signing::{Rotated, Rotation};
use crate::keys::{KeyStanding, KeyState};
use crate::oauth::client::SigningAlg;

/// A signing key.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct KeyView {
    /// Its algorithm: `EdDSA`, `ES256` or `RS256`.
    pub(crate) algorithm: String,
    /// The time of its creation, from which it is published.
    pub(crate) created: String,
    /// Its `kid`.
    pub(crate) kid: String,
    /// The time from which it is no longer published; null until it has a successor.
    pub(crate) published_until: Option<String>,
    /// The time at which it is removed; null until it has a successor.
    pub(crate) removed: Option<String>,
    /// The time from which it signs.
    pub(crate) signs_from: String,
    /// The time from which its successor signs; null: it has none.
    pub(crate) signs_until: Option<String>,
    /// What it does now.
    pub(crate) state: KeyStateView,
}

/// What a signing key does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyStateView {
    /// It is published and does not sign yet.
    Published,
    /// It is no longer published, and verifies the hints of logouts and silent requests alone.
    Retired,
    /// It no longer signs, and is published for as long as what it signed is valid.
    Retiring,
    /// It signs.
    Signing,
}

impl Noun for KeyView {
    const PLURAL: &'static str = "keys";
}

impl KeyView {
    fn new(key: &KeyStanding) -> Self {
        Self {
            algorithm: key.alg.as_str().to_owned(),
            created: key.created.rfc3339(),
            kid: key.id.as_str().to_owned(),
            published_until: key.published_until.map(|at| at.rfc3339()),
            removed: key.removed.map(|at| at.rfc3339()),
            signs_from: key.signs_from.rfc3339(),
            signs_until: key.signs_until.map(|at| at.rfc3339()),
            state: match key.state {
                KeyState::Published => KeyStateView::Published,
                KeyState::Retired => KeyStateView::Retired,
                KeyState::Retiring => KeyStateView::Retiring,
                KeyState::Signing => KeyStateView::Signing,
            },
        }
    }
}

/// A request to rotate keys.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationRequest {
    /// The algorithms; empty: all.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(regex(pattern = "^(EdDSA|ES256|RS256)$"))))]
    pub(crate) algorithms: Vec<String>,
    /// Whether the new keys sign at once, and not after `lifetimes.key_overlap`.
    #[serde(default)]
    pub(crate) now: bool,
    /// Whether the earlier keys are removed with everything that they signed. It needs `now`.
    #[serde(default)]
    pub(crate) revoke: bool,
}

/// The rotation of one algorithm.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RotatedView {
    /// The algorithm.
    pub(crate) algorithm: String,
    /// The `kid` of the key that signs, or will.
    pub(crate) kid: String,
    /// Whether it was made now; otherwise it was published before and waited.
    pub(crate) made: bool,
    /// The `kid`s of the keys that were removed.
    pub(crate) revoked: Vec<String>,
    /// The time from which it signs.
    pub(crate) signs_from: String,
}

/// A rotation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RotationView {
    /// The rotation of each algorithm.
    pub(crate) rotated: Vec<RotatedView>,
}

impl RotatedView {
    fn new(rotated: &Rotated) -> Self {
        Self {
            algorithm: rotated.alg.as_str().to_owned(),
            kid: rotated.id.as_str().to_owned(),
            made: rotated.made,
            revoked: rotated.revoked.iter().map(|id| id.as_str().to_owned()).collect(),
            signs_from: rotated.signs_from.rfc3339(),
        }
    }

    /// Writes the log line of a rotation that replaced a key.
    fn log(&self) {
        let (kid, revoked) = (&self.kid, self.revoked.join(" "));
        if revoked.is_empty() {
            tracing::info!(
                key.algorithm = self.algorithm,
                key.id = kid,
                key.made = self.made,
                key.signs_from = self.signs_from,
                "an operator rotated a signing key"
            );
        } else {
            tracing::warn!(
                key.algorithm = self.algorithm,
                key.id = kid,
                key.revoked = revoked,
                "an operator revoked signing keys: what they signed is worth nothing here"
            );
        }
    }
}

/// Lists the keys as this server uses them now, for each algorithm the newest first. A cursor is the
/// `kid` of the last key of a page.
pub(in crate::admin) async fn list(
    app: By<ReadKeys>,
    query: Query<Unfiltered>,
) -> Result<Json<ListView<KeyView>>, Failed> {
    let mut keys = app.keys().standings(app.clock().now());
    if let Some(cursor) = query.cursor()? {
        let last = keys.iter().position(|key| key.id.as_str() == cursor);
        keys.drain(..=last.ok_or(Refusal::CursorMalformed)?);
    }
    let limit = query.limit()?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|key| key.id.as_str().to_owned());
    Ok(Json(ListView { items: keys.iter().map(KeyView::new).collect(), next }))
}

/// Rotates keys.
pub(in crate::admin) async fn rotate(
    app: By<Keys>,
    Body(asked): Body<RotationRequest>,
) -> Result<Json<RotationView>, Failed> {
    let rotation = match (asked.now, asked.revoke) {
        (false, false) => Rotation::Announced,
        (true, false) => Rotation::Immediate,
        (true, true) => Rotation::Revoking,
        (false, true) => {
            let why = "nothing would sign until the new key does, so it needs now, too";
            return Err(Refusal::MemberMalformed("revoke", why).into());
        }
    };
    let mut algs = Vec::<SigningAlg>::new();
    for alg in &asked.algorithms {
        let alg = alg
            .parse()
            .map_err(|_| Refusal::MemberMalformed("algorithms", SigningAlg::EXPECTED))?;
        if !algs.contains(&alg) {
            algs.push(alg);
        }
    }
    if algs.is_empty() {
        algs = SigningAlg::ALL.to_vec();
    }
    let rotated = app.rotate_keys_of(app.acting(), app.proof(), algs, rotation).await?;
    let rotated: Vec<_> = rotated.iter().map(RotatedView::new).collect();
    let changed = rotated.iter().filter(|rotated| asked.now || rotated.made);
    changed.for_each(RotatedView::log);
    Ok(Json(RotationView { rotated }))
}
