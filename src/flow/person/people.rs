//! Transitions on people: an operator adds, changes and removes them, and they name their own
//! e-mail address.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::bridge::hook;
use crate::flow::events::{self, Act};
use crate::flow::installation::clock;
use crate::flow::lists::ListChange;
use crate::flow::person::made::{self, Maker};
use crate::flow::person::setup_link::{self, IssuedSetupLink};
use crate::flow::{Context, Rules, removal, rights};
use crate::model::claim::{ClaimName, ClaimValue, MAX_CLAIMS};
use crate::model::email::{Email, PersonEmail, Vouched};
use crate::model::near::nearest;
use crate::model::person::{Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::UserId;
use crate::store::schema::{
    Client, PEOPLE_BY_EMAIL, PEOPLE_BY_NAME, Person, SetupPurpose, Subject,
};
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

/// The most bytes of a person's claims, groups and roles together, as JSON writes them, so that a
/// token with all of them fits wherever a token is sent.
const MAX_CARRIED: usize = 6 * 1024;

/// The most people that are searched for one who is so and so.
const MAX_SEARCHED: usize = 1000;

/// The first person, among the first thousand, who is not disabled and is `so`.
pub fn first(view: &impl View, so: impl Fn(&Person) -> bool) -> Result<Option<Person>, StoreError> {
    let mut people = view.list::<Person>(MAX_SEARCHED)?.into_iter().map(|(_, person)| person);
    Ok(people.find(|person| !person.disabled && so(person)))
}

/// The display names of the first `limit` people, among the first thousand, who administer this
/// server: whom others can ask.
pub fn administrators(view: &impl View, limit: usize) -> Result<Vec<DisplayName>, StoreError> {
    let people = view.list::<Person>(MAX_SEARCHED)?.into_iter().map(|(_, person)| person);
    Ok(people.filter(administers).take(limit).map(|person| person.display_name).collect())
}

/// Checks that nobody but `user` has an email address.
pub fn check_email(view: &impl View, email: &Email, user: Option<UserId>) -> Result<(), Error> {
    let holders = view.by(&PEOPLE_BY_EMAIL, &email.folded(), 1)?;
    if holders.iter().all(|holder| Some(*holder) == user) {
        Ok(())
    } else {
        Err(Refusal::EmailTaken.into())
    }
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
    /// Their groups.
    pub groups: Vec<Group>,
    /// Their roles; `user` if empty.
    pub roles: Vec<Role>,
}

/// A person whom an operator added or changed.
pub struct Stored {
    /// Who had typed the e-mail address that is now this person's.
    pub email_taken_from: Option<Username>,
    /// Their id.
    pub id: UserId,
    /// Their row.
    pub person: Person,
}

/// Adds a person, and makes their setup link.
///
/// # Errors
///
/// [`Refusal::UserExists`], [`Refusal::RoleUnknown`], [`Refusal::EmailTaken`],
/// [`Refusal::PersonTooLarge`] and [`Refusal::AdministrationExceeded`].
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &NewPerson,
) -> Result<(Stored, IssuedSetupLink), Error> {
    if named(tx, &new.username)?.is_some() {
        return Err(Refusal::UserExists.into());
    }
    check_roles(cx, &new.roles)?;
    let id = UserId::from_seed(&cx.seed);
    let email_taken_from = match &new.email {
        Some(email) => give_email(tx, cx, email, id)?,
        None => None,
    };
    let own_name = new.username.as_str().parse::<DisplayName>()?;
    let person = Person {
        claims: BTreeMap::new(),
        tokens_valid_after: None,
        created: cx.now,
        disabled: false,
        display_name: new.display_name.clone().unwrap_or(own_name),
        email: new.email.clone().map(PersonEmail::by_operator),
        groups: new.groups.clone(),
        roles: roles_or_default(&new.roles)?,
        signed_out: None,
        updated: cx.now,
        username: new.username.clone(),
    };
    check_carried(&person)?;
    rights::check_person(cx, &person)?;
    tx.put(&id, person.clone())?;
    let invited = setup_link::issue(tx, cx, SetupPurpose::New(id))?;
    let act = invited.describe(Act::new(Kind::UserAdded).person(id).named(&person.username));
    events::record(tx, cx, act.facts("roles", &person.roles).facts("groups", &person.groups))?;
    Ok((Stored { email_taken_from, id, person }, invited))
}

