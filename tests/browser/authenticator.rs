//! The device that holds a person's passkeys: Chromium's own virtual authenticator, which asks for
//! a finger where `touch` has not promised one.

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::web_authn::{
    AddVirtualAuthenticatorParams, AuthenticatorId, AuthenticatorProtocol, AuthenticatorTransport,
    Credential, EnableParams, GetCredentialsParams, SetAutomaticPresenceSimulationParams,
    VirtualAuthenticatorOptions,
};

/// An authenticator that is built into the machine, verifies its person and keeps discoverable
/// passkeys.
pub(crate) struct Authenticator {
    id: AuthenticatorId,
    page: Page,
}

impl Authenticator {
    /// One that is touched whenever it asks.
    pub(crate) async fn plug_in(page: &Page) -> Self {
        Self::by(page, AuthenticatorTransport::Internal).await
    }

    /// A security key that verifies its person and is touched whenever it asks.
    pub(crate) async fn security_key(page: &Page) -> Self {
        Self::by(page, AuthenticatorTransport::Usb).await
    }

    async fn by(page: &Page, transport: AuthenticatorTransport) -> Self {
        let options = VirtualAuthenticatorOptions {
            automatic_presence_simulation: Some(true),
            has_resident_key: Some(true),
            has_user_verification: Some(true),
            is_user_verified: Some(true),
            ..VirtualAuthenticatorOptions::new(AuthenticatorProtocol::Ctap2, transport)
        };
        page.execute(EnableParams::default()).await.unwrap();
        let added = page.execute(AddVirtualAuthenticatorParams::new(options)).await.unwrap();
        Self { id: added.result.authenticator_id, page: page.clone() }
    }

    /// Whether it is touched when it asks.
    pub(crate) async fn touch(&self, touched: bool) {
        let params = SetAutomaticPresenceSimulationParams::new(self.id.clone(), touched);
        self.page.execute(params).await.unwrap();
    }

    /// The passkeys that it holds.
    pub(crate) async fn held(&self) -> Vec<Credential> {
        let params = GetCredentialsParams::new(self.id.clone());
        self.page.execute(params).await.unwrap().result.credentials
    }
}
