//! `/api/v1/bridge/certificates`: the registered certificates of devices.

use axum::Json;
use serde::{Deserialize, Serialize};

use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, OfPerson, Query};
use super::request::{Body, Created, Named};
use super::{Failed, tls};
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::flow::bridge::certificate::{self, NewCertificate, Registered};
use crate::flow::named;
use crate::model::fingerprint::Fingerprint;
use crate::oauth::display_name::DisplayName;
use crate::store::schema::Person;
use crate::tls::Certificate;

/// A registered certificate of a device.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DeviceCertificateView {
    /// The time of its registration.
    pub(crate) created: String,
    /// Its expiry.
    pub(crate) expires: String,
    /// Its SHA-256 fingerprint, in hex.
    pub(crate) fingerprint: String,
    /// The name of its device.
    pub(crate) name: String,
    /// The time of its revocation.
    pub(crate) revoked: Option<String>,
    /// The time of its last use.
    pub(crate) used: Option<String>,
    /// Its person.
    pub(crate) username: Option<String>,
}

impl Noun for DeviceCertificateView {
    const PLURAL: &'static str = "certificates";
}

/// A certificate to register: either an existing one, or a request to issue one by the local CA.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrollment {
    /// The certificate, in PEM.
    pub(crate) certificate: Option<String>,
    /// The name of the device.
    pub(crate) name: Option<String>,
    /// The certificate request (PKCS #10), in PEM.
    pub(crate) request: Option<String>,
    /// The person for whom the device acts.
    pub(crate) username: String,
}

/// A newly registered certificate.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EnrolledCertificateView {
    /// The certificate in PEM, if the local CA issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
    /// The registration.
    #[serde(flatten)]
    pub(crate) registered: DeviceCertificateView,
}

/// The person for whom a certificate is registered.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CertificatePersonView {
    /// The subject of the person's tokens.
    pub(crate) id: String,
    /// The name of the account.
    pub(crate) username: String,
}

impl DeviceCertificateView {
    fn new(registered: &Registered) -> Self {
        let row = &registered.row;
        Self {
            created: row.created.rfc3339(),
            expires: row.expires.rfc3339(),
            fingerprint: registered.fingerprint.to_string(),
            name: row.name.to_string(),
            revoked: row.revoked.map(Timestamp::rfc3339),
            used: row.used.map(Timestamp::rfc3339),
            username: registered.person.as_ref().map(|person| person.username.to_string()),
        }
    }
}

pub(super) async fn enroll(
    app: By<People>,
    Body(enrollment): Body<Enrollment>,
) -> Result<Created<EnrolledCertificateView>, Failed> {
    let (_, Person { username, .. }) = named::person(&app.read()?, &enrollment.username)?;
    let name: DisplayName = enrollment.name.as_deref().unwrap_or("device certificate").parse()?;
    let (pem, issued) = match (enrollment.certificate, enrollment.request) {
        (Some(certificate), None) => (certificate, false),
        (None, Some(request)) => (tls::for_device(&app, &request, username.as_str())?, true),
        (None, None) | (Some(_), Some(_)) => {
            let why = "either it or request is expected";
            return Err(Refusal::MemberMalformed("certificate", why).into());
        }
    };
    let read = Certificate::from_pem(&pem)?;
    let new =
        NewCertificate { expires: read.not_after, fingerprint: read.fingerprint, name, username };
    let registered = app.write(move |tx, cx| certificate::enroll(tx, cx, &new)).await?;
    let view = EnrolledCertificateView {
        certificate: issued.then_some(pem),
        registered: DeviceCertificateView::new(&registered),
    };
    Ok(Created(view))
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPerson>,
) -> Result<Json<ListView<DeviceCertificateView>>, Failed> {
    let (view, query) = (app.read()?, query);
    let registered = certificate::list(&view, query.user(&view)?, &query.span()?)?;
    Ok(Json(ListView::new(registered, |registered| DeviceCertificateView::new(&registered))))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<DeviceCertificateView>, Failed> {
    let view = app.read()?;
    let fingerprint = named::certificate(&view, &app.context(), &named)?;
    let registered = certificate::by_fingerprint(&view, &fingerprint)?;
    Ok(Json(DeviceCertificateView::new(&registered)))
}

pub(super) async fn revoke(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<DeviceCertificateView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let fingerprint = named::certificate(tx, cx, &named)?;
        certificate::revoke(tx, cx, &fingerprint)
    });
    Ok(Json(DeviceCertificateView::new(&revoked.await?)))
}

/// The person for whom a device with this certificate acts now. Only the whole fingerprint names the
/// certificate, since a program asks this of what a device has proven.
///
/// # Errors
///
/// The refusal that the device gets.
pub(super) async fn person(
    app: By<ReadPeople>,
    Named(fingerprint): Named,
) -> Result<Json<CertificatePersonView>, Failed> {
    let fingerprint: Fingerprint =
        fingerprint.parse().map_err(|_| Refusal::DeviceCertificateUnknown)?;
    let (view, cx) = (app.read()?, app.context());
    let (id, person) = certificate::prove(&view, &cx, &fingerprint)?;
    Ok(Json(CertificatePersonView { id: id.to_string(), username: person.username.to_string() }))
}
