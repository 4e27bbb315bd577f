//! A person's preferences about the hosts of agents and their models.

use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::{Context, Rules};
use crate::model::bridge::{HostId, ModelProtocol};
use crate::store::schema::HostPreference;
use crate::store::{Tx, View};

/// A preference about a host.
#[derive(Clone, Debug)]
pub enum HostSetting {
    /// Whether it may be used.
    Enabled(bool),
    /// The protocols to which its models are restricted; `None` removes the restriction.
    Protocols(Option<Vec<ModelProtocol>>),
}

/// Stores a preference.
///
/// # Errors
///
/// [`Refusal::HostIdUnknown`] if the host is unknown, and [`Refusal::HostSwitchedOff`] if the
/// configuration disables it.
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
