//! `/api/v1/catalogue`: what is known of applications, and the client that is made of an entry.

use std::collections::BTreeMap;

use axum::Json;
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Failed;
use super::by::{By, ReadClients};
use super::listing::{ListView, Noun, Query, Unfiltered};
use super::request::Named;
use crate::error::{Error, Internal, Refusal};
use crate::model::catalogue::{ApplicationSettings, KnownApplication, Values, fits};
use crate::model::near::nearest;
use crate::oauth::id::ClientId;
use crate::oauth::issuer::Issuer;
use crate::oauth::metadata::Metadata;
use crate::oauth::scope::Scope;
use crate::store::Listing;

/// The most names that a refusal lists.
const MAX_NAMES: usize = 5;

#[derive(RustEmbed)]
#[folder = "assets/applications/"]
struct Files;

/// An entry of the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EntryView {
    /// Its name, by which it is chosen.
    pub(crate) name: String,
    /// What is known of it.
    #[serde(flatten)]
    pub(crate) application: KnownApplication,
}

impl Noun for EntryView {
    const PLURAL: &'static str = "catalogue";
}

/// The entry that a client is made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryChoice {
    /// Its name.
    pub(crate) name: String,
    /// What is chosen of its options.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    /// The address at which the application is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// What to do on the side of an application, with the values of its client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SetupView {
    /// The name of the entry.
    pub(crate) name: String,
    /// What else to know, a line each.
    pub(crate) notes: Vec<String>,
    /// What to paste.
    pub(crate) settings: Vec<ApplicationSettings>,
}

/// An entry that was chosen, with the values of its options.
pub(super) struct Chosen {
    entry: EntryView,
    options: BTreeMap<String, String>,
    url: Option<String>,
}

/// The names of the entries, sorted.
pub(crate) fn names() -> Vec<String> {
    let name = |file: std::borrow::Cow<'static, str>| file.strip_suffix(".toml").map(str::to_owned);
    let mut names: Vec<String> = Files::iter().filter_map(name).collect();
    names.sort_unstable();
    names
}

/// The entry of that name.
///
/// # Errors
///
/// [`Refusal::CatalogueEntryNotFound`], with the names that are nearest.
pub(crate) fn entry(name: &str) -> Result<EntryView, Error> {
    let names = names();
    if !names.iter().any(|own| own == name) {
        let near = nearest(name, names, MAX_NAMES);
        return Err(Error::with_known(Refusal::CatalogueEntryNotFound, near));
    }
    let file = Files::get(&format!("{name}.toml"));
    let text = file.as_ref().and_then(|file| std::str::from_utf8(&file.data).ok());
    let application = KnownApplication::parse(text.unwrap_or_default())
        .map_err(|fault| Internal::new(format!("the catalogue's {name}: {fault}")))?;
    Ok(EntryView { name: name.to_owned(), application })
}

impl Chosen {
    /// Takes the member `catalogue` out of `members`, and adds what it says to them. What they say
    /// themselves goes before.
    ///
    /// # Errors
    ///
    /// Those of [`entry`], [`KnownApplication::choose`] and [`KnownApplication::members`].
    pub(super) fn of(members: &mut Map<String, Value>) -> Result<Option<Self>, Error> {
        const MALFORMED: Refusal =
            Refusal::MemberMalformed("catalogue", "an object of name, url and options is expected");
        let Some(value) = members.remove("catalogue").filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let choice: EntryChoice = serde_json::from_value(value).map_err(|_| MALFORMED)?;
        let entry = entry(&choice.name)?;
        let application = &entry.application;
        let options = application.choose(&choice.options).map_err(|refusal| {
            Error::with_known(refusal, application.options.keys().cloned().collect())
        })?;
        // The settings name it, in the syntax of a shell, of YAML and of others. They name no secret
        // that an operator chose.
        let id = members.get("client_id").and_then(Value::as_str);
        if id.is_some_and(|id| !fits(id)) {
            let why =
                "beside catalogue it is 1 to 64 letters, digits, dots, hyphens and underscores";
            return Err(Refusal::MemberMalformed("client_id", why).into());
        }
        let url = choice.url.as_deref();
        for (name, value) in application.members(url, &options)? {
            members.entry(name).or_insert(value);
        }
        Ok(Some(Self { entry, options, url: choice.url }))
    }

