//! The checks of the webhook's settings together.

use super::draft::Draft;
use crate::fetch::{self, FetchError};
use crate::secret::WebhookSecret;

const KINDS: &str = "events.webhook_kinds";
const SECRET: &str = "events.webhook_secret";
const SECRET_FILE: &str = "events.webhook_secret_file";
const URL: &str = "events.webhook";

impl Draft {
    /// Refuses a webhook that lacks something, and one that could never be sent to. A faulty one is
    /// none.
    pub(super) fn keep_webhook_whole(&mut self) {
        let (events, before) = (self.config.events.clone(), self.faults.len());
        if let Some(url) = &events.webhook {
            if let Err(error) = fetch::check_operators(url, &self.config.fetch.private) {
                self.fault(self.decided(URL), URL, format!("found {url:?}; {}", allowed(error)));
            }
            if events.webhook_kinds.is_empty() && !self.is_faulty(KINDS) {
                let message = "the webhook has no kinds of events; name some, such as [\"user.*\", \
                               \"code.replayed\"], or [\"*\"] for all but request.refused";
                self.fault(self.decided(URL), KINDS, message);
            }
            let has_secret = events.webhook_secret.is_some();
            if !has_secret && !self.is_faulty(SECRET) && !self.is_faulty(SECRET_FILE) {
                let message = "the webhook has no secret that signs its messages; put one into a file \
                               of its own, mode 0600, and name that as events.webhook_secret_file";
                self.fault(self.decided(URL), SECRET, message);
            }
        }
        let secret = events.webhook_secret.as_ref().map(|written| WebhookSecret::read(written));
        if let Some(Err(allowed)) = secret {
            self.fault(self.decided(SECRET), SECRET, format!("found (secret); {allowed}"));
        }
        if self.faults.len() > before
            || [KINDS, SECRET, SECRET_FILE].iter().any(|k| self.is_faulty(k))
        {
            self.config.events.webhook = None;
        }
    }
}

/// What is allowed instead of an address that cannot be sent to.
fn allowed(error: FetchError) -> String {
    match error {
        FetchError::UrlNotHttps => "an https URL is allowed, or an http one on this machine or at \
                                    a host and port that fetch.private lists"
            .to_owned(),
        other => other.to_string(),
    }
}
