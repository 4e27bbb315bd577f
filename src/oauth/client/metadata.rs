//! Client metadata: [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2),
//! [OpenID Connect Registration §2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata).
//!
//! One type serves registration, its management, metadata documents, the operator's API, the
//! command line and the client's row. A new member is one line in the table below.

use crate::error::Refusal;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::member::{Prose, members};
use crate::oauth::client::{
    ApplicationType, AuthMethod, ClientType, GrantType, SigningAlg, SubjectType,
};
use crate::oauth::display_name::DisplayName;
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;

members! {
    /// The metadata that a client states, or an operator for it. Each field has the name of its
    /// member.
    ClientMetadata {
        /// The application type.
        application_type: ApplicationType,
        /// Whether a logout token must name the session (OpenID Connect Back-Channel Logout §2.2).
        backchannel_logout_session_required: bool,
        /// The address for logout tokens (OpenID Connect Back-Channel Logout §2.2).
        backchannel_logout_uri: Option<WebUri>,
        /// The name that people read.
        client_name: Option<DisplayName>,
        /// Its home page.
        client_uri: Option<WebUri>,
        /// The people responsible for it.
        contacts: Option<Vec<Prose>>,
        /// The `max_age` of a request that names none.
        default_max_age: Option<u32>,
        /// The grants it may use, in order and each once.
        grant_types: Option<Vec<GrantType>>,
        /// The algorithm of its ID tokens.
        id_token_signed_response_alg: SigningAlg,
        /// The `https` address at which a third party starts a sign-in with it (OpenID Connect
        /// Core §4). This server stores it and returns it.
        initiate_login_uri: Option<WebUri>,
        /// The algorithm of introspection responses to it (RFC 9701 §6); RS256 if it is absent.
        introspection_signed_response_alg: Option<SigningAlg>,
        /// The keys that it signs with.
        jwks: Option<JwkSet>,
        /// The address of those keys.
        jwks_uri: Option<WebUri>,
        /// Its logo.
        logo_uri: Option<WebUri>,
        /// Its privacy policy.
        policy_uri: Option<WebUri>,
        /// The redirect URIs after a logout (OpenID Connect RP-Initiated Logout §3.1).
        post_logout_redirect_uris: Vec<RedirectUri>,
        /// The redirect URIs of authorization responses.
        redirect_uris: Vec<RedirectUri>,
        /// Whether it must push its authorization requests (RFC 9126 §6).
        require_pushed_authorization_requests: bool,
        /// The scope that it may request, and the default scope of its requests.
        scope: Option<Scope>,
        /// The address of the list of its sector's redirect URIs (OpenID Connect Core §8.1).
        sector_identifier_uri: Option<WebUri>,
        /// The identifier of the software, the same for each installation of it.
        software_id: Option<Prose>,
        /// The statement of a third party about it (§2.3), if its signature was verified.
        software_statement: Option<String>,
        /// The version of the software.
        software_version: Option<Prose>,
        /// The type of its `sub` values.
        subject_type: SubjectType,
        /// The authentication method. If absent, it sends its secret in the header or in the body.
        token_endpoint_auth_method: Option<AuthMethod>,
        /// Its terms of service.
        tos_uri: Option<WebUri>,
        /// The algorithm of its userinfo responses; unsigned if it is absent.
        userinfo_signed_response_alg: Option<SigningAlg>,
    }
}

impl ClientMetadata {
    /// The authentication method. RFC 7591 §2: "If unspecified or omitted, the default is
    /// 'client_secret_basic'".
    pub fn auth_method(&self) -> AuthMethod {
        self.token_endpoint_auth_method.unwrap_or(AuthMethod::ClientSecretBasic)
    }

    /// Whether it may send its secret in the header or in the body: it names no method, and by
    /// default widely used libraries send the secret in the body.
    pub fn any_secret_method(&self) -> bool {
        self.token_endpoint_auth_method.is_none()
    }

    /// The client type (RFC 6749 §2.1), which follows from the method.
    pub fn client_type(&self) -> ClientType {
        match self.auth_method() {
            AuthMethod::ClientSecretBasic
            | AuthMethod::ClientSecretPost
            | AuthMethod::PrivateKeyJwt => ClientType::Confidential,
            AuthMethod::None => ClientType::Public,
        }
    }

    /// The grants it may use. RFC 7591 §2: "If omitted, the default behavior is that the client
    /// will use only the 'authorization_code' Grant Type."
    pub fn grant_types(&self) -> &[GrantType] {
        self.grant_types.as_deref().unwrap_or(&[GrantType::AuthorizationCode])
    }

    /// Whether it may use a grant.
    pub fn has_grant_type(&self, grant_type: GrantType) -> bool {
        self.grant_types().contains(&grant_type)
    }

    /// Whether people can authorize it to act for them.
    pub fn acts_for_people(&self) -> bool {
        let has = |grant_type| self.has_grant_type(grant_type);
        has(GrantType::AuthorizationCode) || has(GrantType::DeviceCode)
    }

    /// The name for display.
    pub fn name(&self) -> &str {
        self.client_name.as_ref().map_or("Unnamed", DisplayName::as_str)
    }

    /// The sector identifier of a client with pairwise subjects (OpenID Connect Core §8.1). The
    /// caller has checked its `sector_identifier_uri`.
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

    /// Checks that the document at `sector_identifier_uri` names every redirect URI.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_from_before_a_member_has_its_default() {
        let read: ClientMetadata = serde_json::from_value(json!({ "client_name": "A" })).unwrap();

        let mut expected = ClientMetadata::default();
        expected.set("client_name", &json!("A")).unwrap();
        assert_eq!(read, expected);
        assert_eq!(read.id_token_signed_response_alg, SigningAlg::Rs256);
    }

    #[test]
    fn a_member_is_set_by_its_name_and_null_takes_it_back() {
        let mut metadata = ClientMetadata::default();

        assert_eq!(metadata.set("tos_uri", &json!("https://app.example/terms")), Ok(true));
        assert_eq!(
            serde_json::to_value(&metadata).unwrap()["tos_uri"],
            "https://app.example/terms"
        );
        assert_eq!(metadata.set("tos_uri", &json!(null)), Ok(true));
        assert_eq!(metadata, ClientMetadata::default());
        assert_eq!(metadata.set("tos", &json!("https://app.example/terms")), Ok(false));
        assert!(metadata.set("tos_uri", &json!(1)).is_err());
    }
}
