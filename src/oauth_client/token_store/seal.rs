//! Encryption of the token file: AES-256-GCM under a key that the keyring holds.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::RootSecret;

/// Seals `plain` under `secret`, bound to the name `named`.
pub(crate) fn seal(secret: &RootSecret, named: &str, mut plain: Vec<u8>) -> String {
    let nonce = key(secret)
        .seal_in_place_append_tag(Aad::from(named.as_bytes()), &mut plain)
        .expect("a text of some kilobytes is within what AES-GCM seals");
    STANDARD.encode([nonce.as_ref().as_slice(), &plain].concat())
}

/// Opens what [`seal`] sealed, if it is unchanged and was bound to `named`.
pub(crate) fn open(secret: &RootSecret, named: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    let sealed = STANDARD.decode(sealed).ok()?;
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let opened = key(secret).open_in_place(nonce, Aad::from(named.as_bytes()), &mut sealed).ok()?;
    Some(Zeroizing::new(opened.to_vec()))
}

fn key(secret: &RootSecret) -> RandomizedNonceKey {
    let key = secret.derive("kept tokens");
    RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).expect("AES-256 takes 32 bytes")
}

#[cfg(test)]
mod tests {
    use crate::secret::Entropy;

    use super::*;

    #[test]
    fn only_the_same_key_opens_and_only_in_the_same_place() {
        let mine = RootSecret::generate(&Entropy::seeded(1).seed());
        let other = RootSecret::generate(&Entropy::seeded(2).seed());
        let sealed = seal(&mine, "a", b"text".to_vec());

        assert_eq!(open(&mine, "a", &sealed).as_deref().map(Vec::as_slice), Some(&b"text"[..]));
        assert!(open(&other, "a", &sealed).is_none());
        assert!(open(&mine, "b", &sealed).is_none());
        for broken in ["", "AAAA", "no base64", &sealed.replace('A', "B")[..8]] {
            assert!(open(&mine, "a", broken).is_none(), "{broken}");
        }
        assert_ne!(sealed, seal(&mine, "a", b"text".to_vec()));
    }
}
