//! What was done a moment ago, which the next page says once.
//!
//! The response of a form has it as an extension, and a cookie takes it to the page that follows. That
//! page says it and clears the cookie, so that a reload does not say it again. The cookie proves nothing:
//! another program on a loopback host could set it, and would choose between sentences of ours.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::extract::session_proof::Unproven;
use super::pages::cookie::{Cookie, with_cookie};
use super::texts::Texts;
use crate::app::App;

/// How long the page that says it may take to come.
const LASTING: Duration = Duration::from_mins(1);

/// What can be done, each with its text in `[beside.done]`, by which the cookie names it, too.
macro_rules! done {
    ($($Done:ident $text:ident,)*) => {
        /// What a person or an administrator did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Done { $($Done,)* }

        impl Done {
            /// All of them.
            const ALL: &[Self] = &[$(Self::$Done,)*];

            /// Its name in the cookie.
            const fn name(self) -> &'static str {
                match self { $(Self::$Done => stringify!($text),)* }
            }

            /// The sentence that says it.
            pub(super) fn sentence(self, t: &Texts) -> String {
                match self { $(Self::$Done => t.beside.done.$text(),)* }.plain()
            }
        }
    };
}

done! {
    AppDisconnected app_disconnected,
    BridgeEnded bridge_ended,
    CertificateRevoked certificate_revoked,
    ClientDisabled client_disabled,
    ClientEnabled client_enabled,
    ClientRemoved client_removed,
    DeviceEnded device_ended,
    GrantEnded grant_ended,
    InvitationRevoked invitation_revoked,
    InvitationsRevoked invitations_revoked,
    LinkRevoked link_revoked,
    LinksRevoked links_revoked,
    OthersSignedOut others_signed_out,
    PasskeyAdded passkey_added,
    PasskeyRemoved passkey_removed,
    PasskeyRenamed passkey_renamed,
    PersonDisabled person_disabled,
    PersonEnabled person_enabled,
    PersonRemoved person_removed,
    Recovered recovered,
    ResourceAdded resource_added,
    ResourceRemoved resource_removed,
    Saved saved,
    SessionEnded session_ended,
    SettingsRead settings_read,
    TokenRevoked token_revoked,
}

/// Takes what was done from the response of a form to the next page that a browser gets.
pub(super) async fn tell(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let issuer = &app.rules().issuer;
    let said = Cookie::Done.read(issuer, request.headers());
    let said = said.and_then(|name| Done::ALL.iter().find(|done| done.name() == name));
    let says = said.is_some() && request.method() == Method::GET;
    if let Some(said) = said {
        request.extensions_mut().insert(*said);
    }
    let mut response = next.run(request).await;
    if let Some(done) = response.extensions_mut().remove::<Done>() {
        return with_cookie(response, Cookie::Done.set(issuer, done.name(), LASTING));
    }
    // The page without data, which comes before a page where a session is a key, says nothing yet.
    let is_page = response.status() == StatusCode::OK;
    let is_unproven = response.extensions().get::<Unproven>().is_some();
    if says && is_page && !is_unproven {
        return with_cookie(response, Cookie::Done.clear(issuer));
    }
    response
}
