//! The groups of people, which applications learn in the claim `groups`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;

/// A group of a person, a label that an operator gives them: 1 to 128 visible ASCII characters without
/// comma, which separates them where they are one text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Group(Box<str>);

impl Group {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Group {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let fits = |b: u8| b.is_ascii_graphic() && b != b',';
        let fits = (1..=128).contains(&s.len()) && s.bytes().all(fits);
        if fits { Ok(Self(s.into())) } else { Err(Refusal::GroupMalformed) }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_no_comma_and_no_space() {
        for right in ["staff", "team/platform", "system:masters", "CN=ops"] {
            assert!(right.parse::<Group>().is_ok(), "{right}");
        }
        for wrong in ["", "a,b", "two words", "caf\u{e9}"] {
            assert_eq!(wrong.parse::<Group>(), Err(Refusal::GroupMalformed), "{wrong}");
        }
    }
}
