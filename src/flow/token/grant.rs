//! Grants: authorizations in use, and when they are in force.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::{EventId, Kind};
use crate::flow::client::last_use;
use crate::flow::events::{self, Act};
use crate::flow::token::family;
use crate::flow::{Context, Present, rights, session};
use crate::oauth::client::GrantType;
use crate::oauth::group::Group;
use crate::oauth::id::{ClientId, GrantId, UserId};
use crate::secret::RefreshToken;
use crate::store::schema::{
    Authorization, Client, GRANTS_BY_CLIENT, GRANTS_BY_USER, Grant, Person, Session, Withdrawal,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// Proof that a grant is in force. It has neither ended nor expired; its person and its client are
/// enabled; the client is the one it was created for and not a later one of the same name, and for
/// people of a group of the person's; the person did not withdraw it; its session was not revoked, and
/// is live if the grant depends on it.
#[derive(Clone, Debug)]
pub struct LiveGrant {
    client: Arc<Client>,
    id: GrantId,
    grant: Arc<Grant>,
    person: Arc<Person>,
}

impl LiveGrant {
    /// Its id.
    pub fn id(&self) -> GrantId {
        self.id
    }

    /// The client, in its present state.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The row.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The authorization.
    pub fn authorization(&self) -> &Authorization {
        &self.grant.authorization
    }

    /// The person, in their present state.
    pub fn person(&self) -> &Person {
        &self.person
    }
}

/// The grant, if it is in force.
pub fn live(view: &impl View, cx: &Present, id: GrantId) -> Result<Option<LiveGrant>, StoreError> {
    let Some(grant) = view.find_shared::<Grant>(&id)? else { return Ok(None) };
    if grant.ended.is_some() || cx.now >= grant.expires {
        return Ok(None);
    }
    let client = view.find_shared::<Client>(&grant.authorization.client)?;
    let Some(client) = client else { return Ok(None) };
    check(view, cx, id, grant, client)
}

/// As [`live`], for rows that this transaction has already read: the grant, and its client.
pub fn check(
    view: &impl View,
    cx: &Present,
    id: GrantId,
    grant: Arc<Grant>,
    client: Arc<Client>,
) -> Result<Option<LiveGrant>, StoreError> {
    if grant.ended.is_some() || cx.now >= grant.expires {
        return Ok(None);
    }
    if !client.enabled || client.created > grant.authorization.given {
        return Ok(None);
    }
    let authorization = &grant.authorization;
    let person = view.find_shared::<Person>(&authorization.user)?;
    let Some(person) = person else { return Ok(None) };
    let signed_in = authorization.authentication.at;
    let ended = person.is_signed_out(authorization.session, signed_in) && !grant.by_operator;
    if ended || !person.enabled_since(signed_in) || !client.decisions.admit(&person.groups) {
        return Ok(None);
    }
    let session = view.find_shared::<Session>(&authorization.session)?;
    if session.as_ref().is_some_and(|session| session.revoked)
        || is_withdrawn(view, authorization.user, &authorization.client, authorization.given)?
    {
        return Ok(None);
    }
    // OpenID Connect Core §11: offline access is access "when the End-User is not present".
    if !grant.offline {
        let Some(session) = session else { return Ok(None) };
        if !session::is_live(view, cx, (authorization.session, &session), &person)? {
            return Ok(None);
        }
    }
    Ok(Some(LiveGrant { client, id, grant, person }))
}

/// Whether the person withdrew what they authorized the client to do at `given`.
pub fn is_withdrawn(
    view: &impl View,
    user: UserId,
    client: &ClientId,
    given: Timestamp,
) -> Result<bool, StoreError> {
    let withdrawal = view.find_shared::<Withdrawal>(&(user, client.clone()))?;
    Ok(withdrawal.is_some_and(|withdrawal| given <= withdrawal.at))
}

/// Checks that the person of an authorization is of a group that may use the client.
///
/// # Errors
///
/// [`Refusal::GrantOutsideGroups`]
pub fn check_groups(
    view: &impl View,
    client: &Client,
    authorization: &Authorization,
) -> Result<(), Error> {
    let person = view.find_shared::<Person>(&authorization.user)?;
    match person.filter(|person| !client.decisions.admit(&person.groups)) {
        Some(person) => {
            let listed =
                |groups: &[Group]| groups.iter().map(Group::as_str).collect::<Vec<_>>().join(" ");
            let refused = Error::about(Refusal::GrantOutsideGroups, authorization.user);
            Err(refused.compared(listed(&client.decisions.groups), listed(&person.groups)))
        }
        None => Ok(()),
    }
}

/// Creates a grant, and its first refresh token if the client registered that grant type.
///
/// # Errors
///
/// [`Refusal::GrantOutsideGroups`], and `ended` if the person withdrew the authorization, or the
/// session or the person has ended.
pub fn create(
    tx: &mut Tx<'_>,
    cx: &Context,
    client: Arc<Client>,
    authorization: Authorization,
    ended: Refusal,
) -> Result<(LiveGrant, Option<RefreshToken>), Error> {
    check_groups(tx, &client, &authorization)?;
    last_use::record_use(tx, cx, &authorization.client, &client, Some(authorization.user))?;
    let refreshes = client.metadata.has_grant_type(GrantType::RefreshToken);
    let lifetimes = &cx.rules.config.lifetimes;
    let lifetime =
        if refreshes { lifetimes.refresh_total } else { cx.rules.access_token_lifetime(&client) };
    let id = GrantId::from_seed(&cx.seed);
    let grant = Grant {
        created: cx.now,
        ended: None,
        expires: cx.now + lifetime,
        family: refreshes.then(|| family::create(cx)),
        // OpenID Connect Core §11: with `offline_access`, a refresh token works "even when the
        // End-User is not present (not logged in)". Without it, it is a refresh token "in other
        // contexts", and ends with the session.
        offline: authorization.scope.has("offline_access"),
        authorization,
        by_operator: false,
    };
    let refresh_token = grant.family.as_ref().map(|own| family::newest(cx, id, own));
    let live = check(tx, cx, id, Arc::new(grant), client)?.ok_or(ended)?;
    tx.put(&id, Grant::clone(&live.grant))?;
    Ok((live, refresh_token))
}

/// Creates the grant of one access token that an operator issues: without refresh tokens and without
/// a session, so that it ends with the person, the client, a withdrawal, or by itself.
///
/// # Errors
///
/// [`Refusal::GrantEnded`] if the person withdraws the authorization at this moment.
pub fn create_by_operator(
    tx: &mut Tx<'_>,
    cx: &Context,
    client: Arc<Client>,
    authorization: Authorization,
    lifetime: Duration,
) -> Result<LiveGrant, Error> {
    last_use::record_use(tx, cx, &authorization.client, &client, Some(authorization.user))?;
    let id = GrantId::from_seed(&cx.seed);
    let grant = Grant {
        authorization,
        by_operator: true,
        created: cx.now,
        ended: None,
        expires: cx.now + lifetime,
        family: None,
        offline: true,
    };
    let live = check(tx, cx, id, Arc::new(grant), client)?.ok_or(Refusal::GrantEnded)?;
    tx.put(&id, Grant::clone(&live.grant))?;
    Ok(live)
}

/// Ends a grant and every token under it.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: GrantId) -> Result<(), Error> {
    if let Some(mut grant) = tx.find::<Grant>(&id)? {
        grant.ended.get_or_insert(cx.now);
        tx.put(&id, grant)?;
    }
    Ok(())
}

