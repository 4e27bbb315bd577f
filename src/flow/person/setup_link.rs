//! Setup links: for a new person, for a recovery, and for the first administrator.

use crate::clock::Timestamp;
use crate::error::Error;
use crate::flow::Context;
use crate::secret::SetupToken;
use crate::store::Tx;
use crate::store::schema::{SetupLink, SetupPurpose};

/// A new setup link.
pub struct IssuedSetupLink {
    /// Its secret.
    pub token: SetupToken,
    /// Expiry.
    pub expires: Timestamp,
}

/// Makes a setup link.
pub fn issue(
    tx: &mut Tx<'_>,
    cx: &Context,
    purpose: SetupPurpose,
) -> Result<IssuedSetupLink, Error> {
    let token: SetupToken = cx.seed.token();
    let expires = cx.deadline(cx.rules.config.lifetimes.setup_token);
    let link = SetupLink { expires, purpose, used: None };
    tx.put(&cx.rules.pepper.hash(&token), link)?;
    Ok(IssuedSetupLink { token, expires: expires.by_clock() })
}
