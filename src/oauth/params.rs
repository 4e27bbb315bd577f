//! The parameters of a query or a form: `application/x-www-form-urlencoded`.

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode, utf8_percent_encode,
};

use crate::error::Refusal;

/// The most parameters that one request may have.
const MAX_PARAMETERS: usize = 100;

/// What is escaped in a segment of a path: a dot, too, since one or two of them are another path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The longest value, in bytes.
const MAX_VALUE: usize = 8 * 1024;
/// The longest value of a parameter of [`LONG`], in bytes.
const MAX_LONG: usize = 16 * 1024;

/// The parameters that contain whole tokens, and the way back to an application in base64url.
const LONG: &[&str] = &[
    "access_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "id_token_hint",
    "rd",
    "refresh_token",
    "request",
    "subject_token",
    "token",
];

/// The parameters that a refusal names; of others it says "a parameter".
const NAMED: &[&str] = &[
    "access_token",
    "acr_values",
    "audience",
    "claims",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "csrf",
    "decision",
    "device_code",
    "grant_type",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "plugin_id",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type_hint",
    "ui_locales",
    "user_code",
];

/// The parameters of a request: decoded, bounded in number and length, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    name: String,
    value: String,
    /// The written form of the value, if it has a `+`.
    with_plus: Option<String>,
}

impl Params {
    /// Parses parameters.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = str::from_utf8(bytes).map_err(|_| Refusal::ParameterMalformed)?;
        let mut params = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if params.len() == MAX_PARAMETERS {
                return Err(Refusal::ParametersTooMany);
            }
            let (name, written) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (form_decode(name)?, form_decode(written)?);
            let limit = if LONG.contains(&name.as_str()) { MAX_LONG } else { MAX_VALUE };
            if name.len() > MAX_VALUE || value.len() > limit {
                return Err(Refusal::ParameterTooLong(named(&name)));
            }
            params.push(Param { name, value, with_plus: with_plus(written) });
        }
        Ok(Self(params))
    }

    /// The one value of `name`.
    ///
    /// RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted
    /// from the request. […] Request and response parameters MUST NOT be included more than once."
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|own| own.name == name).map(|own| &own.value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refusal::ParameterRepeated(named(name))),
            (value, None) => Ok(value.map(String::as_str).filter(|value| !value.is_empty())),
        }
    }

    /// Every value of a parameter that may be repeated, such as `resource` (RFC 8707 §2).
    pub fn many<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |own| own.name == name);
        named.map(|own| own.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The name of each parameter.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|own| own.name.as_str())
    }

    /// Every parameter with its value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|own| (own.name.as_str(), own.value.as_str()))
    }

    /// The written form of the first value of `name`, if it has a `+`: each of them as it came, and
    /// everything else escaped.
    pub fn with_plus(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|own| own.name == name)?.with_plus.as_deref()
    }

    /// The one value of `name`, parsed.
    pub fn parsed<T: std::str::FromStr<Err = Refusal>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Refusal> {
        self.one(name)?.map(str::parse).transpose()
    }
}

/// The name of a parameter in a refusal.
fn named(name: &str) -> &'static str {
    NAMED.iter().find(|own| **own == name).copied().unwrap_or("a parameter")
}

fn with_plus(written: &str) -> Option<String> {
    if !written.contains('+') {
        return None;
    }
    let mut parts = written.split('+');
    let escaped = |part: &str| {
        let part: Vec<u8> = percent_decode(part.as_bytes()).collect();
        percent_encode(&part, ESCAPED).to_string()
    };
    let first = escaped(parts.next()?);
    let rest: Vec<String> = parts.map(escaped).collect();
    Some(format!("{first}+{}", rest.join("+")))
}

/// Encodes a value as one segment of a path (RFC 3986 §3.3).
pub fn segment_encode(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// Decodes `application/x-www-form-urlencoded`.
pub fn form_decode(written: &str) -> Result<String, Refusal> {
    if !written.contains('%') && !written.contains('+') {
        return Ok(written.to_owned());
    }
    let spaced = written.replace('+', " ");
    let text =
        percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| Refusal::ParameterMalformed)?;
    Ok(text.into_owned())
}

/// The characters that are escaped in a form or a query: all but RFC 3986 §2.3 "unreserved".
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes `pairs` as a query.
pub fn form_encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let escape = |text| utf8_percent_encode(text, ESCAPED);
    let pairs =
        pairs.into_iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_and_an_empty_one_is_none() {
        let params = Params::parse(b"a=1&b=&a=2&resource=x&resource=y").unwrap();

        assert_eq!(params.one("a"), Err(Refusal::ParameterRepeated("a parameter")));
        assert_eq!(params.one("b"), Ok(None));
        assert_eq!(params.one("c"), Ok(None));
        assert_eq!(params.many("resource").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        assert_eq!(Params::parse(b"a=%ff"), Err(Refusal::ParameterMalformed));
    }

    #[test]
    fn the_limits_are_where_the_contract_puts_them() {
        let long = |name: &str, length: usize| {
            Params::parse(format!("{name}={}", "x".repeat(length)).as_bytes()).map(|_| ())
        };

        assert_eq!(long("state", 8 * 1024), Ok(()));
        assert_eq!(long("state", 8 * 1024 + 1), Err(Refusal::ParameterTooLong("state")));
        assert_eq!(long("token", 16 * 1024), Ok(()));
        assert_eq!(long("token", 16 * 1024 + 1), Err(Refusal::ParameterTooLong("token")));
        assert!(Params::parse("a=1&".repeat(100).as_bytes()).is_ok());
        assert_eq!(Params::parse("a=1&".repeat(101).as_bytes()), Err(Refusal::ParametersTooMany));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(name in "\\PC{1,20}", value in "\\PC{0,40}") {
            let written = form_encode([(name.as_str(), value.as_str())]);

            let read = Params::parse(written.as_bytes()).unwrap();

            prop_assert_eq!(read.one(&name).unwrap().unwrap_or_default(), value);
        }
    }
}
