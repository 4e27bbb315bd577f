//! Grants: what a person allowed a client, as long as it lasts.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::client::retention;
use crate::flow::{Context, session};
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::client::GrantType;
use crate::oauth::id::{ClientId, GrantId, SessionId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::RefreshToken;
use crate::store::schema::{
    Authentication, Client, Consent, GRANTS_BY_SESSION, GRANTS_BY_USER, Grant, Person, Refresh,
    Withdrawal,
};
use crate::store::{StoreError, Tx, View};

/// Proof that a grant is in force: neither ended nor expired, its person and client may be here,
/// its client is the one it was made for and not a later one of the same name, and its session
/// lives where it depends on one.
#[derive(Clone, Debug)]
pub struct LiveGrant {
    client: Client,
    id: GrantId,
    grant: Grant,
    person: Person,
}

impl LiveGrant {
    /// Its id.
    pub fn id(&self) -> GrantId {
        self.id
    }

    /// Who may use it, as it is today.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it is.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Who granted it, as they are today.
    pub fn person(&self) -> &Person {
        &self.person
    }
}

/// The grant, if it is in force.
pub fn live(view: &impl View, cx: &Context, id: GrantId) -> Result<Option<LiveGrant>, StoreError> {
    let Some(grant) = view.find::<Grant>(&id)? else { return Ok(None) };
    if grant.ended.is_some() || cx.now >= grant.expires {
        return Ok(None);
    }
    let Some(person) = view.find::<Person>(&grant.user)? else { return Ok(None) };
    let client = view.find::<Client>(&grant.client)?;
    let may_use = |client: &Client| client.enabled && client.created <= grant.created;
    let Some(client) = client.filter(may_use).filter(|_| !person.disabled) else {
        return Ok(None);
    };
    // Whoever was let in again signs in again.
    if person
        .tokens_valid_after
        .is_some_and(|tokens_valid_after| grant.authentication.at <= tokens_valid_after)
    {
        return Ok(None);
    }
    // OpenID Connect Core §11: offline access is access "when the End-User is not present".
    if !grant.offline && session::by_id(view, cx, grant.session)?.is_none() {
        return Ok(None);
    }
    Ok(Some(LiveGrant { client, id, grant, person }))
}

/// What a person allowed a client, before there is a grant of it.
pub struct Allowed {
    /// How the person signed in.
    pub authentication: Authentication,
    /// The claims that are asked for by name.
    pub claims: ClaimsRequest,
    /// Who may use it.
    pub client: ClientId,
    /// When it was allowed.
    pub given: Timestamp,
    /// The resources.
    pub resources: Vec<Resource>,
    /// What was granted.
    pub scope: Scope,
    /// The browser session in which it was granted.
    pub session: SessionId,
    /// Who granted it.
    pub user: UserId,
}

/// Makes a grant, and its first refresh token where the client registered that grant type.
///
/// What was allowed may be worth nothing any more: session and person may have gone since.
pub fn create(
    tx: &mut Tx<'_>,
    cx: &Context,
    client: &Client,
    allowed: Allowed,
) -> Result<(LiveGrant, Option<RefreshToken>), Error> {
    let withdrawn = tx.find::<Withdrawal>(&(allowed.user, allowed.client.clone()))?;
    if withdrawn.is_some_and(|withdrawal| allowed.given <= withdrawal.at)
        || session::is_revoked(tx, allowed.session)?
    {
        return Err(Refusal::GrantEnded.into());
    }
    retention::record_use(tx, cx, &allowed.client)?;
    let refreshes = client.grant_types.contains(&GrantType::RefreshToken);
    let lifetimes = &cx.rules.config.lifetimes;
    let lasting = if refreshes { lifetimes.refresh_total } else { lifetimes.access_token };
    let id = GrantId::from_seed(&cx.seed);
    let grant = Grant {
        authentication: allowed.authentication,
        claims: allowed.claims,
        client: allowed.client,
        created: cx.now,
        ended: None,
        expires: cx.now + lasting,
        // OpenID Connect Core §11: whoever asks for `offline_access` gets a refresh token that
        // works "even when the End-User is not present (not logged in)"; one without it is a
        // refresh token "in other contexts", and ends with the session.
        offline: allowed.scope.has("offline_access"),
        resources: allowed.resources,
        scope: allowed.scope,
        session: allowed.session,
        user: allowed.user,
    };
    let refresh_token = refreshes.then(|| {
        let token: RefreshToken = cx.seed.token();
        token
    });
    if let Some(token) = &refresh_token {
        let row = Refresh {
            client: grant.client.clone(),
            expires: grant.expires.min(cx.now + lifetimes.refresh_idle),
            grant: id,
            retained_until: grant.expires,
            spent: None,
        };
        tx.put(&cx.rules.pepper.hash(token), row)?;
    }
    tx.put(&id, grant)?;
    let live = live(tx, cx, id)?.ok_or(Refusal::GrantEnded)?;
    Ok((live, refresh_token))
}

/// Ends a grant, and with it every token under it.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: GrantId) -> Result<(), Error> {
    if let Some(mut grant) = tx.find::<Grant>(&id)? {
        grant.ended.get_or_insert(cx.now);
        tx.put(&id, grant)?;
    }
    Ok(())
}

