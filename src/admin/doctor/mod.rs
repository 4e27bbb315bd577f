//! `/api/v1/doctor`: what this process finds of itself, and what a proxy in front of it makes of a
//! request.

mod backups;
mod client_addresses;
mod finding;
mod judged;
mod proxy;
mod webhook;

use axum::Json;
use serde::{Deserialize, Serialize};

#[cfg(test)]
pub(crate) use finding::assert_finding;
pub(crate) use finding::{FindingState, FindingView};

use super::Failed;
use super::by::{By, Read};
use super::request::{Created, Named};
use crate::app::doctor::NONCE;
use crate::config::TlsMode;
use crate::oauth::issuer::Issuer;

/// The path of a request that is sent through the proxy: one that every proxy has to pass on.
const PROBED: &str = "/.well-known/openid-configuration";

/// What a process that has the store open finds of itself.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ExaminationView {
    /// The findings.
    pub(crate) checks: Vec<FindingView>,
    /// The issuer with which it works.
    pub(crate) issuer: Issuer,
}

/// A request that is to be sent to the issuer's address.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ProbeView {
    /// The value of its `X-Forwarded-For`, which a proxy has to add to or to replace.
    pub(crate) forwarded_for: String,
    /// Its `Host`.
    pub(crate) host: String,
    /// What names it to this process.
    pub(crate) nonce: String,
    /// Its path with the query.
    pub(crate) path: String,
}

/// What came of a request that was sent to the issuer's address.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ArrivalView {
    /// Whether it arrived at this process.
    pub(crate) arrived: bool,
    /// The findings about how it arrived.
    pub(crate) checks: Vec<FindingView>,
}

/// Examines this process.
pub(super) async fn examine(app: By<Read>) -> Result<Json<ExaminationView>, Failed> {
    let facts = app.examine().await?;
    let issuer = app.rules().issuer.clone();
    Ok(Json(ExaminationView { checks: judged::findings(&facts), issuer }))
}

/// Says what this process knows to be wrong, without trying anything.
pub(super) async fn glance(app: By<Read>) -> Result<Json<ExaminationView>, Failed> {
    let issuer = app.rules().issuer.clone();
    Ok(Json(ExaminationView { checks: judged::findings(&app.glance()?), issuer }))
}

/// Makes the nonce of a request that the caller will send.
pub(super) async fn start_probe(app: By<Read>) -> Created<ProbeView> {
    let nonce = app.start_probe();
    let view = ProbeView {
        forwarded_for: proxy::SENTINEL.to_string(),
        host: app.rules().issuer.authority().to_owned(),
        path: format!("{PROBED}?{NONCE}={nonce}"),
        nonce,
    };
    Created(view)
}

/// Says how the request with a nonce arrived, and forgets it.
pub(super) async fn end_probe(app: By<Read>, Named(nonce): Named) -> Json<ArrivalView> {
    let observed = app.end_probe(&nonce);
    let rules = app.rules();
    let expected = proxy::Expected {
        is_without_tls: rules.config.tls.mode == TlsMode::Off,
        issuer: &rules.issuer,
        proxies: &rules.config.behind_proxy,
    };
    let checks = observed.as_ref().map(|observed| proxy::judged(&expected, observed));
    Json(ArrivalView { arrived: observed.is_some(), checks: checks.unwrap_or_default() })
}
