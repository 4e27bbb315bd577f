//! Events: their ids and kinds, and the log.
//!
//! The log has one line for each request, with structured fields, one for each replay and for each
//! refresh token that is newer than the store, one for each active token that a client may not know
//! about, one for each passkey whose counter went back, and one for each jump of the clock.
//!
//! A line never contains a token, a cookie, a body, a query or a person's address. A refusal is
//! logged by its name, with an event id that the page displays too. Where a request asked for an
//! address that is not registered, the line names it without its query, beside what is registered.

mod id;
mod kind;
mod pattern;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use id::EventId;
pub use kind::Kind;
pub use pattern::KindPattern;

use crate::clock::{Jump, Timestamp};
use crate::error::{Error, shell_word};

/// The number of log lines that were dropped because nothing took them.
#[derive(Clone, Debug, Default)]
pub struct DroppedLines(Arc<AtomicU64>);

impl DroppedLines {
    /// Counts `lines` more.
    pub(crate) fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::SeqCst);
    }

    /// The number so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The routes whose responses are logged at the level `debug`, unless they fail: a page brings several
/// along, and a program asks again and again. They would bury what somebody looks for, such as the setup
/// link above them.
const QUIET: [&str; 5] = [
    "/_gatelodge/assets/{version}/{name}",
    "/assets/{version}/{name}",
    "/healthz",
    "/metrics",
    "/readyz",
];

/// A finished request.
pub(crate) struct RequestLog<'a> {
    /// The method.
    pub method: &'a str,
    /// The route, not the path, since paths can contain ids.
    pub route: &'a str,
    /// The status.
    pub status: u16,
    /// The duration of the request.
    pub took: Duration,
    /// The client, once it is known.
    pub client: Option<&'a str>,
    /// What a refused request asked for, where the log says it.
    pub asked: Option<&'a str>,
    /// The name by which the client calls itself, beside what was asked for.
    pub client_name: Option<&'a str>,
    /// What the client has registered of that kind.
    pub registered: Option<&'a str>,
    /// The event id and the error, if it failed.
    pub refused: Option<(&'a EventId, &'a Error)>,
}

impl RequestLog<'_> {
    /// Writes the line.
    pub(crate) fn log(&self) {
        let Self { method, route, status, took, client, asked, client_name, registered, refused } =
            self;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match refused {
            None if QUIET.contains(route) => {
                tracing::debug!(method, route, status, ms, "answered");
            }
            None => tracing::info!(method, route, status, ms, "answered"),
            Some((id, error)) => match error.refusal() {
                Some(refusal) => tracing::info!(
                    method,
                    route,
                    status,
                    ms,
                    event.id = %id,
                    refusal = refusal.name(),
                    client.id = client,
                    client.name = client_name,
                    asked,
                    registered,
                    error = refusal.code().as_str(),
                    reason = %refusal.reason(),
                    remedy = %refusal.remedy_for(*client),
                    "refused"
                ),
                None => tracing::error!(
                    method,
                    route,
                    status,
                    ms,
                    event.id = %id,
                    cause = %error,
                    "failed"
                ),
            },
        }
    }
}

/// What lets a client introspect the tokens of others.
pub(crate) const WITHHELD_REMEDY: &str = "gatelodge resource add URI --client CLIENT lets it see the \
     tokens of a resource, gatelodge client set CLIENT --introspect-any all";

/// An active token that a client introspected and may not know about. The client reads that it is
/// not active (RFC 7662 §2.2).
pub(crate) struct WithheldLog<'a> {
    /// The id of the client.
    pub client: &'a str,
}

impl WithheldLog<'_> {
    /// Writes the line.
    pub(crate) fn log(&self, id: &EventId) {
        tracing::info!(
            event.id = %id,
            client.id = self.client,
            remedy = %WITHHELD_REMEDY.replace("CLIENT", &shell_word(self.client)),
            "an active token was introspected by a client that may not know about it, and reads that \
             it is not active"
        );
    }
}

/// A jump of the clock, or its end.
pub(crate) struct ClockLog {
    /// The jump; `None` if the clock is believed again.
    pub jump: Option<Jump>,
}

impl ClockLog {
    /// Writes the line. A clock that went on while the program did not run is nothing unusual.
    pub(crate) fn log(&self, id: &EventId) {
        match self.jump {
            Some(jump) if jump.at_start && jump.from < jump.to => {
                tracing::info!(event.id = %id, "{jump}");
            }
            Some(jump) => tracing::warn!(event.id = %id, "{jump}"),
            None => tracing::info!(event.id = %id, "the clock is believed again"),
        }
    }
}

