//! What the files of other servers become: a document that is applied, and a list of what does not
//! come along. Nothing is left out without a word.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::admin::exchange::NoteView;
use crate::error::shell_word;
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::email::Email;
use crate::model::person::Username;
use crate::oauth::client::ClientSecret;
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::web_uri::WebUri;

use super::source::Object;

/// The scopes that every installation knows and gives out for the person who signs in.
const SCOPES: &[&str] = &["email", "groups", "offline_access", "openid", "profile", "roles"];

/// The grants of this server.
const GRANTS: &[&str] = &[
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
];

/// The methods by which a client proves itself here.
const METHODS: &[&str] = &["client_secret_basic", "client_secret_post", "none", "private_key_jwt"];

/// A client of another server.
#[derive(Default)]
pub(super) struct FoundClient {
    /// How it proves itself, if that is said.
    pub(super) auth_method: Option<String>,
    /// Whether it is disabled.
    pub(super) disabled: bool,
    /// Whether it needs no consent.
    pub(super) first_party: bool,
    /// The grants, if they are said.
    pub(super) grants: Vec<String>,
    /// The groups whose people may use it.
    pub(super) groups: Vec<String>,
    /// Its home page.
    pub(super) home: Option<String>,
    /// Its id.
    pub(super) id: String,
    /// Whether it is public.
    pub(super) is_public: bool,
    /// Its other members, by the names of the operator's API.
    pub(super) members: Map<String, Value>,
    /// Its name.
    pub(super) name: Option<String>,
    /// Its redirect URIs after a logout.
    pub(super) post_logout: Vec<String>,
    /// Its redirect URIs.
    pub(super) redirect_uris: Vec<String>,
    /// Its scopes, if they are said.
    pub(super) scopes: Option<Vec<String>>,
    /// Its secret.
    pub(super) secret: FoundSecret,
}

/// The secret of a client of another server.
#[derive(Default)]
pub(super) enum FoundSecret {
    /// Another server has only its hash.
    Hashed,
    /// There is none in the file.
    #[default]
    Missing,
    /// In the clear.
    Plain(String),
}

/// A person of another server.
#[derive(Default)]
pub(super) struct FoundPerson {
    /// Their claims.
    pub(super) claims: Vec<(String, String)>,
    /// Whether they are disabled.
    pub(super) disabled: bool,
    /// Their display name.
    pub(super) display_name: Option<String>,
    /// Their e-mail address.
    pub(super) email: Option<String>,
    /// Whether the address is theirs, if that is said.
    pub(super) email_verified: Option<bool>,
    /// Their groups.
    pub(super) groups: Vec<String>,
    /// Whether they administer that server.
    pub(super) is_administrator: bool,
    /// What they sign in with there, such as a password.
    pub(super) proofs: Vec<String>,
    /// Their username.
    pub(super) username: String,
}

/// The document as it grows.
#[derive(Default)]
pub(super) struct Converter {
    clients: Map<String, Value>,
    emails: BTreeSet<String>,
    notes: Vec<NoteView>,
    usernames: BTreeSet<String>,
    users: Map<String, Value>,
}

