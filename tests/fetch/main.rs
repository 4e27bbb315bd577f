//! The only way out, against real servers on loopback: where it refuses to go, what it refuses to
//! read, and how often it asks.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a story that cannot go on ends here, in whichever function it is"
)]

mod addresses;
mod deadline;
mod nameserver;
mod origin;
mod post;
mod responses;
mod shared;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use gatelodge::fetch::{Fetcher, Settings};

use nameserver::Nameserver;
use origin::Origin;

/// More than any document here has.
const PLENTY: usize = 10 << 10;

/// A deadline that a test can wait for.
const SHORT: Duration = Duration::from_millis(400);

/// Settings that ask this nameserver and allow these destinations.
fn settings(nameserver: &Nameserver, private: &[String]) -> Settings {
    Settings {
        nameserver: Some(nameserver.address),
        private: private.to_vec(),
        ..Settings::default()
    }
}

/// A fetcher that may fetch from a server by its loopback address, and has no nameserver.
fn fetcher_for(origin: &Origin) -> Fetcher {
    impatient_fetcher_for(origin, Settings::default().deadline)
}

fn impatient_fetcher_for(origin: &Origin, deadline: Duration) -> Fetcher {
    let private = vec![origin.listed("127.0.0.1")];
    let nameserver = Some(SocketAddr::from(([127, 0, 0, 1], 9)));
    Fetcher::new(&Settings { deadline, nameserver, private, ..Settings::default() }).unwrap()
}
