//! A value as JSON text inside a row.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread::LocalKey;

use serde::de::{DeserializeOwned, Visitor};
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::metadata::ClientMetadata;

/// The most texts that a thread remembers of a kind, and the most bytes of one: whoever registers clients
/// shall not decide how much memory that takes.
const MAX_REMEMBERED: usize = 32;
const MAX_TEXT: usize = 4096;

/// What texts that a thread read before mean. The same few clients are read again and again, and their
/// addresses are judged each time.
pub(super) struct Meanings<T> {
    known: Vec<(String, Arc<T>)>,
    /// Which of them goes next.
    oldest: usize,
}

impl<T> Default for Meanings<T> {
    fn default() -> Self {
        Self { known: Vec::new(), oldest: 0 }
    }
}

impl<T: DeserializeOwned> Meanings<T> {
    fn read(&mut self, json: &str) -> serde_json::Result<Arc<T>> {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| known == json) {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(serde_json::from_str(json)?);
        if json.len() > MAX_TEXT {
            return Ok(value);
        }
        let read = (json.to_owned(), Arc::clone(&value));
        if self.known.len() < MAX_REMEMBERED {
            self.known.push(read);
        } else if let Some(oldest) = self.known.get_mut(self.oldest) {
            *oldest = read;
            self.oldest = (self.oldest + 1) % MAX_REMEMBERED;
        }
        Ok(value)
    }
}

/// A value whose texts are remembered.
pub(super) trait Remembered: DeserializeOwned + 'static {
    fn meanings() -> &'static LocalKey<RefCell<Meanings<Self>>>;
}

macro_rules! remembered {
    ($($name:ty),*) => {$(
        impl Remembered for $name {
            fn meanings() -> &'static LocalKey<RefCell<Meanings<Self>>> {
                thread_local! {
                    static MEANINGS: RefCell<Meanings<$name>> = RefCell::default();
                }
                &MEANINGS
            }
        }
    )*};
}

remembered!(ClientMetadata, OperatorDecisions);

pub(super) fn serialize<T: Serialize, S: Serializer>(
    value: &Arc<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&serde_json::to_string(&**value).map_err(S::Error::custom)?)
}

pub(super) fn deserialize<'de, T: Remembered, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<T>, D::Error> {
    deserializer.deserialize_str(Text(PhantomData))
}

struct Text<T>(PhantomData<T>);

impl<T: Remembered> Visitor<'_> for Text<T> {
    type Value = Arc<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: serde::de::Error>(self, json: &str) -> Result<Arc<T>, E> {
        T::meanings().with_borrow_mut(|meanings| meanings.read(json)).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_the_same_again_and_few_are_remembered() {
        let mut meanings = Meanings::<u32>::default();

        for round in 0..3 {
            for number in 0..100_u32 {
                assert_eq!(*meanings.read(&number.to_string()).unwrap(), number, "{round}");
                assert_eq!(*meanings.read(&number.to_string()).unwrap(), number, "{round}");
            }
        }

        assert_eq!(meanings.known.len(), MAX_REMEMBERED);
        assert!(meanings.read("nothing").is_err());
        let long = format!("{}7", " ".repeat(MAX_TEXT));
        assert_eq!(*meanings.read(&long).unwrap(), 7);
        assert!(meanings.known.iter().all(|(text, _)| text.len() <= MAX_TEXT));
        assert_eq!(meanings.known.len(), MAX_REMEMBERED);
    }
}
