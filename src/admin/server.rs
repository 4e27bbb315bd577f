//! `/api/v1/server`: the process that serves the installation, and whether it is ready.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::by::{By, Read};
use crate::admin::Failed;
use crate::app::Readiness;
use crate::app::store_file::SCHEMA;
use crate::oauth::issuer::Issuer;

/// The process that serves the installation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ServerView {
    /// The path of its data directory.
    pub(crate) data: String,
    /// The issuer with which it started.
    pub(crate) issuer: Issuer,
    /// The addresses at which it listens. There is none in a process that does not serve.
    pub(crate) listen: Vec<String>,
    /// The addresses at which devices prove their certificates.
    pub(crate) mtls_listen: Vec<String>,
    /// Its process id.
    pub(crate) pid: u32,
    /// The schema of its store.
    pub(crate) schema: u32,
}

/// This process.
pub(super) async fn show(app: By<Read>) -> Json<ServerView> {
    let (rules, addresses) = (app.rules(), app.addresses());
    Json(ServerView {
        data: rules.config.places.data.display().to_string(),
        issuer: rules.issuer.clone(),
        listen: addresses.listen.clone(),
        mtls_listen: addresses.mtls_listen.clone(),
        pid: std::process::id(),
        schema: SCHEMA,
    })
}

/// Whether the server is ready.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReadinessView {
    /// Why it is not; or what should be known although it is.
    pub(crate) details: Vec<String>,
    /// Whether the store can be written and tokens can be signed.
    pub(crate) ready: bool,
}

/// Whether this process is ready. At the first start, it waits for the key.
pub(super) async fn readiness(app: By<Read>) -> Result<Json<ReadinessView>, Failed> {
    let (ready, details) = match app.readiness().await? {
        Readiness::Ready(remarks) => (true, remarks),
        Readiness::Unwritable(why) => (false, vec![why]),
    };
    Ok(Json(ReadinessView { details, ready }))
}
