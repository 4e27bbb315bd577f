//! `state`: [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1).

use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::oauth::params::{Params, form_encode};

/// The `state` of a request. RFC 6749 §4.1.2 asks for "the exact value received from the client".
///
/// A client that writes `+` without escaping it, and one that means a space by it, both compare
/// what comes back with what they sent: so a `+` returns as `+`, and `%20` as `%20`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    text: Box<str>,
    /// The written form, if it has a `+`.
    with_plus: Option<Box<str>>,
}

impl State {
    /// The `state` of a request, if it has one.
    pub fn parse(params: &Params) -> Result<Option<Self>, Refusal> {
        let Some(text) = params.one("state")? else { return Ok(None) };
        let with_plus = params.with_plus("state").map(Into::into);
        Ok(Some(Self { text: text.into(), with_plus }))
    }

    /// The value, for a form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parameter, for a query.
    pub fn parameter(&self) -> String {
        match &self.with_plus {
            Some(written) => format!("state={written}"),
            None => form_encode([("state", self.text())]),
        }
    }
}

impl From<&str> for State {
    fn from(text: &str) -> Self {
        Self { text: text.into(), with_plus: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_returns_as_it_came() {
        for (came, returns) in [
            ("a+b", "a+b"),
            ("a%2Bb", "a%2Bb"),
            ("a%20b", "a%20b"),
            ("a+b%20c%2B", "a+b%20c%2B"),
            ("%C3%A9+/=", "%C3%A9+%2F%3D"),
        ] {
            let params = Params::parse(format!("state={came}").as_bytes()).unwrap();

            let state = State::parse(&params).unwrap().unwrap();

            assert_eq!(state.parameter(), format!("state={returns}"));
        }
    }
}
