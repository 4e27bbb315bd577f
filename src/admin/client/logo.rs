//! The logo of a client in a request and in a view.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::flow::client::logo::{self, LogoChange};
use crate::oauth::id::ClientId;
use crate::store::schema::ClientLogo;
use crate::store::{StoreError, View};

/// The logo of a client, without its content.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LogoView {
    /// The number of its bytes.
    pub(crate) bytes: usize,
    /// Its kind.
    pub(crate) kind: String,
    /// The version of its content, which its address has.
    pub(crate) version: String,
}

impl LogoView {
    /// The view of the logo of a client, if there is one.
    pub(super) fn of(rows: &impl View, id: &ClientId) -> Result<Option<Self>, StoreError> {
        let view = |ClientLogo { content, kind, version }| Self {
            bytes: content.len(),
            kind: kind.as_str().to_owned(),
            version,
        };
        Ok(logo::of(rows, id)?.map(view))
    }
}

/// Takes the member `logo` out of `members`: an image in base64, or null for none.
pub(super) fn taken(members: &mut Map<String, Value>) -> Result<LogoChange, Refusal> {
    const UNFIT: Refusal = Refusal::MemberMalformed(
        "logo",
        "a PNG, WebP or JPEG image of at most 16 KiB is expected, in base64",
    );
    match members.remove("logo") {
        None => Ok(LogoChange::Keep),
        Some(Value::Null) => Ok(LogoChange::Remove),
        Some(Value::String(written)) => {
            let content = STANDARD.decode(written).map_err(|_| UNFIT)?;
            logo::read(content).map(LogoChange::Set).ok_or(UNFIT)
        }
        Some(_) => Err(UNFIT),
    }
}
