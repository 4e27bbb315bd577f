//! Hashes of secrets that a person chose: [Argon2id](https://www.rfc-editor.org/rfc/rfc9106),
//! outside the async threads and bounded.
//!
//! A secret of 256 random bits needs no Argon2id (`secret`). After a success, a digest in memory
//! recognises the same secret for the same hash, under a key that only this process has.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, Internal};
use crate::lanes::{self, Bounds, Crowded, Lanes};
use crate::model::network::Network;
use crate::secret::{Pepper, RootSecret, Seed, TokenHash};

/// The memory of a hash, in blocks of 1 KiB: 19 MiB, with two passes and one lane.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The length of a salt, in bytes.
const SALT: usize = 16;
/// The length of a hash, in bytes.
const HASH: usize = 32;

/// The most hashes that are computed at once, since each needs a processor and its memory.
const MAX_CONCURRENT: usize = 2;

/// The most checks of one network, and of all, that wait for their turn. A check takes some 20 ms.
const MAX_WAITING_OF_NETWORK: usize = 64;
const MAX_WAITING: usize = 1024;

/// The pause of a network in whose lane too many wait.
const CROWDED: Duration = Duration::from_secs(2);

/// The most digests of each kind in memory.
const MAX_REMEMBERED: usize = 10_000;

/// Proof that a secret matched this hash.
pub struct Matched {
    phc: String,
}

impl Matched {
    /// The hash, in PHC form.
    pub fn phc(&self) -> &str {
        &self.phc
    }
}

/// A turn at the hasher. Its holder may have several secrets hashed, one after the other.
pub struct Turn(Arc<lanes::Turn<Lane>>);

/// In which lane a check waits: that of a network, or the operator's.
type Lane = Option<Network>;

/// The hasher, with its digests of verified secrets.
pub struct Passwords {
    /// What was verified, for each hash.
    known: Mutex<Known>,
    /// What each network proved. It is apart, since anybody can prove a client of their own from many
    /// networks.
    proven: Mutex<Known>,
    pepper: Pepper,
    turns: Lanes<Lane>,
    workshop: Arc<BlockPool>,
}

impl Passwords {
    /// Makes a hasher whose digests have a key of their own.
    pub fn new(seed: &Seed) -> Self {
        Self {
            known: Mutex::default(),
            proven: Mutex::default(),
            pepper: Pepper::new(&RootSecret::generate(seed)),
            turns: Lanes::new(Bounds {
                turns: MAX_CONCURRENT,
                turns_of_lane: MAX_CONCURRENT,
                waiting: MAX_WAITING,
                waiting_in_lane: MAX_WAITING_OF_NETWORK,
            }),
            workshop: Arc::default(),
        }
    }

    /// Waits for a free turn, which networks share fairly.
    ///
    /// # Errors
    ///
    /// [`Error::Paused`] if too many checks of the same network wait.
    pub async fn turn(&self, network: Option<Network>) -> Result<Turn, Error> {
        let turn = self.turns.turn(&network).await;
        Ok(Turn(Arc::new(turn.map_err(|Crowded| Error::Paused(CROWDED))?)))
    }

