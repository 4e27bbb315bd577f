//! Enrolment: registering a passkey by the right of a setup link, of an invitation, or of a policy
//! that lets people make accounts by themselves.
//!
//! A link is used once, and an invitation as often as it says. Several ceremonies may start by
//! either. Of two that complete by one link, one succeeds, since one transaction stores the
//! credential and spends the link.

use std::collections::BTreeMap;

use crate::config::SignUpPolicy;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::Context;
use crate::flow::events::{self, Act};
use crate::flow::person::ceremony::{Ceremony, Purpose, Right};
use crate::flow::person::{invitation, passkeys, people, recovery_codes, setup_link};
use crate::flow::session::{self, NewSessionKey, SignIn};
use crate::flow::throttle::{self, Source};
use crate::model::email::{Email, PersonEmail};
use crate::model::network::Network;
use crate::model::person::{Role, Username};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::{InvitationId, LinkId, UserId};
use crate::passkey::Registered;
use crate::secret::{SessionSecret, TokenHash};
use crate::store::schema::{
    Authentication, CredentialId, Invitation, LinkEnd, Passkey, Person, Removed, SetupPurpose,
};
use crate::store::{Tx, View};

/// By what right somebody registers a passkey.
#[derive(Clone, Copy)]
pub enum Way {
    /// A recovery code, by its hash.
    Code(TokenHash),
    /// An invitation, by the hash of its token.
    Invitation(TokenHash),
    /// A setup link, by the hash of its token.
    Link(TokenHash),
    /// Nobody's, where people make accounts by themselves.
    SignUp,
}

impl Way {
    /// The hash that the ceremony has of it. The kinds of tokens have hashes apart.
    const fn token(&self) -> Option<&TokenHash> {
        match self {
            Self::Code(token) | Self::Invitation(token) | Self::Link(token) => Some(token),
            Self::SignUp => None,
        }
    }

    /// The right of its ceremony.
    pub const fn right(&self) -> Right {
        match self.token() {
            Some(token) => Right::Token(*token),
            None => Right::SignUp,
        }
    }
}

/// What somebody has who makes an account.
struct Given {
    groups: Vec<Group>,
    roles: Vec<Role>,
}

/// A way that is open.
pub enum Opened {
    /// A recovery code, by its hash, and its person.
    Code(TokenHash, UserId, Box<Person>),
    /// An invitation.
    Invitation(InvitationId, Box<Invitation>),
    /// A setup link, and the person it is for; `None` for the first administrator, who does not
    /// exist yet.
    Link(LinkId, SetupPurpose, Option<Box<Person>>),
    /// An account that somebody makes by themselves.
    SignUp,
}

/// Checks that a way is open.
///
/// # Errors
///
/// Those of [`setup_link::open`], [`invitation::open`] and [`recovery_codes::open`];
/// [`Refusal::InvitationEarly`] and [`Refusal::SignUpClosed`].
pub fn open(view: &impl View, cx: &Context, way: &Way) -> Result<Opened, Error> {
    match way {
        Way::Code(hash) => {
            let (user, person) = recovery_codes::open(view, hash)?;
            Ok(Opened::Code(*hash, user, Box::new(person)))
        }
        Way::Invitation(token) => {
            let (id, row) = invitation::open(view, cx, token)?;
            // The first account is an administrator's, by a link. Any other would end that link.
            if people::nobody(view)? {
                return Err(Refusal::InvitationEarly.into());
            }
            Ok(Opened::Invitation(id, Box::new(row)))
        }
        Way::Link(token) => {
            let (id, link) = setup_link::open(view, cx, token)?;
            let person = match link.purpose.user() {
                Some(user) => {
                    Some(view.find::<Person>(&user)?.ok_or(Refusal::StartedWithoutPerson)?)
                }
                None => None,
            };
            Ok(Opened::Link(id, link.purpose, person.map(Box::new)))
        }
        Way::SignUp if people::nobody(view)? => Err(Refusal::SignUpClosed.into()),
        Way::SignUp => match cx.rules.config.policy.sign_up {
            SignUpPolicy::Closed => Err(Refusal::SignUpClosed.into()),
            SignUpPolicy::Open => Ok(Opened::SignUp),
        },
    }
}

