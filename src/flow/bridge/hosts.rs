//! Which hosts of agents a person wants, and with which models.

use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::{Context, Rules};
use crate::model::bridge::{HostId, ModelProtocol};
use crate::store::schema::HostPreference;
use crate::store::{Tx, View};

/// What a person changes about a host.
#[derive(Clone, Debug)]
pub enum HostSetting {
    /// Whether it may be used.
    Enabled(bool),
    /// The protocols to which its models are held; nothing takes that back.
    Protocols(Option<Vec<ModelProtocol>>),
}

/// Writes a wish down.
///
/// # Errors
///
/// [`Refusal::HostIdUnknown`] for a host that nobody knows, and [`Refusal::HostSwitchedOff`] for
/// one that this installation does without.
pub fn prefer(
    tx: &mut Tx<'_>,
    cx: &Context,
    bridge: &LiveBridge,
    host: &HostId,
    setting: &HostSetting,
) -> Result<(), Error> {
    let user = access::recheck(tx, cx, bridge)?.user();
    check(&cx.rules, host)?;
    let key = (user, host.clone());
    let mut row = tx.find::<HostPreference>(&key)?.unwrap_or_default();
    match setting {
        HostSetting::Enabled(enabled) => row.enabled = Some(*enabled),
        HostSetting::Protocols(protocols) => row.model_protocols.clone_from(protocols),
    }
    tx.put(&key, row)?;
    Ok(())
}

fn check(rules: &Rules, host: &HostId) -> Result<(), Refusal> {
    let bridge = &rules.config.bridge;
    if bridge.hosts_off.contains(host) {
        return Err(Refusal::HostSwitchedOff);
    }
    if HostId::KNOWN.contains(&host.as_str()) || bridge.hosts.contains(host) {
        Ok(())
    } else {
        Err(Refusal::HostIdUnknown)
    }
}
