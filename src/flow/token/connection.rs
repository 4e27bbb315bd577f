//! Connections: what a person lets a client do, by grants in force and by remembered consents.
//!
//! A grant that ends leaves the consent, and the client gets another grant without a question. So a
//! person disconnects a client, and an administrator ends its access, by the end of both.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::installation::clock;
use crate::flow::token::grant;
use crate::flow::{Context, removal, rights};
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::store::schema::{Client, Consent, GRANTS_BY_USER, Grant, Person, Subject, Withdrawal};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The number of rows that are read at a time.
const PAGE: usize = 100;

/// What a person lets a client do.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The client, if it still exists.
    pub client: Option<Client>,
    /// Whether all of it was made by operators, for one access token each.
    pub by_operator: bool,
    /// Whether a grant outlives the session of the person.
    pub offline: bool,
    /// Whether a consent is remembered.
    pub remembered: bool,
    /// The resources beside this server, by their canonical spellings.
    pub resources: BTreeSet<String>,
    /// The time of the oldest grant or consent.
    pub since: Timestamp,
    /// The scope of its grants and of its remembered consents.
    pub scope: Scope,
    /// The last use of a grant that is in force: its beginning, or the last refresh.
    pub used: Option<Timestamp>,
}

impl Connection {
    fn new(client: Option<Client>, since: Timestamp) -> Self {
        Self {
            client,
            by_operator: true,
            offline: false,
            remembered: false,
            resources: BTreeSet::new(),
            since,
            scope: Scope::default(),
            used: None,
        }
    }

    fn add_grant(&mut self, grant: &Grant) {
        let authorization = &grant.authorization;
        let resources = authorization.resources.iter();
        self.resources.extend(resources.map(|resource| resource.canonical().to_owned()));
        self.by_operator &= grant.by_operator;
        self.offline |= grant.offline && !grant.by_operator;
        self.since = self.since.min(grant.created);
        self.scope = self.scope.union(&authorization.scope);
        self.used = self.used.max(Some(grant.used()));
    }

    fn add_consent(&mut self, cx: &Context, consent: &Consent) {
        let own = Resource::of(&cx.rules.issuer);
        for (resource, scope) in &consent.allowed {
            self.scope = self.scope.union(scope);
            if resource != own.canonical() {
                self.resources.insert(resource.clone());
            }
        }
        self.by_operator = false;
        self.remembered = true;
        self.since = self.since.min(consent.given);
    }
}

/// The connections of a person, by their clients. A consent to an earlier client of the same name is
/// none.
pub fn of_person(
    view: &impl View,
    cx: &Context,
    user: UserId,
) -> Result<BTreeMap<ClientId, Connection>, StoreError> {
    let mut connections = BTreeMap::<ClientId, Connection>::new();
    let mut last = None;
    while let ids = view.by_after(&GRANTS_BY_USER, &user, last.as_ref(), PAGE)?
        && !ids.is_empty()
    {
        for id in &ids {
            let Some(live) = grant::live(view, cx, *id)? else { continue };
            let of = live.authorization().client.clone();
            let new = || Connection::new(Some(live.client().clone()), live.grant().created);
            connections.entry(of).or_insert_with(new).add_grant(live.grant());
        }
        last = ids.last().copied();
    }
    let mut last = None;
    while let consents = view.list_after::<Consent, _>(&user, last.as_ref(), PAGE)?
        && !consents.is_empty()
    {
        for ((_, id, _), consent) in &consents {
            let client = view.find::<Client>(id)?;
            let is_of_earlier = client.as_ref().is_some_and(|own| own.created > consent.given);
            if is_of_earlier || grant::is_withdrawn(view, user, id, consent.given)? {
                continue;
            }
            let new = || Connection::new(client, consent.given);
            connections.entry(id.clone()).or_insert_with(new).add_consent(cx, consent);
        }
        last = consents.last().map(|(key, _)| key.clone());
    }
    Ok(connections)
}

/// A connection with whose it is.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// The id of the client.
    pub client: ClientId,
    /// The person.
    pub person: Person,
    /// The id of the person.
    pub user: UserId,
}

/// The connection of a person with a client, if there is one.
pub fn find(
    view: &impl View,
    cx: &Context,
    (user, person): (UserId, Person),
    client: &ClientId,
) -> Result<Option<Connected>, StoreError> {
    let connection = of_person(view, cx, user)?.remove(client);
    let client = client.clone();
    Ok(connection.map(|connection| Connected { connection, client, person, user }))
}

