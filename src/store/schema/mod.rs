//! Every table, its rows and its indices.
//!
//! A layout enum is append only: a released variant is frozen, and its bytes are stored under
//! `tests/store/golden/`. Tags are never used again.

mod anonymous;
mod bridge;
mod browser;
mod certificate;
mod client;
mod device;
mod forward;
mod grant;
mod installation;
mod logout;
mod passkey;
mod person;
mod pushed;
mod removal;
mod usage;

pub use anonymous::*;
pub use bridge::*;
pub use browser::*;
pub use certificate::*;
pub use client::*;
pub use device::*;
pub use forward::*;
pub use grant::*;
pub use installation::*;
pub use logout::*;
pub use passkey::*;
pub use person::*;
pub use pushed::*;
pub use removal::*;
pub use usage::*;

/// A row with one layout so far.
macro_rules! layout {
    ($layout:ident, $row:ident) => {
        #[doc = concat!("Every layout that [`", stringify!($row), "`] has had.")]
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub enum $layout {
            /// The first.
            V1($row),
        }

        impl From<$row> for $layout {
            fn from(row: $row) -> Self {
                Self::V1(row)
            }
        }

        impl From<$layout> for $row {
            fn from(layout: $layout) -> Self {
                match layout {
                    $layout::V1(row) => row,
                }
            }
        }
    };
}
use layout;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::{Index, Row, Tag};

    #[test]
    fn no_two_tables_share_a_tag() {
        fn tag<A, B>(index: &Index<A, B>) -> Tag {
            index.tag
        }
        let tags = [
            Tag { byte: 0, name: "schema" },
            crate::store::table::EXPIRY,
            Attempts::TABLE,
            AnonymousSession::TABLE,
            AppCode::TABLE,
            AppSession::TABLE,
            Bridge::TABLE,
            BridgeKey::TABLE,
            BridgeSession::TABLE,
            Ceremony::TABLE,
            Client::TABLE,
            Code::TABLE,
            Consent::TABLE,
            Delivery::TABLE,
            Device::TABLE,
            DeviceCertificate::TABLE,
            EndedBridge::TABLE,
            Exchange::TABLE,
            Grant::TABLE,
            HostPreference::TABLE,
            Installation::TABLE,
            Interaction::TABLE,
            Passkey::TABLE,
            Pat::TABLE,
            Person::TABLE,
            Protected::TABLE,
            Pushed::TABLE,
            Refresh::TABLE,
            Removal::TABLE,
            Revoked::TABLE,
            Session::TABLE,
            SetupLink::TABLE,
            SigningKeyRow::TABLE,
            Usage::TABLE,
            UsedAssertion::TABLE,
            Withdrawal::TABLE,
            tag(&ANONYMOUS_BY_COOKIE),
            tag(&ANONYMOUS_BY_EXPIRY),
            tag(&ANONYMOUS_BY_NETWORK),
            tag(&BRIDGE_SESSIONS_BY_USER),
            tag(&CERTIFICATES_BY_USER),
            tag(&CLIENTS_BY_FINGERPRINT),
            tag(&DELIVERIES_BY_DUE),
            tag(&DEVICES_BY_USER_CODE),
            tag(&GRANTS_BY_CLIENT),
            tag(&GRANTS_BY_SESSION),
            tag(&GRANTS_BY_USER),
            tag(&PASSKEYS_BY_USER),
            tag(&PATS_BY_USER),
            tag(&PEOPLE_BY_NAME),
            tag(&RESOURCES_BY_SERVER),
            tag(&SESSIONS_BY_COOKIE),
            tag(&SESSIONS_BY_USER),
        ];

        let bytes: BTreeSet<u8> = tags.iter().map(|tag| tag.byte).collect();
        let names: BTreeSet<&str> = tags.iter().map(|tag| tag.name).collect();

        assert_eq!((bytes.len(), names.len()), (tags.len(), tags.len()));
    }
}
