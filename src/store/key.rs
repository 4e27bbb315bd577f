//! Keys: bytes that sort in the order of their values.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::event::EventId;
use crate::model::bridge::{BridgeSessionId, HostId};
use crate::model::fingerprint::Fingerprint;
use crate::model::person::Username;
use crate::oauth::id::{
    CeremonyId, ClientId, GrantId, InteractionId, InvitationId, KeyId, LinkId, PasskeyId,
    SessionId, UserId,
};
use crate::secret::TokenHash;

/// The key of a row, or a part of one. Its bytes sort in the order of its values. No key is a
/// prefix of another, except in the last position.
pub trait Key: Sized {
    /// Appends the key's bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads a key from the front of `bytes`, and removes it there.
    fn read(bytes: &mut &[u8]) -> Option<Self>;

    /// The number of other forms under which a row may lie: those of a hash under an earlier key.
    fn earlier_forms(&self) -> usize {
        0
    }

    /// Appends the bytes of the earlier form `nth`, or those of the key itself if it has none.
    fn write_earlier(&self, _nth: usize, out: &mut Vec<u8>) {
        self.write(out);
    }

    /// The key as text, for the cursor of a listing.
    fn to_cursor(&self) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key of a cursor that [`Key::to_cursor`] returned.
    fn from_cursor(cursor: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let mut rest = bytes.as_slice();
        Self::read(&mut rest).filter(|_| rest.is_empty())
    }
}

/// A beginning of keys: what the keys of a table or of an index may begin with.
#[derive(Clone, Debug)]
pub struct Beginning {
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Beginning {
    /// The keys that are a text beginning with `text`.
    pub fn of_text(text: &str) -> Self {
        Self { first: text.as_bytes().to_vec(), last: text.as_bytes().to_vec() }
    }

    /// The keys that are bytes, written in hexadecimal digits beginning with `digits`. `None` if
    /// there is another character among them.
    pub fn of_hex(digits: &str) -> Option<Self> {
        let digits = digits.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok());
        let digits: Vec<u8> = digits.collect::<Option<_>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let mut first: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        let mut last = first.clone();
        if let [high] = rest {
            first.push(high << 4);
            last.push(high << 4 | 0xf);
        }
        Some(Self { first, last })
    }

    /// The bounds of the keys of the tag `byte`: the first one, and the first one behind them.
    pub(super) fn bounds(&self, byte: u8) -> (Vec<u8>, Vec<u8>) {
        let tagged = |bytes: &[u8]| [&[byte], bytes].concat();
        (tagged(&self.first), after(&tagged(&self.last)))
    }
}

/// The first bytes after all those that begin with `prefix`.
pub(super) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    end
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

impl Key for () {
    fn write(&self, _out: &mut Vec<u8>) {}

    fn read(_bytes: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl Key for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.millis().to_be_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let millis = take(bytes, 8)?.try_into().ok()?;
        Some(Self::from_millis(u64::from_be_bytes(millis)))
    }
}

/// The newest event comes first.
impl Key for EventId {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(!self.to_bits()).to_be_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let bits = take(bytes, 8)?.try_into().ok()?;
        Some(Self::from_bits(!u64::from_be_bytes(bits)))
    }
}

impl Key for TokenHash {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self::from_bytes(take(bytes, 33)?.try_into().ok()?))
    }

    fn earlier_forms(&self) -> usize {
        self.earlier().count()
    }

    fn write_earlier(&self, nth: usize, out: &mut Vec<u8>) {
        self.earlier().nth(nth).unwrap_or(*self).write(out);
    }
}

impl Key for Fingerprint {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self::from_bytes(take(bytes, 32)?.try_into().ok()?))
    }
}

/// A text ends with NUL, which no name contains.
impl Key for String {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
        out.push(0);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|b| *b == 0)?;
        let text = take(bytes, end)?;
        take(bytes, 1)?;
        Self::from_utf8(text.to_vec()).ok()
    }
}

macro_rules! uuid_keys {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.uuid().as_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(uuid::Uuid::from_slice(take(bytes, 16)?).ok()?.into())
            }
        }
    )*};
}

uuid_keys!(CeremonyId, GrantId, InteractionId, InvitationId, LinkId, PasskeyId, SessionId, UserId);

macro_rules! text_keys {
    ($($name:ty = $read:expr),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) {
                self.as_str().to_owned().write(out);
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let read: fn(&str) -> Option<Self> = $read;
                read(&String::read(bytes)?)
            }
        }
    )*};
}

text_keys! {
    BridgeSessionId = |s| s.parse().ok(),
    ClientId = |s| s.parse().ok(),
    HostId = |s| s.parse().ok(),
    KeyId = |s| Some(Self::new(s)),
    Username = |s| s.parse().ok()
}

impl<A: Key, B: Key> Key for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes)?))
    }

    fn earlier_forms(&self) -> usize {
        self.0.earlier_forms().max(self.1.earlier_forms())
    }

    fn write_earlier(&self, nth: usize, out: &mut Vec<u8>) {
        self.0.write_earlier(nth, out);
        self.1.write_earlier(nth, out);
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::read(bytes)?, B::read(bytes)?, C::read(bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes<K: Key>(key: &K) -> Vec<u8> {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        bytes
    }

    #[test]
    fn the_end_of_a_prefix_is_the_first_that_does_not_begin_with_it() {
        assert_eq!(after(&[1, 2]), [1, 3]);
        assert_eq!(after(&[1, 0xff]), [2]);
        assert!(after(&[0xff]).is_empty());
    }

    #[test]
    fn a_beginning_holds_the_keys_that_begin_so_and_no_others() {
        let holds = |beginning: &Beginning, key: &[u8]| {
            let (from, to) = beginning.bounds(7);
            let key = [&[7], key].concat();
            from <= key && key < to
        };
        let (text, odd, even) = (
            Beginning::of_text("sh"),
            Beginning::of_hex("12a").unwrap(),
            Beginning::of_hex("12").unwrap(),
        );

        assert!(holds(&text, &bytes(&"sh".to_owned())) && holds(&text, &bytes(&"shop".to_owned())));
        assert!(!holds(&text, &bytes(&"s".to_owned())) && !holds(&text, &bytes(&"si".to_owned())));
        assert!(holds(&odd, &[0x12, 0xa0]) && holds(&odd, &[0x12, 0xaf, 0xff]));
        assert!(!holds(&odd, &[0x12, 0x9f]) && !holds(&odd, &[0x12, 0xb0]));
        assert!(holds(&even, &[0x12, 0xff]) && !holds(&even, &[0x13]));
        assert!(Beginning::of_hex("12g").is_none());
    }

    proptest! {
        #[test]
        fn bytes_sort_as_values_do(a: u64, b: u64) {
            let (one, two) = (Timestamp::from_millis(a), Timestamp::from_millis(b));

            prop_assert_eq!(bytes(&one).cmp(&bytes(&two)), one.cmp(&two));
        }

        #[test]
        fn a_key_is_read_as_it_was_written(a in "[ -~]{1,20}", b in "[ -~]{1,20}", c: u64) {
            let key = (a, b, Timestamp::from_millis(c));

            let written = bytes(&key);

            let mut rest = written.as_slice();
            prop_assert_eq!(<(String, String, Timestamp)>::read(&mut rest), Some(key));
            prop_assert!(rest.is_empty());
        }
    }
}
