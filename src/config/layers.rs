//! The layers above the defaults, read into a configuration.

use std::collections::BTreeMap;

use crate::clock::Timestamp;

use super::draft::Draft;
use super::places::Platform;
use super::{Config, Faults, Flags};

/// The variable with the root secret, which a running server does not keep beside it.
const ROOT_SECRET: &str = "GATELODGE_ROOT_SECRET";

/// The layers above the defaults: the flags, the environment, and the file that they name. They are
/// kept to be read again.
#[derive(Clone, Default)]
pub struct Layers {
    env: BTreeMap<String, String>,
    flags: Flags,
}

/// A configuration that was read as far as possible, for a command that needs little of it.
pub struct Tolerant {
    /// The configuration. A faulty key has its default.
    pub config: Config,
    /// Whether no fault can have hidden the data directory.
    pub data_is_known: bool,
    /// The faults, if there are any.
    pub faults: Option<Faults>,
}

impl Layers {
    /// The layers of a process with these `flags` and this environment.
    pub fn new(flags: Flags, env: BTreeMap<String, String>) -> Self {
        Self { env, flags }
    }

    /// The configuration. The error lists every fault.
    pub fn load(&self) -> Result<Config, Faults> {
        let (config, faults) = Draft::read(Platform::here(), &self.flags, &self.env).finish()?;
        faults.map_or(Ok(config), Err)
    }

    /// As [`Layers::load`]. It also checks the files of the certificate, which a server needs and a
    /// command does not.
    pub fn load_for_server(&self, now: Timestamp) -> Result<Config, Faults> {
        let mut draft = Draft::read(Platform::here(), &self.flags, &self.env);
        draft.look_into_files(now);
        let (config, faults) = draft.finish()?;
        faults.map_or(Ok(config), Err)
    }

    /// The configuration as far as it can be read.
    ///
    /// # Errors
    ///
    /// The faults, if there is no data directory.
    pub fn load_tolerantly(&self) -> Result<Tolerant, Faults> {
        let draft = Draft::read(Platform::here(), &self.flags, &self.env);
        let data_is_known = draft.data_is_known();
        let (config, faults) = draft.finish()?;
        Ok(Tolerant { config, data_is_known, faults })
    }

    /// These layers without the root secret, which is read once.
    pub fn without_root_secret(mut self) -> Self {
        self.env.remove(ROOT_SECRET);
        self
    }
}
