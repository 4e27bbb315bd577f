//! What an administrator does next, as far as it is not done.

use crate::store::schema::{Client, Origin, Person, Protected};
use crate::store::{StoreError, View};

/// The most clients that are looked at for one that is not a bridge's.
const MAX_SEARCHED: usize = 100;

/// The steps that are left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct NextSteps {
    /// To let an app sign people in, or to protect a resource.
    pub(in crate::http) connect: bool,
    /// To add somebody else.
    pub(in crate::http) person: bool,
    /// To have a second passkey, or recovery codes.
    pub(in crate::http) recovery: bool,
}

impl NextSteps {
    /// The steps that are left for an administrator who has so many passkeys and recovery codes.
    pub(in crate::http) fn of(
        view: &impl View,
        admin: bool,
        passkeys: usize,
        codes: usize,
    ) -> Result<Self, StoreError> {
        if !admin {
            return Ok(Self::default());
        }
        let clients = view.list::<Client>(MAX_SEARCHED)?;
        let is_client = |client: &Client| !matches!(client.origin, Origin::Hook);
        let connected =
            clients.iter().any(|(_, client)| is_client(client)) || view.count::<Protected>(1)? > 0;
        Ok(Self {
            connect: !connected,
            person: view.count::<Person>(2)? < 2,
            recovery: passkeys < 2 && codes == 0,
        })
    }

    /// Whether one is left.
    pub(in crate::http) fn is_any(self) -> bool {
        self != Self::default()
    }
}
