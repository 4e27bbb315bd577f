//! `gatelodge healthcheck`: whether the server of this data directory is ready, as an exit code.

use std::time::Duration;

use axum::http::Method;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::admin::server::{ReadinessView, ServerView};
use crate::cli::admin_client::AdminClient;
use crate::cli::output::{Exit, Failure, Output};
use crate::config::Config;

/// The most time of the whole check.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct HealthView {
    details: Vec<String>,
    listen: Vec<String>,
    ready: bool,
}

/// Runs `gatelodge healthcheck`.
pub(in crate::cli) async fn healthcheck(config: &Config) -> Result<Output, Failure> {
    let late = |_| Failure::new(Exit::Failed, "the server does not answer within five seconds");
    timeout(TIMEOUT, check(config)).await.map_err(late)?
}

async fn check(config: &Config) -> Result<Output, Failure> {
    let Some(mut admin) = AdminClient::running(config).await? else {
        let socket = config.places.socket();
        let why = format!("no server runs at {}", socket.display());
        return Err(Failure::new(Exit::Unavailable, why)
            .with_remedy(Some("gatelodge serve starts one; --data DIR names another place")));
    };
    let ReadinessView { details, ready } =
        admin.ask(Method::GET, "/api/v1/server/readiness").await?;
    if !ready {
        return Err(Failure::new(Exit::Failed, details.join("; ")));
    }
    let ServerView { listen, mtls_listen, .. } = admin.ask(Method::GET, "/api/v1/server").await?;
    let listen = [listen, mtls_listen].concat();
    for address in &listen {
        TcpStream::connect(address).await.map_err(|error| {
            Failure::new(Exit::Failed, format!("nothing listens at {address}: {error}"))
        })?;
    }
    let mut text = format!("ready at {}", listen.join(", "));
    for detail in &details {
        text.push('\n');
        text.push_str(detail);
    }
    Ok(Output::new(text, &HealthView { details, listen, ready }))
}
