//! `/api/v1/tls`: this server's certificate, the local CA, and the certificates that it issues.

use std::time::Duration;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, Keys, ReadKeys};
use super::request::{Body, Created};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::tls::{Authority, Certificate, ServedCertificate, Usage};

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
    /// The time at which its certificate is renewed, for the same key. A machine that trusts this one
    /// does so to its end.
    pub(crate) renews: String,
    /// The first half of the fingerprint as 16 words, to compare on another machine.
    pub(crate) spoken: Vec<String>,
}

/// The certificate that this server shows.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ServedCertificateView {
    /// Its SHA-256 fingerprint, in hex.
    pub(crate) fingerprint: String,
    /// The names and addresses for which it is.
    pub(crate) names: Vec<String>,
    /// The end of its validity.
    pub(crate) not_after: String,
    /// The start of its validity.
    pub(crate) not_before: String,
    /// The time at which this server renews it; null if it comes from files.
    pub(crate) renews: Option<String>,
}

/// What this server does about TLS.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TlsView {
    /// The local CA, if there is one.
    pub(crate) ca: Option<AuthorityView>,
    /// The certificate that this server shows; null without TLS.
    pub(crate) certificate: Option<ServedCertificateView>,
    /// `off`, `local` or `files`.
    pub(crate) mode: String,
    /// The page by which other machines trust the local CA, if there is one. Its fragment is the
    /// fingerprint, for who scans it.
    pub(crate) trust_uri: Option<String>,
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

impl AuthorityView {
    fn new(app: &App, authority: &Authority) -> Result<Self, Failed> {
        let fingerprint = authority.certificate().fingerprint;
        Ok(Self {
            certificate: IssuedCertificateView::new(authority.pem())?,
            path: Authority::path(&app.rules().config.places.data).display().to_string(),
            renews: authority.renews().rfc3339(),
            spoken: fingerprint.spoken().into_iter().map(str::to_owned).collect(),
        })
    }
}

impl From<ServedCertificate> for ServedCertificateView {
    fn from(served: ServedCertificate) -> Self {
        let ServedCertificate { certificate, names, renews } = served;
        Self {
            fingerprint: certificate.fingerprint.to_string(),
            names,
            not_after: certificate.not_after.rfc3339(),
            not_before: certificate.not_before.rfc3339(),
            renews: renews.map(Timestamp::rfc3339),
        }
    }
}

pub(super) async fn show(app: By<ReadKeys>) -> Result<Json<TlsView>, Failed> {
    let authority = app.existing_authority()?;
    let ca = authority.as_deref().map(|authority| AuthorityView::new(&app, authority));
    let trust_uri = authority.map(|authority| authority.page(&app.rules().issuer.at("/trust")));
    Ok(Json(TlsView {
        ca: ca.transpose()?,
        certificate: app.served_certificate().map(Into::into),
        mode: app.rules().config.tls.mode.as_str().to_owned(),
        trust_uri,
    }))
}

pub(super) async fn ca(app: By<ReadKeys>) -> Result<Json<AuthorityView>, Failed> {
    Ok(Json(AuthorityView::new(&app, &*app.authority()?)?))
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