/// As so many entries of a listing counts a person, whose grants and consents are both looked for.
const ENTRIES: usize = 4;

/// Behind the id of every client, which is ASCII.
const BEHIND: char = char::MAX;

/// A page of the connections, of one person and of one client or of all, by the ids of both. It looks
/// at so many people as the span says.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    client: Option<&ClientId>,
    span: &Span<(UserId, String)>,
) -> Result<Listing<Connected, (UserId, String)>, StoreError> {
    let (mut items, mut seen) = (Vec::<Connected>::new(), 0);
    let mut last = user.or(span.after.as_ref().map(|(user, _)| *user));
    let first = last.map(|id| view.find::<Person>(&id)).transpose()?.flatten();
    let mut people: Vec<(UserId, Person)> = last.zip(first).into_iter().collect();
    let is_after = |id: UserId, client: &ClientId| {
        span.after.as_ref().is_none_or(|(user, of)| (id, client.as_str()) > (*user, of.as_str()))
    };
    loop {
        for (id, person) in people {
            for (of, connection) in of_person(view, cx, id)? {
                if is_after(id, &of) && client.is_none_or(|own| *own == of) {
                    let person = person.clone();
                    items.push(Connected { connection, client: of, person, user: id });
                }
            }
            if items.len() > span.limit {
                items.truncate(span.limit);
                let next = items.last().map(|last| (last.user, last.client.to_string()));
                return Ok(Listing { items, next });
            }
            seen += ENTRIES;
            if seen >= span.seen && user.is_none() {
                return Ok(Listing { items, next: Some((id, BEHIND.to_string())) });
            }
        }
        if user.is_some() {
            return Ok(Listing { items, next: None });
        }
        people = view.list_after::<Person, ()>(&(), last.as_ref(), PAGE)?;
        let Some((id, _)) = people.last() else { return Ok(Listing { items, next: None }) };
        last = Some(*id);
    }
}

/// Ends a connection in the name of an administrator or an operator: its grants with their tokens, the
/// codes that are not redeemed yet, and the remembered consent.
///
/// # Errors
///
/// `AdministrationExceeded`.
pub fn end(tx: &mut Tx<'_>, cx: &Context, connected: &Connected) -> Result<(), Error> {
    let Connected { connection, client, user, .. } = connected;
    rights::check_grant(tx, cx, *user, &connection.scope)?;
    let act = Act::new(Kind::GrantRevoked).client(client).person(*user);
    withdrawn(tx, cx, *user, client, act)
}

/// Withdraws everything that a person authorized a client to do, as [`end`] does, in their own name.
pub fn withdraw(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    client: &ClientId,
) -> Result<(), Error> {
    withdrawn(tx, cx, user, client, Act::new(Kind::GrantRevoked).by(user).client(client))
}

fn withdrawn(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    client: &ClientId,
    act: Act,
) -> Result<(), Error> {
    let lifetimes = &cx.rules.config.lifetimes;
    let at = clock::milestone(tx, cx)?;
    let expires = at + lifetimes.authorization_code.max(lifetimes.device_code);
    tx.put(&(user, client.clone()), Withdrawal { at, expires })?;
    removal::start(tx, cx, &Subject::Authorization(user, client.clone()))?;
    events::record(tx, cx, act.fact("grant", "all of this person"))?;
    Ok(())
}

/// The number of people who have a connection with a client, or with any, and whether there may be
/// more: at most `limit` consents are looked through. `of_grants` are those who have a grant.
pub fn people(
    view: &impl View,
    client: Option<&ClientId>,
    of_grants: BTreeSet<UserId>,
    limit: usize,
) -> Result<(usize, bool), StoreError> {
    let consents = view.list::<Consent>(limit + 1)?;
    let at_least = consents.len() > limit;
    let mut people = of_grants;
    for ((user, of, _), consent) in consents {
        if people.contains(&user) || client.is_some_and(|own| *own != of) {
            continue;
        }
        let born = view.find::<Client>(&of)?.map(|client| client.created);
        let counts = born.is_some_and(|born| born <= consent.given);
        if counts && !grant::is_withdrawn(view, user, &of, consent.given)? {
            people.insert(user);
        }
    }
    Ok((people.len(), at_least))
}
