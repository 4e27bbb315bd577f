//! A software passkey: the authenticator and the part of the browser that talks to it.

use passkey::authenticator::{Authenticator as Device, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use serde_json::{Value, json};
use url::Url;

/// A person who is there, and proves it.
struct Present;

#[async_trait::async_trait]
impl UserValidationMethod for Present {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence: true, verification: true })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// A device that holds at most one passkey.
#[derive(Clone)]
pub(crate) struct Authenticator {
    passkey: Option<Passkey>,
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        Self { passkey: None }
    }

    /// Makes a passkey.
    pub(crate) async fn register(&mut self, origin: &str, public_key: &Value) -> Value {
        let device =
            Device::new(Aaguid::new_empty(), self.passkey.take(), Present, RustCryptoBackend);
        let mut client = Client::new(device).allows_insecure_localhost(true);
        let options: CredentialCreationOptions =
            serde_json::from_value(json!({ "publicKey": public_key })).unwrap();
        let origin = Url::parse(origin).unwrap();
        let made = client.register(&origin, options, DefaultClientData).await.unwrap();
        self.passkey = client.authenticator_mut().store_mut().take();
        serde_json::to_value(made).unwrap()
    }

    /// Signs a challenge.
    pub(crate) async fn authenticate(&mut self, origin: &str, public_key: &Value) -> Value {
        let device =
            Device::new(Aaguid::new_empty(), self.passkey.take(), Present, RustCryptoBackend);
        let mut client = Client::new(device).allows_insecure_localhost(true);
        let options: CredentialRequestOptions =
            serde_json::from_value(json!({ "publicKey": public_key })).unwrap();
        let origin = Url::parse(origin).unwrap();
        let signed = client.authenticate(&origin, options, DefaultClientData).await.unwrap();
        self.passkey = client.authenticator_mut().store_mut().take();
        serde_json::to_value(signed).unwrap()
    }
}
