//! The proofs of session keys: the challenges of this process, and the proofs that were served.
//!
//! A challenge is a time and its MAC under a key that lives as long as the process, so that none is
//! stored, and a proof that was made before a start is worth nothing after it. Its time is that of
//! the process, which nobody can set: a proof that was served does not return.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::app::{App, Used};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::session;
use crate::keys;
use crate::model::session_proof::{ProvenRequest, SessionProof};
use crate::secret::{Seed, TokenHash};

/// The lifetime of a challenge, and so of a proof.
const LIFETIME: Duration = Duration::from_mins(1);
/// The most proofs of one session that are remembered, which is the most requests in a lifetime.
const MAX_SERVED: usize = 600;

/// The challenges of this process, and the proofs that were served.
pub(super) struct SessionProofs {
    challenges: Seed,
    served: Mutex<Served>,
}

/// The proofs that were served and have not expired, by session. Only proofs of live sessions are
/// kept, so the sessions bound their number.
#[derive(Default)]
struct Served {
    by_session: HashMap<TokenHash, HashMap<TokenHash, Timestamp>>,
    swept: Option<Timestamp>,
}

impl SessionProofs {
    pub(super) fn new(seed: Seed) -> Self {
        Self { challenges: seed, served: Mutex::default() }
    }

    fn challenge(&self, at: Timestamp) -> String {
        let millis = at.millis().to_be_bytes();
        let mac = self.challenges.bytes(&format!("challenge {}", at.millis()));
        URL_SAFE_NO_PAD.encode([millis.as_slice(), &mac].concat())
    }

    /// When a challenge expires, if this process issued it and it has not.
    fn expiry(&self, challenge: &str, now: Timestamp) -> Option<Timestamp> {
        let bytes = URL_SAFE_NO_PAD.decode(challenge).ok()?;
        let issued = Timestamp::from_millis(u64::from_be_bytes(*bytes.first_chunk()?));
        let own = self.challenge(issued);
        if !bool::from(own.as_bytes().ct_eq(challenge.as_bytes())) {
            return None;
        }
        let expires = issued + LIFETIME;
        (issued <= now && now < expires).then_some(expires)
    }

    /// Records that a proof is served. Each is served once.
    fn serve(
        &self,
        session: TokenHash,
        proof: TokenHash,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if served.swept.is_none_or(|swept| now.since(swept) >= LIFETIME) {
            served.swept = Some(now);
            served.by_session.retain(|_, own| {
                own.retain(|_, expires| now < *expires);
                !own.is_empty()
            });
        }
        let own = served.by_session.entry(session).or_default();
        if own.len() >= MAX_SERVED {
            own.retain(|_, expires| now < *expires);
        }
        if own.contains_key(&proof) {
            return Err(Refusal::SessionProofUsed);
        }
        // To forget one instead would serve it again.
        if own.len() >= MAX_SERVED {
            return Err(Refusal::SessionProofsTooMany);
        }
        own.insert(proof, expires);
        Ok(())
    }
}

/// A key that a request proved.
#[derive(Clone, Copy)]
pub struct ProvenKey {
    /// The hash of the public key.
    pub hash: TokenHash,
    /// Whether it is that of a live session.
    pub is_live: bool,
}

impl App {
    /// A challenge for the proofs of the next minute.
    pub fn session_challenge(&self) -> String {
        self.session_proofs.challenge(self.process_time())
    }

