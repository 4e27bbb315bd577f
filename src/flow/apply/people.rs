//! The people of a file, and the groups, which are nothing but names that people have.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use super::{Manifest, Noun, UserEntry, context_of, marks};
use crate::error::{Error, Refusal};
use crate::flow::lists::ListChange;
use crate::flow::person::people::{self, Change, NewPerson, Stored};
use crate::flow::{Context, named};
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::email::{Email, Vouched};
use crate::model::person::{Role, Username};
use crate::oauth::group::Group;
use crate::oauth::id::UserId;
use crate::store::schema::Person;
use crate::store::{Tx, View};

/// The number of people that are read at a time.
const PAGE: usize = 256;

/// The members that refusals are about.
const MEMBERS: &[(Refusal, &str)] = &[
    (Refusal::EmailMissing, "email_verified"),
    (Refusal::EmailTaken, "email"),
    (Refusal::EmailUnnamed, "email_verified"),
];

/// Adds and changes the people, and sets who is in which group.
///
/// # Errors
///
/// Those of [`people`].
pub(super) fn apply(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let memberships = Memberships::of(manifest);
    release_emails(tx, cx, manifest, ledger)?;
    // The new administrators go first: another one may be none any longer.
    let is_administrator =
        |entry: &UserEntry| entry.roles.iter().flatten().any(|role| role.as_str() == Role::ADMIN);
    let mut users: Vec<_> = manifest.users.iter().collect();
    users.sort_by_key(|(_, entry)| !is_administrator(entry));
    for (username, entry) in users {
        check_roles(cx, username, entry)?;
        let cx = context_of(cx, Noun::User, username.as_str());
        let set = match people::named(tx, username)? {
            Some((id, person)) => {
                change(tx, &cx, (id, &person), entry, &memberships, ledger).map(drop)
            }
            None => add(tx, &cx, username, entry, &memberships, ledger),
        };
        set.map_err(|error| located(error, username))?;
    }
    check_members(tx, manifest)?;
    set_other_members(tx, cx, manifest, &memberships, ledger)
}

/// What the sections of the groups say.
struct Memberships {
    /// The groups that each person is put into, by the folded username.
    by_person: BTreeMap<Username, Vec<Group>>,
    /// The groups that have a section.
    named: BTreeSet<Group>,
}

impl Memberships {
    fn of(manifest: &Manifest) -> Self {
        let mut by_person = BTreeMap::<Username, Vec<Group>>::new();
        for (group, members) in &manifest.groups {
            for member in members {
                let groups = by_person.entry(member.folded()).or_default();
                if !groups.contains(group) {
                    groups.push(group.clone());
                }
            }
        }
        Self { by_person, named: manifest.groups.keys().cloned().collect() }
    }

    fn given(&self, username: &Username) -> &[Group] {
        self.by_person.get(&username.folded()).map_or(&[], Vec::as_slice)
    }

    /// The groups of a person who has `present`, and whose own section says `own`.
    fn applied(
        &self,
        username: &Username,
        present: &[Group],
        own: Option<&Vec<Group>>,
    ) -> Vec<Group> {
        let given = self.given(username);
        let stays = |group: &&Group| given.contains(group) || !self.named.contains(*group);
        let mut groups: Vec<Group> = match own {
            Some(own) => own.clone(),
            None => present.iter().filter(stays).cloned().collect(),
        };
        groups.extend(given.iter().cloned());
        let mut seen = BTreeSet::new();
        groups.retain(|group| seen.insert(group.clone()));
        groups
    }
}

/// Checks each role by itself, so that the refusal has its place.
fn check_roles(cx: &Context, username: &Username, entry: &UserEntry) -> Result<(), Error> {
    for (position, role) in entry.roles.iter().flatten().enumerate() {
        people::check_roles(cx, std::slice::from_ref(role))
            .map_err(|error| error.at(|| Noun::User.item(username.as_str(), "roles", position)))?;
    }
    Ok(())
}

