//! The operator's transitions on people: add, recover, change, remove.

use crate::error::{Error, Refusal};
use crate::flow::bridge::hook;
use crate::flow::installation::clock;
use crate::flow::person::setup_link::{self, IssuedSetupLink};
use crate::flow::{Context, removal};
use crate::model::person::{Email, Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::store::schema::{Client, PEOPLE_BY_NAME, Person, SetupPurpose, Subject};
use crate::store::{StoreError, Tx, View};

/// The number of people that are read at a time in the search for another administrator.
const PAGE: usize = 100;

/// Whether no person exists.
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

/// The most people that are searched for one without an email address.
const MAX_SEARCHED: usize = 1000;

/// The username of a person who has no email address, if one of the first people has none.
pub fn without_email(view: &impl View) -> Result<Option<Username>, StoreError> {
    let people = view.list::<Person>(MAX_SEARCHED)?.into_iter();
    let mut without = people.filter(|(_, person)| !person.disabled && person.email.is_none());
    Ok(without.next().map(|(_, person)| person.username))
}

/// A person to be added.
#[derive(Clone)]
pub struct NewPerson {
    /// The account's name.
    pub username: Username,
    /// Their display name; the account's name by default.
    pub display_name: Option<DisplayName>,
    /// Their email address.
    pub email: Option<Email>,
    /// Their roles; `user` if empty.
    pub roles: Vec<Role>,
}

/// Adds a person, and makes their setup link.
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &NewPerson,
) -> Result<(UserId, Person, IssuedSetupLink), Error> {
    if named(tx, &new.username)?.is_some() {
        return Err(Refusal::UserExists.into());
    }
    check_roles(cx, &new.roles)?;
    let own_name = new.username.as_str().parse::<DisplayName>()?;
    let default = || Role::USER.parse().map(|role| vec![role]);
    let person = Person {
        tokens_valid_after: None,
        created: cx.now,
        disabled: false,
        display_name: new.display_name.clone().unwrap_or(own_name),
        email: new.email.clone(),
        roles: if new.roles.is_empty() { default()? } else { new.roles.clone() },
        updated: cx.now,
        username: new.username.clone(),
    };
    let id = UserId::from_seed(&cx.seed);
    tx.put(&id, person.clone())?;
    let invited = setup_link::issue(tx, cx, SetupPurpose::Enrol(id))?;
    Ok((id, person, invited))
}

/// Makes a setup link by which a person registers a new passkey. Without a name, the link is for
/// the first administrator, and is refused once a person exists.
pub fn recover(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: Option<&Username>,
) -> Result<(Option<Person>, IssuedSetupLink), Error> {
    let Some(username) = username else {
        if !nobody(tx)? {
            return Err(Refusal::UsernameMissing.into());
        }
        return Ok((None, setup_link::issue(tx, cx, SetupPurpose::First)?));
    };
    let (id, person) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
    let invited = setup_link::issue(tx, cx, SetupPurpose::Recover(id))?;
    Ok((Some(person), invited))
}

/// A change to a person. A field that is `None` stays as it is.
#[derive(Clone, Default)]
pub struct Change {
    /// Whether the person is disabled.
    pub disabled: Option<bool>,
    /// The display name.
    pub display_name: Option<DisplayName>,
    /// The email address; `Some(None)` removes it.
    pub email: Option<Option<Email>>,
    /// The roles.
    pub roles: Option<Vec<Role>>,
}

/// Changes a person. Disabling takes effect at once: sessions, grants and tokens end,
/// and stay ended when the person is enabled again.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], [`Refusal::RoleUnknown`], and [`Refusal::LastAdministrator`] if no
/// administrator would remain.
pub fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: &Username,
    change: &Change,
) -> Result<(UserId, Person), Error> {
    let (id, old) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
    if let Some(roles) = &change.roles {
        check_roles(cx, roles)?;
    }
    let disabled = change.disabled.unwrap_or(old.disabled);
    let tokens_valid_after = if disabled && !old.disabled {
        Some(old.now_enabled(clock::milestone(tx, cx)?))
    } else {
        old.tokens_valid_after
    };
    let person = Person {
        tokens_valid_after,
        disabled,
        display_name: change.display_name.clone().unwrap_or_else(|| old.display_name.clone()),
        email: change.email.clone().unwrap_or_else(|| old.email.clone()),
        roles: change.roles.clone().unwrap_or_else(|| old.roles.clone()),
        updated: cx.now,
        ..old.clone()
    };
    if administers(&old) && !administers(&person) {
        check_another_administrator(tx, id)?;
    }
    tx.put(&id, person.clone())?;
    if disabled && !old.disabled {
        removal::start(tx, cx, &Subject::Sessions(id))?;
    }
    Ok((id, person))
}

/// Removes a person and everything that belongs to them. Their rows are invalid at once, and are
/// removed step by step. Their id is never used again.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], and [`Refusal::LastAdministrator`] if no administrator would remain.
pub fn remove(tx: &mut Tx<'_>, cx: &Context, username: &Username) -> Result<UserId, Error> {
    let (id, person) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
    if administers(&person) {
        check_another_administrator(tx, id)?;
    }
    tx.remove::<Client>(&hook::of(id)?)?;
    tx.remove::<Person>(&id)?;
    removal::start(tx, cx, &Subject::Person(id))?;
    Ok(id)
}

fn check_roles(cx: &Context, roles: &[Role]) -> Result<(), Refusal> {
    let known = roles.iter().all(|role| cx.rules.config.roles.contains_key(role));
    if known { Ok(()) } else { Err(Refusal::RoleUnknown) }
}

fn administers(person: &Person) -> bool {
    !person.disabled && person.roles.iter().any(|role| role.as_str() == Role::ADMIN)
}

fn check_another_administrator(view: &impl View, id: UserId) -> Result<(), Error> {
    let mut last = None;
    loop {
        let people = view.list_after::<Person, _>(&(), last.as_ref(), PAGE)?;
        if people.iter().any(|(other, person)| *other != id && administers(person)) {
            return Ok(());
        }
        match people.last() {
            Some((next, _)) => last = Some(*next),
            None => return Err(Refusal::LastAdministrator.into()),
        }
    }
}
