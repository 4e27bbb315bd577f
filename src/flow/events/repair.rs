//! The change that lets a refused request pass: what it is, and the command that makes it. The
//! administration has its operation (`admin/event/repair.rs`).

use crate::error::shell_word;
use crate::model::person::{Role, Username};
use crate::oauth::client::{AssertionProfile, AuthMethod, GrantType, PkcePolicy};
use crate::oauth::group::Group;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scope;
use crate::store::schema::Client;

/// A change that lets a refused request pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// A client is changed.
    Client {
        /// The client.
        client: ClientId,
        /// What is changed.
        change: Change,
    },
    /// A person is enabled.
    EnablePerson {
        /// The id of the person.
        user: UserId,
        /// The person.
        username: Username,
    },
    /// A person gets a group that a client is for.
    Group {
        /// The name of the client.
        client: String,
        /// The group.
        group: Group,
        /// The id of the person.
        user: UserId,
        /// The person.
        username: Username,
    },
    /// A client is registered under the id of the request.
    NewClient {
        /// Its id.
        client: ClientId,
        /// The redirect URI of the request.
        redirect_uri: RedirectUri,
    },
    /// A resource is registered.
    NewResource {
        /// It, as the request has it.
        resource: String,
    },
    /// A resource gets tokens of the type `at+jwt`.
    ResourceType {
        /// The resource.
        resource: String,
    },
    /// A person gets a role that an application lets in.
    Role {
        /// The role.
        role: Role,
        /// The id of the person.
        user: UserId,
        /// The person.
        username: Username,
    },
}

/// A change of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It may open anonymous sessions.
    AllowAnonymous,
    /// It may sign as RFC 7523 has it.
    AllowOldAssertions,
    /// Its requests need not be pushed.
    AllowUnpushed,
    /// It authenticates by another method.
    AuthMethod(AuthMethod),
    /// It is enabled.
    Enable,
    /// Nobody is asked for consent to it.
    FirstParty,
    /// It gets another grant type.
    Grant {
        /// The one that it gets.
        added: GrantType,
        /// Those that it has.
        own: Vec<GrantType>,
    },
    /// It may do without PKCE, or without it where there is a nonce.
    Pkce(PkcePolicy),
    /// It gets another post-logout redirect URI.
    PostLogoutUri {
        /// The one that it gets.
        added: RedirectUri,
        /// Those that it has.
        own: Vec<RedirectUri>,
    },
    /// It gets another redirect URI.
    RedirectUri(RedirectUri),
    /// It may name another resource.
    Resource(String),
    /// It gets further scopes.
    Scope(Scope),
}

impl Repair {
    /// The command that makes the change, each word as a shell takes it.
    pub fn command(&self) -> String {
        let command = match self {
            Self::Client { client, change } => change.command().last(client.as_str()),
            Self::EnablePerson { username, .. } => {
                Command::new("user enable").last(username.as_str())
            }
            Self::Group { group, username, .. } => Command::new("user set")
                .option("--add-group", group.as_str())
                .last(username.as_str()),
            Self::NewClient { client, redirect_uri } => Command::new("client add")
                .option("--id", client.as_str())
                .option("--redirect", redirect_uri.as_str())
                .last(client.as_str()),
            Self::NewResource { resource } => Command::new("resource add").last(resource),
            Self::ResourceType { resource } => {
                Command::new("resource set").option("--typ", "at+jwt").last(resource)
            }
            Self::Role { role, username, .. } => {
                Command::new("user set").option("--add-role", role.as_str()).last(username.as_str())
            }
        };
        command.0
    }
}

impl Change {
    /// Whether a client has it already.
    pub(super) fn is_made(&self, client: &Client) -> bool {
        let Client { decisions, enabled, metadata, .. } = client;
        match self {
            Self::AllowAnonymous => decisions.anonymous,
            Self::AllowOldAssertions => decisions.assertions == AssertionProfile::Rfc7523,
            Self::AllowUnpushed => !metadata.require_pushed_authorization_requests,
            Self::AuthMethod(method) => metadata.auth_method() == *method,
            Self::Enable => *enabled,
            Self::FirstParty => decisions.first_party,
            Self::Grant { added, .. } => metadata.has_grant_type(*added),
            Self::Pkce(policy) => decisions.pkce == Some(*policy),
            Self::PostLogoutUri { added, .. } => metadata.post_logout_redirect_uris.contains(added),
            Self::RedirectUri(uri) => metadata.redirect_uris.contains(uri),
            // Without a list it may name every one.
            Self::Resource(resource) => {
                let own = &decisions.resources;
                own.is_empty() || own.iter().any(|known| known.canonical() == resource)
            }
            Self::Scope(scope) => scope.minus(client.scope()).is_empty(),
        }
    }

    fn command(&self) -> Command {
        let set = |name, value: &str| Command::new("client set").option(name, value);
        match self {
            Self::AllowAnonymous => set("--anonymous", "true"),
            Self::AllowOldAssertions => set("--assertions", "rfc7523"),
            Self::AllowUnpushed => set("--require-par", "false"),
            Self::AuthMethod(method) => set("--auth", method.as_str()),
            Self::Enable => Command::new("client enable"),
            Self::FirstParty => set("--first-party", "true"),
            Self::Grant { added, own } => {
                let grants = own.iter().chain([added]).map(|grant| grant.as_str());
                Command::new("client set").options("--grant", grants)
            }
            Self::Pkce(policy) => set("--pkce", policy.as_str()),
            Self::PostLogoutUri { added, own } => {
                let uris = own.iter().chain([added]).map(RedirectUri::as_str);
                Command::new("client set").options("--post-logout", uris)
            }
            Self::RedirectUri(uri) => set("--add-redirect", uri.as_str()),
            Self::Resource(resource) => set("--add-resource", resource),
            Self::Scope(scope) => {
                let scopes = scope.iter().map(|token| token.as_str());
                Command::new("client set").options("--add-scope", scopes)
            }
        }
    }
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

    /// The same with an option for each of `values`.
    fn options<'a>(self, name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        values.fold(self, |command, value| command.option(name, value))
    }

    /// The same with a last word, which may begin with a hyphen.
    fn last(self, value: &str) -> Self {
        let hyphens = if value.starts_with('-') { "-- " } else { "" };
        Self(format!("{} {hyphens}{}", self.0, shell_word(value)))
    }
}
