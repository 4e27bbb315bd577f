//! The request by which an operator learns what a proxy makes of it: how it arrives, whatever comes
//! of it.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::header;

use crate::app::App;
use crate::app::doctor::{NONCE, Observed};
use crate::http::extract::peer;

/// The headers, beside `X-Forwarded-For`, by which a proxy shows.
const RELAYING: [&str; 5] =
    ["forwarded", "via", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// The most characters of a header that are kept.
const MAX_LENGTH: usize = 256;

/// The most entries of `X-Forwarded-For` that are kept: the last ones.
const MAX_ENTRIES: usize = 16;

/// Records how a request with a nonce of an operator arrives. It runs outside of the check of
/// `Host`, whose refusal is worth knowing, and changes no response.
pub(in crate::http) fn observe(app: &App, request: &Request) {
    let query = request.uri().query().and_then(|query| query.strip_prefix(NONCE));
    if let Some(nonce) = query.and_then(|rest| rest.strip_prefix('=')) {
        app.observe(nonce, || observed(request));
    }
}

fn observed(request: &Request) -> Observed {
    let headers = request.headers();
    let bounded = |text: &str| text.trim().chars().take(MAX_LENGTH).collect::<String>();
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => {
            let host = headers.get(header::HOST).map(|host| host.as_bytes());
            String::from_utf8_lossy(host.unwrap_or_default()).into_owned()
        }
    };
    let values = headers.get_all("x-forwarded-for").iter();
    let entries = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let entries: Vec<String> = entries.map(bounded).collect();
    let passed_over = entries.len().saturating_sub(MAX_ENTRIES);
    let peer = peer::connected(request.extensions());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Observed {
        forwarded_for: entries.into_iter().skip(passed_over).collect(),
        host: bounded(&host),
        is_relayed: RELAYING.iter().any(|name| headers.contains_key(*name)),
        peer,
    }
}
