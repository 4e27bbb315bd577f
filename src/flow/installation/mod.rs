//! The installation: its creation, its issuer, its keys and its restore.

pub mod clock;
pub mod evidence;
pub mod restore;
pub mod root;
pub mod signing;
pub mod sizes;
pub mod sweep;

use crate::error::{Error, Internal};
use crate::event::Kind;
use crate::flow::Context;
use crate::flow::events::{self, Act};
use crate::oauth::issuer::Issuer;
use crate::store::schema::{Installation, Passkey, Person, RootKey};
use crate::store::{StoreError, Tx, View};

/// The installation in the store, if there is one.
pub fn find(view: &impl View) -> Result<Option<Installation>, StoreError> {
    view.find::<Installation>(&())
}

/// Creates the installation. Its issuer is fixed from then on; only [`change_issuer`] changes it.
pub fn create(tx: &mut Tx<'_>, cx: &Context) -> Result<(), Error> {
    let (check, generation) = (cx.rules.pepper.check(), cx.rules.pepper.generation());
    let installation = Installation {
        created: cx.now,
        issuer: cx.rules.issuer.clone(),
        roots: vec![RootKey { check, generation, since: cx.now }],
    };
    tx.put(&(), installation)?;
    Ok(())
}

/// The consequences of a change of the issuer.
pub struct IssuerChange {
    /// The previous issuer.
    pub previous: Issuer,
    /// The passkeys that become unusable, since they belong to the old host: each person's username
    /// and the name of the passkey.
    pub orphaned: Vec<(String, String)>,
}

/// The most passkeys that a change of the issuer lists.
const MAX_PEOPLE: usize = 10_000;

/// Changes the issuer if `confirmed`; otherwise only returns the consequences.
pub fn change_issuer(
    tx: &mut Tx<'_>,
    cx: &Context,
    issuer: &Issuer,
    confirmed: bool,
) -> Result<IssuerChange, Error> {
    let found = find(tx)?.ok_or_else(|| Internal::new("the store holds no installation"))?;
    let mut orphaned = Vec::new();
    // WebAuthn §4: a passkey is scoped to its RP ID, which is the issuer's host.
    if issuer.host() != found.issuer.host() {
        for (_, passkey) in tx.list::<Passkey>(MAX_PEOPLE)? {
            let person = tx.find::<Person>(&passkey.user)?;
            let name = person.map_or_else(String::new, |person| person.username.to_string());
            orphaned.push((name, passkey.name.to_string()));
        }
    }
    let previous = found.issuer.clone();
    if confirmed {
        tx.put(&(), Installation { issuer: issuer.clone(), ..found })?;
        let act = Act::new(Kind::IssuerChanged).named(issuer).fact("before", &previous);
        events::record(tx, cx, act)?;
    }
    Ok(IssuerChange { previous, orphaned })
}
