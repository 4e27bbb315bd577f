//! The place at which a person begins again with a client.

use crate::flow::Context;
use crate::oauth::client::ClientType;
use crate::oauth::params::form_encode;
use crate::oauth::redirect_uri::RedirectUri;
use crate::store::schema::{Client, Origin};

/// An address of a client that an operator registered: where it starts a sign-in, its home page, or the
/// origin that its people come back to. Of any other client there is none, since a stranger would have
/// chosen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(String);

impl Home {
    /// The one of `client`.
    pub fn of(cx: &Context, client: &Client) -> Option<Self> {
        match client.origin {
            Origin::Document { .. } | Origin::Dynamic { .. } | Origin::Hook => return None,
            Origin::Operator => {}
        }
        let metadata = &client.metadata;
        // OpenID Connect Core §4: "iss: REQUIRED. Issuer Identifier for the OP that the RP is to send
        // the Authentication Request to."
        let start =
            metadata.initiate_login_uri.as_ref().and_then(|uri| uri.url()).map(|mut url| {
                let own = form_encode([("iss", cx.rules.issuer.as_str())]);
                let query =
                    url.query().map_or_else(|| own.clone(), |query| format!("{query}&{own}"));
                url.set_query(Some(&query));
                url.into()
            });
        let page = || metadata.client_uri.as_ref().map(|uri| uri.as_str().to_owned());
        let origin = || {
            // What runs on a person's machine has no page there.
            let is_site = metadata.client_type() == ClientType::Confidential;
            let origin = metadata.redirect_uris.iter().find_map(RedirectUri::origin);
            origin.filter(|_| is_site).map(|origin| format!("{origin}/"))
        };
        start.or_else(page).or_else(origin).map(Self)
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.0
    }
}
