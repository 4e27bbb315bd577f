//! Clients whose id is the URL of a metadata document, which is fetched if the stored version is
//! stale.

use std::net::IpAddr;
use std::time::Duration;

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::fetch::{Asker, FetchError};
use crate::flow::client::document::{self, DocumentStatus, Fetched};
use crate::flow::throttle::{self, Guessed, Source};
use crate::model::actor::Acting;
use crate::model::named_by::NamedBy;
use crate::model::network::Network;
use crate::oauth::client::cimd::{self, DocumentAddress};
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::id::ClientId;

/// The most bytes of a client's document.
pub(super) const MAX_DOCUMENT: usize = 10 * 1024;
/// The most bytes of the document at a `sector_identifier_uri`.
const MAX_SECTOR: usize = 64 * 1024;

/// The shortest time that a document is current, whatever its server says.
const MIN_LIFETIME: Duration = Duration::from_mins(5);

/// The most fetches of one kind in a minute that requests of one network cause.
const MAX_PER_MINUTE: usize = 60;

/// The pause of whoever has too many fetches wait.
const CROWDED: Duration = Duration::from_secs(2);

/// A fetch that a request causes, and whose failures count.
pub(super) struct CountedFetch {
    kind: Guessed,
    source: Source,
}

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
        if !DocumentAddress::is_meant(id) {
            return Ok(());
        }
        // Boxed, since most clients have none and its state is large.
        Box::pin(self.refresh_named_document(id, address, tolerates)).await
    }

    async fn refresh_named_document(
        &self,
        id: &ClientId,
        address: IpAddr,
        tolerates: fn(FetchError) -> bool,
    ) -> Result<(), Error> {
        let status = document::status(&self.read()?, &self.rules(), self.clock().now(), id)?;
        let DocumentStatus::Fetch { address: document, known } = status else { return Ok(()) };
        let url = document.url();
        let is_recent = || document::is_recent(&self.read()?, self.clock().now(), id);
        let kind = Guessed::ClientDocument;
        let fetch = match self.count_fetch(kind, address, url.as_str(), known).await {
            Err(Error::Paused(_)) if tolerates(FetchError::Crowded) && is_recent()? => {
                return Ok(());
            }
            counted => counted?,
        };
        let (asker, named_by) = (asker(address), NamedBy::Stranger);
        let fetched = self.fetcher().json(asker, named_by, url, MAX_DOCUMENT).await;
        let tolerated = fetched.as_ref().is_err_and(|error| tolerates(*error));
        let schemes = &self.rules().config.policy.private_use_schemes;
        let read = fetched.map_err(refused).and_then(|fetched| {
            Ok((cimd::parse(id, &fetched.body, schemes)?, fetched.freshness_lifetime))
        });
        let read = self.count_failure(fetch, read).await;
        if tolerated && is_recent()? {
            return Ok(());
        }
        let (metadata, lifetime) = read?;
        self.check_sector(&metadata, Some(address)).await?;
        let lifetime = lifetime.unwrap_or_default().clamp(MIN_LIFETIME, document::MAX_LIFETIME);
        let (id, fetched) = (id.clone(), Fetched { address, lifetime });
        let acting = Acting::stranger(address);
        self.write_by(acting, move |tx, cx| document::store(tx, cx, &id, &metadata, Some(fetched)))
            .await?;
        Ok(())
    }

    /// Counts a fetch of `url` that a request from `address` causes, or refuses it.
    ///
    /// What was fetched well before counts its own failures, as everything does on loopback, where
    /// everybody has one address. Anything else counts for the network, whatever comes of it.
    pub(super) async fn count_fetch(
        &self,
        kind: Guessed,
        address: IpAddr,
        url: &str,
        known: bool,
    ) -> Result<CountedFetch, Error> {
        let network = Network::of(address);
        let source = if known || network.is_loopback() {
            let source = Source::Url(network, url.to_owned());
            throttle::check(&self.read()?, &self.present(), kind, &source)?;
            source
        } else {
            let (source, label) = (Source::Network(network), kind.label());
            let counted = source.clone();
            self.write(move |tx, cx| throttle::consume(tx, cx, label, &counted, MAX_PER_MINUTE))
                .await?;
            source
        };
        Ok(CountedFetch { kind, source })
    }

    /// Counts the failure of a fetch, if that is what came of it. One that never began has not
    /// failed.
    pub(super) async fn count_failure<T>(
        &self,
        CountedFetch { kind, source }: CountedFetch,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        if matches!((&source, &outcome), (Source::Url(..), Err(Error::Refused(_)))) {
            self.record(move |tx, cx| throttle::record_failure(tx, cx, kind, &source)).await?;
        }
        outcome
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
                Error::Choice(..) | Error::Refused(_) => Refusal::DocumentUnavailable.into(),
            },
        )
    }

    /// Checks that the document at a client's `sector_identifier_uri` names its redirect URIs
    /// (OpenID Connect Registration §5).
    ///
    /// The fetch counts for the network of `address`. Without one, an operator named the address and
    /// asks, which is not counted.
    pub async fn check_sector(
        &self,
        metadata: &ClientMetadata,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
        let url = uri.url().ok_or(Refusal::WebUriMalformed)?;
        let Some(address) = address else {
            let (asker, named_by) = (Asker::Operator, NamedBy::Operator);
            let document = self.fetcher().json(asker, named_by, &url, MAX_SECTOR).await;
            let document = document.map_err(|_| Refusal::SectorUnclear)?;
            return Ok(metadata.check_sector(&document.body)?);
        };
        let kind = Guessed::SectorDocument;
        let fetch = self.count_fetch(kind, address, url.as_str(), false).await?;
        let (asker, named_by) = (asker(address), NamedBy::Stranger);
        let document = self.fetcher().json(asker, named_by, &url, MAX_SECTOR).await;
        let document = document.map_err(|error| refused_as(error, Refusal::SectorUnclear));
        // Whoever asks chooses what the document has to name, so a lack of it is no failure of it.
        let document = self.count_failure(fetch, document).await?;
        Ok(metadata.check_sector(&document.body)?)
    }
}

