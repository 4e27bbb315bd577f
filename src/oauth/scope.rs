//! Scopes: [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Refusal;

/// One `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`, at most 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(Arc<str>);

impl Serialize for ScopeToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ScopeToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(|token| Self(token.into()))
    }
}

impl ScopeToken {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of the administration of this server.
    pub fn is_of_administration(&self) -> bool {
        self.as_str() == "admin" || self.as_str().starts_with("admin:")
    }

    /// Whether it can never be open to every client.
    pub fn is_reserved(&self) -> bool {
        self.is_of_administration() || self.as_str().starts_with("hook:")
    }

    /// Whether it is about a person.
    pub fn is_about_person(&self) -> bool {
        ABOUT_PERSON.contains(&self.as_str())
    }
}

/// The scopes that tell or allow something about a person (OpenID Connect Core §5.4 and §11), so
/// that a client alone is never granted one.
const ABOUT_PERSON: &[&str] = &["email", "groups", "offline_access", "openid", "profile", "roles"];

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ScopeToken {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let nqchar = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if s.is_empty() || s.len() > 255 || !s.bytes().all(nqchar) {
            return Err(Refusal::ScopeMalformed);
        }
        Ok(Self(s.into()))
    }
}

/// `scope = scope-token *( SP scope-token )`: a set, since order and repetition have no meaning.
///
/// Surplus spaces are ignored, since widely used clients send them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(BTreeSet<ScopeToken>);

impl Scope {
    /// The empty scope.
    pub const EMPTY: Self = Self(BTreeSet::new());

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it contains `token`.
    pub fn has(&self, token: &str) -> bool {
        self.0.iter().any(|own| own.as_str() == token)
    }

    /// Whether it contains `token`, which is one already.
    pub fn contains(&self, token: &ScopeToken) -> bool {
        self.0.contains(token)
    }

    /// Whether it is a subset of `other`.
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Its tokens of which `keep` is true.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&ScopeToken) -> bool) -> Self {
        self.0.iter().filter(|token| keep(token)).cloned().collect()
    }

    /// The tokens that both contain.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens that `other` does not contain.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// The tokens that either contains.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// Its tokens that are of the administration of this server.
    #[must_use]
    pub fn of_administration(&self) -> Self {
        self.filtered(ScopeToken::is_of_administration)
    }

    /// Its tokens that are not of the administration of this server.
    #[must_use]
    pub fn without_administration(&self) -> Self {
        self.filtered(|token| !token.is_of_administration())
    }

    /// Its tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl FromStr for Scope {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        s.split(' ').filter(|token| !token.is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        written.parse().map_err(|refusal: Refusal| serde::de::Error::custom(refusal.reason()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scope_is_a_set() {
        let scope: Scope = "openid  profile openid ".parse().unwrap();

        assert_eq!(scope.to_string(), "openid profile");
        assert!(scope.has("openid") && !scope.has("open"));
    }

    #[test]
    fn quotes_backslashes_and_controls_are_no_scope() {
        for wrong in ["a\"b", "a\\b", "a\tb", "é"] {
            assert_eq!(wrong.parse::<Scope>(), Err(Refusal::ScopeMalformed));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(s in "[!#-\\[\\]-~ ]{0,60}") {
            let scope: Scope = s.parse().unwrap();

            prop_assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
        }

        #[test]
        fn narrowing_never_widens(a in "[a-f ]{0,20}", b in "[a-f ]{0,20}") {
            let (a, b): (Scope, Scope) = (a.parse().unwrap(), b.parse().unwrap());

            let both = a.intersect(&b);

            prop_assert!(both.within(&a) && both.within(&b));
            prop_assert!(a.minus(&b).intersect(&b).is_empty());
        }
    }
}
