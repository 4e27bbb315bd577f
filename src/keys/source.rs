//! Where new keys come from.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::pair::drawn;
use super::{KeyRing, Sealer};
use crate::clock::Timestamp;
use crate::error::Internal;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;
use crate::secret::Seed;
use crate::store::schema::{BridgeKey, SigningKeyRow};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};

/// RSA keys that everybody has, as PKCS #8. An RSA key takes up to a second to make, and cannot be
/// derived from a seed.
const RSA: [&[u8]; 4] = [
    include_bytes!("../../assets/development/rs256-1.pk8"),
    include_bytes!("../../assets/development/rs256-2.pk8"),
    include_bytes!("../../assets/development/rs256-3.pk8"),
    include_bytes!("../../assets/development/rs256-4.pk8"),
];

/// The source of keys.
#[derive(Default)]
pub enum KeySource {
    /// Keys that nobody else has.
    #[default]
    System,
    /// Those of a development server, which prove nothing to anybody.
    Development(Development),
}

/// The keys of a development server: the RSA keys that everybody has, and others of its seed.
#[derive(Default)]
pub struct Development {
    made: [AtomicUsize; SigningAlg::ALL.len()],
    seed: Option<Seed>,
}

impl Development {
    /// The keys of `seed`; without one, all but the RSA keys are drawn.
    pub fn new(seed: Option<Seed>) -> Self {
        Self { made: Default::default(), seed }
    }

    /// The next key of an algorithm, as PKCS #8.
    fn next(&self, alg: SigningAlg) -> Result<Vec<u8>, Internal> {
        let place = SigningAlg::ALL.iter().position(|own| *own == alg);
        let made = place.and_then(|place| self.made.get(place));
        let number = made.map_or(0, |made| made.fetch_add(1, Ordering::SeqCst));
        match (alg, &self.seed) {
            (SigningAlg::Rs256, _) => match RSA.get(number) {
                Some(document) => Ok(document.to_vec()),
                None => drawn(alg),
            },
            (SigningAlg::EdDsa, Some(seed)) => ed25519(&seed.bytes(&format!("EdDSA {number}"))),
            (SigningAlg::Es256, Some(seed)) => es256(&seed.derived(&format!("ES256 {number}"))),
            (SigningAlg::EdDsa | SigningAlg::Es256, None) => drawn(alg),
        }
    }
}

impl KeySource {
    /// Opens the keys of the store.
    pub fn open(
        &self,
        rows: Vec<(KeyId, SigningKeyRow)>,
        sealer: &Sealer,
    ) -> Result<KeyRing, Internal> {
        match self {
            Self::Development(Development { seed: Some(_), .. }) => KeyRing::steady(rows, sealer),
            Self::Development(_) | Self::System => KeyRing::open(rows, sealer),
        }
    }

    /// Makes a key that is published from `now` and signs from `active`.
    pub fn generate(
        &self,
        alg: SigningAlg,
        sealer: &Sealer,
        now: Timestamp,
        active: Timestamp,
    ) -> Result<(KeyId, SigningKeyRow), Internal> {
        match self {
            Self::Development(own) => super::sealed(alg, own.next(alg)?, sealer, now, active),
            Self::System => super::generate(alg, sealer, now, active),
        }
    }

    /// Makes the key that bridges pin.
    pub fn generate_for_bridges(
        &self,
        sealer: &Sealer,
        now: Timestamp,
    ) -> Result<BridgeKey, Internal> {
        match self {
            Self::Development(Development { seed: Some(seed), .. }) => {
                super::sealed_for_bridges(ed25519(&seed.bytes("bridges"))?, sealer, now)
            }
            Self::Development(_) | Self::System => super::generate_for_bridges(sealer, now),
        }
    }
}

fn ed25519(seed: &[u8; 32]) -> Result<Vec<u8>, Internal> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(Internal::new)?;
    Ok(pair.to_pkcs8().map_err(Internal::new)?.as_ref().to_vec())
}

/// The first number that is a private key: nearly every one is.
fn es256(seed: &Seed) -> Result<Vec<u8>, Internal> {
    let numbers = (0..8).map(|attempt| seed.bytes(&format!("number {attempt}")));
    let private = numbers
        .filter_map(|bytes| Some((bytes, PrivateKey::from_private_key(&ECDH_P256, &bytes).ok()?)))
        .next();
    let (bytes, private) = private.ok_or_else(|| Internal::new("the seed gives no P-256 key"))?;
    let public = private.compute_public_key().map_err(Internal::new)?;
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &bytes,
        public.as_ref(),
    );
    let pair = pair.map_err(Internal::new)?;
    Ok(pair.to_pkcs8v1().map_err(Internal::new)?.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::Signature;
    use crate::secret::{Entropy, RootSecret};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    /// The ids of two keys of each algorithm, which sign.
    fn ids(source: &KeySource, is_steady: bool) -> Vec<String> {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::seeded(1).seed()));
        let algs = SigningAlg::ALL.iter().chain(SigningAlg::ALL);
        let made = algs.map(|alg| source.generate(*alg, &sealer, NOW, NOW).unwrap());
        let made: Vec<_> = made.collect();
        let ids = made.iter().map(|(id, _)| id.as_str().to_owned()).collect();
        let ring = source.open(made, &sealer).unwrap();
        for alg in SigningAlg::ALL {
            let key = ring.current(*alg, NOW).unwrap();
            let tokens = [(); 2].map(|()| key.sign("JWT", &json!({"a": 1})).unwrap());
            let steady = *alg != SigningAlg::Es256 || is_steady;
            assert_eq!(tokens[0] == tokens[1], steady, "{}", alg.as_str());
            let examined = tokens.map(|token| ring.examine(&token, NOW).unwrap().signature);
            assert_eq!(examined, [Signature::Valid; 2]);
        }
        ids
    }

    #[test]
    fn a_seed_gives_the_same_keys_in_each_run_and_another_seed_others() {
        let seeded = |text| KeySource::Development(Development::new(Some(Seed::of_text(text))));

        let (one, again, other) =
            (ids(&seeded("7"), true), ids(&seeded("7"), true), ids(&seeded("8"), true));

        assert_eq!(one, again);
        let distinct: std::collections::BTreeSet<_> = one.iter().collect();
        assert_eq!(distinct.len(), one.len());
        let same = one.iter().filter(|id| other.contains(id)).count();
        assert_eq!(same, 2, "the RSA keys alone");
    }

    #[test]
    fn without_a_seed_all_but_the_rsa_keys_are_drawn() {
        let drawn = || ids(&KeySource::Development(Development::new(None)), false);

        let (one, other) = (drawn(), drawn());

        assert_eq!(one.iter().filter(|id| other.contains(id)).count(), 2);
        let system = ids(&KeySource::System, false);
        assert!(one.iter().all(|id| !system.contains(id)));
    }
}
