//! Why a request was refused: what was expected, what came instead, and the command that lets it pass.
//!
//! What is expected is found when the event is written, so that the event says what decided. The
//! command is found when somebody asks, for the clients and people that there are then. A value of the
//! request is in it only if the setting that it would become takes it.

use crate::error::{Error, Refusal, Resolution, shell_word};
use crate::flow::resource;
use crate::flow::{Context, Rules};
use crate::model::actor::Actor;
use crate::model::person::Role;
use crate::oauth::client::{AuthMethod, ClientType, GrantType};
use crate::oauth::group::Group;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
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
        Refusal::ClientUnknownAtAuthorize | Refusal::ClientUnknown => ("client_id", None),
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

/// What lets a refused request pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// A command of the shell.
    Command(String),
    /// There is none, and why.
    NoCommand(&'static str),
}

/// What there is for a refusal that a command mends, but not for this request.
const UNFIT: &str = "no command fits this request: what it names is not there any more, belongs to \
     a client that describes itself, or is nothing that a setting takes";

/// Finds the command that lets the request of an event pass.
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
        return Ok(Explanation::NoCommand(why));
    }
    debug_assert_eq!(refusal.resolution(), Resolution::Command);
    let command = command(view, cx, refusal, event)?;
    Ok(command.map_or(Explanation::NoCommand(UNFIT), |command| Explanation::Command(command.0)))
}

/// A command line, each of whose words the shell takes as it is.
struct Command(String);

impl Command {
    /// The command `gatelodge` with these verbs.
    fn new(verbs: &str) -> Self {
        Self(format!("gatelodge {verbs}"))
    }

    /// The same with an option. The value stands behind an equals sign, so that it may begin with a
    /// hyphen.
    fn option(self, name: &str, value: &str) -> Self {
        Self(format!("{} {name}={}", self.0, shell_word(value)))
    }

    /// The same with a last word, which may begin with a hyphen.
    fn last(self, value: &str) -> Self {
        let hyphens = if value.starts_with('-') { "-- " } else { "" };
        Self(format!("{} {hyphens}{}", self.0, shell_word(value)))
    }
}

