//! Client metadata as a client states it:
//! [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2),
//! [OpenID Connect Registration §2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata).
//!
//! Registration and Client ID Metadata Documents read it alike. §3.2.1: "The authorization server
//! MAY reject or replace any of the client's requested metadata values". What could harm a person
//! refuses the whole; what this server only does not do is left out where something remains.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Refusal;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{ApplicationType, AuthMethod, GrantType, SigningAlg, SubjectType};
use crate::oauth::display_name::DisplayName;
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;

/// The most entries of a list, and the longest prose, in bytes.
const MAX_ENTRIES: usize = 64;
const MAX_TEXT: usize = 255;

/// The grants that a client which nobody registered by hand may have.
const GRANTS: [GrantType; 3] =
    [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::RefreshToken];

/// What a client says of itself (RFC 7591 §2), unverified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of RFC 7591 §2")]
pub struct Links {
    pub client_uri: Option<WebUri>,
    pub contacts: Vec<String>,
    pub logo_uri: Option<WebUri>,
    pub policy_uri: Option<WebUri>,
    pub software_id: Option<String>,
    pub software_version: Option<String>,
    pub tos_uri: Option<WebUri>,
}

/// The metadata of a client, reduced to what may be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `application_type`.
    pub application_type: ApplicationType,
    /// `token_endpoint_auth_method`, if it names one.
    pub auth_method: Option<AuthMethod>,
    /// `backchannel_logout_session_required`.
    pub backchannel_logout_session_required: bool,
    /// `backchannel_logout_uri`.
    pub backchannel_logout_uri: Option<WebUri>,
    /// `default_max_age`.
    pub default_max_age: Option<u32>,
    /// What it says of itself.
    pub links: Links,
    /// `grant_types`, in order and each once.
    pub grant_types: Vec<GrantType>,
    /// `id_token_signed_response_alg`.
    pub id_token_alg: SigningAlg,
    /// `introspection_signed_response_alg`.
    pub introspection_alg: Option<SigningAlg>,
    /// `jwks`.
    pub jwks: Option<JwkSet>,
    /// `jwks_uri`.
    pub jwks_uri: Option<WebUri>,
    /// `client_name`, if it names one.
    pub name: Option<DisplayName>,
    /// `post_logout_redirect_uris`.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// `require_pushed_authorization_requests`.
    pub require_pushed_authorization_requests: bool,
    /// `scope`, if it names one.
    pub scope: Option<Scope>,
    /// `sector_identifier_uri`.
    pub sector_identifier_uri: Option<WebUri>,
    /// `software_statement`, where its signature was verified.
    pub software_statement: Option<String>,
    /// `subject_type`.
    pub subject_type: SubjectType,
    /// `userinfo_signed_response_alg`.
    pub userinfo_alg: Option<SigningAlg>,
}

impl ClientMetadata {
    /// The metadata that `value` states, where the private-use schemes `listed` are allowed beside
    /// those known to the program. Members that are not known are ignored (RFC 7591 §2), and so
    /// are those in a language (§2.2).
    pub fn from_value(value: &Value, listed: &[String]) -> Result<Self, Refusal> {
        let members = Members(value.as_object().ok_or(Refusal::ClientMetadataMalformed)?);
        let grant_types = grant_types(members.texts("grant_types")?)?;
        let by_redirect = grant_types.contains(&GrantType::AuthorizationCode);
        let response_types = members.texts("response_types")?;
        // §2.1: "the 'grant_types' and 'response_types' values […] are not completely orthogonal".
        if by_redirect && !response_types.is_empty() && !response_types.contains(&"code") {
            return Err(Refusal::ClientMetadataUnsupported);
        }
        let auth_method = members.word("token_endpoint_auth_method")?;
        let jwks = members.present("jwks").map(JwkSet::from_value).transpose()?;
        let jwks_uri = members.address("jwks_uri")?;
        // §2: "The 'jwks_uri' and 'jwks' parameters MUST NOT both be present in the same request
        // or response."
        let keyed = jwks.is_some() || jwks_uri.is_some();
        if jwks.is_some() && jwks_uri.is_some()
            || auth_method == Some(AuthMethod::PrivateKeyJwt) && !keyed
        {
            return Err(Refusal::ClientKeysUnclear);
        }
        let redirect_uris = redirect_uris(members.texts("redirect_uris")?, listed, by_redirect)?;
        let name = members.text("client_name")?.filter(|name| !name.trim().is_empty());
        let name = name.map(str::parse).transpose();
        let scope = members.text("scope")?.map(str::parse).transpose();
        let malformed = |_| Refusal::ClientMetadataMalformed;
        Ok(Self {
            application_type: members.word("application_type")?.unwrap_or(ApplicationType::Web),
            auth_method,
            backchannel_logout_session_required: members
                .flag("backchannel_logout_session_required")?,
            backchannel_logout_uri: members.address("backchannel_logout_uri")?,
            default_max_age: members.number("default_max_age")?,
            links: Links {
                client_uri: members.link("client_uri")?,
                contacts: members.contacts()?,
                logo_uri: members.link("logo_uri")?,
                policy_uri: members.link("policy_uri")?,
                software_id: members.prose("software_id")?,
                software_version: members.prose("software_version")?,
                tos_uri: members.link("tos_uri")?,
            },
            grant_types,
            id_token_alg: members
                .word("id_token_signed_response_alg")?
                .unwrap_or(SigningAlg::Rs256),
            introspection_alg: members.word("introspection_signed_response_alg")?,
            jwks,
            jwks_uri,
            name: name.map_err(malformed)?,
            post_logout_redirect_uris: post_logout(
                members.texts("post_logout_redirect_uris")?,
                listed,
            )?,
            redirect_uris,
            require_pushed_authorization_requests: members
                .flag("require_pushed_authorization_requests")?,
            scope: scope.map_err(malformed)?,
            sector_identifier_uri: members.address("sector_identifier_uri")?,
            software_statement: None,
            subject_type: members.word("subject_type")?.unwrap_or(SubjectType::Public),
            userinfo_alg: members.word("userinfo_signed_response_alg")?,
        })
    }

