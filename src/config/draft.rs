//! The unfinished configuration, with the faults that were found so far.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::{Fault, ResolvedSetting, Source};
use super::places::{self, Platform};
use super::{Config, ScopeEntry};
use crate::model::person::Role;
use crate::oauth::scope::{Scope, ScopeToken};

/// The result of the layers that were read so far.
pub(super) struct Draft {
    pub(super) config: Config,
    pub(super) data: Option<PathBuf>,
    pub(super) roles: BTreeMap<Role, (Scope, Source)>,
    pub(super) convention: Option<PathBuf>,
    pub(super) faults: Vec<Fault>,
    pub(super) home: Option<PathBuf>,
    /// Whether somebody named the file.
    pub(super) is_named: bool,
    pub(super) platform: Platform,
    pub(super) state: Option<PathBuf>,
    pub(super) settings: BTreeMap<String, ResolvedSetting>,
    /// Whether the file could not be read, or is no TOML.
    pub(super) unread: bool,
}

impl Draft {
    /// The draft of a configuration that was read before.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            config: config.clone(),
            convention: None,
            data: Some(config.places.data.clone()),
            faults: Vec::new(),
            home: None,
            platform: Platform::here(),
            roles: BTreeMap::new(),
            state: None,
            settings: BTreeMap::new(),
            is_named: false,
            unread: false,
        }
    }

    /// Resolves a path that `source` names: `~` is the home, and a path in a file is relative to
    /// that file.
    pub(super) fn resolve(&self, path: &Path, source: &Source) -> Option<PathBuf> {
        let base = match source {
            Source::File(file) => file.parent(),
            Source::Applied
            | Source::Credential(_)
            | Source::Default
            | Source::Flag(_)
            | Source::Variable(_) => None,
        };
        places::resolve(path, self.home.as_deref(), base)
    }

    /// The entry of the scope `name`; a new one is closed.
    pub(super) fn scope_entry(&mut self, name: &str) -> Result<&mut ScopeEntry, String> {
        let token: ScopeToken =
            name.parse().map_err(|_| "a scope's name has no space, quote or backslash")?;
        Ok(self.config.scopes.entry(token).or_default())
    }

    /// Records a fault of `key`.
    pub(super) fn fault(
        &mut self,
        source: Source,
        key: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.faults.push(Fault { source, key: key.into(), message: message.into() });
    }
}
