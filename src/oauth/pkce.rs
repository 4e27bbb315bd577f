//! Proof Key for Code Exchange: [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Refusal;

/// The `code_challenge` of RFC 7636 §4.2 under `S256`: a SHA-256 in base64url.
///
/// A value of fewer than 8 distinct bytes is refused: it is no hash, but the sign of a broken
/// client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Whether `verifier` meets this challenge. RFC 7636 §4.6:
    /// `BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge`.
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        let hash: [u8; 32] = Sha256::digest(verifier.0.as_bytes()).into();
        hash.ct_eq(&self.0).into()
    }
}

impl FromStr for CodeChallenge {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let mut hash = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(s, &mut hash);
        let distinct = hash.iter().collect::<BTreeSet<_>>().len();
        if s.len() != 43 || length != Ok(32) || distinct < 8 {
            return Err(Refusal::CodeChallengeMalformed);
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// Checks the `code_challenge_method` of RFC 7636 §4.3. Only `S256` is allowed; an absent one would
/// mean `plain`.
pub fn require_s256(method: Option<&str>) -> Result<(), Refusal> {
    match method {
        Some("S256") => Ok(()),
        Some(_) | None => Err(Refusal::CodeChallengeMethodUnsupported),
    }
}

/// The `code_verifier` of RFC 7636 §4.1: 43 to 128 visible ASCII characters.
///
/// §4.1 says "unreserved", but widely used clients send standard base64, and the hash decides.
pub struct CodeVerifier(Zeroizing<Box<str>>);

impl CodeVerifier {
    /// A verifier of 32 random bytes, as RFC 7636 §4.1 recommends.
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes).into_boxed_str()))
    }

    /// The verifier as a client sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The challenge that this verifier meets.
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl FromStr for CodeVerifier {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let visible = |b: u8| b.is_ascii_graphic();
        if !(43..=128).contains(&s.len()) || !s.bytes().all(visible) {
            return Err(Refusal::CodeVerifierMalformed);
        }
        Ok(Self(Zeroizing::new(s.into())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_7636_appendix_b() {
        let verifier: CodeVerifier =
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".parse().ok().unwrap();
        let challenge: CodeChallenge =
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap();

        assert!(challenge.is_met_by(&verifier));
    }

    #[test]
    fn a_verifier_of_random_bytes_is_one_and_its_challenge_is_read_back() {
        let verifier = CodeVerifier::from_random(&[7; 32]);

        let challenge: CodeChallenge = verifier.challenge().to_string().parse().unwrap();

        assert!(verifier.expose().parse::<CodeVerifier>().is_ok());
        assert!(challenge.is_met_by(&verifier));
    }

    #[test]
    fn a_challenge_that_no_hash_gives_is_refused() {
        for wrong in [
            "",
            "short",
            &"A".repeat(43),
            &format!("{}=", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ] {
            assert_eq!(wrong.parse::<CodeChallenge>(), Err(Refusal::CodeChallengeMalformed));
        }
    }

    #[test]
    fn only_s256_is_a_method() {
        assert_eq!(require_s256(Some("S256")), Ok(()));
        for wrong in [None, Some("plain"), Some("s256")] {
            assert_eq!(require_s256(wrong), Err(Refusal::CodeChallengeMethodUnsupported));
        }
    }

    proptest! {
        #[test]
        fn a_challenge_is_met_by_its_verifier_and_no_other(
            one in "[A-Za-z0-9._~-]{43,128}",
            other in "[A-Za-z0-9._~-]{43,128}",
        ) {
            let (mine, theirs): (CodeVerifier, CodeVerifier) =
                (one.parse().ok().unwrap(), other.parse().ok().unwrap());

            prop_assert!(mine.challenge().is_met_by(&mine));
            prop_assert_eq!(mine.challenge().is_met_by(&theirs), one == other);
        }
    }
}
