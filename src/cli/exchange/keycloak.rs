//! The export of a realm of Keycloak: clients, users, and the groups and realm roles that people
//! have.

use super::dex::owned;
use super::foreign::{Converter, FoundClient, FoundPerson, FoundSecret};
use super::source::{Object, Source};
use crate::cli::output::Failure;

/// The clients that Keycloak makes for itself.
const ITS_OWN: &[&str] = &[
    "account",
    "account-console",
    "admin-cli",
    "broker",
    "realm-management",
    "security-admin-console",
];

/// The roles that Keycloak makes for itself.
const ITS_ROLES: &[&str] = &["offline_access", "uma_authorization"];

/// What of a client is about Keycloak alone.
const OF_CLIENT: &[&str] = &[
    "access",
    "alwaysDisplayInConsole",
    "authorizationServicesEnabled",
    "defaultClientScopes",
    "description",
    "frontchannelLogout",
    "fullScopeAllowed",
    "id",
    "nodeReRegistrationTimeout",
    "notBefore",
    "optionalClientScopes",
    "origin",
    "protocol",
    "surrogateAuthRequired",
    "webOrigins",
];

/// Converts a realm.
pub(super) fn convert(source: &Source, into: &mut Converter) -> Result<(), Failure> {
    let root = source.root()?;
    let realm = root.needed("realm")?;
    for client in root.objects("clients")? {
        self::client(&client, into)?;
    }
    for person in root.objects("users")? {
        self::person(&person, realm, into)?;
    }
    for provider in root.objects("identityProviders")? {
        let name = provider.text("alias")?.unwrap_or("without a name");
        let why = "nobody signs in by another server here: whoever did gets an account, or an invitation \
                   (gatelodge invite add)";
        into.note(format!("identity provider {name}"), why);
    }
    let scopes = root.objects("clientScopes")?;
    let custom = scopes.iter().filter_map(|scope| scope.text("name").ok().flatten());
    let custom: Vec<_> = custom.filter(|name| !BUILT_IN_SCOPES.contains(name)).collect();
    if !custom.is_empty() {
        into.note(
            "client scopes",
            format!(
                "these do not come along: {}. A file for gatelodge apply defines scopes",
                custom.join(", ")
            ),
        );
    }
    if root.has("users") && root.has("roles") {
        into.note("realm roles", "each one that somebody has is a group of the same name here");
    }
    if root.has("components") {
        into.note("the file", "user federation and the settings of the realm do not come along");
    }
    Ok(())
}

/// The client scopes that every realm has.
const BUILT_IN_SCOPES: &[&str] = &[
    "acr",
    "address",
    "basic",
    "email",
    "microprofile-jwt",
    "offline_access",
    "organization",
    "phone",
    "profile",
    "role_list",
    "roles",
    "saml_organization",
    "service_account",
    "web-origins",
];

fn client(object: &Object<'_>, into: &mut Converter) -> Result<(), Failure> {
    let id = object.needed("clientId")?;
    if ITS_OWN.contains(&id) || id.ends_with("-realm") {
        into.note("the file", "the clients of Keycloak itself are left out");
        return Ok(());
    }
    let about = format!("client {id}");
    if object.text("protocol")?.is_some_and(|protocol| protocol != "openid-connect") {
        into.note(about, "it does not speak OpenID Connect, and so it is left out");
        return Ok(());
    }
    if object.flag("bearerOnly")? == Some(true) {
        into.note(
            about,
            "it is an API that takes tokens, and so it is left out: gatelodge resource add",
        );
        return Ok(());
    }
    object.skip(OF_CLIENT);
    let mut grants = Vec::new();
    let mut add = |says: bool, grant: &str| {
        if says {
            grants.push(grant.to_owned());
        }
    };
    let signs_in = object.flag("standardFlowEnabled")?.unwrap_or(true);
    add(signs_in, "authorization_code");
    add(signs_in, "refresh_token");
    add(object.flag("serviceAccountsEnabled")? == Some(true), "client_credentials");
    let mut post_logout = Vec::new();
    let mut members = serde_json::Map::new();
    if let Some(attributes) = object.child("attributes")? {
        let device = attributes.flag("oauth2.device.authorization.grant.enabled")? == Some(true);
        add(device, "urn:ietf:params:oauth:grant-type:device_code");
        let uris = attributes.text("post.logout.redirect.uris")?.unwrap_or_default();
        post_logout.extend(uris.split("##").filter(|uri| !uri.is_empty()).map(str::to_owned));
        if attributes.text("pkce.code.challenge.method")? == Some("S256") {
            members.insert("pkce".to_owned(), "required".into());
        }
        if let Some(uri) = attributes.text("backchannel.logout.url")? {
            members.insert("backchannel_logout_uri".to_owned(), uri.into());
        }
        if let Some(uri) = attributes.text("jwks.url")? {
            members.insert("jwks_uri".to_owned(), uri.into());
        }
    }
    if object.flag("implicitFlowEnabled")? == Some(true) {
        into.note(&about, "it gets a code alone here, and no token at once (implicit flow)");
    }
    if object.flag("directAccessGrantsEnabled")? == Some(true) {
        into.note(
            &about,
            "it cannot send people's passwords here (direct access grants): it sends people to \
                           this server, or uses the device grant",
        );
    }
    if !object.objects("protocolMappers")?.is_empty() {
        into.note(
            &about,
            "its mappers do not come along: gatelodge user set NAME --claim gives people claims",
        );
    }
    let root = object.text("rootUrl")?.filter(|root| !root.contains("${"));
    let home = object.text("baseUrl")?.filter(|url| url.contains("://")).or(root);
    object.skip(&["adminUrl", "authenticationFlowBindingOverrides", "consentRequired"]);
    let resolve = |uri: &str| match root {
        Some(root) if uri.starts_with('/') => format!("{}{uri}", root.trim_end_matches('/')),
        Some(_) | None => uri.to_owned(),
    };
    if post_logout == ["+"] {
        post_logout = owned(&object.texts("redirectUris")?);
    }
    let method = match object.text("clientAuthenticatorType")? {
        Some("client-jwt") => Some("private_key_jwt".to_owned()),
        Some("client-x509") => Some("tls_client_auth".to_owned()),
        Some(_) | None => None,
    };
    into.add_client(&FoundClient {
        auth_method: method,
        disabled: object.flag("enabled")? == Some(false),
        grants,
        home: home.map(str::to_owned),
        id: id.to_owned(),
        is_public: object.flag("publicClient")?.unwrap_or_default(),
        members,
        name: object.text("name")?.filter(|name| !name.contains("${")).map(str::to_owned),
        post_logout: post_logout.iter().map(|uri| resolve(uri)).collect(),
        redirect_uris: object.texts("redirectUris")?.iter().map(|uri| resolve(uri)).collect(),
        secret: match object.text("secret")? {
            // An export from the console masks it.
            Some(secret) if secret.bytes().any(|byte| byte != b'*') => {
                FoundSecret::Plain(secret.to_owned())
            }
            Some(_) | None => FoundSecret::Missing,
        },
        ..FoundClient::default()
    });
    into.note_rest(&about, object);
    Ok(())
}

