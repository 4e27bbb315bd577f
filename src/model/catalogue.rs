//! The catalogue: applications that people run, and how each signs people in by OpenID Connect.
//!
//! An entry is a file of `assets/applications/`. It says where under its address an application
//! takes the code, how it proves itself, what it asks for, and what its operator pastes into it. A
//! client is made of it as of the options of `client add`, so nothing of the catalogue is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::error::Refusal;
use crate::oauth::client::{AuthMethod, GrantType, PkcePolicy, SigningAlg};
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;

/// The most characters of the value of an option.
const MAX_VALUE: usize = 64;

/// What stands in a text of settings for a secret that the server did not make.
const CHOSEN_SECRET: &str = "THE-SECRET-THAT-YOU-CHOSE";

/// What is known of an application.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KnownApplication {
    /// Its name, as it spells itself.
    pub title: String,
    /// What it is for, in a word or two.
    pub kind: String,
    /// An address at which it may be reached, as an example.
    pub reached_at: String,
    /// Where under its address it takes the code. An empty path is the address itself.
    #[serde(default)]
    pub redirect_paths: Vec<String>,
    /// Where else it takes the code, whatever its address is.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where under its address a sign-out may return to.
    #[serde(default)]
    pub post_logout_paths: Vec<String>,
    /// Where under its address it is told that somebody signed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_path: Option<String>,
    /// How it proves itself at the token endpoint.
    pub token_endpoint_auth_method: AuthMethod,
    /// What its requests bring against an injected code: a challenge, a nonce, or a state alone.
    pub pkce: PkcePolicy,
    /// Whether it runs on its person's own machine.
    #[serde(default)]
    pub native: bool,
    /// Whether it uses refresh tokens.
    #[serde(default)]
    pub refresh: bool,
    /// What it asks for.
    pub scope: Scope,
    /// The claim in which it looks for the groups of a person, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// The algorithm of the ID tokens that it verifies.
    #[serde(default)]
    pub id_token_signed_response_alg: SigningAlg,
    /// What its operator chooses, and its addresses depend on.
    #[serde(default)]
    pub options: BTreeMap<String, ApplicationOption>,
    /// What to paste on its side.
    pub settings: Vec<ApplicationSettings>,
    /// What else its operator should know, a sentence or two each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Where all of this stands.
    pub sources: Vec<FactSource>,
    /// Which test tried it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Trial>,
}

/// Something that the operator of an application chooses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApplicationOption {
    /// The value if nobody chooses; absent: somebody has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What it is there.
    pub meaning: String,
}

/// Settings of an application, with or without the values of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApplicationSettings {
    /// Where they belong: a file, a form, a shell.
    pub place: String,
    /// The text. In the catalogue it has the names of values in braces.
    pub text: String,
}

/// A document from which an entry has its facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FactSource {
    /// What it says.
    pub what: String,
    /// The document.
    pub document: String,
    /// Its version, revision or date.
    pub version: String,
}

/// The test that tried an entry against this server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What was run: the application, or its library for OpenID Connect.
    pub program: String,
    /// The file of the stories of `make interop`.
    pub story: String,
}

/// The values that stand in the texts of an entry, by their names.
pub type Values = BTreeMap<&'static str, String>;

impl KnownApplication {
    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Whether its client depends on where it is reached.
    pub fn needs_address(&self) -> bool {
        let paths = self.redirect_paths.iter().chain(&self.post_logout_paths);
        paths.chain(&self.backchannel_logout_path).next().is_some()
    }

