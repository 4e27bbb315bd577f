//! The operation that makes a request pass which was refused.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::flow::events::{Change, Repair};
use crate::model::person::Username;
use crate::oauth::id::UserId;
use crate::oauth::params::segment_encode;

/// A change that lets a refused request pass, as the operation that makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RepairView {
    /// The body of the request.
    pub(crate) body: Value,
    /// The id of the client that is changed or registered.
    pub(crate) client_id: Option<String>,
    /// The name of the client, if it is registered.
    #[serde(default)]
    pub(crate) client_name: Option<String>,
    /// The host of the address that is added; whoever controls it receives the sign-ins of the client.
    pub(crate) host: Option<String>,
    /// What it is.
    pub(crate) kind: RepairKind,
    /// The method of the request.
    pub(crate) method: String,
    /// Its path.
    pub(crate) path: String,
    /// The hosts of the client that asked, if it registered itself and chose its own name: whoever
    /// controls them controls it. Empty: it names none.
    pub(crate) self_named: Option<String>,
    /// The person who is changed.
    pub(crate) username: Option<String>,
    /// What is added or set.
    pub(crate) value: Option<String>,
}

/// What a repair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum RepairKind {
    /// A group for a person.
    AddGroup,
    /// A post-logout redirect URI for a client.
    AddPostLogoutUri,
    /// A redirect URI for a client.
    AddRedirectUri,
    /// A resource that a client may name.
    AddResource,
    /// A role for a person.
    AddRole,
    /// Scopes for a client.
    AddScope,
    /// Anonymous sessions for a client.
    AllowAnonymous,
    /// A grant type for a client.
    AllowGrant,
    /// Assertions of RFC 7523 by a client.
    AllowOldAssertions,
    /// Requests of a client that are not pushed.
    AllowUnpushed,
    /// A client that is disabled.
    EnableClient,
    /// A person who is disabled.
    EnablePerson,
    /// A client to which nobody is asked to consent.
    FirstParty,
    /// A client that nobody knows.
    NewClient,
    /// A resource that nobody knows.
    NewResource,
    /// Another method by which a client authenticates.
    SetAuthMethod,
    /// Another type of the tokens for a resource.
    SetTokenType,
    /// A client that may do without PKCE.
    WithoutPkce,
}

/// What a change of a client sends.
struct Patch {
    body: Value,
    host: Option<String>,
    kind: RepairKind,
    value: Option<String>,
}

impl RepairView {
    /// The operation that makes `repair`.
    pub(super) fn new(repair: &Repair) -> Self {
        match repair {
            Repair::Client { client, change } => {
                let Patch { body, host, kind, value } = Patch::of(change);
                let client_id = Some(client.to_string());
                let path = path("clients", client.as_str());
                Self { client_id, host, value, ..Self::bare(kind, "PATCH", path, body) }
            }
            Repair::EnablePerson { user, username } => {
                let body = json!({ "disabled": false });
                Self::of_person(RepairKind::EnablePerson, (*user, username), body, None)
            }
            Repair::Group { group, user, username, .. } => {
                let group = group.as_str();
                let body = json!({ "add_groups": [group] });
                Self::of_person(RepairKind::AddGroup, (*user, username), body, Some(group))
            }
            Repair::NewClient { client, redirect_uri } => {
                let (id, uri) = (client.as_str(), redirect_uri.as_str());
                let body = json!({ "client_id": id, "name": id, "redirect_uris": [uri] });
                let path = "/api/v1/clients".to_owned();
                Self {
                    client_id: Some(id.to_owned()),
                    host: Some(redirect_uri.host()),
                    value: Some(uri.to_owned()),
                    ..Self::bare(RepairKind::NewClient, "POST", path, body)
                }
            }
            Repair::NewResource { resource } => {
                let body = json!({ "resource": resource });
                let path = "/api/v1/resources".to_owned();
                let value = Some(resource.clone());
                Self { value, ..Self::bare(RepairKind::NewResource, "POST", path, body) }
            }
            Repair::ResourceType { resource } => {
                let (body, value) = (json!({ "typ": "at+jwt" }), Some(resource.clone()));
                let path = path("resources", resource);
                Self { value, ..Self::bare(RepairKind::SetTokenType, "PATCH", path, body) }
            }
            Repair::Role { role, user, username } => {
                let role = role.as_str();
                let body = json!({ "add_roles": [role] });
                Self::of_person(RepairKind::AddRole, (*user, username), body, Some(role))
            }
        }
    }

