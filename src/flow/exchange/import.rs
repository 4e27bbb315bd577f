//! The import: what the plan has is written, in the order of the file.

use std::collections::BTreeMap;

use super::file::{Faults, File};
use super::lines::Line;
use super::notes::Note;
use super::parse;
use super::plan::plan;
use crate::error::{Error, Internal};
use crate::event::Kind;
use crate::flow::apply::definitions;
use crate::flow::client::operator;
use crate::flow::events::{self, Act};
use crate::flow::person::setup_link::{self, IssuedSetupLink};
use crate::flow::{Context, resource};
use crate::model::person::Username;
use crate::oauth::id::UserId;
use crate::store::schema::{
    Applied, AppliedRole, AppliedScope, Consent, OPEN_LINKS, Origin, PASSKEYS_BY_USER, Person,
    SetupPurpose, StoredCode,
};
use crate::store::{Tx, View};

/// What is asked of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Whether whoever has no passkey in the end gets a setup link.
    pub links: bool,
}

/// What an import did.
#[derive(Default)]
pub struct Imported {
    /// How many lines of each kind are new.
    pub added: BTreeMap<&'static str, usize>,
    /// The setup links that were made.
    pub links: Vec<Invited>,
    /// What did not come along, or needs a hand.
    pub notes: Vec<Note>,
    /// How many lines said what was here already.
    pub unchanged: usize,
    /// The people of the file who have neither a passkey nor an open setup link.
    pub without_passkey: Vec<Username>,
}

/// Somebody who got a setup link.
pub struct Invited {
    /// The link.
    pub link: IssuedSetupLink,
    /// Who.
    pub username: Username,
}

/// The place of a line in a refusal.
fn place(number: u64) -> String {
    format!("line {number}")
}

/// Imports a file: all of it, or nothing if it has faults.
///
/// # Errors
///
/// Those of the rules for scopes, roles and clients, with the line.
pub fn run(
    tx: &mut Tx<'_>,
    cx: &Context,
    file: &File,
    wanted: Wanted,
) -> Result<Result<Imported, Faults>, Error> {
    let plan = match plan(tx, cx, file)? {
        Ok(plan) => plan,
        Err(faults) => return Ok(Err(faults)),
    };
    let mut imported =
        Imported { notes: plan.notes, unchanged: plan.unchanged, ..Imported::default() };
    for (number, line) in &plan.new {
        put(tx, cx, line).map_err(|error| error.at(|| place(*number)))?;
        *imported.added.entry(line.kind()).or_default() += 1;
    }
    check(tx, cx, &plan.new)?;
    for user in plan.people {
        invite(tx, cx, user, wanted, &mut imported)?;
    }
    if !imported.added.is_empty() || !imported.links.is_empty() {
        let added: Vec<_> =
            imported.added.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let act = Act::new(Kind::FileImported).named(&file.header.issuer);
        events::record(tx, cx, act.facts("added", &added))?;
    }
    Ok(Ok(imported))
}

fn put(tx: &mut Tx<'_>, cx: &Context, line: &Line) -> Result<(), Error> {
    let checked = |_| Error::from(Internal::new("a line was checked before"));
    match line {
        Line::Scope(own) => {
            let row = AppliedScope { description: own.description.clone(), open: own.open };
            tx.put(&own.name.0.as_str().to_owned(), row)?;
        }
        Line::Role(own) => {
            tx.put(&own.name.0.as_str().to_owned(), AppliedRole { scope: own.scope.clone() })?;
        }
        Line::Resource(own) => {
            tx.put(&own.resource.0.canonical().to_owned(), parse::resource(own))?;
        }
        Line::Client(own) => {
            let (row, logo) = parse::client(cx, own).map_err(checked)?;
            tx.put(&own.client_id.0, row)?;
            if let Some(logo) = logo {
                tx.put(&own.client_id.0, logo)?;
            }
        }
        Line::Person(own) => tx.put(&own.id.0, parse::person(own))?,
        Line::Passkey(own) => {
            let (id, row) = parse::passkey(own).map_err(checked)?;
            tx.put(&id, row)?;
        }
        Line::RecoveryCode(own) => {
            let used = own.used.map(|used| used.0);
            let row = StoredCode { created: own.created.0, used, user: own.user.0 };
            tx.put(&own.hash.hash(), row)?;
        }
        Line::Device(own) => tx.put(&own.id, parse::device(own))?,
        Line::Certificate(own) => tx.put(&own.fingerprint.0, parse::certificate(own))?,
        Line::Consent(own) => {
            let allowed = own.allowed.iter();
            let allowed = allowed.map(|own| (own.resource.clone(), own.scope.clone())).collect();
            let row = Consent { allowed, given: own.given.0 };
            tx.put(&(own.user.0, own.client.0.clone(), own.host.clone()), row)?;
        }
        Line::SetupLink(own) => tx.put(&own.id.0, parse::setup_link(cx, own))?,
        Line::Invitation(own) => tx.put(&own.id.0, parse::invitation(cx, own))?,
        Line::Applied(own) => {
            let members = own.members.iter().map(|member| member.0).collect();
            let row = Applied { created: own.created.0, members };
            tx.put(&(own.noun.clone(), own.name.clone()), row)?;
        }
    }
    Ok(())
}

/// Checks what the rules say of what was written, with the scopes and roles that are new.
fn check(tx: &Tx<'_>, cx: &Context, new: &[(u64, Line)]) -> Result<(), Error> {
    let defined = definitions::list(tx)?;
    let cx = &cx.under(cx.rules.with_definitions(&defined));
    for (number, line) in new {
        let checked = match line {
            Line::Role(own) => {
                let known = cx.rules.config.scope().union(&resource::known(tx)?);
                resource::check_known(&own.scope, &known)
            }
            Line::Client(own) => match parse::client(cx, own) {
                Ok((client, _)) if client.origin == Origin::Operator => {
                    operator::check(tx, cx, &client, &|_| true)
                }
                Ok(_) | Err(_) => Ok(()),
            },
            Line::Applied(_)
            | Line::Certificate(_)
            | Line::Consent(_)
            | Line::Device(_)
            | Line::Invitation(_)
            | Line::Passkey(_)
            | Line::Person(_)
            | Line::RecoveryCode(_)
            | Line::Resource(_)
            | Line::Scope(_)
            | Line::SetupLink(_) => Ok(()),
        };
        checked.map_err(|error| error.at(|| place(*number)))?;
    }
    Ok(())
}

/// Makes a setup link for a person of the file who would have no way in, if it is wanted.
fn invite(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    wanted: Wanted,
    imported: &mut Imported,
) -> Result<(), Error> {
    let has_passkey = !tx.by(&PASSKEYS_BY_USER, &user, 1)?.is_empty();
    if has_passkey || !tx.by(&OPEN_LINKS, &user, 1)?.is_empty() {
        return Ok(());
    }
    let person = tx.find::<Person>(&user)?;
    let Some(person) = person.filter(|person| !person.disabled) else { return Ok(()) };
    if wanted.links {
        let seed = cx.seed.derived(&format!("link of {user}"));
        let cx = &Context { seed, ..cx.clone() };
        let link = setup_link::issue(tx, cx, SetupPurpose::New(user))?;
        let act = link.describe(Act::new(Kind::LinkIssued).person(user).named(&person.username));
        events::record(tx, cx, act)?;
        imported.links.push(Invited { link, username: person.username });
    } else {
        imported.without_passkey.push(person.username);
    }
    Ok(())
}
