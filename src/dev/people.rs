//! People who are made when they are named first.

use crate::error::Error;
use crate::flow::Context;
use crate::flow::person::people::{self, NewPerson};
use crate::model::email::Email;
use crate::model::person::Username;
use crate::oauth::id::UserId;
use crate::store::Tx;

/// The domain of the addresses of people who are made here. Nobody has it (RFC 2606 §2).
pub(super) const DOMAIN: &str = "@example.test";

/// The person of that name, who is made if there is none.
pub(super) fn person(tx: &mut Tx<'_>, cx: &Context, username: &Username) -> Result<UserId, Error> {
    if let Some((id, _)) = people::named(tx, username)? {
        return Ok(id);
    }
    let address = match username.as_str() {
        whole if whole.contains('@') => whole.to_owned(),
        local => format!("{local}{DOMAIN}"),
    };
    // A name that no address can have goes without, as does one whose address somebody has.
    let email = address.parse::<Email>().ok();
    let is_free = |email: &Email| people::holder(tx, email).is_ok_and(|holder| holder.is_none());
    let new = NewPerson {
        display_name: None,
        email: email.filter(is_free),
        groups: Vec::new(),
        roles: Vec::new(),
        username: username.clone(),
    };
    people::add(tx, cx, &new).map(|(stored, _)| stored.id)
}
