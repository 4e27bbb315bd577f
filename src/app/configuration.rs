//! The configuration in force, and its reload: when a command or a signal asks for it, and when a file
//! of it has changed.
//!
//! A reload reads every layer again. What a running server can take is in force at once, for requests
//! that begin then; the rest waits for a restart. A faulty configuration changes nothing.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use super::{App, contents};
use crate::config::{Config, Definitions, Fault, Faults, Layers, Source};
use crate::error::{Error, Internal};
use crate::event::Kind;
use crate::flow::apply::definitions;
use crate::flow::events::Act;
use crate::flow::{Documents, Rules};
use crate::model::actor::Acting;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::issuer::Issuer;
use crate::secret::Pepper;
use crate::store::StoreError;

/// The sentence about a scope or role that the configuration and an applied file define differently.
const CONTRADICTED: &str =
    "gatelodge apply defined it in another way; take it out of one of the two";

/// The sentence about a file that the contained process may not read.
const OUT_OF_REACH: &str = "permission denied; if another file was put in the place of the one that was \
    there at the start, the sandbox keeps the server from it: start the server anew, and give the file a \
    directory of its own";

/// The result of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// The keys whose new value is in force.
    pub changed: Vec<String>,
    /// The keys whose new value waits for a restart.
    pub waiting: Vec<String>,
}

/// What was read last.
#[derive(Clone, Debug, Default)]
pub struct LastRead {
    /// The faults, which kept the configuration before in force.
    pub faults: Option<Faults>,
    /// The keys whose value waits for a restart.
    pub waiting: Vec<String>,
}

/// The configuration in force.
pub(super) struct CurrentConfiguration {
    last: Mutex<LastRead>,
    layers: OnceLock<Layers>,
    /// Held while a reload reads files.
    reloading: Mutex<()>,
    rules: RwLock<Arc<Rules>>,
    /// The states of the files, as they were read, and as they were seen last.
    seen: Mutex<[Vec<FileState>; 2]>,
}

/// What tells one content of a file from the next: its length and the time of its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileState(PathBuf, Option<(u64, Option<SystemTime>)>);

impl CurrentConfiguration {
    pub(super) fn new(
        configured: Config,
        definitions: &Definitions,
        issuer: Issuer,
        pepper: Pepper,
    ) -> Result<Self, Error> {
        let seen = states(&configured);
        let statement_keys = statement_keys(&configured)?;
        let config = configured.with_definitions(definitions);
        let pepper = Arc::new(pepper);
        let documents = Documents::default();
        let rules =
            Arc::new(Rules { config, configured, documents, issuer, pepper, statement_keys });
        Ok(Self {
            last: Mutex::default(),
            layers: OnceLock::new(),
            reloading: Mutex::default(),
            rules: RwLock::new(rules),
            seen: Mutex::new([seen.clone(), seen]),
        })
    }

    /// Uses another pepper from now on.
    pub(super) fn take_pepper(&self, pepper: Pepper) {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        *rules = Arc::new(Rules { pepper: Arc::new(pepper), ..Rules::clone(&rules) });
    }

    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Sets the layers that a reload reads. Without them there is nothing to reload.
    pub fn with_layers(self, layers: Layers) -> Self {
        self.configuration.layers.get_or_init(|| layers.without_root_secret());
        self
    }