    /// Hashes `secret` in PHC form, with a salt derived from `seed`.
    pub async fn hash(&self, secret: &str, seed: &Seed) -> Result<String, Error> {
        let salt = seed.bytes("salt").first_chunk::<SALT>().copied().unwrap_or_default();
        let turn = self.turn(None).await?;
        let hash =
            self.in_turn(&turn, secret, salt.to_vec(), params(MEMORY, PASSES, LANES)?).await?;
        let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let (salt, hash) = (encode(&salt), encode(hash.as_slice()));
        Ok(format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${hash}"))
    }

    /// Whether `secret` was already verified against `phc`, which is fast to check.
    pub fn remembered(&self, phc: &str, secret: &str) -> Option<Matched> {
        let known = lock(&self.known).digests.contains(&self.digest(phc, secret));
        known.then(|| Matched { phc: phc.to_owned() })
    }

    /// Whether `network` proved `secret` before. `owner` is the hash that it was verified against,
    /// or the name of the thing that it opens.
    pub fn was_proven_by(&self, network: Network, owner: &str, secret: &str) -> bool {
        lock(&self.proven).digests.contains(&self.digest_of(network, owner, secret))
    }

    /// Remembers that `network` proved `secret`.
    pub fn remember(&self, network: Network, owner: &str, secret: &str) {
        lock(&self.proven).remember(self.digest_of(network, owner, secret));
    }

    fn digest_of(&self, network: Network, owner: &str, secret: &str) -> TokenHash {
        let network = [&[u8::from(network.is_v6())], network.prefix()].concat();
        // The digest of the secret has a fixed length, so no two pairs read alike.
        let secret = self.digest(owner, secret).to_bytes();
        self.pepper.hash_parts("proven by a network", &[secret.as_slice(), &network].concat())
    }

    /// Verifies `secret` against the hash `phc`.
    pub async fn verify(
        &self,
        turn: &Turn,
        phc: &str,
        secret: &str,
    ) -> Result<Option<Matched>, Internal> {
        let parsed = ParsedHash::read(phc).ok_or_else(|| Internal::new("a kept hash is none"))?;
        let params = params(parsed.memory, parsed.passes, parsed.lanes)?;
        let hash = self.in_turn(turn, secret, parsed.salt, params).await?;
        if !bool::from(hash.as_slice().ct_eq(&parsed.hash)) {
            return Ok(None);
        }
        lock(&self.known).remember(self.digest(phc, secret));
        Ok(Some(Matched { phc: phc.to_owned() }))
    }

    /// The digest of a secret and its hash. Since each hash has its own salt, a digest is for one
    /// secret of one owner.
    fn digest(&self, phc: &str, secret: &str) -> TokenHash {
        self.pepper.hash_parts(phc, secret.as_bytes())
    }

    async fn in_turn(
        &self,
        turn: &Turn,
        secret: &str,
        salt: Vec<u8>,
        params: Params,
    ) -> Result<Zeroizing<[u8; HASH]>, Internal> {
        let secret = Zeroizing::new(secret.to_owned());
        let turn = Arc::clone(&turn.0);
        let workshop = Arc::clone(&self.workshop);
        let hashed = tokio::task::spawn_blocking(move || {
            // Held until the end of the work, even if the caller no longer waits.
            let _turn = turn;
            workshop.hash(&secret, &salt, params)
        });
        hashed.await.map_err(Internal::new)?
    }
}

fn params(memory: u32, passes: u32, lanes: u32) -> Result<Params, Internal> {
    Params::new(memory, passes, lanes, Some(HASH)).map_err(Internal::new)
}

/// The digests of verified secrets. The oldest is removed first.
#[derive(Default)]
struct Known {
    digests: HashSet<TokenHash>,
    order: VecDeque<TokenHash>,
}

impl Known {
    fn remember(&mut self, digest: TokenHash) {
        if self.digests.insert(digest) {
            self.order.push_back(digest);
        }
        if self.order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.digests.remove(&oldest);
        }
    }
}

/// The memory blocks of the hasher, reused from one hash to the next.
#[derive(Default)]
struct BlockPool(Mutex<Vec<Vec<Block>>>);

