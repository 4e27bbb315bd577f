//! `/api/v1/config`: the configuration in force, and its reload.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{All, By, Read};
use crate::app::Reloaded;
use crate::config::{Config, Fault, InForce};
use crate::error::{Internal, Refusal};

/// The configuration in force.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ConfigView {
    /// The path of the file that was read, if there is one.
    pub(crate) config: Option<String>,
    /// The faults of what was read last, which kept the configuration before in force.
    pub(crate) faults: Vec<FaultView>,
    /// Every key.
    pub(crate) settings: Vec<InForce>,
    /// The keys whose new value waits for a restart.
    pub(crate) waiting: Vec<String>,
    /// What nobody knows and does no harm.
    pub(crate) warnings: Vec<FaultView>,
}

/// A fault of a configuration.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FaultView {
    /// The key.
    pub(crate) key: String,
    /// What was found, and what is allowed.
    pub(crate) message: String,
    /// The source of the faulty value.
    pub(crate) source: String,
}

impl FaultView {
    fn new(fault: &Fault) -> Self {
        let (key, message) = (fault.key.clone(), fault.message.clone());
        Self { key, message, source: fault.source.to_string() }
    }
}

/// What came of a reload.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReloadView {
    /// The keys whose new value is in force.
    pub(crate) changed: Vec<String>,
    /// The keys whose new value waits for a restart.
    pub(crate) waiting: Vec<String>,
}

impl ConfigView {
    /// The view of `config`, as a server that starts now would have it.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: config.places.config.as_ref().map(|path| path.display().to_string()),
            faults: Vec::new(),
            settings: config.in_force(),
            waiting: Vec::new(),
            warnings: config.warnings.iter().map(FaultView::new).collect(),
        }
    }
}

pub(super) async fn show(app: By<Read>) -> Json<ConfigView> {
    let (rules, last) = (app.rules(), app.last_read());
    let mut view = ConfigView::new(&rules.config);
    view.faults = last.faults.iter().flat_map(|faults| faults.iter()).map(FaultView::new).collect();
    view.waiting = last.waiting;
    // The issuer is that of the store.
    for own in view.settings.iter_mut().filter(|own| own.key == "issuer" && own.value.is_null()) {
        own.value = rules.issuer.as_str().into();
        own.source = "store".to_owned();
    }
    Json(view)
}

/// Reads the configuration again.
///
/// # Errors
///
/// [`Refusal::ConfigurationFaulty`], with the faults beside it.
pub(super) async fn reload(app: By<All>) -> Result<Json<ReloadView>, Failed> {
    app.prove().await?;
    let reloaded = tokio::task::spawn_blocking(move || app.reload(app.acting())).await;
    match reloaded.map_err(Internal::new)? {
        Ok(Reloaded { changed, waiting }) => Ok(Json(ReloadView { changed, waiting })),
        Err(faults) => {
            let faults = faults.iter().map(ToString::to_string).collect();
            Err(Failed { faults, ..Refusal::ConfigurationFaulty.into() })
        }
    }
}