/// A change to a person. A field that is `None` stays as it is.
#[derive(Clone, Default)]
pub struct Change {
    /// The claims that are given or, by `None`, taken away.
    pub claims: BTreeMap<ClaimName, Option<ClaimValue>>,
    /// Whether the person is disabled.
    pub disabled: Option<bool>,
    /// The display name.
    pub display_name: Option<DisplayName>,
    /// The email address; `Some(None)` removes it.
    pub email: Option<Option<Email>>,
    /// Whether the email address is the person's; `Some(None)` leaves that to the policy.
    pub email_verified: Option<Option<bool>>,
    /// The groups.
    pub groups: ListChange<Group>,
    /// The roles.
    pub roles: ListChange<Role>,
}

/// Changes a person. Disabling takes effect at once: sessions, grants, tokens, and the links and
/// invitations that the person made end, and stay ended when the person is enabled again.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], [`Refusal::RoleUnknown`], [`Refusal::EmailTaken`],
/// [`Refusal::NotListed`], [`Refusal::EmailMissing`] if there is no address to vouch for,
/// [`Refusal::EmailUnnamed`] if it is one that the person typed and the change does not name it,
/// [`Refusal::PersonTooLarge`], and [`Refusal::LastAdministrator`] if no administrator would remain.
pub fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: &Username,
    change: &Change,
) -> Result<Stored, Error> {
    let (id, old) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
    rights::check_person(cx, &old)?;
    for roles in change.roles.replace.iter().chain([&change.roles.add]) {
        check_roles(cx, roles)?;
    }
    let disabled = change.disabled.unwrap_or(old.disabled);
    let tokens_valid_after = if disabled && !old.disabled {
        Some(old.now_enabled(clock::milestone(tx, cx)?))
    } else {
        old.tokens_valid_after
    };
    let email_taken_from = match &change.email {
        Some(Some(email)) => give_email(tx, cx, email, id)?,
        Some(None) | None => None,
    };
    let email = changed_email(&old, change)?;
    let person = Person {
        claims: changed_claims(&old, &change.claims)?,
        tokens_valid_after,
        disabled,
        display_name: change.display_name.clone().unwrap_or_else(|| old.display_name.clone()),
        email,
        groups: change.groups.applied("groups", &old.groups)?,
        roles: change.roles.applied("roles", &old.roles)?,
        updated: cx.now,
        ..old.clone()
    };
    check_carried(&person)?;
    rights::check_person(cx, &person)?;
    if administers(&old) && !administers(&person) {
        check_another_administrator(tx, id)?;
    }
    tx.put(&id, person.clone())?;
    if disabled && !old.disabled {
        removal::start(tx, cx, &Subject::Sessions(id))?;
        made::end(tx, cx, Maker::Person(id))?;
    }
    if let Some(act) = changed(&old, &person) {
        events::record(tx, cx, act.person(id).named(&person.username))?;
    }
    Ok(Stored { email_taken_from, id, person })
}

