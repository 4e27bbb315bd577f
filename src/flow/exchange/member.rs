//! The values of a line as they are written, and the reader of its members.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::secret::TokenHash;

/// What is wrong with a line: the member, if it is one, and the sentence.
pub(super) struct Fault {
    /// The member, dotted.
    pub(super) member: Option<String>,
    /// The sentence.
    pub(super) sentence: String,
}

impl Fault {
    /// A fault of a line as a whole.
    pub(super) fn whole(sentence: impl Into<String>) -> Self {
        Self { member: None, sentence: sentence.into() }
    }

    /// A fault of a member.
    pub(super) fn at(member: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { member: Some(member.into()), sentence: sentence.into() }
    }
}

/// A value that is written as text, and read by its own parser.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let malformed = || D::Error::custom(format!("{text:?} has not the form of one"));
        text.parse().map(Self).map_err(|_| malformed())
    }
}

/// A time, written to the millisecond: `2026-01-01T00:00:00.123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.rfc3339();
        write!(f, "{}.{:03}Z", seconds.trim_end_matches('Z'), self.0.millis() % 1000)
    }
}

impl FromStr for Moment {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        let (seconds, fraction) = s.strip_suffix('Z').and_then(|s| s.split_once('.')).ok_or(())?;
        let seconds = Timestamp::from_rfc3339(&format!("{seconds}Z")).ok_or(())?;
        let millis = fraction.parse::<u64>().map_err(|_| ())?;
        let moment = Self(Timestamp::from_millis(seconds.millis() + millis));
        // A time has one spelling.
        if moment.to_string() == s { Ok(moment) } else { Err(()) }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let malformed = || format!("{text:?} is no time such as 2026-01-01T00:00:00.000Z");
        text.parse().map_err(|()| D::Error::custom(malformed()))
    }
}

/// Bytes, written in base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let malformed = |_| D::Error::custom("this is no base64url without padding");
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(malformed)
    }
}

/// The keyed hash of a secret: its bytes, of which the first is the generation of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u8; 33]);

impl Digest {
    /// The generation of the key.
    pub(super) fn generation(self) -> u8 {
        let [generation, ..] = self.0;
        generation
    }

    /// The hash.
    pub(super) fn hash(self) -> TokenHash {
        TokenHash::from_bytes(self.0)
    }
}

impl From<TokenHash> for Digest {
    fn from(hash: TokenHash) -> Self {
        Self(hash.to_bytes())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        let bytes = bytes.try_into().map_err(|_| D::Error::custom("a hash has 33 bytes"))?;
        Ok(Self(bytes))
    }
}

/// Takes a member out of a line.
pub(super) fn take<T: DeserializeOwned>(
    members: &mut Map<String, Value>,
    name: &str,
) -> Result<T, Fault> {
    let value = members.remove(name);
    let is_missing = value.is_none();
    // What is optional is null.
    serde_json::from_value(value.unwrap_or_default()).map_err(|error| match is_missing {
        true => Fault::at(name, "it is missing"),
        // It may be one in the clear.
        false if name == "secret" => {
            Fault::at(name, "it is no form of a secret that an export has")
        }
        false => Fault::at(name, error.to_string()),
    })
}

/// Declares the line of a kind: a struct whose fields are the members.
macro_rules! line {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Serialize)]
        pub(super) struct $name {
            $($(#[$member_doc])* pub(super) $member: $type,)*
        }

        impl $name {
            /// Reads the members, all of them.
            pub(super) fn read(
                mut members: serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, $crate::flow::exchange::member::Fault> {
                let line = Self {
                    $($member: $crate::flow::exchange::member::take(
                        &mut members,
                        stringify!($member),
                    )?,)*
                };
                match members.keys().next() {
                    None => Ok(line),
                    Some(unknown) => Err($crate::flow::exchange::member::Fault::at(
                        unknown.as_str(),
                        concat!("there is no such member; there is" $(, " ", stringify!($member))*),
                    )),
                }
            }
        }
    };
}
pub(super) use line;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_spelling_to_the_millisecond() {
        let moment = Moment(Timestamp::from_millis(1_767_225_600_007));

        assert_eq!(moment.to_string(), "2026-01-01T00:00:00.007Z");
        assert_eq!("2026-01-01T00:00:00.007Z".parse(), Ok(moment));
        for wrong in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.7Z", "2026-01-01 00:00:00.007Z"]
        {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Digest([1; 33]);

        let written = serde_json::to_value(hash).unwrap();

        assert_eq!(serde_json::from_value::<Digest>(written).unwrap(), hash);
        assert_eq!(hash.generation(), 1);
        assert!(serde_json::from_value::<Digest>("AQEB".into()).is_err());
    }
}
