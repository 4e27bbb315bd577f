//! What handlers take from a request: body, caller, host, peer.

pub(super) mod body;
pub(super) mod caller;
pub(super) mod host;
pub(super) mod peer;