/// Ends a grant that somebody names.
///
/// # Errors
///
/// [`Refusal::GrantNotFound`] where there is none that is in force.
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: GrantId) -> Result<LiveGrant, Error> {
    let live = live(tx, cx, id)?.ok_or(Refusal::GrantNotFound)?;
    end(tx, cx, id)?;
    Ok(live)
}

/// Ends every grant that was made in a session, those that would outlive it too.
pub fn end_all_of_session(tx: &mut Tx<'_>, cx: &Context, session: SessionId) -> Result<(), Error> {
    for id in tx.by(&GRANTS_BY_SESSION, &session, usize::MAX)? {
        end(tx, cx, id)?;
    }
    Ok(())
}

/// Takes back what a person allowed a client: what is remembered of it, the grants, and what is
/// on its way to be redeemed.
pub fn withdraw(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    client: &ClientId,
) -> Result<(), Error> {
    for (key, _) in tx.list_under::<Consent, _>(&(user, client.clone()), usize::MAX)? {
        tx.remove::<Consent>(&key)?;
    }
    for id in tx.by(&GRANTS_BY_USER, &user, usize::MAX)? {
        if tx.find::<Grant>(&id)?.is_some_and(|grant| grant.client == *client) {
            end(tx, cx, id)?;
        }
    }
    let lifetimes = &cx.rules.config.lifetimes;
    let expires = cx.now + lifetimes.authorization_code.max(lifetimes.device_code);
    tx.put(&(user, client.clone()), Withdrawal { at: cx.now, expires })?;
    Ok(())
}

/// A client that a person is connected with.
pub struct Connection {
    /// What it is, where it is still here.
    pub client: Option<Client>,
    /// Since when.
    pub since: Timestamp,
    /// What it was granted, or may be without being asked about again.
    pub scope: Scope,
}

/// The clients that a person allowed anything, by what is in force and by what is remembered.
pub fn connections(
    view: &impl View,
    cx: &Context,
    user: UserId,
) -> Result<BTreeMap<ClientId, Connection>, StoreError> {
    let mut connections = BTreeMap::<ClientId, Connection>::new();
    let mut add = |id: ClientId, client: Option<Client>, since: Timestamp, scope: &Scope| {
        let known =
            connections.entry(id).or_insert(Connection { client, since, scope: Scope::default() });
        known.since = known.since.min(since);
        known.scope = known.scope.union(scope);
    };
    for live in list(view, cx, Some(user), usize::MAX)? {
        add(live.grant.client, Some(live.client), live.grant.created, &live.grant.scope);
    }
    for ((_, id, _), consent) in view.list_under::<Consent, _>(&user, usize::MAX)? {
        let client = view.find::<Client>(&id)?;
        for (_, scope) in &consent.allowed {
            add(id.clone(), client.clone(), consent.given, scope);
        }
    }
    Ok(connections)
}

/// The grants in force, of one person or of all, the first `limit` of them that were ever made.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    limit: usize,
) -> Result<Vec<LiveGrant>, StoreError> {
    let ids = match user {
        Some(user) => view.by(&GRANTS_BY_USER, &user, limit)?,
        None => view.list::<Grant>(limit)?.into_iter().map(|(id, _)| id).collect(),
    };
    let mut grants = Vec::new();
    for id in ids {
        grants.extend(live(view, cx, id)?);
    }
    grants.sort_by_key(|live| (live.grant.created, live.id));
    Ok(grants)
}
