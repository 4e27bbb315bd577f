//! The owner of a client. The client may act only as long as its owner is enabled.

use crate::store::schema::{Client, Person};
use crate::store::{StoreError, View};

/// Whether a client has no owner, or its owner exists, is enabled, and was not disabled since the
/// client was made.
pub fn owner_may(view: &impl View, client: &Client) -> Result<bool, StoreError> {
    let Some(owner) = &client.owner else { return Ok(true) };
    let person = view.find_shared::<Person>(owner)?;
    Ok(person.is_some_and(|person| person.enabled_since(client.created)))
}
