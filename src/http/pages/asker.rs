//! The client that asks for something, as the pages for people show it: its mark, who gave it its
//! name, and what it links to.

use crate::oauth::client::cimd::DocumentAddress;
use crate::oauth::id::ClientId;
use crate::oauth::web_uri::WebUri;
use crate::store::schema::{Client, Origin};

/// The mark of an app: a letter on a ground of its own colour. Nothing is fetched for it.
#[derive(Clone)]
pub(in crate::http) struct ClientMark {
    /// The hue of the ground in degrees.
    pub(in crate::http) hue: u16,
    /// The first letter or digit of the name.
    pub(in crate::http) letter: String,
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
        Self { hue, letter: letter.to_uppercase().collect() }
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
    pub(in crate::http) fn client(id: &ClientId, client: &Client, host: String) -> Self {
        let self_named_at = match client.origin {
            Origin::Document { .. } => {
                let address = DocumentAddress::of(id).ok();
                Some(address.map_or(host, |address| address.authority().to_owned()))
            }
            Origin::Dynamic { .. } => Some(host),
            Origin::Hook | Origin::Operator => None,
        };
        Self { self_named_at, ..Self::named(id.as_str(), client.metadata.name()) }
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
