//! What a development server says when it is ready.

use serde::Serialize;

use super::faults::CONTROL;
use super::stage::Stage;

/// What is said to people, on standard error.
pub(crate) const BANNER: &str = "\
gatelodge dev: NOT FOR PRODUCTION. Everything is in memory and ends with this process. Its RSA key is
known to everybody, so a token of this server proves nothing. Listens on this machine alone.
";

/// What whoever started the server has to know: one line of JSON on standard output, and the ready file.
#[derive(Clone, Serialize)]
pub(crate) struct Ready {
    /// Always true.
    pub(crate) ready: bool,
    /// Who approves each request without a page.
    pub(crate) auto_approve: Option<String>,
    /// The address of the control API.
    pub(crate) control: String,
    /// Always true: it is not for production.
    pub(crate) development: bool,
    /// The issuer.
    pub(crate) issuer: String,
    /// The addresses at which it listens.
    pub(crate) listen: Vec<String>,
    /// The time of its clock.
    pub(crate) now: String,
    /// Whether a client that is not known becomes one.
    pub(crate) open_clients: bool,
    /// The process.
    pub(crate) pid: u32,
    /// What its keys, ids, codes and tokens are made of; null: chance.
    pub(crate) seed: Option<String>,
    /// The bearer token of the control API.
    pub(crate) token: String,
}

impl Ready {
    /// That of the server of `stage`.
    pub(super) fn of(stage: &Stage) -> Self {
        let first = stage.place.addresses.first().map(String::as_str);
        let first = first.unwrap_or(stage.place.issuer.authority());
        Self {
            ready: true,
            auto_approve: stage.approves().map(|username| username.as_str().to_owned()),
            control: format!("http://{first}{CONTROL}"),
            development: true,
            issuer: stage.place.issuer.as_str().to_owned(),
            listen: stage.place.addresses.clone(),
            now: stage.installation().app.clock().now().rfc3339(),
            open_clients: stage.plan.open_clients,
            pid: std::process::id(),
            seed: stage.plan.seed.clone(),
            token: stage.token.clone(),
        }
    }

    /// The line, with its end.
    pub(crate) fn line(&self) -> String {
        let line = serde_json::to_string(self).expect("its members have text for keys");
        format!("{line}\n")
    }
}
