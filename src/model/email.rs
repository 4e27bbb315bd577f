//! The e-mail addresses of people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Host;

use crate::error::Refusal;
use crate::model::folding::folded;
use crate::oauth::visible::is_invisible;

/// An e-mail address: text, one `@`, text, without spaces, control characters and invisible ones, at
/// most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email(Box<str>);

impl Email {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the index. Addresses that differ only in case or in their Unicode form are one,
    /// and so are the two forms of a domain (UTS #46).
    pub fn folded(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let domain = match Host::parse(domain) {
            Ok(host) => host.to_string(),
            Err(_) => folded(domain),
        };
        format!("{}@{}", folded(local), domain.trim_end_matches('.'))
    }
}

impl FromStr for Email {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let parts = s.split_once('@');
        let complete = parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
        let unseen = |c: char| c.is_control() || c.is_whitespace() || is_invisible(c);
        if s.len() > 254 || !complete || s.chars().any(unseen) {
            return Err(Refusal::EmailMalformed);
        }
        Ok(Self(s.into()))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The e-mail address of a person, and who says that it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonEmail {
    /// The address.
    pub address: Email,
    /// Who says so.
    pub vouched: Vouched,
}

/// Who says that an address is the person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vouched {
    /// An operator entered it, and the policy decides what that means.
    ByPolicy,
    /// An operator said of it that it is, or that it is not.
    Explicitly(bool),
    /// Nobody: the person typed it.
    Nobody,
}

impl PersonEmail {
    /// An address that an operator enters.
    pub fn by_operator(address: Email) -> Self {
        Self { address, vouched: Vouched::ByPolicy }
    }

    /// An address that the person types.
    pub fn by_person(address: Email) -> Self {
        Self { address, vouched: Vouched::Nobody }
    }

    /// Whether the person typed it, and no operator said anything of it.
    pub fn is_only_typed(&self) -> bool {
        self.vouched == Vouched::Nobody
    }

    /// Whether it is an operator's word, for whoever cannot be told how much it is worth.
    pub fn is_operators(&self) -> bool {
        self.is_verified(true)
    }

    /// `email_verified` (OpenID Connect Core §5.1): whether an operator vouches for the address.
    /// `policy` decides about those that an operator entered without a word about it.
    pub fn is_verified(&self, policy: bool) -> bool {
        match self.vouched {
            Vouched::ByPolicy => policy,
            Vouched::Explicitly(verified) => verified,
            Vouched::Nobody => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(s: &str) -> Email {
        s.parse().unwrap()
    }

    #[test]
    fn an_address_needs_both_its_sides_and_nothing_invisible() {
        assert!("a@b".parse::<Email>().is_ok());
        for wrong in
            ["a", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "a\u{200b}@b", "a@b\u{ad}", "a\u{202e}@b"]
        {
            assert_eq!(wrong.parse::<Email>(), Err(Refusal::EmailMalformed), "{wrong:?}");
        }
    }

    #[test]
    fn addresses_that_differ_in_case_or_form_are_one() {
        for (one, other) in [
            ("ada@id.example", "Ada@ID.Example"),
            ("stra\u{df}e@id.example", "STRASSE@id.example"),
            ("stra\u{1e9e}e@id.example", "stra\u{df}e@id.example"),
            ("\u{e4}da@id.example", "a\u{308}da@id.example"),
            ("\u{c4}DA@id.example", "a\u{308}da@id.example"),
            ("\u{ff41}da@id.example", "ada@id.example"),
            ("\u{17f}am@id.example", "sam@id.example"),
            ("\u{3c3}\u{3c2}@id.example", "\u{3a3}\u{3a3}@id.example"),
            ("ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@B\u{dc}CHER.example", "ada@bu\u{308}cher.example"),
            ("ada@id.example.", "ada@id.example"),
        ] {
            assert_eq!(read(one).folded(), read(other).folded(), "{one} {other}");
        }
        assert_ne!(read("ada@id.example").folded(), read("ad@id.example").folded());
        assert_ne!(read("a.da@id.example").folded(), read("ada@id.example").folded());
    }

    #[test]
    fn only_an_operators_word_vouches_for_an_address() {
        let typed = PersonEmail::by_person(read("a@b"));
        let entered = PersonEmail::by_operator(read("a@b"));
        let denied = PersonEmail { vouched: Vouched::Explicitly(false), ..typed.clone() };
        let vouched = PersonEmail { vouched: Vouched::Explicitly(true), ..typed.clone() };

        assert!(!typed.is_verified(true));
        assert!(entered.is_verified(true) && !entered.is_verified(false));
        assert!(!denied.is_verified(true) && vouched.is_verified(false));
    }
}