    /// What to do on the side of the application.
    pub(super) fn setup(&self, issuer: &Issuer, id: &ClientId, secret: Option<&str>) -> SetupView {
        let values = values(issuer, id, secret, self.url.as_deref());
        let settings = self.entry.application.settings(&values, &self.options);
        let notes = self.entry.application.notes.clone();
        SetupView { name: self.entry.name.clone(), notes, settings }
    }
}

impl SetupView {
    /// What to do on the side of an application whose client has this name and these addresses, if they are
    /// those of an entry: of which one a client was made is not stored. Its secret is left open.
    pub(super) fn of_addresses(
        issuer: &Issuer,
        id: &ClientId,
        (title, home): (&str, Option<&str>),
        redirect_uris: &[&str],
    ) -> Option<Self> {
        let entries = names().into_iter().filter_map(|name| entry(&name).ok());
        let mut entries = entries.filter(|entry| entry.application.title == title);
        let (entry, (url, options)) = entries.find_map(|entry| {
            let at = entry.application.made_at(redirect_uris)?;
            Some((entry, at))
        })?;
        let url = url.or_else(|| home.map(str::to_owned));
        Some(Chosen { entry, options, url }.setup(issuer, id, None))
    }
}

/// The values that the texts of an entry name.
fn values(issuer: &Issuer, id: &ClientId, secret: Option<&str>, url: Option<&str>) -> Values {
    let metadata = Metadata::new(issuer, &Scope::default(), false);
    let mut values = Values::from([
        ("authorization_endpoint", metadata.authorization_endpoint),
        ("client_id", id.to_string()),
        ("discovery", issuer.at("/.well-known/openid-configuration")),
        ("end_session_endpoint", metadata.end_session_endpoint),
        ("issuer", metadata.issuer),
        ("jwks_uri", metadata.jwks_uri),
        ("token_endpoint", metadata.token_endpoint),
        ("url", url.unwrap_or_default().trim_end_matches('/').to_owned()),
        ("userinfo_endpoint", metadata.userinfo_endpoint),
    ]);
    if let Some(secret) = secret {
        values.insert("client_secret", secret.to_owned());
    }
    values
}

pub(super) async fn list(
    _: By<ReadClients>,
    query: Query<Unfiltered>,
) -> Result<Json<ListView<EntryView>>, Failed> {
    let span = query.span::<String>()?;
    let mut names = names();
    names.retain(|name| span.after.as_ref().is_none_or(|after| name > after));
    let next = names.get(span.limit.wrapping_sub(1)).filter(|_| names.len() > span.limit).cloned();
    names.truncate(span.limit);
    let items = names.iter().map(|name| entry(name)).collect::<Result<_, _>>()?;
    Ok(Json(ListView::new(Listing { items, next }, |view| view)))
}

