//! A passkey whose every byte a story chooses: WebAuthn §6.1 and §6.5, by hand.

use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_cbor_2::Value as Cbor;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const HAS_CREDENTIAL: u8 = 0x40;

/// A passkey and what it says of itself.
pub(crate) struct RawPasskey {
    /// The model of its authenticator.
    pub(crate) aaguid: [u8; 16],
    /// The format and the statement of its attestation.
    pub(crate) attestation: (&'static str, Cbor),
    /// Whether it may be synchronised.
    pub(crate) backup_eligible: bool,
    /// Its signature counter.
    pub(crate) counter: u32,
    /// What the browser says of the page that asks, if anything.
    pub(crate) cross_origin: Option<bool>,
    /// What the browser says of its extensions.
    pub(crate) extension_results: Value,
    pub(crate) id: Vec<u8>,
    /// Whether it verifies its person.
    pub(crate) verifies: bool,
    /// The transports that the browser reports.
    pub(crate) transports: Value,
    key: EcdsaKeyPair,
    user: String,
}

impl RawPasskey {
    pub(crate) fn new() -> Self {
        Self {
            aaguid: [0; 16],
            attestation: ("none", Cbor::Map(BTreeMap::new())),
            backup_eligible: false,
            counter: 0,
            cross_origin: Some(false),
            extension_results: json!({}),
            id: vec![7; 32],
            verifies: true,
            transports: json!([]),
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            user: String::new(),
        }
    }

    /// The response to the options of a registration.
    pub(crate) fn register(&mut self, origin: &str, options: &Value) -> Value {
        self.user = options["user"]["id"].as_str().unwrap().to_owned();
        let mut data = self.authenticator_data(&options["rp"]["id"], HAS_CREDENTIAL);
        data.extend(self.aaguid);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(serde_cbor_2::to_vec(&self.public_key()).unwrap());
        let (format, statement) = self.attestation.clone();
        let object = BTreeMap::from([
            ("fmt", Cbor::Text(format.to_owned())),
            ("attStmt", statement),
            ("authData", Cbor::Bytes(data)),
        ]);
        self.response(&json!({
            "attestationObject": base64url(&serde_cbor_2::to_vec(&object).unwrap()),
            "clientDataJSON": base64url(&self.client_data("webauthn.create", origin, options)),
            "transports": self.transports,
        }))
    }

    /// The response to the options of a sign-in.
    pub(crate) fn authenticate(&self, origin: &str, options: &Value) -> Value {
        let data = self.authenticator_data(&options["rpId"], 0);
        let client_data = self.client_data("webauthn.get", origin, options);
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.response(&json!({
            "authenticatorData": base64url(&data),
            "clientDataJSON": base64url(&client_data),
            "signature": base64url(signature.as_ref()),
            "userHandle": self.user,
        }))
    }

    fn response(&self, response: &Value) -> Value {
        json!({
            "id": base64url(&self.id),
            "rawId": base64url(&self.id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": self.extension_results,
        })
    }

    fn authenticator_data(&self, rp_id: &Value, flags: u8) -> Vec<u8> {
        let flags = flags
            | PRESENT
            | if self.verifies { VERIFIED } else { 0 }
            | if self.backup_eligible { BACKUP_ELIGIBLE } else { 0 };
        let rp_id = Sha256::digest(rp_id.as_str().unwrap());
        [&rp_id[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, origin: &str, options: &Value) -> Vec<u8> {
        let mut data = json!({ "type": kind, "challenge": options["challenge"], "origin": origin });
        if let Some(cross_origin) = self.cross_origin {
            data["crossOrigin"] = cross_origin.into();
        }
        data.to_string().into_bytes()
    }

    /// The key in COSE form (RFC 9053 §7.1).
    fn public_key(&self) -> BTreeMap<i128, Cbor> {
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        BTreeMap::from([
            (1, Cbor::Integer(2)),
            (3, Cbor::Integer(-7)),
            (-1, Cbor::Integer(1)),
            (-2, Cbor::Bytes(x.to_vec())),
            (-3, Cbor::Bytes(y.to_vec())),
        ])
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
