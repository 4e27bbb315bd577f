//! The usernames and roles of people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Refusal;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $refusal:ident, $fits:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Box<str>);

        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(s: &str) -> Result<Self, Refusal> {
                let fits: fn(&str) -> bool = $fits;
                if fits(s) { Ok(Self(s.into())) } else { Err(Refusal::$refusal) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// A role of a person, which decides the scopes that they can grant: 1 to 64 letters, digits
    /// and `._-`.
    Role, RoleUnknown, |s| {
        (1..=64).contains(&s.len())
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    /// The name of an account: 1 to 64 letters, digits and `._-@+`.
    Username, UsernameMalformed, |s| {
        (1..=64).contains(&s.len())
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@+".contains(&b))
    };
}

impl Role {
    /// The role of administrators.
    pub const ADMIN: &str = "admin";
    /// The default role.
    pub const USER: &str = "user";
}

impl Username {
    /// The name in lower case, the key of the index: names that differ only in case are the same.
    pub fn folded(&self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_fold_to_one() {
        let written: Username = "Ada.L@example".parse().unwrap();

        assert_eq!(written.folded().as_str(), "ada.l@example");
        assert!("two words".parse::<Username>().is_err());
        assert!("".parse::<Username>().is_err());
    }
}
