//! A client as it is read by people: its members in their order, and what is pasted into the
//! environment of its application.

use serde_json::{Value, json};

use super::ClientView;
use crate::admin::catalogue::SetupView;
use crate::oauth::client::AuthMethod;
use crate::oauth::issuer::Issuer;

impl ClientView {
    /// Its members in the order in which people read them. Null: it has none.
    pub(crate) fn members(&self) -> Vec<(&'static str, Value)> {
        let ClientView { decisions, metadata, .. } = self;
        let logo = self.logo.as_ref().map(|logo| format!("{}, {} bytes", logo.kind, logo.bytes));
        let signs = metadata.auth_method() == AuthMethod::PrivateKeyJwt;
        vec![
            ("client_id", json!(self.client_id)),
            ("client_secret", json!(self.client_secret)),
            ("name", json!(self.name)),
            ("client_type", json!(self.client_type)),
            ("application_type", json!(metadata.application_type)),
            ("logo", json!(logo)),
            ("contacts", json!(metadata.contacts)),
            ("client_uri", json!(metadata.client_uri)),
            ("initiate_login_uri", json!(metadata.initiate_login_uri)),
            ("redirect_uris", json!(metadata.redirect_uris)),
            ("post_logout_redirect_uris", json!(metadata.post_logout_redirect_uris)),
            ("backchannel_logout_uri", json!(metadata.backchannel_logout_uri)),
            (
                "backchannel_logout_session_required",
                json!(metadata.backchannel_logout_session_required),
            ),
            ("grant_types", json!(metadata.grant_types)),
            ("scope", json!(metadata.scope)),
            ("resources", json!(decisions.resources)),
            ("groups", json!(decisions.groups)),
            ("token_endpoint_auth_method", json!(metadata.token_endpoint_auth_method)),
            ("assertions", json!(signs.then_some(decisions.assertions))),
            ("jwks", json!(metadata.jwks)),
            ("jwks_uri", json!(metadata.jwks_uri)),
            ("first_party", json!(decisions.first_party)),
            ("confirmation_waived", json!(decisions.confirmation_waived)),
            ("anonymous", json!(decisions.anonymous)),
            ("introspect_any", json!(decisions.introspect_any)),
            (
                "require_pushed_authorization_requests",
                json!(metadata.require_pushed_authorization_requests),
            ),
            ("pkce", json!(decisions.pkce)),
            ("refresh", json!(decisions.refresh)),
            ("subject_type", json!(metadata.subject_type)),
            ("sector", json!(decisions.sector)),
            ("access_token_lifetime", json!(decisions.access_token_lifetime)),
            ("default_max_age", json!(metadata.default_max_age)),
            ("id_token_signed_response_alg", json!(metadata.id_token_signed_response_alg)),
            ("userinfo_signed_response_alg", json!(metadata.userinfo_signed_response_alg)),
            (
                "introspection_signed_response_alg",
                json!(metadata.introspection_signed_response_alg),
            ),
            ("origin", json!(self.origin)),
            ("enabled", json!(self.enabled)),
            ("created", json!(self.created)),
        ]
    }

    /// What is pasted into its application, without the secret, if the catalogue knows that application.
    pub(crate) fn pasted(&self, issuer: &Issuer) -> Option<SetupView> {
        let id = self.client_id.parse().ok()?;
        let home = self.metadata.client_uri.as_ref().map(|uri| uri.as_str());
        let uris: Vec<_> = self.metadata.redirect_uris.iter().map(|uri| uri.as_str()).collect();
        SetupView::of_addresses(issuer, &id, (&self.name, home), &uris)
    }

    /// The lines for the environment of its application, for a shell as well as for an env file.
    pub(crate) fn environment(&self, issuer: Option<&str>) -> String {
        let redirect_uri = self.metadata.redirect_uris.first();
        let scope = self.metadata.scope.as_ref().map(ToString::to_string);
        let lines = [
            ("OIDC_ISSUER", issuer),
            ("OIDC_CLIENT_ID", Some(self.client_id.as_str())),
            ("OIDC_CLIENT_SECRET", self.client_secret.as_deref()),
            ("OIDC_REDIRECT_URI", redirect_uri.map(|uri| uri.as_str())),
            ("OIDC_SCOPE", scope.as_deref()),
        ];
        let given = lines.into_iter().filter_map(|(variable, value)| Some((variable, value?)));
        let given = given.filter(|(_, value)| !value.is_empty());
        given.map(|(variable, value)| format!("{variable}={}\n", quoted(value))).collect()
    }
}

/// `value`, quoted for both a shell and an env file.
fn quoted(value: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/@%+=,[]".contains(&b);
    if value.bytes().all(bare) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_quotes_survives_the_shell() {
        assert_eq!(quoted("http://localhost:1/a"), "http://localhost:1/a");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
