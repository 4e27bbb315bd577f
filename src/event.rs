//! What happened, as data: one line a request, at the boundary.
//!
//! A line never holds a token, a cookie, a body, a query or a person's address. A refusal is told
//! by its name, under an id that the page shows too.

use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::secret::{Seed, hex};

/// The id under which the log tells why something was refused: 16 hex characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventId(String);

impl EventId {
    /// The one that belongs to `seed`.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(hex(seed.bytes("event").first_chunk::<8>().map_or(&[], <[u8; 8]>::as_slice)))
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request that was answered.
pub(crate) struct RequestLog<'a> {
    /// The method.
    pub method: &'a str,
    /// The route, not the path: paths can hold ids.
    pub route: &'a str,
    /// The status.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
    /// Why it was refused, if it was, and under which id.
    pub refused: Option<(&'a EventId, &'a Error)>,
}

impl RequestLog<'_> {
    /// Writes the line.
    pub(crate) fn log(&self) {
        let Self { method, route, status, took, refused } = self;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match refused {
            None => tracing::info!(method, route, status, ms, "answered"),
            Some((id, Error::Refused(refusal))) => tracing::info!(
                method,
                route,
                status,
                ms,
                event.id = %id,
                refusal = refusal.name(),
                error = refusal.code().as_str(),
                reason = refusal.reason(),
                "refused"
            ),
            Some((id, Error::Internal(cause))) => tracing::error!(
                method,
                route,
                status,
                ms,
                event.id = %id,
                %cause,
                "failed"
            ),
        }
    }
}
