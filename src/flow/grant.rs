//! Grants: what a person allowed a client, as long as it lasts.

use crate::error::Error;
use crate::flow::{Context, session};
use crate::oauth::id::GrantId;
use crate::store::schema::{Client, Grant, Person};
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

/// Ends a grant, and with it every token under it.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: GrantId) -> Result<(), Error> {
    if let Some(mut grant) = tx.find::<Grant>(&id)? {
        grant.ended.get_or_insert(cx.now);
        tx.put(&id, grant)?;
    }
    Ok(())
}
