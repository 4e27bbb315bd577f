//! What an operator decides of a client that describes itself. It stays, whatever the client says
//! of itself later on.

use crate::oauth::client::{PkcePolicy, RefreshPolicy};
use crate::store::schema::Client;

/// Carries over to `client`, as it describes itself now, what was decided of it as `old`.
pub fn carry_over(client: &mut Client, old: &Client) {
    client.access_token_lifetime = old.access_token_lifetime;
    client.anonymous = old.anonymous;
    client.confirmation_waived = old.confirmation_waived;
    client.created = old.created;
    client.enabled = old.enabled;
    client.first_party = old.first_party;
    client.introspect_any = old.introspect_any;
    client.pkce = old.pkce;
    client.refresh = old.refresh;
    client.resources.clone_from(&old.resources);
    client.revision = old.revision;
    if old.scope_decided {
        client.scope.clone_from(&old.scope);
        client.scope_decided = true;
    }
}

/// Whether anything was decided of a client.
pub fn is_any(client: &Client) -> bool {
    client.access_token_lifetime.is_some()
        || client.anonymous
        || client.confirmation_waived
        || !client.enabled
        || client.first_party
        || client.introspect_any
        || client.pkce != PkcePolicy::Required
        || client.refresh != RefreshPolicy::Grace
        || !client.resources.is_empty()
        || client.scope_decided
}
