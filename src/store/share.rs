//! Shares: whom rows weigh on.

use crate::oauth::id::UserId;
use crate::secret::TokenHash;
use crate::store::key::Key;

/// Whom a row weighs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// A network of strangers, by its keyed hash.
    Network(TokenHash),
    /// A person.
    Person(UserId),
}

impl Key for Share {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Network(network) => {
                out.push(0);
                network.write(out);
            }
            Self::Person(user) => {
                out.push(1);
                user.write(out);
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        *bytes = rest;
        Some(match kind {
            0 => Self::Network(TokenHash::read(bytes)?),
            1 => Self::Person(UserId::read(bytes)?),
            _ => return None,
        })
    }
}