/// Checks that every member of a group is there.
fn check_members(tx: &Tx<'_>, manifest: &Manifest) -> Result<(), Error> {
    for (group, members) in &manifest.groups {
        for (position, member) in members.iter().enumerate() {
            if people::named(tx, member)?.is_none() {
                // A name alone counts here. The refusal has those that there are.
                let refused = named::person(tx, member.as_str()).err();
                let refused = refused.unwrap_or_else(|| Refusal::UserNotFound.into());
                return Err(refused.at(|| Noun::Group.item(group.as_str(), "members", position)));
            }
        }
    }
    Ok(())
}

/// Takes away the addresses that one person of the file has and another one is to have.
fn release_emails(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let wanted: BTreeMap<String, Username> = manifest
        .users
        .iter()
        .filter_map(|(username, entry)| {
            let email = entry.email.as_ref()?.as_ref()?;
            Some((email.folded(), username.folded()))
        })
        .collect();
    for (username, entry) in &manifest.users {
        let Some((_, person)) = people::named(tx, username)? else { continue };
        let own = person.email.as_ref().map(|email| email.address.folded());
        let taker = own.as_ref().and_then(|own| wanted.get(own));
        if entry.email.is_some() && taker.is_some_and(|taker| *taker != username.folded()) {
            ledger.touch(tx, Noun::User, username.as_str())?;
            let release = Change { email: Some(None), ..Change::default() };
            people::change(tx, cx, username, &release).map_err(|error| located(error, username))?;
        }
    }
    Ok(())
}

fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: &Username,
    entry: &UserEntry,
    memberships: &Memberships,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let new = NewPerson {
        username: username.clone(),
        display_name: entry.display_name.clone(),
        email: entry.email.clone().flatten(),
        groups: memberships.applied(username, &[], entry.groups.as_ref()),
        roles: entry.roles.clone().unwrap_or_default(),
    };
    ledger.touch(tx, Noun::User, username.as_str())?;
    if let Some(email) = &new.email {
        touch_who_typed(tx, email, ledger)?;
    }
    let (Stored { id, person, .. }, link) = people::add(tx, cx, &new)?;
    ledger.invite(username, link);
    marks::add(tx, Noun::User, username.folded().as_str(), person.created)?;
    for group in memberships.given(username) {
        marks::add_member(tx, group, id, cx.now)?;
    }
    change(tx, cx, (id, &person), entry, memberships, ledger)
}

/// Remembers who has an address that somebody else gets: whoever only typed it loses it.
fn touch_who_typed(tx: &Tx<'_>, email: &Email, ledger: &mut Ledger) -> Result<(), Error> {
    if let Some(holder) = people::holder(tx, email)? {
        ledger.touch(tx, Noun::User, holder.username.as_str())?;
    }
    Ok(())
}

/// Changes what differs from the file.
fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    (id, person): (UserId, &Person),
    entry: &UserEntry,
    memberships: &Memberships,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let username = &person.username;
    let groups = memberships.applied(username, &person.groups, entry.groups.as_ref());
    let wanted = Change {
        claims: claims(person, entry),
        disabled: entry.disabled.filter(|disabled| *disabled != person.disabled),
        display_name: entry.display_name.clone().filter(|name| *name != person.display_name),
        email: email(person, entry),
        email_verified: email_verified(person, entry),
        groups: replaced(&person.groups, Some(groups)),
        roles: replaced(&person.roles, entry.roles.clone().filter(|roles| !roles.is_empty())),
    };
    if is_nothing(&wanted) {
        return Ok(());
    }
    ledger.touch(tx, Noun::User, username.as_str())?;
    if let Some(Some(email)) = &wanted.email {
        touch_who_typed(tx, email, ledger)?;
    }
    people::change(tx, cx, username, &wanted)?;
    for group in memberships.given(username) {
        let by_itself = entry.groups.iter().flatten().any(|own| own == group);
        if !by_itself && !person.groups.contains(group) {
            marks::add_member(tx, group, id, cx.now)?;
        }
    }
    Ok(())
}

fn is_nothing(change: &Change) -> bool {
    change.claims.is_empty()
        && change.disabled.is_none()
        && change.display_name.is_none()
        && change.email.is_none()
        && change.email_verified.is_none()
        && change.groups.replace.is_none()
        && change.roles.replace.is_none()
}

