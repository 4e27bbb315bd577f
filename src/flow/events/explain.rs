//! Why a request was refused: what was expected, what came instead, and the change that lets it pass.
//!
//! What is expected is found when the event is written, so that the event says what decided. The
//! repair is found when somebody asks, for the clients and people that there are then. A value of the
//! request is in it only if the setting that it would become takes it.

use super::repair::{Change, Repair};
use crate::error::{Error, Refusal, Resolution};
use crate::flow::client::self_named::SelfNamed;
use crate::flow::{Context, Rules};
use crate::flow::{resource, rights};
use crate::model::actor::Actor;
use crate::model::person::Role;
use crate::oauth::client::{AuthMethod, ClientType, GrantType, PkcePolicy};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::{Scope, ScopeToken};
use crate::store::schema::{Client, Event, Person, Protected};
use crate::store::{StoreError, View};

/// The most values that are named as expected.
const MAX_EXPECTED: usize = 10;

/// What a refused request was compared with.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) expected: Option<String>,
    pub(super) received: Option<String>,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most refusals are about no parameter")]
/// Compares a refused request with what there is, where a refusal is about a parameter.
pub(super) fn compare(
    view: &impl View,
    rules: &Rules,
    refusal: Refusal,
    event: &Event,
) -> Result<Comparison, StoreError> {
    let client = client(view, event)?;
    let of_client =
        |expected: fn(&Client) -> String| client.as_ref().map(|(client, _)| expected(client));
    let (parameter, expected) = match refusal {
        Refusal::ClientDisabledAtAuthorize
        | Refusal::ClientUnknownAtAuthorize
        | Refusal::ClientUnknown => ("client_id", None),
        Refusal::CodeChallengeMethodUnsupported => {
            ("code_challenge_method", Some("S256".to_owned()))
        }
        Refusal::CodeChallengeMissing => {
            ("code_challenge", Some("one, with code_challenge_method=S256".to_owned()))
        }
        Refusal::GrantTypeNotRegistered => ("grant_type", of_client(grant_types)),
        Refusal::GrantTypeUnsupported => {
            ("grant_type", Some(joined(GrantType::ALL.iter().map(|grant| grant.as_str()))))
        }
        Refusal::HostUnknown => {
            let own = std::iter::once(rules.issuer.authority());
            ("host", Some(joined(own.chain(rules.config.hosts.iter().map(String::as_str)))))
        }
        Refusal::PostLogoutUriUnregistered => {
            ("post_logout_redirect_uri", of_client(post_logout_uris))
        }
        Refusal::PromptUnknown => {
            ("prompt", Some("none, login, consent, select_account, create".to_owned()))
        }
        Refusal::RedirectUriMissing
        | Refusal::RedirectUriMissingForOpenid
        | Refusal::RedirectUriUnregistered => ("redirect_uri", of_client(redirect_uris)),
        Refusal::ResourceUnknown => ("resource", Some(resources(view)?)),
        Refusal::ResponseModeUnsupported => ("response_mode", Some("query, form_post".to_owned())),
        Refusal::ResponseTypeMissing | Refusal::ResponseTypeUnsupported => {
            ("response_type", Some("code".to_owned()))
        }
        Refusal::ScopeNotAllowed | Refusal::ScopeNotForItself => ("scope", of_client(scope)),
        _ => return Ok(Comparison::default()),
    };
    let received = values(event, parameter);
    let received = if received.is_empty() { "(none)".to_owned() } else { joined(received) };
    Ok(Comparison { expected, received: Some(received) })
}

fn grant_types(client: &Client) -> String {
    joined(client.metadata.grant_types().iter().map(|grant| grant.as_str()))
}

fn post_logout_uris(client: &Client) -> String {
    joined(client.metadata.post_logout_redirect_uris.iter().map(RedirectUri::as_str))
}

fn redirect_uris(client: &Client) -> String {
    joined(client.metadata.redirect_uris.iter().map(RedirectUri::as_str))
}

fn scope(client: &Client) -> String {
    client.scope().to_string()
}

fn resources(view: &impl View) -> Result<String, StoreError> {
    let known = view.list::<Protected>(MAX_EXPECTED)?;
    Ok(joined(known.iter().map(|(_, row)| row.resource.as_str())))
}

/// The first ten of some values, or a word for none.
fn joined<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let mut values = values.into_iter();
    let mut joined: Vec<&str> = values.by_ref().take(MAX_EXPECTED).collect();
    if values.next().is_some() {
        joined.push("…");
    }
    if joined.is_empty() { "(none)".to_owned() } else { joined.join(" ") }
}

