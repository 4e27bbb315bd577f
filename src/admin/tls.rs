//! `/api/v1/tls`: the local CA, and the certificates that it issues.

use std::time::Duration;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, Keys, ReadKeys};
use super::request::{Body, Created};
use crate::app::App;
use crate::error::Refusal;
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::tls::{Authority, Certificate, Usage};

const DAY: Duration = Duration::from_hours(24);

/// The default lifetime of a certificate, in days.
const DAYS: u32 = 365;
/// The longest lifetime of a certificate, in days, that Apple's systems accept from a CA that a
/// person added.
const MAX_DAYS: u32 = 825;

/// The most names in one certificate.
const MAX_NAMES: usize = 100;

/// A certificate of the local CA.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IssuedCertificateView {
    /// The certificate, in PEM.
    pub(crate) certificate: String,
    /// Its SHA-256 fingerprint, in hex.
    pub(crate) fingerprint: String,
    /// The end of its validity.
    pub(crate) not_after: String,
    /// The start of its validity.
    pub(crate) not_before: String,
}

/// The local CA.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AuthorityView {
    /// Its certificate.
    #[serde(flatten)]
    pub(crate) certificate: IssuedCertificateView,
    /// The path of its certificate, on the server's machine.
    pub(crate) path: String,
}

/// A request for a certificate of a service.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateRequest {
    /// Its lifetime in days, 1 to 825; absent: 365.
    #[cfg_attr(test, schemars(range(min = 1, max = 825)))]
    pub(crate) days: Option<u32>,
    /// The host names and addresses of the service, 1 to 100.
    #[cfg_attr(test, schemars(length(min = 1, max = 100)))]
    pub(crate) names: Vec<String>,
    /// The certificate request (PKCS #10), in PEM.
    pub(crate) request: String,
}

impl IssuedCertificateView {
    fn new(pem: &str) -> Result<Self, Failed> {
        let read = Certificate::from_pem(pem)?;
        Ok(Self {
            certificate: pem.to_owned(),
            fingerprint: read.fingerprint.to_string(),
            not_after: read.not_after.rfc3339(),
            not_before: read.not_before.rfc3339(),
        })
    }
}

pub(super) async fn ca(app: By<ReadKeys>) -> Result<Json<AuthorityView>, Failed> {
    let certificate = IssuedCertificateView::new(app.authority()?.pem())?;
    let path = Authority::path(&app.rules().config.places.data);
    Ok(Json(AuthorityView { certificate, path: path.display().to_string() }))
}

pub(super) async fn issue(
    app: By<Keys>,
    Body(CertificateRequest { days, names, request }): Body<CertificateRequest>,
) -> Result<Created<IssuedCertificateView>, Failed> {
    let days = days.unwrap_or(DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Refusal::MemberMalformed("days", "1 to 825 are expected").into());
    }
    if !(1..=MAX_NAMES).contains(&names.len()) {
        return Err(Refusal::MemberMalformed("names", "1 to 100 are expected").into());
    }
    let now = app.clock().now();
    let issued = app.authority()?.issue(&request, Usage::Server, &names, DAY * days, now)?;
    app.write(move |tx, cx| {
        events::record(tx, cx, Act::new(Kind::CertificateIssued).facts("names", &names))
    })
    .await?;
    Ok(Created(IssuedCertificateView::new(&issued)?))
}

/// Issues a client certificate for a device, for the key that signed the certificate request
/// `request`.
pub(super) fn for_device(app: &App, request: &str, name: &str) -> Result<String, Failed> {
    let (authority, now) = (app.authority()?, app.clock().now());
    Ok(authority.issue(request, Usage::Client, &[name.to_owned()], DAY * DAYS, now)?)
}
