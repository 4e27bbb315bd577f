//! The `claims` parameter: [OpenID Connect Core
//! §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter).

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Refusal;
use crate::oauth::claims::PHISHING_RESISTANT;
use crate::oauth::scope::Scope;

/// The supported claims about a person, each with its scope (§5.4).
const CLAIMS: &[(&str, &str)] = &[
    ("email", "email"),
    ("email_verified", "email"),
    ("family_name", "profile"),
    ("given_name", "profile"),
    ("groups", "groups"),
    ("locale", "profile"),
    ("name", "profile"),
    ("picture", "profile"),
    ("preferred_username", "profile"),
    ("roles", "roles"),
    ("updated_at", "profile"),
    ("zoneinfo", "profile"),
];

/// The claims that a request names, in addition to those that its scopes request.
///
/// Only known names are stored. §5.5: "Any members used that are not understood
/// MUST be ignored."
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// The `acr` values of which one must be met, if `acr` is essential.
    pub acr: Vec<String>,
    /// The claims requested in the ID token.
    pub id_token: Vec<String>,
    /// The `sub` values of which one must be signed in. If empty, anybody may be.
    pub sub: Vec<String>,
    /// The claims requested at the userinfo endpoint.
    pub userinfo: Vec<String>,
}

impl ClaimsRequest {
    /// The scopes of the named claims.
    pub fn scope(&self) -> Scope {
        let names = self.id_token.iter().chain(&self.userinfo);
        names.filter_map(|name| scope_of(name)?.parse().ok()).collect()
    }

    /// The part of the request whose scopes are in `scope`.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        let only = |names: &[String]| {
            let held = |name: &&String| scope_of(name).is_some_and(|holds| scope.has(holds));
            names.iter().filter(held).cloned().collect()
        };
        let (id_token, userinfo) = (only(&self.id_token), only(&self.userinfo));
        Self { id_token, userinfo, ..self.clone() }
    }

    /// Whether the sign-ins of this server meet an essential `acr` (§5.5.1.1).
    pub fn meets_acr(&self) -> bool {
        self.acr.is_empty() || self.acr.iter().any(|acr| acr == PHISHING_RESISTANT)
    }
}

fn scope_of(claim: &str) -> Option<&'static str> {
    CLAIMS.iter().find(|(name, _)| *name == claim).map(|(_, scope)| *scope)
}

impl FromStr for ClaimsRequest {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let Named(members) =
            serde_json::from_str::<Named<Value>>(s).map_err(|_| Refusal::ClaimsMalformed)?;
        let asked = |place: &str| match members.get(place) {
            None => Ok(BTreeMap::new()),
            Some(names) => Named::<Option<Asked>>::deserialize(names)
                .map(|Named(names)| names)
                .map_err(|_| Refusal::ClaimsMalformed),
        };
        let (id_token, userinfo) = (asked("id_token")?, asked("userinfo")?);
        let known = |names: &BTreeMap<String, Option<Asked>>| {
            names.keys().filter(|name| scope_of(name).is_some()).cloned().collect()
        };
        let member = |name: &str| id_token.get(name).and_then(Option::as_ref);
        Ok(Self {
            // §5.5.1.1: the request is refused only "If this is an Essential Claim and the
            // requirement cannot be met".
            acr: match member("acr").filter(|acr| acr.essential) {
                Some(acr) => acr.texts()?,
                None => Vec::new(),
            },
            id_token: known(&id_token),
            sub: member("sub").map_or(Ok(Vec::new()), Asked::texts)?,
            userinfo: known(&userinfo),
        })
    }
}

/// The request of one claim (§5.5.1).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    essential: bool,
    value: Option<Value>,
    values: Option<Vec<Value>>,
}

impl Asked {
    /// The requested values, as strings: `acr` and `sub` have no others.
    fn texts(&self) -> Result<Vec<String>, Refusal> {
        let values = self.value.iter().chain(self.values.iter().flatten());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        values.map(|value| text(value).ok_or(Refusal::ClaimsMalformed)).collect()
    }
}

/// A JSON object without duplicate names, so that no other parser can see another request.
struct Named<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Unique(PhantomData))
    }
}

struct Unique<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object in which no name stands twice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Named(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ClaimsRequest, Refusal> {
        json.parse()
    }

    /// OpenID Connect Core §5.5
    #[test]
    fn the_specifications_example_is_read_as_far_as_it_means_something_here() {
        let claims = read(
            r#"{
              "userinfo": {
                "given_name": {"essential": true},
                "nickname": null,
                "email": {"essential": true},
                "email_verified": {"essential": true},
                "picture": null,
                "http://example.info/claims/groups": null
              },
              "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]}
              }
            }"#,
        );

        let userinfo = ["email", "email_verified", "given_name", "picture"];
        let userinfo = userinfo.map(str::to_owned).to_vec();
        assert_eq!(claims, Ok(ClaimsRequest { userinfo, ..ClaimsRequest::default() }));
    }

    #[test]
    fn an_essential_acr_and_a_sub_are_kept_with_their_values() {
        let claims = read(
            r#"{"id_token": {
                "acr": {"essential": true, "values": ["gold", "phr"]},
                "sub": {"value": "248289761001"}
            }, "unknown": 1}"#,
        );

        let claims = claims.unwrap();
        assert_eq!(
            (claims.acr.join(" "), claims.sub.join(" ")),
            ("gold phr".into(), "248289761001".into())
        );
        assert!(claims.meets_acr());
        let gold = read(r#"{"id_token": {"acr": {"essential": true, "value": "gold"}}}"#).unwrap();
        assert!(!gold.meets_acr());
    }

    #[test]
    fn names_are_narrowed_by_the_scope_that_holds_them() {
        let claims = read(r#"{"id_token": {"email": null, "name": null}}"#).unwrap();

        let narrowed = claims.within(&"openid email".parse().unwrap());

        assert_eq!(claims.scope().to_string(), "email profile");
        assert_eq!(narrowed.id_token, ["email"]);
    }

    #[test]
    fn what_is_no_claims_request_is_refused() {
        let deep = format!("{{\"x\":{}", "[".repeat(2_000));
        for json in [
            "",
            "null",
            "[]",
            "{",
            "{} {}",
            r#"{"userinfo": []}"#,
            r#"{"userinfo": null}"#,
            r#"{"userinfo": {"name": "ada"}}"#,
            r#"{"userinfo": {"name": {"essential": "yes"}}}"#,
            r#"{"id_token": {"sub": {"value": 7}}}"#,
            r#"{"id_token": {"acr": {"essential": true, "values": "phr"}}}"#,
            r#"{"id_token": {}, "id_token": {}}"#,
            &deep,
        ] {
            assert_eq!(read(json), Err(Refusal::ClaimsMalformed), "{json:.40}");
        }
    }
}
