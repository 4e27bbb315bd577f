//! The authorization response: [RFC 6749
//! §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2) with the `iss` of [RFC
//! 9207](https://www.rfc-editor.org/rfc/rfc9207).

use crate::oauth::params::Params;
use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind, printable};

/// The values that the response must have.
pub(crate) struct Expected {
    pub(crate) issuer: String,
    /// Whether the server sends `iss` in each response.
    pub(crate) names_itself: bool,
    pub(crate) state: Opaque,
}

/// The error of a query that is no response to this sign-in.
#[derive(Debug)]
pub(crate) struct NotOurs;

/// Reads the code, or the error of the server, from a response.
pub(crate) fn read(query: &str, expected: &Expected) -> Result<Result<Opaque, Error>, NotOurs> {
    let params = Params::parse(query.as_bytes()).map_err(|_| NotOurs)?;
    let one = |name| params.one(name).map_err(|_| NotOurs);
    if !one("state")?.is_some_and(|state| expected.state.is(state)) {
        return Err(NotOurs);
    }
    // RFC 9207 §2.4: "If the value does not match the expected issuer identifier, clients MUST
    // reject the authorization response", and "Clients MUST reject authorization responses without
    // the iss parameter from authorization servers that do support the parameter".
    let of_issuer = match one("iss")? {
        Some(issuer) => issuer == expected.issuer,
        None => !expected.names_itself,
    };
    if !of_issuer {
        let message = "the answer came from another server than the one that was asked";
        return Ok(Err(Error::new(ErrorKind::Refused, message)));
    }
    match (one("error")?, one("code")?) {
        (Some("access_denied"), _) => {
            Ok(Err(Error::new(ErrorKind::Refused, "the sign-in was refused in the browser")))
        }
        (Some(error), _) => {
            let message = match one("error_description")? {
                Some(description) => format!("{} ({})", printable(description), printable(error)),
                None => printable(error),
            };
            Ok(Err(Error::new(ErrorKind::Refused, message)))
        }
        (None, Some(code)) => Opaque::new(code.to_owned()).map(Ok).ok_or(NotOurs),
        (None, None) => Err(NotOurs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(names_itself: bool) -> Expected {
        let state = Opaque::new("s".to_owned()).unwrap();
        Expected { issuer: "https://id".to_owned(), names_itself, state }
    }

    fn response(query: &str, names_itself: bool) -> Option<Result<String, String>> {
        let read = read(query, &expected(names_itself)).ok()?;
        Some(read.map(|code| code.expose().to_owned()).map_err(|failure| failure.message))
    }

    #[test]
    fn a_code_comes_with_its_state_and_its_issuer() {
        assert_eq!(response("code=c&state=s&iss=https%3A%2F%2Fid", true), Some(Ok("c".to_owned())));
        assert_eq!(response("code=c&state=s", false), Some(Ok("c".to_owned())));
    }

    #[test]
    fn whoever_knows_no_state_is_a_stranger() {
        for query in [
            "",
            "code=c",
            "code=c&state=t",
            "state=s",
            "code=c&state=s&state=s",
            "code=&state=s",
            "code=a%20b&state=s",
            "error=access_denied&state=t",
            "code=%ff&state=s",
        ] {
            assert!(response(query, false).is_none(), "{query}");
        }
    }

    /// RFC 9207 §2.4
    #[test]
    fn an_answer_of_another_issuer_is_rejected() {
        for query in ["code=c&state=s&iss=https%3A%2F%2Fevil", "code=c&state=s"] {
            assert!(response(query, true).is_some_and(|response| response.is_err()), "{query}");
        }
    }

    #[test]
    fn an_error_is_told_in_its_words() {
        let response = response("error=server_error&error_description=No%0A&state=s", false);

        assert_eq!(response, Some(Err("No\u{fffd} (server_error)".to_owned())));
    }
}