    /// What people read: the name, else where the client is at home.
    pub fn display_name(&self) -> Result<DisplayName, Refusal> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let home = self.links.client_uri.as_ref().map(|uri| uri.authority().to_owned());
        let home = home.or_else(|| self.redirect_uris.first().map(RedirectUri::lasting_host));
        let home: String = home.unwrap_or_else(|| "Unnamed".to_owned()).chars().take(128).collect();
        home.parse().map_err(|_| Refusal::ClientMetadataMalformed)
    }

    /// The sector in which people have one name towards this client
    /// (OpenID Connect Core §8.1), once its `sector_identifier_uri` was found to hold.
    pub fn sector(&self) -> Result<Option<String>, Refusal> {
        if self.subject_type == SubjectType::Public {
            return Ok(None);
        }
        if let Some(uri) = &self.sector_identifier_uri {
            return Ok(uri.url().and_then(|url| url.host_str().map(str::to_owned)));
        }
        let mut hosts: Vec<String> = self.redirect_uris.iter().map(host).collect();
        hosts.dedup();
        match hosts.pop() {
            Some(host) if hosts.is_empty() => Ok(Some(host)),
            Some(_) | None => Err(Refusal::SectorUnclear),
        }
    }

    /// Whether the document at `sector_identifier_uri` names every redirect URI.
    ///
    /// OpenID Connect Registration §5: "This URL references a file with a single JSON array of
    /// redirect_uri values. […] The values registered in redirect_uris MUST be included in the
    /// elements of the array, or registration MUST fail."
    pub fn check_sector(&self, document: &[u8]) -> Result<(), Refusal> {
        let named: Vec<String> =
            serde_json::from_slice(document).map_err(|_| Refusal::SectorUnclear)?;
        let holds = |uri: &RedirectUri| named.iter().any(|own| own == uri.as_str());
        if self.redirect_uris.iter().all(holds) { Ok(()) } else { Err(Refusal::SectorUnclear) }
    }
}

/// The host of a redirect URI without its port, or its private-use scheme.
fn host(uri: &RedirectUri) -> String {
    match uri.kind() {
        Kind::Https { authority } => {
            let port = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
            port.map_or(authority.as_str(), |(host, _)| host).to_owned()
        }
        Kind::Loopback { .. } | Kind::PrivateUse { .. } => uri.lasting_host(),
    }
}

fn grant_types(words: Vec<&str>) -> Result<Vec<GrantType>, Refusal> {
    // RFC 7591 §2: "If omitted, the default behavior is that the client will use only the
    // 'authorization_code' Grant Type."
    if words.is_empty() {
        return Ok(vec![GrantType::AuthorizationCode]);
    }
    let known = words.into_iter().filter_map(|word| word.parse().ok());
    let mut kept: Vec<GrantType> = known.filter(|grant| GRANTS.contains(grant)).collect();
    kept.sort();
    kept.dedup();
    if kept.iter().all(|grant| *grant == GrantType::RefreshToken) {
        return Err(Refusal::ClientMetadataUnsupported);
    }
    Ok(kept)
}