impl Opened {
    /// Whom it is for, if they exist.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Code(_, _, person) => Some(person),
            Self::Invitation(..) | Self::SignUp => None,
            Self::Link(_, _, person) => person.as_deref(),
        }
    }

    /// The roles and groups of whoever makes an account this way; `None` if the account is there.
    fn given(&self) -> Result<Option<Given>, Refusal> {
        Ok(match self {
            Self::Invitation(_, row) => {
                Some(Given { roles: row.roles.clone(), groups: row.groups.clone() })
            }
            Self::Link(_, SetupPurpose::First, _) => {
                let roles = [Role::ADMIN, Role::USER].map(str::parse);
                Some(Given {
                    roles: roles.into_iter().collect::<Result<_, _>>()?,
                    groups: Vec::new(),
                })
            }
            Self::Code(..) | Self::Link(..) => None,
            Self::SignUp => {
                Some(Given { roles: people::roles_or_default(&[])?, groups: Vec::new() })
            }
        })
    }

    /// Whether it leads to the first passkey of an account.
    const fn is_beginning(&self) -> bool {
        match self {
            Self::Code(..) => false,
            Self::Invitation(..) | Self::SignUp => true,
            Self::Link(_, purpose, _) => {
                matches!(purpose, SetupPurpose::First | SetupPurpose::New(_))
            }
        }
    }

    /// Whether the person may end what is there: whoever lost a passkey may have lost it to somebody.
    pub const fn is_recovery(&self) -> bool {
        match self {
            Self::Code(..) => true,
            Self::Invitation(..) | Self::SignUp => false,
            Self::Link(_, purpose, _) => matches!(purpose, SetupPurpose::Recovery(_)),
        }
    }

    /// Whether the person chooses their names.
    pub const fn takes_names(&self) -> bool {
        match self {
            Self::Code(..) => false,
            Self::Invitation(..) | Self::SignUp => true,
            Self::Link(_, purpose, _) => matches!(purpose, SetupPurpose::First),
        }
    }

    /// Whether a start by it, with an e-mail address or without, tells what others have: a username or an
    /// address that is taken.
    pub fn tells(&self, email: bool) -> bool {
        match self {
            Self::Code(..) => false,
            Self::Invitation(..) | Self::SignUp => true,
            // Before the first administrator nobody has anything.
            Self::Link(_, purpose, _) => {
                !matches!(purpose, SetupPurpose::First) && email && self.takes_email()
            }
        }
    }

    /// Whether the person may name their email address with the first passkey: they have none yet.
    pub fn takes_email(&self) -> bool {
        self.is_beginning() && self.person().is_none_or(|person| person.email.is_none())
    }
}

/// The most starts in a minute, by a network, that tell whether a username or an address is taken.
const MAX_ASKED: usize = 60;

/// As [`MAX_ASKED`], by an invitation, from wherever: whoever has it could have many networks.
const MAX_ASKED_BY_INVITATION: usize = 240;

/// Counts a start that tells whether a username or an address is taken, whatever it tells: that a name
/// is free says something, too. A person has to learn it before their device makes a passkey for it.
///
/// # Errors
///
/// Those of [`open`], and [`Error::Paused`].
pub fn count_asked(tx: &mut Tx<'_>, cx: &Context, way: &Way) -> Result<(), Error> {
    let opened = open(tx, cx, way)?;
    let Some(network) = cx.acting.address.map(Network::of) else { return Ok(()) };
    throttle::consume(tx, cx, "names asked", &Source::Network(network), MAX_ASKED)?;
    match opened {
        Opened::Invitation(id, _) => {
            let source = Source::Invitation(network, id);
            throttle::consume(tx, cx, "names asked", &source, MAX_ASKED_BY_INVITATION)
        }
        Opened::Code(..) | Opened::Link(..) | Opened::SignUp => Ok(()),
    }
}

/// The person who will own the new passkey.
#[derive(Clone)]
pub struct Candidate {
    /// Their id; a new one for somebody who makes their account.
    pub user: UserId,
    /// The account's name.
    pub username: Username,
    /// Their display name.
    pub display_name: DisplayName,
    /// The email address that they typed.
    pub email: Option<Email>,
}

