//! What an operator should know of a client before its first request is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{Error, shell_word};
use crate::flow::person::people;
use crate::model::email::PersonEmail;
use crate::oauth::client::{AssertionProfile, AuthMethod, ClientType, GrantType, PkcePolicy};
use crate::oauth::id::ClientId;
use crate::store::schema::Client;
use crate::store::{StoreError, View};

/// Something that an operator should know of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ClientNoteView {
    /// What is the matter.
    pub(crate) note: NoteKind,
    /// The note as a sentence, with what it is about in front, and the way on.
    pub(crate) sentence: String,
    /// The values in the sentence, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) values: BTreeMap<String, String>,
}

/// The kinds of notes: each with its name on the wire, the values in its sentence, and the sentence.
macro_rules! notes {
    ($($(#[$doc:meta])* $Name:ident = $name:literal $(($($value:ident),+))? => $sentence:literal;)*) => {
        /// What can be the matter with a client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub(crate) enum NoteKind {
            $($(#[$doc])* #[serde(rename = $name)] $Name,)*
        }

        impl NoteKind {
            /// Every kind.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$Name),*];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$Name => $name,)* }
            }

            /// The names of the values in its sentence.
            pub(crate) const fn values(self) -> &'static [&'static str] {
                match self { $(Self::$Name => &[$($(stringify!($value)),+)?],)* }
            }

            /// Its sentence, with the names of values in braces.
            pub(crate) const fn sentence(self) -> &'static str {
                match self { $(Self::$Name => $sentence,)* }
            }
        }
    };
}

notes! {
    /// Its assertions are those of RFC 10070, which older libraries do not make.
    AssertionsNew = "assertions_new" (client) =>
        "private_key_jwt: its assertions name the issuer alone as aud, and have the typ \
         client-authentication+jwt (RFC 10070); for an older library, such as that of Spring \
         Security, zitadel or Authlib: gatelodge client set {client} --assertions rfc7523";
    /// It is for devices, and has a secret.
    DeviceSecret = "device_secret" (client) =>
        "device_code: many programs on devices never send their secret; for one of those: \
         gatelodge client set {client} --auth none";
    /// It learns e-mail addresses, and somebody has none.
    EmailMissing = "email_missing" (person) =>
        "email: {person}, for one, has no address, and the claim is missing then; gatelodge user \
         set {person} --email ADDRESS";
    /// It learns e-mail addresses, and nobody vouches for somebody's.
    EmailUnverified = "email_unverified" (person) =>
        "email: nobody vouches for the address of {person}, for one, and some programs, such as \
         oauth2-proxy, refuse such a person; gatelodge user set {person} --email ADDRESS \
         --email-verified";
    /// It learns groups, and nobody is in one.
    GroupsEmpty = "groups_empty" =>
        "groups: nobody is in one, and the claim has the roles of a person alone; gatelodge user \
         set NAME --group GROUP";
    /// The server does not go to the address of its keys.
    KeysOutOfReach = "keys_out_of_reach" (reason) =>
        "jwks_uri: no keys are had from there, since {reason}";
    /// The server does not go to the address of its logouts.
    LogoutOutOfReach = "logout_out_of_reach" (reason) =>
        "backchannel_logout_uri: no logout is told there, since {reason}";
    /// It needs a challenge, and no other policy fits a public client.
    Pkce = "pkce" => "PKCE: each request has to bring a code_challenge (S256)";
    /// It needs a challenge, unless an operator says otherwise.
    PkceByDefault = "pkce_by_default" (client) =>
        "PKCE: each request has to bring a code_challenge (S256); for a program that cannot: \
         gatelodge client set {client} --pkce nonce, or --pkce optional if it sends no nonce either";
    /// It needs a challenge or a nonce.
    PkceOrNonce = "pkce_or_nonce" =>
        "PKCE: each request has to bring a code_challenge (S256), or a nonce beside the scope openid";
    /// Without both it needs a state.
    PkceOrState = "pkce_or_state" =>
        "PKCE: a request without code_challenge and nonce has to bring a state, which alone \
         protects it then";
    /// What else there is to know could not be read.
    Unread = "unread" (reason) => "what will be demanded of it could not be read: {reason}";
}

