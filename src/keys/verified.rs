//! The access tokens whose signature was verified before.
//!
//! It is remembered that a published key signed these claims, which does not change, and never that a token
//! is in force. A ring begins with none, so whatever becomes of its keys makes another ring that remembers
//! nothing.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use super::SigningKey;
use crate::oauth::claims::AccessClaims;
use crate::secret::{MemoryDigest, MemoryKey};

/// The most tokens in each half: some 600 bytes each.
const MAX_IN_HALF: usize = 2048;

/// A token that a key signed.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) claims: Arc<AccessClaims>,
    /// The key, which may retire.
    pub(super) key: Arc<SigningKey>,
}

/// The tokens by their digest: those that were asked for last.
pub(super) struct VerifiedTokens {
    halves: Mutex<Halves>,
    key: MemoryKey,
}

/// What was asked for since the newer half began, and what was asked for in the time of the half before.
#[derive(Default)]
struct Halves {
    newer: HashMap<MemoryDigest, Remembered>,
    older: HashMap<MemoryDigest, Remembered>,
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self { halves: Mutex::default(), key: MemoryKey::generate() }
    }
}

impl VerifiedTokens {
    pub(super) fn digest(&self, token: &str) -> MemoryDigest {
        self.key.digest(token)
    }

    pub(super) fn find(&self, digest: &MemoryDigest) -> Option<Remembered> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = halves.newer.get(digest) {
            return Some(found.clone());
        }
        let found = halves.older.remove(digest)?;
        halves.insert(*digest, found.clone());
        Some(found)
    }

    pub(super) fn insert(&self, digest: MemoryDigest, verified: Remembered) {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, verified);
    }
}

impl Halves {
    fn insert(&mut self, digest: MemoryDigest, verified: Remembered) {
        if self.newer.len() == MAX_IN_HALF {
            self.older = mem::take(&mut self.newer);
        }
        self.newer.insert(digest, verified);
    }
}

#[cfg(test)]
impl VerifiedTokens {
    /// How many tokens are remembered.
    pub(super) fn count(&self) -> usize {
        let halves = self.halves.lock().unwrap();
        halves.newer.len() + halves.older.len()
    }
}