fn values<'a>(event: &'a Event, name: &str) -> Vec<&'a str> {
    let facts = event.facts.iter().filter(|(own, _)| own == name);
    facts.map(|(_, value)| value.as_str()).collect()
}

/// The client of an event, or the one that the request named, if it is still there.
fn client(view: &impl View, event: &Event) -> Result<Option<(Client, ClientId)>, StoreError> {
    let named = || values(event, "client_id").first().and_then(|id| id.parse().ok());
    let Some(id) = event.client.clone().or_else(named) else { return Ok(None) };
    Ok(view.find::<Client>(&id)?.map(|client| (client, id)))
}

/// Where the client of an event is, if it named itself: whoever mends its request should know.
pub fn self_named(view: &impl View, event: &Event) -> Result<Option<SelfNamed>, StoreError> {
    Ok(client(view, event)?.and_then(|(client, id)| SelfNamed::of(&id, &client)))
}

/// What lets a refused request pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// There is no such change, and why.
    NoRepair(&'static str),
    /// That change was made meanwhile.
    Made(Repair),
    /// A change that a command makes, and an operation of the administration.
    Repair(Repair),
}

/// Why there is no command any more for a request that passes meanwhile.
pub const MADE: &str = "it is allowed already: such a request passes now";

/// What there is for a refusal that a command mends, but not for this request.
pub const UNFIT: &str = "no command fits this request: what it names is not there any more, belongs to \
     a client that describes itself, or is nothing that a setting takes";

/// Finds the change that lets the request of an event pass.
pub fn explain(
    view: &impl View,
    cx: &Context,
    refusal: Refusal,
    event: &Event,
) -> Result<Explanation, Error> {
    // What operators are refused, a client is refused, too, where it names such a thing.
    let resolution = match (refusal.resolution(), &event.actor) {
        (Resolution::Operator, Actor::Client(_) | Actor::Person(_) | Actor::Stranger) => {
            Resolution::Client
        }
        (resolution, _) => resolution,
    };
    if let Some(why) = resolution.without_command() {
        return Ok(Explanation::NoRepair(why));
    }
    debug_assert_eq!(refusal.resolution(), Resolution::Command);
    Ok(match repair(view, cx, refusal, event)? {
        Some(repair) if is_made(view, &repair)? => Explanation::Made(repair),
        Some(repair) => Explanation::Repair(repair),
        None => Explanation::NoRepair(UNFIT),
    })
}