    /// The key that made `proof` for `request`. If its session lives, a proof serves once.
    ///
    /// # Errors
    ///
    /// `SessionProof…` and `SessionProofsTooMany`.
    pub fn prove_session(
        &self,
        proof: &str,
        request: &ProvenRequest<'_>,
    ) -> Result<ProvenKey, Error> {
        let (proof, hash, expires) = self.verified(proof, request)?;
        let cx = self.context();
        let Some(live) = session::live(&self.read()?, &cx, &hash)? else {
            return Ok(ProvenKey { hash, is_live: false });
        };
        if let Some(anew) = live.holder_anew(&hash) {
            self.note_used(Used::Session(live.id(), anew));
        }
        // What was signed, not the signature, of which there is another one for the same text.
        let signed = proof.token().signing_input().as_bytes();
        let pepper = &self.rules().pepper;
        let signed = pepper.mark("session proof", signed);
        // A rotation of the root key changes the hash of the key, and must not serve a proof again.
        let session = pepper.mark("session of proofs", live.id().uuid().as_bytes());
        self.session_proofs.serve(session, signed, expires, self.process_time())?;
        Ok(ProvenKey { hash, is_live: true })
    }

    /// The hash of the key that made `proof` for `request`, for a session that has yet to open. Its
    /// sign-in makes it serve once.
    pub fn prove_new_session_key(
        &self,
        proof: &str,
        request: &ProvenRequest<'_>,
    ) -> Result<TokenHash, Refusal> {
        self.verified(proof, request).map(|(_, key, _)| key)
    }

    fn verified<'a>(
        &self,
        proof: &'a str,
        request: &ProvenRequest<'_>,
    ) -> Result<(SessionProof<'a>, TokenHash, Timestamp), Refusal> {
        let proof = SessionProof::parse(proof)?;
        // The signature is checked last, since it costs most.
        let expires = self.session_proofs.expiry(proof.challenge(), self.process_time());
        let expires = expires.ok_or(Refusal::SessionProofExpired)?;
        proof.check(request)?;
        if !keys::signed_by(proof.key(), proof.token()) {
            return Err(Refusal::SessionProofMalformed);
        }
        let key = proof.key().members().to_string();
        let key = self.rules().pepper.hash_parts("session key", key.as_bytes());
        Ok((proof, key, expires))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Entropy, Pepper, RootSecret};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn hash(of: &str) -> TokenHash {
        Pepper::new(&RootSecret::generate(&Entropy::seeded(1).seed())).hash_parts(of, b"")
    }

    fn proofs(process: u64) -> SessionProofs {
        SessionProofs::new(Entropy::seeded(process).seed())
    }

    #[test]
    fn a_challenge_is_that_of_one_process_for_a_minute() {
        let (own, other) = (proofs(1), proofs(2));
        let challenge = own.challenge(NOW);
        let last = NOW + Duration::from_millis(59_999);

        assert_eq!(own.expiry(&challenge, last), Some(NOW + LIFETIME));
        assert_eq!(own.expiry(&challenge, NOW + LIFETIME), None);
        assert_eq!(other.expiry(&challenge, NOW), None);
        assert_eq!(own.expiry(&other.challenge(NOW), NOW), None);
        // Nobody gets one for later.
        assert_eq!(own.expiry(&own.challenge(last), NOW), None);
        assert_eq!(own.expiry("", NOW), None);
    }

    #[test]
    fn a_proof_is_forgotten_only_when_it_has_expired() {
        let (proofs, expires) = (proofs(1), NOW + LIFETIME);
        let (ada, bob) = (hash("ada"), hash("bob"));
        for proof in 0..MAX_SERVED {
            proofs.serve(ada, hash(&proof.to_string()), expires, NOW).unwrap();
        }

        let full = proofs.serve(ada, hash("one more"), expires, NOW);
        assert_eq!(full, Err(Refusal::SessionProofsTooMany));
        assert_eq!(proofs.serve(ada, hash("0"), expires, NOW), Err(Refusal::SessionProofUsed));
        assert_eq!(proofs.serve(bob, hash("0"), expires, NOW), Ok(()));

        assert_eq!(proofs.serve(ada, hash("1 more"), expires + LIFETIME, expires), Ok(()));
        let remaining = proofs.served.lock().unwrap();
        assert_eq!(remaining.by_session.values().map(HashMap::len).sum::<usize>(), 1);
    }
}
