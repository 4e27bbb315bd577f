//! The secret by which messages to a webhook are signed: [Standard
//! Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The prefix of a secret that is written in base64.
const PREFIX: &str = "whsec_";

/// The bounds of a secret, in characters as it is written.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=1024;

/// The secret of a webhook.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Reads a secret. After `whsec_` it is base64, otherwise its characters are its bytes. The error
    /// says what is allowed.
    pub fn read(written: &str) -> Result<Self, &'static str> {
        if !LENGTHS.contains(&written.len()) {
            return Err("16 to 1024 characters are allowed");
        }
        let bytes = match written.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok().filter(|bytes| !bytes.is_empty()),
            None => Some(written.as_bytes().to_vec()),
        };
        let bytes = bytes.ok_or("after whsec_, base64 with its padding is allowed")?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The value of `webhook-signature` for a message, its id and its time in seconds.
    pub fn sign(&self, id: &str, seconds: u64, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0);
        let mac = mac.expect("HMAC takes keys of any length");
        let mac = mac.chain_update(format!("{id}.{seconds}.")).chain_update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(secret: &str) -> String {
        let body = "{\"test\": 2432232314}";
        let secret = WebhookSecret::read(secret).ok().unwrap();
        secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    }

    /// The example of the reference implementation's tests.
    #[test]
    fn a_message_is_signed_as_others_sign_it() {
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

        assert_eq!(signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), expected);
        assert_ne!(signed("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), expected);
    }

    #[test]
    fn a_secret_has_its_bounds_and_base64_after_its_prefix() {
        assert!(WebhookSecret::read("sixteen letters!").is_ok());
        assert!(WebhookSecret::read(&"a".repeat(1024)).is_ok());
        for wrong in ["fifteen letters", "whsec_not base64", "whsec_MfKQ9r8GKYqrTwjUPD8"] {
            assert!(WebhookSecret::read(wrong).is_err(), "{wrong}");
        }
        assert!(WebhookSecret::read(&"a".repeat(1025)).is_err());
    }
}
