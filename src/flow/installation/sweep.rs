//! Tidying: rows that say nothing any more are removed. Nothing depends on it, since expiry is
//! judged whenever a row is read.

use crate::error::Error;
use crate::flow::Context;
use crate::flow::bridge::access;
use crate::flow::client::retention;
use crate::flow::session::backchannel;
use crate::store::schema::{
    AnonymousSession, AppCode, AppSession, Attempts, Bridge, BridgeSession, Ceremony, Client, Code,
    Device, DeviceCertificate, Exchange, Grant, Interaction, Pat, Pushed, Refresh, Revoked,
    Session, SetupLink, SigningKeyRow, Usage, UsedAssertion, Withdrawal,
};
use crate::store::{Row, StoreError, Tx, View};

/// The most rows that one transaction removes.
const MAX_ROWS: usize = 500;

/// What one round of tidying did.
pub struct Swept {
    /// Whether there may be more to remove.
    pub more: bool,
    /// The rows that could not be read. They are left where they are, and no later round looks at
    /// them, so that they hold up no other however many they are.
    pub unreadable: Vec<StoreError>,
}

/// Removes some of what has expired.
pub fn run(tx: &mut Tx<'_>, cx: &Context) -> Result<Swept, Error> {
    let expired = tx.expired(cx.now, MAX_ROWS)?;
    let mut unreadable = Vec::new();
    for (since, key) in &expired {
        match remove(tx, cx, key) {
            Err(error @ StoreError::Corrupt { .. }) => {
                tx.leave_expired(*since, key);
                unreadable.push(error);
            }
            removed => removed?,
        }
    }
    Ok(Swept { more: expired.len() == MAX_ROWS, unreadable })
}

fn remove(tx: &mut Tx<'_>, cx: &Context, key: &[u8]) -> Result<(), StoreError> {
    let table = key.first().copied().unwrap_or_default();
    if table == Session::TABLE.byte {
        let session = tx.remove_expired::<Session>(key)?;
        return backchannel::schedule(tx, cx, session);
    }
    if table == BridgeSession::TABLE.byte {
        let session = tx.remove_expired::<BridgeSession>(key)?;
        return access::forget(tx, cx, &session);
    }
    macro_rules! in_tables {
        ($($row:ty),*) => {
            $(if table == <$row as Row>::TABLE.byte { return tx.remove_expired::<$row>(key).map(drop); })*
        };
    }
    if table == <Client as Row>::TABLE.byte {
        return retention::remove_unused(tx, cx, &tx.expired_key::<Client>(key)?);
    }
    in_tables!(
        AnonymousSession,
        AppCode,
        AppSession,
        Attempts,
        Bridge,
        Ceremony,
        Code,
        Device,
        DeviceCertificate,
        Exchange,
        Grant,
        Interaction,
        Pat,
        Pushed,
        Refresh,
        Revoked,
        SetupLink,
        SigningKeyRow,
        Usage,
        UsedAssertion,
        Withdrawal
    );
    Err(StoreError::Corrupt { table: "expiry", key: crate::secret::hex(key) })
}
