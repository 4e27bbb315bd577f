//! What an operator should know of a client before its first request is refused.

use crate::app::App;
use crate::error::{Error, shell_word};
use crate::flow::person::people;
use crate::model::email::PersonEmail;
use crate::oauth::client::{AssertionProfile, AuthMethod, ClientType, GrantType, PkcePolicy};
use crate::oauth::id::ClientId;
use crate::store::schema::Client;
use crate::store::{StoreError, View};

/// What is demanded of the client `id`, and what does not work, a line each.
pub(in crate::admin) fn of_client(
    app: &App,
    id: &ClientId,
    client: &Client,
) -> Result<Vec<String>, Error> {
    let word = shell_word(id.as_str());
    let has = |grant| client.metadata.has_grant_type(grant);
    let mut notes = Vec::new();
    if has(GrantType::AuthorizationCode) {
        notes.push(pkce(app.rules().pkce_policy(client), client, &word));
    }
    let view = app.read()?;
    let for_people = client.metadata.acts_for_people();
    if for_people && client.scope().has("email") {
        notes.extend(email(app, &view)?);
    }
    if for_people
        && client.scope().has("groups")
        && people::first(&view, |person| !person.groups.is_empty())?.is_none()
    {
        notes.push(
            "groups: nobody is in one, and the claim has the roles of a person alone; gatelodge user \
             set NAME --group GROUP"
                .to_owned(),
        );
    }
    let confidential = client.metadata.client_type() == ClientType::Confidential;
    if has(GrantType::DeviceCode) && confidential {
        notes.push(format!(
            "device_code: many programs on devices never send their secret; for one of those: \
             gatelodge client set {word} --auth none"
        ));
    }
    if client.metadata.auth_method() == AuthMethod::PrivateKeyJwt
        && client.decisions.assertions == AssertionProfile::Rfc10070
    {
        notes.push(format!(
            "private_key_jwt: its assertions name the issuer alone as aud, and have the typ \
             client-authentication+jwt (RFC 10070); for an older library, such as that of Spring \
             Security, zitadel or Authlib: gatelodge client set {word} --assertions rfc7523"
        ));
    }
    notes.extend(out_of_reach(app, client));
    Ok(notes)
}

/// What applications will miss in the e-mail addresses of people.
fn email(app: &App, view: &impl View) -> Result<Vec<String>, StoreError> {
    let policy = app.rules().config.policy.email_verified;
    let mut notes = Vec::new();
    if let Some(person) = people::first(view, |person| person.email.is_none())? {
        let name = person.username;
        notes.push(format!(
            "email: {name}, for one, has no address, and the claim is missing then; gatelodge user \
             set {name} --email ADDRESS"
        ));
    }
    let unverified = |email: &PersonEmail| !email.is_verified(policy);
    if let Some(person) =
        people::first(view, |person| person.email.as_ref().is_some_and(unverified))?
    {
        let name = person.username;
        notes.push(format!(
            "email: nobody vouches for the address of {name}, for one, and some programs, such as \
             oauth2-proxy, refuse such a person; gatelodge user set {name} --email ADDRESS \
             --email-verified"
        ));
    }
    Ok(notes)
}

fn pkce(policy: PkcePolicy, client: &Client, word: &str) -> String {
    let needed = "PKCE: each request has to bring a code_challenge (S256)";
    match (policy, client.metadata.client_type()) {
        (PkcePolicy::Required, ClientType::Confidential) => format!(
            "{needed}; for a program that cannot: gatelodge client set {word} --pkce nonce, or --pkce \
             optional if it sends no nonce either"
        ),
        (_, ClientType::Public) => needed.to_owned(),
        (PkcePolicy::Nonce, _) => format!("{needed}, or a nonce beside the scope openid"),
        (PkcePolicy::Optional, _) => {
            "PKCE: a request without code_challenge and nonce has to bring a state, which alone \
             protects it then"
                .to_owned()
        }
    }
}

/// The addresses of a client to which this server will not go, a line each with the reason.
pub(in crate::admin) fn out_of_reach(app: &App, client: &Client) -> Vec<String> {
    let metadata = &client.metadata;
    let addresses = [
        ("backchannel_logout_uri", &metadata.backchannel_logout_uri, "no logout is told there"),
        ("jwks_uri", &metadata.jwks_uri, "no keys are had from there"),
    ];
    let mut notes = Vec::new();
    for (member, uri, what) in addresses {
        let Some(url) = uri.as_ref().and_then(|uri| uri.url()) else { continue };
        if let Err(error) = app.fetcher().check(client.named_by(), &url) {
            notes.push(format!("{member}: {what}, since {error}"));
        }
    }
    notes
}
