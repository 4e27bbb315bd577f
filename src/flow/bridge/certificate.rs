//! Device certificates: registered for a person, listed, revoked, and what one proves.
//!
//! Who issued a certificate means nothing here. An operator registers its fingerprint, and from
//! then on whoever holds its key is that person, until it expires or is revoked.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::person::people;
use crate::model::fingerprint::Fingerprint;
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::store::schema::{CERTIFICATES_BY_USER, DeviceCertificate, Person};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// A certificate to be registered.
#[derive(Clone)]
pub struct NewCertificate {
    /// The last moment of its time.
    pub expires: Timestamp,
    /// What names it.
    pub fingerprint: Fingerprint,
    /// What the device is called.
    pub name: DisplayName,
    /// The person it identifies.
    pub username: Username,
}

/// A registered certificate, and the person it identifies.
#[derive(Clone)]
pub struct Registered {
    /// What names it.
    pub fingerprint: Fingerprint,
    /// The person, as far as they are still here.
    pub person: Option<Person>,
    /// What is known of it.
    pub row: DeviceCertificate,
}

/// Registers a certificate for a person.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], [`Refusal::CertificateOver`], and [`Refusal::CertificateExists`] for
/// one that is registered, also where it was revoked: it does not come back.
pub fn enroll(tx: &mut Tx<'_>, cx: &Context, new: &NewCertificate) -> Result<Registered, Error> {
    let (user, person) = people::named(tx, &new.username)?.ok_or(Refusal::UserNotFound)?;
    if new.expires < cx.now {
        return Err(Refusal::CertificateOver.into());
    }
    if tx.find::<DeviceCertificate>(&new.fingerprint)?.is_some() {
        return Err(Refusal::CertificateExists.into());
    }
    let row = DeviceCertificate {
        created: cx.now,
        expires: new.expires,
        name: new.name.clone(),
        revoked: None,
        used: None,
        user,
    };
    tx.put(&new.fingerprint, row.clone())?;
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
    registered.items.sort_by_key(|one| (one.row.created, one.fingerprint));
    Ok(registered)
}

/// Revokes a certificate, for good. One that was revoked before stays as it was.
///
/// # Errors
///
/// [`Refusal::CertificateNotFound`].
pub fn revoke(
    tx: &mut Tx<'_>,
    cx: &Context,
    fingerprint: &Fingerprint,
) -> Result<Registered, Error> {
    let row = tx.find::<DeviceCertificate>(fingerprint)?.ok_or(Refusal::CertificateNotFound)?;
    let row = DeviceCertificate { revoked: row.revoked.or(Some(cx.now)), ..row };
    tx.put(fingerprint, row.clone())?;
    let person = tx.find::<Person>(&row.user)?;
    Ok(Registered { fingerprint: *fingerprint, person, row })
}

/// Whom the holder of a certificate's key is. That they hold it is for the caller to have proven.
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
    // A person who was disabled and enabled again enrols their devices anew.
    let tokens_valid_after = person
        .tokens_valid_after
        .is_some_and(|tokens_valid_after| row.created <= tokens_valid_after);
    if row.revoked.is_some() || tokens_valid_after && !person.disabled {
        return Err(Refusal::DeviceCertificateRevoked.into());
    }
    if row.expires < cx.now {
        return Err(Refusal::DeviceCertificateExpired.into());
    }
    if person.disabled {
        return Err(Refusal::PersonDisabled.into());
    }
    Ok((row.user, person))
}

/// Records that a certificate was used, and returns the person it proves, as [`prove`] does.
pub fn redeem(
    tx: &mut Tx<'_>,
    cx: &Context,
    fingerprint: &Fingerprint,
) -> Result<(UserId, Person), Error> {
    let proven = prove(tx, cx, fingerprint)?;
    if let Some(row) = tx.find::<DeviceCertificate>(fingerprint)? {
        tx.put(fingerprint, DeviceCertificate { used: Some(cx.now), ..row })?;
    }
    Ok(proven)
}
