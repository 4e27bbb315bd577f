//! The key of a session, and the proofs that a page's script makes with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelodge::clock::Timestamp;
use gatelodge::keys::{self, KeyRing, Sealer, SigningKey};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::secret::{BrowserSecret, Entropy, RootSecret};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MADE: Timestamp = Timestamp::from_seconds(0);

/// A key pair in the storage of a browser.
#[derive(Clone)]
pub(crate) struct SessionKey {
    key: std::sync::Arc<SigningKey>,
    jwk: Value,
}

impl SessionKey {
    pub(crate) fn new() -> Self {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::System.seed()));
        let made = keys::generate(SigningAlg::Es256, &sealer, MADE, MADE).unwrap();
        let ring = KeyRing::open(vec![made], &sealer).unwrap();
        let jwks: Value = serde_json::from_slice(&ring.jwks(MADE)).unwrap();
        let jwk = jwks["keys"][0].clone();
        Self { key: ring.current(SigningAlg::Es256, MADE).unwrap().clone(), jwk }
    }

    /// The proof for a request.
    pub(crate) fn proof(&self, challenge: &str, method: &str, target: &str, body: &[u8]) -> String {
        let claims = json!({
            "digest": URL_SAFE_NO_PAD.encode(Sha256::digest(body)),
            "htm": method,
            "htu": target,
            "jti": Entropy::System.seed().uuid("jti").to_string(),
            "jwk": self.jwk,
            "nonce": challenge,
        });
        self.key.sign("session-proof+jwt", &claims).unwrap()
    }
}

/// The secret of a storage.
pub(crate) fn storage_secret() -> String {
    let secret: BrowserSecret = Entropy::System.seed().token();
    secret.expose().to_string()
}
