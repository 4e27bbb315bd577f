//! The request for an anonymous session, by which a client gets a token for no known person.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;

/// The whole scope of a token of an anonymous session.
pub const SCOPE: &str = "anonymous";

/// A client's request for an anonymous session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnonymousRequest {
    /// The client, not authenticated yet.
    pub client_id: ClientId,
    /// The client's notes about the session, for its operator.
    pub metadata: Option<Metadata>,
    /// A redirect URI of the client, which the response returns. There is no redirect.
    pub redirect_uri: Option<RedirectUri>,
}

impl AnonymousRequest {
    /// Reads a request from a JSON object. Unknown members are ignored, and null counts as absent.
    pub fn from_value(value: &Value) -> Result<Self, Refusal> {
        let members = value.as_object().ok_or(Refusal::BodyMalformed)?;
        let client_id = text(members, "client_id")?.ok_or(Refusal::ClientIdMissing)?.parse()?;
        let redirect_uri = text(members, "redirect_uri")?.map(str::parse).transpose()?;
        let metadata = members.get("metadata").filter(|metadata| !metadata.is_null());
        let metadata = metadata.map(Metadata::from_value).transpose()?;
        Ok(Self { client_id, metadata, redirect_uri })
    }
}

fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let text = value.as_str();
            text.map(Some).ok_or(Refusal::MemberMalformed(name, "a string is expected"))
        }
    }
}

/// A client's notes about an anonymous session: a JSON object of at most 4 KiB. It is stored and
/// displayed, and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata(Box<str>);

impl Metadata {
    /// The most bytes of its stored form.
    pub const MAX_LENGTH: usize = 4 * 1024;

    fn from_value(value: &Value) -> Result<Self, Refusal> {
        let stored = value.to_string();
        if !value.is_object() || stored.len() > Self::MAX_LENGTH {
            return Err(Refusal::AnonymousMetadataUnfit);
        }
        Ok(Self(stored.into()))
    }

    /// The JSON object.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl FromStr for Metadata {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let value = serde_json::from_str(s).map_err(|_| Refusal::AnonymousMetadataUnfit)?;
        Self::from_value(&value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_names_its_client_and_little_else() {
        let whole = json!({
            "client_id": "shop", "redirect_uri": "https://shop.example/cb",
            "metadata": { "cart": [1, null] }, "sub": "anon_1",
        });

        let request = AnonymousRequest::from_value(&whole).unwrap();
        let least = json!({ "client_id": "shop", "redirect_uri": null, "metadata": null });
        let least = AnonymousRequest::from_value(&least).unwrap();

        assert_eq!(request.client_id.as_str(), "shop");
        assert_eq!(request.redirect_uri.unwrap().as_str(), "https://shop.example/cb");
        assert_eq!(request.metadata.unwrap().to_value(), json!({ "cart": [1, null] }));
        assert_eq!((least.redirect_uri, least.metadata), (None, None));
    }

    #[test]
    fn what_is_of_another_type_is_refused() {
        for (written, refusal) in [
            (json!([]), Refusal::BodyMalformed),
            (json!({}), Refusal::ClientIdMissing),
            (
                json!({ "client_id": 1 }),
                Refusal::MemberMalformed("client_id", "a string is expected"),
            ),
            (json!({ "client_id": "" }), Refusal::ClientIdMalformed),
            (
                json!({ "client_id": "a", "redirect_uri": [] }),
                Refusal::MemberMalformed("redirect_uri", "a string is expected"),
            ),
            (json!({ "client_id": "a", "redirect_uri": "/cb" }), Refusal::RedirectUriMalformed),
            (json!({ "client_id": "a", "metadata": "x" }), Refusal::AnonymousMetadataUnfit),
            (json!({ "client_id": "a", "metadata": [] }), Refusal::AnonymousMetadataUnfit),
        ] {
            assert_eq!(AnonymousRequest::from_value(&written), Err(refusal), "{written}");
        }
    }

    #[test]
    fn metadata_has_at_most_4_kib() {
        let of = |length| json!({ "a": "x".repeat(length - r#"{"a":""}"#.len()) });

        assert!(Metadata::from_value(&of(4096)).is_ok());
        assert_eq!(Metadata::from_value(&of(4097)), Err(Refusal::AnonymousMetadataUnfit));
    }
}