fn repair(
    view: &impl View,
    cx: &Context,
    refusal: Refusal,
    event: &Event,
) -> Result<Option<Repair>, Error> {
    let one = |name| values(event, name).first().copied();
    let known = client(view, event)?;
    let of = |client: ClientId, change: Change| Some(Repair::Client { client, change });
    Ok(match (refusal, known) {
        (Refusal::AnonymousNotAllowed, Some((client, id))) if is_operators(&client) => {
            of(id, Change::AllowAnonymous)
        }
        (Refusal::AppRoleMissing, _) => role_for_application(view, cx, event)?,
        // Whoever has a key of its own would be left with a secret that a stranger named.
        (Refusal::AuthMethodNotRegistered, Some((client, id)))
            if is_operators(&client)
                && client.metadata.auth_method() != AuthMethod::PrivateKeyJwt =>
        {
            let method = event.refused.as_ref().and_then(|refused| refused.received.as_deref());
            let method = method.and_then(|method| method.parse::<AuthMethod>().ok());
            method.and_then(|method| of(id, Change::AuthMethod(method)))
        }
        (
            Refusal::ClientAssertionAudienceOld | Refusal::ClientAssertionUntyped,
            Some((client, id)),
        ) if is_operators(&client) => of(id, Change::AllowOldAssertions),
        (
            Refusal::ClientDisabled
            | Refusal::ClientDisabledAtAuthorize
            | Refusal::ClientUnknownAtAuthorize
            | Refusal::PostLogoutClientUnknown,
            Some((_, id)),
        ) => of(id, Change::Enable),
        (Refusal::ClientUnknownAtAuthorize | Refusal::PostLogoutClientUnknown, None) => {
            unknown_client(view, one("client_id"), one("redirect_uri"))?
        }
        // A public client is bound to its code by PKCE alone, and a client that registered itself may be
        // anybody's.
        (Refusal::CodeChallengeMissing, Some((client, id)))
            if is_operators(&client)
                && client.metadata.client_type() == ClientType::Confidential =>
        {
            let with_nonce = one("nonce").is_some();
            of(id, Change::Pkce(if with_nonce { PkcePolicy::Nonce } else { PkcePolicy::Optional }))
        }
        (Refusal::ConsentNeeded, Some((client, id))) if is_operators(&client) => {
            of(id, Change::FirstParty)
        }
        (Refusal::GrantOutsideGroups | Refusal::PersonAstray, Some((client, _))) => {
            let group = client.decisions.groups.first().cloned();
            let person = person(view, event)?;
            group.zip(person).map(|(group, (user, person))| Repair::Group {
                client: client.metadata.name().to_owned(),
                group,
                user,
                username: person.username,
            })
        }
        (Refusal::GrantTypeNotRegistered, Some((client, id))) if is_operators(&client) => {
            let asked =
                one("grant_type").and_then(|grant| grant.parse().ok()).or(route_grant(event));
            let own = client.metadata.grant_types().to_vec();
            asked.and_then(|added| of(id, Change::Grant { added, own }))
        }
        (Refusal::PersonDisabled, _) => {
            let person = person(view, event)?;
            person.map(|(user, person)| Repair::EnablePerson { user, username: person.username })
        }
        (Refusal::PostLogoutUriUnregistered, Some((client, id))) if is_operators(&client) => {
            let uri = one("post_logout_redirect_uri").and_then(registrable);
            let own = client.metadata.post_logout_redirect_uris.clone();
            uri.and_then(|added| of(id, Change::PostLogoutUri { added, own }))
        }
        (Refusal::RedirectUriUnregistered, Some((client, id))) if is_operators(&client) => {
            let uri = one("redirect_uri").and_then(registrable);
            let uri = uri.filter(|uri| {
                uri.check_scheme(&cx.rules.config.policy.private_use_schemes).is_ok()
            });
            uri.and_then(|uri| of(id, Change::RedirectUri(uri)))
        }
        (Refusal::RequestNotPushed, Some((client, id))) if is_operators(&client) => {
            of(id, Change::AllowUnpushed)
        }
        (Refusal::ResourceTokenTypesDiffer, _) => one_type(view, event)?,
        (Refusal::ResourceUnknown, Some((_, id))) => unknown_resource(view, event, &id)?,
        (Refusal::ScopeNotAllowed, Some((client, id))) => {
            missing_scope(view, cx, event, &client, id, |_| true)?
        }
        // What is about a person, no client is given for itself.
        (Refusal::ScopeNotForItself, Some((client, id))) => {
            missing_scope(view, cx, event, &client, id, |scope| !scope.is_about_person())?
        }
        _ => None,
    })
}

/// Whether an operator registered the client, so that its metadata are the operator's.
fn is_operators(client: &Client) -> bool {
    client.origin == crate::store::schema::Origin::Operator
}

/// The grant type of an endpoint that is for one only.
fn route_grant(event: &Event) -> Option<GrantType> {
    let route = event.refused.as_ref().map(|refused| refused.route.as_str());
    match route? {
        "/oauth/authorize" | "/oauth/par" => Some(GrantType::AuthorizationCode),
        "/oauth/device_authorization" => Some(GrantType::DeviceCode),
        _ => None,
    }
}

/// A redirect URI that an operator may register.
fn registrable(written: &str) -> Option<RedirectUri> {
    written.parse().ok()
}

fn person(view: &impl View, event: &Event) -> Result<Option<(UserId, Person)>, StoreError> {
    let Some(id) = event.person else { return Ok(None) };
    Ok(view.find::<Person>(&id)?.map(|person| (id, person)))
}

/// A role of the person that an application lets in.
fn role_for_application(
    view: &impl View,
    cx: &Context,
    event: &Event,
) -> Result<Option<Repair>, StoreError> {
    let expected = event.refused.as_ref().and_then(|refused| refused.expected.as_deref());
    let roles = expected.into_iter().flat_map(str::split_whitespace);
    // Nobody becomes an administrator because they asked.
    let known = |role: &Role| {
        cx.rules.config.roles.contains_key(role)
            && !rights::administers(&cx.rules, std::slice::from_ref(role))
    };
    let role = roles.filter_map(|role| role.parse::<Role>().ok()).find(known);
    let person = person(view, event)?;
    let repair = |(role, (user, person)): (Role, (UserId, Person))| Repair::Role {
        role,
        user,
        username: person.username,
    };
    Ok(role.zip(person).map(repair))
}