/// The change of a list, whose order means nothing, to `wanted`.
fn replaced<T: Clone + Ord>(present: &[T], wanted: Option<Vec<T>>) -> ListChange<T> {
    let set = |list: &[T]| list.iter().cloned().collect::<BTreeSet<_>>();
    let replace = wanted.filter(|wanted| set(wanted) != set(present));
    ListChange { replace, ..ListChange::default() }
}

/// The claims that are given and taken away, so that the person has those of the file.
fn claims(person: &Person, entry: &UserEntry) -> BTreeMap<ClaimName, Option<ClaimValue>> {
    let Some(wanted) = &entry.claims else { return BTreeMap::new() };
    let differs = |(name, value): &(&_, &_)| person.claims.get(*name) != Some(*value);
    let given = wanted.iter().filter(differs);
    let given = given.map(|(name, value)| (name.clone(), Some(value.clone())));
    let gone = person.claims.keys().filter(|name| !wanted.contains_key(*name));
    given.chain(gone.map(|name| (name.clone(), None))).collect()
}

fn email(person: &Person, entry: &UserEntry) -> Option<Option<Email>> {
    let own = person.email.as_ref();
    let is_own =
        |email: &Email| own.is_some_and(|own| own.address == *email && !own.is_only_typed());
    match &entry.email {
        None => None,
        Some(None) => own.is_some().then_some(None),
        Some(Some(wanted)) => (!is_own(wanted)).then(|| Some(wanted.clone())),
    }
}

fn email_verified(person: &Person, entry: &UserEntry) -> Option<Option<bool>> {
    let wanted = entry.email_verified?;
    let own = person.email.as_ref().map(|email| email.vouched);
    let meant = wanted.map_or(Vouched::ByPolicy, Vouched::Explicitly);
    // A new address is vouched for anew.
    (own != Some(meant) || email(person, entry).is_some()).then_some(wanted)
}

/// Sets the groups of the people who have no section of their own.
fn set_other_members(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    memberships: &Memberships,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    if manifest.groups.is_empty() {
        return Ok(());
    }
    let listed: BTreeSet<Username> = manifest.users.keys().map(Username::folded).collect();
    let mut last = None;
    loop {
        let page = tx.list_after::<Person, _>(&(), last.as_ref(), PAGE)?;
        let Some((next, _)) = page.last() else { return Ok(()) };
        last = Some(*next);
        for (id, person) in &page {
            if listed.contains(&person.username.folded()) {
                continue;
            }
            let set = change(tx, cx, (*id, person), &UserEntry::default(), memberships, ledger);
            set.map_err(|error| located(error, &person.username))?;
        }
    }
}

/// Takes a person out of a group into which a file has put them.
pub(super) fn take_out(
    tx: &mut Tx<'_>,
    cx: &Context,
    group: &str,
    user: UserId,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let Some(person) = tx.find::<Person>(&user)? else { return Ok(()) };
    let folded = person.username.folded();
    let own = manifest.users.iter().find(|(username, _)| username.folded() == folded);
    let own = own.and_then(|(_, entry)| entry.groups.as_ref()).into_iter().flatten();
    let mut groups = person.groups.clone();
    groups.retain(|other| other.as_str() != group);
    if groups.len() == person.groups.len() || own.into_iter().any(|own| own.as_str() == group) {
        return Ok(());
    }
    ledger.touch(tx, Noun::User, person.username.as_str())?;
    let change = Change { groups: replaced(&person.groups, Some(groups)), ..Change::default() };
    people::change(tx, cx, &person.username, &change)
        .map_err(|error| located(error, &person.username))?;
    Ok(())
}

/// The error, with its place in the file.
pub(super) fn located(error: Error, username: &Username) -> Error {
    let member = MEMBERS.iter().find(|(refusal, _)| error.refusal() == Some(*refusal));
    error.at(|| match member {
        Some((_, member)) => Noun::User.member(username.as_str(), member),
        None => Noun::User.place(username.as_str()),
    })
}
