//! Enrolment: registering a passkey by the right of a setup link.
//!
//! A link is used once. Its row stays for a while, so that an unknown, a used and an expired link
//! have refusals of their own. Several ceremonies may start by it. Of two that complete, one
//! succeeds, since one transaction stores the credential and spends the link.

use std::collections::BTreeMap;

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::Context;
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::person::ceremony::{Ceremony, Purpose, Right};
use crate::flow::person::{passkeys, people};
use crate::flow::session::{self, NewSessionKey, SignIn};
use crate::model::email::{Email, PersonEmail};
use crate::model::person::{Role, Username};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::passkey::Registered;
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::{
    Authentication, CredentialId, Passkey, Person, Removed, SetupLink, SetupPurpose,
};
use crate::store::{Tx, View};

/// A setup link that is usable.
pub struct OpenedLink {
    /// Its purpose.
    pub purpose: SetupPurpose,
    /// The person it is for; `None` for the first administrator, who does not exist yet.
    pub person: Option<Person>,
}

/// Checks that a link is usable, and returns its purpose and person.
pub fn open(view: &impl View, cx: &Context, link: &TokenHash) -> Result<OpenedLink, Error> {
    let row = view.find::<SetupLink>(link)?.ok_or(Refusal::SetupTokenUnknown)?;
    if row.used.is_some() {
        return Err(Refusal::SetupTokenUsed.into());
    }
    if evidence::is_over(view, cx, row.expires)? {
        return Err(Refusal::SetupTokenExpired.into());
    }
    let person = match row.purpose {
        SetupPurpose::First => {
            if !people::nobody(view)? {
                return Err(Refusal::SetupTokenUsed.into());
            }
            None
        }
        SetupPurpose::Enrol(user) | SetupPurpose::Recover(user) => {
            let person = view.find::<Person>(&user)?.ok_or(Refusal::StartedWithoutPerson)?;
            if person.disabled {
                return Err(Error::about(Refusal::PersonDisabled, user));
            }
            Some(person)
        }
    };
    Ok(OpenedLink { purpose: row.purpose, person })
}

impl OpenedLink {
    /// Whether the person may name their email address with the first passkey: they have none yet.
    pub fn takes_email(&self) -> bool {
        match self.purpose {
            SetupPurpose::Enrol(_) | SetupPurpose::First => {
                self.person.as_ref().is_none_or(|person| person.email.is_none())
            }
            SetupPurpose::Recover(_) => false,
        }
    }
}

/// The person who will own the new passkey.
#[derive(Clone)]
pub struct Candidate {
    /// Their id; a new one for the first administrator.
    pub user: UserId,
    /// The account's name.
    pub username: Username,
    /// Their display name.
    pub display_name: DisplayName,
    /// The email address that they typed.
    pub email: Option<Email>,
}

/// The person a link is for. `chosen` holds the names that the first administrator chose, and `email`
/// the address that the person typed, which counts if they have none.
pub fn candidate(
    view: &impl View,
    cx: &Context,
    opened: OpenedLink,
    chosen: Option<(Username, DisplayName)>,
    email: Option<Email>,
) -> Result<Candidate, Error> {
    let email = email.filter(|_| opened.takes_email());
    if let Some(email) = &email {
        people::check_email(view, email, None)?;
    }
    match (opened.purpose, opened.person) {
        (SetupPurpose::First, _) => {
            let (username, display_name) = chosen.ok_or(Refusal::UsernameMalformed)?;
            Ok(Candidate { user: UserId::from_seed(&cx.seed), username, display_name, email })
        }
        (SetupPurpose::Enrol(user) | SetupPurpose::Recover(user), Some(person)) => {
            let Person { username, display_name, .. } = person;
            Ok(Candidate { user, username, display_name, email })
        }
        (SetupPurpose::Enrol(_) | SetupPurpose::Recover(_), None) => {
            Err(Refusal::StartedWithoutPerson.into())
        }
    }
}

/// A registration that was verified.
#[derive(Clone)]
pub struct RegistrationProof {
    /// The cookie of the browser's anonymous session, if it has one.
    pub anonymous: Option<TokenHash>,
    /// The hash of the cookie that binds the ceremony to the browser.
    pub browser: TokenHash,
    /// The ceremony that it answers.
    pub ceremony: Ceremony,
    /// The browser's description of itself.
    pub device: DeviceInfo,
    /// The key of the session to open, where it is one.
    pub key: Option<NewSessionKey>,
    /// The link whose right it uses.
    pub link: TokenHash,
    /// The name of the passkey.
    pub name: DisplayName,
    /// The key or cookie of the session that the browser already has.
    pub previous: Option<TokenHash>,
    /// The verified credential.
    pub registered: Registered,
}

