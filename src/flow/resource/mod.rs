//! Resources: those that a token may be for, and the scopes that are known there ([RFC
//! 8707](https://www.rfc-editor.org/rfc/rfc8707)).
//!
//! This server is a resource, and the default one. An operator registers others; a scope that only
//! one of them has brings it, if the request names none. With a loopback issuer, people may also
//! grant tokens for unregistered resources on their own machine, but the consent page is displayed
//! each time.

pub mod registered;

use std::sync::Arc;

use crate::error::{Error, Refusal};
use crate::flow::Rules;
use crate::model::near::nearest;
use crate::model::person::Role;
use crate::oauth::id::ClientId;
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::Scope;
use crate::store::schema::{Client, Person, Protected, RESOURCES_BY_SCOPE, RESOURCES_BY_SERVER};
use crate::store::{StoreError, View};

/// The most resources of one resource server that are read.
const MAX_CONFIGURED: usize = 256;
/// The most registered resources that are read.
const MAX_REGISTERED: usize = 10_000;

/// The resources of a request, resolved.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Their registered spellings, without repetition; empty if the request names none.
    pub resources: Vec<Resource>,
    /// The scopes of the closed ones, for clients that have registered these scopes.
    closed: Scope,
    /// The scopes that are known at each of them.
    known: Vec<(Resource, Scope)>,
    /// Those whose access tokens have the type `JWT`.
    of_type_jwt: Vec<Resource>,
    /// The scopes of the open ones, for every client.
    open: Scope,
    /// Whether one of them is unregistered.
    pub unregistered: bool,
}

impl Targets {
    /// The scopes that `client` may ask for at these resources. A client that no operator registered
    /// may ask for `openid`, if that is open, whatever it registered. One token is for all of them, so a
    /// scope that is open at one resource and closed at another counts as closed.
    pub fn for_client(&self, rules: &Rules, client: &Client) -> Scope {
        let mut scope = client.scope().union(&self.open.minus(&self.closed));
        // Programs leave `openid` out of a registration and ask for it later.
        if client.states_its_scope()
            && let Ok(openid) = "openid".parse()
        {
            scope = scope.union(&rules.config.open_scope().intersect(&openid));
        }
        scope
    }

    /// The part of `scope` that the configuration or one of these resources knows.
    pub fn default_scope(&self, rules: &Rules, scope: &Scope) -> Scope {
        scope.filtered(|token| {
            rules.config.knows(token) || self.known.iter().any(|(_, known)| known.contains(token))
        })
    }

    /// The scopes that a person with `roles` may grant at these resources. Everybody may grant a
    /// scope of a resource that the configuration does not know.
    pub fn for_person(&self, rules: &Rules, roles: &[Role]) -> Scope {
        let unknown = self.known().filtered(|token| !rules.config.knows(token));
        rules.config.allowed(roles).union(&unknown)
    }

    /// Checks that `scope` has no scope of the administration, if one of these resources is another
    /// server's: that server could use the token here.
    ///
    /// # Errors
    ///
    /// [`Refusal::AdminScopeBesideResource`]
    pub fn check_administration(&self, rules: &Rules, scope: &Scope) -> Result<(), Refusal> {
        if !scope.of_administration().is_empty() && self.has_another(rules) {
            return Err(Refusal::AdminScopeBesideResource);
        }
        Ok(())
    }

    /// The part of a default scope that a token for these resources may have.
    pub fn without_administration(&self, rules: &Rules, scope: Scope) -> Scope {
        if !self.has_another(rules) {
            return scope;
        }
        scope.without_administration()
    }

    /// Whether one of them is not this server.
    fn has_another(&self, rules: &Rules) -> bool {
        let own = Resource::of(&rules.issuer);
        self.resources.iter().any(|resource| *resource != own)
    }

    /// The scope that `person` would grant `client` if it asks for `asked`.
    pub fn scope_for(
        &self,
        rules: &Rules,
        client: &Client,
        person: &Person,
        asked: Option<&Scope>,
    ) -> Result<Scope, Refusal> {
        let allowed =
            self.for_person(rules, &person.roles).intersect(&self.for_client(rules, client));
        match asked {
            Some(asked) => {
                let scope = asked.intersect(&allowed);
                if scope.is_empty() {
                    return Err(Refusal::ScopeNotAllowed);
                }
                self.check_administration(rules, &scope)?;
                Ok(scope)
            }
            // RFC 6749 §3.3: a request without scope is served with "a pre-defined default value".
            None => Ok(self.without_administration(rules, allowed.intersect(client.scope()))),
        }
    }

    /// The canonical spellings by which a consent is remembered.
    pub fn remembered_as(&self, rules: &Rules) -> Vec<String> {
        if self.resources.is_empty() {
            return vec![Resource::of(&rules.issuer).canonical().to_owned()];
        }
        self.resources.iter().map(|resource| resource.canonical().to_owned()).collect()
    }
}

