//! Client ID Metadata Documents: clients whose id is the URL of their metadata
//! ([draft-ietf-oauth-client-id-metadata-document-02](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-02)).

use serde_json::Value;
use url::Url;

use crate::error::Refusal;
use crate::oauth::client::AuthMethod;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::id::ClientId;
use crate::oauth::web_uri::WebUri;

/// A `client_id` that is the URL of a document, in its canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentAddress {
    url: Url,
    written: WebUri,
}

impl DocumentAddress {
    /// Whether a `client_id` has the scheme of a document's URL.
    pub fn is_meant(id: &ClientId) -> bool {
        ["http:", "https:"].iter().any(|scheme| id.as_str().starts_with(scheme))
    }

    /// Reads the URL `id`. §3: it "MUST use the https URL scheme", "MUST contain a path component",
    /// "MUST NOT contain single-dot or double-dot path components", "MUST NOT contain a fragment
    /// component" and "MUST NOT contain a userinfo component". On loopback it may be `http`, which
    /// is fetched only if the operator listed the destination.
    pub fn of(id: &ClientId) -> Result<Self, Refusal> {
        let written: WebUri = id.as_str().parse().map_err(|_| Refusal::DocumentAddressMalformed)?;
        let url = written.url().ok_or(Refusal::DocumentAddressMalformed)?;
        // The URL parser adds the path `/` to a URL without a path.
        if url.as_str() != id.as_str() {
            return Err(Refusal::DocumentAddressMalformed);
        }
        Ok(Self { url, written })
    }

    /// The URL to fetch.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host, and the port if it is not the scheme's default.
    pub fn authority(&self) -> &str {
        self.written.authority()
    }

    /// Whether its host is loopback.
    pub fn is_loopback(&self) -> bool {
        matches!(self.url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
    }

    /// Whether one of `hosts` is its host, with or without the port.
    pub fn is_among(&self, hosts: &[String]) -> bool {
        let own = |host: &String| {
            let host = host.to_ascii_lowercase();
            self.authority() == host || self.url.host_str() == Some(&host)
        };
        hosts.iter().any(own)
    }
}

/// Parses the document `bytes` of the URL `id`. The private-use schemes `listed` are allowed in
/// addition to the built-in ones.
pub fn parse(id: &ClientId, bytes: &[u8], listed: &[String]) -> Result<ClientMetadata, Refusal> {
    let document: Value = serde_json::from_slice(bytes).map_err(|_| Refusal::DocumentNotJson)?;
    let members = document.as_object().ok_or(Refusal::DocumentNotJson)?;
    // §4: "a client_id property whose value MUST match the Client Identifier URL […]; comparisons
    // MUST be made using simple string comparison".
    if members.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
        return Err(Refusal::DocumentOfAnotherClient);
    }
    // §4.1: "the client_secret and client_secret_expires_at properties MUST NOT be used" and
    // "token_endpoint_auth_method MUST NOT include client_secret_post, client_secret_basic,
    // client_secret_jwt, or any other method based around a shared symmetric secret".
    let method = members.get("token_endpoint_auth_method").and_then(Value::as_str);
    if members.keys().any(|name| name.starts_with("client_secret"))
        || method.is_some_and(|method| method.starts_with("client_secret"))
    {
        return Err(Refusal::DocumentWithSecret);
    }
    ClientMetadata::from_value(&document, listed)
}

/// The authentication method of a client of a document; `none` if the document names no method.
pub fn auth_method(metadata: &ClientMetadata) -> AuthMethod {
    metadata.token_endpoint_auth_method.unwrap_or(AuthMethod::None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(id: &str) -> ClientId {
        id.parse().unwrap()
    }

    #[test]
    fn an_address_has_a_path_and_one_spelling() {
        for good in [
            "https://app.example/client.json",
            "https://app.example/",
            "https://app.example:8443/a/b?v=1",
            "http://127.0.0.1:3000/client",
        ] {
            assert!(DocumentAddress::of(&id(good)).is_ok(), "{good}");
        }
        for bad in [
            "https://app.example",
            "https://app.example/a/../b",
            "https://app.example/a/%2e%2E/b",
            "https://app.example/./b",
            "https://app.example/b#c",
            "https://me@app.example/b",
            "https://app.example:443/b",
            "https://APP.example/b",
            "https:/app.example/b",
            "http://app.example/b",
            "http://10.0.0.1/b",
        ] {
            assert!(DocumentAddress::is_meant(&id(bad)));
            let refusal = DocumentAddress::of(&id(bad)).err();
            assert_eq!(refusal, Some(Refusal::DocumentAddressMalformed), "{bad}");
        }
        assert!(!DocumentAddress::is_meant(&id("shop")));
    }

    #[test]
    fn a_host_is_listed_with_or_without_its_port() {
        let address = DocumentAddress::of(&id("https://app.example:8443/c")).unwrap();
        let among = |host: &str| address.is_among(&[host.to_owned()]);

        assert!(among("app.example") && among("App.example:8443"));
        assert!(!among("example") && !among("app.example:443") && !among("b.app.example"));
        assert!(!address.is_loopback());
    }

    #[test]
    fn a_document_speaks_for_itself_and_holds_no_secret() {
        let own = id("https://app.example/c");
        let read = |change: fn(&mut Value)| {
            let mut document = json!({
                "client_id": "https://app.example/c",
                "redirect_uris": ["https://app.example/cb"],
            });
            change(&mut document);
            parse(&own, document.to_string().as_bytes(), &[]).map(|read| auth_method(&read))
        };

        assert_eq!(read(|_| ()), Ok(AuthMethod::None));
        let other = |document: &mut Value| document["client_id"] = "https://app.example/C".into();
        assert_eq!(read(other), Err(Refusal::DocumentOfAnotherClient));
        let secret = |document: &mut Value| document["client_secret_expires_at"] = 0.into();
        assert_eq!(read(secret), Err(Refusal::DocumentWithSecret));
        let method = |document: &mut Value| {
            document["token_endpoint_auth_method"] = "client_secret_jwt".into();
        };
        assert_eq!(read(method), Err(Refusal::DocumentWithSecret));
        let uri = |document: &mut Value| document["redirect_uris"] = json!(["data:x"]);
        assert_eq!(read(uri).map_err(Refusal::name), Err("RedirectUrisUnfit"));
        assert_eq!(parse(&own, b"[]", &[]), Err(Refusal::DocumentNotJson));
    }
}
