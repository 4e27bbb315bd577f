//! Client metadata, of a registration and of a Client ID Metadata Document.

use serde_json::Value;

use crate::oauth::client::cimd;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType, SubjectType};
use crate::oauth::id::ClientId;

/// Client metadata: nothing forbidden is registered, and a document contains no secret.
pub fn client_metadata(bytes: &[u8]) {
    let id: ClientId = "https://app.example/client.json".parse().expect("it is printable");
    let document = cimd::parse(&id, bytes, &[]);
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let read = ClientMetadata::from_value(&value, &[]);
    if let Ok(metadata) = &document {
        assert_eq!(read.as_ref(), Ok(metadata));
        assert_eq!(value.get("client_id").and_then(Value::as_str), Some(id.as_str()));
        assert!(!cimd::auth_method(metadata).is_secret());
        assert_eq!(value.get("client_secret"), None);
    }
    let Ok(metadata) = read else { return };

    let has = |grant| metadata.has_grant_type(grant);
    assert!(!has(GrantType::ClientCredentials));
    assert!(has(GrantType::AuthorizationCode) || has(GrantType::DeviceCode));
    assert!(!(has(GrantType::AuthorizationCode) && metadata.redirect_uris.is_empty()));
    for uri in metadata.redirect_uris.iter().chain(&metadata.post_logout_redirect_uris) {
        assert_eq!(uri.as_str().parse().as_ref(), Ok(uri));
        assert_eq!(uri.check_scheme(&[]), Ok(()));
    }
    assert!(metadata.jwks.is_none() || metadata.jwks_uri.is_none());
    if let Some(jwks) = &metadata.jwks {
        let accepted = serde_json::to_string(jwks).expect("a key set has a JSON form");
        assert_eq!(serde_json::from_str(&accepted).as_ref().ok(), Some(jwks), "it is read as kept");
    }
    if metadata.token_endpoint_auth_method == Some(AuthMethod::PrivateKeyJwt) {
        assert!(metadata.jwks.is_some() || metadata.jwks_uri.is_some());
    }
    assert!(!metadata.name().chars().any(char::is_control));
    let row = serde_json::to_string(&metadata).expect("metadata has a JSON form");
    assert_eq!(serde_json::from_str(&row).as_ref().ok(), Some(&metadata), "it is read as written");
    if let Ok(sector) = metadata.sector() {
        assert_eq!(sector.is_some(), metadata.subject_type == SubjectType::Pairwise);
    }
    let listed = metadata.redirect_uris.iter().map(|uri| uri.as_str()).collect::<Vec<_>>();
    let listed = serde_json::to_vec(&listed).expect("texts have a JSON form");
    assert_eq!(metadata.check_sector(&listed), Ok(()));
}
