//! Names for people: `client_name` (RFC 7591 §2), `name` (OpenID Connect Core §5.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::visible::is_invisible;
use crate::error::Refusal;

/// The name of a person, a client or a device: 1 to 128 characters, without control characters, at
/// least one of them visible.
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
        let visible = s.chars().any(|c| !is_blank(c));
        if !visible || s.chars().count() > 128 || !printable {
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

/// Whether nobody sees anything for a character. U+2800 is a Braille cell without a dot.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c) || c == '\u{2800}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_character_that_can_be_seen() {
        let name = |written: &str| written.parse::<DisplayName>().map(|name| name.to_string());

        for blank in
            ["", " ", "\u{200b}", "\u{2060}\u{feff}", "\u{a0}\u{ad}", "\u{3164}", "\u{2800}"]
        {
            assert_eq!(name(blank), Err(Refusal::NameMalformed), "{blank:?}");
        }
        // A joiner has its place within a name.
        for seen in ["A\u{200d}", "Ada Lovelace", "👩\u{200d}💻", "字"] {
            assert_eq!(name(seen), Ok(seen.to_owned()));
        }
    }
}
