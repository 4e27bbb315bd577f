//! The logo of a client: what an operator uploads. Nothing is fetched for one.

use crate::error::{Error, Refusal};
use crate::model::look::picture::{Picture, PictureKind};
use crate::oauth::id::ClientId;
use crate::store::schema::{Client, ClientLogo, Origin};
use crate::store::{StoreError, Tx, View};

/// The most bytes of a logo.
pub const MAX_LOGO: usize = 16 * 1024;

/// What becomes of the logo of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogoChange {
    /// It stays, if there is one.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// It is this one from now on.
    Set(ClientLogo),
}

/// The logo with this content, if it is one that a client may have. An SVG is a document with scripts,
/// which no page needs of somebody who may not change the configuration.
pub fn read(content: Vec<u8>) -> Option<ClientLogo> {
    if content.len() > MAX_LOGO {
        return None;
    }
    let Picture { content, kind, version } = Picture::of(content)?;
    match kind {
        PictureKind::Jpeg | PictureKind::Png | PictureKind::WebP => {
            Some(ClientLogo { content, kind, version })
        }
        PictureKind::Svg => None,
    }
}

/// The logo of a client, if there is one.
pub fn of(view: &impl View, id: &ClientId) -> Result<Option<ClientLogo>, StoreError> {
    view.find::<ClientLogo>(id)
}

/// Applies a change. Returns whether the logo is another one now.
///
/// # Errors
///
/// [`Refusal::ClientDescribesItself`]: a client that nobody here registered looks like none of the
/// house.
pub fn change(
    tx: &mut Tx<'_>,
    id: &ClientId,
    client: &Client,
    change: &LogoChange,
) -> Result<bool, Error> {
    if *change != LogoChange::Keep && client.origin != Origin::Operator {
        return Err(Refusal::ClientDescribesItself.into());
    }
    Ok(match change {
        LogoChange::Keep => false,
        LogoChange::Remove => tx.remove::<ClientLogo>(id)?.is_some(),
        LogoChange::Set(logo) => {
            let differs = tx.find::<ClientLogo>(id)?.as_ref() != Some(logo);
            if differs {
                tx.put(id, logo.clone())?;
            }
            differs
        }
    })
}
