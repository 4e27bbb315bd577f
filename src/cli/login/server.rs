//! The server as it describes itself: [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use url::{Position, Url};

use crate::cli::output::{Exit, Failure};

use super::connect::is_guarded;
use super::http::Http;

/// The `issuer` that the person names, as they wrote it (RFC 8414 §2): https, or http on this
/// machine, without query or fragment. Unlike one of ours it may have a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Issuer {
    written: String,
    url: Url,
}

impl Issuer {
    /// As it was written, which is how issuers are compared.
    pub(in crate::cli) fn as_str(&self) -> &str {
        &self.written
    }

    /// Its address.
    pub(in crate::cli) fn url(&self) -> &Url {
        &self.url
    }

    /// RFC 8414 §3: the well-known part comes between the host and the path; OpenID Connect
    /// Discovery §4 has it after the path.
    fn documents(&self) -> [String; 2] {
        let origin = &self.url[..Position::BeforePath];
        let path = self.url.path().trim_end_matches('/');
        [
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}{path}/.well-known/openid-configuration"),
        ]
    }
}

impl FromStr for Issuer {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        const ALLOWED: &str = "an https URL is allowed, or an http URL of this machine, without \
                               query and fragment, such as http://localhost:7455";
        let url = Url::parse(s).map_err(|_| ALLOWED)?;
        let bare = url.query().is_none() && url.fragment().is_none() && !s.contains(['?', '#']);
        let anonymous = url.username().is_empty() && url.password().is_none();
        // A parser would overlook some others.
        let printable = s.bytes().all(|b| b.is_ascii_graphic());
        if !is_guarded(&url) || !bare || !anonymous || !printable {
            return Err(ALLOWED);
        }
        Ok(Self { written: s.to_owned(), url })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// What of a server's metadata a client needs (RFC 8414 §2).
#[derive(Debug, Deserialize)]
pub(super) struct Server {
    issuer: String,
    pub(super) authorization_endpoint: Option<Url>,
    pub(super) device_authorization_endpoint: Option<Url>,
    pub(super) pushed_authorization_request_endpoint: Option<Url>,
    pub(super) registration_endpoint: Option<Url>,
    pub(super) revocation_endpoint: Option<Url>,
    pub(super) token_endpoint: Option<Url>,
    pub(super) userinfo_endpoint: Option<Url>,
    /// Whether its answers name it (RFC 9207 §3).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Server {
    /// The server at `issuer`.
    pub(super) async fn discover(http: &Http, issuer: &Issuer) -> Result<Self, Failure> {
        for document in issuer.documents() {
            let url = Url::parse(&document).map_err(|error| Failure::new(Exit::Usage, error))?;
            let answered = http.get(&url, None).await?;
            match answered.status {
                200 => return Self::read(issuer, answered.body),
                404 => {}
                status => {
                    let message = format!("{url}: the server answered with status {status}");
                    return Err(Failure::new(Exit::Failed, message));
                }
            }
        }
        let message = format!("{issuer} does not describe itself: it is no authorization server");
        Err(Failure::new(Exit::Nobody, message))
    }

    /// RFC 8414 §3.3: "The 'issuer' value returned MUST be identical to the authorization server's
    /// issuer identifier value into which the well-known URI string was inserted […]. If these
    /// values are not identical, the data contained in the response MUST NOT be used."
    fn read(issuer: &Issuer, document: serde_json::Value) -> Result<Self, Failure> {
        let unclear = |error| {
            Failure::new(Exit::Failed, format!("{issuer} describes itself unclearly: {error}"))
        };
        let server: Self = serde_json::from_value(document).map_err(unclear)?;
        if server.issuer != issuer.as_str() {
            let named = crate::cli::output::plain(&server.issuer);
            let message = format!("{issuer} calls itself {named}; nothing of it is believed");
            return Err(Failure::new(Exit::Refused, message));
        }
        // One of them is opened in the browser, and systems run what some schemes name.
        if let Some(endpoint) = server.endpoints().find(|endpoint| !is_guarded(endpoint)) {
            let message = format!("{issuer} names {endpoint}, which is not https");
            return Err(Failure::new(Exit::Refused, message));
        }
        Ok(server)
    }

    fn endpoints(&self) -> impl Iterator<Item = &Url> {
        let all = [
            &self.authorization_endpoint,
            &self.device_authorization_endpoint,
            &self.pushed_authorization_request_endpoint,
            &self.registration_endpoint,
            &self.revocation_endpoint,
            &self.token_endpoint,
            &self.userinfo_endpoint,
        ];
        all.into_iter().flatten()
    }
}

/// An endpoint that this command cannot do without.
pub(super) fn needed<'a>(endpoint: &'a Option<Url>, what: &str) -> Result<&'a Url, Failure> {
    endpoint.as_ref().ok_or_else(|| Failure::new(Exit::Failed, format!("the server has no {what}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_issuer_is_https_or_this_machine() {
        for good in
            ["https://id.example", "https://id.example/a/", "http://localhost:1", "http://[::1]"]
        {
            assert!(good.parse::<Issuer>().is_ok(), "{good}");
        }
        for bad in
            ["", "id.example", "http://id.example", "https://a@b", "https://a/?b", "https://a#"]
        {
            assert!(bad.parse::<Issuer>().is_err(), "{bad}");
        }
    }

    /// RFC 8414 §3.1
    #[test]
    fn the_well_known_part_stands_before_the_path() {
        let issuer: Issuer = "https://example.com/issuer1".parse().unwrap();

        assert_eq!(
            issuer.documents(),
            [
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
                "https://example.com/issuer1/.well-known/openid-configuration",
            ]
        );
        let bare: Issuer = "http://localhost:1".parse().unwrap();
        assert_eq!(
            bare.documents()[0],
            "http://localhost:1/.well-known/oauth-authorization-server"
        );
    }

    #[test]
    fn an_address_that_a_system_would_run_is_never_opened() {
        let issuer: Issuer = "https://id.example".parse().unwrap();

        for address in ["file:///bin/sh", "javascript:alert(1)", "http://id.example", "cmd:x"] {
            let document =
                json!({ "issuer": "https://id.example", "authorization_endpoint": address });
            let refused = Server::read(&issuer, document).unwrap_err();
            assert_eq!(refused.exit, Exit::Refused, "{address}");
        }
    }

    /// RFC 8414 §3.3
    #[test]
    fn a_server_of_another_name_is_not_believed() {
        let issuer: Issuer = "https://id.example".parse().unwrap();

        for other in ["https://id.example/", "https://evil.example", "HTTPS://id.example"] {
            let refused = Server::read(&issuer, json!({ "issuer": other })).unwrap_err();
            assert_eq!(refused.exit, Exit::Refused, "{other}");
        }
        let server = Server::read(&issuer, json!({ "issuer": "https://id.example", "a": 1 }));
        assert!(needed(&server.unwrap().token_endpoint, "token endpoint").is_err());
    }
}
