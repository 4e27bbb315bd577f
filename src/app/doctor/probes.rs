//! Requests by which `doctor` learns what a proxy makes of them.
//!
//! An operator gets a nonce over the socket, and sends a request with it to the issuer's address.
//! This process remembers how the request with that nonce arrived, and tells the operator, over the
//! socket again. The response to the request itself is that of any other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::secret::hex;

/// The parameter of a query that has the nonce.
pub const NONCE: &str = "gatelodge_probe";

/// The time for which a nonce is good.
const LIFETIME: Duration = Duration::from_mins(1);

/// The most nonces at a time; the oldest goes first.
const MAX_PROBES: usize = 16;

/// How a request arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The entries of `X-Forwarded-For`, from the left, as far as they are text.
    pub forwarded_for: Vec<String>,
    /// Its `Host`; empty without one.
    pub host: String,
    /// Whether a header other than `X-Forwarded-For` says that a proxy relayed it.
    pub is_relayed: bool,
    /// The address of the connection's peer.
    pub peer: IpAddr,
}

/// The nonces that were given out.
#[derive(Default)]
pub(in crate::app) struct Probes(Mutex<VecDeque<Probe>>);

struct Probe {
    made: Duration,
    nonce: String,
    observed: Option<Observed>,
}

impl Probes {
    fn with<T>(&self, now: Duration, work: impl FnOnce(&mut VecDeque<Probe>) -> T) -> T {
        let mut probes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        probes.retain(|probe| now.saturating_sub(probe.made) < LIFETIME);
        work(&mut probes)
    }

    fn start(&self, nonce: &str, now: Duration) {
        self.with(now, |probes| {
            if probes.len() == MAX_PROBES {
                probes.pop_front();
            }
            probes.push_back(Probe { made: now, nonce: nonce.to_owned(), observed: None });
        });
    }

    /// Records the first request with this nonce.
    fn observe(&self, nonce: &str, now: Duration, observed: impl FnOnce() -> Observed) {
        self.with(now, |probes| {
            if let Some(probe) = probes.iter_mut().find(|probe| probe.nonce == nonce) {
                probe.observed.get_or_insert_with(observed);
            }
        });
    }

    fn take(&self, nonce: &str, now: Duration) -> Option<Observed> {
        self.with(now, |probes| {
            let at = probes.iter().position(|probe| probe.nonce == nonce)?;
            probes.remove(at)?.observed
        })
    }
}

impl App {
    /// A new nonce for one request.
    pub fn start_probe(&self) -> String {
        let nonce = hex(&self.entropy.seed().bytes("probe"));
        self.probes.start(&nonce, self.clock().reading().running);
        nonce
    }

    /// Records how the request with `nonce` arrived, if an operator waits for it.
    pub fn observe(&self, nonce: &str, observed: impl FnOnce() -> Observed) {
        self.probes.observe(nonce, self.clock().reading().running, observed);
    }

    /// How the request with `nonce` arrived, if it did. The nonce is spent.
    pub fn end_probe(&self, nonce: &str) -> Option<Observed> {
        self.probes.take(nonce, self.clock().reading().running)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn observed(host: &str) -> Observed {
        Observed {
            forwarded_for: Vec::new(),
            host: host.to_owned(),
            is_relayed: false,
            peer: Ipv4Addr::LOCALHOST.into(),
        }
    }

    #[test]
    fn only_the_first_request_with_a_nonce_counts_and_it_is_told_once() {
        let probes = Probes::default();
        let now = Duration::ZERO;
        probes.start("a", now);

        probes.observe("b", now, || panic!("nobody waits for it"));
        probes.observe("a", now, || observed("first"));
        probes.observe("a", now, || observed("second"));

        assert_eq!(probes.take("a", now), Some(observed("first")));
        assert_eq!(probes.take("a", now), None);
    }

    #[test]
    fn nonces_are_few_and_soon_over() {
        let probes = Probes::default();
        for number in 0..=MAX_PROBES {
            probes.start(&number.to_string(), Duration::ZERO);
        }
        for nonce in ["0", "1", "2"] {
            probes.observe(nonce, Duration::ZERO, || observed(nonce));
        }

        assert_eq!(probes.take("0", Duration::ZERO), None);
        assert_eq!(probes.take("1", Duration::ZERO), Some(observed("1")));
        assert_eq!(probes.take("2", LIFETIME), None);
    }
}
