//! The ports of this machine that an installation names, before it is opened for good.

use std::collections::BTreeSet;

use super::{Found, OpenError};
use crate::config::Config;
use crate::error::Error;
use crate::fetch::loopback_port;
use crate::store::View as _;
use crate::store::schema::Client;

/// The ports on loopback of the URLs that the installation of `config` fetches or calls: those at which
/// clients have their keys and hear of a logout, and the webhook.
///
/// # Errors
///
/// Those with which it cannot be opened.
pub async fn loopback_ports(config: &Config) -> Result<BTreeSet<u16>, OpenError> {
    let webhook = config.events.webhook.as_deref().and_then(loopback_port);
    let mut ports = BTreeSet::from_iter(webhook);
    if let Found::Installation(_, _, store) = Found::at(config).await? {
        let view = store.read().map_err(Error::from)?;
        for (_, client) in view.list::<Client>(usize::MAX).map_err(Error::from)? {
            let of = client.metadata;
            let named = [&of.backchannel_logout_uri, &of.jwks_uri].into_iter().flatten();
            ports.extend(named.filter_map(|uri| loopback_port(uri.as_str())));
        }
    }
    Ok(ports)
}
