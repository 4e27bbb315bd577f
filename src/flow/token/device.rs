//! The device code grant: [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4).

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::installation::evidence;
use crate::flow::token::grant;
use crate::flow::token::issue::{self, Issued};
use crate::flow::{Context, resource};
use crate::oauth::client::GrantType;
use crate::oauth::token::DeviceCodeRequest;
use crate::secret::TokenHash;
use crate::store::schema::{Device, DeviceState};
use crate::store::{Tx, View};

/// The number of seconds by which each poll that is too fast raises the interval (RFC 8628 §3.5).
const SLOW_DOWN: u32 = 5;

/// The time by which a poll may arrive too early, since network delays vary.
const LEEWAY: Duration = Duration::from_secs(1);

/// The outcome of a poll.
pub enum Polled {
    /// The device has to wait. The time of the poll must be written.
    Wait(Refusal),
    /// A grant was created.
    Tokens(Box<Issued>),
}

/// Redeems a device code (RFC 8628 §3.4): if a person has approved it, removes the code and creates
/// the grant.
pub fn redeem(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    request: &DeviceCodeRequest,
) -> Result<Polled, Error> {
    let client = proven.row(tx, GrantType::DeviceCode)?;
    let hash = cx.rules.pepper.hash(&request.device_code);
    let device = tx.find::<Device>(&hash)?.ok_or(Refusal::DeviceCodeUnknown)?;
    // The code may belong to an earlier client of the same name.
    if device.client != *proven.id() || device.created < client.created {
        return Err(Refusal::DeviceCodeClientDiffers.into());
    }
    if evidence::is_over(tx, cx, device.expires)? {
        return Err(Refusal::DeviceCodeExpired.into());
    }
    let authorization = match device.state {
        DeviceState::Approved(authorization) => *authorization,
        DeviceState::Denied => return Err(Refusal::DeviceCodeDenied.into()),
        DeviceState::Pending => return wait(tx, cx, &hash, device),
    };
    let (granted, scope) = (&authorization.resources, &authorization.scope);
    let targets = resource::remaining(tx, &cx.rules, &client, granted, scope)?;
    let target = targets.share(&cx.rules, scope, &request.resources)?;
    let ended = Refusal::DeviceCodeEnded;
    let (live, refresh_token) = grant::create(tx, cx, client, authorization, ended)?;
    tx.remove::<Device>(&hash)?;
    let issued = issue::for_grant(cx, &live, target, None, refresh_token);
    Ok(Polled::Tokens(Box::new(issued)))
}

/// Records a poll. RFC 8628 §3.5: on `slow_down` "the interval MUST be increased by 5 seconds for
/// this and all subsequent requests".
fn wait(tx: &mut Tx<'_>, cx: &Context, key: &TokenHash, device: Device) -> Result<Polled, Error> {
    let mut device = device;
    let due = Duration::from_secs(device.interval.into());
    let too_fast = device.polled.is_some_and(|last| cx.now.since(last) + LEEWAY < due);
    if too_fast {
        device.interval = device.interval.saturating_add(SLOW_DOWN);
    }
    device.polled = Some(cx.now);
    tx.put(key, device)?;
    Ok(Polled::Wait(if too_fast {
        Refusal::DeviceCodePolledTooFast
    } else {
        Refusal::DeviceCodePending
    }))
}
