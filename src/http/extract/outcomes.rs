//! What was answered a moment ago in this browser, so that a reload, the way back or another tab says so
//! instead of an error.
//!
//! A cookie remembers it. It proves nothing, and nothing is granted for it: another program on a loopback
//! host could set it, and would choose between sentences of ours and names of registered clients.

use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::http::pages::cookie::{Cookie, with_cookie};
use crate::oauth::id::{ClientId, InteractionId};
use crate::oauth::issuer::Issuer;
use crate::secret::TokenHash;

/// The most answers that a browser remembers.
const MAX: usize = 4;

/// How long it does: longer than what was asked about.
const LASTING: Duration = Duration::from_hours(24);

/// What a person answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Outcome {
    /// A client was let in.
    Allowed(ClientId),
    /// A client asked, and there is no answer yet.
    Asked(ClientId),
    /// The code of a bridge was shown.
    CodeDisplayed,
    /// A client was not let in.
    Denied(ClientId),
    /// A bridge was let in.
    Linked,
    /// A bridge was not let in.
    NotLinked,
    /// The person signed out.
    SignedOut,
    /// The person stays signed in.
    Stayed,
}

/// The answers that a browser remembers, newest first, each with what it was about.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Outcomes(Vec<(String, Outcome)>);

/// What an answer was about.
pub(in crate::http) trait About {
    /// It in a cookie.
    fn key(&self) -> String;
}

impl About for InteractionId {
    fn key(&self) -> String {
        self.uuid().simple().to_string()
    }
}

/// A user code, by a part of its hash.
impl About for TokenHash {
    fn key(&self) -> String {
        let hash = self.to_bytes();
        format!("d{}", URL_SAFE_NO_PAD.encode(hash.get(..13).unwrap_or_default()))
    }
}

impl Outcomes {
    /// Those that the cookies of a request bring.
    pub(in crate::http) fn of(issuer: &Issuer, headers: &HeaderMap) -> Self {
        let written = Cookie::Outcomes.read(issuer, headers).unwrap_or_default();
        let entries = written.split('.').take(MAX).filter_map(|entry| {
            let mut parts = entry.split('~');
            let (key, kind) = (parts.next()?, parts.next()?);
            let client = || {
                let id = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
                std::str::from_utf8(&id).ok()?.parse::<ClientId>().ok()
            };
            Some((key.to_owned(), Outcome::parse(kind, client)?))
        });
        Self(entries.collect())
    }

    /// The answer about `about`.
    pub(in crate::http) fn about(&self, about: &impl About) -> Option<&Outcome> {
        self.stored(about).filter(|outcome| !matches!(outcome, Outcome::Asked(_)))
    }

    /// The client that an interaction is of, or was.
    pub(in crate::http) fn client(&self, id: &InteractionId) -> Option<&ClientId> {
        self.stored(id)?.client()
    }

    fn stored(&self, about: &impl About) -> Option<&Outcome> {
        let key = about.key();
        self.0.iter().find(|(own, _)| *own == key).map(|(_, outcome)| outcome)
    }

    /// The newest answer about a device.
    pub(in crate::http) fn device(&self) -> Option<&Outcome> {
        self.0.iter().find(|(key, _)| key.starts_with('d')).map(|(_, outcome)| outcome)
    }

    /// The response with one answer more to remember.
    pub(in crate::http) fn and(
        &self,
        app: &App,
        about: &impl About,
        outcome: Outcome,
        response: Response,
    ) -> Response {
        let mut all = vec![(about.key(), outcome)];
        all.extend(self.0.iter().filter(|(key, _)| *key != about.key()).cloned());
        all.truncate(MAX);
        let cookie = Cookie::Outcomes.set(&app.rules().issuer, &Self(all).to_string(), LASTING);
        with_cookie(response, cookie)
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, outcome)) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            let (kind, client) = outcome.parts();
            write!(f, "{dot}{key}~{kind}")?;
            if let Some(client) = client {
                write!(f, "~{}", URL_SAFE_NO_PAD.encode(client.as_str()))?;
            }
        }
        Ok(())
    }
}

impl Outcome {
    fn parts(&self) -> (char, Option<&ClientId>) {
        match self {
            Self::Allowed(client) => ('a', Some(client)),
            Self::Asked(client) => ('b', Some(client)),
            Self::CodeDisplayed => ('c', None),
            Self::Denied(client) => ('d', Some(client)),
            Self::Linked => ('l', None),
            Self::NotLinked => ('n', None),
            Self::SignedOut => ('o', None),
            Self::Stayed => ('s', None),
        }
    }

    /// The client that it is about.
    pub(in crate::http) fn client(&self) -> Option<&ClientId> {
        self.parts().1
    }

    fn parse(kind: &str, client: impl FnOnce() -> Option<ClientId>) -> Option<Self> {
        Some(match kind {
            "a" => Self::Allowed(client()?),
            "b" => Self::Asked(client()?),
            "c" => Self::CodeDisplayed,
            "d" => Self::Denied(client()?),
            "l" => Self::Linked,
            "n" => Self::NotLinked,
            "o" => Self::SignedOut,
            "s" => Self::Stayed,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    fn read(cookie: &str) -> Outcomes {
        let cookie = format!("gl7455_outcomes={cookie}");
        let headers = [(header::COOKIE, HeaderValue::from_str(&cookie).unwrap())];
        Outcomes::of(&Issuer::localhost(7455), &HeaderMap::from_iter(headers))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let client: ClientId = "https://app.example/a~b.c;d".parse().unwrap();
        let all = [
            Outcome::Allowed(client.clone()),
            Outcome::CodeDisplayed,
            Outcome::Denied(client),
            Outcome::Linked,
            Outcome::NotLinked,
            Outcome::SignedOut,
            Outcome::Stayed,
        ];
        for outcome in all {
            let id = InteractionId::from(uuid::Uuid::from_u128(7));
            let written = Outcomes(vec![(id.key(), outcome.clone())]).to_string();

            assert_eq!(read(&written).about(&id), Some(&outcome), "{written}");
        }
    }

    #[test]
    fn what_is_none_is_passed_over() {
        for cookie in ["", "x", "x~y", "x~a", "x~a~!", "...", "~~"] {
            assert!(read(cookie).0.is_empty(), "{cookie}");
        }
    }
}
