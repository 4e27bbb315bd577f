//! How a request proves its client: [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3),
//! the same at every endpoint that asks for it.

use axum::http::{HeaderMap, header};

use super::failure::Shape;
use crate::app::App;
use crate::error::Error;
use crate::flow::client::auth::{self, AuthenticatedClient};
use crate::oauth::client::Presented;
use crate::oauth::params::Params;

/// The shape in which a client reads an error.
///
/// RFC 6749 §5.2: "If the client attempted to authenticate via the 'Authorization' request header
/// field, the authorization server MUST […] include the 'WWW-Authenticate' response header field
/// matching the authentication scheme used by the client."
pub(super) fn shape(headers: &HeaderMap) -> Shape {
    if headers.contains_key(header::AUTHORIZATION) { Shape::Basic } else { Shape::Json }
}

/// The client that the headers and the form of a request prove.
pub(super) async fn proven(
    app: &App,
    headers: &HeaderMap,
    form: &Params,
) -> Result<AuthenticatedClient, Error> {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let presented = Presented::parse(authorization, form)?;
    auth::prove(&app.read()?, app.rules(), &presented)
}
