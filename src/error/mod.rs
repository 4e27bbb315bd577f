//! Errors: the reason of a failure, and its form on the wire.
//!
//! A [`Refusal`] is this project's own and precise reason, for the log and for tests. An
//! [`ErrorCode`] is the RFC's code, for the peer. Each refusal is one row of a table, with its code,
//! its reason, its remedy and its section, so that none is unmapped and nothing is written twice.
//!
//! The peer reads the reason, too. Where it must not learn which of several causes it was, such as
//! whether a code is unknown, expired, used or another client's, the row names the sentence that they
//! share.

#![warn(clippy::wildcard_enum_match_arm)]

mod code;
mod refusal;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use code::ErrorCode;
pub use refusal::{Refusal, Resolution, for_client, shell_word};

/// The sentence for the peer of a fault of this server.
pub const SERVER_ERROR: &str = "The server met an unexpected condition.";

/// The failure of a transition or a handler.
#[derive(Debug)]
pub enum Error {
    /// A refused request, with what stands beside the refusal for an operator. Anybody else gets the
    /// refusal alone.
    Choice(Refusal, Box<Choices>),
    /// A fault of this server. The wire gets only `server_error`.
    Internal(Internal),
    /// Too many attempts: this long nothing is tried. It is [`Refusal::AttemptsTooMany`] with the
    /// pause for `Retry-After`.
    Paused(Duration),
    /// A refused request. The wire gets the refusal's [`ErrorCode`].
    Refused(Refusal),
}

impl Error {
    /// The refusal; `None` for a fault of this server.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Internal(_) => None,
            Self::Paused(_) => Some(Refusal::AttemptsTooMany),
            Self::Choice(refusal, _) | Self::Refused(refusal) => Some(*refusal),
        }
    }

    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.refusal().map_or(ErrorCode::ServerError, Refusal::code)
    }

    /// The sentence for the peer. It is the same for every fault of this server.
    pub fn sentence(&self) -> Cow<'static, str> {
        self.refusal().map_or(Cow::Borrowed(SERVER_ERROR), Refusal::sentence)
    }

    /// The value of `Retry-After` (RFC 6585 §4, RFC 9110 §10.2.3): whole seconds, after which it may
    /// be tried again.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Paused(pause) => {
                let seconds = pause.as_millis().div_ceil(1000).max(1);
                Some(u64::try_from(seconds).unwrap_or(u64::MAX))
            }
            // A disk may have space at any time.
            Self::Refused(Refusal::StoreUnwritable) => Some(10),
            Self::Choice(..) | Self::Internal(_) | Self::Refused(_) => {
                matches!(self.code().status(), 429 | 503).then_some(60)
            }
        }
    }
}

/// What stands beside a refusal for an operator, and in no sentence of it: values of the store and
/// of the configuration. Each list is bounded by whoever makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Where in the document of the request it is, dotted.
    pub at: Option<String>,
    /// The ones that may be meant, where several may.
    pub candidates: Vec<Candidate>,
    /// What would have been accepted, where something was compared with it.
    pub expected: Option<String>,
    /// What there is in place of what was named, the nearest first.
    pub known: Vec<String>,
    /// The id of the person whom it is about.
    pub person: Option<String>,
    /// What came instead of what was expected. It is no secret.
    pub received: Option<String>,
    /// What uses something that was to be removed; a name is a kind of object.
    pub used_by: Vec<Candidate>,
}

/// One of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Its name, or a description.
    pub name: String,
}

impl Error {
    /// The refusal, with what there is in place of what was named, the nearest first.
    pub fn with_known(refusal: Refusal, known: Vec<String>) -> Self {
        Self::Choice(refusal, Box::new(Choices { known, ..Choices::default() }))
    }

    /// The refusal of a request about the person of that id.
    pub fn about(refusal: Refusal, person: impl fmt::Display) -> Self {
        let choices = Choices { person: Some(person.to_string()), ..Choices::default() };
        Self::Choice(refusal, Box::new(choices))
    }

