//! What stands beside a name that an app gave itself: where the app is, since nobody checked the name.

use crate::oauth::client::cimd::DocumentAddress;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::store::schema::{Client, Origin};

/// Where an app is that named itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfNamed {
    /// The host of its document, or each one to which it leads its people: if one stood for all, it
    /// could be that of somebody else. Empty: it names none.
    pub hosts: String,
}

impl SelfNamed {
    /// Who gave a client its name, if no operator did.
    pub fn of(id: &ClientId, client: &Client) -> Option<Self> {
        let document = match client.origin {
            Origin::Document { .. } => DocumentAddress::of(id).ok(),
            Origin::Dynamic { .. } => None,
            Origin::Hook | Origin::Operator => return None,
        };
        if let Some(address) = document {
            return Some(Self { hosts: address.authority().to_owned() });
        }
        let mut hosts = Vec::new();
        for host in client.metadata.redirect_uris.iter().map(RedirectUri::host) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        Some(Self { hosts: hosts.join(", ") })
    }
}
