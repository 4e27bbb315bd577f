//! Authorization server metadata: [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).

use serde::Deserialize;
use url::Url;

use crate::oauth_client::{Error, ErrorKind};

use super::connect::is_guarded;
use super::http::Http;
use super::issuer::Issuer;

/// The metadata of a server that this client needs (RFC 8414 §2).
#[derive(Debug, Deserialize)]
pub(crate) struct Server {
    issuer: String,
    pub(crate) authorization_endpoint: Option<Url>,
    pub(crate) device_authorization_endpoint: Option<Url>,
    pub(crate) pushed_authorization_request_endpoint: Option<Url>,
    pub(crate) registration_endpoint: Option<Url>,
    pub(crate) revocation_endpoint: Option<Url>,
    pub(crate) token_endpoint: Option<Url>,
    pub(crate) userinfo_endpoint: Option<Url>,
    /// Whether its authorization responses have `iss` (RFC 9207 §3).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl Server {
    /// Fetches the metadata of `issuer`.
    pub(crate) async fn discover(http: &Http, issuer: &Issuer) -> Result<Self, Error> {
        for document in issuer.documents() {
            let url = Url::parse(&document).map_err(|error| Error::new(ErrorKind::Usage, error))?;
            let response = http.get(&url, None).await?;
            match response.status {
                200 => return Self::read(issuer, response.body),
                404 => {}
                status => {
                    let message = format!("{url}: the server answered with status {status}");
                    return Err(Error::new(ErrorKind::Failed, message));
                }
            }
        }
        let message = format!("{issuer} does not describe itself: it is no authorization server");
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    /// Reads a metadata document. RFC 8414 §3.3: "The 'issuer' value returned MUST be identical to
    /// the authorization server's issuer identifier value into which the well-known URI string was
    /// inserted […]. If these values are not identical, the data contained in the response MUST NOT
    /// be used."
    fn read(issuer: &Issuer, document: serde_json::Value) -> Result<Self, Error> {
        let unclear = |error| {
            Error::new(ErrorKind::Failed, format!("{issuer} describes itself unclearly: {error}"))
        };
        let server: Self = serde_json::from_value(document).map_err(unclear)?;
        if server.issuer != issuer.as_str() {
            let named = crate::oauth_client::printable(&server.issuer);
            let message = format!("{issuer} calls itself {named}; nothing of it is believed");
            return Err(Error::new(ErrorKind::Refused, message));
        }
        // One of them is opened in the browser, and a system may start other programs for some
        // schemes.
        if let Some(endpoint) = server.endpoints().find(|endpoint| !is_guarded(endpoint)) {
            let message = format!("{issuer} names {endpoint}, which is not https");
            return Err(Error::new(ErrorKind::Refused, message));
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

/// The endpoint, or an error that says that the server has none.
pub(crate) fn needed<'a>(endpoint: &'a Option<Url>, what: &str) -> Result<&'a Url, Error> {
    endpoint
        .as_ref()
        .ok_or_else(|| Error::new(ErrorKind::Failed, format!("the server has no {what}")))
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
            assert_eq!(refused.kind, ErrorKind::Refused, "{address}");
        }
    }

    /// RFC 8414 §3.3
    #[test]
    fn a_server_of_another_name_is_not_believed() {
        let issuer: Issuer = "https://id.example".parse().unwrap();

        for other in ["https://id.example/", "https://evil.example", "HTTPS://id.example"] {
            let refused = Server::read(&issuer, json!({ "issuer": other })).unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Refused, "{other}");
        }
        let server = Server::read(&issuer, json!({ "issuer": "https://id.example", "a": 1 }));
        assert!(needed(&server.unwrap().token_endpoint, "token endpoint").is_err());
    }
}
