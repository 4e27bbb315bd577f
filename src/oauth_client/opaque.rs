//! Opaque values: tokens, codes and states.

use serde::{Deserialize, Deserializer, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A token, a code or a state: visible ASCII (RFC 6749 Appendix A, `VSCHAR`) without spaces, so
/// that it cannot end the line it is written into. Only [`Self::expose`] and the serializers reveal
/// it.
#[derive(Clone)]
pub(crate) struct Opaque(Zeroizing<String>);

impl Opaque {
    /// The value of `text`, if it is well formed.
    pub(crate) fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then_some(Self(text))
    }

    /// The value in the clear.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `text` is equal, in constant time.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// Serializes the value into a document that is secret as a whole.
    pub(crate) fn serialize_exposed<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }

    /// As [`Self::serialize_exposed`], for an optional value.
    pub(crate) fn serialize_optional<S: Serializer>(
        one: &Option<Self>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match one {
            Some(token) => serializer.serialize_some(token.expose()),
            None => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Opaque {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The error does not contain the text.
        Self::new(text).ok_or_else(|| serde::de::Error::custom("a token is printable ASCII"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_nothing_that_ends_a_line_or_a_word() {
        for text in ["", "a b", "a\nusername=eve", "a\r", "é"] {
            assert!(Opaque::new(text.to_owned()).is_none(), "{text:?}");
        }
        assert!(Opaque::new("eyJ.a-_~+/=".to_owned()).is_some_and(|token| token.is("eyJ.a-_~+/=")));
    }
}
