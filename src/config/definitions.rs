//! Scopes and roles that an applied file defines, beside those of the configuration.
//!
//! The rules in force are the configuration with these. The configuration goes first: what it names is
//! its own.

use std::collections::BTreeMap;

use super::fault::{ResolvedSetting, Source};
use super::kind::show;
use super::{Config, ScopeEntry};
use crate::model::dotted::dotted;
use crate::model::person::Role;
use crate::oauth::scope::{Scope, ScopeToken};

/// Scopes and roles that an applied file defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// The roles, with the scopes that each may grant.
    pub roles: BTreeMap<Role, Scope>,
    /// The scopes.
    pub scopes: BTreeMap<ScopeToken, ScopeEntry>,
}

impl Config {
    /// The scope of that name, if a layer names it: a built-in scope that has its default is nobody's.
    pub fn configured_scope(&self, token: &ScopeToken) -> Option<&ScopeEntry> {
        let entry = self.scopes.get(token)?;
        (Self::at("").scopes.get(token) != Some(entry)).then_some(entry)
    }

    /// The role of that name, if a layer names it.
    pub fn configured_role(&self, role: &Role) -> Option<&Scope> {
        self.roles.get(role).filter(|_| !self.default_roles.contains(role))
    }

    /// This configuration with what it does not define itself of `definitions`. A role has those of its
    /// scopes that are known, and a built-in role without a setting of its own has its default.
    #[must_use]
    pub fn with_definitions(&self, definitions: &Definitions) -> Self {
        let Definitions { roles, scopes } = definitions;
        let mut config = self.clone();
        for (token, entry) in scopes {
            if self.configured_scope(token).is_none() {
                let at = ["scopes", token.as_str()];
                config.source(
                    &[&at[..], &["description"]].concat(),
                    show(&(&*entry.description).into()),
                );
                config.source(&[&at[..], &["open"]].concat(), show(&entry.open.into()));
                config.scopes.insert(token.clone(), entry.clone());
            }
        }
        for role in &self.default_roles {
            config.roles.remove(role);
        }
        config.fill_roles();
        let known = config.scope();
        for (role, scope) in roles {
            if self.configured_role(role).is_none() {
                let tokens: Vec<_> = scope.iter().map(|token| token.as_str()).collect();
                config.source(&["roles", role.as_str(), "scopes"], show(&tokens.into()));
                config.roles.insert(role.clone(), scope.intersect(&known));
            }
        }
        config
    }

    /// Says that an applied file is the source of the key at `path`.
    fn source(&mut self, path: &[&str], value: String) {
        let key = dotted(path);
        let setting = ResolvedSetting { key: key.clone(), value, source: Source::Applied };
        self.settings.insert(key, setting);
    }

    /// The keys of what this configuration defines in another way than `definitions`.
    pub fn contradicted(&self, definitions: &Definitions) -> Vec<String> {
        let Definitions { roles, scopes } = definitions;
        let scopes = scopes.iter().filter_map(|(token, entry)| {
            let own = self.configured_scope(token)?;
            (own != entry).then(|| dotted(&["scopes", token.as_str()]))
        });
        let roles = roles.iter().filter_map(|(role, scope)| {
            let own = self.configured_role(role)?;
            (own != scope).then(|| dotted(&["roles", role.as_str()]))
        });
        scopes.chain(roles).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(written: &str) -> Scope {
        written.parse().unwrap()
    }

    fn definitions() -> Definitions {
        let entry = ScopeEntry { open: true, description: "See your orders".to_owned() };
        Definitions {
            roles: [("clerk".parse().unwrap(), scope("openid orders:read gone"))].into(),
            scopes: [("orders:read".parse().unwrap(), entry)].into(),
        }
    }

    #[test]
    fn definitions_stand_beside_the_configuration_and_reach_the_default_roles() {
        let config = Config::at("/d").with_definitions(&definitions());

        let allowed = |role: &str| config.allowed(&[role.parse().unwrap()]);
        assert_eq!(allowed("clerk"), scope("openid orders:read"), "an unknown scope is no scope");
        assert!(allowed("admin").has("orders:read") && allowed("user").has("orders:read"));
        let source = &config.settings["scopes.\"orders:read\".open"].source;
        assert_eq!(source.to_string(), "gatelodge apply");
        assert_eq!(config.settings["roles.clerk.scopes"].value.chars().next(), Some('['));
    }

    #[test]
    fn what_the_configuration_defines_is_its_own() {
        let mut config = Config::at("/d");
        config.scopes.insert("orders:read".parse().unwrap(), ScopeEntry::default());
        config.roles.insert("clerk".parse().unwrap(), scope("openid"));

        let both = config.with_definitions(&definitions());

        assert_eq!(both.scopes, config.scopes);
        assert_eq!(both.allowed(&["clerk".parse().unwrap()]), scope("openid"));
        let contradicted = config.contradicted(&definitions());
        assert_eq!(contradicted, ["scopes.\"orders:read\"", "roles.clerk"]);
        assert!(Config::at("/d").contradicted(&definitions()).is_empty());
    }

    #[test]
    fn a_built_in_scope_and_role_can_be_defined_until_a_layer_does() {
        let email = ScopeEntry { open: false, description: "Your address".to_owned() };
        let definitions = Definitions {
            roles: [("user".parse().unwrap(), scope("openid email"))].into(),
            scopes: [("email".parse().unwrap(), email.clone())].into(),
        };

        let config = Config::at("/d").with_definitions(&definitions);

        assert_eq!(config.scopes[&"email".parse().unwrap()], email);
        assert_eq!(config.allowed(&["user".parse().unwrap()]), scope("openid email"));
        assert!(config.allowed(&["admin".parse().unwrap()]).has("profile"));
    }
}
