//! A person's preferences about the hosts of agents and their models.

use crate::error::{Error, Refusal};
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::{Context, Rules};
use crate::model::bridge::{HostId, ModelProtocol};
use crate::oauth::id::UserId;
use crate::store::schema::HostPreference;
use crate::store::{StoreError, Tx, View};

/// The most preferences of a person that are listed. There is one for each known host.
const MAX_LISTED: usize = 1_000;

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
/// [`Refusal::HostIdUnknown`] if the host is unknown, [`Refusal::HostSwitchedOff`] if it is to be
/// enabled and the configuration disables it, and [`Refusal::HostIsLast`] if it is to be disabled
/// and is the only one that is enabled.
pub fn prefer(
    tx: &mut Tx<'_>,
    cx: &Context,
    bridge: &LiveBridge,
    host: &HostId,
    setting: &HostSetting,
) -> Result<(), Error> {
    let user = access::recheck(tx, cx, bridge)?.user();
    if !known(&cx.rules).any(|known| known == host.as_str()) {
        return Err(Refusal::HostIdUnknown.into());
    }
    let key = (user, host.clone());
    let mut row = tx.find::<HostPreference>(&key)?.unwrap_or_default();
    match setting {
        HostSetting::Enabled(enabled) => {
            if *enabled && cx.rules.config.bridge.hosts_off.contains(host) {
                return Err(Refusal::HostSwitchedOff.into());
            }
            if !enabled && enabled_hosts(tx, &cx.rules, user)? == [host.as_str()] {
                return Err(Refusal::HostIsLast.into());
            }
            row.enabled = Some(*enabled);
        }
        HostSetting::Protocols(protocols) => row.model_protocols.clone_from(protocols),
    }
    tx.put(&key, row)?;
    Ok(())
}

/// The preferences of a person.
pub fn list(view: &impl View, user: UserId) -> Result<Vec<(HostId, HostPreference)>, StoreError> {
    let rows = view.list_under::<HostPreference, _>(&user, MAX_LISTED)?;
    Ok(rows.into_iter().map(|((_, host), row)| (host, row)).collect())
}

/// The hosts that are known: the built-in ones, and those of the configuration.
fn known(rules: &Rules) -> impl Iterator<Item = &str> {
    let own = rules.config.bridge.hosts.iter().map(HostId::as_str);
    HostId::KNOWN.into_iter().chain(own.filter(|own| !HostId::KNOWN.contains(own)))
}

/// The known hosts that neither the configuration nor the person disables.
fn enabled_hosts<'r>(
    view: &impl View,
    rules: &'r Rules,
    user: UserId,
) -> Result<Vec<&'r str>, StoreError> {
    let preferences = list(view, user)?;
    let disabled = |host: &str| {
        let row = preferences.iter().find(|(own, _)| own.as_str() == host);
        let by_person = row.is_some_and(|(_, row)| row.enabled == Some(false));
        by_person || rules.config.bridge.hosts_off.iter().any(|off| off.as_str() == host)
    };
    Ok(known(rules).filter(|host| !disabled(host)).collect())
}