    fn bare(kind: RepairKind, method: &str, path: String, body: Value) -> Self {
        Self {
            body,
            client_id: None,
            client_name: None,
            host: None,
            kind,
            method: method.to_owned(),
            path,
            self_named: None,
            username: None,
            value: None,
        }
    }

    /// A change of a person, whom the path names by the id: it is never that of somebody else.
    fn of_person(
        kind: RepairKind,
        (user, username): (UserId, &Username),
        body: Value,
        value: Option<&str>,
    ) -> Self {
        Self {
            username: Some(username.to_string()),
            value: value.map(str::to_owned),
            ..Self::bare(kind, "PATCH", path("users", &user.to_string()), body)
        }
    }
}

impl Patch {
    fn of(change: &Change) -> Self {
        let host = match change {
            Change::PostLogoutUri { added: uri, .. } | Change::RedirectUri(uri) => Some(uri.host()),
            Change::AllowAnonymous
            | Change::AllowOldAssertions
            | Change::AllowUnpushed
            | Change::AuthMethod(_)
            | Change::Enable
            | Change::FirstParty
            | Change::Grant { .. }
            | Change::Pkce(_)
            | Change::Resource(_)
            | Change::Scope(_) => None,
        };
        let (kind, value, body) = match change {
            Change::AllowAnonymous => {
                (RepairKind::AllowAnonymous, None, json!({ "anonymous": true }))
            }
            Change::AllowOldAssertions => {
                (RepairKind::AllowOldAssertions, None, json!({ "assertions": "rfc7523" }))
            }
            Change::AllowUnpushed => {
                let member = "require_pushed_authorization_requests";
                (RepairKind::AllowUnpushed, None, json!({ (member): false }))
            }
            Change::AuthMethod(method) => {
                let method = method.as_str();
                // The method decides the type, and both are wanted in one patch.
                let kind = if method == "none" { "public" } else { "confidential" };
                let body = json!({ "client_type": kind, "token_endpoint_auth_method": method });
                (RepairKind::SetAuthMethod, Some(method.to_owned()), body)
            }
            Change::Enable => (RepairKind::EnableClient, None, json!({ "enabled": true })),
            Change::FirstParty => (RepairKind::FirstParty, None, json!({ "first_party": true })),
            Change::Grant { added, .. } => {
                added_to("grant_types", RepairKind::AllowGrant, added.as_str())
            }
            Change::Pkce(policy) => {
                let policy = policy.as_str();
                let body = json!({ "pkce": policy });
                (RepairKind::WithoutPkce, Some(policy.to_owned()), body)
            }
            Change::PostLogoutUri { added, .. } => {
                let kind = RepairKind::AddPostLogoutUri;
                added_to("post_logout_redirect_uris", kind, added.as_str())
            }
            Change::RedirectUri(uri) => {
                added_to("redirect_uris", RepairKind::AddRedirectUri, uri.as_str())
            }
            Change::Resource(resource) => added_to("resources", RepairKind::AddResource, resource),
            Change::Scope(scope) => {
                let tokens: Vec<&str> = scope.iter().map(|token| token.as_str()).collect();
                let body = json!({ "add": { "scope": tokens } });
                (RepairKind::AddScope, Some(scope.to_string()), body)
            }
        };
        Self { body, host, kind, value }
    }
}

/// The addition of `item` to a list of a client.
fn added_to(list: &str, kind: RepairKind, item: &str) -> (RepairKind, Option<String>, Value) {
    (kind, Some(item.to_owned()), json!({ "add": { (list): [item] } }))
}

/// The path of the operations of one thing.
fn path(noun: &str, name: &str) -> String {
    format!("/api/v1/{noun}/{}", segment_encode(name))
}
