//! The root secrets in force: their rotation, what is hashed anew under the newest, and what ends once
//! the earlier ones are forgotten.
//!
//! Whoever presents something that was made under an earlier root secret has used it, and it is hashed
//! anew. What was never used since opens nothing any more when the earlier secrets are forgotten, so it
//! is ended then, with its rows.

use std::collections::BTreeSet;

use crate::error::{Error, Internal};
use crate::event::Kind;
use crate::flow::bridge::device;
use crate::flow::events::{self, Act};
use crate::flow::installation::{self, signing};
use crate::flow::person::setup_link::{self, LinkState};
use crate::flow::token::grant;
use crate::flow::{Context, removal, session};
use crate::oauth::id::{ClientId, GrantId, InvitationId, KeyId, LinkId, SessionId, UserId};
use crate::secret::TokenHash;
use crate::store::schema::{
    AppSession, BridgeKey, Client, ClientProof, DeviceMeans, GRANTS_BY_SESSION, Grant,
    Installation, Invitation, LastingKeyRow, LinkEnd, LinkedDevice, Origin, Person, RootKey,
    Session, SetupLink, SigningKeyRow, StoredCode,
};
use crate::store::{Row, StoreError, Tx, View};

/// The number of rows that are read at a time.
const PAGE: usize = 500;

/// The most names that an event has.
const MAX_NAMED: usize = 20;

/// The lasting key, if a rotation has stored it.
pub fn lasting_key(view: &impl View) -> Result<Option<LastingKeyRow>, StoreError> {
    view.find::<LastingKeyRow>(&())
}

/// The keys of the store, sealed under the newest root secret. One that is sealed so already is not
/// among them.
pub struct SealedAnew {
    /// The key of bridges.
    pub bridge: Option<Vec<u8>>,
    /// The lasting key.
    pub lasting: Option<Vec<u8>>,
    /// The signing keys.
    pub signing: Vec<(KeyId, Vec<u8>)>,
}

/// Stores what was sealed anew. A key that is gone stays gone.
fn store_sealed(tx: &mut Tx<'_>, sealed: &SealedAnew) -> Result<(), StoreError> {
    for (id, sealed) in &sealed.signing {
        if let Some(key) = tx.find::<SigningKeyRow>(id)? {
            tx.put(id, SigningKeyRow { sealed: sealed.clone(), ..key })?;
        }
    }
    if let (Some(sealed), Some(key)) = (&sealed.bridge, tx.find::<BridgeKey>(&())?) {
        tx.put(&(), BridgeKey { sealed: sealed.clone(), ..key })?;
    }
    if let Some(sealed) = &sealed.lasting {
        tx.put(&(), LastingKeyRow { sealed: sealed.clone() })?;
    }
    Ok(())
}

/// Takes new root secrets, by their numbers and check values, the newest first. All that is sealed is
/// sealed under the newest in the same transaction.
pub fn adopt(
    tx: &mut Tx<'_>,
    cx: &Context,
    new: &[(u8, [u8; 32])],
    sealed: &SealedAnew,
) -> Result<(), Error> {
    let found = installation(tx)?;
    let since = cx.now;
    let roots = new.iter().map(|(generation, check)| RootKey {
        check: *check,
        generation: *generation,
        since,
    });
    let roots: Vec<_> = roots.chain(found.roots.iter().copied()).collect();
    let generation = roots.first().map_or(0, |root| root.generation);
    store_sealed(tx, sealed)?;
    tx.put(&(), Installation { roots, ..found })?;
    let act = Act::new(Kind::RootKeyRotated).fact("generation", generation);
    events::record(tx, cx, act).map(drop)
}

fn installation(view: &impl View) -> Result<Installation, Error> {
    let found = installation::find(view)?;
    Ok(found.ok_or_else(|| Internal::new("the store holds no installation"))?)
}

/// Something that was presented, and is stored under an earlier root secret: its hash under the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Used {
    /// The session of an application behind a proxy.
    Application(TokenHash),
    /// The secret of a client.
    Client(ClientId, TokenHash),
    /// The secret of the hook client that a linked device has.
    Hook(String, TokenHash),
    /// The registration access token of a client.
    Registration(ClientId, TokenHash),
    /// The key or cookie of a session.
    Session(SessionId, TokenHash),
}

