//! What a role means for whoever has it, in words.

use super::administrator::Administrator;
use crate::http::texts::Texts;
use crate::model::person::Role;
use crate::oauth::scope::Scope;

/// A role, as the pages name it.
pub(in crate::http) struct RoleItem {
    /// What whoever has it may do; empty: the configuration does not know it any more.
    pub(in crate::http) means: String,
    pub(in crate::http) name: String,
}

/// The roles of a person.
pub(super) fn of(administrator: &Administrator, names: &[String]) -> Vec<RoleItem> {
    let (t, rules) = (administrator.texts(), administrator.app().rules());
    let known = |name: &str| rules.config.roles.iter().find(|(role, _)| role.as_str() == name);
    let item = |name: &String| RoleItem {
        means: known(name).map(|(role, scope)| means(t, role, scope)).unwrap_or_default(),
        name: name.clone(),
    };
    names.iter().map(item).collect()
}

/// What whoever has a role may do.
pub(super) fn means(t: &Texts, role: &Role, scope: &Scope) -> String {
    let own = &t.admin.roles;
    let mut sentences = Vec::new();
    let mut parts = Vec::new();
    // The role `admin` administers everything, whatever the configuration gives it.
    if role.as_str() == Role::ADMIN || scope.has("admin") {
        sentences.push(own.all().plain());
    } else {
        for token in scope.of_administration().iter() {
            match token.as_str() {
                "admin:clients" => parts.push(own.clients().plain()),
                "admin:keys" => parts.push(own.keys().plain()),
                "admin:people" => parts.push(own.people().plain()),
                "admin:read" => sentences.push(own.read().plain()),
                other => parts.push(other.to_owned()),
            }
        }
    }
    if !parts.is_empty() {
        sentences.push(own.administers(t.all_of(&parts)).plain());
    }
    let of_apps = scope.without_administration();
    let given = of_apps.iter().filter(|token| token.as_str() != "openid");
    let given = given.map(|token| match token.as_str() {
        "email" => own.email().plain(),
        "groups" => own.groups().plain(),
        "offline_access" => own.offline_access().plain(),
        "profile" => own.profile().plain(),
        "roles" => own.roles().plain(),
        other => other.to_owned(),
    });
    let given: Vec<String> = given.collect();
    if !given.is_empty() {
        sentences.push(own.apps(t.all_of(&given)).plain());
    } else if !of_apps.is_empty() {
        sentences.push(own.sign_in().plain());
    } else if sentences.is_empty() {
        sentences.push(own.nothing().plain());
    }
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::texts::Language;

    #[test]
    fn a_role_is_described_by_what_whoever_has_it_may_do() {
        let t = Language::default().texts();
        for (role, scope, said) in [
            ("admin", "openid", "Administers everything here. Signs in to apps."),
            (
                "helpdesk",
                "admin:people admin:read openid",
                "Sees everything that administrators see. Administers people. Signs in to apps.",
            ),
            ("ops", "admin:clients admin:keys", "Administers apps and resources, signing keys."),
            (
                "user",
                "openid profile orders:read",
                "Signs in to apps, and may give them: orders:read, their name.",
            ),
            ("crew", "", "Allows nothing by itself. An app can be open to people who have it."),
        ] {
            let (name, scope) = (role.parse().unwrap(), scope.parse().unwrap_or_default());
            assert_eq!(means(t, &name, &scope), said, "{role}");
        }
    }
}
