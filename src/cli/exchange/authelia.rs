//! The files of Authelia: its configuration with `identity_providers.oidc.clients`, and its database
//! of users.

use serde_json::Value;

use super::dex::owned;
use super::foreign::{Converter, FoundClient, FoundPerson, FoundSecret};
use super::source::{Object, Source};
use crate::cli::output::Failure;

/// The settings of that server itself.
const SETTINGS: &[&str] = &[
    "access_control",
    "authentication_backend",
    "certificates_directory",
    "default_2fa_method",
    "definitions",
    "duo_api",
    "identity_validation",
    "jwt_secret",
    "log",
    "notifier",
    "ntp",
    "password_policy",
    "privacy_policy",
    "regulation",
    "server",
    "session",
    "storage",
    "telemetry",
    "theme",
    "totp",
    "webauthn",
];

/// The claims of a person, by the names there and here.
const CLAIMS: &[(&str, &str)] = &[
    ("birthdate", "birthdate"),
    ("family_name", "family_name"),
    ("gender", "gender"),
    ("given_name", "given_name"),
    ("locale", "locale"),
    ("middle_name", "middle_name"),
    ("nickname", "nickname"),
    ("phone_number", "phone_number"),
    ("picture", "picture"),
    ("profile", "profile"),
    ("website", "website"),
    ("zoneinfo", "zoneinfo"),
];

/// Converts a file of either kind.
pub(super) fn convert(source: &Source, into: &mut Converter) -> Result<(), Failure> {
    let root = source.root()?;
    root.skip(SETTINGS);
    if let Some(providers) = root.child("identity_providers")?
        && let Some(oidc) = providers.child("oidc")?
    {
        // Its keys, lifetimes and policies are settings of the server.
        oidc.skip(&["authorization_policies", "claims_policies", "cors", "hmac_secret", "jwks"]);
        oidc.skip(&["lifespans", "issuer_private_key", "issuer_certificate_chain", "scopes"]);
        oidc.skip(&["enable_client_debug_messages", "minimum_parameter_entropy"]);
        oidc.skip(&[
            "enforce_pkce",
            "enable_pkce_plain_challenge",
            "require_pushed_authorization_requests",
        ]);
        for client in oidc.objects("clients")? {
            self::client(&client, into)?;
        }
        into.note_rest("identity_providers.oidc", &oidc);
    }
    for (username, person) in root.entries("users")? {
        self::person(username, &person, into)?;
    }
    into.note_rest("the file", &root);
    Ok(())
}

fn client(object: &Object<'_>, into: &mut Converter) -> Result<(), Failure> {
    // Before version 4.38 the members had shorter names.
    let id = match object.text("client_id")? {
        Some(id) => id,
        None => match object.text("id")? {
            Some(id) => id,
            None => object.needed("client_id")?,
        },
    };
    let about = format!("client {id}");
    let name = object.text("client_name")?.or(object.text("description")?);
    let secret = match object.text("client_secret")?.or(object.text("secret")?) {
        None => FoundSecret::Missing,
        Some(secret) => match secret.strip_prefix("$plaintext$") {
            Some(plain) => FoundSecret::Plain(plain.to_owned()),
            None if secret.starts_with('$') => FoundSecret::Hashed,
            // Before version 4.37 it stood there as it is.
            None => FoundSecret::Plain(secret.to_owned()),
        },
    };
    let mut disabled = false;
    match object.text("authorization_policy")? {
        None | Some("one_factor" | "two_factor") => {}
        Some("deny") => disabled = true,
        Some(policy) => {
            disabled = true;
            into.note(&about, format!(
                "it is disabled, since who may use it does not come along (authorization_policy {policy}): \
                 gatelodge client set {id} --group GROUP, and gatelodge client enable {id}"
            ));
        }
    }
    let responses = object.texts("response_types")?;
    if responses.iter().any(|types| types.split(' ').any(|own| own != "code")) {
        into.note(&about, "it gets a code alone here, and no token at once (response_types)");
    }
    let mut members = serde_json::Map::new();
    if object.flag("require_pkce")? == Some(true) {
        members.insert("pkce".to_owned(), "required".into());
    }
    if object.flag("require_pushed_authorization_requests")? == Some(true) {
        members.insert("require_pushed_authorization_requests".to_owned(), true.into());
    }
    match object.text("pkce_challenge_method")? {
        None | Some("S256") => {}
        Some(method) => {
            into.note(&about, format!("PKCE by {method} does not come along: S256 is asked here"));
        }
    }
    for member in ["id_token_signed_response_alg", "userinfo_signed_response_alg"] {
        match object.text(member)? {
            None | Some("none") => {}
            Some(alg @ ("EdDSA" | "ES256" | "RS256")) => {
                members.insert(member.to_owned(), Value::from(alg));
            }
            Some(alg) => into.note(&about, format!("nothing is signed by {alg} here ({member})")),
        }
    }
    if let Some(uri) = object.text("jwks_uri")? {
        members.insert("jwks_uri".to_owned(), uri.into());
    }
    object.skip(&["access_token_signed_response_alg", "authorization_signed_response_alg"]);
    object.skip(&[
        "introspection_signed_response_alg",
        "response_modes",
        "revocation_endpoint_auth_method",
    ]);
    object.skip(&["introspection_endpoint_auth_method", "token_endpoint_auth_signing_alg"]);
    object.skip(&["id_token_signed_response_key_id", "userinfo_signed_response_key_id"]);
    object.skip(&["consent_mode", "pre_configured_consent_duration"]);
    into.add_client(&FoundClient {
        auth_method: object.text("token_endpoint_auth_method")?.map(str::to_owned),
        disabled,
        grants: owned(&object.texts("grant_types")?),
        id: id.to_owned(),
        is_public: object.flag("public")?.unwrap_or_default(),
        members,
        name: name.map(str::to_owned),
        redirect_uris: owned(&object.texts("redirect_uris")?),
        scopes: object
            .has("scopes")
            .then(|| object.texts("scopes"))
            .transpose()?
            .map(|own| owned(&own)),
        secret,
        ..FoundClient::default()
    });
    into.note_rest(&about, object);
    Ok(())
}

fn person(username: &str, object: &Object<'_>, into: &mut Converter) -> Result<(), Failure> {
    let mut claims = Vec::new();
    for (there, here) in CLAIMS {
        if let Some(value) = object.text(there)? {
            claims.push(((*here).to_owned(), value.to_owned()));
        }
    }
    object.skip(&["password"]);
    into.add_person(&FoundPerson {
        claims,
        disabled: object.flag("disabled")?.unwrap_or_default(),
        display_name: object.text("displayname")?.map(str::to_owned),
        email: object.text("email")?.map(str::to_owned),
        groups: owned(&object.texts("groups")?),
        proofs: vec!["their password".to_owned(), "their second factors".to_owned()],
        username: username.to_owned(),
        ..FoundPerson::default()
    });
    into.note_rest(&format!("user {username}"), object);
    Ok(())
}