/// Hashes anew what was used. What has another secret by now is left as it is: `used` names what was
/// stored when it was presented, and only a hash of the same secret is replaced.
pub fn hash_anew(tx: &mut Tx<'_>, cx: &Context, used: &Used) -> Result<(), StoreError> {
    let outdated = |stored: &TokenHash| cx.rules.pepper.is_outdated(stored);
    match used {
        Used::Application(hash) => {
            if let Some(row) = tx.remove::<AppSession>(hash)? {
                tx.put(&hash.newest_alone(), row)?;
            }
        }
        Used::Client(id, hash) => {
            let same = |stored: &TokenHash| outdated(stored) && stored.matches(hash);
            if let Some(client) = tx.find::<Client>(id)?
                && matches!(&client.proof, Some(ClientProof::Made(stored)) if same(stored))
            {
                tx.put(id, Client { proof: Some(ClientProof::Made(*hash)), ..client })?;
            }
        }
        Used::Hook(id, hash) => {
            if let Some(device) = tx.find::<LinkedDevice>(id)?
                && device.hook.is_some_and(|stored| outdated(&stored) && stored.matches(hash))
            {
                tx.put(id, LinkedDevice { hook: Some(*hash), ..device })?;
            }
        }
        Used::Registration(id, hash) => {
            if let Some(mut client) = tx.find::<Client>(id)?
                && let Origin::Dynamic { registration, .. } = &mut client.origin
                && outdated(registration)
                && registration.matches(hash)
            {
                *registration = *hash;
                tx.put(id, client)?;
            }
        }
        Used::Session(id, hash) => {
            if let Some(session) = tx.find::<Session>(id)?
                && outdated(&session.holder)
                && session.holder.matches(hash)
            {
                tx.put(id, Session { holder: *hash, ..session })?;
            }
        }
    }
    Ok(())
}

/// Something that opens nothing once the earlier root secrets are forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outdated {
    /// The session of an application behind a proxy.
    Application(TokenHash),
    /// The secret of a client.
    Client(ClientId),
    /// A grant, whose newest refresh token was given out before.
    Grant(GrantId),
    /// The secret of the hook client that a linked device has.
    Hook(String),
    /// An invitation.
    Invitation(InvitationId),
    /// A setup link.
    Link(LinkId),
    /// A personal access token, with its linked device.
    PersonalToken(String),
    /// A recovery code of a person.
    RecoveryCode(TokenHash, UserId),
    /// The registration access token of a client.
    Registration(ClientId),
    /// A session.
    Session(SessionId),
}

