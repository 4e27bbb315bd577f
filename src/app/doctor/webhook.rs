//! Whether the webhook can be reached, and how long events have waited for it.

use std::time::Duration;

use tokio::time::timeout;

use super::Unreached;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::EventId;
use crate::fetch::FetchError;
use crate::flow::events::delivery;

/// The most time for the address.
const TIME: Duration = Duration::from_secs(2);

/// How the webhook stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookStanding {
    /// When the earliest event happened that waits.
    pub oldest: Option<Timestamp>,
    /// Whether it can be connected to.
    pub outcome: Result<(), Unreached>,
    /// Its address.
    pub url: String,
    /// The number of events that wait.
    pub waiting: u64,
}

impl App {
    /// How the webhook stands, if there is one. It is connected to and told nothing.
    pub(super) async fn webhook_standing(&self) -> Result<Option<WebhookStanding>, Error> {
        let Some(url) = self.rules().config.events.webhook.clone() else { return Ok(None) };
        let reached = timeout(TIME, self.fetcher().reach_operators(&url)).await;
        let reached = reached.unwrap_or(Err(FetchError::Deadline));
        let view = self.read()?;
        Ok(Some(WebhookStanding {
            oldest: delivery::oldest(&view)?.map(EventId::at),
            outcome: reached.map_err(Unreached::Failed),
            url,
            waiting: delivery::waiting(&view)?,
        }))
    }
}