/// The outcome of an enrolment.
pub struct Enrolled {
    /// Whether an anonymous session was merged into the person.
    pub merged: bool,
    /// The cookie of the person's session, unless it is a key.
    pub secret: Option<SessionSecret>,
}

/// Stores the passkey, spends the link, creates the first administrator, merges a new person's
/// anonymous session, and opens the person's own session, in one transaction.
pub fn complete(
    tx: &mut Tx<'_>,
    cx: &Context,
    proof: &RegistrationProof,
) -> Result<Enrolled, Error> {
    // The link is checked first, so that the second of two is refused because the link was used.
    let opened = open(tx, cx, &proof.link)?;
    proof.ceremony.check(tx, cx, &proof.browser)?;
    let purpose = proof.ceremony.purpose().clone();
    let Purpose::Register { right: Right::Link(link), user, username, display_name, email } =
        purpose
    else {
        return Err(Refusal::CeremonyUnknown.into());
    };
    if !link.matches(&proof.link) {
        return Err(Refusal::SetupTokenMismatched.into());
    }
    if opened.purpose == SetupPurpose::First {
        let roles = [Role::ADMIN, Role::USER].iter().filter_map(|role| role.parse().ok());
        let person = Person {
            claims: BTreeMap::new(),
            tokens_valid_after: None,
            created: cx.now,
            disabled: false,
            display_name,
            email: email.map(PersonEmail::by_person),
            groups: Vec::new(),
            roles: roles.collect(),
            signed_out: None,
            updated: cx.now,
            username,
        };
        let act = Act::new(Kind::UserAdded).by(user).named(&person.username);
        events::record(tx, cx, act.facts("roles", &person.roles))?;
        tx.put(&user, person)?;
    } else if email.is_some() && opened.takes_email() {
        people::set_own_email(tx, cx, user, email.as_ref())?;
    }
    let merged = match (opened.purpose, &proof.anonymous) {
        (SetupPurpose::Enrol(_) | SetupPurpose::First, Some(cookie)) => {
            session::anonymous::merge(tx, cx, cookie, user)?
        }
        // A recovered person already exists: nothing is merged into them.
        (SetupPurpose::Recover(_), _) | (_, None) => false,
    };
    passkeys::add(tx, cx, user, &proof.registered, &proof.name)?;
    proof.ceremony.spend(tx, user)?;
    if let Some(mut row) = tx.find::<SetupLink>(&proof.link)? {
        row.used = Some(cx.now);
        tx.put(&proof.link, row)?;
    }
    let at = tx.find::<Person>(&user)?.map_or(cx.now, |person| person.now_enabled(cx.now));
    let authentication = Authentication { amr: proof.registered.amr.clone(), at };
    let (device, key) = (proof.device.clone(), proof.key);
    let sign_in = SignIn { authentication, device, key, user };
    let secret = session::open(tx, cx, sign_in, proof.previous.as_ref())?;
    Ok(Enrolled { merged, secret })
}

/// A verified registration whose link was used up by another ceremony.
#[derive(Clone)]
pub struct LateRegistration {
    /// The hash of the cookie that binds the ceremony to the browser.
    pub browser: TokenHash,
    /// The ceremony that it answers.
    pub ceremony: Ceremony,
    /// The credential, which its authenticator keeps.
    pub credential: CredentialId,
    /// The link.
    pub link: TokenHash,
}

/// Leaves the mark of a passkey that was made and is not stored, so that whoever uses it learns why it
/// opens nothing, and spends its ceremony.
pub fn record_late(tx: &mut Tx<'_>, cx: &Context, late: &LateRegistration) -> Result<(), Error> {
    let Purpose::Register { right: Right::Link(link), user, .. } = late.ceremony.purpose() else {
        return Ok(());
    };
    let is_own = link.matches(&late.link) && late.ceremony.check(tx, cx, &late.browser).is_ok();
    let used = tx.find::<SetupLink>(link)?.is_some_and(|row| row.used.is_some());
    if is_own && used && tx.find::<Passkey>(&late.credential)?.is_none() {
        let user = *user;
        passkeys::take(tx, cx, &late.credential, user, Removed::Unstored)?;
        late.ceremony.spend(tx, user)?;
    }
    Ok(())
}
