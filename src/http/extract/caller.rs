//! Client authentication in requests, the same at every endpoint that requires it:
//! [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use super::{body, peer};
use crate::app::App;
use crate::app::client_authentication::{self, Attempt};
use crate::error::{Error, Refusal};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::http::about::About;
use crate::http::failure::ClientFailure;
use crate::oauth::client::PresentedCredentials;
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;

/// A form, and the client that authenticated with it.
pub(in crate::http) struct AuthenticatedForm {
    pub(in crate::http) client: AuthenticatedClient,
    pub(in crate::http) form: Params,
}

impl FromRequest<Arc<App>> for AuthenticatedForm {
    type Rejection = ClientFailure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ClientFailure> {
        let (parts, body) = request.into_parts();
        let caller = Caller::of(app, &parts);
        let form = body::form(Request::from_parts(parts, body)).await?;
        let credentials = PresentedCredentials::parse(caller.authorization()?, &form)?;
        Ok(Self { client: caller.authenticate(app, credentials).await?, form })
    }
}

/// The sender of a request, before its client is authenticated. An endpoint whose body is no form
/// extracts it and authenticates the client by the headers.
pub(in crate::http) struct Caller {
    about: About,
    authorization: Vec<HeaderValue>,
    endpoint: String,
    from: IpAddr,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(app, parts))
    }
}

impl Caller {
    fn of(app: &App, parts: &Parts) -> Self {
        let authorization = parts.headers.get_all(header::AUTHORIZATION);
        Self {
            about: About::of(&parts.extensions),
            authorization: authorization.iter().cloned().collect(),
            endpoint: parts.uri.path().to_owned(),
            from: peer::address_of(app, &parts.extensions, &parts.headers),
        }
    }

    /// The address of the sender.
    pub(in crate::http) fn address(&self) -> IpAddr {
        self.from
    }

    /// Authenticates the client `named` by the headers alone.
    pub(in crate::http) async fn authenticate_by_head(
        &self,
        app: &Arc<App>,
        named: &ClientId,
    ) -> Result<AuthenticatedClient, Error> {
        let credentials = PresentedCredentials::by_head(self.authorization()?, named)?;
        self.authenticate(app, credentials).await
    }

    async fn authenticate(
        &self,
        app: &Arc<App>,
        credentials: PresentedCredentials,
    ) -> Result<AuthenticatedClient, Error> {
        let endpoint = self.endpoint.clone();
        let attempt = Attempt { credentials, endpoint, from: self.from };
        let authenticated = client_authentication::authenticate(app, attempt).await;
        let known = match &authenticated {
            Ok(client) => Some(client.id()),
            Err(rejected) => rejected.client.as_ref(),
        };
        if let Some(client) = known {
            self.about.set(client);
        }
        authenticated.map_err(|rejected| rejected.error)
    }

    /// The `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`Refusal::ClientAuthTwice`] if there are several.
    fn authorization(&self) -> Result<Option<&[u8]>, Refusal> {
        match self.authorization.as_slice() {
            [] => Ok(None),
            [authorization] => Ok(Some(authorization.as_bytes())),
            [_, _, ..] => Err(Refusal::ClientAuthTwice),
        }
    }
}
