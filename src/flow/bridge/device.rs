//! Linked devices. A device is one thing: its personal token or certificate, its sessions and its
//! secret of the hook client end together, by the one mark in its row. Every reader of one of them
//! checks that row.

use crate::clock::Timestamp;
use crate::error::Error;
use crate::flow::{Context, rights};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::secret::TokenHash;
use crate::store::schema::{
    BridgeSession, DEVICES_BY_HOOK, DeviceCertificate, DeviceMeans, LinkedDevice, Person,
};
use crate::store::{StoreError, Tx, View};

/// Who asks for access for a person.
pub enum Asking {
    /// Whoever had an exchange code: the person, at no device yet.
    Code,
    /// A linked device, by its id.
    Device(String),
    /// The operator.
    Operator,
}

/// Who opens a session of a person.
pub struct Opener {
    /// Who asks.
    pub by: Asking,
    /// The person.
    pub user: UserId,
}

impl Opener {
    /// The id of the linked device that asks.
    pub fn device(&self) -> Option<&String> {
        match &self.by {
            Asking::Device(id) => Some(id),
            Asking::Code | Asking::Operator => None,
        }
    }
}

/// A device that begins now.
pub struct NewDevice {
    /// Its creation, as its person's row dates it.
    pub created: Timestamp,
    /// The expiry of what it comes in by.
    pub expires: Timestamp,
    /// The way in which it comes in.
    pub means: DeviceMeans,
    /// Its name.
    pub name: DisplayName,
    /// The person.
    pub user: UserId,
}

impl NewDevice {
    /// Its row.
    pub fn row(self) -> LinkedDevice {
        let Self { created, expires, means, name, user } = self;
        LinkedDevice { created, ended: false, expires, hook: None, means, name, used: None, user }
    }
}

/// Stores a device that does not come in by a personal token, and returns its id.
pub fn make(tx: &mut Tx<'_>, cx: &Context, new: NewDevice) -> Result<String, StoreError> {
    let id = cx.seed.uuid("linked device").to_string();
    tx.put(&id, new.row())?;
    Ok(id)
}

/// The device, if it is in force: it was not ended, what it comes in by has not expired, and its
/// person is enabled, without an interruption since it was made.
pub fn live(
    view: &impl View,
    now: Timestamp,
    id: &String,
) -> Result<Option<LinkedDevice>, StoreError> {
    let Some(device) = view.find::<LinkedDevice>(id)? else { return Ok(None) };
    let comes_in = match &device.means {
        DeviceMeans::Certificate(fingerprint) => {
            let row = view.find::<DeviceCertificate>(fingerprint)?;
            row.is_some_and(|row| row.revoked.is_none() && now <= row.expires)
        }
        // A device with a token or a certificate may have taken the session over.
        DeviceMeans::Session(session) => {
            let row = view.find::<BridgeSession>(session)?;
            row.is_some_and(|row| row.linked == *id && now < row.expires)
        }
        DeviceMeans::Token { expires, .. } => now < *expires,
    };
    let person = view.find::<Person>(&device.user)?;
    let enabled = person.is_some_and(|person| person.enabled_since(device.created));
    Ok((comes_in && enabled && !device.ended).then_some(device))
}

/// Whether a device was ended, or its row is gone with everything that it was given.
pub fn is_ended(view: &impl View, id: &String) -> Result<bool, StoreError> {
    Ok(view.find::<LinkedDevice>(id)?.is_none_or(|device| device.ended))
}

/// Whether a session is the only way in which its device comes in, so that another device of the
/// same person may take it over.
pub fn is_session_alone(view: &impl View, id: &String) -> Result<bool, StoreError> {
    let device = view.find::<LinkedDevice>(id)?;
    Ok(device.is_some_and(|device| matches!(device.means, DeviceMeans::Session(_))))
}

/// The live device whose secret of the hook client has this hash, and its id.
pub fn of_hook(
    view: &impl View,
    now: Timestamp,
    hook: &TokenHash,
) -> Result<Option<(String, LinkedDevice)>, StoreError> {
    let Some(id) = view.by(&DEVICES_BY_HOOK, hook, 1)?.pop() else { return Ok(None) };
    Ok(live(view, now, &id)?.map(|device| (id, device)))
}

/// Records that a device is used, and that what it was given lives until `until` at most.
pub fn touch(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &String,
    until: Timestamp,
) -> Result<(), StoreError> {
    if let Some(device) = tx.find::<LinkedDevice>(id)? {
        let expires = device.expires.max(until);
        tx.put(id, LinkedDevice { expires, used: Some(cx.now), ..device })?;
    }
    Ok(())
}

/// Gives the secret of the hook client that a device had to `new`, which took its session over. A
/// device that has a secret keeps that one.
pub fn hand_over(tx: &mut Tx<'_>, old: &String, new: &String) -> Result<(), StoreError> {
    let (Some(from), Some(to)) = (tx.find::<LinkedDevice>(old)?, tx.find::<LinkedDevice>(new)?)
    else {
        return Ok(());
    };
    if from.hook.is_some() && to.hook.is_none() {
        let hook = from.hook;
        tx.put(old, LinkedDevice { hook: None, ..from })?;
        tx.put(new, LinkedDevice { hook, ..to })?;
    }
    Ok(())
}

/// Ends a device, and everything that it was given.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: &String) -> Result<(), StoreError> {
    let Some(device) = tx.find::<LinkedDevice>(id)? else { return Ok(()) };
    if let DeviceMeans::Certificate(fingerprint) = &device.means
        && let Some(row) = tx.find::<DeviceCertificate>(fingerprint)?
    {
        let revoked = row.revoked.or(Some(cx.now));
        tx.put(fingerprint, DeviceCertificate { revoked, ..row })?;
    }
    tx.put(id, LinkedDevice { ended: true, ..device })
}

/// As [`end`], at somebody's request, who may touch its person.
///
/// # Errors
///
/// [`Refusal::AdministrationExceeded`](crate::error::Refusal::AdministrationExceeded)
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: &String) -> Result<(), Error> {
    if let Some(device) = tx.find::<LinkedDevice>(id)? {
        rights::check_user(tx, cx, device.user)?;
    }
    Ok(end(tx, cx, id)?)
}
