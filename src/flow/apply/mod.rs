//! A file of clients, people, groups, scopes, roles and resources, applied as a whole: all of it or
//! nothing, in one transaction.
//!
//! What the file names is set to what it says, and what it leaves out stays as it is. The second time
//! nothing changes. What an `apply` made has a mark ([`Applied`](crate::store::schema::Applied)), and
//! only that is pruned.

mod clients;
pub mod definitions;
mod ledger;
mod marks;
mod people;
mod prune;
mod resources;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, Refusal};
use crate::event;
use crate::flow::Context;
use crate::flow::events::{self, Act};
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::dotted::dotted;
use crate::model::email::Email;
use crate::model::person::{Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::ClientId;
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::ScopeToken;
use crate::store::Tx;

pub use ledger::{Changed, Kind, MemberChange};

use ledger::Ledger;

/// What a file says.
#[derive(Clone, Default)]
pub struct Manifest {
    /// The clients.
    pub clients: BTreeMap<ClientId, ClientEntry>,
    /// The groups, each with all of its people.
    pub groups: BTreeMap<Group, Vec<Username>>,
    /// The resources.
    pub resources: Vec<(Resource, ResourceEntry)>,
    /// The roles.
    pub roles: BTreeMap<Role, RoleEntry>,
    /// The scopes.
    pub scopes: BTreeMap<ScopeToken, ScopeEntry>,
    /// The people.
    pub users: BTreeMap<Username, UserEntry>,
}

/// What a file says of a client.
#[derive(Clone, Default)]
pub struct ClientEntry {
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Its other members, by the names of the operator's API.
    pub members: Map<String, Value>,
    /// Its scopes.
    pub scopes: Option<Vec<ScopeToken>>,
    /// Its secret.
    pub secret: Option<Chosen>,
}

/// A chosen secret, compared and hashed before the transaction.
#[derive(Clone)]
pub enum Chosen {
    /// It is another one than the client has: its Argon2id hash, in PHC form, and that of the secret
    /// that it differs from.
    Another(String, Option<String>),
    /// It is the secret of this hash.
    Same(String),
}

/// What a file says of a resource.
#[derive(Clone, Default)]
pub struct ResourceEntry {
    /// Whether it accepts the tokens of bridges.
    pub accepts_bridge: Option<bool>,
    /// The client as which it introspects tokens.
    pub client: Option<ClientId>,
    /// Whether it has credentials of its own to introspect tokens.
    pub introspect: bool,
    /// Its name.
    pub name: Option<DisplayName>,
    /// Whether every client may ask for its scopes.
    pub open: Option<bool>,
    /// Its scopes.
    pub scopes: Option<Vec<ScopeToken>>,
    /// The type of the access tokens for it.
    pub typ: Option<TokenType>,
}

/// What a file says of a role.
#[derive(Clone, Default)]
pub struct RoleEntry {
    /// The scopes that its people may grant.
    pub scopes: Option<Vec<ScopeToken>>,
}

/// What a file says of a scope.
#[derive(Clone, Default)]
pub struct ScopeEntry {
    /// What the consent page says of it.
    pub description: Option<String>,
    /// Whether every person may grant it, and every client ask for it.
    pub open: Option<bool>,
}

/// What a file says of a person.
#[derive(Clone, Default)]
pub struct UserEntry {
    /// Their claims, all of them.
    pub claims: Option<BTreeMap<ClaimName, ClaimValue>>,
    /// Whether they are disabled.
    pub disabled: Option<bool>,
    /// Their display name.
    pub display_name: Option<DisplayName>,
    /// Their e-mail address; `Some(None)` removes it.
    pub email: Option<Option<Email>>,
    /// Whether the address is theirs; `Some(None)` leaves that to the policy.
    pub email_verified: Option<Option<bool>>,
    /// Their groups, beside those that name them.
    pub groups: Option<Vec<Group>>,
    /// Their roles.
    pub roles: Option<Vec<Role>>,
}

/// A kind of object in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noun {
    /// A client.
    Client,
    /// A group.
    Group,
    /// A resource.
    Resource,
    /// A role.
    Role,
    /// A scope.
    Scope,
    /// A person.
    User,
}

impl Noun {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Client, Self::Group, Self::Resource, Self::Role, Self::Scope, Self::User];

    /// The word for one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Group => "group",
            Self::Resource => "resource",
            Self::Role => "role",
            Self::Scope => "scope",
            Self::User => "user",
        }
    }

    /// The section of the file.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Client => "clients",
            Self::Group => "groups",
            Self::Resource => "resources",
            Self::Role => "roles",
            Self::Scope => "scopes",
            Self::User => "users",
        }
    }

    /// The place of the object `name` in the file.
    pub fn place(self, name: &str) -> String {
        dotted(&[self.section(), name])
    }

    /// The place of a member of the object `name`.
    pub fn member(self, name: &str, member: &str) -> String {
        dotted(&[self.section(), name, member])
    }

    /// The place of an item of a list of the object `name`.
    pub fn item(self, name: &str, member: &str, position: usize) -> String {
        format!("{}[{position}]", self.member(name, member))
    }
}

/// Applies a file. With `prune` everything is removed that a file made and this one does not name.
/// Returns what has changed.
///
/// # Errors
///
/// Those of the transitions on each noun, with the place in the file.
pub fn run(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    prune: bool,
) -> Result<Vec<Changed>, Error> {
    let mut ledger = Ledger::default();
    marks::forget_gone(tx)?;
    // What follows knows the new scopes and roles.
    let cx = &definitions::apply(tx, cx, manifest, &mut ledger)?;
    resources::register(tx, cx, manifest, &mut ledger)?;
    // A client may have the scopes of a resource, and a resource the credentials of a client.
    clients::apply(tx, cx, manifest, &mut ledger)?;
    resources::connect(tx, cx, manifest, &mut ledger)?;
    people::apply(tx, cx, manifest, &mut ledger)?;
    if prune {
        prune::run(tx, cx, manifest, &mut ledger)?;
    }
    let changed = ledger.finish(tx)?;
    if !changed.is_empty() {
        let listed: Vec<String> = changed.iter().map(Changed::place).collect();
        events::record(tx, cx, Act::new(event::Kind::FileApplied).facts("changed", &listed))?;
    }
    Ok(changed)
}

/// Adds what another server's files said. Nothing that is there changes, and what is new has no mark: a
/// file that is applied later prunes nothing of it.
///
/// # Errors
///
/// Those of [`run`], and [`Refusal::ImportDiffers`] with the place.
pub fn import(tx: &mut Tx<'_>, cx: &Context, manifest: &Manifest) -> Result<Vec<Changed>, Error> {
    let changed = run(tx, cx, manifest, false)?;
    if let Some(other) = changed.iter().find(|changed| changed.kind != Kind::Added) {
        let member = other.members.first();
        return Err(Error::from(Refusal::ImportDiffers).at(|| match member {
            Some(change) => other.noun.member(&other.name, &change.member),
            None => other.place(),
        }));
    }
    for added in &changed {
        let folded = added.name.parse::<Username>().map(|name| name.folded().to_string());
        let name = folded.ok().filter(|_| added.noun == Noun::User);
        marks::remove(tx, added.noun, name.as_deref().unwrap_or(&added.name))?;
    }
    Ok(changed)
}

/// The context of the transition on one of many objects: its ids and tokens are its own.
fn context_of(cx: &Context, noun: Noun, name: &str) -> Context {
    Context { seed: cx.seed.derived(&noun.place(name)), ..cx.clone() }
}
