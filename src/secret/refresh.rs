//! Refresh tokens. One is the id of its grant, a generation and a MAC, so that the server knows all
//! of its own without storing any.
//!
//! The MAC needs the root secret and the salt in the grant's row: neither alone makes a token.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::pepper::Keys;
use super::{NotAToken, Pepper, Seed};

/// The random bytes of a grant's row without which nobody makes a refresh token of the grant.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshSalt([u8; 32]);

impl RefreshSalt {
    /// Derives a salt from `seed`.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(seed.bytes("refresh salt"))
    }
}

impl fmt::Debug for RefreshSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshSalt(…)")
    }
}

/// The refresh token of RFC 6749 §1.5: `gl_rt_` and 57 bytes in base64url, which are the generation
/// of the key (1), the id of the grant (16), the generation of the token (8) and the HMAC-SHA-256 of
/// these (32).
///
/// What it says is proven only by [`Pepper::generation_of`].
pub struct RefreshToken {
    key: u8,
    grant: Uuid,
    generation: u64,
    mac: Zeroizing<[u8; 32]>,
}

impl RefreshToken {
    const PREFIX: &str = "gl_rt_";
    const LENGTH: usize = 1 + 16 + 8 + 32;

    /// The id of the grant that it names.
    pub fn grant(&self) -> Uuid {
        self.grant
    }

    /// The token in the clear.
    pub fn expose(&self) -> Zeroizing<String> {
        let signed = signed(self.key, self.grant, self.generation);
        let bytes = Zeroizing::new([signed.as_slice(), self.mac.as_slice()].concat());
        Zeroizing::new(format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }
}

impl FromStr for RefreshToken {
    type Err = NotAToken;

    fn from_str(s: &str) -> Result<Self, NotAToken> {
        let encoded = s.strip_prefix(Self::PREFIX).ok_or(NotAToken)?;
        let mut bytes = Zeroizing::new([0; Self::LENGTH]);
        match URL_SAFE_NO_PAD.decode_slice(encoded, bytes.as_mut_slice()) {
            Ok(Self::LENGTH) => {}
            Ok(_) | Err(_) => return Err(NotAToken),
        }
        let ([key], rest) = bytes.split_first_chunk().ok_or(NotAToken)?;
        let (grant, rest) = rest.split_first_chunk().ok_or(NotAToken)?;
        let (generation, mac) = rest.split_first_chunk().ok_or(NotAToken)?;
        Ok(Self {
            key: *key,
            grant: Uuid::from_bytes(*grant),
            generation: u64::from_be_bytes(*generation),
            mac: Zeroizing::new(*mac.first_chunk().ok_or(NotAToken)?),
        })
    }
}

/// The bytes that a MAC covers. Each part has a fixed length.
fn signed(key: u8, grant: Uuid, generation: u64) -> Vec<u8> {
    [&[key], grant.as_bytes().as_slice(), &generation.to_be_bytes()].concat()
}

impl Pepper {
    /// The refresh token of a grant and a generation, the same one each time for as long as nobody
    /// rotates the root secret. It is made under the newest key.
    pub fn refresh_token(&self, salt: &RefreshSalt, grant: Uuid, generation: u64) -> RefreshToken {
        let key = self.newest.generation;
        let mac = refresh_mac(&self.newest, salt, &signed(key, grant, generation));
        RefreshToken { key, grant, generation, mac }
    }

    /// The generation of a token, if this server made it for the grant with this salt, under a key that
    /// is in force. The MACs are compared in constant time.
    pub fn generation_of(&self, salt: &RefreshSalt, token: &RefreshToken) -> Option<u64> {
        let keys = self.generations().find(|keys| keys.generation == token.key)?;
        let mac = refresh_mac(keys, salt, &signed(token.key, token.grant, token.generation));
        bool::from(mac.ct_eq(token.mac.as_slice())).then_some(token.generation)
    }
}

fn refresh_mac(keys: &Keys, salt: &RefreshSalt, signed: &[u8]) -> Zeroizing<[u8; 32]> {
    let key: Zeroizing<[u8; 32]> =
        Zeroizing::new(keys.refresh.clone().chain_update(salt.0).finalize().into_bytes().into());
    let mac = Hmac::<Sha256>::new_from_slice(key.as_slice());
    let mac = mac.expect("HMAC takes keys of any length").chain_update(signed);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Entropy, Generations, RootSecret};

