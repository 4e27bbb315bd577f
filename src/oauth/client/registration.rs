//! Client metadata that a client states itself, in a registration request
//! ([RFC 7591 §3.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.1)) or in its metadata
//! document.
//!
//! §3.2.1: "The authorization server MAY reject or replace any of the client's requested metadata
//! values". A value that could harm a person causes a refusal. A value that this server merely does
//! not support is left out if another remains. An empty string and an empty list are no values.

use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{AuthMethod, GrantType};
use crate::oauth::redirect_uri::RedirectUri;

/// The most entries of a list.
const MAX_ENTRIES: usize = 64;
const TOO_MANY_ENTRIES: &str = "at most 64 entries are expected";

/// The grants of a client that no operator registered.
const GRANTS: [GrantType; 3] =
    [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::RefreshToken];

/// The links that only people follow. A malformed one is left out.
const LINKS: [&str; 4] = ["client_uri", "logo_uri", "policy_uri", "tos_uri"];

/// The lists whose unsupported entries are left out, and that are read below.
const LISTS: [&str; 3] = ["grant_types", "post_logout_redirect_uris", "redirect_uris"];

impl ClientMetadata {
    /// Parses the metadata that `value` states. The private-use schemes `listed` are allowed in
    /// addition to the built-in ones. Unknown members are ignored (RFC 7591 §2), and so are members
    /// with a language tag (§2.2) and those without a value.
    pub fn from_value(value: &Value, listed: &[String]) -> Result<Self, Refusal> {
        let members = value.as_object().ok_or(Refusal::ClientMetadataMalformed(
            "the client metadata",
            "a JSON object is expected",
        ))?;
        let mut metadata = Self::default();
        for (name, value) in members.iter().filter(|(_, value)| !is_absent(value)) {
            let Some(member) = Self::member(name) else { continue };
            if value.as_array().is_some_and(|entries| entries.len() > MAX_ENTRIES) {
                return Err(Refusal::ClientMetadataMalformed(member, TOO_MANY_ENTRIES));
            }
            if is_its_to_state(name)
                && let Err(invalid) = metadata.set(name, value)
                && !(LINKS.contains(&name.as_str()) && value.is_string())
            {
                return Err(invalid.to_client(member));
            }
        }
        let grant_types = grant_types(texts(members, "grant_types")?)?;
        let by_redirect = grant_types.contains(&GrantType::AuthorizationCode);
        let response_types = texts(members, "response_types")?;
        // §2.1: "the 'grant_types' and 'response_types' values […] are not completely orthogonal".
        if by_redirect && !response_types.is_empty() && !response_types.contains(&"code") {
            return Err(Refusal::ClientMetadataUnsupported("response_types", "code is expected"));
        }
        metadata.grant_types = Some(grant_types);
        // §2: "The 'jwks_uri' and 'jwks' parameters MUST NOT both be present in the same request
        // or response."
        let (jwks, jwks_uri) = (metadata.jwks.is_some(), metadata.jwks_uri.is_some());
        let signs = metadata.token_endpoint_auth_method == Some(AuthMethod::PrivateKeyJwt);
        if jwks && jwks_uri || signs && !jwks && !jwks_uri {
            return Err(Refusal::ClientKeysUnclear);
        }
        metadata.redirect_uris = supported(texts(members, "redirect_uris")?, listed)
            .map_err(|refusal| Refusal::RedirectUrisUnfit(refusal.fixed_reason()))?;
        if metadata.redirect_uris.is_empty() && by_redirect {
            return Err(Refusal::RedirectUrisUnfit("none is there, and the grant needs one"));
        }
        metadata.post_logout_redirect_uris =
            supported(texts(members, "post_logout_redirect_uris")?, listed)
                .map_err(|refusal| malformed("post_logout_redirect_uris", refusal))?;
        if metadata.client_name.is_none() {
            let host = metadata.home().chars().take(128).collect::<String>();
            let name = host.parse().map_err(|refusal| malformed("client_name", refusal))?;
            metadata.client_name = Some(name);
        }
        Ok(metadata)
    }

