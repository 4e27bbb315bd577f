//! The client that asks for something, as the pages for people show it: its mark, who gave it its
//! name, and what it links to.

use crate::admin::client::ClientView;
use crate::flow::client::logo;
use crate::http::logos;
use crate::oauth::client::cimd::DocumentAddress;
use crate::oauth::id::ClientId;
use crate::oauth::web_uri::WebUri;
use crate::store::schema::{Client, Origin};
use crate::store::{StoreError, View};

/// The mark of an app: the logo that an operator uploaded, or a letter on a ground of its own colour.
/// Nothing is fetched for it.
#[derive(Clone)]
pub(in crate::http) struct ClientMark {
    /// The hue of the ground in degrees.
    pub(in crate::http) hue: u16,
    /// The first letter or digit of the name.
    pub(in crate::http) letter: String,
    /// The address of its logo.
    pub(in crate::http) logo: Option<String>,
}

impl ClientMark {
    /// The mark of the app that `id` identifies. The colour is that of the id, which nobody else has,
    /// so that an app of the same name looks different.
    pub(in crate::http) fn of(id: &str, name: &str) -> Self {
        // FNV-1a: the same colour in every process.
        let hash = id
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let hue = u16::try_from(hash % 360).unwrap_or_default();
        let letter = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('?');
        Self { hue, letter: letter.to_uppercase().collect(), logo: None }
    }

    /// The mark of a client.
    pub(in crate::http) fn of_client(
        view: &impl View,
        id: &ClientId,
        name: &str,
    ) -> Result<Self, StoreError> {
        let logo = logo::of(view, id)?;
        let logo = logo.map(|logo| logos::address(id.as_str(), &logo.version));
        Ok(Self { logo, ..Self::of(id.as_str(), name) })
    }

    /// The mark of a client that an administrator sees.
    pub(in crate::http) fn of_view(client: &ClientView) -> Self {
        let address = |version: &str| logos::address(&client.client_id, version);
        let logo = client.logo.as_ref().map(|logo| address(&logo.version));
        Self { logo, ..Self::of(&client.client_id, &client.name) }
    }
}

/// An app that asks.
pub(in crate::http) struct Asker {
    /// Its mark.
    pub(in crate::http) mark: ClientMark,
    /// Its name.
    pub(in crate::http) name: String,
    /// The host beside its name, if no operator gave it that name.
    pub(in crate::http) self_named_at: Option<String>,
}

impl Asker {
    /// A client whose answer goes to `host`.
    pub(in crate::http) fn client(
        view: &impl View,
        id: &ClientId,
        client: &Client,
        host: String,
    ) -> Result<Self, StoreError> {
        let self_named_at = match client.origin {
            Origin::Document { .. } => {
                let address = DocumentAddress::of(id).ok();
                Some(address.map_or(host, |address| address.authority().to_owned()))
            }
            Origin::Dynamic { .. } => Some(host),
            Origin::Hook | Origin::Operator => None,
        };
        let name = client.metadata.name();
        let mark = ClientMark::of_client(view, id, name)?;
        Ok(Self { mark, self_named_at, ..Self::named(id.as_str(), name) })
    }

    /// What an operator or this server named.
    pub(in crate::http) fn named(id: &str, name: &str) -> Self {
        Self { mark: ClientMark::of(id, name), name: name.to_owned(), self_named_at: None }
    }
}

/// A page of the app's own, to which a page links: its policy or its terms.
pub(in crate::http) struct AppLink {
    /// The address.
    pub(in crate::http) address: String,
    /// The host.
    pub(in crate::http) host: String,
}

impl AppLink {
    pub(in crate::http) fn of(uri: Option<&WebUri>) -> Option<Self> {
        let link = |uri: &WebUri| Self {
            address: uri.as_str().to_owned(),
            host: uri.authority().to_owned(),
        };
        uri.map(link)
    }
}

#[cfg(test)]
mod tests {
    use super::ClientMark;
    use crate::model::look::colour::Colour;

    #[test]
    fn a_letter_can_be_read_on_every_ground() {
        for hue in 0..360_u16 {
            // As `icons.html` fills the ground.
            let ground = Colour::hsl(f64::from(hue), 0.45, 0.32);
            let contrast = ground.contrast(Colour::WHITE);

            assert!(contrast >= 4.5, "{hue}: {contrast}");
        }
    }

    #[test]
    fn a_mark_is_the_letter_of_the_name_in_the_colour_of_the_id() {
        let [shop, other] = ["shop", "other"].map(|id| ClientMark::of(id, "«éditor»"));

        assert_eq!((&*shop.letter, &*ClientMark::of("x", "…").letter), ("É", "?"));
        assert_ne!(shop.hue, other.hue);
        assert_eq!(shop.hue, ClientMark::of("shop", "Shop").hue);
    }
}