/// The person whom a way leads to. `chosen` holds the names that somebody chose who makes their
/// account, and `email` the address that they typed, which counts if they have none.
///
/// # Errors
///
/// [`Refusal::UsernameTaken`] and [`Refusal::EmailTaken`].
pub fn candidate(
    view: &impl View,
    cx: &Context,
    opened: Opened,
    chosen: Option<(Username, DisplayName)>,
    email: Option<Email>,
) -> Result<Candidate, Error> {
    let email = email.filter(|_| opened.takes_email());
    if let Some(email) = &email {
        people::check_email(view, email, None)?;
    }
    match opened {
        Opened::Code(_, user, person) => {
            let Person { username, display_name, .. } = *person;
            Ok(Candidate { user, username, display_name, email })
        }
        Opened::Link(_, purpose, Some(person)) => {
            let user = purpose.user().ok_or(Refusal::StartedWithoutPerson)?;
            let Person { username, display_name, .. } = *person;
            Ok(Candidate { user, username, display_name, email })
        }
        Opened::Invitation(..) | Opened::Link(_, _, None) | Opened::SignUp => {
            // Before the ceremony: a passkey that is refused after it opens nothing.
            if let (Opened::SignUp, Some(source)) = (&opened, sign_up_source(cx)) {
                let limit = cx.rules.config.registration.per_minute;
                throttle::check_uses(view, cx, SIGN_UPS, &source, limit)?;
            }
            let (username, display_name) = chosen.ok_or(Refusal::UsernameMalformed)?;
            check_username(view, &username)?;
            Ok(Candidate { user: UserId::from_seed(&cx.seed), username, display_name, email })
        }
    }
}

