//! Why an operation did nothing, and what the page of its form says of it.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;

use crate::error::{Error, ErrorCode, Internal, Refusal};
use crate::http::failure::{Cause, PageFailure};
use crate::http::texts::Texts;

/// Why an operation did nothing.
pub(super) struct Refused(Arc<Error>);

impl Refused {
    /// What an operation reported.
    pub(super) fn by(error: Arc<Error>) -> Self {
        Self(error)
    }

    /// What a page itself refuses.
    pub(super) fn of(refusal: Refusal) -> Self {
        Self(Arc::new(refusal.into()))
    }

    /// A fault of this server.
    pub(super) fn fault(error: impl std::fmt::Display) -> Self {
        Self(Arc::new(Internal::new(error).into()))
    }

    /// The refusal; `None`: a fault of this server.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.0.refusal()
    }

    /// What it says to an administrator: the precise reason, and what it may have meant.
    pub(super) fn sentence(&self, t: &Texts) -> String {
        // Of what stands in one field, the pages have words of their own.
        match self.refusal() {
            Some(Refusal::CatalogueUrlUnfit) => t.beside.hints.url_unfit().plain(),
            Some(Refusal::EmailMalformed) => t.beside.hints.email_unfit().plain(),
            Some(Refusal::MemberMalformed("uses", _)) => t.beside.hints.uses_unfit().plain(),
            // Whoever has an app at home gets no further by the reason alone.
            Some(Refusal::RedirectUriPrivate) => {
                format!("{} {}", t.precise(&self.0), t.admin.list.use_https().plain())
            }
            _ => t.precise(&self.0),
        }
    }

    /// Whether it is about what was asked, so that the page can be shown beside it.
    pub(super) fn is_about_request(&self) -> bool {
        let status = self.0.code().status();
        self.refusal().is_some() && (400..500).contains(&status) && status != 403
    }

    /// The page that shows it.
    pub(super) fn beside(self, mut page: Response) -> Response {
        let status = StatusCode::from_u16(self.0.code().status());
        let status = status.unwrap_or(StatusCode::BAD_REQUEST);
        *page.status_mut() = status;
        page.extensions_mut().insert(Cause(self.0));
        page
    }
}

impl From<Refused> for PageFailure {
    fn from(Refused(error): Refused) -> Self {
        // The pages know no token.
        if error.code() == ErrorCode::InsufficientScope {
            return Refusal::AdministrationClosed.into();
        }
        Self::reported(error)
    }
}
