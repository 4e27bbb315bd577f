//! Grants: what a person allowed a client, as long as it lasts.

use crate::error::{Error, Refusal};
use crate::flow::{Context, session};
use crate::oauth::claims_request::ClaimsRequest;
use crate::oauth::client::GrantType;
use crate::oauth::id::{ClientId, GrantId, SessionId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::RefreshToken;
use crate::store::schema::{Authentication, Client, Grant, Person, Refresh};
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
pub fn begin(
    tx: &mut Tx<'_>,
    cx: &Context,
    client: &Client,
    allowed: Allowed,
) -> Result<(LiveGrant, Option<RefreshToken>), Error> {
    let refreshes = client.grant_types.contains(&GrantType::RefreshToken);
    let lifetimes = &cx.rules.config.lifetimes;
    let lasting = if refreshes { lifetimes.refresh_total } else { lifetimes.access_token };
    let id = GrantId::draw(&cx.fresh);
    let grant = Grant {
        authentication: allowed.authentication,
        claims: allowed.claims,
        client: allowed.client,
        created: cx.now,
        ended: None,
        expires: cx.now + lasting,
        offline: allowed.scope.has("offline_access"),
        resources: allowed.resources,
        scope: allowed.scope,
        session: allowed.session,
        user: allowed.user,
    };
    let refresh_token = refreshes.then(|| {
        let token: RefreshToken = cx.fresh.token();
        token
    });
    if let Some(token) = &refresh_token {
        let row = Refresh {
            client: grant.client.clone(),
            expires: grant.expires.min(cx.now + lifetimes.refresh_idle),
            grant: id,
            kept: grant.expires,
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