/// A malformed or dangerous URI refuses the whole; one that only policy forbids is left out.
fn kept(written: Vec<&str>, listed: &[String]) -> Result<Vec<RedirectUri>, Refusal> {
    let mut kept = Vec::new();
    for uri in written {
        let uri: RedirectUri = uri.parse()?;
        if uri.check_scheme(listed).is_ok() && !kept.contains(&uri) {
            kept.push(uri);
        }
    }
    Ok(kept)
}

fn redirect_uris(
    written: Vec<&str>,
    listed: &[String],
    needed: bool,
) -> Result<Vec<RedirectUri>, Refusal> {
    let kept = kept(written, listed).map_err(|_| Refusal::RedirectUrisUnfit)?;
    if kept.is_empty() && needed {
        return Err(Refusal::RedirectUrisUnfit);
    }
    Ok(kept)
}

fn post_logout(written: Vec<&str>, listed: &[String]) -> Result<Vec<RedirectUri>, Refusal> {
    kept(written, listed).map_err(|_| Refusal::ClientMetadataMalformed)
}

/// The members of a JSON object, each read as what it must be. `null` is as good as nothing.
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn present(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A member of another type is the client's mistake, and not to be guessed at.
    fn typed<T>(
        &self,
        name: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let read = |value| read(value).ok_or(Refusal::ClientMetadataMalformed);
        self.present(name).map(read).transpose()
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.typed(name, Value::as_str)
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.typed(name, Value::as_bool)?.unwrap_or(false))
    }

    fn number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        self.typed(name, |value| value.as_u64().and_then(|number| u32::try_from(number).ok()))
    }

    fn texts(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        let texts = self.typed(name, |value| {
            let entries = value.as_array().filter(|entries| entries.len() <= MAX_ENTRIES)?;
            entries.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
        })?;
        Ok(texts.unwrap_or_default())
    }

    /// One of the words that this server knows.
    fn word<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let word = self.text(name)?.map(str::parse).transpose();
        word.map_err(|_| Refusal::ClientMetadataUnsupported)
    }

    fn address(&self, name: &str) -> Result<Option<WebUri>, Refusal> {
        self.text(name)?.map(str::parse).transpose()
    }

    /// An address that only people follow. One that is unfit is left out.
    fn link(&self, name: &str) -> Result<Option<WebUri>, Refusal> {
        Ok(self.text(name)?.and_then(|link| link.parse().ok()))
    }

    fn prose(&self, name: &str) -> Result<Option<String>, Refusal> {
        let prose = self.text(name)?;
        if prose.is_some_and(|prose| !is_prose(prose)) {
            return Err(Refusal::ClientMetadataMalformed);
        }
        Ok(prose.map(str::to_owned))
    }

    fn contacts(&self) -> Result<Vec<String>, Refusal> {
        let contacts = self.texts("contacts")?;
        if !contacts.iter().all(|contact| is_prose(contact)) {
            return Err(Refusal::ClientMetadataMalformed);
        }
        Ok(contacts.into_iter().map(str::to_owned).collect())
    }
}

fn is_prose(text: &str) -> bool {
    text.len() <= MAX_TEXT && !text.chars().any(char::is_control)
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

        assert_eq!(metadata.name.as_ref().map(DisplayName::as_str), Some("My Example Client"));
        assert_eq!(metadata.auth_method, Some(AuthMethod::ClientSecretBasic));
        assert_eq!(metadata.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(uris(&metadata).len(), 2);
        assert!(metadata.links.logo_uri.is_some() && metadata.jwks_uri.is_some());
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
        let kept = [GrantType::AuthorizationCode, GrantType::RefreshToken];
        assert_eq!(metadata.grant_types, kept);
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
            assert_eq!(refused, Some(Refusal::RedirectUrisUnfit), "{uris}");
        }
        assert_eq!(read(&json!({})).err(), Some(Refusal::RedirectUrisUnfit));
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
            assert_eq!(refusal, Some(Refusal::ClientMetadataMalformed), "{name} {value}");
        }
        assert_eq!(with("client_name", Value::Null), None);
        assert_eq!(read(&json!([])).err(), Some(Refusal::ClientMetadataMalformed));
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
            assert_eq!(refusal, Some(Refusal::ClientMetadataUnsupported), "{name} {value}");
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
        let named = |more: Value| read(&more).unwrap().display_name().unwrap().to_string();

        let uris = json!(["http://127.0.0.1:4711/cb"]);
        assert_eq!(named(json!({ "redirect_uris": uris })), "127.0.0.1");
        let home = json!({ "redirect_uris": uris, "client_uri": "https://app.example/x" });
        assert_eq!(named(home), "app.example");
    }
}
