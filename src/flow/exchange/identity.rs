//! What the lines of a file name, and when two lines are of the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::file::File;
use super::lines::Line;
use crate::model::person::{Role, Username};
use crate::oauth::id::{ClientId, UserId};
use crate::secret::hex;

/// What the lines of a file name, wherever they stand.
#[derive(Default)]
pub(super) struct Named {
    /// The clients.
    pub(super) clients: BTreeSet<ClientId>,
    /// The linked devices.
    pub(super) devices: BTreeSet<String>,
    /// The people, with their names.
    pub(super) people: BTreeMap<UserId, Username>,
    /// The roles.
    pub(super) roles: BTreeSet<Role>,
    /// How many people have a name, whatever its case.
    pub(super) usernames: BTreeMap<Username, usize>,
}

impl Named {
    pub(super) fn of(file: &File) -> Self {
        let mut named = Self::default();
        for (_, line) in &file.lines {
            match line {
                Line::Client(own) => _ = named.clients.insert(own.client_id.0.clone()),
                Line::Device(own) => _ = named.devices.insert(own.id.clone()),
                Line::Person(own) => {
                    if named.people.insert(own.id.0, own.username.0.clone()).is_none() {
                        *named.usernames.entry(own.username.0.folded()).or_default() += 1;
                    }
                }
                Line::Role(own) => _ = named.roles.insert(own.name.0.clone()),
                Line::Applied(_)
                | Line::Certificate(_)
                | Line::Consent(_)
                | Line::Invitation(_)
                | Line::Passkey(_)
                | Line::RecoveryCode(_)
                | Line::Resource(_)
                | Line::Scope(_)
                | Line::SetupLink(_) => {}
            }
        }
        named
    }
}

/// What two lines of a kind have in common if they are of the same.
pub(super) fn identity(line: &Line) -> String {
    match line {
        Line::Applied(own) => format!("{} {}", own.noun, own.name),
        Line::Certificate(own) => own.fingerprint.0.to_string(),
        Line::Client(own) => own.client_id.0.to_string(),
        Line::Consent(own) => format!("{} {} {}", own.user.0, own.host, own.client.0),
        Line::Device(own) => own.id.clone(),
        Line::Invitation(own) => own.id.0.to_string(),
        Line::Passkey(own) => hex(&own.credential_id.0),
        Line::Person(own) => own.id.0.to_string(),
        Line::RecoveryCode(own) => hex(&own.hash.hash().to_bytes()),
        Line::Resource(own) => own.resource.0.canonical().to_owned(),
        Line::Role(own) => own.name.0.to_string(),
        Line::Scope(own) => own.name.0.to_string(),
        Line::SetupLink(own) => own.id.0.to_string(),
    }
}

/// The first member in which a line differs from what is stored, but for one that is left out.
pub(super) fn difference(line: &Line, stored: &Line, left_out: Option<&str>) -> Option<String> {
    let (line, stored) = (line.members(), stored.members());
    let value = |members: &Map<String, Value>, name: &str| members.get(name).cloned();
    let mut names = line.keys().chain(stored.keys());
    let differs = |name: &&String| {
        Some(name.as_str()) != left_out && value(&line, name) != value(&stored, name)
    };
    names.find(differs).cloned()
}

/// The person whom a line is about, or whose it is.
pub(super) fn person_of(line: &Line) -> Option<UserId> {
    match line {
        Line::Certificate(own) => Some(own.user.0),
        Line::Client(own) => own.owner.as_ref().map(|owner| owner.0),
        Line::Consent(own) => Some(own.user.0),
        Line::Device(own) => Some(own.user.0),
        Line::Passkey(own) => Some(own.user.0),
        Line::Person(own) => Some(own.id.0),
        Line::RecoveryCode(own) => Some(own.user.0),
        Line::SetupLink(own) => Some(own.user.0),
        Line::Applied(_)
        | Line::Invitation(_)
        | Line::Resource(_)
        | Line::Role(_)
        | Line::Scope(_) => None,
    }
}

/// The person who made what a line is about, and with whom it ends.
pub(super) fn maker_of(line: &Line) -> Option<UserId> {
    let maker = match line {
        Line::Invitation(own) => own.made_by.as_ref(),
        Line::SetupLink(own) => own.made_by.as_ref(),
        Line::Applied(_)
        | Line::Certificate(_)
        | Line::Client(_)
        | Line::Consent(_)
        | Line::Device(_)
        | Line::Passkey(_)
        | Line::Person(_)
        | Line::RecoveryCode(_)
        | Line::Resource(_)
        | Line::Role(_)
        | Line::Scope(_) => None,
    };
    maker?.person.as_ref().map(|person| person.0)
}
