//! Names for people: `client_name` (RFC 7591 §2), `name` (OpenID Connect Core §5.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;

/// The name of a person, a client or a device: 1 to 128 characters, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DisplayName(Box<str>);

impl DisplayName {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let printable = !s.chars().any(char::is_control);
        if s.trim().is_empty() || s.chars().count() > 128 || !printable {
            return Err(Refusal::NameMalformed);
        }
        Ok(Self(s.into()))
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
