//! The output of `gatelodge client …`: the members of a client, and the lines for its environment.

use crate::admin::client::ClientView;
use crate::admin::issuer::IssuerView;
use crate::cli::catalogue::pasted;
use crate::cli::output::{Output, fields, printable, word};
use crate::oauth::client::AuthMethod;

const KEEP: &str = "Keep the secret now: it is not stored, and nobody can show it a second time.";

/// The output for a changed client, with its secret if it has a new one.
pub(super) fn changed(client: &ClientView) -> Output {
    noted(Output::new(text(client), client), client)
}

/// The output with what the operator should know beside it.
fn noted(output: Output, client: &ClientView) -> Output {
    let keep = client.client_secret.is_some().then(|| KEEP.to_owned());
    let own = client.setup.iter().flat_map(|setup| &setup.notes);
    let notes = own.chain(&client.notes).map(|note| printable(note));
    let lines: Vec<String> = keep.into_iter().chain(notes).collect();
    if lines.is_empty() { output } else { output.with_note(lines.join("\n")) }
}

/// The output for a new client, with what to paste on its side.
pub(super) fn added(issuer: Option<&IssuerView>, client: &ClientView) -> Output {
    if let Some(setup) = &client.setup {
        let text = format!("{}\n{}", text(client), pasted(&setup.settings));
        return noted(Output::new(text, client), client);
    }
    let mut text = format!("{}\n# paste this into the application's environment\n", text(client));
    for (variable, value) in [
        ("OIDC_ISSUER", word(&issuer.map(|view| &view.issuer))),
        ("OIDC_CLIENT_ID", word(&client.client_id)),
        ("OIDC_CLIENT_SECRET", word(&client.client_secret)),
        ("OIDC_REDIRECT_URI", word(&client.metadata.redirect_uris.first())),
        ("OIDC_SCOPE", word(&client.metadata.scope)),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{variable}={}\n", quoted(&value)));
        }
    }
    noted(Output::new(text, client), client)
}

pub(super) fn text(client: &ClientView) -> String {
    let ClientView { decisions, metadata, .. } = client;
    let signs = metadata.auth_method() == AuthMethod::PrivateKeyJwt;
    fields(&[
        ("client_id", word(&client.client_id)),
        ("client_secret", word(&client.client_secret)),
        ("name", word(&client.name)),
        ("client_type", word(&client.client_type)),
        ("application_type", word(&metadata.application_type)),
        ("contacts", word(&metadata.contacts)),
        ("client_uri", word(&metadata.client_uri)),
        ("initiate_login_uri", word(&metadata.initiate_login_uri)),
        ("redirect_uris", word(&metadata.redirect_uris)),
        ("post_logout_redirect_uris", word(&metadata.post_logout_redirect_uris)),
        ("backchannel_logout_uri", word(&metadata.backchannel_logout_uri)),
        (
            "backchannel_logout_session_required",
            word(&metadata.backchannel_logout_session_required),
        ),
        ("grant_types", word(&metadata.grant_types)),
        ("scope", word(&metadata.scope)),
        ("resources", word(&decisions.resources)),
        ("groups", word(&decisions.groups)),
        ("token_endpoint_auth_method", word(&metadata.token_endpoint_auth_method)),
        ("assertions", word(&signs.then_some(decisions.assertions))),
        ("jwks", word(&metadata.jwks)),
        ("jwks_uri", word(&metadata.jwks_uri)),
        ("first_party", word(&decisions.first_party)),
        ("confirmation_waived", word(&decisions.confirmation_waived)),
        ("anonymous", word(&decisions.anonymous)),
        ("introspect_any", word(&decisions.introspect_any)),
        (
            "require_pushed_authorization_requests",
            word(&metadata.require_pushed_authorization_requests),
        ),
        ("pkce", word(&decisions.pkce)),
        ("refresh", word(&decisions.refresh)),
        ("subject_type", word(&metadata.subject_type)),
        ("sector", word(&decisions.sector)),
        ("access_token_lifetime", word(&decisions.access_token_lifetime)),
        ("default_max_age", word(&metadata.default_max_age)),
        ("id_token_signed_response_alg", word(&metadata.id_token_signed_response_alg)),
        ("userinfo_signed_response_alg", word(&metadata.userinfo_signed_response_alg)),
        ("introspection_signed_response_alg", word(&metadata.introspection_signed_response_alg)),
        ("origin", word(&client.origin)),
        ("enabled", word(&client.enabled)),
        ("created", word(&client.created)),
    ])
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
