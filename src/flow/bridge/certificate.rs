//! Device certificates: register, list, revoke and prove.
//!
//! The issuer of a certificate does not count. An operator registers its fingerprint for a person.
//! A client that proves possession of its key is then that person, until the certificate expires or
//! is revoked.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::bridge::device::{self, Asking, NewDevice, Opener};
use crate::flow::events::{self, Act};
use crate::flow::person::people;
use crate::flow::{Context, rights};
use crate::model::fingerprint::Fingerprint;
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::store::schema::{CERTIFICATES_BY_USER, DeviceCertificate, DeviceMeans, Person};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// A certificate to be registered.
#[derive(Clone)]
pub struct NewCertificate {
    /// The last second of its validity.
    pub expires: Timestamp,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The name of the device.
    pub name: DisplayName,
    /// The person it identifies.
    pub username: Username,
}

/// A registered certificate, and the person it identifies.
#[derive(Clone)]
pub struct Registered {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The person, if they still exist.
    pub person: Option<Person>,
    /// The row.
    pub row: DeviceCertificate,
}

/// Registers a certificate for a person.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], [`Refusal::CertificateOver`], and [`Refusal::CertificateExists`] if
/// it is already registered, even if it was revoked: a revoked certificate is not registered again.
pub fn enroll(tx: &mut Tx<'_>, cx: &Context, new: &NewCertificate) -> Result<Registered, Error> {
    let (user, person) = people::named(tx, &new.username)?.ok_or(Refusal::UserNotFound)?;
    rights::check_person(cx, &person)?;
    if new.expires < cx.now {
        return Err(Refusal::CertificateOver.into());
    }
    if tx.find::<DeviceCertificate>(&new.fingerprint)?.is_some() {
        return Err(Refusal::CertificateExists.into());
    }
    let created = person.now_enabled(cx.now);
    let means = DeviceMeans::Certificate(new.fingerprint);
    let (expires, name) = (new.expires, new.name.clone());
    let linked = device::make(tx, cx, NewDevice { created, expires, means, name, user })?;
    let row = DeviceCertificate {
        created,
        expires,
        linked,
        name: new.name.clone(),
        revoked: None,
        used: None,
        user,
    };
    tx.put(&new.fingerprint, row.clone())?;
    let act = Act::new(Kind::CertificateEnrolled).person(user).named(&row.name);
    events::record(tx, cx, act.fact("fingerprint", new.fingerprint))?;
    Ok(Registered { fingerprint: new.fingerprint, person: Some(person), row })
}

/// A page of the registered certificates, of one person or of all, oldest first within the page.
pub fn list(
    view: &impl View,
    user: Option<UserId>,
    span: &Span<Fingerprint>,
) -> Result<Listing<Registered, Fingerprint>, StoreError> {
    let registered = |fingerprint: &Fingerprint, row: DeviceCertificate| {
        let person = view.find::<Person>(&row.user)?;
        Ok(Some(Registered { fingerprint: *fingerprint, person, row }))
    };
    let mut registered = match user {
        None => view.filter::<DeviceCertificate, _>(span, registered)?,
        Some(user) => view.filter_by(&CERTIFICATES_BY_USER, &user, span, |fingerprint| {
            let row = view.find::<DeviceCertificate>(fingerprint)?;
            row.map_or(Ok(None), |row| registered(fingerprint, row))
        })?,
    };
    registered.items.sort_unstable_by_key(|one| (one.row.created, one.fingerprint));
    Ok(registered)
}

/// The registered certificate of that fingerprint.
///
/// # Errors
///
/// [`Refusal::CertificateNotFound`].
pub fn by_fingerprint(view: &impl View, fingerprint: &Fingerprint) -> Result<Registered, Error> {
    let row = view.find::<DeviceCertificate>(fingerprint)?.ok_or(Refusal::CertificateNotFound)?;
    let person = view.find::<Person>(&row.user)?;
    Ok(Registered { fingerprint: *fingerprint, person, row })
}

/// Revokes a certificate permanently, with its linked device. If it was already revoked, the time
/// of its revocation stays.
///
/// # Errors
///
/// [`Refusal::CertificateNotFound`].
pub fn revoke(
    tx: &mut Tx<'_>,
    cx: &Context,
    fingerprint: &Fingerprint,
) -> Result<Registered, Error> {
    let Registered { person, row, .. } = by_fingerprint(tx, fingerprint)?;
    rights::check_user(tx, cx, row.user)?;
    device::end(tx, cx, &row.linked)?;
    // The row of the device may be gone before that of an expired certificate.
    let row = DeviceCertificate { revoked: row.revoked.or(Some(cx.now)), ..row };
    tx.put(fingerprint, row.clone())?;
    let act = Act::new(Kind::CertificateRevoked).person(row.user).named(&row.name);
    events::record(tx, cx, act.fact("fingerprint", fingerprint))?;
    Ok(Registered { fingerprint: *fingerprint, person, row })
}

/// The person that a certificate identifies. The caller has proven possession of its key.
///
/// # Errors
///
/// [`Refusal::DeviceCertificateUnknown`], [`Refusal::DeviceCertificateRevoked`],
/// [`Refusal::DeviceCertificateExpired`] and [`Refusal::PersonDisabled`].
pub fn prove(
    view: &impl View,
    cx: &Context,
    fingerprint: &Fingerprint,
) -> Result<(UserId, Person), Error> {
    let row = view.find::<DeviceCertificate>(fingerprint)?;
    let row = row.ok_or(Refusal::DeviceCertificateUnknown)?;
    let person = view.find::<Person>(&row.user)?.ok_or(Refusal::DeviceCertificateUnknown)?;
    if row.revoked.is_some() || !person.disabled && !person.enabled_since(row.created) {
        return Err(Refusal::DeviceCertificateRevoked.into());
    }
    if row.expires < cx.now {
        return Err(Refusal::DeviceCertificateExpired.into());
    }
    if person.disabled {
        return Err(Error::about(Refusal::PersonDisabled, row.user));
    }
    Ok((row.user, person))
}

/// Proves a certificate, as [`prove`] does, and records its use.
pub fn redeem(tx: &mut Tx<'_>, cx: &Context, fingerprint: &Fingerprint) -> Result<Opener, Error> {
    let (user, _) = prove(tx, cx, fingerprint)?;
    let row = tx.find::<DeviceCertificate>(fingerprint)?;
    let row = row.ok_or(Refusal::DeviceCertificateUnknown)?;
    let by = Asking::Device(row.linked.clone());
    tx.put(fingerprint, DeviceCertificate { used: Some(cx.now), ..row })?;
    Ok(Opener { by, user })
}
