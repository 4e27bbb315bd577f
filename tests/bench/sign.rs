//! Signing an access token, beside signing the same bytes with nothing around it.

use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use gatelodge::clock::Timestamp;
use gatelodge::keys::{self, KeyRing, Sealer};
use gatelodge::oauth::claims::{AccessClaims, Audience};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::secret::{Entropy, RootSecret};

use crate::measure::{Row, rates, window};

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

pub(crate) fn rows() -> Vec<Row> {
    let sealer = Sealer::new(&RootSecret::generate(&Entropy::seeded(1).seed()));
    let made = SigningAlg::ALL.iter().map(|alg| keys::generate(*alg, &sealer, NOW, NOW).unwrap());
    let ring = KeyRing::open(made.collect(), &sealer).unwrap();
    let claims = claims();
    let row = |alg: SigningAlg| {
        let key = ring.current(alg, NOW).unwrap();
        let token = key.sign("at+jwt", &claims).unwrap();
        let (signed, _) = token.rsplit_once('.').unwrap();
        let bare = Bare::generate(alg);

        let mut ours = || window(|| drop(black_box(key.sign("at+jwt", &claims).unwrap())));
        let mut theirs = || window(|| drop(black_box(bare.sign(black_box(signed.as_bytes())))));
        let [ours, theirs] = rates([&mut ours, &mut theirs]);

        Row::new(format!("sign an access token, {}", alg.as_str()), ours)
            .beside("aws-lc-rs alone", theirs)
    };
    [SigningAlg::Es256, SigningAlg::EdDsa, SigningAlg::Rs256].map(row).into()
}

/// A key of the library's own, parsed before.
pub(crate) enum Bare {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl Bare {
    pub(crate) fn generate(alg: SigningAlg) -> Self {
        match alg {
            SigningAlg::EdDsa => Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
            SigningAlg::Es256 => {
                Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            SigningAlg::Rs256 => {
                Self::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
            }
        }
    }

    /// The signature alone.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match self {
            Self::EdDsa(pair) => pair.sign(bytes).as_ref().to_vec(),
            Self::Es256(pair) => pair.sign(&rng, bytes).unwrap().as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &rng, bytes, &mut signature).unwrap();
                signature
            }
        }
    }
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: "http://localhost:7455".to_owned(),
        sub: "0190163d-8694-439b-aea5-966c26f8ad91".to_owned(),
        aud: Audience::One("http://localhost:7455".to_owned()),
        exp: NOW.seconds() + 900,
        iat: NOW.seconds(),
        nbf: NOW.seconds(),
        jti: "0190163d-8694-439b-aea5-966c26f8ad92.AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        client_id: "shop".to_owned(),
        scope: "offline_access openid profile".parse().unwrap(),
        sid: Some("0190163d-8694-439b-aea5-966c26f8ad93".to_owned()),
        auth_time: Some(NOW.seconds()),
        acr: Some("phr".to_owned()),
        amr: vec!["hwk".to_owned(), "user".to_owned()],
        groups: Vec::new(),
        roles: vec!["user".to_owned()],
        plugin_id: None,
        revocable_until: None,
    }
}
