//! The faults of a configuration, and the sources of its settings.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// The source of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file that `gatelodge apply` read.
    Applied,
    /// A file in systemd's credentials directory.
    Credential(PathBuf),
    /// The program itself, or the platform's conventions.
    Default,
    /// The TOML file.
    File(PathBuf),
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => f.write_str("gatelodge apply"),
            Self::Credential(path) | Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
            Self::Flag(name) => f.write_str(name),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A key that is not at its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResolvedSetting {
    /// The key, dotted.
    pub key: String,
    /// Its value as it was written; `(secret)` for a secret.
    pub value: String,
    /// The source that set it.
    pub source: Source,
}

/// A fault of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The source of the faulty value.
    pub source: Source,
    /// The key.
    pub key: String,
    /// The message: what was found, and what is allowed.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.source, self.key, self.message)
    }
}

/// All faults of a configuration, at least one; one line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Faults(pub(super) Vec<Fault>);

impl Faults {
    /// The faults of a configuration that was read, at least one.
    pub fn of(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// All of them on one line.
    pub fn line(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// Iterates over the faults.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}