/// A local CA whose certificate ends soon, that a wrong clock made, or that the present clock finds
/// invalid.
pub(crate) struct AuthorityLog {
    /// Start of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
    /// The present time.
    pub now: Timestamp,
}

impl AuthorityLog {
    /// Writes that its certificate was renewed in time.
    pub(crate) fn renewed(&self, id: &EventId) {
        tracing::info!(
            event.id = %id,
            "the certificate of the local CA was renewed; a machine that trusts the one before does \
             so until {}, and needs the new one then: `gatelodge tls trust` on this machine, the page \
             /trust for others",
            self.not_after.rfc3339()
        );
    }

    /// Writes why there is no new certificate.
    pub(crate) fn not_renewed(&self, why: &str) {
        tracing::error!(
            why,
            "the certificate of the local CA cannot be renewed, which is tried again in an hour; {}",
            self.validity()
        );
    }

    /// Writes that there is a new certificate instead.
    pub(crate) fn replaced(&self, id: &EventId) {
        tracing::warn!(
            event.id = %id,
            "the local CA was not valid, and its certificate was made anew, which has to be trusted \
             anew: `gatelodge tls trust` on this machine, the page /trust for others; {}",
            self.validity()
        );
    }

    /// Writes that it is used nevertheless.
    pub(crate) fn still_used(&self, id: &EventId) {
        tracing::warn!(
            event.id = %id,
            "the local CA is not valid by this clock; if the clock has run steadily for an hour and \
             it still is not, its certificate is made anew, which has to be trusted anew; {}",
            self.validity()
        );
    }

    fn validity(&self) -> String {
        let Self { not_before, not_after, now } = self;
        let [from, to, now] = [not_before, not_after, now].map(|time| time.rfc3339());
        format!("it was valid from {from} to {to}, and the clock says {now}")
    }
}

/// A code or a refresh token that returned after its use, and ended its grant.
pub(crate) struct ReplayLog<'a> {
    /// The id of its client.
    pub client: &'a str,
    /// The id of the grant, which is the family of its refresh tokens.
    pub grant: &'a str,
    /// The number of refresh tokens of that family; 0 if it had ended before.
    pub refresh_tokens: u64,
}

impl ReplayLog<'_> {
    /// Writes the line.
    pub(crate) fn log(&self, id: &EventId) {
        tracing::warn!(
            event.id = %id,
            client.id = self.client,
            grant.id = self.grant,
            refresh_tokens.ended = self.refresh_tokens,
            "a spent code or refresh token returned, and ended its grant"
        );
    }
}

/// A refresh token that was ahead of the store, and was taken.
pub(crate) struct AheadLog<'a> {
    /// The number of generations by which it was ahead.
    pub by: u64,
    /// The id of its client.
    pub client: &'a str,
    /// The id of its grant.
    pub grant: &'a str,
    /// Whether a recorded restore explains it.
    pub restored: bool,
}

impl AheadLog<'_> {
    /// Writes the line.
    pub(crate) fn log(&self, id: &EventId) {
        let Self { by, client, grant, restored } = self;
        if *restored {
            tracing::info!(
                event.id = %id,
                client.id = client,
                grant.id = grant,
                generations = by,
                "a refresh token from before the restore was taken"
            );
        } else {
            tracing::warn!(
                event.id = %id,
                client.id = client,
                grant.id = grant,
                generations = by,
                "a refresh token is newer than the store, which was copied or rolled back; it was \
                 taken once"
            );
        }
    }
}

/// A passkey whose counter went back.
pub(crate) struct CounterLog<'a> {
    /// Whether the sign-in succeeded: the passkey may be synchronised.
    pub accepted: bool,
    /// The id of its person.
    pub user: &'a str,
}

impl CounterLog<'_> {
    /// Writes the line.
    pub(crate) fn log(&self, id: &EventId) {
        let Self { accepted, user } = self;
        if *accepted {
            tracing::warn!(
                event.id = %id,
                user.id = user,
                "the counter of a passkey went back; it may be synchronised, so its copies count \
                 for themselves, and it was accepted"
            );
        } else {
            tracing::warn!(
                event.id = %id,
                user.id = user,
                "the counter of a passkey went back, as that of a copied key does; it was refused"
            );
        }
    }
}
