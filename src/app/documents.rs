//! Clients whose id is the URL of a metadata document, which is fetched if the stored version is
//! stale.

use std::net::IpAddr;
use std::time::Duration;

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::fetch::FetchError;
use crate::flow::client::document::{self, DocumentStatus, Fetched};
use crate::flow::throttle::{self, Source};
use crate::model::network::Network;
use crate::oauth::client::cimd;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::id::ClientId;

/// The most bytes of a client's document.
const MAX_DOCUMENT: usize = 10 * 1024;
/// The most bytes of the document at a `sector_identifier_uri`.
const MAX_SECTOR: usize = 64 * 1024;

/// The shortest time that a document is current, whatever its server says.
const MIN_LIFETIME: Duration = Duration::from_mins(5);

/// The most fetches of one kind in a minute that requests of one network cause.
const MAX_PER_MINUTE: usize = 60;

impl App {
    /// Ensures that the stored version of the client `id` is current, if the id is the URL of a
    /// document. A failure is not cached: the next request fetches again, within the limit of the
    /// network of `address`. A server "MUST NOT cache error responses", nor "documents which are
    /// invalid or malformed" (draft-ietf-oauth-client-id-metadata-document-02 §5.2).
    pub async fn ensure_current(&self, id: &ClientId, address: IpAddr) -> Result<(), Error> {
        self.refresh_document(id, address, |_| false).await
    }

    /// Fetches the document of the client `id`, if that is due. A failure that `tolerates` accepts
    /// is ignored if the stored version is recent enough.
    async fn refresh_document(
        &self,
        id: &ClientId,
        address: IpAddr,
        tolerates: fn(FetchError) -> bool,
    ) -> Result<(), Error> {
        let now = self.clock().now();
        let status = document::status(&self.read()?, self.rules(), now, id)?;
        let DocumentStatus::Fetch(document) = status else { return Ok(()) };
        self.count_fetch("documents", address, document.url().host_str()).await?;
        let fetched = match self.fetcher().json(document.url(), MAX_DOCUMENT).await {
            Err(error)
                if tolerates(error)
                    && document::is_recent(&self.read()?, self.clock().now(), id)? =>
            {
                return Ok(());
            }
            fetched => fetched.map_err(refusal)?,
        };
        let schemes = &self.rules().config.policy.private_use_schemes;
        let metadata = cimd::parse(id, &fetched.body, schemes)?;
        self.check_sector(&metadata, Some(address)).await?;
        let lifetime = fetched
            .freshness_lifetime
            .unwrap_or_default()
            .clamp(MIN_LIFETIME, document::MAX_LIFETIME);
        let (id, fetched) = (id.clone(), Fetched { address, lifetime });
        self.write(move |tx, cx| document::store(tx, cx, &id, &metadata, Some(fetched))).await?;
        Ok(())
    }

    /// Counts a fetch from `host` that a request from `address` causes, or refuses it.
    pub(super) async fn count_fetch(
        &self,
        kind: &'static str,
        address: IpAddr,
        host: Option<&str>,
    ) -> Result<(), Error> {
        let host = host.unwrap_or_default().to_owned();
        let source = Source::Fetch(Network::of(address), host);
        self.write(move |tx, cx| throttle::consume(tx, cx, kind, &source, MAX_PER_MINUTE)).await
    }

    /// As [`App::ensure_current`], for a client that authenticates. Its existing authorizations
    /// stay usable while the server of its document fails for a while; a new authorization has to
    /// wait.
    ///
    /// # Errors
    ///
    /// [`Refusal::DocumentUnavailable`] if the document cannot be fetched or read, whatever the
    /// reason, and [`Error::Paused`].
    pub async fn ensure_current_to_authenticate(
        &self,
        id: &ClientId,
        address: IpAddr,
    ) -> Result<(), Error> {
        self.refresh_document(id, address, FetchError::may_pass).await.map_err(
            |error| match error {
                Error::Internal(_)
                | Error::Paused(_)
                | Error::Refused(Refusal::StoreUnwritable) => error,
                Error::Refused(_) => Refusal::DocumentUnavailable.into(),
            },
        )
    }

    /// Checks that the document at a client's `sector_identifier_uri` names its redirect URIs
    /// (OpenID Connect Registration §5).
    ///
    /// The fetch counts for the network of `address`; an operator's is not counted.
    pub async fn check_sector(
        &self,
        metadata: &ClientMetadata,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
        let url = uri.url().ok_or(Refusal::WebUriMalformed)?;
        if let Some(address) = address {
            self.count_fetch("sector documents", address, url.host_str()).await?;
        }
        let document = self.fetcher().json(&url, MAX_SECTOR).await;
        let document = document.map_err(|_| Refusal::SectorUnclear)?;
        Ok(metadata.check_sector(&document.body)?)
    }
}

/// The refusal of a failed fetch of a document, which the page displays for the client's developer.
fn refusal(error: FetchError) -> Refusal {
    match error {
        FetchError::AddressPrivate => Refusal::DocumentAddressPrivate,
        FetchError::BodyTooLarge => Refusal::DocumentTooLarge,
        FetchError::Broken
        | FetchError::CertificateWrong
        | FetchError::ConnectionRefused
        | FetchError::HostUnknown
        | FetchError::NameserverFailed
        | FetchError::TlsFailed => Refusal::DocumentUnreachable,
        FetchError::ContentEncoded | FetchError::ContentTypeWrong => Refusal::DocumentNotJson,
        FetchError::Deadline => Refusal::DocumentTooSlow,
        FetchError::Offline => Refusal::DocumentOffline,
        FetchError::Redirected => Refusal::DocumentRedirected,
        FetchError::StatusWrong(_) => Refusal::DocumentStatusWrong,
        FetchError::UrlNotHttps | FetchError::UrlWithFragment | FetchError::UrlWithUserinfo => {
            Refusal::DocumentAddressMalformed
        }
    }
}
