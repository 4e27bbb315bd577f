//! Whoever can open what is encrypted for them.

use std::fmt;
use std::str::FromStr;

/// A recipient of the format age, which is a public key: `age1` and 58 characters in Bech32
/// (<https://age-encryption.org/v1>).
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    /// The key, for the encryption.
    pub fn key(&self) -> &age::x25519::Recipient {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_is_written_as_it_was_read() {
        let own = age::x25519::Identity::generate().to_public().to_string();

        assert_eq!(own.parse::<Recipient>().unwrap().to_string(), own);
        for none in ["", "age1", "ssh-ed25519 AAAA", own.get(..60).unwrap()] {
            assert!(none.parse::<Recipient>().is_err(), "{none}");
        }
    }
}
