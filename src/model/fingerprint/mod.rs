//! Certificate fingerprints.

mod spoken;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::secret::hex;

/// The SHA-256 of a DER certificate, written as 64 lower-case hex characters. It is a public
/// value: knowing it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The hash itself.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// Its first half as 16 words, for people who compare it: another certificate with the same words
    /// takes 2^128 attempts.
    pub fn spoken(self) -> Vec<&'static str> {
        spoken::spoken(&self.0[..16])
    }

    /// The fingerprint whose hash this is.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// The error of a text that is no fingerprint. The caller decides its meaning, mostly that no such
/// certificate is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(s: &str) -> Result<Self, NotAFingerprint> {
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let (pairs, []) = s.as_bytes().as_chunks::<2>() else { return Err(NotAFingerprint) };
        let bytes: Option<Vec<u8>> =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(NotAFingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2 appendix B.1
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let fingerprint = Fingerprint::of(b"abc");

        assert_eq!(fingerprint.to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(fingerprint));
        assert_eq!(Fingerprint::from_bytes(fingerprint.bytes()), fingerprint);
    }

    #[test]
    fn a_fingerprint_has_one_spelling() {
        let colons = format!("{}:{}", &ABC[..2], &ABC[2..]);
        for wrong in ["", "ba", &ABC[1..], &ABC.to_uppercase(), &colons, &format!("{ABC}00")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NotAFingerprint), "{wrong}");
        }
    }
}