    /// What the last reading of the configuration left to say.
    pub fn last_read(&self) -> LastRead {
        self.configuration.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration again for whoever asks, and takes of it what a running server can. It
    /// reads files.
    ///
    /// # Errors
    ///
    /// The faults; nothing has changed then.
    pub fn reload(&self, acting: Acting) -> Result<Reloaded, Faults> {
        let current = &self.configuration;
        // One reload follows the other, and the last one counts. Nobody else waits for it: a file may be
        // slow.
        let _one = current.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |read| {
            *current.last.lock().unwrap_or_else(PoisonError::into_inner) = read;
        };
        let Some(layers) = current.layers.get() else {
            return Ok(Reloaded { changed: Vec::new(), waiting: Vec::new() });
        };
        let before = states(&self.rules().configured);
        let read = self.read_again(layers);
        // A file that is written meanwhile is read once more.
        *current.seen.lock().unwrap_or_else(PoisonError::into_inner) = [before.clone(), before];
        let (rules, reloaded) = match read {
            Ok(read) => read,
            Err(faults) => {
                tracing::error!(%faults, "the configuration has faults; the one before stays in force");
                let waiting = self.last_read().waiting;
                last(LastRead { faults: Some(faults.clone()), waiting });
                return Err(faults);
            }
        };
        let Reloaded { changed, waiting } = &reloaded;
        let (changed, waiting) = (changed.join(", "), waiting.join(", "));
        tracing::info!(changed, "the configuration was read again");
        if !waiting.is_empty() {
            tracing::warn!(waiting, "what these keys say now waits for a restart");
        }
        for warning in &rules.config.warnings {
            tracing::warn!("{warning}");
        }
        last(LastRead { faults: None, waiting: reloaded.waiting.clone() });
        {
            let mut current = current.rules.write().unwrap_or_else(PoisonError::into_inner);
            // The root key may have been rotated meanwhile, or a file applied.
            let rules = Rules { pepper: Arc::clone(&current.pepper), ..Rules::clone(&rules) };
            *current = Arc::new(match self.definitions() {
                Ok(definitions) => rules.with_definitions(&definitions),
                Err(_) => rules,
            });
        }
        let act = Act::new(Kind::ConfigReloaded).facts("changed", &reloaded.changed);
        self.note(acting, act.facts("waiting", &reloaded.waiting));
        Ok(reloaded)
    }

    /// The scopes and roles that applied files define.
    fn definitions(&self) -> Result<Definitions, StoreError> {
        definitions::list(&self.read()?)
    }

    /// Takes the scopes and roles that applied files define now.
    pub(super) fn take_definitions(&self) -> Result<(), StoreError> {
        let mut current = self.configuration.rules.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(current.with_definitions(&self.definitions()?));
        Ok(())
    }

    /// What the configuration and an applied file both define, and differently, a sentence each.
    pub fn contradictions(&self) -> Result<Vec<String>, StoreError> {
        let contradicted = self.rules().configured.contradicted(&self.definitions()?);
        Ok(contradicted.into_iter().map(|key| format!("{key}: {CONTRADICTED}")).collect())
    }

    fn read_again(&self, layers: &Layers) -> Result<(Arc<Rules>, Reloaded), Faults> {
        let old = self.rules();
        // A pipe that a start could read would never end now.
        let is_other = |path: &&PathBuf| fs::metadata(path).is_ok_and(|found| !found.is_file());
        let others = old.configured.watched.iter().filter(is_other).map(|path| Fault {
            source: Source::File(path.clone()),
            key: "config".to_owned(),
            message: "a file is expected here, and this is none".to_owned(),
        });
        let is_out_of_reach = |path: &&PathBuf| {
            // A pipe would not be open before somebody writes to it.
            old.configured.sandbox
                && !is_other(path)
                && File::open(path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
        };
        let replaced = old.configured.watched.iter().filter(is_out_of_reach).map(|path| Fault {
            source: Source::File(path.clone()),
            key: "config".to_owned(),
            message: OUT_OF_REACH.to_owned(),
        });
        let others: Vec<_> = others.chain(replaced).collect();
        if !others.is_empty() {
            return Err(Faults::of(others));
        }
        let new = layers.load_for_server(self.clock().now())?;
        let (configured, waiting) = old.configured.reloaded(&new);
        let (issuer, pepper) = (old.issuer.clone(), Arc::clone(&old.pepper));
        let file = configured.places.config.clone().map_or(Source::Default, Source::File);
        let mut faults: Vec<_> = configured
            .misplaced_apps(&issuer)
            .into_iter()
            .map(|(app, message)| Fault {
                source: file.clone(),
                key: format!("apps.\"{app}\".roles"),
                message,
            })
            .collect();
        let fault = |key: &str, message: String| Fault {
            source: file.clone(),
            key: key.to_owned(),
            message,
        };
        let definitions = self.definitions().unwrap_or_else(|error| {
            faults.push(fault("config", error.to_string()));
            Definitions::default()
        });
        let contradicted = configured.contradicted(&definitions);
        faults.extend(contradicted.iter().map(|key| fault(key, CONTRADICTED.to_owned())));
        let statement_keys = statement_keys(&configured).unwrap_or_else(|error| {
            faults.push(fault("registration.software_statement_keys", error.to_string()));
            None
        });
        if !faults.is_empty() {
            return Err(Faults::of(faults));
        }
        let changed = configured.changes(&old.configured);
        let config = configured.with_definitions(&definitions);
        let documents = Documents::default();
        let rules = Rules { config, configured, documents, issuer, pepper, statement_keys };
        Ok((Arc::new(rules), Reloaded { changed, waiting }))
    }

    /// Whether a file of the configuration is another one than was read, and has been for two looks:
    /// an editor may still be writing. It reads the state of files.
    pub fn has_new_configuration(&self) -> bool {
        if self.configuration.layers.get().is_none() {
            return false;
        }
        let now = states(&self.rules().configured);
        let mut seen = self.configuration.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let [read, last] = &mut *seen;
        let settled = *last == now;
        last.clone_from(&now);
        settled && *read != now
    }

    /// What is wrong with the configuration that was read last, in a sentence.
    pub fn configuration_fault(&self) -> Option<String> {
        let faults = self.last_read().faults?;
        Some(format!(
            "the configuration has faults, and the one before is in force: {}",
            faults.line()
        ))
    }
}

fn states(config: &Config) -> Vec<FileState> {
    let state = |path: &PathBuf| {
        let found = fs::metadata(path).ok();
        FileState(path.clone(), found.map(|found| (found.len(), found.modified().ok())))
    };
    config.watched.iter().map(state).collect()
}

/// Reads the keys whose software statements are trusted.
fn statement_keys(config: &Config) -> Result<Option<JwkSet>, Error> {
    let Some(path) = &config.registration.software_statement_keys else { return Ok(None) };
    let set = JwkSet::parse(&contents(path)?);
    set.map(Some).map_err(|_| {
        let what = "is no JWK Set with a public key that can verify here";
        Internal::new(format!("{} {what}", path.display())).into()
    })
}
