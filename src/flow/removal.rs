//! The removal of all rows of a person, a client, a session or an authorization.
//!
//! The transition that ends a subject writes one mark, which every reader of the rows under it
//! checks: the missing row of the person or the client, a person's `tokens_valid_after`, a revoked
//! [`Session`], a [`Withdrawal`](crate::store::schema::Withdrawal). The rows themselves are removed
//! in bounded steps: the first in the same transaction, the others by the sweep, which finds the
//! [`Removal`]. Codes, device codes and setup links open nothing without the rows that they lead to;
//! they are removed when they expire. Refresh tokens have no rows.

use crate::clock::Timestamp;
use crate::flow::Context;
use crate::flow::bridge::access;
use crate::flow::installation::clock;
use crate::flow::person::passkeys;
use crate::oauth::id::{GrantId, SessionId, UserId};
use crate::store::schema::{
    BRIDGE_SESSIONS_BY_USER, Bridge, BridgeSession, CERTIFICATES_BY_USER, Consent, Delivery,
    DeviceCertificate, GRANTS_BY_CLIENT, GRANTS_BY_SESSION, GRANTS_BY_USER, Grant, HostPreference,
    LinkedDevice, PASSKEYS_BY_USER, Person, RECOVERY_CODES_BY_USER, Removal, Removed,
    SESSIONS_BY_USER, Session, StoredCode, Subject, TOKENS_BY_USER,
};
use crate::store::{Index, Key, Row, StoreError, Tx, View};

/// The most rows that are removed in the transition that ends the subject.
const MAX_ROWS_AT_ONCE: usize = 100;

/// The most clients that are notified of one session's end.
const MAX_CLIENTS: usize = 1_000;

/// Leaves the removal of every row of `subject`, which has just ended, to the sweep.
pub fn schedule(tx: &mut Tx<'_>, cx: &Context, subject: &Subject) -> Result<(), StoreError> {
    let at = clock::milestone(tx, cx)?;
    tx.put(subject, Removal { at, cursor: None })
}

/// Starts the removal of every row of `subject`, which has just ended, with a first step.
pub fn start(tx: &mut Tx<'_>, cx: &Context, subject: &Subject) -> Result<(), StoreError> {
    schedule(tx, cx, subject)?;
    match step(tx, cx, subject, MAX_ROWS_AT_ONCE) {
        // The sweep reports a row that does not decode. Such a row must not keep a subject from
        // ending.
        Err(StoreError::Corrupt { .. }) => Ok(()),
        stepped => stepped.map(drop),
    }
}

/// Whether rows of `subject` are still to be removed.
pub fn is_pending(view: &impl View, subject: &Subject) -> Result<bool, StoreError> {
    Ok(view.find::<Removal>(subject)?.is_some())
}

/// Removes at most `limit` rows of `subject`, and the [`Removal`] once none is left. Returns the
/// number of rows that it read, at least one.
pub fn step(
    tx: &mut Tx<'_>,
    cx: &Context,
    subject: &Subject,
    limit: usize,
) -> Result<usize, StoreError> {
    let Some(removal) = tx.find::<Removal>(subject)? else { return Ok(1) };
    let mut step = Step { tx, cx, at: removal.at, left: limit };
    let cursor = removal.cursor.map(uuid::Uuid::from_bytes);
    let (grant, session) = (cursor.map(GrantId::from), cursor.map(SessionId::from));
    let stopped_at = match subject {
        Subject::Authorization(user, client) => {
            step.consents(&(*user, client.clone()))?;
            let of_client = |grant: &Grant| grant.authorization.client == *client;
            step.grants(&GRANTS_BY_USER, user, grant, of_client)?
        }
        Subject::Client(client) => step.grants(&GRANTS_BY_CLIENT, client, grant, |_| true)?,
        Subject::Person(user) => step.person(*user)?,
        Subject::Session(id) => step.grants(&GRANTS_BY_SESSION, id, grant, |_| true)?,
        Subject::Sessions(user) => step.sessions(*user, session)?,
    };
    let left = step.left;
    if left == 0 {
        let cursor = stopped_at.or(removal.cursor);
        tx.put(subject, Removal { cursor, ..removal })?;
    } else {
        tx.remove::<Removal>(subject)?;
    }
    Ok((limit - left).max(1))
}

/// A step of a removal, which ends when `left` is zero.
struct Step<'s, 'tx> {
    tx: &'s mut Tx<'tx>,
    cx: &'s Context,
    at: Timestamp,
    left: usize,
}

/// The key of the last row that was read.
type Cursor = Option<[u8; 16]>;

