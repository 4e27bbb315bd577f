//! TLS: the server's certificate and its renewal, and the handshakes of the listeners.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Stop;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::{Config, TlsMode};
use crate::oauth::issuer::Issuer;
use crate::tls::{Acceptor, FileFault, Identity, TlsError};

/// The interval of checks whether the certificate is due or its files have changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Both kinds of handshake, and their certificate.
pub(super) struct Secure {
    /// The handshakes of people and programs.
    pub(super) pages: Acceptor,
    /// The handshakes of devices.
    pub(super) devices: Acceptor,
    identity: Arc<Identity>,
}

impl Secure {
    /// Makes what the configuration requests; `None` if TLS is off.
    pub(super) fn new(app: &App) -> Result<Option<Self>, Stop> {
        let Some(identity) = identity(app)? else { return Ok(None) };
        app.serves(identity.certificate().map_err(|error| Stop::failed(error.to_string()))?);
        let failed = |error| Stop::failed(format!("TLS cannot be set up: {error}"));
        Ok(Some(Self {
            pages: Acceptor::for_pages(&identity, app.clock()).map_err(failed)?,
            devices: Acceptor::for_devices(&identity, app.clock()).map_err(failed)?,
            identity: Arc::new(identity),
        }))
    }

    /// Renews the certificate until the server stops.
    pub(super) fn renew_always(&self, app: Arc<App>) -> impl Future<Output = ()> + Send + 'static {
        let identity = Arc::clone(&self.identity);
        async move {
            let mut period = tokio::time::interval(CHECK_INTERVAL);
            period.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                period.tick().await;
                let (identity, renewing) = (Arc::clone(&identity), Arc::clone(&app));
                // A renewal reads files or makes a key, which blocks.
                match tokio::task::spawn_blocking(move || renew(&identity, &renewing)).await {
                    Ok(Ok(false)) => {}
                    Ok(Ok(true)) => {
                        tracing::info!("the certificate is a new one");
                        warn_if_early(&app);
                    }
                    Ok(Err(why)) => tracing::error!(why, "the certificate stays as it was"),
                    Err(error) => tracing::error!(%error, "the certificate stays as it was"),
                }
            }
        }
    }
}

fn renew(identity: &Identity, app: &App) -> Result<bool, String> {
    let authority = match app.rules().config.tls.mode {
        TlsMode::Local => Some(app.authority().map_err(|error| error.to_string())?),
        TlsMode::Files | TlsMode::Off => None,
    };
    let renewed = identity.renew(authority, app.clock().now())?;
    if renewed {
        app.serves(identity.certificate().map_err(|error| error.to_string())?);
    }
    Ok(renewed)
}

/// Logs that the certificate in the files is not valid yet. It is used nevertheless, since it may be
/// the clock that is wrong.
fn warn_if_early(app: &App) {
    let files = app.rules().config.tls.files();
    if let Some(why) = files.and_then(|files| files.early(app.clock().now())) {
        tracing::warn!("{why}");
    }
}

/// Refuses files that are not for `issuer`, before anything is written.
pub(super) fn check(config: &Config, issuer: &Issuer, now: Timestamp) -> Result<(), Stop> {
    let Some(files) = config.tls.files() else { return Ok(()) };
    let faults = files.faults(host(config, issuer).as_deref(), now);
    if faults.is_empty() { Ok(()) } else { Err(wrong(faults, issuer)) }
}

/// The host that a certificate in files must be for; `None` behind a proxy, whose certificate has
/// the issuer's name.
fn host(config: &Config, issuer: &Issuer) -> Option<String> {
    config.behind_proxy.is_empty().then(|| issuer.host().to_owned())
}

fn wrong(faults: Vec<FileFault>, issuer: &Issuer) -> Stop {
    let mut lines: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
    lines.push(format!("the issuer is {issuer}; --issuer names another one for a new store"));
    Stop::wrong(lines.join("\n"))
}

fn identity(app: &App) -> Result<Option<Identity>, Stop> {
    let (config, now) = (&app.rules().config, app.clock().now());
    match config.tls.mode {
        TlsMode::Files => {
            let files = config.tls.files().ok_or_else(|| Stop::wrong("tls names no files"))?;
            let issuer = &app.rules().issuer;
            let identity = Identity::files(files, host(config, issuer), now);
            warn_if_early(app);
            identity.map(Some).map_err(|faults| wrong(faults, issuer))
        }
        TlsMode::Local => {
            let lifetime = config.lifetimes.server_certificate;
            let made = app.authority().and_then(|authority| {
                Identity::local(authority, app.server_names(), lifetime, now)
            });
            made.map(Some).map_err(|error| match error {
                TlsError::NameForbidden(name) => Stop::wrong(format!(
                    "the local CA does not vouch for {name}: it was made when this server had \
                     other names; remove gatelodge-ca.pem and gatelodge-ca.key from {} for a new \
                     CA, which everybody has to trust anew",
                    config.places.data.display()
                )),
                error => Stop::failed(error.to_string()),
            })
        }
        TlsMode::Off => Ok(None),
    }
}