    /// The host of a client, as its name if it states none.
    fn home(&self) -> String {
        let home = self.client_uri.as_ref().map(|uri| uri.authority().to_owned());
        let home = home.or_else(|| self.redirect_uris.first().map(RedirectUri::lasting_host));
        home.unwrap_or_else(|| self.name().to_owned())
    }
}

/// Whether a member has no value: null, a blank string, or a list or an object of nothing else.
/// Widely used programs send all of their members, with nothing in those that they do not use.
pub fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(entries) => entries.iter().all(is_absent),
        Value::Object(members) => members.values().all(is_absent),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a member is set as the client states it. A software statement is set elsewhere, after
/// its verification.
fn is_its_to_state(name: &str) -> bool {
    name != "software_statement" && !LISTS.contains(&name)
}

/// Reads a list of strings, without the empty ones.
fn texts<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Vec<&'a str>, Refusal> {
    let Some(value) = members.get(name).filter(|value| !is_absent(value)) else {
        return Ok(Vec::new());
    };
    let malformed = |why| Refusal::ClientMetadataMalformed(name, why);
    let entries = value.as_array().ok_or(malformed("a list of strings is expected"))?;
    let entries = entries.iter().filter(|entry| !is_absent(entry)).map(Value::as_str);
    let entries: Option<Vec<&str>> = entries.collect();
    let entries = entries.ok_or(malformed("a list of strings is expected"))?;
    if entries.len() > MAX_ENTRIES {
        return Err(malformed(TOO_MANY_ENTRIES));
    }
    Ok(entries)
}

fn malformed(member: &'static str, refusal: Refusal) -> Refusal {
    Refusal::ClientMetadataMalformed(member, refusal.fixed_reason())
}

fn grant_types(stated: Vec<&str>) -> Result<Vec<GrantType>, Refusal> {
    // RFC 7591 §2: "If omitted, the default behavior is that the client will use only the
    // 'authorization_code' Grant Type."
    if stated.is_empty() {
        return Ok(vec![GrantType::AuthorizationCode]);
    }
    let known = stated.into_iter().filter_map(|grant| grant.parse().ok());
    let mut supported: Vec<GrantType> = known.filter(|grant| GRANTS.contains(grant)).collect();
    supported.sort_unstable();
    supported.dedup();
    if supported.iter().all(|grant| *grant == GrantType::RefreshToken) {
        return Err(Refusal::ClientMetadataUnsupported(
            "grant_types",
            "none of them is open to a client that registers itself",
        ));
    }
    Ok(supported)
}