/// What a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The grant, which is the family of its refresh tokens.
    pub grant: GrantId,
    /// The number of its refresh tokens, spent ones included; 0 if it had ended before.
    pub refresh_tokens: u64,
    /// The id of its event.
    pub event: EventId,
}

/// Ends the grant of a code or a refresh token that returned after its use.
pub fn end_replayed(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: GrantId,
    kind: Kind,
) -> Result<Replay, Error> {
    let grant = tx.find::<Grant>(&id)?;
    let live = grant.as_ref().filter(|grant| grant.ended.is_none());
    let family = live.and_then(|grant| grant.family.as_ref());
    let refresh_tokens = family.map_or(0, |family| family.newest + 1);
    end(tx, cx, id)?;
    let mut act = Act::new(kind).fact("grant", id).fact("refresh_tokens_ended", refresh_tokens);
    if let Some(Grant { authorization, .. }) = &grant {
        act = act.by_client(&authorization.client).person(authorization.user);
    }
    let event = events::record(tx, cx, act)?;
    Ok(Replay { grant: id, refresh_tokens, event })
}

/// Ends a grant that is in force, and returns it.
///
/// # Errors
///
/// [`Refusal::GrantNotFound`] if it is not in force.
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: GrantId) -> Result<LiveGrant, Error> {
    let live = live(tx, cx, id)?.ok_or(Refusal::GrantNotFound)?;
    let authorization = live.authorization();
    rights::check_grant(tx, cx, authorization.user, &authorization.scope)?;
    end(tx, cx, id)?;
    let Authorization { client, scope, user, .. } = live.authorization();
    let act = Act::new(Kind::GrantRevoked).client(client).person(*user);
    events::record(tx, cx, act.fact("grant", id).fact("scope", scope))?;
    Ok(live)
}

/// A page of the grants in force, of one person and of one client or of all, oldest first within the
/// page.
pub fn list(
    view: &impl View,
    cx: &Present,
    user: Option<UserId>,
    client: Option<&ClientId>,
    span: &Span<GrantId>,
) -> Result<Listing<LiveGrant, GrantId>, StoreError> {
    let of_client = |live: &LiveGrant| client.is_none_or(|own| live.authorization().client == *own);
    let keep = |id: &GrantId| live(view, cx, *id).map(|live| live.filter(of_client));
    let mut grants = match (user, client) {
        (Some(user), _) => view.filter_by(&GRANTS_BY_USER, &user, span, keep)?,
        (None, Some(client)) => view.filter_by(&GRANTS_BY_CLIENT, client, span, keep)?,
        (None, None) => view.filter::<Grant, _>(span, |id, _| keep(id))?,
    };
    grants.items.sort_unstable_by_key(|live| (live.grant.created, live.id));
    Ok(grants)
}