    /// The same refusal, with what was expected and what came instead, neither of which is a secret.
    #[must_use]
    pub fn compared(self, expected: impl fmt::Display, received: impl fmt::Display) -> Self {
        let choices = self.choices().cloned().unwrap_or_default();
        let (expected, received) = (Some(expected.to_string()), Some(received.to_string()));
        match self {
            Self::Choice(refusal, _) | Self::Refused(refusal) => {
                Self::Choice(refusal, Box::new(Choices { expected, received, ..choices }))
            }
            Self::Internal(_) | Self::Paused(_) => self,
        }
    }

    /// What stands beside the refusal.
    pub fn choices(&self) -> Option<&Choices> {
        match self {
            Self::Choice(_, choices) => Some(choices),
            Self::Internal(_) | Self::Paused(_) | Self::Refused(_) => None,
        }
    }

    /// The refusal, with its place in the document of the request, unless it has one.
    #[must_use]
    pub fn at(self, place: impl FnOnce() -> String) -> Self {
        match self {
            Self::Choice(refusal, mut choices) => {
                choices.at.get_or_insert_with(place);
                Self::Choice(refusal, choices)
            }
            Self::Refused(refusal) => {
                let choices = Choices { at: Some(place()), ..Choices::default() };
                Self::Choice(refusal, Box::new(choices))
            }
            Self::Internal(_) | Self::Paused(_) => self,
        }
    }
}

/// An internal failure, as a sentence for the log.
#[derive(Debug)]
pub struct Internal(String);

impl Internal {
    /// Makes a failure. `what` describes it and contains no secret.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Internal> for Error {
    fn from(internal: Internal) -> Self {
        Self::Internal(internal)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(internal) => internal.fmt(f),
            Self::Paused(_) => f.write_str(&Refusal::AttemptsTooMany.reason()),
            Self::Choice(refusal, _) | Self::Refused(refusal) => f.write_str(&refusal.reason()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_only_what_rfc_6749_allows_in_it() {
        for refusal in Refusal::ALL {
            let sentence = refusal.sentence();
            let fits = |b: u8| (0x20..=0x7e).contains(&b) && b != b'"' && b != b'\\';
            assert!(sentence.bytes().all(fits), "{}", refusal.name());
            assert!((400..600).contains(&refusal.code().status()));
        }
    }

    #[test]
    fn the_values_of_a_reason_are_found_in_it() {
        for refusal in Refusal::ALL {
            let reason = refusal.reason();
            assert_eq!(refusal.values_in(&reason), Some(refusal.parameters()), "{reason}");
        }
        let malformed = Refusal::ClientMetadataMalformed("x", "y");
        let reason = "jwks of the client metadata: it has a key: none of ours";
        let values = vec![("member", "jwks"), ("why", "it has a key: none of ours")];
        assert_eq!(malformed.values_in(reason), Some(values));
        assert_eq!(malformed.values_in("jwks of another time"), None);
        assert_eq!(Refusal::PageNotFound.values_in("there is no such page any more"), None);
    }

    #[test]
    fn causes_that_must_not_be_told_apart_have_one_sentence() {
        let alike = |refusals: &[Refusal]| {
            let sentences = refusals.iter().map(|refusal| (refusal.code(), refusal.sentence()));
            sentences.collect::<std::collections::HashSet<_>>().len() == 1
        };
        use Refusal as R;
        assert!(alike(&[
            R::CodeUnknown,
            R::CodeClientDiffers,
            R::CodeEnded,
            R::CodeExpired,
            R::CodeReplayed,
        ]));
        assert!(alike(&[R::ClientUnknown, R::ClientSecretWrong, R::ClientDisabled]));
        assert!(alike(&[
            R::RefreshUnknown,
            R::RefreshClientDiffers,
            R::RefreshExpired,
            R::RefreshLost,
            R::RefreshReplayed,
            R::GrantEnded,
        ]));
        assert!(alike(&[R::CredentialOfAnotherPerson, R::CredentialRefused]));
        assert!(alike(&[R::DocumentAddressPrivate, R::DocumentUnreachable]));
        assert!(!alike(&[R::CodeVerifierWrong, R::CodeUnknown]));
    }
}