pub(super) async fn show(
    _: By<ReadClients>,
    Named(name): Named,
) -> Result<Json<EntryView>, Failed> {
    Ok(Json(entry(&name)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::model::catalogue::Trial;
    use crate::oauth::client::{AuthMethod, PkcePolicy};

    fn entries() -> Vec<EntryView> {
        names().iter().map(|name| entry(name).unwrap()).collect()
    }

    /// The names in braces of a text that could be those of values.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
        let plain = |name: &&str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        parts.map(|(name, _)| name).filter(plain).collect()
    }

    fn known() -> BTreeSet<&'static str> {
        let id: ClientId = "shop".parse().unwrap();
        values(&Issuer::localhost(7455), &id, Some("secret"), None).into_keys().collect()
    }

    #[test]
    fn there_are_thirty_entries_and_each_file_is_one() {
        let names = names();

        assert!(names.len() >= 30, "{}", names.len());
        for name in &names {
            let read = entry(name);
            assert!(read.is_ok(), "{name}: {:?}", read.err());
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(name.bytes().all(plain), "{name}");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/applications");
        assert_eq!(fs::read_dir(folder).unwrap().count(), names.len(), "a file is no entry");
    }

    #[test]
    fn a_text_names_values_that_there_are_and_each_option_is_used() {
        for EntryView { name, application } in entries() {
            let options: BTreeSet<&str> = application.options.keys().map(String::as_str).collect();
            let texts = application.settings.iter().flat_map(|own| [&own.place, &own.text]);
            let pasted: BTreeSet<_> = texts.flat_map(|text| placeholders(text)).collect();
            let paths = application.redirect_paths.iter().chain(&application.post_logout_paths);
            let paths = paths.chain(&application.backchannel_logout_path);
            let under: BTreeSet<_> = paths.flat_map(|path| placeholders(path)).collect();

            let values: BTreeSet<_> = known().union(&options).copied().collect();
            assert!(pasted.is_subset(&values), "{name}: {:?}", pasted.difference(&values));
            assert!(under.is_subset(&options), "{name}: {:?}", under.difference(&options));
            let used: BTreeSet<_> = pasted.union(&under).copied().collect();
            assert!(options.is_subset(&used), "{name}: {:?}", options.difference(&used));
            assert!(pasted.contains("client_id"), "{name} has no place for its client_id");
            let secret = application.token_endpoint_auth_method.is_secret();
            assert_eq!(pasted.contains("client_secret"), secret, "{name}");
        }
    }

    #[test]
    fn an_entry_holds_together() {
        for EntryView { name, application } in entries() {
            let own = &application;
            let public = own.token_endpoint_auth_method == AuthMethod::None;
            assert!(!public || own.pkce == PkcePolicy::Required, "{name}: public, without PKCE");
            let offline = own.scope.has("offline_access");
            assert!(own.refresh || !offline, "{name}: offline_access, and no refresh token");
            assert!(own.scope.has("openid"), "{name}");
            assert!(own.groups_claim.is_none() || own.scope.has("groups"), "{name}");
            assert!(!own.redirect_paths.is_empty() || !own.redirect_uris.is_empty(), "{name}");
            let paths = own.redirect_paths.iter().chain(&own.post_logout_paths);
            for path in paths.chain(&own.backchannel_logout_path) {
                assert!(path.is_empty() || path.starts_with('/'), "{name}: {path}");
            }
            assert!(crate::model::catalogue::base(&own.reached_at).is_ok(), "{name}");
            // A private method needs keys, which nobody has before the application runs.
            assert_ne!(own.token_endpoint_auth_method, AuthMethod::PrivateKeyJwt, "{name}");
        }
    }

    #[test]
    fn every_entry_says_where_its_facts_stand_and_one_of_these_is_its_own() {
        for EntryView { name, application } in entries() {
            let sources = &application.sources;
            let whole = |text: &String| !text.trim().is_empty();
            for source in sources {
                assert!(whole(&source.what) && whole(&source.document), "{name}");
                assert!(whole(&source.version), "{name}: {}", source.document);
            }
            let own = sources.iter().any(|source| !source.document.starts_with("Authelia's"));
            assert!(own, "{name} has no source of its own");
        }
    }

    #[test]
    fn ten_entries_were_tried_by_a_story_that_names_them() {
        let stories = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/stories");
        let mut tried = 0;
        for EntryView { name, application } in entries() {
            let Some(Trial { story, .. }) = &application.tried else { continue };
            let text = fs::read_to_string(stories.join(story)).unwrap_or_default();
            let names =
                ["\"", "'"].iter().any(|mark| text.contains(&format!("{mark}{name}{mark}")));
            let made = ["from_catalogue(", "fromCatalogue("].iter().any(|call| text.contains(call));
            assert!(names && made, "{name}: {story} does not make its client");
            let run = fs::read_to_string(stories.join("../run")).unwrap();
            assert!(run.contains(&format!("\"{story}\"")), "{story} is not run");
            tried += 1;
        }
        assert!(tried >= 10, "{tried}");
    }
}
