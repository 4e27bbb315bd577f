//! Passkey ceremonies: [WebAuthn Level 3](https://www.w3.org/TR/webauthn-3/) §7.1 and §7.2.
//!
//! A ceremony has two halves: the challenge that a browser gets, and the state of the server. For
//! other modules, the state and the credentials are JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize as _;
use serde_cbor_2::Value as Cbor;
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    Credential, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};
use webauthn_rs_proto::ResidentKeyRequirement;

use crate::error::{Error, Internal, Refusal};
use crate::model::authenticator::{Aaguid, Transport};
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::oauth::issuer::Issuer;
use crate::store::schema::CredentialId;

/// The longest id of a credential, in bytes (§7.1 step 25).
const MAX_CREDENTIAL_ID: usize = 1023;

/// The relying party of this installation.
pub struct Passkeys(Webauthn);

/// A started ceremony: the options for the browser, and the state of the server.
pub struct StartedCeremony {
    /// `publicKey`, in the form of `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`.
    pub public_key: Value,
    /// The server's half.
    pub state: Value,
}

/// A new credential.
#[derive(Clone)]
pub struct Registered {
    /// Its id.
    pub id: CredentialId,
    /// The model of its authenticator, if that names one.
    pub aaguid: Option<Aaguid>,
    /// Whether it may be synchronised.
    pub backup_eligible: bool,
    /// Whether it is synchronised.
    pub backed_up: bool,
    /// The credential to store.
    pub credential: Vec<u8>,
    /// The authentication methods (RFC 8176 §2).
    pub amr: Vec<String>,
    /// How browsers reach its authenticator.
    pub transports: Vec<Transport>,
}

/// A verified assertion.
#[derive(Clone)]
pub struct Asserted {
    /// The credential to store, with its new counter and backup state.
    pub credential: Vec<u8>,
    /// Whether it is synchronised.
    pub backed_up: bool,
    /// Whether its counter went back. Only one that may be synchronised is accepted then.
    pub counter_went_back: bool,
    /// The authentication methods (RFC 8176 §2).
    pub amr: Vec<String>,
}

/// A response to an authentication ceremony, parsed but not verified yet.
pub struct Assertion(PublicKeyCredential);

impl Assertion {
    /// Parses the response of a browser.
    pub fn parse(credential: Value) -> Result<Self, Refusal> {
        let credential = with_extension_results(credential);
        serde_json::from_value(credential).map(Self).map_err(|_| Refusal::BodyMalformed)
    }

    /// The id of the credential that it names.
    pub fn credential(&self) -> CredentialId {
        CredentialId(self.0.get_credential_id().to_vec())
    }

    /// The person that its user handle names.
    pub fn user(&self) -> Option<UserId> {
        let handle = self.0.get_user_unique_id()?;
        Uuid::from_slice(handle).ok().map(UserId::from)
    }
}

/// Whether this is a stored credential, with the id `id`.
pub(crate) fn is_credential(credential: &[u8], id: &CredentialId) -> bool {
    let passkey = serde_json::from_slice::<Passkey>(credential);
    passkey.is_ok_and(|passkey| Credential::from(passkey).cred_id.to_vec() == id.0)
}

impl Passkeys {
    /// The relying party of `issuer`. Its RP ID is the host, and its only origin is the issuer's,
    /// including the port.
    pub fn new(issuer: &Issuer) -> Result<Self, Internal> {
        let origin = Url::parse(issuer.as_str()).map_err(Internal::new)?;
        let builder = WebauthnBuilder::new(issuer.host(), &origin).map_err(Internal::new)?;
        builder.rp_name("Gatelodge").build().map(Self).map_err(Internal::new)
    }

