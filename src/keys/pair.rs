//! The pairs of keys behind the signing keys.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};

use crate::error::Internal;
use crate::oauth::client::SigningAlg;

/// A private key with its public key.
pub(super) enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    /// A key of a development server, whose signatures have no chance in them.
    SteadyEs256(EcdsaKeyPair, SteadyKey),
    Rs256(Box<RsaKeyPair>),
}

impl Pair {
    /// Reads a key, as PKCS #8.
    pub(super) fn open(alg: SigningAlg, document: &[u8]) -> Result<Self, Internal> {
        Ok(match alg {
            SigningAlg::EdDsa => {
                Self::EdDsa(Ed25519KeyPair::from_pkcs8(document).map_err(Internal::new)?)
            }
            SigningAlg::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document);
                Self::Es256(pair.map_err(Internal::new)?)
            }
            SigningAlg::Rs256 => {
                Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(document).map_err(Internal::new)?))
            }
        })
    }

    /// As [`Pair::open`]: a key whose signatures have no chance in them.
    pub(super) fn steady(alg: SigningAlg, document: &[u8]) -> Result<Self, Internal> {
        Ok(match Self::open(alg, document)? {
            Self::Es256(pair) => Self::SteadyEs256(pair, SteadyKey::open(document)?),
            other @ (Self::EdDsa(_) | Self::Rs256(_) | Self::SteadyEs256(..)) => other,
        })
    }

    /// The required members that RFC 7638 §3.2 hashes, in order.
    pub(super) fn public_members(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::EdDsa(pair) => {
                json!({"crv": "Ed25519", "kty": "OKP", "x": encode(pair.public_key().as_ref())})
            }
            Self::Es256(pair) | Self::SteadyEs256(pair, _) => {
                // SEC 1 §2.3.3: the byte 4, then both coordinates.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({"crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y)})
            }
            Self::Rs256(pair) => {
                let public = pair.public_key();
                json!({
                    "e": encode(public.exponent().big_endian_without_leading_zero()),
                    "kty": "RSA",
                    "n": encode(public.modulus().big_endian_without_leading_zero()),
                })
            }
        }
    }

    /// Signs a message.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Internal> {
        match self {
            Self::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::Es256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                Ok(signature.map_err(Internal::new)?.as_ref().to_vec())
            }
            Self::SteadyEs256(_, key) => Ok(key.sign(message)),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(Internal::new)?;
                Ok(signature)
            }
        }
    }
}

/// A new key, as PKCS #8.
pub(super) fn drawn(alg: SigningAlg) -> Result<Vec<u8>, Internal> {
    let rng = SystemRandom::new();
    Ok(match alg {
        SigningAlg::EdDsa => {
            Ed25519KeyPair::generate_pkcs8(&rng).map_err(Internal::new)?.as_ref().to_vec()
        }
        SigningAlg::Es256 => {
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng);
            document.map_err(Internal::new)?.as_ref().to_vec()
        }
        SigningAlg::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(Internal::new)?;
            AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair)
                .map_err(Internal::new)?
                .as_ref()
                .to_vec()
        }
    })
}

/// A P-256 key that signs the same message the same way each time (RFC 6979), which the other keys here
/// do anyway.
pub(super) struct SteadyKey(p256::ecdsa::SigningKey);

impl SteadyKey {
    /// Reads a key.
    fn open(document: &[u8]) -> Result<Self, Internal> {
        let key = p256::ecdsa::SigningKey::from_pkcs8_der(document);
        key.map(Self).map_err(|error| Internal::new(error.to_string()))
    }

    /// Signs a message, in the form of RFC 7518 §3.4.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        signature.to_bytes().to_vec()
    }
}