/// What a change did to a person; `None`: nothing.
fn changed(old: &Person, new: &Person) -> Option<Act> {
    let mut act = Act::new(Kind::UserChanged);
    let mut members = Vec::new();
    if old.disabled != new.disabled {
        act = act.fact("disabled", new.disabled);
        members.push("disabled");
    }
    if old.roles != new.roles {
        act = act.fact("roles_before", joined(&old.roles)).fact("roles", joined(&new.roles));
        members.push("roles");
    }
    if old.groups != new.groups {
        act = act.fact("groups_before", joined(&old.groups)).fact("groups", joined(&new.groups));
        members.push("groups");
    }
    let others = [
        ("claims", old.claims != new.claims),
        ("display_name", old.display_name != new.display_name),
        ("email", old.email != new.email),
    ];
    members.extend(others.iter().filter(|(_, differs)| *differs).map(|(member, _)| *member));
    (!members.is_empty()).then(|| act.fact("changed", members.join(", ")))
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Who has an e-mail address.
pub fn holder(view: &impl View, email: &Email) -> Result<Option<Person>, StoreError> {
    match view.by(&PEOPLE_BY_EMAIL, &email.folded(), 1)?.pop() {
        Some(id) => view.find::<Person>(&id),
        None => Ok(None),
    }
}

/// Makes an address free for `user`, to whom an operator gives it: whoever only typed it loses it.
/// Returns who that was.
///
/// # Errors
///
/// [`Refusal::EmailTaken`] if an operator gave it to somebody else.
fn give_email(
    tx: &mut Tx<'_>,
    cx: &Context,
    email: &Email,
    user: UserId,
) -> Result<Option<Username>, Error> {
    let holder = tx.by(&PEOPLE_BY_EMAIL, &email.folded(), 1)?.pop();
    let Some(holder) = holder.filter(|holder| *holder != user) else { return Ok(None) };
    let typed = |person: &Person| person.email.as_ref().is_some_and(|own| own.is_only_typed());
    let other = tx.find::<Person>(&holder)?.filter(typed).ok_or(Refusal::EmailTaken)?;
    rights::check_person(cx, &other)?;
    let username = other.username.clone();
    tx.put(&holder, Person { email: None, updated: cx.now, ..other })?;
    Ok(Some(username))
}

/// The email address after a change of the operator's. A new address is vouched for by the policy,
/// until the operator says otherwise. One that the person typed has to be named: they could type
/// another one just before.
fn changed_email(old: &Person, change: &Change) -> Result<Option<PersonEmail>, Refusal> {
    let entered = change.email.clone().map(|email| email.map(PersonEmail::by_operator));
    let same =
        |new: &PersonEmail, old: &PersonEmail| new.address == old.address && !old.is_only_typed();
    let mut email = match (entered, &old.email) {
        (None, old) => old.clone(),
        (Some(Some(new)), Some(old)) if same(&new, old) => Some(old.clone()),
        (Some(new), _) => new,
    };
    if let Some(verified) = change.email_verified {
        let email = email.as_mut().ok_or(Refusal::EmailMissing)?;
        if email.is_only_typed() {
            return Err(Refusal::EmailUnnamed);
        }
        email.vouched = verified.map_or(Vouched::ByPolicy, Vouched::Explicitly);
    }
    Ok(email)
}

fn changed_claims(
    old: &Person,
    changes: &BTreeMap<ClaimName, Option<ClaimValue>>,
) -> Result<BTreeMap<ClaimName, ClaimValue>, Refusal> {
    let mut claims = old.claims.clone();
    for (name, value) in changes {
        match value {
            Some(value) => claims.insert(name.clone(), value.clone()),
            None => claims.remove(name),
        };
    }
    if claims.len() > MAX_CLAIMS {
        return Err(Refusal::MemberMalformed("claims", "a person has at most 32 of them"));
    }
    Ok(claims)
}

/// Stores the display name that a person typed. Their username stays.
///
/// # Errors
///
/// [`Refusal::UserNotFound`].
pub fn set_own_name(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    name: &DisplayName,
) -> Result<(), Error> {
    let person = tx.find::<Person>(&user)?.ok_or(Refusal::UserNotFound)?;
    if person.display_name == *name {
        return Ok(());
    }
    let act = Act::new(Kind::UserChanged).by(user).named(&person.username);
    events::record(tx, cx, act.fact("changed", "display_name"))?;
    Ok(tx.put(&user, Person { display_name: name.clone(), updated: cx.now, ..person })?)
}

/// Stores the email address that a person typed, or takes theirs away. Nobody vouches for it, unless
/// it is the one that they had.
///
/// # Errors
///
/// [`Refusal::UserNotFound`] and [`Refusal::EmailTaken`].
pub fn set_own_email(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    email: Option<&Email>,
) -> Result<(), Error> {
    let person = tx.find::<Person>(&user)?.ok_or(Refusal::UserNotFound)?;
    if person.email.as_ref().map(|own| &own.address) == email {
        return Ok(());
    }
    if let Some(email) = email {
        check_email(tx, email, Some(user))?;
    }
    let email = email.cloned().map(PersonEmail::by_person);
    let act = Act::new(Kind::EmailChanged).by(user).named(&person.username);
    events::record(tx, cx, act)?;
    Ok(tx.put(&user, Person { email, updated: cx.now, ..person })?)
}

/// Removes a person and everything that belongs to them. Their rows are invalid at once, and are
/// removed step by step. Their id is never used again.
///
/// # Errors
///
/// [`Refusal::UserNotFound`], and [`Refusal::LastAdministrator`] if no administrator would remain.
pub fn remove(tx: &mut Tx<'_>, cx: &Context, username: &Username) -> Result<UserId, Error> {
    let (id, person) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
    rights::check_person(cx, &person)?;
    if administers(&person) {
        check_another_administrator(tx, id)?;
    }
    tx.remove::<Client>(&hook::of(id)?)?;
    tx.remove::<Person>(&id)?;
    removal::start(tx, cx, &Subject::Person(id))?;
    made::end(tx, cx, Maker::Person(id))?;
    events::record(tx, cx, Act::new(Kind::UserRemoved).person(id).named(&person.username))?;
    Ok(id)
}

/// Checks that the rules know every role.
///
/// # Errors
///
/// [`Refusal::RoleUnknown`], with the roles that there are.
pub fn check_roles(cx: &Context, roles: &[Role]) -> Result<(), Error> {
    let unknown = roles.iter().find(|role| !cx.rules.config.roles.contains_key(role));
    unknown.map_or(Ok(()), |role| Err(role_unknown(&cx.rules, role.as_str())))
}

/// The most roles that stand beside a refusal.
const MAX_ROLES: usize = 20;

/// The refusal of a role that the configuration does not know, with those that it knows.
pub fn role_unknown(rules: &Rules, written: &str) -> Error {
    let known = rules.config.roles.keys().map(ToString::to_string);
    Error::with_known(Refusal::RoleUnknown, nearest(written, known, MAX_ROLES))
}

/// The roles of a new person: those that were named, or `user`.
pub fn roles_or_default(named: &[Role]) -> Result<Vec<Role>, Refusal> {
    if named.is_empty() { Role::USER.parse().map(|role| vec![role]) } else { Ok(named.to_vec()) }
}

/// Checks what tokens would carry of a person.
fn check_carried(person: &Person) -> Result<(), Refusal> {
    let claims = person.claims.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    check_size(&person.roles, &person.groups, &claims.collect::<Vec<_>>())
}

/// Checks what tokens would carry of a person with these roles and groups, and of the texts of
/// their claims, as JSON writes it.
pub fn check_size(roles: &[Role], groups: &[Group], claims: &[&str]) -> Result<(), Refusal> {
    // The claim `groups` has the roles, too.
    let texts = roles.iter().chain(roles).map(Role::as_str);
    let texts = texts.chain(groups.iter().map(Group::as_str));
    // A comma or a colon follows each.
    let all: usize = texts
        .chain(claims.iter().copied())
        .map(|text| Value::from(text).to_string().len() + 1)
        .sum();
    if all > MAX_CARRIED { Err(Refusal::PersonTooLarge) } else { Ok(()) }
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
