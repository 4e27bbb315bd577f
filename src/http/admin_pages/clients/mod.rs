//! `/gate/admin/clients`: who may let people sign in, and what they may.

pub(super) mod act;
pub(super) mod add;
pub(super) mod application;
mod described;
pub(super) mod edit;
pub(super) mod list;
pub(super) mod made;
pub(super) mod show;
#[cfg(test)]
pub(super) mod unmarked;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::http::destination::AdminPath;

/// The client that the path of a page names.
pub(super) struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PathRejection> {
        let Path(segment) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Self(AdminPath::client_id(&segment).to_owned()))
    }
}
