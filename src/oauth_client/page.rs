//! The last page of a sign-in in the browser. It loads nothing, and contains no text from a request
//! or a server.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// A page: its status, its title and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page(pub(crate) StatusCode, &'static str, &'static str);

pub(crate) const DONE: Page = Page(
    StatusCode::OK,
    "You are signed in",
    "You may close this window, and go back to your terminal.",
);
pub(crate) const FAILED: Page = Page(
    StatusCode::OK,
    "You are not signed in",
    "Your terminal says why. You may close this window.",
);
pub(crate) const STRANGE: Page = Page(
    StatusCode::BAD_REQUEST,
    "This is no answer",
    "Nothing here waits for what your browser brought. Go back to your terminal, and begin again.",
);
pub(crate) const NOWHERE: Page =
    Page(StatusCode::NOT_FOUND, "There is nothing here", "A program waits here for a sign-in.");

/// The colours of the server's own pages.
const STYLE: &str = "\
:root{color-scheme:light dark;font:17px/1.55 system-ui,sans-serif}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#edf0ea;color:#17231d}\
main{box-sizing:border-box;width:min(26rem,calc(100% - 2rem));padding:2rem;border-radius:14px;\
background:#fefffd;border:1px solid #d9dfd7}\
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25}\
p{margin:0;color:#4d5b53}\
@media (prefers-color-scheme:dark){body{background:#0f1512;color:#e7ede8}\
main{background:#18201c;border-color:#2c3832}p{color:#a6b3ab}}";

impl Page {
    fn html(self) -> String {
        let Self(_, title, text) = self;
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p></main></body>\
             </html>"
        )
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy).expect("a policy is printable ASCII");
        let fixed: [(HeaderName, HeaderValue); 4] = [
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::CONTENT_SECURITY_POLICY, policy),
            // The URL of this page contains a code, though a spent one.
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (self.0, fixed, Html(self.html())).into_response()
    }
}
