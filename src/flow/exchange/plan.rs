//! What an import takes of a file: each line as this installation can have it, checked against what
//! is there. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::export::hash_keys;
use super::file::{Faults, File};
use super::identity::{Named, difference, identity, maker_of, person_of};
use super::lines::{ClientLine, Line, MeansMember, OriginMember, PersonLine, SecretMember};
use super::member::{Digest, Fault, Text};
use super::notes::{self, Note};
use super::{parse, rows};
use crate::error::{Error, Refusal, shell_word};
use crate::flow::person::people;
use crate::flow::{Context, removal};
use crate::model::folding::folded;
use crate::model::person::Role;
use crate::oauth::id::{ClientId, UserId};
use crate::secret::LASTING;
use crate::store::View;
use crate::store::schema::{
    Client, CredentialId, GRANTS_BY_CLIENT, LinkedDevice, PASSKEYS_BY_USER, PEOPLE_BY_EMAIL,
    Passkey, Person, REMOVED_PASSKEYS_BY_USER, RemovedPasskey, Subject,
};

/// What is to be written.
#[derive(Default)]
pub(super) struct Plan {
    /// The lines that are new here, each with its number.
    pub(super) new: Vec<(u64, Line)>,
    /// What did not come along.
    pub(super) notes: Vec<Note>,
    /// The people of the file.
    pub(super) people: Vec<UserId>,
    /// How many lines say what is here already.
    pub(super) unchanged: usize,
}

/// A line as this installation can have it.
struct Adapted {
    /// A member that does not come along.
    left_out: Option<&'static str>,
    line: Line,
}

/// The making of a plan.
struct Planner<'a, V> {
    cx: &'a Context,
    faults: Faults,
    file: &'a File,
    left_clients: BTreeSet<ClientId>,
    left_devices: BTreeSet<String>,
    left_people: BTreeSet<UserId>,
    named: Named,
    own_keys: BTreeMap<String, String>,
    /// The people who lose something: what, and how many of it.
    lost: BTreeMap<(UserId, Lost), usize>,
    plan: Plan,
    seen: BTreeSet<(&'static str, String)>,
    view: &'a V,
}

/// What people lose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lost {
    Passkeys,
    RecoveryCodes,
    SetupLinks,
}

/// The plan for a file, or its faults.
///
/// # Errors
///
/// Those of the store.
pub(super) fn plan(
    view: &impl View,
    cx: &Context,
    file: &File,
) -> Result<Result<Plan, Faults>, Error> {
    let mut planner = Planner {
        cx,
        faults: Faults::default(),
        file,
        left_clients: BTreeSet::new(),
        left_devices: BTreeSet::new(),
        left_people: BTreeSet::new(),
        named: Named::of(file),
        own_keys: hash_keys(&cx.rules),
        lost: BTreeMap::new(),
        plan: Plan::default(),
        seen: BTreeSet::new(),
        view,
    };
    let (there, here) = (&file.header.issuer, cx.rules.issuer.as_str());
    if there != here {
        planner.note("issuer", format!(
            "the file is of {there}, and this installation is {here}: tell the applications its new issuer"
        ));
    }
    planner.leave_removed_people()?;
    for (number, line) in &file.lines {
        planner.line(*number, line)?;
    }
    planner.note_losses()?;
    let Planner { faults, plan, .. } = planner;
    Ok(if faults.is_empty() { Ok(plan) } else { Err(faults) })
}