/// Resolves the resources `requested` by `client` together with `scope`. If it names none, they are
/// those that the scope brings.
///
/// # Errors
///
/// [`Refusal::ResourceUnknown`]: RFC 8707 §2, "invalid_target: The requested resource is invalid,
/// missing, unknown, or malformed."; and [`Refusal::ResourceTokenTypesDiffer`] if the scope brings
/// resources that cannot share a token.
pub fn resolve(
    view: &impl View,
    rules: &Rules,
    client: &Client,
    requested: &[Resource],
    scope: Option<&Scope>,
) -> Result<Targets, Error> {
    let mut targets = Targets::default();
    let brought = match requested {
        [] => brought_by(view, rules, client, scope.unwrap_or(client.scope()))?,
        [_, ..] => Vec::new(),
    };
    for resource in requested.iter().chain(&brought) {
        if !add(&mut targets, view, rules, client, resource, scope)? {
            return Err(Refusal::ResourceUnknown.into());
        }
    }
    targets.token_type(&brought)?;
    Ok(targets)
}

/// The resources that `scope` brings: for each token that the configuration does not know, the
/// resource that has it, if `client` may ask for it at exactly one. Between several, the client has
/// to choose.
fn brought_by(
    view: &impl View,
    rules: &Rules,
    client: &Client,
    scope: &Scope,
) -> Result<Vec<Resource>, StoreError> {
    let listed = &client.decisions.resources;
    let mut brought = Vec::new();
    for token in scope.iter().filter(|token| !rules.config.knows(token)) {
        let keys = if listed.is_empty() {
            view.by(&RESOURCES_BY_SCOPE, &token.as_str().to_owned(), MAX_CONFIGURED)?
        } else {
            listed.iter().map(|resource| resource.canonical().to_owned()).collect()
        };
        let mut having = Vec::new();
        for key in keys {
            let row = view.find_shared::<Protected>(&key)?;
            having.extend(row.filter(|row| {
                row.scope.has(token.as_str()) && (row.open || client.scope().has(token.as_str()))
            }));
        }
        if let Ok([only]) = <[Arc<Protected>; 1]>::try_from(having)
            && !brought.contains(&only.resource)
        {
            brought.push(only.resource.clone());
        }
    }
    Ok(brought)
}

/// The granted resources that still exist.
///
/// # Errors
///
/// [`Refusal::ResourceUnknown`] if none of them exists.
pub fn remaining(
    view: &impl View,
    rules: &Rules,
    client: &Client,
    granted: &[Resource],
    scope: &Scope,
) -> Result<Targets, Error> {
    let mut targets = Targets::default();
    for resource in granted {
        add(&mut targets, view, rules, client, resource, Some(scope))?;
    }
    if targets.resources.is_empty() && !granted.is_empty() {
        return Err(Refusal::ResourceUnknown.into());
    }
    Ok(targets)
}

/// Adds a resource, if a token of `client` may be for it. Returns whether it may.
fn add(
    targets: &mut Targets,
    view: &impl View,
    rules: &Rules,
    client: &Client,
    resource: &Resource,
    scope: Option<&Scope>,
) -> Result<bool, StoreError> {
    let own = Resource::of(&rules.issuer);
    if *resource == own {
        targets.insert(own);
        return Ok(true);
    }
    if !client.decisions.resources.is_empty() && !client.decisions.resources.contains(resource) {
        return Ok(false);
    }
    if let Some(row) = view.find_shared::<Protected>(&resource.canonical().to_owned())? {
        let share = if row.open { &mut targets.open } else { &mut targets.closed };
        *share = share.union(&row.scope);
        if row.typ == TokenType::Jwt {
            targets.of_type_jwt.push(row.resource.clone());
        }
        targets.known.push((row.resource.clone(), row.scope.clone()));
        targets.insert(row.resource.clone());
        return Ok(true);
    }
    if !is_persons_own(rules, resource) {
        return Ok(false);
    }
    let foreign = scope.map(|scope| foreign(rules, scope)).unwrap_or_default();
    targets.known.push((resource.clone(), foreign.clone()));
    targets.open = targets.open.union(&foreign);
    targets.unregistered = true;
    targets.insert(resource.clone());
    Ok(true)
}

/// What one access token is for.
#[derive(Clone, Debug)]
pub struct TokenTarget {
    /// Its resources; this server if empty.
    pub resources: Vec<Resource>,
    /// Its scope.
    pub scope: Scope,
    /// Its type.
    pub typ: TokenType,
}

impl Targets {
    /// Those of these resources at which the scope `token` is known.
    pub fn knowing<'a>(&'a self, token: &'a str) -> impl Iterator<Item = &'a Resource> {
        let known = self.known.iter().filter(move |(_, scope)| scope.has(token));
        known.map(|(resource, _)| resource)
    }

    /// The scopes that are known at one of these resources.
    fn known(&self) -> Scope {
        self.known.iter().fold(Scope::default(), |all, (_, scope)| all.union(scope))
    }

    /// Whether one of the scopes of `scope` is known at `resource`.
    pub fn knows_any(&self, resource: &Resource, scope: &Scope) -> bool {
        let known = self.known.iter().find(|(known, _)| known == resource);
        known.is_some_and(|(_, known)| !known.intersect(scope).is_empty())
    }