    /// Starts the registration of a passkey. `existing` are the credentials that may not be
    /// registered again.
    pub fn start_registration(
        &self,
        user: UserId,
        username: &Username,
        display_name: &DisplayName,
        existing: Vec<CredentialId>,
    ) -> Result<StartedCeremony, Internal> {
        let existing = existing.into_iter().map(|id| id.0).collect();
        let (mut challenge, state) = self
            .0
            .start_passkey_registration(
                user.uuid(),
                username.as_str(),
                display_name.as_str(),
                Some(existing),
            )
            .map_err(Internal::new)?;
        // Sign-in needs no username, so a passkey must be discoverable.
        if let Some(selection) = &mut challenge.public_key.authenticator_selection {
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        Ok(StartedCeremony {
            public_key: serde_json::to_value(&challenge.public_key).map_err(Internal::new)?,
            state: serde_json::to_value(&state).map_err(Internal::new)?,
        })
    }

    /// Verifies the response to a registration ceremony (§7.1).
    pub fn finish_registration(&self, state: &Value, response: Value) -> Result<Registered, Error> {
        let state = PasskeyRegistration::deserialize(state).map_err(Internal::new)?;
        let (transports, response) = without_transports(response);
        let mut response: RegisterPublicKeyCredential =
            serde_json::from_value(with_extension_results(response))
                .map_err(|_| Refusal::BodyMalformed)?;
        check_same_origin(&response.response.client_data_json)?;
        check_id(&response.raw_id)?;
        let object = &mut response.response.attestation_object;
        let mut aaguid = None;
        if let Some(attested) = Attested::read(object) {
            aaguid = attested.aaguid;
            *object = attested.bare;
        }
        let passkey = self
            .0
            .finish_passkey_registration(&response, &state)
            .map_err(|error| refused(&error))?;
        let credential = serde_json::to_vec(&passkey).map_err(Internal::new)?;
        let inner = Credential::from(passkey);
        check_id(&inner.cred_id)?;
        Ok(Registered {
            id: CredentialId(inner.cred_id.to_vec()),
            aaguid,
            backup_eligible: inner.backup_eligible,
            backed_up: inner.backup_state,
            credential,
            amr: amr(inner.backup_eligible),
            transports,
        })
    }

    /// Starts a sign-in with any passkey that the person chooses.
    pub fn start_authentication(&self) -> Result<StartedCeremony, Internal> {
        let (challenge, state) =
            self.0.start_discoverable_authentication().map_err(Internal::new)?;
        Ok(StartedCeremony {
            public_key: serde_json::to_value(&challenge.public_key).map_err(Internal::new)?,
            state: serde_json::to_value(&state).map_err(Internal::new)?,
        })
    }

    /// Verifies the response to an authentication ceremony (§7.2) against the credential it names.
    ///
    /// A counter that goes back is a sign of a copied key (step 22). A passkey of one device is refused
    /// then. One that may be synchronised is copied on purpose, and its copies count for themselves.
    pub fn finish_authentication(
        &self,
        state: &Value,
        response: &Assertion,
        credential: &[u8],
    ) -> Result<Asserted, Error> {
        let state = DiscoverableAuthentication::deserialize(state).map_err(Internal::new)?;
        let passkey: Passkey = serde_json::from_slice(credential).map_err(Internal::new)?;
        check_same_origin(&response.0.response.client_data_json)?;
        // The library refuses each counter that goes back, so it compares with 0 and the counter is
        // judged here.
        let mut inner = Credential::from(passkey);
        let before = std::mem::take(&mut inner.counter);
        let mut passkey = Passkey::from(inner);
        let result = self
            .0
            .finish_discoverable_authentication_v2(&response.0, state, &passkey)
            .map_err(|error| refused(&error))?;
        // Step 22: "If authData.signCount is nonzero or credentialRecord.signCount is nonzero".
        let counter_went_back = before > 0 && result.counter() <= before;
        if counter_went_back && !result.backup_eligible() {
            return Err(Refusal::CredentialCounterBack.into());
        }
        passkey.update_credential(&result);
        Ok(Asserted {
            credential: serde_json::to_vec(&passkey).map_err(Internal::new)?,
            backed_up: result.backup_state(),
            counter_went_back,
            amr: amr(result.backup_eligible()),
        })
    }
}

/// The authentication methods (RFC 8176 §2): a key in hardware or in software, and user presence. A
/// key that can be synchronised counts as a software key.
fn amr(backup_eligible: bool) -> Vec<String> {
    let key = if backup_eligible { "swk" } else { "hwk" };
    [key, "user"].map(str::to_owned).into()
}

fn refused(error: &WebauthnError) -> Refusal {
    tracing::debug!(%error, "a passkey did not verify");
    match error {
        WebauthnError::UserNotVerified => Refusal::UserNotVerified,
        _ => Refusal::CredentialRefused,
    }
}

/// A credential whose `clientExtensionResults` are empty if they are null, as some programs write
/// them.
fn with_extension_results(mut credential: Value) -> Value {
    if let Some(members) = credential.as_object_mut() {
        members.retain(|name, value| name != "clientExtensionResults" || !value.is_null());
    }
    credential
}

fn check_id(id: &[u8]) -> Result<(), Refusal> {
    if (1..=MAX_CREDENTIAL_ID).contains(&id.len()) {
        Ok(())
    } else {
        Err(Refusal::CredentialIdUnfit)
    }
}

/// Refuses a credential that a frame within a page of another origin asked for (§7.1 step 10, §7.2
/// step 13). The library looks at this in registrations alone.
fn check_same_origin(client_data: &[u8]) -> Result<(), Refusal> {
    let data: Value = serde_json::from_slice(client_data).unwrap_or_default();
    if data.get("crossOrigin") == Some(&Value::Bool(true)) {
        return Err(Refusal::CredentialCrossOrigin);
    }
    Ok(())
}

/// The transports that the browser reports, and the response without them, since the library refuses
/// one that it does not know, and a browser may report new ones (§5.2.1).
fn without_transports(mut response: Value) -> (Vec<Transport>, Value) {
    let members = response.pointer_mut("/response").and_then(Value::as_object_mut);
    let reported = members.and_then(|members| members.remove("transports"));
    let reported = reported.as_ref().and_then(Value::as_array).into_iter().flatten();
    let named = reported.filter_map(Value::as_str).filter_map(Transport::named);
    let transports: BTreeSet<Transport> = named.collect();
    (transports.into_iter().collect(), response)
}

/// The place of the AAGUID in the authenticator data (§6.1, §6.5.1): after the hash of the RP ID, the
/// flags and the counter.
const AAGUID: std::ops::Range<usize> = 37..53;

/// An attestation object that can be read.
struct Attested {
    aaguid: Option<Aaguid>,
    /// The object with the statement `none`. This server asks for no attestation, and there is nobody
    /// to trust for one that comes nevertheless, so it is not verified.
    bare: Vec<u8>,
}

impl Attested {
    fn read(object: &[u8]) -> Option<Self> {
        let Ok(Cbor::Map(mut members)) = serde_cbor_2::from_slice(object) else { return None };
        let text = |text: &str| Cbor::Text(text.to_owned());
        let aaguid = match members.get(&text("authData")) {
            Some(Cbor::Bytes(data)) => data.get(AAGUID).and_then(|bytes| bytes.try_into().ok()),
            _ => None,
        };
        members.insert(text("fmt"), text("none"));
        members.insert(text("attStmt"), Cbor::Map(BTreeMap::new()));
        let bare = serde_cbor_2::to_vec(&members).ok()?;
        Some(Self { aaguid: aaguid.and_then(Aaguid::from_bytes), bare })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By default, webauthn-rs requests `residentKey: discouraged`.
    #[test]
    fn a_passkey_is_asked_for_that_is_discoverable_and_verifies_its_user() {
        let passkeys = Passkeys::new(&Issuer::localhost(7455)).unwrap();
        let user = UserId::from(Uuid::from_u128(7));
        let started = passkeys.start_registration(
            user,
            &"ada".parse().unwrap(),
            &"Ada".parse().unwrap(),
            vec![CredentialId(vec![1, 2, 3])],
        );

        let options = started.unwrap().public_key;

        let selection = &options["authenticatorSelection"];
        assert_eq!(selection["residentKey"], "required");
        assert_eq!(selection["requireResidentKey"], true);
        assert_eq!(selection["userVerification"], "required");
        assert_eq!(options["rp"]["id"], "localhost");
        assert_eq!(options["excludeCredentials"][0]["id"], "AQID");
        assert_eq!(options["user"]["id"], "AAAAAAAAAAAAAAAAAAAABw");
    }

    #[test]
    fn a_sign_in_names_nobody() {
        let passkeys = Passkeys::new(&Issuer::localhost(7455)).unwrap();

        let options = passkeys.start_authentication().unwrap().public_key;

        assert_eq!(options["allowCredentials"], Value::Array(Vec::new()));
        assert_eq!(options["userVerification"], "required");
        assert_eq!(options["rpId"], "localhost");
    }
}