/// The redirect URIs that may be registered. A malformed or dangerous one is an error; one that only
/// policy forbids is left out if another remains.
fn supported(stated: Vec<&str>, listed: &[String]) -> Result<Vec<RedirectUri>, Refusal> {
    let (mut supported, mut left_out) = (Vec::new(), None);
    for uri in stated {
        let uri = uri.parse::<RedirectUri>();
        let allowed = uri.and_then(|uri| uri.check_scheme(listed).map(|()| uri));
        match allowed {
            Ok(uri) if supported.contains(&uri) => {}
            Ok(uri) => supported.push(uri),
            Err(why @ (Refusal::RedirectUriPrivate | Refusal::RedirectUriSchemeUnknown)) => {
                left_out.get_or_insert(why);
            }
            Err(refusal) => return Err(refusal),
        }
    }
    match left_out {
        Some(why) if supported.is_empty() => Err(why),
        Some(_) | None => Ok(supported),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<ClientMetadata, Refusal> {
        ClientMetadata::from_value(value, &[])
    }

    fn uris(metadata: &ClientMetadata) -> Vec<&str> {
        metadata.redirect_uris.iter().map(RedirectUri::as_str).collect()
    }

    /// RFC 7591 §3.1
    #[test]
    fn the_specifications_request_is_read() {
        let metadata = read(&json!({
            "redirect_uris": [
                "https://client.example.org/callback",
                "https://client.example.org/callback2"
            ],
            "client_name": "My Example Client",
            "client_name#ja-Jpan-JP": "クライアント名",
            "token_endpoint_auth_method": "client_secret_basic",
            "logo_uri": "https://client.example.org/logo.png",
            "jwks_uri": "https://client.example.org/my_public_keys.jwks",
            "example_extension_parameter": "example_value"
        }))
        .unwrap();

        assert_eq!(metadata.name(), "My Example Client");
        assert_eq!(metadata.token_endpoint_auth_method, Some(AuthMethod::ClientSecretBasic));
        assert_eq!(metadata.grant_types(), [GrantType::AuthorizationCode]);
        assert_eq!(uris(&metadata).len(), 2);
        assert!(metadata.logo_uri.is_some() && metadata.jwks_uri.is_some());
    }

    #[test]
    fn what_only_policy_forbids_is_left_out_where_others_remain() {
        let mixed = json!(["mine://cb", "cursor://anysphere/cb", "http://127.0.0.1/cb"]);

        let metadata = read(&json!({
            "redirect_uris": mixed,
            "grant_types": ["implicit", "client_credentials", "refresh_token", "authorization_code"],
            "response_types": ["token", "code"],
        }))
        .unwrap();

        assert_eq!(uris(&metadata), ["cursor://anysphere/cb", "http://127.0.0.1/cb"]);
        let supported = [GrantType::AuthorizationCode, GrantType::RefreshToken];
        assert_eq!(metadata.grant_types(), supported);
    }

    #[test]
    fn a_dangerous_redirect_uri_or_none_refuses_the_whole() {
        for uris in [
            json!(["https://app.example/cb", "javascript:alert(1)"]),
            json!(["https://app.example/cb", "http://app.example/cb"]),
            json!(["https://app.example/cb#f"]),
            json!(["mine://cb"]),
            json!([]),
        ] {
            let refused = read(&json!({ "redirect_uris": uris })).err();
            assert!(matches!(refused, Some(Refusal::RedirectUrisUnfit(_))), "{uris}");
        }
        let dangerous = read(&json!({ "redirect_uris": ["javascript:alert(1)"] })).err();
        let why = "redirect_uris: a redirect URI has a scheme that a browser or shell interprets";
        assert_eq!(dangerous.map(Refusal::sentence).as_deref(), Some(why));
        let none = Refusal::RedirectUrisUnfit("none is there, and the grant needs one");
        assert_eq!(read(&json!({})).err(), Some(none));
        let unlisted =
            read(&json!({ "redirect_uris": ["mine://cb", "http://nas.local/cb"] })).err();
        let why = Refusal::RedirectUriSchemeUnknown.fixed_reason();
        assert_eq!(unlisted, Some(Refusal::RedirectUrisUnfit(why)));
    }

    #[test]
    fn a_member_without_a_value_is_absent() {
        let uris = json!(["https://app.example/cb", "", null]);
        let mut metadata = json!({ "redirect_uris": uris });
        let bare = read(&metadata).unwrap();

        for name in [
            "application_type",
            "client_uri",
            "contacts",
            "default_max_age",
            "grant_types",
            "jwks",
            "jwks_uri",
            "logo_uri",
            "post_logout_redirect_uris",
            "response_types",
            "scope",
            "sector_identifier_uri",
            "subject_type",
            "token_endpoint_auth_method",
        ] {
            for nothing in
                [json!(null), json!(""), json!(" "), json!([]), json!([""]), json!({"keys": []})]
            {
                metadata[name] = nothing.clone();
                assert_eq!(read(&metadata), Ok(bare.clone()), "{name} {nothing}");
            }
        }
    }

    #[test]
    fn members_of_another_type_are_malformed() {
        let with = |name: &str, value: Value| {
            let mut metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
            metadata[name] = value;
            read(&metadata).err()
        };

        for (name, value) in [
            ("redirect_uris", json!("https://app.example/cb")),
            ("redirect_uris", json!([1])),
            ("client_name", json!(["A"])),
            ("client_name", json!("x".repeat(129))),
            ("scope", json!(["openid"])),
            ("scope", json!("\"")),
            ("contacts", json!("me")),
            ("contacts", json!(["a\nb"])),
            ("default_max_age", json!("60")),
            ("default_max_age", json!(-1)),
            ("require_pushed_authorization_requests", json!("true")),
            ("software_version", json!(2)),
            ("post_logout_redirect_uris", json!(["javascript:x"])),
        ] {
            let refusal = with(name, value.clone());
            let Some(Refusal::ClientMetadataMalformed(member, _)) = refusal else {
                panic!("{name} {value}: {refusal:?}");
            };
            assert_eq!(member, name);
        }
        assert_eq!(with("client_name", Value::Null), None);
        let refusal = read(&json!([])).err();
        assert_eq!(refusal.map(Refusal::name), Some("ClientMetadataMalformed"));
    }

    #[test]
    fn what_this_server_does_not_do_is_refused_where_nothing_else_is_asked() {
        for (name, value) in [
            ("grant_types", json!(["client_credentials"])),
            ("grant_types", json!(["refresh_token"])),
            ("response_types", json!(["token"])),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("id_token_signed_response_alg", json!("none")),
            ("subject_type", json!("other")),
            ("application_type", json!("toaster")),
        ] {
            let mut metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
            metadata[name] = value.clone();
            let refusal = read(&metadata).err();
            let Some(Refusal::ClientMetadataUnsupported(member, _)) = refusal else {
                panic!("{name} {value}: {refusal:?}");
            };
            assert_eq!(member, name);
        }
    }

    #[test]
    fn keys_come_in_one_way_and_where_they_are_needed() {
        let keyed = |more: Value| {
            let mut metadata = json!({
                "redirect_uris": ["https://app.example/cb"],
                "token_endpoint_auth_method": "private_key_jwt",
            });
            for (name, value) in more.as_object().unwrap() {
                metadata[name] = value.clone();
            }
            read(&metadata).map(|_| ())
        };
        let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});

        assert_eq!(keyed(json!({})), Err(Refusal::ClientKeysUnclear));
        assert_eq!(keyed(json!({ "jwks": set })), Ok(()));
        assert_eq!(keyed(json!({ "jwks_uri": "https://app.example/jwks" })), Ok(()));
        let both = json!({ "jwks": set, "jwks_uri": "https://app.example/jwks" });
        assert_eq!(keyed(both), Err(Refusal::ClientKeysUnclear));
    }

    #[test]
    fn a_pairwise_sector_is_the_one_host_or_that_of_the_sector_identifier() {
        let pairwise = |uris: Value, sector: Value| {
            let metadata = json!({
                "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": sector,
            });
            read(&metadata).and_then(|metadata| metadata.sector())
        };
        let two = json!(["https://a.example:8443/cb", "https://b.example/cb"]);

        let one = json!(["https://a.example:8443/cb", "https://a.example/cb"]);
        assert_eq!(pairwise(one, Value::Null), Ok(Some("a.example".to_owned())));
        assert_eq!(pairwise(two.clone(), Value::Null), Err(Refusal::SectorUnclear));
        let shared = pairwise(two, json!("https://c.example/uris"));
        assert_eq!(shared, Ok(Some("c.example".to_owned())));
    }

    #[test]
    fn a_client_without_a_name_is_called_by_its_home() {
        let named = |more: Value| read(&more).unwrap().name().to_owned();

        let uris = json!(["http://127.0.0.1:4711/cb"]);
        assert_eq!(named(json!({ "redirect_uris": uris })), "127.0.0.1");
        let home = json!({ "redirect_uris": uris, "client_uri": "https://app.example/x" });
        assert_eq!(named(home), "app.example");
    }
}
