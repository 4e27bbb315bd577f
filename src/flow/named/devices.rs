//! Linked devices, and what each comes in by.

use super::{Found, beginning, by_name, candidate, known, known_of, of, of_hex, of_text};
use crate::error::{Candidate, Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::{access, device};
use crate::model::bridge::BridgeSessionId;
use crate::model::fingerprint::Fingerprint;
use crate::store::schema::{
    BridgeSession, DEVICES_BY_NAME, DeviceCertificate, DeviceMeans, LinkedDevice, Person,
};
use crate::store::{StoreError, View};

/// The linked device that an operator names by its id, by the id of one of its sessions, by its name,
/// or by the beginning of such an id.
///
/// # Errors
///
/// [`Refusal::LinkedDeviceNotFound`] with names of devices that there are, and
/// [`Refusal::NameAmbiguous`].
pub fn device(
    view: &impl View,
    cx: &Context,
    written: &str,
) -> Result<(String, LinkedDevice), Error> {
    let mut id = written.to_owned();
    if let Ok(session) = written.parse::<BridgeSessionId>()
        && let Some(session) = view.find::<BridgeSession>(&session)?
    {
        id = session.linked;
    }
    if let Some(device) = view.find::<LinkedDevice>(&id)?.filter(|device| !device.ended) {
        return Ok((id, device));
    }
    if let Some(found) = devices_by_name(view, cx, written)?.only()? {
        return Ok(found);
    }
    let devices =
        beginning(view, of_text(written), |id: String, _: LinkedDevice| live_device(view, cx, id))?;
    let mut found = devices.and(beginning(
        view,
        of_text(written),
        |id: BridgeSessionId, session: BridgeSession| match access::live(view, cx, &id)? {
            Some(_) => live_device(view, cx, session.linked),
            None => Ok(None),
        },
    )?);
    found.items.sort_by(|((a, _), _), ((b, _), _)| a.cmp(b));
    found.items.dedup_by(|((a, _), _), ((b, _), _)| a == b);
    if let Some(found) = found.only()? {
        return Ok(found);
    }
    let known = known(view, &DEVICES_BY_NAME, written, |_| None)?;
    Err(Error::with_known(Refusal::LinkedDeviceNotFound, known))
}

/// A live device, and its form beside a refusal.
type Device = ((String, LinkedDevice), Candidate);

fn devices_by_name(
    view: &impl View,
    cx: &Context,
    written: &str,
) -> Result<Found<(String, LinkedDevice)>, StoreError> {
    by_name(view, &DEVICES_BY_NAME, written, |id| live_device(view, cx, id))
}

fn live_device(view: &impl View, cx: &Context, id: String) -> Result<Option<Device>, StoreError> {
    let Some(device) = device::live(view, cx.now, &id)? else { return Ok(None) };
    let person = view.find::<Person>(&device.user)?;
    let candidate = candidate(&id, &of(device.name.as_str(), person.as_ref()));
    Ok(Some(((id, device), candidate)))
}

/// The id of the personal access token that an operator names by its id, by the name of its device
/// or by the beginning of its id.
///
/// # Errors
///
/// [`Refusal::PersonalTokenNotFound`] with names of devices that there are, and
/// [`Refusal::NameAmbiguous`].
pub fn personal_token(view: &impl View, cx: &Context, written: &str) -> Result<String, Error> {
    let comes_by_token = |device: &LinkedDevice| matches!(device.means, DeviceMeans::Token { .. });
    let id = written.to_owned();
    let exact = view.find::<LinkedDevice>(&id)?;
    if exact.is_some_and(|device| !device.ended && comes_by_token(&device)) {
        return Ok(id);
    }
    let mut named = devices_by_name(view, cx, written)?;
    named.items.retain(|((_, device), _)| comes_by_token(device));
    if let Some((id, _)) = named.only()? {
        return Ok(id);
    }
    let found = beginning(view, of_text(written), |id: String, device: LinkedDevice| {
        if comes_by_token(&device) { live_device(view, cx, id) } else { Ok(None) }
    })?;
    if let Some((id, _)) = found.only()? {
        return Ok(id);
    }
    let known = known_by(view, written, comes_by_token)?;
    Err(Error::with_known(Refusal::PersonalTokenNotFound, known))
}

/// The device certificate that an operator names by its fingerprint, by the name of its device or by
/// the beginning of its fingerprint.
///
/// # Errors
///
/// [`Refusal::CertificateNotFound`] with names of devices that there are, and
/// [`Refusal::NameAmbiguous`].
pub fn certificate(view: &impl View, cx: &Context, written: &str) -> Result<Fingerprint, Error> {
    if let Ok(fingerprint) = written.parse::<Fingerprint>()
        && view.find::<DeviceCertificate>(&fingerprint)?.is_some()
    {
        return Ok(fingerprint);
    }
    let mut named = devices_by_name(view, cx, written)?;
    let fingerprint = |device: &LinkedDevice| match device.means {
        DeviceMeans::Certificate(fingerprint) => Some(fingerprint),
        DeviceMeans::Session(_) | DeviceMeans::Token { .. } => None,
    };
    named.items.retain(|((_, device), _)| fingerprint(device).is_some());
    for ((_, device), candidate) in &mut named.items {
        candidate.id = fingerprint(device).map_or_else(String::new, |own| own.to_string());
    }
    if let Some(found) = named.only()?.and_then(|(_, device)| fingerprint(&device)) {
        return Ok(found);
    }
    let found = beginning(view, of_hex(written), |own: Fingerprint, row: DeviceCertificate| {
        let person = view.find::<Person>(&row.user)?;
        Ok(Some((own, candidate(&own, &of(row.name.as_str(), person.as_ref())))))
    })?;
    if let Some(found) = found.only()? {
        return Ok(found);
    }
    let known = known_by(view, written, |device| fingerprint(device).is_some())?;
    Err(Error::with_known(Refusal::CertificateNotFound, known))
}

/// Names of the devices that come by what a verb is about.
fn known_by(
    view: &impl View,
    written: &str,
    comes: impl Fn(&LinkedDevice) -> bool,
) -> Result<Vec<String>, StoreError> {
    known_of(
        view,
        &DEVICES_BY_NAME,
        written,
        |_| None,
        |id| Ok(view.find::<LinkedDevice>(id)?.is_some_and(|device| comes(&device))),
    )
}