    /// The members of its client, as an operator names them.
    ///
    /// # Errors
    ///
    /// [`Refusal::CatalogueUrlUnfit`] if it needs an address and has none, or if that is no web
    /// address.
    pub fn members(
        &self,
        address: Option<&str>,
        chosen: &BTreeMap<String, String>,
    ) -> Result<Map<String, Value>, Refusal> {
        let address = address.map(base).transpose()?;
        if self.needs_address() && address.is_none() {
            return Err(Refusal::CatalogueUrlUnfit);
        }
        let base = address.unwrap_or_default();
        // Where it is reached is where people open it.
        let home = Some(&base).filter(|base| base.parse::<WebUri>().is_ok());
        let own = |name: &str| chosen.get(name).map(String::as_str);
        let under = |path: &String| format!("{base}{}", filled(path, own));
        let mut redirects: Vec<String> = self.redirect_paths.iter().map(under).collect();
        redirects.extend(self.redirect_uris.iter().cloned());
        let mut grants = vec![GrantType::AuthorizationCode];
        if self.refresh {
            grants.push(GrantType::RefreshToken);
        }
        let members = [
            ("grant_types", Some(json!(grants))),
            ("id_token_signed_response_alg", Some(json!(self.id_token_signed_response_alg))),
            ("name", Some(json!(self.title))),
            ("pkce", Some(json!(self.pkce))),
            ("redirect_uris", Some(json!(redirects))),
            ("scope", Some(json!(self.scope))),
            ("token_endpoint_auth_method", Some(json!(self.token_endpoint_auth_method))),
            ("client_uri", home.map(|home| json!(home))),
            ("application_type", self.native.then(|| json!("native"))),
            (
                "backchannel_logout_uri",
                self.backchannel_logout_path.as_ref().map(|path| json!(under(path))),
            ),
            (
                "post_logout_redirect_uris",
                (!self.post_logout_paths.is_empty())
                    .then(|| json!(self.post_logout_paths.iter().map(under).collect::<Vec<_>>())),
            ),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(given.collect())
    }

    /// The address and the options of a client with these redirect URIs, if they are those of its client.
    /// An option that is in no address has its default, or none.
    pub fn made_at(
        &self,
        redirect_uris: &[&str],
    ) -> Option<(Option<String>, BTreeMap<String, String>)> {
        let defaults = self.options.iter();
        let defaults =
            defaults.filter_map(|(name, option)| Some((name.clone(), option.default.clone()?)));
        let mut options: BTreeMap<_, _> = defaults.collect();
        let mut url = None;
        if let Some(path) = self.redirect_paths.first() {
            let (base, option) = redirect_uris.iter().find_map(|uri| base_of(uri, path))?;
            options.extend(option);
            url = Some(base.to_owned());
        }
        let members = self.members(url.as_deref(), &options).ok()?;
        let made: Vec<_> = members.get("redirect_uris")?.as_array()?.iter().collect();
        let same = made.len() == redirect_uris.len()
            && made.iter().all(|uri| uri.as_str().is_some_and(|uri| redirect_uris.contains(&uri)));
        same.then_some((url, options))
    }

    /// The value of each of its options: what is chosen, or the default.
    ///
    /// # Errors
    ///
    /// [`Refusal::CatalogueOptionUnfit`] for an option that it has not, for one that has to be
    /// chosen and is not, and for a value that is no part of a path.
    pub fn choose(
        &self,
        chosen: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        if chosen.iter().any(|(name, value)| !self.options.contains_key(name) || !fits(value)) {
            return Err(Refusal::CatalogueOptionUnfit);
        }
        let value = |(name, option): (&String, &ApplicationOption)| {
            let value = chosen.get(name).or(option.default.as_ref()).cloned();
            Ok((name.clone(), value.ok_or(Refusal::CatalogueOptionUnfit)?))
        };
        self.options.iter().map(value).collect()
    }

    /// What to paste on its side, with the values of a client and of the options.
    pub fn settings(
        &self,
        values: &Values,
        chosen: &BTreeMap<String, String>,
    ) -> Vec<ApplicationSettings> {
        let value = |name: &str| {
            let value = values.get(name).or_else(|| chosen.get(name)).map(String::as_str);
            value.or_else(|| (name == "client_secret").then_some(CHOSEN_SECRET))
        };
        let settings = self.settings.iter();
        settings
            .map(|own| ApplicationSettings {
                place: filled(&own.place, value),
                text: filled(&own.text, value),
            })
            .collect()
    }
}

/// Whether the value of an option, or an id, can be a part of a path, and of a file of settings.
pub fn fits(value: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (1..=MAX_VALUE).contains(&value.len())
        && value.bytes().all(plain)
        && !value.starts_with(['-', '.'])
}

/// The address of an application as it is written, without the slashes at its end.
///
/// # Errors
///
/// [`Refusal::CatalogueUrlUnfit`] if it is no web address, or has more than a host and a path.
pub fn base(written: &str) -> Result<String, Refusal> {
    let url = Url::parse(written).map_err(|_| Refusal::CatalogueUrlUnfit)?;
    let web = ["http", "https"].contains(&url.scheme()) && url.host().is_some();
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let plain = written.bytes().all(|b| b.is_ascii_graphic() && !b"{}\"'`\\<>$".contains(&b));
    if !web || !bare || !plain || url.password().is_some() {
        return Err(Refusal::CatalogueUrlUnfit);
    }
    Ok(written.trim_end_matches('/').to_owned())
}

/// The address under which `uri` is at `path`, with the option that the path has a place for.
fn base_of<'a>(uri: &'a str, path: &str) -> Option<(&'a str, Option<(String, String)>)> {
    let Some((before, rest)) = path.split_once('{') else {
        return Some((uri.strip_suffix(path)?, None));
    };
    let (name, after) = rest.split_once('}')?;
    let (base, value) = uri.strip_suffix(after)?.rsplit_once(before)?;
    fits(value).then(|| (base, Some((name.to_owned(), value.to_owned()))))
}

