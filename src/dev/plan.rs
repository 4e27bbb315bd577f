//! What a development server is to be.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::config::{Config, TlsMode};
use crate::model::person::Username;
use crate::serve::Stop;

/// What a development server is to be.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The document that is applied first, in the form of the administration API.
    pub(crate) apply: Option<Arc<Map<String, Value>>>,
    /// Who approves each request without a page; `None`: the pages are displayed.
    pub(crate) approves: Option<Username>,
    /// The time at which the clock stands; `None`: it runs, and is right.
    pub(crate) clock: Option<Timestamp>,
    /// The configuration.
    pub(crate) config: Config,
    /// Whether a client that is not known becomes one.
    pub(crate) open_clients: bool,
    /// The port; 0: a free one.
    pub(crate) port: u16,
    /// What keys, ids, codes and tokens are made of; `None`: chance.
    pub(crate) seed: Option<String>,
}

impl Plan {
    /// That of a development server with `config`, as far as that is for one, and the settings of it
    /// that have no meaning here.
    ///
    /// # Errors
    ///
    /// It is the configuration of a server that others reach.
    pub(crate) fn of(mut config: Config) -> Result<(Self, Vec<String>), Stop> {
        let mut faults = Vec::new();
        for address in config.listeners().filter(|address| !address.ip().is_loopback()) {
            faults.push(format!(
                "listen: {address} is reachable from other machines, and gatelodge dev is for this one \
                 alone"
            ));
        }
        if config.tls.mode != TlsMode::Off {
            faults.push("tls.mode: gatelodge dev speaks plain HTTP, on loopback alone".to_owned());
        }
        if !config.behind_proxy.is_empty() {
            faults.push("behind_proxy: gatelodge dev stands behind no proxy".to_owned());
        }
        if !faults.is_empty() {
            return Err(Stop::unprepared(2, faults.join("\n")));
        }
        let unused = ["backup", "issuer", "listen", "root_secret", "tls"];
        let is_unused = |key: &&String| {
            unused.iter().any(|own| key.split('.').next().is_some_and(|section| section == *own))
        };
        let left_out = config.settings.keys().filter(is_unused).cloned().collect();
        config.backup.to = None;
        config.issuer = None;
        config.listen.clear();
        config.root_secret = None;
        config.tls.listen_for_devices.clear();
        let plan = Self {
            apply: None,
            approves: None,
            clock: None,
            config,
            open_clients: false,
            port: 0,
            seed: None,
        };
        Ok((plan, left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::at("/nowhere");
        change(&mut config);
        Plan::of(config).err().map(|stop| stop.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_configuration_of_a_server_that_others_reach_is_refused() {
        for address in ["0.0.0.0:7455", "[::]:7455", "192.0.2.1:7455"] {
            let address = address.parse().unwrap();
            let listening = refused(|config| config.listen = vec![address]);
            assert!(listening.contains("reachable from other machines"), "{listening}");
            let devices = refused(|config| config.tls.listen_for_devices = vec![address]);
            assert!(devices.contains("reachable from other machines"), "{devices}");
        }
        assert!(refused(|config| config.tls.mode = TlsMode::Local).starts_with("tls.mode:"));
        let proxied = refused(|config| config.behind_proxy = vec!["127.0.0.1".parse().unwrap()]);
        assert!(proxied.starts_with("behind_proxy:"), "{proxied}");
        assert_eq!(refused(|_| {}), "");
    }

    #[test]
    fn nothing_of_a_configuration_leads_to_a_disk_or_another_address() {
        let mut config = Config::at("/nowhere");
        config.backup.to = Some("/backups".into());
        config.issuer = "https://id.example".parse().ok();
        config.listen = vec!["127.0.0.1:7455".parse().unwrap()];

        let (plan, _) = Plan::of(config).unwrap();

        let Config { backup, issuer, listen, root_secret, .. } = plan.config;
        assert!(backup.to.is_none() && issuer.is_none() && listen.is_empty());
        assert!(root_secret.is_none());
    }
}