/// Checks that nobody has a name that somebody chose.
fn check_username(view: &impl View, username: &Username) -> Result<(), Error> {
    match people::named(view, username)? {
        Some(_) => Err(Refusal::UsernameTaken.into()),
        None => Ok(()),
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
    /// Whether the person wants every passkey and session of theirs to end that is there, if this is a
    /// recovery.
    pub end_others: bool,
    /// The key of the session to open, where it is one.
    pub key: Option<NewSessionKey>,
    /// The name of the passkey.
    pub name: DisplayName,
    /// The key or cookie of the session that the browser already has.
    pub previous: Option<TokenHash>,
    /// The verified credential.
    pub registered: Registered,
    /// By what right it is registered.
    pub way: Way,
}

/// The outcome of an enrolment.
pub struct Enrolled {
    /// Whether an anonymous session was merged into the person.
    pub merged: bool,
    /// The cookie of the person's session, unless it is a key.
    pub secret: Option<SessionSecret>,
}

/// Stores the passkey, spends the way to it, makes the account of somebody new, merges a new
/// person's anonymous session, and opens the person's own session, in one transaction.
pub fn complete(
    tx: &mut Tx<'_>,
    cx: &Context,
    proof: &RegistrationProof,
) -> Result<Enrolled, Error> {
    // The way is checked first, so that the second of two is refused because a link was used.
    let opened = open(tx, cx, &proof.way)?;
    proof.ceremony.check(tx, cx, &proof.browser)?;
    let purpose = proof.ceremony.purpose().clone();
    let Purpose::Register { right, user, username, display_name, email } = purpose else {
        return Err(Refusal::CeremonyUnknown.into());
    };
    if !right.is_of(&proof.way.right()) {
        return Err(Refusal::SetupTokenMismatched.into());
    }
    if let Some(Given { roles, groups }) = opened.given()? {
        check_username(tx, &username)?;
        if let Some(email) = &email {
            people::check_email(tx, email, None)?;
        }
        let person = Person {
            claims: BTreeMap::new(),
            tokens_valid_after: None,
            created: cx.now,
            disabled: false,
            display_name,
            email: email.map(PersonEmail::by_person),
            groups,
            roles,
            signed_out: None,
            updated: cx.now,
            username,
        };
        let act = Act::new(Kind::UserAdded).by(user).named(&person.username);
        let act = act.facts("roles", &person.roles).facts("groups", &person.groups);
        let act = match &opened {
            Opened::Invitation(id, _) => act.fact("invitation", id),
            Opened::Code(..) | Opened::Link(..) => act,
            Opened::SignUp => act.fact("by", "sign-up"),
        };
        events::record(tx, cx, act)?;
        tx.put(&user, person)?;
    } else if email.is_some() && opened.takes_email() {
        people::set_own_email(tx, cx, user, email.as_ref())?;
    }
    // Somebody who was there before brings nothing: nothing is merged into them.
    let merged = match &proof.anonymous {
        Some(cookie) if opened.is_beginning() => session::anonymous::merge(tx, cx, cookie, user)?,
        Some(_) | None => false,
    };
    let id = passkeys::add(tx, cx, user, &proof.registered, &proof.name)?;
    proof.ceremony.spend(tx, user)?;
    let end_others = proof.end_others && opened.is_recovery();
    match opened {
        Opened::Code(hash, ..) => recovery_codes::spend(tx, cx, &hash)?,
        Opened::Invitation(id, row) => invitation::spend(tx, id, *row)?,
        Opened::Link(id, ..) => setup_link::end(tx, cx, &id, LinkEnd::Used)?,
        Opened::SignUp => count_sign_up(tx, cx)?,
    }
    if end_others {
        // Whoever had a passkey may have made codes, and asked for a link.
        passkeys::remove_all(tx, cx, user, Some(id))?;
        recovery_codes::revoke(tx, cx, user)?;
        setup_link::end_open(tx, cx, user)?;
        session::end_all(tx, cx, user, None)?;
    }
    let at = tx.find::<Person>(&user)?.map_or(cx.now, |person| person.now_enabled(cx.now));
    let authentication = Authentication { amr: proof.registered.amr.clone(), at };
    let (device, key) = (proof.device.clone(), proof.key);
    let sign_in = SignIn { authentication, device, key, user };
    let secret = session::open(tx, cx, sign_in, proof.previous.as_ref())?;
    Ok(Enrolled { merged, secret })
}

/// Counts an account that somebody made by themselves, as the registration of a client is counted:
/// each network may make so many in a minute.
fn count_sign_up(tx: &mut Tx<'_>, cx: &Context) -> Result<(), Error> {
    let limit = cx.rules.config.registration.per_minute;
    match sign_up_source(cx) {
        Some(source) => throttle::consume(tx, cx, SIGN_UPS, &source, limit),
        None => Ok(()),
    }
}

/// By whom sign-ups are counted.
fn sign_up_source(cx: &Context) -> Option<Source> {
    cx.acting.address.map(|address| Source::Network(Network::of(address)))
}

/// The name of their count.
const SIGN_UPS: &str = "sign-ups";

/// A verified registration whose link was used up by another ceremony.
#[derive(Clone)]
pub struct LateRegistration {
    /// The hash of the cookie that binds the ceremony to the browser.
    pub browser: TokenHash,
    /// The ceremony that it answers.
    pub ceremony: Ceremony,
    /// The credential, which its authenticator keeps.
    pub credential: CredentialId,
    /// The way that it came.
    pub way: Way,
}

/// Leaves the mark of a passkey that was made and is not stored, so that whoever uses it learns why it
/// opens nothing, and spends its ceremony. Of somebody who has no account there is none, since each such
/// ceremony has another owner, and nothing would bound the marks.
pub fn record_late(tx: &mut Tx<'_>, cx: &Context, late: &LateRegistration) -> Result<(), Error> {
    let Purpose::Register { right, user, .. } = late.ceremony.purpose() else { return Ok(()) };
    let is_own =
        right.is_of(&late.way.right()) && late.ceremony.check(tx, cx, &late.browser).is_ok();
    if is_own
        && tx.find::<Person>(user)?.is_some()
        && open(tx, cx, &late.way).is_err()
        && tx.find::<Passkey>(&late.credential)?.is_none()
    {
        let user = *user;
        passkeys::take(tx, cx, &late.credential, user, Removed::Unstored)?;
        late.ceremony.spend(tx, user)?;
    }
    Ok(())
}
