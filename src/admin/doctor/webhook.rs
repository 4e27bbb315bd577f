//! Whether the webhook can be reached, and takes the events.

use std::time::Duration;

use super::finding::FindingView;
use crate::app::doctor::{FetchError, Unreached, WebhookStanding};
use crate::clock::Timestamp;

const CHECK: &str = "webhook";

/// The time for which an event may wait without a word.
const LONG: Duration = Duration::from_mins(10);

/// The finding about the webhook.
pub(super) fn judged(own: &WebhookStanding, now: Timestamp) -> FindingView {
    let WebhookStanding { oldest, outcome, url, waiting } = own;
    let late = oldest.filter(|oldest| now.since(*oldest) > LONG);
    let waits = oldest.map(|oldest| {
        let minutes = now.since(oldest).as_secs() / 60;
        format!("events wait for it: {waiting}, the oldest for {minutes} minutes")
    });
    let said = |found: String| match &waits {
        Some(waits) => format!("{found}; {waits}"),
        None => found,
    };
    match outcome {
        Err(Unreached::Failed(FetchError::Offline)) => {
            let found =
                format!("the webhook {url} was not tried, since this installation is offline");
            FindingView::skipped(CHECK, said(found))
        }
        Err(Unreached::Failed(FetchError::Crowded) | Unreached::NotTried) => {
            FindingView::skipped(CHECK, said(format!("there was no time for the webhook {url}")))
        }
        Err(Unreached::Failed(error)) => {
            let found = format!("the webhook {url} cannot be reached: {error}");
            FindingView::warning(CHECK, said(found), remedy(*error))
        }
        Err(Unreached::Refused(_)) | Ok(()) => match late {
            None => FindingView::ok(CHECK, said(format!("the webhook {url} can be reached"))),
            Some(_) => {
                let found = said(format!("the webhook {url} can be reached"));
                let remedy = "the log says what it responds; have it respond with 2xx, or name \
                              another address as events.webhook";
                FindingView::warning(CHECK, found, remedy)
            }
        },
    }
}

/// What can be done about an address that cannot be reached.
fn remedy(error: FetchError) -> String {
    let first = match error {
        FetchError::AddressPrivate | FetchError::UrlNotHttps => {
            "list its host and port as fetch.private"
        }
        FetchError::CertificateWrong => "name the authority of its certificate as fetch.ca_file",
        _ => "see to it that its server runs and can be reached from here",
    };
    format!("{first}, or name another address as events.webhook")
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingState::{self, Ok as Fine, Skipped, Warning};
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[track_caller]
    fn assert_judged(
        outcome: Result<(), FetchError>,
        waits: Option<Duration>,
        state: FindingState,
        parts: &[&str],
    ) {
        let standing = WebhookStanding {
            oldest: waits.map(|waits| NOW - waits),
            outcome: outcome.map_err(Unreached::Failed),
            url: "https://hook.example/".to_owned(),
            waiting: 7,
        };
        let finding = judged(&standing, NOW);
        let said = format!("{} {}", finding.found, finding.remedy.as_deref().unwrap_or_default());
        assert_eq!(finding.state, state, "{finding:?}");
        assert_eq!(finding.remedy.is_some(), state == Warning, "{finding:?}");
        for part in parts.iter().chain(&["https://hook.example/"]) {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    #[test]
    fn a_webhook_is_judged_by_its_address_and_by_what_waits() {
        let hour = Some(Duration::from_hours(1));
        let late = "events wait for it: 7, the oldest for 60 minutes";

        assert_judged(Ok(()), None, Fine, &["can be reached"]);
        assert_judged(Ok(()), Some(LONG), Fine, &["can be reached", "wait for it: 7"]);
        assert_judged(Ok(()), hour, Warning, &[late, "the log says"]);
        assert_judged(
            Err(FetchError::ConnectionRefused),
            hour,
            Warning,
            &[late, "its server runs"],
        );
        assert_judged(Err(FetchError::AddressPrivate), None, Warning, &["fetch.private"]);
        assert_judged(Err(FetchError::CertificateWrong), None, Warning, &["fetch.ca_file"]);
        assert_judged(Err(FetchError::Offline), hour, Skipped, &[late, "offline"]);
        assert_judged(Err(FetchError::Crowded), None, Skipped, &["no time"]);
    }
}