/// The registration of a client that nobody knows.
fn unknown_client(
    view: &impl View,
    id: Option<&str>,
    redirect_uri: Option<&str>,
) -> Result<Option<Repair>, StoreError> {
    let Some(id) = id.and_then(|id| id.parse::<ClientId>().ok()) else { return Ok(None) };
    if view.find::<Client>(&id)?.is_some() {
        return Ok(None);
    }
    let chosen = ClientId::chosen(id.as_str()).ok();
    let uri = redirect_uri.and_then(registrable);
    Ok(chosen.zip(uri).map(|(client, redirect_uri)| Repair::NewClient { client, redirect_uri }))
}

/// One type of tokens for the resources of a request.
fn one_type(view: &impl View, event: &Event) -> Result<Option<Repair>, StoreError> {
    let mut repair = None;
    for written in values(event, "resource") {
        let Ok(resource) = written.parse::<Resource>() else { continue };
        let resource = resource.canonical().to_owned();
        let Some(row) = view.find::<Protected>(&resource)? else { continue };
        repair = Some(Repair::ResourceType { resource });
        if row.typ == TokenType::Jwt {
            break;
        }
    }
    Ok(repair)
}

/// The registration of a resource, or its addition to those that the client may name.
fn unknown_resource(
    view: &impl View,
    event: &Event,
    client: &ClientId,
) -> Result<Option<Repair>, StoreError> {
    let mut made = None;
    for written in values(event, "resource") {
        let Ok(resource) = written.parse::<Resource>() else { continue };
        let resource = resource.canonical().to_owned();
        if view.find::<Protected>(&resource)?.is_none() {
            return Ok(Some(Repair::NewResource { resource: written.to_owned() }));
        }
        let repair = Repair::Client { client: client.clone(), change: Change::Resource(resource) };
        if !is_made(view, &repair)? {
            return Ok(Some(repair));
        }
        made = Some(repair);
    }
    Ok(made)
}

/// The scopes of a request that its client lacks, of those that are known.
fn missing_scope(
    view: &impl View,
    cx: &Context,
    event: &Event,
    client: &Client,
    id: ClientId,
    fits: fn(&ScopeToken) -> bool,
) -> Result<Option<Repair>, StoreError> {
    let asked = values(event, "scope").first().and_then(|scope| scope.parse::<Scope>().ok());
    let asked = asked.map(|asked| asked.iter().filter(|scope| fits(scope)).cloned().collect());
    let known = cx.rules.config.scope().union(&resource::known(view)?);
    // Nobody gives a scope of the administration because somebody asked for it.
    let asked = asked.map(|asked: Scope| asked.without_administration());
    let asked = asked.map(|asked| asked.intersect(&known)).filter(|asked| !asked.is_empty());
    let missing = asked.and_then(|asked| {
        let missing = asked.minus(client.scope());
        // What it lacked then and has now was given meanwhile. Anything else was refused for another
        // reason, and would be again.
        let given = || asked.minus(&had(event));
        Some(if missing.is_empty() { given() } else { missing }).filter(|scope| !scope.is_empty())
    });
    Ok(missing.map(|missing| Repair::Client { client: id, change: Change::Scope(missing) }))
}

/// The scopes that the client had when the request was refused.
fn had(event: &Event) -> Scope {
    let expected = event.refused.as_ref().and_then(|refused| refused.expected.as_deref());
    expected.and_then(|scope| scope.parse().ok()).unwrap_or_default()
}

/// Whether there is already what a repair would make.
fn is_made(view: &impl View, repair: &Repair) -> Result<bool, StoreError> {
    Ok(match repair {
        Repair::Client { client, change } => {
            view.find::<Client>(client)?.is_some_and(|client| change.is_made(&client))
        }
        Repair::EnablePerson { user, .. } => {
            view.find::<Person>(user)?.is_some_and(|own| !own.disabled)
        }
        Repair::Group { group, user, .. } => {
            view.find::<Person>(user)?.is_some_and(|own| own.groups.contains(group))
        }
        Repair::NewClient { .. } | Repair::NewResource { .. } => false,
        Repair::ResourceType { resource } => {
            view.find::<Protected>(resource)?.is_some_and(|row| row.typ != TokenType::Jwt)
        }
        Repair::Role { role, user, .. } => {
            view.find::<Person>(user)?.is_some_and(|own| own.roles.contains(role))
        }
    })
}
