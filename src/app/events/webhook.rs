//! The sending of events to the operator's webhook, signed as [Standard
//! Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
//! are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::{App, WriteHealth, attempts};
use crate::error::Error;
use crate::fetch::{FetchError, MAX_MESSAGES};
use crate::flow::events::delivery::{self, Attempt, DueEvent, MAX_WAITING};
use crate::secret::WebhookSecret;
use crate::store::View as _;
use crate::store::schema::EventDelivery;

/// The most deliveries that are forgotten in one transaction.
const FORGOTTEN: usize = 1_000;

/// The least time from one warning of a kind to the next.
const PAUSE: Duration = Duration::from_mins(1);

/// Where events go, and how they are signed.
struct Webhook {
    secret: WebhookSecret,
    url: String,
}

/// When the log last told of the webhook, by the time that the program runs.
#[derive(Default)]
pub(in crate::app) struct WebhookWarnings {
    failing: Mutex<Option<Duration>>,
    full: Mutex<Option<Duration>>,
}

/// Whether a warning is due, by the last one. From then on this is the last one.
fn is_due(last: &Mutex<Option<Duration>>, now: Duration) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.is_none_or(|last| now.saturating_sub(last) >= PAUSE);
    if due {
        *last = Some(now);
    }
    due
}

impl App {
    /// Sends the events that are due to the webhook, at most one round of them. Returns their number.
    ///
    /// A row is removed only after the response, so an event whose response was lost is sent again,
    /// under the same id. While nothing can be written nothing is sent, since it would be repeated at
    /// each round. An installation that is offline waits, unless the webhook is on this machine.
    pub async fn deliver_events(self: &Arc<Self>) -> Result<usize, Error> {
        if self.write_health() != WriteHealth::Writable {
            return Ok(0);
        }
        let Some(webhook) = self.webhook() else { return self.forget_deliveries().await };
        self.warn_of_full_queue()?;
        if self.fetcher().check_operators(&webhook.url) == Err(FetchError::Offline) {
            return Ok(0);
        }
        let due = delivery::due(&self.read()?, &self.context(), MAX_MESSAGES)?;
        let (webhook, mut sending) = (Arc::new(webhook), JoinSet::new());
        for due in due {
            let (app, webhook) = (Arc::clone(self), Arc::clone(&webhook));
            match due {
                Ok(due) => {
                    sending.spawn(async move { app.deliver_event(&webhook, due).await });
                }
                Err(error) => tracing::warn!(%error, "an event that is due was left where it is"),
            }
        }
        attempts::all(sending).await
    }

    fn webhook(&self) -> Option<Webhook> {
        let rules = self.rules();
        let events = &rules.config.events;
        let secret = WebhookSecret::read(events.webhook_secret.as_ref()?).ok()?;
        Some(Webhook { secret, url: events.webhook.clone()? })
    }

    /// Forgets what waited for a webhook that there was.
    async fn forget_deliveries(&self) -> Result<usize, Error> {
        if self.read()?.list::<EventDelivery>(1)?.is_empty() {
            return Ok(0);
        }
        let forgotten = self.write(|tx, _| delivery::forget(tx, FORGOTTEN)).await?;
        tracing::warn!(
            events = forgotten,
            "there is no webhook any more, and events waited for it"
        );
        Ok(forgotten)
    }

    fn warn_of_full_queue(&self) -> Result<(), Error> {
        let waiting = delivery::waiting(&self.read()?)?;
        let now = self.clock().reading().running;
        if waiting >= MAX_WAITING && is_due(&self.webhook_warnings.full, now) {
            tracing::warn!(
                waiting,
                "the webhook takes too little, and new events are not sent to it"
            );
        }
        Ok(())
    }

    async fn deliver_event(&self, webhook: &Webhook, due: DueEvent) -> Result<(), Error> {
        let DueEvent { attempt, body, id } = due;
        let is_dropped = body.is_none();
        let sent = match body {
            Some(body) => self.send_event(webhook, &id.to_string(), body).await,
            None => Ok(()),
        };
        // The one status by which a receiver says that it does not want the message (RFC 9110
        // §15.5.11). Whoever sets up a webhook meets every other one, and mends it.
        let unwanted = matches!(sent, Err(FetchError::StatusWrong(410)));
        let outcome = match sent {
            Err(_) if !unwanted => Attempt::Failed,
            Ok(()) | Err(_) => Attempt::Settled,
        };
        let recorded =
            self.write(move |tx, cx| delivery::record_attempt(tx, cx, id, attempt, outcome));
        let given_up = recorded.await? || unwanted;
        let metrics = self.webhook_metrics();
        let Err(error) = sent else {
            let counter = if is_dropped { &metrics.dropped } else { &metrics.delivered };
            counter.increment();
            return Ok(());
        };
        metrics.failed.increment();
        if given_up {
            metrics.given_up.increment();
            tracing::warn!(event.id = %id, attempt, %error, "the webhook was not told of an event");
        } else if is_due(&self.webhook_warnings.failing, self.clock().reading().running) {
            tracing::warn!(
                event.id = %id, attempt, %error,
                "the webhook did not take an event; it is sent again, and the next such line comes \
                 in a minute at the earliest"
            );
        }
        Ok(())
    }

    /// Posts an event with the headers of Standard Webhooks.
    async fn send_event(
        &self,
        webhook: &Webhook,
        id: &str,
        body: String,
    ) -> Result<(), FetchError> {
        let seconds = self.clock().now().seconds();
        let headers = vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", webhook.secret.sign(id, seconds, &body)),
        ];
        self.fetcher().post_json(&webhook.url, body, headers).await
    }
}
