//! A request that goes through the proxy in front of the server, which then says how it arrived.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Method;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Response};
use tokio::time::timeout;

use crate::admin::doctor::{ArrivalView, FindingView, ProbeView};
use crate::cli::admin_client::{AdminClient, path_of};
use crate::cli::output::Failure;
use crate::config::{Config, TlsMode};
use crate::fetch::{FetchError, Tls, converse};
use crate::oauth::issuer::Issuer;
use crate::oauth_client::{Issuer as Address, connect};
use crate::tls::Authority;

const CHECK: &str = "proxy";

/// The most time of the request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request to `address`, or else to the issuer, and returns the findings about how it
/// arrived.
pub(super) async fn findings(
    admin: &mut AdminClient,
    config: &Config,
    issuer: &Issuer,
    address: Option<&Address>,
) -> Vec<FindingView> {
    if address.is_none() && issuer.is_loopback() {
        let why =
            "the issuer is on this machine; --url names a place that leads to it nevertheless";
        return vec![FindingView::skipped(CHECK, why)];
    }
    let Ok(address) = address.cloned().map_or_else(|| issuer.as_str().parse(), Ok) else {
        return vec![FindingView::skipped(
            CHECK,
            "the issuer is no address that a request can go to",
        )];
    };
    match tried(admin, config, &address).await {
        Ok((ArrivalView { arrived: true, checks }, _)) => checks,
        Ok((_, outcome)) => vec![lost(&address, issuer, outcome)],
        Err(failure) => vec![super::failed(CHECK, &failure)],
    }
}

/// Sends the request. Returns how it arrived, and the status of its response.
async fn tried(
    admin: &mut AdminClient,
    config: &Config,
    address: &Address,
) -> Result<(ArrivalView, Result<u16, FetchError>), Failure> {
    let probe: ProbeView = admin.ask(Method::POST, "/api/v1/doctor/probes").await?;
    let sent = timeout(TIMEOUT, send(config, address, &probe)).await;
    let outcome = sent.unwrap_or(Err(FetchError::Deadline));
    let arrival = admin.ask(Method::DELETE, &path_of("doctor/probes", &probe.nonce)).await?;
    Ok((arrival, outcome))
}

async fn send(config: &Config, address: &Address, probe: &ProbeView) -> Result<u16, FetchError> {
    let tls = Tls::new(authorities(config).as_deref()).map_err(|_| FetchError::TlsFailed)?;
    let request = Request::get(&probe.path)
        .header(HOST, &probe.host)
        .header("x-forwarded-for", &probe.forwarded_for)
        .header(ACCEPT, "application/json")
        .header(CONNECTION, "close")
        .header(USER_AGENT, concat!("gatelodge/", env!("CARGO_PKG_VERSION")))
        .body(Full::default())
        .map_err(|_| FetchError::Broken)?;
    let stream = connect(&tls, address.url()).await?;
    converse(stream, request, async |response: Response<_>| Ok(response.status().as_u16())).await
}

/// The authorities that are trusted beside the public ones: those for fetches, and the local CA.
fn authorities(config: &Config) -> Option<Vec<u8>> {
    let own = || Authority::path(&config.places.data);
    let local = (config.tls.mode == TlsMode::Local).then(own);
    let files: Vec<PathBuf> = config.fetch.ca_file.iter().cloned().chain(local).collect();
    let read: Vec<_> = files.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    (!read.is_empty()).then(|| read.join(&b'\n'))
}

/// The finding about a request that did not arrive.
fn lost(address: &Address, issuer: &Issuer, outcome: Result<u16, FetchError>) -> FindingView {
    let place = address.as_str();
    match outcome {
        Ok(status) => FindingView::warning(
            CHECK,
            format!(
                "a request to {place} is answered with {status}, and does not arrive at this server"
            ),
            format!("have {issuer} lead here; if another place does, gatelodge doctor --url URL"),
        ),
        Err(why) => FindingView::warning(
            CHECK,
            format!("{place} cannot be reached from here: {why}"),
            format!(
                "have {issuer} lead here, or name the proxy's place: gatelodge doctor --url URL"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_is_lost_says_where() {
        let (address, issuer) = ("https://id.example".parse().unwrap(), Issuer::localhost(1));

        let elsewhere = lost(&address, &issuer, Ok(404));
        let nowhere = lost(&address, &issuer, Err(FetchError::HostUnknown));

        assert!(elsewhere.found.contains("answered with 404"), "{elsewhere:?}");
        assert!(nowhere.found.contains("the host's name has no address"), "{nowhere:?}");
        assert!(nowhere.remedy.unwrap().contains("gatelodge doctor --url"));
    }
}
