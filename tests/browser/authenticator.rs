//! The device that holds a person's passkeys: Chromium's own virtual authenticator, which asks for
//! a finger where `touch` has not promised one.

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::web_authn::{
    AddVirtualAuthenticatorParams, AuthenticatorId, AuthenticatorProtocol, AuthenticatorTransport,
    Credential, EnableParams, GetCredentialsParams, RemoveVirtualAuthenticatorParams,
    SetAutomaticPresenceSimulationParams, SetUserVerifiedParams, VirtualAuthenticatorOptions,
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

    /// A security key without a PIN.
    pub(crate) async fn without_pin(page: &Page) -> Self {
        let usb = AuthenticatorTransport::Usb;
        let options = VirtualAuthenticatorOptions {
            has_user_verification: Some(false),
            is_user_verified: None,
            ..fit(AuthenticatorProtocol::Ctap2, usb)
        };
        Self::with(page, options).await
    }

    /// A device that does not recognise its person.
    pub(crate) async fn unverifying(page: &Page) -> Self {
        let internal = AuthenticatorTransport::Internal;
        let options = VirtualAuthenticatorOptions {
            is_user_verified: Some(false),
            ..fit(AuthenticatorProtocol::Ctap2, internal)
        };
        Self::with(page, options).await
    }

    /// A security key from before there were passkeys.
    pub(crate) async fn u2f(page: &Page) -> Self {
        let usb = AuthenticatorTransport::Usb;
        let options = VirtualAuthenticatorOptions {
            automatic_presence_simulation: Some(true),
            ..VirtualAuthenticatorOptions::new(AuthenticatorProtocol::U2f, usb)
        };
        Self::with(page, options).await
    }

    async fn by(page: &Page, transport: AuthenticatorTransport) -> Self {
        Self::with(page, fit(AuthenticatorProtocol::Ctap2, transport)).await
    }

    async fn with(page: &Page, options: VirtualAuthenticatorOptions) -> Self {
        page.execute(EnableParams::default()).await.unwrap();
        let added = page.execute(AddVirtualAuthenticatorParams::new(options)).await.unwrap();
        Self { id: added.result.authenticator_id, page: page.clone() }
    }

    /// Takes it away, with the passkeys that it holds.
    pub(crate) async fn unplug(&self) {
        let params = RemoveVirtualAuthenticatorParams::new(self.id.clone());
        self.page.execute(params).await.unwrap();
    }

    /// Whether it recognises its person from now on.
    pub(crate) async fn recognises(&self, person: bool) {
        let params = SetUserVerifiedParams::new(self.id.clone(), person);
        self.page.execute(params).await.unwrap();
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

/// What can be all that is needed, and is touched whenever it asks.
fn fit(
    protocol: AuthenticatorProtocol,
    transport: AuthenticatorTransport,
) -> VirtualAuthenticatorOptions {
    VirtualAuthenticatorOptions {
        automatic_presence_simulation: Some(true),
        has_resident_key: Some(true),
        has_user_verification: Some(true),
        is_user_verified: Some(true),
        ..VirtualAuthenticatorOptions::new(protocol, transport)
    }
}
