//! TLS: which certificate this server shows, and which listener asks its peers for one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Stop;
use crate::app::App;
use crate::config::TlsMode;
use crate::tls::{Acceptor, Identity, TlsError};

/// How often it looks whether the certificate is due or its files have changed.
const PERIOD: Duration = Duration::from_secs(2);

/// Both kinds of handshake, and the certificate that is shown in them.
pub(super) struct Secure {
    /// Where people and programs come.
    pub(super) pages: Acceptor,
    /// Where devices come.
    pub(super) devices: Acceptor,
    identity: Arc<Identity>,
}

impl Secure {
    /// What the configuration asks for: nothing where TLS is off.
    pub(super) fn new(app: &App) -> Result<Option<Self>, Stop> {
        let Some(identity) = identity(app)? else { return Ok(None) };
        let failed = |error| Stop::failed(format!("TLS cannot be set up: {error}"));
        Ok(Some(Self {
            pages: Acceptor::for_pages(&identity, app.clock()).map_err(failed)?,
            devices: Acceptor::for_devices(&identity, app.clock()).map_err(failed)?,
            identity: Arc::new(identity),
        }))
    }

    /// Renews the certificate as long as the server runs.
    pub(super) fn keep_fresh(&self, app: Arc<App>) -> impl Future<Output = ()> + Send + 'static {
        let identity = Arc::clone(&self.identity);
        async move {
            let mut period = tokio::time::interval(PERIOD);
            period.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                period.tick().await;
                let (identity, now) = (Arc::clone(&identity), app.clock().now());
                // It reads files, or makes a key.
                match tokio::task::spawn_blocking(move || identity.renew(now)).await {
                    Ok(Ok(false)) => {}
                    Ok(Ok(true)) => tracing::info!("the certificate is a new one"),
                    Ok(Err(why)) => tracing::error!(why, "the certificate stays as it was"),
                    Err(error) => tracing::error!(%error, "the certificate stays as it was"),
                }
            }
        }
    }
}

fn identity(app: &App) -> Result<Option<Identity>, Stop> {
    let (config, now) = (&app.rules().config, app.clock().now());
    match config.tls.mode {
        TlsMode::Files => {
            let files = config.tls.files().ok_or_else(|| Stop::wrong("tls names no files"))?;
            // Behind a proxy it is the proxy that browsers know by the issuer's name.
            let direct = config.behind_proxy.is_empty();
            let host = direct.then(|| app.rules().issuer.host().to_owned());
            Identity::files(files, host, now).map(Some).map_err(|faults| {
                let faults: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
                Stop::wrong(faults.join("\n"))
            })
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
