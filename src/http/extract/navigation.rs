//! Navigations: the requests by which a browser goes to a page.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::Refusal;
use crate::http::failure::PageFailure;

/// Proof that no browser reports the request as anything but a navigation (`Sec-Fetch-Mode`, Fetch
/// Metadata §2.2), so that the scripts and images of other pages have nothing stored here. A
/// request without `Sec-Fetch-Site` comes from no browser.
pub(in crate::http) struct Navigation(());

impl FromRequestParts<Arc<App>> for Navigation {
    type Rejection = PageFailure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, PageFailure> {
        let is_browser = parts.headers.contains_key("sec-fetch-site");
        let mode = parts.headers.get("sec-fetch-mode");
        if is_browser && mode.is_some_and(|mode| mode != "navigate") {
            return Err(Refusal::NavigationRequired.into());
        }
        Ok(Self(()))
    }
}
