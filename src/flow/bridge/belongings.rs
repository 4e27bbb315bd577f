//! What a person's linked devices come in by and were given, for the person, who ends all of one at once.

use std::collections::BTreeMap;

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::bridge::{certificate, device, pat};
use crate::flow::events::{self, Act};
use crate::oauth::id::UserId;
use crate::store::schema::{DeviceMeans, LinkedDevice};
use crate::store::{Span, StoreError, Tx, View};

/// A linked device, and what hangs on it.
pub struct OwnDevice {
    /// Its row.
    pub device: LinkedDevice,
    /// Its id.
    pub id: String,
    /// Whether what it comes in by, beside a session, is still good.
    pub comes_in: bool,
    /// Its live sessions, oldest first.
    pub sessions: Vec<LiveBridge>,
}

/// The linked devices of a person that are in force, or have a session that is; oldest first. Of tokens,
/// certificates and sessions it looks at the first `limit` each.
pub fn of(
    view: &impl View,
    cx: &Context,
    user: UserId,
    limit: usize,
) -> Result<Vec<OwnDevice>, StoreError> {
    let mut sessions = BTreeMap::<String, Vec<LiveBridge>>::new();
    for bridge in access::list(view, cx, Some(user), &Span::first(limit))?.items {
        sessions.entry(bridge.session().linked.clone()).or_default().push(bridge);
    }
    for token in pat::list(view, cx, Some(user), &Span::first(limit))?.items {
        sessions.entry(token.id).or_default();
    }
    for registered in certificate::list(view, Some(user), &Span::first(limit))?.items {
        sessions.entry(registered.row.linked).or_default();
    }
    let mut devices = Vec::new();
    for (id, sessions) in sessions {
        let Some(device) = view.find::<LinkedDevice>(&id)?.filter(|device| !device.ended) else {
            continue;
        };
        let comes_in = device::live(view, cx.now, &id)?.is_some();
        if comes_in || !sessions.is_empty() {
            devices.push(OwnDevice { device, id, comes_in, sessions });
        }
    }
    devices.sort_unstable_by(|a, b| (a.device.created, &a.id).cmp(&(b.device.created, &b.id)));
    Ok(devices)
}

/// Ends a device of a person at their request, with everything that it was given.
///
/// # Errors
///
/// [`Refusal::LinkedDeviceNotFound`] if it has ended, or belongs to another person.
pub fn end(tx: &mut Tx<'_>, cx: &Context, user: UserId, id: &String) -> Result<(), Error> {
    let device = tx.find::<LinkedDevice>(id)?;
    let device = device.filter(|device| !device.ended && device.user == user);
    let device = device.ok_or(Refusal::LinkedDeviceNotFound)?;
    device::end(tx, cx, id)?;
    let act = match &device.means {
        DeviceMeans::Certificate(own) => {
            Act::new(Kind::CertificateRevoked).fact("fingerprint", own)
        }
        DeviceMeans::Session(session) => Act::new(Kind::BridgeEnded).fact("session", session),
        DeviceMeans::Token { .. } => Act::new(Kind::PersonalTokenRevoked).fact("token", id),
    };
    events::record(tx, cx, act.by(user).named(&device.name)).map(drop)
}

/// Ends every device of a person at their request. Returns the number.
pub fn end_all(tx: &mut Tx<'_>, cx: &Context, user: UserId) -> Result<usize, Error> {
    let devices = of(tx, cx, user, usize::MAX)?;
    for device in &devices {
        end(tx, cx, user, &device.id)?;
    }
    Ok(devices.len())
}