    /// What a token is for: the requested part of these resources, and the part of `scope` that is
    /// known there. Nothing is read from the store.
    ///
    /// # Errors
    ///
    /// [`Refusal::ScopeNotAllowed`] if nothing of `scope` is known there, beside the refusals of
    /// the resources.
    pub fn share(
        &self,
        rules: &Rules,
        scope: &Scope,
        requested: &[Resource],
    ) -> Result<TokenTarget, Refusal> {
        let resources = narrowed(rules, &self.resources, requested)?;
        let known = self.known.iter().filter(|(resource, _)| resources.contains(resource));
        let known = scope.filtered(|token| {
            rules.config.knows(token) || known.clone().any(|(_, known)| known.contains(token))
        });
        // RFC 6749 §5.1: a response without `scope` would say that all of it was granted.
        if known.is_empty() && !scope.is_empty() {
            return Err(Refusal::ScopeNotAllowed);
        }
        let typ = self.token_type(&resources)?;
        Ok(TokenTarget { resources, scope: known, typ })
    }

    /// The type of a token for `resources`, which are some of these.
    ///
    /// # Errors
    ///
    /// [`Refusal::ResourceTokenTypesDiffer`] if they take tokens of different types.
    pub fn token_type(&self, resources: &[Resource]) -> Result<TokenType, Refusal> {
        let of_type_jwt = |resource: &&Resource| self.of_type_jwt.contains(resource);
        match resources.iter().filter(of_type_jwt).count() {
            0 => Ok(TokenType::AtJwt),
            all if all == resources.len() => Ok(TokenType::Jwt),
            _ => Err(Refusal::ResourceTokenTypesDiffer),
        }
    }

    fn insert(&mut self, resource: Resource) {
        if !self.resources.contains(&resource) {
            self.resources.push(resource);
        }
    }
}

/// Whether an unregistered resource is a program on the person's machine: it is on loopback, and
/// its port is none of this server's.
fn is_persons_own(rules: &Rules, resource: &Resource) -> bool {
    let ours = rules.issuer.port() == resource.port()
        || rules.config.listeners().any(|own| own.port() == resource.port());
    rules.issuer.is_loopback()
        && rules.config.policy.loopback_resources
        && resource.is_loopback()
        && !ours
}

/// The scopes of `scope` that the configuration does not know, which an unregistered resource may
/// define, without reserved ones.
fn foreign(rules: &Rules, scope: &Scope) -> Scope {
    scope.filtered(|token| !rules.config.knows(token) && !token.is_reserved())
}

/// The scopes of all registered resources.
pub fn known(view: &impl View) -> Result<Scope, StoreError> {
    let rows = view.list::<Protected>(MAX_REGISTERED)?;
    Ok(rows.iter().fold(Scope::default(), |all, (_, row)| all.union(&row.scope)))
}

/// The scopes of `asked` that there are and that a client may not have, but for those of the
/// administration, which nobody gives because somebody asked.
pub fn left_out(
    view: &impl View,
    rules: &Rules,
    client: &Client,
    asked: &Scope,
) -> Result<Scope, StoreError> {
    let lacking = asked.minus(client.scope()).without_administration();
    if lacking.is_empty() {
        return Ok(lacking);
    }
    Ok(lacking.intersect(&rules.config.scope().union(&known(view)?)))
}

/// The most scopes that stand beside a refusal.
const MAX_NEAREST: usize = 20;

/// Checks that `known` has every scope that an operator names.
///
/// # Errors
///
/// [`Refusal::ScopeUnknown`], with the scopes that there are.
pub fn check_known(named: &Scope, known: &Scope) -> Result<(), Error> {
    let unknown = named.minus(known);
    let Some(first) = unknown.iter().next() else { return Ok(()) };
    let known = known.iter().map(|scope| scope.as_str().to_owned());
    Err(Error::with_known(Refusal::ScopeUnknown, nearest(first.as_str(), known, MAX_NEAREST)))
}

/// The resources of a token: the requested part of the granted ones.
///
/// RFC 8707 §2.2: a token request may name a subset. If it names none, all are meant.
pub fn narrowed(
    rules: &Rules,
    granted: &[Resource],
    requested: &[Resource],
) -> Result<Vec<Resource>, Refusal> {
    if requested.is_empty() {
        return Ok(granted.to_vec());
    }
    let own = [Resource::of(&rules.issuer)];
    let granted = if granted.is_empty() { &own[..] } else { granted };
    let mut narrowed: Vec<Resource> = Vec::new();
    for resource in requested {
        let found = granted.iter().find(|granted| *granted == resource);
        let found = found.ok_or(Refusal::ResourceNotGranted)?;
        if !narrowed.contains(found) {
            narrowed.push(found.clone());
        }
    }
    Ok(narrowed)
}

/// The resources of which `client` is the resource server.
pub fn served_by(view: &impl View, client: &ClientId) -> Result<Vec<Arc<Protected>>, StoreError> {
    let mut served = Vec::new();
    for key in view.by(&RESOURCES_BY_SERVER, client, MAX_CONFIGURED)? {
        served.extend(view.find_shared::<Protected>(&key)?);
    }
    Ok(served)
}
