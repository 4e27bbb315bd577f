//! Every table, its rows and its indices.
//!
//! A layout enum is append only: a released variant never changes, and its bytes are stored under
//! `tests/store/golden/`. A tag is never reused.

mod admission;
mod anonymous;
mod applied;
mod bridge;
mod browser;
mod certificate;
mod client;
mod deadline;
mod device;
mod event;
mod forward;
mod grant;
mod installation;
mod layouts;
mod logout;
mod passkey;
mod person;
mod pushed;
mod removal;
mod usage;

pub use admission::*;
pub use anonymous::*;
pub use applied::*;
pub use bridge::*;
pub use browser::*;
pub use certificate::*;
pub use client::*;
pub use deadline::*;
pub use device::*;
pub use event::*;
pub use forward::*;
pub use grant::*;
pub use installation::*;
pub use layouts::v1::*;
pub use logout::*;
pub use passkey::*;
pub use person::*;
pub use pushed::*;
pub use removal::*;
pub use usage::*;

use crate::secret::hex;
use crate::store::table::{EXPIRY, Entries, HELD, Reference, SCHEMA_TAG, corrupt};
use crate::store::weight::WEIGHTS;
use crate::store::{Row, StoreError, Tag, Tx};
use layouts::{layout, second_layout};

/// Lists every table, with what a restore does with its rows. All that depends on the complete list
/// is generated from it.
macro_rules! tables {
    ($($row:ident: $carry:ident),* $(,)?) => {
        /// The tag of every table.
        pub const TABLES: &[Tag] = &[$($row::TABLE),*];

        /// What a restore over a newer store does with the rows of the table of `key`; `None` if it
        /// is of none.
        pub(super) fn carry(key: &[u8]) -> Option<Carry> {
            let table = key.first().copied();
            $(
                if table == Some($row::TABLE.byte) {
                    return Some(Carry::$carry);
                }
            )*
            None
        }

        /// Removes a row of any table, which [`View::expired`](crate::store::View::expired) or
        /// [`View::held`](crate::store::View::held) returned.
        pub fn remove_listed(tx: &mut Tx<'_>, key: &[u8]) -> Result<(), StoreError> {
            let table = key.first().copied();
            $(
                if table == Some($row::TABLE.byte) {
                    return tx.remove_listed::<$row>(key).map(drop);
                }
            )*
            Err(corrupt(EXPIRY, key))
        }

        /// The stored row under `key` in its newest layout, and what it declares; `None` if the key is
        /// of no table.
        pub(super) fn newest(
            key: &[u8],
            row: &[u8],
        ) -> Result<Option<(Vec<u8>, Entries)>, StoreError> {
            let table = key.first().copied();
            $(
                if table == Some($row::TABLE.byte) {
                    return Entries::newest::<$row>(key, row).map(Some);
                }
            )*
            Ok(None)
        }

        /// What the row under `key` declares, and the rows that it names; `None` if the key is of no
        /// table.
        pub(super) fn declared(
            key: &[u8],
            row: &[u8],
        ) -> Result<Option<(Entries, Vec<Reference>)>, StoreError> {
            let table = key.first().copied();
            $(
                if table == Some($row::TABLE.byte) {
                    return Entries::stored::<$row>(key, row).map(Some);
                }
            )*
            Ok(None)
        }
    };
}

tables! {
    AnonymousSession: Live,
    AppCode: Live,
    AppSession: Live,
    Applied: Setting,
    AppliedRole: Setting,
    AppliedScope: Setting,
    Attempts: Evidence,
    Bridge: Live,
    BridgeKey: Newest,
    BridgeSession: Live,
    Client: Subject,
    ClientLogo: Subject,
    ClockRecord: Newest,
    Code: Live,
    Consent: Live,
    Delivery: Live,
    Device: Live,
    DeviceCertificate: Live,
    EndedBridge: Evidence,
    Event: Evidence,
    EventDelivery: Live,
    Exchange: Live,
    Grant: Live,
    HostPreference: Setting,
    Installation: Newest,
    Interaction: Live,
    Invitation: Live,
    LastingKeyRow: Newest,
    LinkedDevice: Live,
    Passkey: Means,
    Person: Subject,
    Protected: Setting,
    Pushed: Live,
    Removal: Evidence,
    RemovedPasskey: Evidence,
    Restore: Evidence,
    Revoked: Evidence,
    Session: Live,
    SetupLink: Live,
    SigningKeyRow: Newest,
    Sizes: Evidence,
    StoredCode: Live,
    Taken: Newest,
    Usage: Evidence,
    UsedAssertion: Evidence,
    UsedCeremony: Evidence,
    Withdrawal: Evidence,
}

