use std::fmt;
use std::str::FromStr;

use super::Kind;

/// Which kinds of events somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindPattern {
    /// `*`: every kind but that of refused requests, whose number strangers decide.
    All,
    /// `user.*`: every kind that begins so, with the point at its end.
    Family(String),
    /// One kind.
    One(Kind),
}

impl KindPattern {
    /// Whether the kind of this name is one of them.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => name != Kind::RequestRefused.name(),
            Self::Family(beginning) => name.starts_with(beginning.as_str()),
            Self::One(kind) => kind.name() == name,
        }
    }

    /// All that can be written, but `*`.
    pub fn known() -> impl Iterator<Item = String> {
        let family = |name: &str| name.split_once('.').map(|(family, _)| format!("{family}.*"));
        let names = Kind::ALL.iter().map(|kind| kind.name());
        names.flat_map(move |name| family(name).into_iter().chain([name.to_owned()]))
    }
}

impl fmt::Display for KindPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Family(beginning) => write!(f, "{beginning}*"),
            Self::One(kind) => f.write_str(kind.name()),
        }
    }
}

impl FromStr for KindPattern {
    type Err = ();

    fn from_str(written: &str) -> Result<Self, ()> {
        if written == "*" {
            return Ok(Self::All);
        }
        match written.strip_suffix('*') {
            Some(beginning) if Self::known().any(|known| known == written) => {
                Ok(Self::Family(beginning.to_owned()))
            }
            Some(_) => Err(()),
            None => written.parse().map(Self::One),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_all_a_family_or_one_kind() {
        for (written, has, lacks) in [
            ("*", "user.added", "request.refused"),
            ("user.*", "user.removed", "session.opened"),
            ("token.*", "token.issued", "refresh_token.ahead"),
            ("request.*", "request.refused", "user.added"),
            ("user.added", "user.added", "user.removed"),
        ] {
            let pattern: KindPattern = written.parse().unwrap();

            assert_eq!(pattern.to_string(), written);
            assert!(pattern.has(has) && !pattern.has(lacks), "{written}");
        }
        for wrong in ["", "user", "user.", "user*", "us.*", ".*", "**", "user.add*", "*.added"] {
            assert_eq!(wrong.parse::<KindPattern>(), Err(()), "{wrong}");
        }
    }
}