/// Everything in force that opens nothing once the earlier root secrets are forgotten. What lives for
/// minutes, such as codes, is not among it.
pub fn outdated(view: &impl View, cx: &Context) -> Result<Vec<Outdated>, StoreError> {
    let mut found = Vec::new();
    let is_outdated = |hash: &TokenHash| cx.rules.pepper.is_outdated(hash);
    each::<AppSession>(view, |hash, row| {
        if is_outdated(hash) && cx.now < row.expires {
            found.push(Outdated::Application(*hash));
        }
        Ok(())
    })?;
    each::<Client>(view, |id, client| {
        if matches!(&client.proof, Some(ClientProof::Made(hash)) if is_outdated(hash)) {
            found.push(Outdated::Client(id.clone()));
        }
        if let Origin::Dynamic { registration, .. } = &client.origin
            && is_outdated(registration)
        {
            found.push(Outdated::Registration(id.clone()));
        }
        Ok(())
    })?;
    each::<Grant>(view, |id, row| {
        if !is_used_since(cx, row) && row.family.is_some() && grant::live(view, cx, *id)?.is_some()
        {
            found.push(Outdated::Grant(*id));
        }
        Ok(())
    })?;
    each::<Invitation>(view, |id, row| {
        let is_open = row.revoked.is_none() && row.used < row.uses;
        if is_outdated(&row.token) && is_open && cx.now < row.expires.by_clock() {
            found.push(Outdated::Invitation(*id));
        }
        Ok(())
    })?;
    each::<LinkedDevice>(view, |id, row| {
        if device::live(view, cx.now, id)?.is_none() {
            return Ok(());
        }
        match &row.means {
            DeviceMeans::Token { hash, .. } if is_outdated(hash) => {
                found.push(Outdated::PersonalToken(id.clone()));
            }
            DeviceMeans::Certificate(_) | DeviceMeans::Session(_) | DeviceMeans::Token { .. } => {
                if row.hook.as_ref().is_some_and(is_outdated) {
                    found.push(Outdated::Hook(id.clone()));
                }
            }
        }
        Ok(())
    })?;
    each::<Session>(view, |id, row| {
        if is_outdated(&row.holder) && session::by_id(view, cx, *id)?.is_some() {
            found.push(Outdated::Session(*id));
        }
        Ok(())
    })?;
    each::<SetupLink>(view, |id, row| {
        if is_outdated(&row.token) && setup_link::state(view, cx, row)? == LinkState::Open {
            found.push(Outdated::Link(*id));
        }
        Ok(())
    })?;
    each::<StoredCode>(view, |hash, row| {
        let person = view.find::<Person>(&row.user)?;
        let is_valid = person.is_some_and(|person| person.enabled_since(row.created));
        if is_outdated(hash) && is_valid && row.used.is_none() {
            found.push(Outdated::RecoveryCode(*hash, row.user));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Whether the refresh tokens of a grant were used since the newest root secret is in force.
fn is_used_since(cx: &Context, grant: &Grant) -> bool {
    grant.family.as_ref().is_some_and(|family| family.key == cx.rules.pepper.generation())
}

/// Calls `judge` with each row of a table.
fn each<R: Row>(
    view: &impl View,
    mut judge: impl FnMut(&R::Key, &R) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut last = None;
    loop {
        let mut rows = view.list_after::<R, ()>(&(), last.as_ref(), PAGE)?;
        for (key, row) in &rows {
            judge(key, row)?;
        }
        if rows.len() < PAGE {
            return Ok(());
        }
        last = rows.pop().map(|(key, _)| key);
    }
}

/// What ends, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The number of sessions of applications behind a proxy.
    pub applications: usize,
    /// The clients whose secret ends.
    pub clients: BTreeSet<ClientId>,
    /// The number of grants.
    pub grants: usize,
    /// The number of secrets of hook clients; a bridge gets another one by itself.
    pub hooks: usize,
    /// The number of invitations.
    pub invitations: usize,
    /// The number of setup links.
    pub links: usize,
    /// The people whose recovery codes end.
    pub without_codes: BTreeSet<UserId>,
    /// The number of personal access tokens.
    pub personal_tokens: usize,
    /// The number of recovery codes.
    pub recovery_codes: usize,
    /// The number of registration access tokens of clients.
    pub registrations: usize,
    /// The number of sessions.
    pub sessions: usize,
}

impl Ended {
    /// The counts of what is listed.
    pub fn of(outdated: &[Outdated]) -> Self {
        let mut ended = Self::default();
        for own in outdated {
            match own {
                Outdated::Application(_) => ended.applications += 1,
                Outdated::Client(id) => drop(ended.clients.insert(id.clone())),
                Outdated::Grant(_) => ended.grants += 1,
                Outdated::Hook(_) => ended.hooks += 1,
                Outdated::Invitation(_) => ended.invitations += 1,
                Outdated::Link(_) => ended.links += 1,
                Outdated::PersonalToken(_) => ended.personal_tokens += 1,
                Outdated::RecoveryCode(_, user) => {
                    ended.recovery_codes += 1;
                    ended.without_codes.insert(*user);
                }
                Outdated::Registration(_) => ended.registrations += 1,
                Outdated::Session(_) => ended.sessions += 1,
            }
        }
        ended
    }

    fn describe(&self, act: Act) -> Act {
        let counts = [
            ("application_sessions", self.applications),
            ("client_secrets", self.clients.len()),
            ("grants", self.grants),
            ("hook_secrets", self.hooks),
            ("invitations", self.invitations),
            ("links", self.links),
            ("personal_tokens", self.personal_tokens),
            ("recovery_codes", self.recovery_codes),
            ("registration_tokens", self.registrations),
            ("sessions", self.sessions),
        ];
        let act = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .fold(act, |act, (name, count)| act.fact(name, count));
        let clients: Vec<_> = self.clients.iter().take(MAX_NAMED).map(ClientId::as_str).collect();
        act.facts("clients", &clients)
    }
}

/// Ends what is listed, as far as it has not been used meanwhile. It can be done in parts, and again.
pub fn end(tx: &mut Tx<'_>, cx: &Context, listed: &[Outdated]) -> Result<Vec<Outdated>, Error> {
    let mut ended = Vec::new();
    for own in listed {
        if end_one(tx, cx, own)? {
            ended.push(own.clone());
        }
    }
    if !ended.is_empty() {
        let act = Ended::of(&ended).describe(Act::new(Kind::RootKeyForgotten));
        events::record(tx, cx, act)?;
    }
    Ok(ended)
}

/// Ends it, and returns whether it was still outdated.
fn end_one(tx: &mut Tx<'_>, cx: &Context, outdated: &Outdated) -> Result<bool, Error> {
    let is_outdated = |hash: &TokenHash| cx.rules.pepper.is_outdated(hash);
    Ok(match outdated {
        Outdated::Application(hash) => tx.remove::<AppSession>(hash)?.is_some(),
        // The hash stays where it is, and matches nothing: a client without one would need none.
        Outdated::Client(id) => tx.find::<Client>(id)?.is_some_and(
            |client| matches!(&client.proof, Some(ClientProof::Made(hash)) if is_outdated(hash)),
        ),
        Outdated::Grant(id) => {
            let is_over = tx.find::<Grant>(id)?.is_none_or(|grant| is_used_since(cx, &grant));
            if !is_over {
                grant::end(tx, cx, *id)?;
            }
            !is_over
        }
        Outdated::Hook(id) => match tx.find::<LinkedDevice>(id)? {
            Some(device) if device.hook.as_ref().is_some_and(is_outdated) => {
                tx.put(id, LinkedDevice { hook: None, ..device })?;
                true
            }
            Some(_) | None => false,
        },
        Outdated::Invitation(id) => match tx.find::<Invitation>(id)? {
            Some(row) if is_outdated(&row.token) && row.revoked.is_none() => {
                tx.put(id, Invitation { revoked: Some(cx.now), ..row })?;
                true
            }
            Some(_) | None => false,
        },
        Outdated::Link(id) => {
            let is_open = tx.find::<SetupLink>(id)?.is_some_and(|link| link.ended.is_none());
            setup_link::end(tx, cx, id, LinkEnd::Revoked)?;
            is_open
        }
        Outdated::PersonalToken(id) => {
            let own = tx.find::<LinkedDevice>(id)?.is_some_and(|device| {
                matches!(&device.means, DeviceMeans::Token { hash, .. } if is_outdated(hash))
            });
            if own {
                device::end(tx, cx, id)?;
            }
            own
        }
        Outdated::RecoveryCode(hash, _) => tx.remove::<StoredCode>(hash)?.is_some(),
        Outdated::Registration(id) => tx.find::<Client>(id)?.is_some_and(|client| {
            matches!(&client.origin, Origin::Dynamic { registration, .. } if is_outdated(registration))
        }),
        Outdated::Session(id) => end_session(tx, cx, *id)?,
    })
}

/// Ends a session that was not used since. If an application has refreshed in it since, it was used by
/// that: its row stays for the grants, and its key or cookie opens nothing.
fn end_session(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<bool, Error> {
    let found = tx.find::<Session>(&id)?;
    if !found.is_some_and(|session| cx.rules.pepper.is_outdated(&session.holder)) {
        return Ok(false);
    }
    for grant in tx.by(&GRANTS_BY_SESSION, &id, usize::MAX)? {
        let grant = tx.find::<Grant>(&grant)?;
        if grant.is_some_and(|grant| grant.ended.is_none() && is_used_since(cx, &grant)) {
            return Ok(true);
        }
    }
    removal::end_session(tx, cx, id)?;
    Ok(true)
}

/// Forgets the earlier root secrets, once what was made under them has ended. Whatever is sealed is
/// sealed under the newest first.
pub fn forget(tx: &mut Tx<'_>, cx: &Context, sealed: &SealedAnew) -> Result<(), Error> {
    let found = installation(tx)?;
    let (newest, earlier) =
        found.roots.split_first().map_or((None, &[][..]), |(newest, rest)| (Some(*newest), rest));
    if earlier.is_empty() {
        return Ok(());
    }
    let generations: Vec<u8> = earlier.iter().map(|root| root.generation).collect();
    store_sealed(tx, sealed)?;
    tx.put(&(), Installation { roots: newest.into_iter().collect(), ..found })?;
    let act = Act::new(Kind::RootKeyForgotten).facts("generations", &generations);
    events::record(tx, cx, act).map(drop)
}

/// The keys that a root secret has to open when the earlier ones are forgotten.
pub fn sealed(view: &impl View) -> Result<SealedKeys, StoreError> {
    Ok(SealedKeys {
        bridge: view.find::<BridgeKey>(&())?,
        lasting: lasting_key(view)?,
        signing: signing::list(view)?,
    })
}

/// Every key that is stored sealed.
pub struct SealedKeys {
    /// The key of bridges.
    pub bridge: Option<BridgeKey>,
    /// The lasting key.
    pub lasting: Option<LastingKeyRow>,
    /// The signing keys.
    pub signing: Vec<(KeyId, SigningKeyRow)>,
}
