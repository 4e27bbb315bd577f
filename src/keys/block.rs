//! One block under AES-256 ([FIPS 197](https://csrc.nist.gov/pubs/fips/197/final)): 16 bytes for 16
//! bytes, back and forth for whoever has the key, and unrelated for everybody else.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use zeroize::Zeroizing;

/// The key of a permutation of blocks.
pub struct BlockKey(Zeroizing<[u8; 32]>);

impl BlockKey {
    /// The permutation of `key`.
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The block that stands for `block`.
    pub fn encrypt(&self, mut block: [u8; 16]) -> [u8; 16] {
        // One block needs no mode that chains it to others.
        let encrypted = EncryptingKey::ecb(self.key()).and_then(|key| key.encrypt(&mut block));
        encrypted.expect("AES encrypts a whole block");
        block
    }

    /// The block that `block` stands for.
    pub fn decrypt(&self, mut block: [u8; 16]) -> [u8; 16] {
        let key = DecryptingKey::ecb(self.key()).expect("AES takes its own keys");
        let decrypted = key.decrypt(&mut block, DecryptionContext::None);
        decrypted.expect("AES decrypts a whole block");
        block
    }

    fn key(&self) -> UnboundCipherKey {
        UnboundCipherKey::new(&AES_256, self.0.as_slice()).expect("AES-256 takes 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 197, appendix C.3.
    #[test]
    fn the_specifications_block_is_encrypted_and_decrypted() {
        let bytes = |count: u8| (0..count).collect::<Vec<u8>>();
        let key = BlockKey::new(Zeroizing::new(bytes(32).try_into().unwrap()));
        let plain: [u8; 16] = std::array::from_fn(|at| u8::try_from(at * 0x11).unwrap());

        let encrypted = key.encrypt(plain);

        let expected = "8ea2b7ca516745bfeafc49904b496089";
        assert_eq!(crate::secret::hex(&encrypted), expected);
        assert_eq!(key.decrypt(encrypted), plain);
    }
}