impl<V: View> Planner<'_, V> {
    fn note(&mut self, about: impl Into<String>, sentence: impl Into<String>) {
        self.plan.notes.push(Note { about: about.into(), sentence: sentence.into() });
    }

    /// Whether the key of a hash is that of this installation.
    fn holds(&self, hash: &Digest) -> bool {
        self.has_key(hash.generation())
    }

    /// Whether the keys of a generation are those of the file.
    fn has_key(&self, generation: u8) -> bool {
        let generation = generation.to_string();
        let own = self.own_keys.get(&generation);
        own.is_some() && own == self.file.header.hash_keys.get(&generation)
    }

    /// Leaves out the people who were removed here. Whoever had a passkey left a mark.
    fn leave_removed_people(&mut self) -> Result<(), Error> {
        let people: Vec<_> =
            self.named.people.iter().map(|(id, name)| (*id, name.clone())).collect();
        for (id, username) in people {
            if self.view.find::<Person>(&id)?.is_some() {
                continue;
            }
            let has_mark = !self.view.by(&REMOVED_PASSKEYS_BY_USER, &id, 1)?.is_empty();
            if has_mark || removal::is_pending(self.view, &Subject::Person(id))? {
                self.note(
                    format!("user {username}"),
                    "they were removed here, and stay removed with what was theirs: gatelodge user add \
                     makes a new account",
                );
                self.left_people.insert(id);
            }
        }
        Ok(())
    }

    fn name_of(&self, user: UserId) -> Result<String, Error> {
        if let Some(username) = self.named.people.get(&user) {
            return Ok(username.to_string());
        }
        let person = self.view.find::<Person>(&user)?;
        Ok(person.map_or_else(|| user.to_string(), |person| person.username.to_string()))
    }

    fn line(&mut self, number: u64, line: &Line) -> Result<(), Error> {
        if !self.seen.insert((line.kind(), identity(line))) {
            self.faults.add(number, Fault::whole("a line before this one is of the same"));
            return Ok(());
        }
        let (own, maker) = (person_of(line), maker_of(line));
        if self.left_people.iter().any(|left| [own, maker].contains(&Some(*left))) {
            return Ok(());
        }
        if let Line::Person(own) = line {
            self.plan.people.push(own.id.0);
        }
        match self.configured(line) {
            Some(true) => {
                self.plan.unchanged += 1;
                return Ok(());
            }
            Some(false) => {
                let why = "the configuration here says something else of it: make both the same";
                self.faults.add(number, Fault::at("name", why));
                return Ok(());
            }
            None => {}
        }
        let Some(Adapted { left_out, line }) = self.adapted(line)? else { return Ok(()) };
        match rows::stored(self.view, &line)? {
            Some(stored) => match difference(&line, &stored, left_out) {
                None => self.plan.unchanged += 1,
                Some(member) => {
                    let why = "it is here already, and differs in this: remove it here, or import into \
                               an installation without it";
                    self.faults.add(number, Fault::at(member, why));
                }
            },
            None => match self.check(&line)? {
                Ok(()) => {
                    self.plan.notes.extend(notes::of_rights(self.cx, &line));
                    self.plan.new.push((number, line));
                }
                Err(fault) => self.faults.add(number, fault),
            },
        }
        Ok(())
    }

    /// Whether the configuration says the same of a scope or a role, if it says anything of it.
    fn configured(&self, line: &Line) -> Option<bool> {
        let configured = &self.cx.rules.configured;
        if let Line::Role(own) = line {
            return Some(*configured.configured_role(&own.name.0)? == own.scope);
        }
        let Line::Scope(own) = line else { return None };
        let entry = configured.configured_scope(&own.name.0)?;
        Some(entry.open == own.open && entry.description == own.description)
    }

    /// The line without what cannot come along; `None` if all of it cannot. A note says so, if somebody
    /// has to know.
    fn adapted(&mut self, line: &Line) -> Result<Option<Adapted>, Error> {
        const ROOT: &str = "since this installation has another root secret";
        let mut line = line.clone();
        let mut left_out = None;
        match &mut line {
            Line::Client(own) => {
                let id = own.client_id.0.clone();
                if let OriginMember::Dynamic { fingerprint, registration, .. } = &own.origin
                    && !(self.holds(fingerprint) && self.holds(registration))
                {
                    self.note(
                        format!("client {id}"),
                        format!("it registered itself, and has to do so again, {ROOT}"),
                    );
                    self.left_clients.insert(id);
                    return Ok(None);
                }
                if let Some(SecretMember::Made(hash)) = &own.secret
                    && !self.holds(hash)
                {
                    self.note(format!("client {id}"), format!(
                        "its secret does not come along, {ROOT}: gatelodge client rotate-secret {} \
                         prints a new one", shell_word(&id.to_string())
                    ));
                    own.secret = None;
                    left_out = Some("secret");
                }
                let pairwise = own.metadata.get("subject_type") == Some(&Value::from("pairwise"));
                if pairwise && !self.has_key(LASTING) {
                    self.note(format!("client {id}"), format!(
                        "its subjects are pairwise, and it gets another sub for each person, {ROOT}: it \
                         takes them for new people"
                    ));
                }
            }
            Line::Passkey(own) if self.file.header.rp_id != self.cx.rules.issuer.host() => {
                *self.lost.entry((own.user.0, Lost::Passkeys)).or_default() += 1;
                return Ok(None);
            }
            Line::Passkey(own) => {
                let id = CredentialId(own.credential_id.0.clone());
                if self.view.find::<RemovedPasskey>(&id)?.is_some() {
                    let user = self.name_of(own.user.0)?;
                    let sentence =
                        format!("their passkey {} was removed here, and stays removed", own.name.0);
                    self.note(format!("user {user}"), sentence);
                    return Ok(None);
                }
            }
            Line::RecoveryCode(own) if !self.holds(&own.hash) => {
                *self.lost.entry((own.user.0, Lost::RecoveryCodes)).or_default() += 1;
                return Ok(None);
            }
            Line::Device(own) => {
                if let MeansMember::Token { hash, .. } = &own.means
                    && !self.holds(hash)
                {
                    let user = self.name_of(own.user.0)?;
                    let sentence = format!(
                        "their personal access token does not come along, {ROOT}: gatelodge bridge \
                         issue-pat {user} makes a new one"
                    );
                    let about = format!("device {} of {user}", own.name.0);
                    self.left_devices.insert(own.id.clone());
                    self.note(about, sentence);
                    return Ok(None);
                }
                if own.hook.is_some_and(|hook| !self.holds(&hook)) {
                    // A device that comes by its certificate gets another one by itself.
                    own.hook = None;
                    left_out = Some("hook");
                }
                if own.expires.0 <= self.cx.now {
                    self.left_devices.insert(own.id.clone());
                    return Ok(None);
                }
            }
            // What nobody can use any more is no loss.
            Line::Certificate(own)
                if own.expires.0 <= self.cx.now || self.left_devices.contains(&own.device) =>
            {
                return Ok(None);
            }
            Line::Consent(own) if self.left_clients.contains(&own.client.0) => {
                return Ok(None);
            }
            Line::SetupLink(own) => {
                if own.expires.0 <= self.cx.now || !self.holds(&own.token) {
                    *self.lost.entry((own.user.0, Lost::SetupLinks)).or_default() += 1;
                    return Ok(None);
                }
            }
            Line::Invitation(own) => {
                if own.expires.0 <= self.cx.now {
                    return Ok(None);
                }
                if !self.holds(&own.token) {
                    let about = format!("invitation {}", own.id.0);
                    self.note(about, format!(
                        "its link does not come along, {ROOT}: gatelodge invite add makes a new one"
                    ));
                    return Ok(None);
                }
            }
            Line::Applied(_)
            | Line::Certificate(_)
            | Line::Consent(_)
            | Line::Person(_)
            | Line::RecoveryCode(_)
            | Line::Resource(_)
            | Line::Role(_)
            | Line::Scope(_) => {}
        }
        Ok(Some(Adapted { left_out, line }))
    }

    fn note_losses(&mut self) -> Result<(), Error> {
        let (there, here) = (&self.file.header.rp_id, self.cx.rules.issuer.host());
        for ((user, lost), count) in std::mem::take(&mut self.lost) {
            let user = self.name_of(user)?;
            let plural = if count == 1 { "" } else { "s" };
            let sentence = match lost {
                Lost::Passkeys => format!(
                    "{count} passkey{plural} of theirs cannot be used here, since they are for {there} \
                     and this is {here}: gatelodge user recover {user} makes a link for a new one"
                ),
                Lost::RecoveryCodes => format!(
                    "{count} recovery code{plural} of theirs did not come along, since this \
                     installation has another root secret: they make new ones on their account page"
                ),
                Lost::SetupLinks => format!(
                    "their setup link is over or did not come along: gatelodge user recover {user} makes \
                     a new one"
                ),
            };
            self.note(format!("user {user}"), sentence);
        }
        Ok(())
    }

    /// Checks a line that is new here.
    fn check(&self, line: &Line) -> Result<Result<(), Fault>, Error> {
        if let Err(fault) = self.check_references(line)? {
            return Ok(Err(fault));
        }
        Ok(match line {
            Line::Client(own) => self.check_client(own)?,
            Line::Passkey(own) => match parse::passkey(own) {
                Err(fault) => Err(fault),
                Ok(_) => self.check_passkey_name(own.user.0, own.name.0.as_str())?,
            },
            Line::Person(own) => self.check_person(own)?,
            Line::Invitation(own) => self.check_roles(&own.roles),
            Line::Scope(own) if own.open && own.name.0.is_reserved() => {
                Err(Fault::at("open", Refusal::ScopeReserved.reason()))
            }
            Line::Applied(_)
            | Line::Certificate(_)
            | Line::Consent(_)
            | Line::Device(_)
            | Line::RecoveryCode(_)
            | Line::Resource(_)
            | Line::Role(_)
            | Line::Scope(_)
            | Line::SetupLink(_) => Ok(()),
        })
    }

    /// Checks that whomever and whatever a line names is here or in the file.
    fn check_references(&self, line: &Line) -> Result<Result<(), Fault>, Error> {
        let nobody =
            |member: &'static str| Fault::at(member, "this person is neither in the file nor here");
        let member = if let Line::Client(_) = line { "owner" } else { "user" };
        let user = person_of(line).filter(|_| !matches!(line, Line::Person(_)));
        for (member, user) in [(member, user), ("made_by", maker_of(line))] {
            if let Some(user) = user
                && !self.named.people.contains_key(&user)
                && self.view.find::<Person>(&user)?.is_none()
            {
                return Ok(Err(nobody(member)));
            }
        }
        let client = if let Line::Consent(own) = line {
            Some(&own.client)
        } else if let Line::Resource(own) = line {
            own.client.as_ref()
        } else {
            None
        };
        if let Some(Text(client)) = client
            && !self.named.clients.contains(client)
            && self.view.find::<Client>(client)?.is_none()
        {
            let why = "this client is neither in the file nor here";
            return Ok(Err(Fault::at("client", why)));
        }
        if let Line::Certificate(own) = line
            && own.revoked.is_none()
            && !self.named.devices.contains(&own.device)
            && self.view.find::<LinkedDevice>(&own.device)?.is_none()
        {
            let why = "this device is neither in the file nor here";
            return Ok(Err(Fault::at("device", why)));
        }
        Ok(Ok(()))
    }

    fn check_client(&self, own: &ClientLine) -> Result<Result<(), Fault>, Error> {
        let id = &own.client_id.0;
        // What a client of this id was allowed before would be allowed to this one.
        if !self.view.by(&GRANTS_BY_CLIENT, id, 1)?.is_empty()
            || removal::is_pending(self.view, &Subject::Client(id.clone()))?
        {
            let why = "a client of this id was removed here a moment ago, and its grants are not gone \
                       yet: try again later";
            return Ok(Err(Fault::at("client_id", why)));
        }
        Ok(parse::client(self.cx, own).map(drop))
    }

    fn check_roles(&self, roles: &[Text<Role>]) -> Result<(), Fault> {
        let known = |role: &Role| {
            self.cx.rules.config.roles.contains_key(role) || self.named.roles.contains(role)
        };
        match roles.iter().find(|role| !known(&role.0)) {
            None => Ok(()),
            Some(Text(role)) => Err(Fault::at(
                "roles",
                format!(
                    "there is no role {role} here: define it in the configuration, or by gatelodge apply"
                ),
            )),
        }
    }

    fn check_person(&self, own: &PersonLine) -> Result<Result<(), Fault>, Error> {
        let username = &own.username.0;
        if let Some((other, _)) = people::named(self.view, username)? {
            let why = format!(
                "somebody else has this name here, with the id {other}: gatelodge user remove {username} \
                 removes them"
            );
            return Ok(Err(Fault::at("username", why)));
        }
        if self.named.usernames.get(&username.folded()).is_some_and(|count| *count > 1) {
            return Ok(Err(Fault::at("username", "two people of the file have this name")));
        }
        if let Some(email) = &own.email
            && let Some(other) = self.view.by(&PEOPLE_BY_EMAIL, &email.address.0.folded(), 1)?.pop()
        {
            let other = self.name_of(other)?;
            let why = format!(
                "{other} has this address here: gatelodge user set {other} --email= takes it away"
            );
            return Ok(Err(Fault::at("email", why)));
        }
        let row = parse::person(own);
        let claims = row.claims.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        if people::check_size(&row.roles, &row.groups, &claims.collect::<Vec<_>>()).is_err() {
            return Ok(Err(Fault::whole(Refusal::PersonTooLarge.reason())));
        }
        Ok(self.check_roles(&own.roles))
    }

    /// Checks that no other passkey of a person here has a name.
    fn check_passkey_name(&self, user: UserId, name: &str) -> Result<Result<(), Fault>, Error> {
        for other in self.view.by(&PASSKEYS_BY_USER, &user, usize::MAX)? {
            let other = self.view.find::<Passkey>(&other)?;
            if other.is_some_and(|other| folded(other.name.as_str()) == folded(name)) {
                let why = "another passkey of theirs has this name here: gatelodge passkey rename gives \
                           it another one";
                return Ok(Err(Fault::at("name", why)));
            }
        }
        Ok(Ok(()))
    }
}