impl Step<'_, '_> {
    fn person(&mut self, user: UserId) -> Result<Cursor, StoreError> {
        for credential in self.tx.by(&PASSKEYS_BY_USER, &user, self.left)? {
            passkeys::take(self.tx, self.cx, &credential, user, Removed::Person)?;
            self.left -= 1;
        }
        self.all::<StoredCode, _>(&RECOVERY_CODES_BY_USER, &user)?;
        for fingerprint in self.tx.by(&CERTIFICATES_BY_USER, &user, self.left)? {
            if let Some(row) = self.tx.remove::<DeviceCertificate>(&fingerprint)? {
                self.tx.remove::<LinkedDevice>(&row.linked)?;
            }
            self.left -= 1;
        }
        self.all::<LinkedDevice, _>(&TOKENS_BY_USER, &user)?;
        self.consents(&user)?;
        self.under::<HostPreference>(&user)?;
        for id in self.tx.by(&BRIDGE_SESSIONS_BY_USER, &user, self.left)? {
            if let Some(row) = self.tx.remove::<BridgeSession>(&id)? {
                self.tx.remove::<LinkedDevice>(&row.linked)?;
            }
            self.tx.remove::<Bridge>(&id)?;
            access::forget(self.tx, self.cx, &id)?;
            self.left -= 1;
        }
        self.sessions(user, None)?;
        self.grants(&GRANTS_BY_USER, &user, None, |_| true)
    }

    /// Removes the rows that `index` finds by `by`.
    fn all<R: Row, A: Key>(&mut self, index: &Index<A, R::Key>, by: &A) -> Result<(), StoreError> {
        for key in self.tx.by(index, by, self.left)? {
            self.tx.remove::<R>(&key)?;
            self.left -= 1;
        }
        Ok(())
    }

    /// Removes the rows whose key begins with `first`.
    fn under<R: Row>(&mut self, first: &impl Key) -> Result<(), StoreError> {
        for (key, _) in self.tx.list_under::<R, _>(first, self.left)? {
            self.tx.remove::<R>(&key)?;
            self.left -= 1;
        }
        Ok(())
    }

    /// Removes the consents whose key begins with `first` and that were given before the subject
    /// ended.
    fn consents(&mut self, first: &impl Key) -> Result<(), StoreError> {
        let mut last = None;
        while self.left > 0
            && let consents = self.tx.list_after::<Consent, _>(first, last.as_ref(), self.left)?
            && let Some((key, _)) = consents.last()
        {
            last = Some(key.clone());
            for (key, consent) in &consents {
                if consent.given <= self.at {
                    self.tx.remove::<Consent>(key)?;
                    self.left -= 1;
                }
            }
        }
        Ok(())
    }

    /// Removes the grants after `cursor` that match and were authorized before the subject ended.
    fn grants<A: Key>(
        &mut self,
        index: &Index<A, GrantId>,
        by: &A,
        cursor: Option<GrantId>,
        matches: impl Fn(&Grant) -> bool,
    ) -> Result<Cursor, StoreError> {
        let mut last = None;
        for id in self.tx.by_after(index, by, cursor.as_ref(), self.left)? {
            let grant = self.tx.find::<Grant>(&id)?;
            if grant.is_some_and(|grant| grant.authorization.given <= self.at && matches(&grant)) {
                self.tx.remove::<Grant>(&id)?;
            }
            last = Some(id.uuid().into_bytes());
            self.left -= 1;
        }
        Ok(last)
    }

    /// Ends the sessions of a person after `cursor` whose last sign-in was before the subject
    /// ended, but for one that goes on.
    fn sessions(&mut self, user: UserId, cursor: Option<SessionId>) -> Result<Cursor, StoreError> {
        let person = self.tx.find::<Person>(&user)?;
        let is_over = |id: SessionId, at| {
            person.as_ref().is_none_or(|own| !own.enabled_since(at) || own.is_signed_out(id, at))
        };
        let mut last = None;
        for id in self.tx.by_after(&SESSIONS_BY_USER, &user, cursor.as_ref(), self.left)? {
            if self.left == 0 {
                break;
            }
            let signed_in = self.tx.find::<Session>(&id)?.map(|row| row.authentication.at);
            let mut rows = 1;
            if signed_in.is_some_and(|at| at <= self.at && is_over(id, at)) {
                rows += end_session(self.tx, self.cx, id)?;
            }
            last = Some(id.uuid().into_bytes());
            self.left = self.left.saturating_sub(rows);
        }
        Ok(last)
    }
}

/// Removes a browser session and schedules its deliveries. Returns their number.
pub fn end_session(tx: &mut Tx<'_>, cx: &Context, id: SessionId) -> Result<usize, StoreError> {
    tx.remove::<Session>(&id)?;
    schedule_logouts(tx, cx, id)
}

/// Makes the deliveries of a session that has just ended due. Returns their number.
pub fn schedule_logouts(
    tx: &mut Tx<'_>,
    cx: &Context,
    session: SessionId,
) -> Result<usize, StoreError> {
    let mut scheduled = 0;
    for (key, delivery) in tx.list_under::<Delivery, _>(&session, MAX_CLIENTS)? {
        if delivery.due.is_none() {
            tx.put(&key, Delivery { due: Some(cx.now), ..delivery })?;
            scheduled += 1;
        }
    }
    Ok(scheduled)
}