fn person(object: &Object<'_>, realm: &str, into: &mut Converter) -> Result<(), Failure> {
    if object.text("serviceAccountClientId")?.is_some() {
        // The client acts for itself.
        return Ok(());
    }
    let username = object.needed("username")?;
    let about = format!("user {username}");
    let (first, last) = (object.text("firstName")?, object.text("lastName")?);
    let names: Vec<&str> = [first, last].into_iter().flatten().collect();
    let mut groups: Vec<String> = object
        .texts("groups")?
        .iter()
        .map(|path| path.trim_start_matches('/').to_owned())
        .collect();
    let of_realm = format!("default-roles-{}", realm.to_lowercase());
    let roles = object.texts("realmRoles")?;
    groups.extend(
        roles
            .iter()
            .filter(|role| !ITS_ROLES.contains(role) && **role != of_realm)
            .map(|role| (*role).to_owned()),
    );
    for client in object.names("clientRoles")? {
        if !ITS_OWN.contains(&client) {
            into.note(&about, format!("their roles of the client {client} do not come along: a group may stand for one"));
        }
    }
    let mut proofs = Vec::new();
    for credential in object.objects("credentials")? {
        let proof = match credential.text("type")? {
            Some("password") => "their password",
            Some("otp") => "their codes of an authenticator app",
            Some("webauthn" | "webauthn-passwordless") => "their passkey",
            Some(_) | None => "another proof of theirs",
        };
        if !proofs.iter().any(|own| own == proof) {
            proofs.push(proof.to_owned());
        }
    }
    for identity in object.objects("federatedIdentities")? {
        let provider = identity.text("identityProvider")?.unwrap_or("another server");
        proofs.push(format!("their sign-in by {provider}"));
    }
    if object.text("federationLink")?.is_some() {
        proofs.push("their sign-in by the directory".to_owned());
    }
    let mut claims = Vec::new();
    let named = [("given_name", first), ("family_name", last)];
    claims.extend(
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))),
    );
    if let Some(attributes) = object.child("attributes")? {
        if let [locale] = attributes.texts("locale")?.as_slice() {
            claims.push(("locale".to_owned(), (*locale).to_owned()));
        }
        let rest = attributes.rest();
        if !rest.is_empty() {
            into.note(&about, format!(
                "these attributes do not come along: {}. gatelodge user set {username} --claim NAME=VALUE \
                 gives them as claims",
                rest.join(", ")
            ));
        }
    }
    object.skip(&["access", "createdTimestamp", "disableableCredentialTypes", "id", "notBefore"]);
    object.skip(&["requiredActions", "self", "totp", "clientConsents"]);
    into.add_person(&FoundPerson {
        claims,
        disabled: object.flag("enabled")? == Some(false),
        display_name: (!names.is_empty()).then(|| names.join(" ")),
        email: object.text("email")?.map(str::to_owned),
        email_verified: object.flag("emailVerified")?,
        groups,
        proofs,
        username: username.to_owned(),
        ..FoundPerson::default()
    });
    into.note_rest(&about, object);
    Ok(())
}
