//! What an administrator may touch: nobody and nothing that has more of the administration than they
//! have. Otherwise whoever may only change people would make an administrator of somebody, or sign in
//! as one by a link.
//!
//! Each transition that makes, changes or ends something asks here, about how it was and how it will
//! be. The scopes of the administration count, whoever knows them: those of a person by their roles,
//! of a client, of a resource, of a token. The limit is about administrators alone
//! ([`Acting::lacks`](crate::model::actor::Acting::lacks)).

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::{Context, Rules};
use crate::keys::VerifiedAccess;
use crate::model::actor::{Actor, WHOLE_ADMINISTRATION};
use crate::model::person::Role;
use crate::oauth::claims::grant_of;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::scope::Scope;
use crate::store::schema::{Client, Grant, Person};
use crate::store::{StoreError, View};

/// The scopes of the administration that a refusal names.
const NAMED: [&str; 4] = ["admin:read", "admin:people", "admin:clients", "admin:keys"];

/// Checks that the actor has all of `scope` that is of the administration.
///
/// # Errors
///
/// [`Refusal::AdministrationExceeded`] with the scope that they need.
pub fn check(cx: &Context, scope: &Scope) -> Result<(), Refusal> {
    let lacking = cx.acting.lacks(&scope.of_administration());
    let mut named = NAMED.iter().copied().filter(|name| lacking.has(name));
    match (lacking.iter().count(), named.next()) {
        (0, _) => Ok(()),
        (1, Some(name)) => Err(Refusal::AdministrationExceeded(name)),
        (_, _) => Err(Refusal::AdministrationExceeded(WHOLE_ADMINISTRATION)),
    }
}

/// Checks that the actor may make the first administrator.
///
/// # Errors
///
/// As [`check`].
pub fn check_first(cx: &Context) -> Result<(), Refusal> {
    check(cx, &WHOLE_ADMINISTRATION.parse()?)
}

/// Checks that the actor may touch a person.
///
/// # Errors
///
/// As [`check`].
pub fn check_person(cx: &Context, person: &Person) -> Result<(), Refusal> {
    check_roles(cx, &person.roles)
}

/// Checks that the actor may give these roles.
///
/// # Errors
///
/// As [`check`].
pub fn check_roles(cx: &Context, roles: &[Role]) -> Result<(), Refusal> {
    check(cx, &of_roles(&cx.rules, roles))
}

/// As [`check_person`], for somebody who may be gone.
///
/// # Errors
///
/// As [`check`].
pub fn check_user(view: &impl View, cx: &Context, user: UserId) -> Result<(), Error> {
    match view.find::<Person>(&user)? {
        Some(person) => Ok(check_person(cx, &person)?),
        None => Ok(()),
    }
}

/// Checks that the actor may touch a client, and the person whose it is. A client that introspects every
/// token sees what only those may see who read the administration.
///
/// # Errors
///
/// As [`check`].
pub fn check_client(view: &impl View, cx: &Context, client: &Client) -> Result<(), Error> {
    check(cx, client.scope())?;
    if client.decisions.introspect_any {
        check(cx, &"admin:read".parse()?)?;
    }
    match client.owner {
        Some(owner) => check_user(view, cx, owner),
        None => Ok(()),
    }
}

/// Checks that the actor may end a grant of a person, with this scope.
///
/// # Errors
///
/// As [`check`].
pub fn check_grant(
    view: &impl View,
    cx: &Context,
    user: UserId,
    scope: &Scope,
) -> Result<(), Error> {
    check(cx, scope)?;
    check_user(view, cx, user)
}

/// Checks that the actor may end an access token: its scope, and whoever acts by it.
///
/// # Errors
///
/// As [`check`].
pub fn check_token(view: &impl View, cx: &Context, token: &VerifiedAccess) -> Result<(), Error> {
    let claims = token.claims();
    check(cx, &claims.scope)?;
    // The subject of a grant may be a pseudonym.
    if let Some(id) = grant_of(&claims.jti) {
        return match view.find::<Grant>(&id)? {
            Some(grant) => check_user(view, cx, grant.authorization.user),
            None => Ok(()),
        };
    }
    if let Ok(user) = claims.sub.parse::<UserId>() {
        return check_user(view, cx, user);
    }
    let client = claims.client_id.parse::<ClientId>().ok();
    match client.map(|id| view.find::<Client>(&id)).transpose()?.flatten() {
        Some(client) => check_client(view, cx, &client),
        None => Ok(()),
    }
}

/// Whether whoever made something at `made` may still give these roles to people. A client and a person
/// who acted together need both to have the right, as they did then. Somebody who was disabled or removed
/// since has it no more, even if a role of theirs is back.
pub fn may_still_give(
    view: &impl View,
    cx: &Context,
    maker: &Actor,
    made: Timestamp,
    roles: &[Role],
) -> Result<bool, StoreError> {
    let needed: Scope =
        of_roles(&cx.rules, roles).iter().cloned().chain("admin:people".parse()).collect();
    let covers = |had: &Scope| had.has(WHOLE_ADMINISTRATION) || needed.minus(had).is_empty();
    let by_client = |id: &ClientId| -> Result<bool, StoreError> {
        let client = view.find::<Client>(id)?;
        Ok(client.is_some_and(|own| own.enabled && own.created <= made && covers(own.scope())))
    };
    let by_person = |id: &UserId| -> Result<bool, StoreError> {
        let person = view.find::<Person>(id)?;
        Ok(person
            .is_some_and(|own| own.enabled_since(made) && covers(&of_roles(&cx.rules, &own.roles))))
    };
    match maker {
        Actor::Administrator { client, person } => {
            let client = client.as_ref().map(by_client).transpose()?;
            let person = person.as_ref().map(by_person).transpose()?;
            Ok(client != Some(false) && person != Some(false))
        }
        Actor::Client(client) => by_client(client),
        Actor::Operator { .. } | Actor::Server => Ok(true),
        Actor::Person(person) => by_person(person),
        Actor::Stranger => Ok(false),
    }
}

/// Whether somebody of these roles may see anything of the administration.
pub fn administers(rules: &Rules, roles: &[Role]) -> bool {
    !of_roles(rules, roles).is_empty()
}

/// The scopes of the administration that these roles give. The role `admin` counts as the scope `admin`,
/// whatever the configuration gives it, since the configuration may change.
pub(super) fn of_roles(rules: &Rules, roles: &[Role]) -> Scope {
    let scope = rules.config.allowed(roles).of_administration();
    if roles.iter().any(|role| role.as_str() == Role::ADMIN) {
        return scope.iter().cloned().chain(WHOLE_ADMINISTRATION.parse()).collect();
    }
    scope
}
