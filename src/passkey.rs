//! Passkey ceremonies: [WebAuthn Level 3](https://www.w3.org/TR/webauthn-3/) §7.1 and §7.2.
//!
//! A ceremony has two halves: the challenge that a browser gets, and the state that is stored. The
//! state and the credentials are JSON to the rest of the house.

use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};
use webauthn_rs_proto::ResidentKeyRequirement;

use crate::error::{Error, Internal, Refusal};
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::oauth::issuer::Issuer;
use crate::store::schema::CredentialId;

/// The relying party that this installation is.
pub struct Passkeys(Webauthn);

/// A started ceremony: what the browser gets, and what is stored.
pub struct StartedCeremony {
    /// `publicKey`, as `parseCreationOptionsFromJSON` and its sibling read it.
    pub public_key: Value,
    /// The server's half.
    pub state: Vec<u8>,
}

/// A credential that was made.
#[derive(Clone)]
pub struct Registered {
    /// Its id.
    pub id: CredentialId,
    /// Whether it is synchronised.
    pub backed_up: bool,
    /// The credential, to be stored.
    pub credential: Vec<u8>,
    /// How it was proven (RFC 8176 §2).
    pub amr: Vec<String>,
}

/// An assertion that verified.
#[derive(Clone)]
pub struct Asserted {
    /// The credential as it is from now on: counter and backup state.
    pub credential: Vec<u8>,
    /// Whether it is synchronised.
    pub backed_up: bool,
    /// How it was proven (RFC 8176 §2).
    pub amr: Vec<String>,
}

/// An answer to an authentication ceremony, read but not yet verified.
pub struct Assertion(PublicKeyCredential);

impl Assertion {
    /// The answer that a browser sent.
    pub fn parse(credential: Value) -> Result<Self, Refusal> {
        serde_json::from_value(credential).map(Self).map_err(|_| Refusal::BodyMalformed)
    }

    /// The credential that it says it is from.
    pub fn credential(&self) -> CredentialId {
        CredentialId(self.0.get_credential_id().to_vec())
    }

    /// The person that it says it is from: the user handle.
    pub fn user(&self) -> Option<UserId> {
        let handle = self.0.get_user_unique_id()?;
        Uuid::from_slice(handle).ok().map(UserId::from)
    }
}

impl Passkeys {
    /// The relying party of `issuer`: its host is the RP ID, its origin the only one, port
    /// included.
    pub fn new(issuer: &Issuer) -> Result<Self, Internal> {
        let origin = Url::parse(issuer.as_str()).map_err(Internal::new)?;
        let builder = WebauthnBuilder::new(issuer.host(), &origin).map_err(Internal::new)?;
        builder.rp_name("Gatelodge").build().map(Self).map_err(Internal::new)
    }

    /// Begins the making of a passkey, none of `existing` again.
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
        // Sign-in is usernameless, so a passkey has to be discoverable.
        if let Some(selection) = &mut challenge.public_key.authenticator_selection {
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        Ok(StartedCeremony {
            public_key: serde_json::to_value(&challenge.public_key).map_err(Internal::new)?,
            state: serde_json::to_vec(&state).map_err(Internal::new)?,
        })
    }

    /// Verifies the answer to a registration ceremony (§7.1).
    pub fn finish_registration(&self, state: &[u8], response: Value) -> Result<Registered, Error> {
        let state: PasskeyRegistration = serde_json::from_slice(state).map_err(Internal::new)?;
        let response: RegisterPublicKeyCredential =
            serde_json::from_value(response).map_err(|_| Refusal::BodyMalformed)?;
        let passkey = self
            .0
            .finish_passkey_registration(&response, &state)
            .map_err(|error| refused(&error))?;
        let credential = serde_json::to_vec(&passkey).map_err(Internal::new)?;
        let inner = webauthn_rs::prelude::Credential::from(passkey);
        Ok(Registered {
            id: CredentialId(inner.cred_id.to_vec()),
            backed_up: inner.backup_state,
            credential,
            amr: amr(inner.backup_eligible),
        })
    }

    /// Begins a sign-in by whichever passkey the person chooses.
    pub fn start_authentication(&self) -> Result<StartedCeremony, Internal> {
        let (challenge, state) =
            self.0.start_discoverable_authentication().map_err(Internal::new)?;
        Ok(StartedCeremony {
            public_key: serde_json::to_value(&challenge.public_key).map_err(Internal::new)?,
            state: serde_json::to_vec(&state).map_err(Internal::new)?,
        })
    }

    /// Verifies the answer to an authentication ceremony (§7.2) against the credential it names.
    ///
    /// A counter that goes back is refused.
    pub fn finish_authentication(
        &self,
        state: &[u8],
        response: &Assertion,
        credential: &[u8],
    ) -> Result<Asserted, Error> {
        let state: DiscoverableAuthentication =
            serde_json::from_slice(state).map_err(Internal::new)?;
        let mut passkey: Passkey = serde_json::from_slice(credential).map_err(Internal::new)?;
        let result = self
            .0
            .finish_discoverable_authentication_v2(&response.0, state, &passkey)
            .map_err(|error| refused(&error))?;
        passkey.update_credential(&result);
        Ok(Asserted {
            credential: serde_json::to_vec(&passkey).map_err(Internal::new)?,
            backed_up: result.backup_state(),
            amr: amr(result.backup_eligible()),
        })
    }
}

/// RFC 8176 §2: a key in hardware or in software, and a person who was there. A key that may be
/// synchronised is taken as one in software.
fn amr(backup_eligible: bool) -> Vec<String> {
    let key = if backup_eligible { "swk" } else { "hwk" };
    [key, "user"].map(str::to_owned).into()
}

fn refused(error: &webauthn_rs::prelude::WebauthnError) -> Refusal {
    tracing::debug!(%error, "a passkey did not verify");
    Refusal::CredentialRefused
}

#[cfg(test)]
mod tests {
    use super::*;

    /// webauthn-rs asks for `residentKey: discouraged` of its own accord.
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