/// `text` with the value of each name in braces that has one. A value is not filled again.
fn filled<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        done.push_str(before);
        match after.split_once('}').and_then(|(name, rest)| Some((value(name)?, rest))) {
            Some((value, behind)) => {
                done.push_str(value);
                rest = behind;
            }
            None => {
                done.push('{');
                rest = after;
            }
        }
    }
    done.push_str(rest);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_a_client_tell_where_it_was_made() {
        let paths = r#"
            title = "A"
            kind = "x"
            reached_at = "https://a.example"
            redirect_paths = ["/in/{provider}/back"]
            token_endpoint_auth_method = "client_secret_basic"
            pkce = "required"
            scope = "openid"
            settings = []
            sources = []
            [options.provider]
            default = "lodge"
            meaning = "x"
        "#;
        let application = KnownApplication::parse(paths).unwrap();
        let made = |uris: &[&str]| application.made_at(uris).map(|(url, own)| (url.unwrap(), own));

        let (url, options) = made(&["https://a.lan/sub/in/mine/back"]).unwrap();

        assert_eq!((url.as_str(), options["provider"].as_str()), ("https://a.lan/sub", "mine"));
        assert_eq!(made(&["https://a.lan/in/mine/other"]), None);
        assert_eq!(made(&["https://a.lan/in/mine/back", "https://b.lan/cb"]), None);
        assert_eq!(made(&[]), None);
    }

    const ENTRY: &str = r#"
        title = "Shop"
        kind = "shops"
        reached_at = "https://shop.example"
        redirect_paths = ["/in/{realm}", ""]
        redirect_uris = ["http://localhost:8250/in"]
        post_logout_paths = ["/bye"]
        backchannel_logout_path = "/out/{realm}"
        token_endpoint_auth_method = "client_secret_post"
        pkce = "nonce"
        native = true
        refresh = true
        scope = "openid offline_access"
        id_token_signed_response_alg = "ES256"
        options.realm = { default = "main", meaning = "the realm" }
        settings = [{ place = "{realm}.env", text = "A={issuer}/{realm} B={client_secret}" }]
        sources = []
    "#;

    #[test]
    fn every_member_of_an_entry_reaches_its_client() {
        let shop = KnownApplication::parse(ENTRY).unwrap();
        let chosen = shop.choose(&BTreeMap::new()).unwrap();

        let members = shop.members(Some("https://example.org/shop/"), &chosen).unwrap();

        let expected = json!({
            "application_type": "native",
            "backchannel_logout_uri": "https://example.org/shop/out/main",
            "client_uri": "https://example.org/shop",
            "grant_types": ["authorization_code", "refresh_token"],
            "id_token_signed_response_alg": "ES256",
            "name": "Shop",
            "pkce": "nonce",
            "post_logout_redirect_uris": ["https://example.org/shop/bye"],
            "redirect_uris": [
                "https://example.org/shop/in/main",
                "https://example.org/shop",
                "http://localhost:8250/in",
            ],
            "scope": "offline_access openid",
            "token_endpoint_auth_method": "client_secret_post",
        });
        assert_eq!(Value::Object(members), expected);
        let values = Values::from([("issuer", "https://id.example".to_owned())]);
        let pasted = shop.settings(&values, &chosen);
        assert_eq!(pasted[0].place, "main.env");
        assert_eq!(pasted[0].text, format!("A=https://id.example/main B={CHOSEN_SECRET}"));
    }

    #[test]
    fn an_entry_has_no_member_that_nobody_knows_and_misses_none() {
        for (from, to) in [
            ("pkce = \"nonce\"", "pkce = \"S256\""),
            ("pkce = \"nonce\"", ""),
            ("scope = ", "scopes = "),
            ("title = ", "name = \"x\"\ntitle = "),
            ("sources = []", ""),
        ] {
            let text = ENTRY.replacen(from, to, 1);

            assert!(KnownApplication::parse(&text).is_err(), "{to}");
        }
        assert!(KnownApplication::parse(ENTRY).is_ok());
    }

    #[test]
    fn an_address_may_end_in_a_slash_and_has_no_more_than_a_path() {
        for (written, meant) in [
            ("https://git.example", Some("https://git.example")),
            ("https://git.example/", Some("https://git.example")),
            ("https://example.org/git//", Some("https://example.org/git")),
            ("http://localhost:3000/", Some("http://localhost:3000")),
            ("https://git.example/?a=b", None),
            ("https://git.example/#top", None),
            ("https://ada@git.example", None),
            ("https://git.example/{x}", None),
            ("git.example", None),
            ("ftp://git.example", None),
            ("", None),
        ] {
            assert_eq!(base(written).ok().as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn only_a_known_name_in_braces_is_filled_and_only_once() {
        let value = |name: &str| match name {
            "a" => Some("{b}"),
            "b" => Some("2"),
            _ => None,
        };

        assert_eq!(filled(r#"{a} {b} {"b":{c}} {"#, value), r#"{b} 2 {"b":{c}} {"#);
        assert_eq!(filled(r#"{"x":{"y":"{b}"}}"#, value), r#"{"x":{"y":"2"}}"#);
    }

    #[test]
    fn the_value_of_an_option_is_a_part_of_a_path() {
        let sixty_four = "a".repeat(64);
        for value in ["gatelodge", "My-Realm_2.0", &sixty_four] {
            assert!(fits(value), "{value}");
        }
        for value in ["", ".", "..", "a/b", "a b", "a%2f", "é", &"a".repeat(65)] {
            assert!(!fits(value), "{value}");
        }
    }
}
