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

/// The most tokens in each half, and the longest of them: what a token has in it takes several times its
/// length here, and whoever may ask for many scopes decides how long it is.
const MAX_IN_HALF: usize = 2048;
const MAX_LENGTH: usize = 2048;

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
    /// The digest of a token, unless it is too long to be remembered.
    pub(super) fn digest(&self, token: &str) -> Option<MemoryDigest> {
        (token.len() <= MAX_LENGTH).then(|| self.key.digest(token))
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Timestamp;
    use crate::error::Refusal;
    use crate::keys::{KeyRing, Sealer, generate};
    use crate::oauth::client::SigningAlg;
    use crate::secret::{Entropy, RootSecret};
    use crate::store::schema::Retirement;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    impl VerifiedTokens {
        /// How many tokens are remembered.
        fn count(&self) -> usize {
            let halves = self.halves.lock().unwrap();
            halves.newer.len() + halves.older.len()
        }
    }

    #[test]
    fn a_verified_token_is_remembered_until_its_key_retires_and_no_forged_one_is() {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::seeded(1).seed()));
        let (id, mut row) = generate(SigningAlg::Es256, &sealer, NOW, NOW).unwrap();
        let at = Timestamp::from_seconds(2_000);
        row.retires = Some(Retirement { at, forgotten: Timestamp::from_seconds(9_000) });
        let ring = KeyRing::open(vec![(id, row)], &sealer).unwrap();
        let key = ring.current(SigningAlg::Es256, NOW).unwrap();
        let token = |jti: &str| {
            let claims = json!({"iss": "i", "sub": "s", "aud": "a", "exp": 9, "iat": 1, "nbf": 1,
                                "jti": jti, "client_id": "c"});
            key.sign("at+jwt", &claims).unwrap()
        };
        let forged = |token: &str| {
            let (head, signature) = token.rsplit_once('.').unwrap();
            let other = if signature.starts_with('A') { "B" } else { "A" };
            format!("{head}.{other}{}", &signature[1..])
        };

        let first = token("0");
        for _ in 0..3 {
            assert_eq!(ring.verify_access(&first, NOW).unwrap().claims().jti, "0");
            let wrong = ring.verify_access(&forged(&first), NOW).map(drop);
            assert_eq!(wrong, Err(Refusal::BearerTokenSignatureWrong));
        }
        assert_eq!(ring.verified.count(), 1);
        let retired = ring.verify_access(&first, at).map(drop);
        assert_eq!(retired, Err(Refusal::BearerTokenKeyRetired));

        // Whoever is asked for again and again stays, among however many others.
        for n in 1..=5_000 {
            ring.verify_access(&token(&n.to_string()), NOW).unwrap();
            ring.verify_access(&first, NOW).unwrap();
        }
        let digest = ring.verified.digest(&first).unwrap();
        assert!(ring.verified.count() <= 4_096 && ring.verified.find(&digest).is_some());
        // A long one is verified each time.
        let (long, before) = (token(&"7".repeat(2_000)), ring.verified.count());
        assert!(ring.verify_access(&long, NOW).is_ok() && ring.verified.count() == before);
    }
}
