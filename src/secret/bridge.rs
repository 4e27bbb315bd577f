//! The secrets of the bridge. Their forms are fixed by the contract with its clients.

use std::str::FromStr;

use zeroize::Zeroizing;

use super::{NotAToken, Pepper, Seed, TokenHash, hex};

/// The code that carries a sign-in from the browser to a bridge: 32 random bytes as 64 hex
/// characters.
pub struct ExchangeCode(Zeroizing<[u8; 32]>);

impl ExchangeCode {
    /// Derives a code from `seed`.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(Zeroizing::new(seed.bytes("exchange code")))
    }

    /// The code in the clear.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.0.as_slice()))
    }

    /// The hash by which it is found.
    pub fn hash(&self, pepper: &Pepper) -> TokenHash {
        pepper.hash_parts("exchange code", self.0.as_slice())
    }
}

impl FromStr for ExchangeCode {
    type Err = NotAToken;

    fn from_str(s: &str) -> Result<Self, NotAToken> {
        bytes(s).map(Self)
    }
}

/// A personal access token: `sp-live-`, the 12 hex characters of the id of its linked device, a dot,
/// and 52 hex characters of its secret.
pub struct PersonalToken {
    /// The id of its linked device, which is no secret.
    key: [u8; 6],
    secret: Zeroizing<[u8; 26]>,
}

impl PersonalToken {
    const PREFIX: &str = "sp-live-";

    /// Derives a token from `seed`.
    pub fn from_seed(seed: &Seed) -> Self {
        let (key, secret) = (seed.bytes("personal token key"), seed.bytes("personal token"));
        Self {
            key: key.first_chunk().copied().unwrap_or_default(),
            secret: Zeroizing::new(secret.first_chunk().copied().unwrap_or_default()),
        }
    }

    /// The id of its linked device: 12 hex characters, which are public.
    pub fn key(&self) -> String {
        hex(&self.key)
    }

    /// The token in the clear.
    pub fn expose(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(hex(self.secret.as_slice()));
        Zeroizing::new(format!("{}{}.{}", Self::PREFIX, self.key(), *secret))
    }

    /// The hash of its secret, which its row contains.
    pub fn hash(&self, pepper: &Pepper) -> TokenHash {
        pepper.hash_parts(Self::PREFIX, self.secret.as_slice())
    }
}

impl FromStr for PersonalToken {
    type Err = NotAToken;

    fn from_str(s: &str) -> Result<Self, NotAToken> {
        let (key, secret) =
            s.strip_prefix(Self::PREFIX).and_then(|rest| rest.split_once('.')).ok_or(NotAToken)?;
        Ok(Self { key: *bytes(key)?, secret: bytes(secret)? })
    }
}

/// Decodes lower-case hex.
fn bytes<const N: usize>(written: &str) -> Result<Zeroizing<[u8; N]>, NotAToken> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Ok(b - b'0'),
        b'a'..=b'f' => Ok(b - b'a' + 10),
        _ => Err(NotAToken),
    };
    let mut read = Zeroizing::new([0; N]);
    if written.len() != 2 * N {
        return Err(NotAToken);
    }
    for (byte, pair) in read.iter_mut().zip(written.as_bytes().chunks_exact(2)) {
        for half in pair {
            *byte = *byte << 4 | digit(*half)?;
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Entropy;

    #[test]
    fn a_personal_token_has_the_form_that_bridges_check() {
        let token = PersonalToken::from_seed(&Entropy::seeded(1).seed());
        let written = token.expose();

        let read: PersonalToken = written.parse().ok().unwrap();

        assert_eq!(written.len(), "sp-live-".len() + 12 + 1 + 52);
        assert_eq!(written.find('.'), Some(20));
        assert_eq!(*read.expose(), *written);
    }

    #[test]
    fn an_exchange_code_is_64_hex_characters() {
        let code = ExchangeCode::from_seed(&Entropy::seeded(1).seed());
        let written = code.expose();

        assert_eq!(written.len(), 64);
        assert_eq!(*written.parse::<ExchangeCode>().ok().unwrap().expose(), *written);
        for wrong in ["", "ab", &written[1..], &written.to_uppercase(), &format!("{}0", *written)] {
            assert!(wrong.parse::<ExchangeCode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_personal_token_is_none() {
        let written = PersonalToken::from_seed(&Entropy::seeded(1).seed()).expose();

        for wrong in [
            "",
            "sp-live-",
            "sp-live-.",
            &written[1..],
            &written.replace('.', ""),
            &format!("{}0", *written),
            &written.replace("sp-live", "sp-test"),
        ] {
            assert!(wrong.parse::<PersonalToken>().is_err(), "{wrong}");
        }
    }
}