impl ClientNoteView {
    /// The note with its values.
    pub(in crate::admin) fn new<const N: usize>(
        note: NoteKind,
        values: [(&'static str, String); N],
    ) -> Self {
        debug_assert!(values.iter().map(|(name, _)| *name).eq(note.values().iter().copied()));
        let mut sentence = note.sentence().to_owned();
        for (name, value) in &values {
            sentence = sentence.replace(&format!("{{{name}}}"), value);
        }
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { note, sentence, values }
    }
}

/// What is demanded of the client `id`, and what does not work.
pub(in crate::admin) fn of_client(
    app: &App,
    id: &ClientId,
    client: &Client,
) -> Result<Vec<ClientNoteView>, Error> {
    let named = || [("client", shell_word(id.as_str()).into_owned())];
    let has = |grant| client.metadata.has_grant_type(grant);
    let mut notes = Vec::new();
    if has(GrantType::AuthorizationCode) {
        let public = client.metadata.client_type() == ClientType::Public;
        notes.push(match app.rules().pkce_policy(client) {
            _ if public => ClientNoteView::new(NoteKind::Pkce, []),
            PkcePolicy::Required => ClientNoteView::new(NoteKind::PkceByDefault, named()),
            PkcePolicy::Nonce => ClientNoteView::new(NoteKind::PkceOrNonce, []),
            PkcePolicy::Optional => ClientNoteView::new(NoteKind::PkceOrState, []),
        });
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
        notes.push(ClientNoteView::new(NoteKind::GroupsEmpty, []));
    }
    let confidential = client.metadata.client_type() == ClientType::Confidential;
    if has(GrantType::DeviceCode) && confidential {
        notes.push(ClientNoteView::new(NoteKind::DeviceSecret, named()));
    }
    if client.metadata.auth_method() == AuthMethod::PrivateKeyJwt
        && client.decisions.assertions == AssertionProfile::Rfc10070
    {
        notes.push(ClientNoteView::new(NoteKind::AssertionsNew, named()));
    }
    notes.extend(out_of_reach(app, client));
    Ok(notes)
}

/// What applications will miss in the e-mail addresses of people.
fn email(app: &App, view: &impl View) -> Result<Vec<ClientNoteView>, StoreError> {
    let policy = app.rules().config.policy.email_verified;
    let mut notes = Vec::new();
    if let Some(person) = people::first(view, |person| person.email.is_none())? {
        let named = [("person", person.username.to_string())];
        notes.push(ClientNoteView::new(NoteKind::EmailMissing, named));
    }
    let unverified = |email: &PersonEmail| !email.is_verified(policy);
    if let Some(person) =
        people::first(view, |person| person.email.as_ref().is_some_and(unverified))?
    {
        let named = [("person", person.username.to_string())];
        notes.push(ClientNoteView::new(NoteKind::EmailUnverified, named));
    }
    Ok(notes)
}

/// The addresses of a client to which this server will not go, each with the reason.
pub(in crate::admin) fn out_of_reach(app: &App, client: &Client) -> Vec<ClientNoteView> {
    let metadata = &client.metadata;
    let addresses = [
        (NoteKind::LogoutOutOfReach, &metadata.backchannel_logout_uri),
        (NoteKind::KeysOutOfReach, &metadata.jwks_uri),
    ];
    let mut notes = Vec::new();
    for (note, uri) in addresses {
        let Some(url) = uri.as_ref().and_then(|uri| uri.url()) else { continue };
        if let Err(error) = app.fetcher().check(client.named_by(), &url) {
            notes.push(ClientNoteView::new(note, [("reason", error.to_string())]));
        }
    }
    notes
}