impl Converter {
    /// Says what does not come along, or needs a hand.
    pub(super) fn note(&mut self, about: impl Into<String>, sentence: impl Into<String>) {
        let note = NoteView { about: about.into(), sentence: sentence.into() };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Names the members of an object that nobody took.
    pub(super) fn note_rest(&mut self, about: &str, object: &Object<'_>) {
        let rest = object.rest();
        if !rest.is_empty() {
            let rest = rest.join(", ");
            self.note(
                about,
                format!(
                    "this does not come along, and has to be set by hand if it is needed: {rest}"
                ),
            );
        }
    }

    /// The document, and what does not come along.
    pub(super) fn finish(mut self) -> (Map<String, Value>, Vec<NoteView>) {
        if !self.users.is_empty() {
            let sentence = "everybody gets another sub here: an application that knows people by it \
                            takes them for new ones, unless it finds them by e-mail address or username";
            self.note("users", sentence);
        }
        let Self { clients, notes, users, .. } = self;
        let mut document = Map::new();
        document.insert("clients".to_owned(), clients.into());
        document.insert("users".to_owned(), users.into());
        (document, notes)
    }

    /// The id that a client can have here: its own, or one that is made of its name.
    fn client_id(&mut self, found: &FoundClient) -> Option<String> {
        if ClientId::chosen(&found.id).is_ok() {
            return Some(found.id.clone());
        }
        let name = found.name.as_deref().unwrap_or(&found.id).to_lowercase();
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let id: String = name.chars().map(word).collect();
        let id = id.trim_matches('-').to_owned();
        let is_free = ClientId::chosen(&id).is_ok() && !self.clients.contains_key(&id);
        let about = format!("client {}", found.id);
        if !is_free {
            self.note(about, "its id cannot be one here, and so it is left out: gatelodge client add registers it");
            return None;
        }
        self.note(about, format!(
            "its id cannot be one here, since it has the form of something else: it is {id} now, which \
             its settings have to say"
        ));
        Some(id)
    }

    /// The redirect URIs that this server takes.
    fn redirect_uris(&mut self, about: &str, what: &str, written: &[String]) -> Vec<Value> {
        let mut uris: Vec<Value> = Vec::new();
        for uri in written {
            let why = if uri.contains('*') {
                "each one is named in full here, without a wildcard".to_owned()
            } else {
                match uri.parse::<RedirectUri>() {
                    Ok(_) => {
                        let uri = Value::from(uri.as_str());
                        if !uris.contains(&uri) {
                            uris.push(uri);
                        }
                        continue;
                    }
                    Err(refusal) => refusal.reason().into_owned(),
                }
            };
            self.note(about, format!("the {what} {uri} does not come along: {why}"));
        }
        uris
    }

    /// The names among `written` that there are here. The others are told.
    fn known(&mut self, about: &str, what: &str, written: &[String], known: &[&str]) -> Vec<Value> {
        let (own, others): (Vec<_>, Vec<_>) =
            written.iter().partition(|name| known.contains(&name.as_str()));
        if !others.is_empty() {
            let others: Vec<&str> = others.iter().map(|name| name.as_str()).collect();
            self.note(
                about,
                format!(
                    "it goes without the {what} {}, which there is not here",
                    others.join(", ")
                ),
            );
        }
        own.into_iter().map(|name| Value::from(name.as_str())).collect()
    }

    /// The groups that can be groups here.
    fn groups(&mut self, about: &str, written: &[String]) -> Vec<Value> {
        let mut groups: Vec<Value> = Vec::new();
        for group in written {
            match group.parse::<Group>() {
                Ok(_) => {
                    let group = Value::from(group.as_str());
                    if !groups.contains(&group) {
                        groups.push(group);
                    }
                }
                Err(refusal) => {
                    let reason = refusal.reason();
                    self.note(about, format!("the group {group:?} does not come along: {reason}"));
                }
            }
        }
        groups
    }

    /// Adds a client.
    pub(super) fn add_client(&mut self, found: &FoundClient) {
        let Some(id) = self.client_id(found) else { return };
        let about = format!("client {id}");
        if self.clients.contains_key(&id) {
            self.note(about, "the files have it twice: the first one counts");
            return;
        }
        let mut members = found.members.clone();
        let name = found.name.as_deref().filter(|name| name.parse::<DisplayName>().is_ok());
        members.insert("name".to_owned(), name.unwrap_or(&id).into());
        let uris = self.redirect_uris(&about, "redirect URI", &found.redirect_uris);
        let mut grants = self.known(&about, "grant", &found.grants, GRANTS);
        let says_grants = !found.grants.is_empty();
        if uris.is_empty() {
            grants.retain(|grant| grant != "authorization_code");
            let signs_in =
                !says_grants || found.grants.iter().any(|own| own == "authorization_code");
            if grants.is_empty() || grants == ["refresh_token"] {
                if signs_in || found.is_public {
                    let why = "it has no redirect URI that this server takes, and so it is left out: \
                               gatelodge client add registers it";
                    self.note(about, why);
                    return;
                }
                self.note(about, "it has no grant that there is here, and so it is left out");
                return;
            }
        } else if says_grants && !grants.iter().any(|grant| grant == "authorization_code") {
            grants.push("authorization_code".into());
            self.note(
                &about,
                "it signs people in by authorization_code alone, which its settings have to say",
            );
        }
        if !grants.iter().any(|grant| grant != "client_credentials" && grant != "refresh_token") {
            grants.retain(|grant| grant != "refresh_token");
        }
        if found.is_public && grants.iter().any(|grant| grant == "client_credentials") {
            grants.retain(|grant| grant != "client_credentials");
            self.note(
                &about,
                "it goes without the grant client_credentials, which a public client cannot have",
            );
        }
        if !uris.is_empty() {
            members.insert("redirect_uris".to_owned(), uris.into());
        }
        if !grants.is_empty() {
            members.insert("grant_types".to_owned(), grants.into());
        }
        let post_logout =
            self.redirect_uris(&about, "redirect URI after a logout", &found.post_logout);
        if !post_logout.is_empty() {
            members.insert("post_logout_redirect_uris".to_owned(), post_logout.into());
        }
        if let Some(home) = &found.home {
            match home.parse::<WebUri>() {
                Ok(_) => _ = members.insert("client_uri".to_owned(), home.as_str().into()),
                Err(_) => self.note(
                    &about,
                    format!("its address {home} does not come along: it is no web address"),
                ),
            }
        }
        if let Some(scopes) = &found.scopes {
            let scopes = self.known(&about, "scope", scopes, SCOPES);
            members.insert("scopes".to_owned(), scopes.into());
        }
        let groups = self.groups(&about, &found.groups);
        if !groups.is_empty() {
            members.insert("groups".to_owned(), groups.into());
        } else if !found.groups.is_empty() {
            // Everybody might use it otherwise.
            members.insert("enabled".to_owned(), false.into());
            self.note(
                &about,
                "it is disabled, since none of its groups came along: gatelodge client enable",
            );
        }
        if found.first_party {
            members.insert("first_party".to_owned(), true.into());
        }
        if found.disabled {
            members.insert("enabled".to_owned(), false.into());
        }
        self.add_proof(&about, &id, found, &mut members);
        self.clients.insert(id, members.into());
    }

    /// Says how a client proves itself.
    fn add_proof(
        &mut self,
        about: &str,
        id: &str,
        found: &FoundClient,
        members: &mut Map<String, Value>,
    ) {
        let method = found.auth_method.as_deref().filter(|_| !found.is_public);
        if found.is_public {
            members.insert("token_endpoint_auth_method".to_owned(), "none".into());
            return;
        }
        match method {
            Some("none") => {
                members.insert("token_endpoint_auth_method".to_owned(), "none".into());
                return;
            }
            Some(method) if METHODS.contains(&method) => {
                members.insert("token_endpoint_auth_method".to_owned(), method.into());
            }
            Some(method) => self.note(about, format!(
                "it proves itself by {method} there, which there is not here, and by its secret from now on"
            )),
            None => {}
        }
        if method == Some("private_key_jwt") {
            return;
        }
        let rotate = format!("gatelodge client rotate-secret {} prints a new one", shell_word(id));
        match &found.secret {
            FoundSecret::Plain(secret) if secret.parse::<ClientSecret>().is_ok() => {
                members.insert("client_secret".to_owned(), secret.as_str().into());
            }
            FoundSecret::Plain(_) => {
                self.note(about, format!("its secret has a form that none has here: {rotate}"));
            }
            FoundSecret::Hashed => self.note(about, format!(
                "its secret is hashed there in another way than here, and does not come along: {rotate}"
            )),
            FoundSecret::Missing => {
                self.note(about, format!("its secret is not in the file: {rotate}"));
            }
        }
    }

    /// Adds a person.
    pub(super) fn add_person(&mut self, found: &FoundPerson) {
        let about = format!("user {}", found.username);
        let Ok(username) = found.username.parse::<Username>() else {
            let why = "a username has 1 to 64 letters, digits and ._-@+ here, and so they are left out: \
                       gatelodge user add";
            self.note(about, why);
            return;
        };
        if !self.usernames.insert(username.folded().to_string()) {
            self.note(about, "the files have them twice: the first one counts");
            return;
        }
        let mut members = Map::new();
        if let Some(name) = &found.display_name {
            match name.parse::<DisplayName>() {
                Ok(_) => _ = members.insert("display_name".to_owned(), name.as_str().into()),
                Err(refusal) => self
                    .note(&about, format!("their name does not come along: {}", refusal.reason())),
            }
        }
        if let Some(email) = &found.email {
            match email.parse::<Email>() {
                Ok(address) if self.emails.insert(address.folded()) => {
                    members.insert("email".to_owned(), email.as_str().into());
                    if let Some(verified) = found.email_verified {
                        members.insert("email_verified".to_owned(), verified.into());
                    }
                }
                Ok(_) => self.note(
                    &about,
                    "their e-mail address is another person's, too, and does not come along",
                ),
                Err(_) => self.note(
                    &about,
                    format!("their e-mail address {email:?} does not come along: it is none"),
                ),
            }
        }
        let groups = self.groups(&about, &found.groups);
        if !groups.is_empty() {
            members.insert("groups".to_owned(), groups.into());
        }
        let mut claims = Map::new();
        for (name, value) in &found.claims {
            if name.parse::<ClaimName>().is_ok() && value.parse::<ClaimValue>().is_ok() {
                claims.insert(name.clone(), json!(value));
            } else {
                self.note(
                    &about,
                    format!("the claim {name} does not come along: it cannot be one here"),
                );
            }
        }
        if !claims.is_empty() {
            members.insert("claims".to_owned(), claims.into());
        }
        if found.disabled {
            members.insert("disabled".to_owned(), true.into());
        }
        if found.is_administrator {
            self.note(&about, format!(
                "they administer that server, and not this one: gatelodge user set {username} --add-role \
                 admin lets them"
            ));
        }
        if !found.proofs.is_empty() {
            let proofs = found.proofs.join(", ");
            self.note(
                &about,
                format!(
                    "this does not come along: {proofs}. A setup link lets them make a passkey"
                ),
            );
        }
        self.users.insert(username.to_string(), members.into());
    }
}
