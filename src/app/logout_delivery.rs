//! Delivery of logout tokens to the clients that are notified of a session's end.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::app::{App, WriteHealth, attempts};
use crate::error::Error;
use crate::fetch::FetchError;
use crate::flow::session::backchannel::{self, DeliveryOutcome, DueDelivery, LogoutMessage};
use crate::oauth::params::form_encode;

/// The most tokens that one round sends, in parallel: the number of concurrent deliveries of the
/// fetch client, so that none waits.
const MAX_CONCURRENT: usize = 16;

impl App {
    /// Sends the logout tokens that are due, at most one round of them. Returns their number.
    ///
    /// A row is removed only after its client's response, so a client whose response was lost is
    /// notified again. While nothing can be written nobody is notified, since it would be repeated
    /// at each round.
    pub async fn deliver_logouts(self: &Arc<Self>) -> Result<usize, Error> {
        if self.write_health() != WriteHealth::Writable {
            return Ok(0);
        }
        let due = backchannel::due(&self.read()?, &self.context(), MAX_CONCURRENT)?;
        let mut sending = JoinSet::new();
        for due in due {
            let app = Arc::clone(self);
            match due {
                Ok(due) => drop(sending.spawn(async move { app.deliver_logout(due).await })),
                Err(error) => tracing::warn!(%error, "a logout that is due was left where it is"),
            }
        }
        attempts::all(sending).await
    }

    async fn deliver_logout(&self, due: DueDelivery) -> Result<(), Error> {
        let sent = self.send_logout(&due).await?;
        let outcome = match sent {
            Err(error) if error.may_pass() => DeliveryOutcome::Failed,
            Ok(()) | Err(_) => DeliveryOutcome::Settled,
        };
        let client = due.key.1.clone();
        let given_up =
            self.write(move |tx, cx| backchannel::record_attempt(tx, cx, &due, outcome)).await?;
        if let Err(error) = sent {
            let given_up = given_up || outcome == DeliveryOutcome::Settled;
            tracing::warn!(client.id = %client, %error, given_up, "a client was not told of a logout");
        }
        Ok(())
    }

    /// Posts the token to the client (OpenID Connect Back-Channel Logout §2.5).
    async fn send_logout(&self, due: &DueDelivery) -> Result<Result<(), FetchError>, Error> {
        let Some(message) = &due.message else { return Ok(Ok(())) };
        let LogoutMessage { alg, claims, named_by, uri } = message;
        let Some(url) = uri.url() else { return Ok(Ok(())) };
        let token = self.sign(*alg, "logout+jwt", claims).await?;
        let form = form_encode([("logout_token", token.as_str())]);
        Ok(self.fetcher().post_form(*named_by, &url, form).await)
    }
}