impl BlockPool {
    fn hash(
        &self,
        secret: &str,
        salt: &[u8],
        params: Params,
    ) -> Result<Zeroizing<[u8; HASH]>, Internal> {
        let mut blocks = lock(&self.0).pop().unwrap_or_default();
        blocks.resize(params.block_count(), Block::default());
        let mut hash = Zeroizing::new([0; HASH]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hashed = argon2.hash_password_into_with_memory(
            secret.as_bytes(),
            salt,
            hash.as_mut_slice(),
            blocks.as_mut_slice(),
        );
        for block in &mut blocks {
            block.zeroize();
        }
        lock(&self.0).push(blocks);
        hashed.map(|()| hash).map_err(Internal::new)
    }
}

/// A parsed hash in the PHC string format.
#[derive(Debug, PartialEq, Eq)]
struct ParsedHash {
    hash: Vec<u8>,
    lanes: u32,
    memory: u32,
    passes: u32,
    salt: Vec<u8>,
}

impl ParsedHash {
    fn read(phc: &str) -> Option<Self> {
        let rest = phc.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let (params, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut params = params.split(',');
        let mut number = |name: &str| params.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let (memory, passes, lanes) = (number("m=")?, number("t=")?, number("p=")?);
        let decode = |text: &str| STANDARD_NO_PAD.decode(text).ok();
        let parsed = Self { hash: decode(hash)?, lanes, memory, passes, salt: decode(salt)? };
        (parts.next().is_none() && parsed.hash.len() == HASH).then_some(parsed)
    }
}

/// The most memory of a hash from elsewhere, in blocks of 1 KiB, its most passes and its most lanes.
const MAX_COST: [u32; 3] = [256 * 1024, 16, 16];

/// Whether this is a hash that can be compared with a secret, at a cost that is borne.
pub(crate) fn is_hash(phc: &str) -> bool {
    let [memory, passes, lanes] = MAX_COST;
    ParsedHash::read(phc).is_some_and(|hash| {
        let bounded = hash.memory <= memory && hash.passes <= passes && hash.lanes <= lanes;
        bounded && params(hash.memory, hash.passes, hash.lanes).is_ok()
    })
}

/// Locks a mutex, even a poisoned one: its data is consistent at each moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Entropy;

    /// Made by the reference implementation: `argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32`
    #[tokio::test]
    async fn the_reference_implementations_hash_is_met() {
        let passwords = Passwords::new(&Entropy::seeded(1).seed());
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                   CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

        let turn = passwords.turn(None).await.unwrap();
        assert!(passwords.verify(&turn, phc, "password").await.unwrap().is_some());
        assert!(passwords.verify(&turn, phc, "differentpassword").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_secret_that_was_right_is_remembered_for_its_hash_alone() {
        let seed = Entropy::seeded(2).seed();
        let passwords = Passwords::new(&seed);
        let phc = passwords.hash("correct horse", &seed).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));

        let turn = passwords.turn(None).await.unwrap();
        assert!(passwords.verify(&turn, &phc, "wrong").await.unwrap().is_none());
        assert!(passwords.remembered(&phc, "correct horse").is_none());
        assert!(passwords.verify(&turn, &phc, "correct horse").await.unwrap().is_some());

        assert_eq!(passwords.remembered(&phc, "correct horse").unwrap().phc(), phc);
        assert!(passwords.remembered(&phc, "wrong").is_none());
        let other = passwords.hash("battery staple", &seed).await.unwrap();
        assert!(passwords.remembered(&other, "correct horse").is_none());
        assert_eq!(lock(&passwords.workshop.0).len(), 1);
    }

    #[tokio::test]
    async fn what_many_networks_prove_displaces_no_verified_secret() {
        let seed = Entropy::seeded(2).seed();
        let passwords = Passwords::new(&seed);
        let phc = passwords.hash("correct horse", &seed).await.unwrap();
        let turn = passwords.turn(None).await.unwrap();
        passwords.verify(&turn, &phc, "correct horse").await.unwrap();

        for n in 0..=u32::try_from(MAX_REMEMBERED).unwrap() {
            let network = Network::of(std::net::Ipv4Addr::from(n).into());
            passwords.remember(network, "client assertion", "own");
            assert!(passwords.was_proven_by(network, "client assertion", "own"));
        }

        assert!(passwords.remembered(&phc, "correct horse").is_some());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let pepper = Pepper::new(&RootSecret::generate(&Entropy::seeded(3).seed()));
        let mut known = Known::default();

        for n in 0..=MAX_REMEMBERED {
            known.remember(pepper.hash_parts("n", &n.to_be_bytes()));
        }

        assert_eq!((known.digests.len(), known.order.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
        assert!(!known.digests.contains(&pepper.hash_parts("n", &0_usize.to_be_bytes())));
    }

    #[test]
    fn a_string_of_another_form_is_no_hash() {
        for phc in [
            "",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA",
            "$argon2id$v=19$m=19456,t=2$c29tZXNhbHQ$AAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA",
        ] {
            assert_eq!(ParsedHash::read(phc), None, "{phc}");
        }
    }
}
