//! What the events say that an operator did to a client.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::event::Kind;
use crate::flow::events::Act;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::store::schema::Client;

/// The event of a client that an operator adds.
pub(super) fn added(id: &ClientId, client: &Client) -> Act {
    let (metadata, act) = (&client.metadata, Act::new(Kind::ClientAdded).client(id));
    let uris: Vec<&str> = metadata.redirect_uris.iter().map(RedirectUri::as_str).collect();
    act.named(metadata.name()).fact("scope", client.scope()).facts("redirect_uris", &uris)
}

/// What a change did to a client; `None`: nothing. `is_redrawn`: it has another logo, or none any more.
pub(super) fn changed(old: &Client, new: &Client, is_redrawn: bool) -> Option<Act> {
    let mut act = Act::new(Kind::ClientChanged);
    if old.enabled != new.enabled {
        act = act.fact("enabled", new.enabled);
    }
    if old.scope() != new.scope() {
        act = act.fact("scope_before", old.scope()).fact("scope", new.scope());
    }
    if old.metadata.redirect_uris != new.metadata.redirect_uris {
        let uris = new.metadata.redirect_uris.iter().map(RedirectUri::as_str);
        act = act.fact("redirect_uris", uris.collect::<Vec<_>>().join(", "));
    }
    let mut members = changed_members(&*old.metadata, &*new.metadata);
    members.extend(changed_members(&*old.decisions, &*new.decisions));
    if old.proof != new.proof {
        members.push("client_secret".to_owned());
    }
    members.extend(is_redrawn.then(|| "logo".to_owned()));
    let same = members.is_empty() && old.enabled == new.enabled;
    (!same).then(|| act.facts("changed", &members))
}

/// The names of the members in which two values of one type differ.
fn changed_members<T: Serialize>(old: &T, new: &T) -> Vec<String> {
    let members = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    };
    let (old, new) = (members(old), members(new));
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    names.filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}
