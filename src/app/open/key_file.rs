//! The root secrets as an operator has them: in the key file of the data directory, or in a setting.
//!
//! A rotation writes the new secret there first, and then into the store. So the place may have more
//! secrets than the store knows: those before its newest are a rotation that was begun, and those
//! behind it were forgotten, or are not of this store.

use std::io;
use std::path::{Path, PathBuf};

use super::{OpenError, display};
use crate::config::Config;
use crate::private_file;
use crate::secret::{Generation, Generations, RootSecret, RootSecrets};
use crate::store::schema::{Installation, RootKey};

/// Where the root secrets of a process are.
#[derive(Clone)]
pub(in crate::app) enum KeyPlace {
    /// In this file, which a rotation writes.
    File(PathBuf),
    /// In a setting, which only an operator changes.
    Setting,
    /// In the memory of the process, and nowhere else.
    Process,
}

impl KeyPlace {
    /// The place that `config` names.
    pub(super) fn of(config: &Config) -> Self {
        match config.root_secret {
            Some(_) => Self::Setting,
            None => Self::File(config.places.key()),
        }
    }
}

/// Reads the root secrets from the configuration, or from the key file, which only its owner may
/// read.
pub(in crate::app) fn read(config: &Config) -> Result<RootSecrets, OpenError> {
    if let Some(roots) = &config.root_secret {
        return Ok(roots.clone());
    }
    let path = config.places.key();
    match private_file::read(&path) {
        Ok(written) => written
            .parse()
            .map_err(|why: &str| OpenError::KeyMalformed(display(&path), why.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(OpenError::KeyMissing(display(&path)))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(OpenError::KeyMalformed(display(&path), error.to_string()))
        }
        Err(error) => Err(OpenError::place(&path, error)),
    }
}

/// Writes and syncs the key file as a whole.
pub(in crate::app) fn write(path: &Path, roots: &RootSecrets) -> Result<(), OpenError> {
    let written = private_file::replace(path, roots.expose().as_bytes());
    written.map_err(|error| OpenError::place(path, error))
}

/// The secrets of a place, beside those that a store knows.
pub(in crate::app) struct Matched {
    /// The secrets with which a rotation was begun, the newest first.
    pub(in crate::app) pending: Vec<RootSecret>,
    /// Those in force.
    pub(in crate::app) generations: Generations,
    /// Whether there are others, which open nothing.
    pub(in crate::app) has_others: bool,
}

/// A secret that a store needs and the place lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Missing {
    /// One from before a rotation.
    Earlier,
    /// The newest.
    Newest,
}

/// Finds the secrets of a store among those that are `written`. A store without an installation begins
/// with the first.
pub(in crate::app) fn matched(
    found: Option<&Installation>,
    written: &RootSecrets,
) -> Result<Matched, Missing> {
    let Some(found) = found else {
        let first = written.iter().next().cloned().ok_or(Missing::Newest)?;
        let has_others = written.iter().count() > 1;
        return Ok(Matched {
            pending: Vec::new(),
            generations: Generations::first(first),
            has_others,
        });
    };
    let of = |root: &RootKey| {
        let secret = written.iter().find(|secret| secret.check() == root.check)?;
        Some(Generation { number: root.generation, root: secret.clone() })
    };
    let newest = found.roots.first().and_then(of).ok_or(Missing::Newest)?;
    let all = found.roots.iter().map(of).collect::<Option<Vec<_>>>().ok_or(Missing::Earlier)?;
    let pending = written.iter().take_while(|secret| !secret.is(&newest.root)).cloned();
    let generations = Generations::of(all).ok_or(Missing::Newest)?;
    // One of the store's own may have been put before the newest by hand.
    let pending: Vec<_> = pending.filter(|secret| !generations.has(secret)).collect();
    let has_others = written.iter().count() > pending.len() + generations.iter().count();
    Ok(Matched { pending, generations, has_others })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::oauth::issuer::Issuer;
    use crate::secret::Entropy;

    fn root(seed: u64) -> RootSecret {
        RootSecret::generate(&Entropy::seeded(seed).seed())
    }

    fn written(seeds: &[u64]) -> RootSecrets {
        RootSecrets::of(seeds.iter().map(|seed| root(*seed)).collect())
    }

    /// An installation whose roots in force these are, the newest first.
    fn installation(seeds: &[u64]) -> Installation {
        let key = |seed: &u64| RootKey {
            check: root(*seed).check(),
            generation: u8::try_from(*seed).unwrap(),
            since: Timestamp::from_seconds(0),
        };
        Installation {
            created: Timestamp::from_seconds(0),
            issuer: Issuer::localhost(7455),
            roots: seeds.iter().map(key).collect(),
        }
    }

    #[test]
    fn a_secret_before_the_newest_is_a_rotation_that_was_begun_and_one_behind_it_is_none() {
        for (stored, on_disk, pending, others) in [
            (&[1][..], &[1][..], 0, false),
            (&[1], &[2, 1], 1, false),
            (&[1], &[3, 2, 1], 2, false),
            (&[2, 1], &[2, 1], 0, false),
            (&[2, 1], &[1, 2], 0, false),
            (&[2], &[2, 1], 0, true),
            (&[2], &[3, 2, 1], 1, true),
        ] {
            let matched = matched(Some(&installation(stored)), &written(on_disk)).ok().unwrap();

            let numbers: Vec<u64> =
                matched.generations.iter().map(|own| own.number.into()).collect();
            assert_eq!(numbers, stored, "{on_disk:?}");
            assert_eq!(
                (matched.pending.len(), matched.has_others),
                (pending, others),
                "{on_disk:?}"
            );
        }
    }

    #[test]
    fn a_secret_that_the_store_needs_is_missed() {
        for (stored, on_disk, missing) in [
            (&[1][..], &[2][..], Missing::Newest),
            (&[2, 1], &[1], Missing::Newest),
            (&[2, 1], &[2], Missing::Earlier),
            (&[2, 1], &[3, 2], Missing::Earlier),
        ] {
            let found = matched(Some(&installation(stored)), &written(on_disk)).err();
            assert_eq!(found, Some(missing), "{stored:?} {on_disk:?}");
        }
    }
}
