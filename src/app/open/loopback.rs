//! The ports of this machine that an installation names, before it is opened for good.

use std::collections::BTreeSet;

use url::Url;

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
    let webhook = config.events.webhook.iter().filter_map(|url| Url::parse(url).ok());
    let mut urls: Vec<Url> = webhook.collect();
    if let Found::Installation(_, _, store) = Found::at(config).await? {
        let view = store.read().map_err(Error::from)?;
        for (_, client) in view.list::<Client>(usize::MAX).map_err(Error::from)? {
            let of = client.metadata;
            let named = [of.backchannel_logout_uri, of.jwks_uri].into_iter().flatten();
            urls.extend(named.filter_map(|uri| uri.url()));
        }
    }
    Ok(urls.iter().filter_map(loopback_port).collect())
}