    fn pepper(seed: u64) -> Pepper {
        Pepper::new(&RootSecret::generate(&Entropy::seeded(seed).seed()))
    }

    fn salt(seed: u64) -> RefreshSalt {
        RefreshSalt::from_seed(&Entropy::seeded(seed).seed())
    }

    const GRANT: Uuid = Uuid::from_u128(0x0190_163d_8694_439b_aea5_966c_26f8_ad04);

    #[test]
    fn a_refresh_token_is_read_back_as_it_was_written_and_has_one_length() {
        for generation in [0, 1, 7_955, u64::MAX] {
            let written = pepper(1).refresh_token(&salt(2), GRANT, generation).expose();

            let read: RefreshToken = written.parse().ok().unwrap();

            assert_eq!(written.len(), "gl_rt_".len() + 76);
            assert_eq!((*read.expose()).as_str(), written.as_str());
            assert_eq!(read.grant(), GRANT);
            assert_eq!(pepper(1).generation_of(&salt(2), &read), Some(generation));
        }
    }

    #[test]
    fn a_text_of_another_kind_length_or_alphabet_is_no_refresh_token() {
        let written = pepper(1).refresh_token(&salt(2), GRANT, 3).expose();

        for wrong in [
            "",
            "gl_rt_",
            &written[1..],
            &written[..written.len() - 1],
            &written.replace("gl_rt_", "gl_ac_"),
            &format!("{}A", *written),
            &format!("{}==", *written),
            &format!("{}+", &written[..written.len() - 1]),
            &format!("gl_rt_{}", "A".repeat(43)),
        ] {
            assert!(wrong.parse::<RefreshToken>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn neither_the_root_secret_nor_the_row_alone_makes_a_token() {
        let own = |token: &RefreshToken| pepper(1).generation_of(&salt(2), token);

        assert_eq!(own(&pepper(1).refresh_token(&salt(2), GRANT, 3)), Some(3));
        assert_eq!(own(&pepper(1).refresh_token(&salt(3), GRANT, 3)), None);
        assert_eq!(own(&pepper(2).refresh_token(&salt(2), GRANT, 3)), None);
    }

    #[test]
    fn a_token_counts_as_long_as_its_key_is_in_force_and_the_next_is_of_the_newest() {
        let root = |seed| RootSecret::generate(&Entropy::seeded(seed).seed());
        let (first, lasting) = (Generations::first(root(1)), root(1).lasting_key());
        let both = first.succeeded_by(root(2)).unwrap();
        let of = |generations: &Generations| Pepper::of(generations, &lasting);
        let (before, after, forgotten) = (of(&first), of(&both), of(&both.newest_alone()));

        let old = before.refresh_token(&salt(2), GRANT, 3);
        let new = after.refresh_token(&salt(2), GRANT, 4);

        assert_eq!(after.generation_of(&salt(2), &old), Some(3));
        assert_eq!(forgotten.generation_of(&salt(2), &old), None);
        assert_eq!(forgotten.generation_of(&salt(2), &new), Some(4));
        assert_eq!(before.generation_of(&salt(2), &new), None);
    }

    #[test]
    fn every_bit_of_a_token_counts() {
        let written = pepper(1).refresh_token(&salt(2), GRANT, 3).expose();
        let encoded = written.strip_prefix("gl_rt_").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(encoded).unwrap();

        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let forged = format!("gl_rt_{}", URL_SAFE_NO_PAD.encode(forged));
            let forged: RefreshToken = forged.parse().ok().unwrap();

            assert_eq!(pepper(1).generation_of(&salt(2), &forged), None, "bit {bit}");
        }
    }
}
