//! What an operation takes beside its right, and how it says that something is new.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin::Failed;
use crate::error::Refusal;

/// The most bytes of a body, unless its operation takes more.
const MAX_BODY: usize = 64 * 1024;

/// The name in a path, decoded.
pub(in crate::admin) struct Named(pub(in crate::admin) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        // Nothing has a name that is no UTF-8.
        let named = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(named.map_err(|_| Refusal::PageNotFound)?.0))
    }
}

/// A JSON object of at most `MAX` bytes, 64 KiB by default.
pub(in crate::admin) struct Body<T, const MAX: usize = MAX_BODY>(pub(in crate::admin) T);

impl<T: DeserializeOwned, S: Send + Sync, const MAX: usize> FromRequest<S> for Body<T, MAX> {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let bytes = object(request, MAX).await?;
        Ok(Self(serde_json::from_slice(&bytes).map_err(|_| Refusal::BodyMalformed)?))
    }
}

/// The bytes of a body of at most `max`, which are those of a JSON object.
async fn object(request: Request, max: usize) -> Result<Bytes, Refusal> {
    let bytes = axum::body::to_bytes(request.into_body(), max).await;
    let bytes = bytes.map_err(|_| Refusal::BodyTooLarge)?;
    // A list of the members in their order would be read as an object, too.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::BodyMalformed);
    }
    Ok(bytes)
}

/// The view of something that is new.
pub(in crate::admin) struct Created<V>(pub(in crate::admin) V);

impl<V: Serialize> IntoResponse for Created<V> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}