fn command(
    view: &impl View,
    cx: &Context,
    refusal: Refusal,
    event: &Event,
) -> Result<Option<Command>, Error> {
    let one = |name| values(event, name).first().copied();
    let known = client(view, event)?;
    let set = |id: &ClientId, name: &str, value: &str| {
        Some(Command::new("client set").option(name, value).last(id.as_str()))
    };
    Ok(match (refusal, known) {
        (Refusal::AnonymousNotAllowed, Some((_, id))) => set(&id, "--anonymous", "true"),
        (Refusal::AppRoleMissing, _) => role_for_application(view, cx, event)?,
        (Refusal::AuthMethodNotRegistered, Some((client, id))) if is_operators(&client) => {
            let method = event.refused.as_ref().and_then(|refused| refused.received.as_deref());
            let method = method.and_then(|method| method.parse::<AuthMethod>().ok());
            method.and_then(|method| set(&id, "--auth", method.as_str()))
        }
        (
            Refusal::ClientAssertionAudienceOld | Refusal::ClientAssertionUntyped,
            Some((client, id)),
        ) if is_operators(&client) => set(&id, "--assertions", "rfc7523"),
        (
            Refusal::ClientDisabled
            | Refusal::ClientUnknownAtAuthorize
            | Refusal::PostLogoutClientUnknown,
            Some((client, id)),
        ) if !client.enabled => Some(Command::new("client enable").last(id.as_str())),
        (Refusal::ClientUnknownAtAuthorize | Refusal::PostLogoutClientUnknown, None) => {
            unknown_client(view, one("client_id"), one("redirect_uri"))?
        }
        (Refusal::CodeChallengeMissing, Some((client, id))) => {
            let confidential = client.metadata.client_type() == ClientType::Confidential;
            let policy = if one("nonce").is_some() { "nonce" } else { "optional" };
            let may = confidential && (is_operators(&client) || policy == "nonce");
            may.then(|| set(&id, "--pkce", policy)).flatten()
        }
        (Refusal::ConsentNeeded, Some((_, id))) => set(&id, "--first-party", "true"),
        (Refusal::GrantOutsideGroups | Refusal::PersonAstray, Some((client, _))) => {
            let group: Option<&Group> = client.decisions.groups.first();
            let person = person(view, event)?;
            group.zip(person).map(|(group, person)| {
                let command = Command::new("user set").option("--add-group", group.as_str());
                command.last(person.username.as_str())
            })
        }
        (Refusal::GrantTypeNotRegistered, Some((client, id))) if is_operators(&client) => {
            let asked =
                one("grant_type").and_then(|grant| grant.parse().ok()).or(route_grant(event));
            asked.map(|asked| {
                let own = client.metadata.grant_types();
                let grants = own.iter().copied().chain([asked]);
                let command = grants.fold(Command::new("client set"), |command, grant| {
                    command.option("--grant", grant.as_str())
                });
                command.last(id.as_str())
            })
        }
        (Refusal::PersonDisabled, _) => person(view, event)?
            .map(|person| Command::new("user enable").last(person.username.as_str())),
        (Refusal::PostLogoutUriUnregistered, Some((client, id))) if is_operators(&client) => {
            let uri = one("post_logout_redirect_uri").and_then(registrable);
            let own = client.metadata.post_logout_redirect_uris.iter();
            uri.map(|uri| {
                let uris = own.chain([&uri]);
                let command = uris.fold(Command::new("client set"), |command, uri| {
                    command.option("--post-logout", uri.as_str())
                });
                command.last(id.as_str())
            })
        }
        (Refusal::RedirectUriUnregistered, Some((client, id))) if is_operators(&client) => {
            let uri = one("redirect_uri").and_then(registrable);
            let uri = uri.filter(|uri| {
                uri.check_scheme(&cx.rules.config.policy.private_use_schemes).is_ok()
            });
            uri.and_then(|uri| set(&id, "--add-redirect", uri.as_str()))
        }
        (Refusal::RequestNotPushed, Some((_, id))) => set(&id, "--require-par", "false"),
        (Refusal::ResourceTokenTypesDiffer, _) => one_type(view, event)?,
        (Refusal::ResourceUnknown, Some((_, id))) => unknown_resource(view, event, &id)?,
        (Refusal::ScopeNotAllowed | Refusal::ScopeNotForItself, Some((client, id))) => {
            missing_scope(view, cx, event, &client, &id)?
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

fn person(view: &impl View, event: &Event) -> Result<Option<Person>, StoreError> {
    event.person.map_or(Ok(None), |id| view.find::<Person>(&id))
}

/// The command that gives a person a role which an application lets in.
fn role_for_application(
    view: &impl View,
    cx: &Context,
    event: &Event,
) -> Result<Option<Command>, StoreError> {
    let expected = event.refused.as_ref().and_then(|refused| refused.expected.as_deref());
    let roles = expected.into_iter().flat_map(str::split_whitespace);
    let known = |role: &Role| cx.rules.config.roles.contains_key(role);
    let role = roles.filter_map(|role| role.parse::<Role>().ok()).find(known);
    Ok(role.zip(person(view, event)?).map(|(role, person)| {
        let command = Command::new("user set").option("--add-role", role.as_str());
        command.last(person.username.as_str())
    }))
}

/// The command that registers a client which nobody knows.
fn unknown_client(
    view: &impl View,
    id: Option<&str>,
    redirect_uri: Option<&str>,
) -> Result<Option<Command>, StoreError> {
    let Some(id) = id.and_then(|id| id.parse::<ClientId>().ok()) else { return Ok(None) };
    if view.find::<Client>(&id)?.is_some() {
        return Ok(None);
    }
    let chosen = ClientId::chosen(id.as_str()).ok();
    let uri = redirect_uri.and_then(registrable);
    Ok(chosen.zip(uri).map(|(id, uri)| {
        let command = Command::new("client add").option("--id", id.as_str());
        command.option("--redirect", uri.as_str()).last(id.as_str())
    }))
}

/// The command that gives the resources of a request one type of tokens.
fn one_type(view: &impl View, event: &Event) -> Result<Option<Command>, StoreError> {
    for written in values(event, "resource") {
        let Ok(resource) = written.parse::<Resource>() else { continue };
        let row = view.find::<Protected>(&resource.canonical().to_owned())?;
        if row.is_some_and(|row| row.typ == crate::oauth::resource::TokenType::Jwt) {
            let command = Command::new("resource set").option("--typ", "at+jwt");
            return Ok(Some(command.last(resource.canonical())));
        }
    }
    Ok(None)
}

/// The command that registers a resource, or lets the client name one.
fn unknown_resource(
    view: &impl View,
    event: &Event,
    id: &ClientId,
) -> Result<Option<Command>, StoreError> {
    for written in values(event, "resource") {
        let Ok(resource) = written.parse::<Resource>() else { continue };
        if view.find::<Protected>(&resource.canonical().to_owned())?.is_none() {
            return Ok(Some(Command::new("resource add").last(written)));
        }
        let command = Command::new("client set").option("--add-resource", resource.canonical());
        return Ok(Some(command.last(id.as_str())));
    }
    Ok(None)
}

/// The command that gives a client the scopes of a request that it lacks, of those that are known.
fn missing_scope(
    view: &impl View,
    cx: &Context,
    event: &Event,
    client: &Client,
    id: &ClientId,
) -> Result<Option<Command>, StoreError> {
    let asked = values(event, "scope").first().and_then(|scope| scope.parse::<Scope>().ok());
    let known = cx.rules.config.scope().union(&resource::known(view)?);
    // Nobody gives a scope of the administration because somebody asked for it.
    let asked = asked.map(|asked| asked.without_administration());
    let missing = asked.map(|asked| asked.intersect(&known).minus(client.scope()));
    Ok(missing.filter(|missing| !missing.is_empty()).map(|missing| {
        let command = missing.iter().fold(Command::new("client set"), |command, scope| {
            command.option("--add-scope", scope.as_str())
        });
        command.last(id.as_str())
    }))
}
