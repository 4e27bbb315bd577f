//! What a process remembers a secret by, for as long as it runs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// A key for digests that only this process knows. Its digests name a token in memory without the token,
/// and nobody can make two tokens that have the same.
pub struct MemoryKey(Hmac<Sha256>);

/// The HMAC-SHA-256 of a token under a [`MemoryKey`].
pub type MemoryDigest = [u8; 32];

impl MemoryKey {
    /// A new key.
    pub fn generate() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *key).expect("the system gives random bytes");
        Self(Hmac::new_from_slice(key.as_slice()).expect("HMAC takes a key of any length"))
    }

    /// The digest of `token`.
    pub fn digest(&self, token: &str) -> MemoryDigest {
        self.0.clone().chain_update(token).finalize().into_bytes().into()
    }
}