/// Whoever sends a request from `address`.
pub(super) fn asker(address: IpAddr) -> Asker {
    Asker::Network(Network::of(address))
}

/// The refusal of a failed fetch as `refusal`, unless it never began.
pub(super) fn refused_as(error: FetchError, refusal: Refusal) -> Error {
    if error == FetchError::Crowded { Error::Paused(CROWDED) } else { refusal.into() }
}

/// The refusal of a failed fetch of a document, which the page displays for the client's developer.
fn refused(error: FetchError) -> Error {
    let refusal = match error {
        FetchError::AddressPrivate => Refusal::DocumentAddressPrivate,
        FetchError::BodyTooLarge => Refusal::DocumentTooLarge,
        FetchError::Broken
        | FetchError::CertificateWrong
        | FetchError::ConnectionRefused
        | FetchError::Contained
        | FetchError::HostUnknown
        | FetchError::NameserverFailed
        | FetchError::TlsFailed => Refusal::DocumentUnreachable,
        FetchError::ContentEncoded | FetchError::ContentTypeWrong => Refusal::DocumentNotJson,
        FetchError::Crowded => return Error::Paused(CROWDED),
        FetchError::Deadline => Refusal::DocumentTooSlow,
        FetchError::Offline => Refusal::DocumentOffline,
        FetchError::Redirected => Refusal::DocumentRedirected,
        FetchError::StatusWrong(_) => Refusal::DocumentStatusWrong,
        FetchError::UrlNotHttps | FetchError::UrlWithFragment | FetchError::UrlWithUserinfo => {
            Refusal::DocumentAddressMalformed
        }
    };
    refusal.into()
}
