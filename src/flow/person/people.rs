//! People, as the operator sees them.

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::person::enroll::{self, Invited};
use crate::oauth::id::UserId;
use crate::oauth::person::{DisplayName, Email, Role, Username};
use crate::store::schema::{PEOPLE_BY_NAME, Person, SetupPurpose};
use crate::store::{StoreError, Tx, View};

/// Whether nobody exists yet.
pub fn nobody(view: &impl View) -> Result<bool, StoreError> {
    Ok(view.count::<Person>(1)? == 0)
}

/// The person of that name.
pub fn named(
    view: &impl View,
    username: &Username,
) -> Result<Option<(UserId, Person)>, StoreError> {
    let Some(id) = view.by(&PEOPLE_BY_NAME, &username.folded(), 1)?.first().copied() else {
        return Ok(None);
    };
    Ok(view.find::<Person>(&id)?.map(|person| (id, person)))
}

/// A person to be added.
#[derive(Clone)]
pub struct NewPerson {
    /// The account's name.
    pub username: Username,
    /// What they are called: the account's name where nothing else is said.
    pub display_name: Option<DisplayName>,
    /// Their address.
    pub email: Option<Email>,
    /// What they are here: `user` where nothing else is said.
    pub roles: Vec<Role>,
}

/// Adds a person, and makes their setup link.
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &NewPerson,
) -> Result<(UserId, Person, Invited), Error> {
    if named(tx, &new.username)?.is_some() {
        return Err(Refusal::UserExists.into());
    }
    if !new.roles.iter().all(|role| cx.rules.config.roles.contains_key(role)) {
        return Err(Refusal::RoleUnknown.into());
    }
    let own_name = new.username.as_str().parse::<DisplayName>()?;
    let default = || Role::USER.parse().map(|role| vec![role]);
    let person = Person {
        created: cx.now,
        disabled: false,
        display_name: new.display_name.clone().unwrap_or(own_name),
        email: new.email.clone(),
        roles: if new.roles.is_empty() { default()? } else { new.roles.clone() },
        updated: cx.now,
        username: new.username.clone(),
    };
    let id = UserId::draw(&cx.fresh);
    tx.put(&id, person.clone())?;
    let invited = enroll::invite(tx, cx, SetupPurpose::Enrol(id))?;
    Ok((id, person, invited))
}

/// Makes a link by which a person gets a new passkey; without a name, the first administrator's,
/// while nobody exists.
pub fn recover(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: Option<&Username>,
) -> Result<(Option<Person>, Invited), Error> {
    let Some(username) = username else {
        if !nobody(tx)? {
            return Err(Refusal::UsernameMissing.into());
        }
        return Ok((None, enroll::invite(tx, cx, SetupPurpose::First)?));
    };
    let (id, person) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
    let invited = enroll::invite(tx, cx, SetupPurpose::Recover(id))?;
    Ok((Some(person), invited))
}
