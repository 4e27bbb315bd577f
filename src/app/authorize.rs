//! Authorization requests: the client is resolved, the request is checked once, and answered or stored.
//! The authorization endpoint and the pushed authorization request endpoint share it.

use std::net::IpAddr;

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::step::PresentedInteraction;
use crate::flow::authorize::{self, Channel, CheckedRequest, Requester, Started, pushed};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::model::network::Network;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::pushed::PushedParameters;
use crate::oauth::authorize::{Callback, RedirectParameters};
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;
use crate::secret::{PushedReference, TokenHash};
use crate::store::StoreError;

/// The failure of an authorization request.
pub enum AuthorizationError {
    /// The callback is not proven, so the person reads the error. RFC 6749 §4.1.2.1: the server
    /// "MUST NOT automatically redirect the user agent to the invalid redirection URI."
    Page {
        /// The client, if it is known.
        client: Option<ClientId>,
        /// The error.
        error: Error,
    },
    /// The client receives the error.
    Redirect {
        /// The callback that gets the error.
        callback: Box<Callback>,
        /// The client.
        client: ClientId,
        /// The error.
        error: Error,
        /// Whether the request has `prompt=none`.
        silent: bool,
    },
}

impl AuthorizationError {
    fn page(error: impl Into<Error>) -> Self {
        Self::Page { client: None, error: error.into() }
    }

    /// The failure to store or answer a request that was checked. The client gets it if the server failed;
    /// a refusal says that the client or the reference is another than a moment ago, so nothing is proven.
    fn unwritten(error: Error, client: ClientId, callback: Callback, silent: bool) -> Self {
        match error {
            Error::Refused(Refusal::StoreUnwritable) | Error::Internal(_) => {
                Self::Redirect { callback: Box::new(callback), client, error, silent }
            }
            Error::Choice(..) | Error::Paused(_) | Error::Refused(_) => {
                Self::Page { client: Some(client), error }
            }
        }
    }
}

impl From<Error> for AuthorizationError {
    fn from(error: Error) -> Self {
        Self::page(error)
    }
}

impl From<Refusal> for AuthorizationError {
    fn from(refusal: Refusal) -> Self {
        Self::page(refusal)
    }
}

impl From<StoreError> for AuthorizationError {
    fn from(error: StoreError) -> Self {
        Self::page(error)
    }
}

impl App {
    /// Checks an authorization request from `address`, and answers it or stores it as an interaction.
    /// `session` is the hash of its session cookie.
    pub async fn start_authorization(
        &self,
        params: &Params,
        (address, device): (IpAddr, DeviceInfo),
        session: Option<TokenHash>,
    ) -> Result<Started, AuthorizationError> {
        let from = Requester { device, network: Network::of(address), session };
        if let Some(PushedParameters { client_id, reference }) = PushedParameters::parse(params)? {
            let reference = self.rules().pepper.hash(&reference);
            return self.start_pushed(client_id, reference, from).await;
        }
        let parameters = RedirectParameters::parse(params)?;
        self.ensure_current(&parameters.client_id, address).await?;
        let client = parameters.client_id.clone();
        let checked = self.checked(parameters, params)?;
        self.note_left_out(&checked, address);
        let (callback, silent) = (checked.callback().clone(), checked.is_silent());
        let started = self.write(move |tx, cx| authorize::start(tx, cx, &from, &checked)).await;
        started.map_err(|error| AuthorizationError::unwritten(error, client, callback, silent))
    }

    /// Whether an error may be redirected to a client at once, before the person has signed in.
    pub fn vouches_for(
        &self,
        id: &ClientId,
        callback: &Callback,
        session: Option<&TokenHash>,
    ) -> Result<bool, StoreError> {
        let view = self.read()?;
        let Some(client) = authorize::find_enabled(&view, id)? else { return Ok(false) };
        authorize::is_vouched_for(&view, &self.present(), (id, &client), callback, session)
    }

    /// Records that the page of an interaction is displayed, if that changes who holds it.
    pub async fn record_opened(&self, presented: &PresentedInteraction) -> Result<(), Error> {
        if authorize::opened(&self.read()?, &self.present(), presented)?.is_none() {
            return Ok(());
        }
        let presented = presented.clone();
        self.record(move |tx, cx| authorize::record_opened(tx, cx, &presented)).await
    }

    /// Checks an authorization request without side effects: nothing is fetched or stored.
    pub fn check_authorization(&self, params: &Params) -> Result<(), AuthorizationError> {
        if let Some(PushedParameters { client_id, reference }) = PushedParameters::parse(params)? {
            let reference = self.rules().pepper.hash(&reference);
            pushed::find(&self.read()?, &self.present(), &client_id, &reference)?;
            return Ok(());
        }
        self.checked(RedirectParameters::parse(params)?, params)?;
        Ok(())
    }

    /// Checks a request that an authenticated client pushes from `address`, and stores it.
    ///
    /// RFC 9126 §2.1: the server "MUST process the request as follows": authenticate the client as
    /// at the token endpoint, refuse a `request_uri`, validate the rest as at the authorization
    /// endpoint.
    pub async fn push_authorization(
        &self,
        proven: AuthenticatedClient,
        address: IpAddr,
        params: &Params,
    ) -> Result<PushedReference, Error> {
        let parameters = crate::oauth::authorize::pushed::parse(proven.id(), params)?;
        let checked = self.checked_to_push(parameters, params)?;
        self.note_left_out(&checked, address);
        let network = Network::of(address);
        self.write(move |tx, cx| pushed::push(tx, cx, &proven, network, &checked)).await
    }

    fn checked_to_push(
        &self,
        parameters: RedirectParameters,
        params: &Params,
    ) -> Result<CheckedRequest, Error> {
        let view = self.read()?;
        let resolved = authorize::resolve(&view, parameters)?;
        resolved.check(&view, &self.present(), &self.keys(), params, Channel::Pushed)
    }

    fn checked(
        &self,
        parameters: RedirectParameters,
        params: &Params,
    ) -> Result<CheckedRequest, AuthorizationError> {
        let view = self.read()?;
        let client = parameters.client_id.clone();
        let resolved = match authorize::resolve(&view, parameters) {
            Ok(resolved) => resolved,
            Err(error) => {
                let known = error
                    .refusal()
                    .is_some_and(|refusal| refusal != Refusal::ClientUnknownAtAuthorize);
                return Err(AuthorizationError::Page { client: known.then_some(client), error });
            }
        };
        let checked =
            resolved.check(&view, &self.present(), &self.keys(), params, Channel::Browser);
        checked.map_err(|error| {
            let callback = resolved.callback().clone();
            let silent = params.one("prompt") == Ok(Some("none"));
            AuthorizationError::Redirect { callback: Box::new(callback), client, error, silent }
        })
    }

    /// Opens the reference to a pushed request (RFC 9126 §4). Errors of the reference go to a
    /// page: without the request there is no callback.
    async fn start_pushed(
        &self,
        client: ClientId,
        reference: TokenHash,
        from: Requester,
    ) -> Result<Started, AuthorizationError> {
        let found = pushed::find(&self.read()?, &self.present(), &client, &reference)?;
        let (callback, silent) = (found.callback().clone(), found.is_silent());
        let id = client.clone();
        let started = self.write(move |tx, cx| pushed::open(tx, cx, &from, &id, &reference));
        let started = started.await;
        started.map_err(|error| AuthorizationError::unwritten(error, client, callback, silent))
    }
}