/// The tag of every index.
pub(super) const INDICES: &[Tag] = &[
    EXPIRY,
    HELD,
    ANONYMOUS_BY_COOKIE.tag,
    BRIDGE_SESSIONS_BY_USER.tag,
    CERTIFICATES_BY_USER.tag,
    CLIENTS_BY_FINGERPRINT.tag,
    CLIENTS_BY_NAME.tag,
    CLIENTS_WITHOUT_PKCE.tag,
    CLIENTS_BY_GROUP.tag,
    DELIVERIES_BY_DUE.tag,
    DEVICES_BY_HOOK.tag,
    DEVICES_BY_NAME.tag,
    DEVICES_BY_USER_CODE.tag,
    EVENTS_BY_WORD.tag,
    EVENT_DELIVERIES_BY_DUE.tag,
    GRANTS_BY_CLIENT.tag,
    GRANTS_BY_SESSION.tag,
    GRANTS_BY_USER.tag,
    INVITATIONS_BY_TOKEN.tag,
    LINKS_BY_TOKEN.tag,
    LINKS_BY_USER.tag,
    OPEN_LINKS.tag,
    PASSKEYS_BY_ID.tag,
    PASSKEYS_BY_NAME.tag,
    PASSKEYS_BY_USER.tag,
    PEOPLE_BY_EMAIL.tag,
    PEOPLE_BY_NAME.tag,
    RECOVERY_CODES_BY_USER.tag,
    REMOVED_PASSKEYS_BY_USER.tag,
    RESOURCES_BY_NAME.tag,
    RESOURCES_BY_SCOPE.tag,
    RESOURCES_BY_SERVER.tag,
    SESSIONS_BY_HOLDER.tag,
    SESSIONS_BY_USER.tag,
    TOKENS_BY_USER.tag,
];

/// What a restore does with the rows of a table, if the store that it replaces can be read: nothing
/// that ended since the backup lives again by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carry {
    /// What was used, ended or happened: the rows of both, and of two the newer.
    Evidence,
    /// What an operator set: the rows of the backup.
    Setting,
    /// What ends: the rows of the backup that the newer store still has, as it has them.
    Live,
    /// As [`Carry::Live`], and it stays where everything is ended.
    Means,
    /// What the installation is made of: the rows of the newer store.
    Newest,
    /// What others refer to: the rows of the backup that the newer store still has, with what ended of
    /// them.
    Subject,
}

/// The first bytes of the keys of rows, in order, known or not: all but those of what is made anew.
pub(super) fn stored_tags() -> impl Iterator<Item = u8> {
    (0..u8::MAX).filter(|tag| !is_made_anew(&[*tag]))
}

/// Whether a key is that of an index entry.
pub(super) fn is_index(key: &[u8]) -> bool {
    INDICES.iter().any(|index| key.first() == Some(&index.byte))
}

/// Whether a key is that of an index entry, of a sum or of the schema's number, which all follow from
/// the rows of the tables.
pub(super) fn is_made_anew(key: &[u8]) -> bool {
    is_index(key) || [SCHEMA_TAG, WEIGHTS].iter().any(|tag| key.first() == Some(&tag.byte))
}

/// The error of a key that is of no table.
pub(super) fn unknown(key: &[u8]) -> StoreError {
    StoreError::Corrupt { table: Some(name(key)), key: hex(key) }
}

/// The name of the table or the index of a key.
pub(super) fn name(key: &[u8]) -> &'static str {
    let own = [SCHEMA_TAG, WEIGHTS];
    let mut tags = TABLES.iter().chain(INDICES).chain(&own);
    tags.find(|tag| key.first() == Some(&tag.byte)).map_or("no table", |tag| tag.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_tables_share_a_tag() {
        let tags = [TABLES, INDICES, &[SCHEMA_TAG, WEIGHTS]].concat();

        let bytes: BTreeSet<u8> = tags.iter().map(|tag| tag.byte).collect();
        let names: BTreeSet<&str> = tags.iter().map(|tag| tag.name).collect();

        assert_eq!((bytes.len(), names.len()), (tags.len(), tags.len()));
    }
}
