//! The open connections at the ports, and which of them goes for a newcomer.
//!
//! A newcomer is always admitted. If its network has as many connections as it may, the stalest of
//! them is closed; if all have, the stalest of the network that has most. Networks are compared by the
//! widest around them first (a /24, a /48), so that many narrow ones are no cover.
//! The stalest is, in this order:
//!
//! 1. a connection that has not made a whole request, a TLS handshake before it and its body
//!    included, the one first that began longest ago;
//! 2. one that waits for its peer, to make the next request or to read a response, the one first
//!    that did so longest ago;
//! 3. one whose request is being handled, the oldest first.
//!
//! Requests that are sent together, before the first response is read, cost their sender next to nothing
//! and no browser sends them. Those behind the first wait in a queue of their own, and their
//! connections wait meanwhile as those of the second kind do.
//!
//! Those of the first kind count as the second while they are in the last quarter of their network to
//! come: they have hardly had the time to make a request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::descriptors::Bounds;
use super::standing::{Standing, Turns};
use crate::config::Config;
use crate::metrics::ConnectionMetrics;
use crate::model::network::{Network, ProxyNetwork};

/// The open connections at the ports.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    bounds: Bounds,
    metrics: Arc<ConnectionMetrics>,
    /// The proxies of the configuration, which carry the connections of many people.
    proxies: Vec<ProxyNetwork>,
    open: Mutex<Open>,
    /// A permit for each connection, held until its descriptor is closed.
    descriptors: Arc<Semaphore>,
    turns: Arc<Turns>,
}

/// The open connections.
#[derive(Default)]
struct Open {
    by_widest: HashMap<Network, Within>,
    count: usize,
    next: Next,
}

/// Which connections go next from the networks that have most. To find the stalest, every network is
/// looked at, so that some are found at once.
#[derive(Default)]
struct Next {
    /// How many connections the largest of the widest networks has, and its largest network.
    sizes: (usize, usize),
    /// The stalest last. Each is out of date if it has made progress since, or its network is no
    /// longer one of the largest.
    stale: Vec<Stale>,
}

/// A connection that goes unless its rank has changed.
struct Stale {
    network: Network,
    standing: Arc<Standing>,
    rank: u64,
}

/// The standings of the open connections from one of the widest networks, by network.
#[derive(Default)]
struct Within {
    by_network: HashMap<Network, Vec<Arc<Standing>>>,
    count: usize,
}

/// An admitted connection, which is open until this value is dropped.
pub(super) struct Ticket {
    /// The address of the peer.
    pub(super) address: IpAddr,
    /// The connection's standing.
    pub(super) standing: Arc<Standing>,
    connections: Connections,
    _descriptor: Option<OwnedSemaphorePermit>,
}

/// One in so many connections of a network came last.
const LAST: usize = 4;

/// How many of the stalest are found at once.
const FOUND: usize = 64;

/// One in so many descriptors is for connections that are being closed, so that the next newcomer
/// waits for none of them.
const CLOSING: usize = 32;

impl Connections {
    /// No connection is open.
    pub(super) fn new(bounds: Bounds, config: &Config, metrics: &Arc<ConnectionMetrics>) -> Self {
        Self(Arc::new(Shared {
            bounds,
            metrics: Arc::clone(metrics),
            proxies: config.behind_proxy.clone(),
            open: Mutex::default(),
            descriptors: Arc::new(Semaphore::new(bounds.in_all)),
            turns: Arc::default(),
        }))
    }

    /// Admits a connection from `address`. If another one has to go, waits until it has.
    pub(super) async fn admit(&self, address: IpAddr) -> Ticket {
        let mut ticket = self.enter(address);
        // The semaphore is never closed.
        ticket._descriptor = Arc::clone(&self.0.descriptors).acquire_owned().await.ok();
        ticket
    }

    /// Closes the stalest connection of the network that has most.
    pub(super) fn close_stalest(&self) {
        self.open().close_stalest_of_largest();
    }

    fn enter(&self, address: IpAddr) -> Ticket {
        let Bounds { in_all, of_network } = self.0.bounds;
        let network = Network::of(address);
        let mut open = self.open();
        let own = open.of(network).map_or(0, Vec::len);
        if own >= of_network && !self.0.proxies.iter().any(|own| own.contains(address)) {
            open.close_stalest(network);
        } else if open.count >= in_all - in_all / CLOSING {
            open.close_stalest_of_largest();
        }
        let standing = Arc::new(Standing::new(Arc::clone(&self.0.turns)));
        open.add(network, &standing);
        self.0.metrics.accepted.increment();
        Ticket { address, standing, connections: self.clone(), _descriptor: None }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn of(&self, network: Network) -> Option<&Vec<Arc<Standing>>> {
        self.by_widest.get(&network.widest())?.by_network.get(&network)
    }

    /// How many connections there are from the widest network around `network`, and from itself.
    fn sizes(&self, network: Network) -> (usize, usize) {
        let within = self.by_widest.get(&network.widest());
        (within.map_or(0, |within| within.count), self.of(network).map_or(0, Vec::len))
    }

    fn add(&mut self, network: Network, standing: &Arc<Standing>) {
        let within = self.by_widest.entry(network.widest()).or_default();
        within.by_network.entry(network).or_default().push(Arc::clone(standing));
        within.count += 1;
        self.count += 1;
        if self.sizes(network) > self.next.sizes {
            self.next.stale.clear();
        }
    }

    /// Removes a connection; `false` if it is removed already.
    fn remove(&mut self, network: Network, standing: &Arc<Standing>) -> bool {
        let widest = network.widest();
        let Some(within) = self.by_widest.get_mut(&widest) else { return false };
        let Some(own) = within.by_network.get_mut(&network) else { return false };
        let Some(at) = own.iter().position(|other| Arc::ptr_eq(other, standing)) else {
            return false;
        };
        own.remove(at);
        within.count -= 1;
        self.count -= 1;
        if own.is_empty() {
            within.by_network.remove(&network);
        }
        if within.count == 0 {
            self.by_widest.remove(&widest);
        }
        true
    }

    /// Closes a connection; `false` if it is closed already.
    fn close(&mut self, network: Network, standing: &Arc<Standing>) -> bool {
        let is_open = self.remove(network, standing);
        if is_open {
            standing.close();
        }
        is_open
    }

    fn close_stalest(&mut self, network: Network) {
        let own = self.of(network).and_then(|own| stalest(own));
        if let Some(stalest) = own.map(|(_, standing)| Arc::clone(standing)) {
            self.close(network, &stalest);
        }
    }

    fn close_stalest_of_largest(&mut self) {
        if !self.close_next() {
            self.next = self.found();
            self.close_next();
        }
    }

    /// Closes the next of those that were found, if one of them is not out of date.
    fn close_next(&mut self) -> bool {
        while let Some(Stale { network, standing, rank }) = self.next.stale.pop() {
            if standing.rank() == rank
                && self.sizes(network) == self.next.sizes
                && self.close(network, &standing)
            {
                return true;
            }
        }
        false
    }

    /// Finds the stalest of each of the networks that have most, up to [`FOUND`].
    fn found(&self) -> Next {
        let in_widest = self.by_widest.values().map(|within| within.count).max();
        let widest = self.by_widest.values().filter(|within| Some(within.count) == in_widest);
        let networks = widest.flat_map(|within| &within.by_network);
        let in_largest = networks.clone().map(|(_, own)| own.len()).max();
        let largest = networks.filter(|(_, own)| Some(own.len()) == in_largest);
        let mut stale: Vec<_> = largest
            .filter_map(|(network, own)| stalest(own).map(|(rank, own)| (rank, *network, own)))
            .collect();
        stale.sort_unstable_by_key(|(rank, ..)| *rank);
        stale.truncate(FOUND);
        let stale = stale.into_iter().rev().map(|(_, network, standing)| Stale {
            network,
            standing: Arc::clone(standing),
            rank: standing.rank(),
        });
        let sizes = (in_widest.unwrap_or_default(), in_largest.unwrap_or_default());
        Next { sizes, stale: stale.collect() }
    }
}

/// The stalest of a network's connections, which are in the order in which they came, and its rank.
fn stalest(own: &[Arc<Standing>]) -> Option<(u64, &Arc<Standing>)> {
    let last = own.len() - own.len().div_ceil(LAST);
    let ranked = own.iter().enumerate().map(|(at, standing)| {
        (if at < last { standing.rank() } else { standing.rank_of_last() }, standing)
    });
    ranked.min_by_key(|(rank, _)| *rank)
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let left = self.connections.open().remove(Network::of(self.address), &self.standing);
        let metrics = &self.connections.0.metrics;
        metrics.ended.increment();
        if !left {
            // It was closed before its turn.
            metrics.displaced.increment();
        }
    }
}

#[cfg(test)]
impl Connections {
    /// Connections of a server behind the proxy 10.0.0.1, at most 6 and 3 of one network.
    pub(super) fn few() -> Self {
        let mut config = Config::at("/nowhere");
        config.behind_proxy.push(IpAddr::from([10, 0, 0, 1]).into());
        Self::new(Bounds { in_all: 6, of_network: 3 }, &config, &Arc::default())
    }

    /// The networks of the open connections.
    pub(super) fn networks(&self) -> Vec<Network> {
        self.open()
            .by_widest
            .values()
            .flat_map(|within| within.by_network.keys().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    impl Ticket {
        fn has_to_go(&self) -> bool {
            self.standing.closed().now_or_never().is_some()
        }
    }

    /// Admits a connection from `address` while a descriptor is free.
    fn admit(connections: &Connections, address: &str) -> Ticket {
        connections.admit(address.parse().unwrap()).now_or_never().unwrap()
    }

    #[test]
    fn the_stalest_of_a_full_network_goes_and_no_other() {
        let connections = Connections::few();
        let [one, two, three] = [(); 3].map(|()| admit(&connections, "192.0.2.1"));
        let other = admit(&connections, "192.0.2.2");
        one.standing.requested();
        two.standing.progressed();

        let four = admit(&connections, "192.0.2.1");
        assert!(two.has_to_go(), "to read is no progress before the first request");
        drop(two);
        three.standing.requested();
        three.standing.responded();
        four.standing.requested();
        four.standing.responded();
        three.standing.progressed();

        let five = admit(&connections, "192.0.2.1");
        assert!(four.has_to_go(), "the third has made progress since");
        drop(four);
        let six = admit(&connections, "192.0.2.1");
        assert!(three.has_to_go(), "the fifth has had no time to make a request");
        assert!([&one, &five, &other, &six].iter().all(|ticket| !ticket.has_to_go()));
    }

    #[test]
    fn a_connection_is_counted_when_it_comes_when_it_ends_and_when_it_was_displaced() {
        let connections = Connections::few();
        let metrics = Arc::clone(&connections.0.metrics);
        let three = [(); 3].map(|()| admit(&connections, "192.0.2.1"));

        let four = admit(&connections, "192.0.2.1");

        assert_eq!((metrics.open(), metrics.displaced.count()), (4, 0), "until it is closed");
        drop(three);
        assert_eq!((metrics.open(), metrics.displaced.count()), (1, 1));
        drop(four);
        assert_eq!((metrics.open(), metrics.accepted.count(), metrics.ended.count()), (0, 4, 4));
    }

    /// A body that never ends would hold its place for ever.
    #[test]
    fn a_connection_whose_body_is_on_its_way_goes_first() {
        let connections = Connections::few();
        let [slow, waiting, new] = [(); 3].map(|()| admit(&connections, "192.0.2.1"));
        waiting.standing.requested();
        waiting.standing.responded();
        slow.standing.requested();
        slow.standing.responded();
        slow.standing.began();
        new.standing.requested();

        let _newcomer = admit(&connections, "192.0.2.1");

        assert_eq!([slow, waiting, new].map(|ticket| ticket.has_to_go()), [true, false, false]);
    }

    #[test]
    fn a_connection_at_work_goes_last() {
        let connections = Connections::few();
        let working = [(); 3].map(|()| {
            let ticket = admit(&connections, "192.0.2.1");
            ticket.standing.requested();
            ticket
        });
        working[0].standing.requested();

        let _newcomer = admit(&connections, "192.0.2.1");

        assert_eq!(working.map(|ticket| ticket.has_to_go()), [false, true, false]);
    }

    #[test]
    fn a_pipelined_request_lets_others_go_first_and_its_connection_counts_as_waiting() {
        let connections = Connections::few();
        let [one, two, three] = [(); 3].map(|()| {
            let ticket = admit(&connections, "192.0.2.1");
            ticket.standing.received();
            ticket.standing.requested();
            ticket
        });

        assert!(one.standing.turn().now_or_never().is_some(), "it came alone");
        assert!(one.standing.turn().now_or_never().is_none());
        let _newcomer = admit(&connections, "192.0.2.1");

        assert_eq!([&one, &two, &three].map(Ticket::has_to_go), [true, false, false]);
    }

    #[test]
    fn the_network_that_has_most_makes_room_for_all() {
        let connections = Connections::few();
        let three = [(); 3].map(|()| admit(&connections, "2001:db8::1"));
        let two = [(); 2].map(|()| admit(&connections, "192.0.2.1"));
        let one = admit(&connections, "192.0.2.2");

        // The newcomer's task waits for the descriptor of the one that goes.
        let newcomer = connections.admit("192.0.2.3".parse().unwrap());
        let mut newcomer = Box::pin(newcomer);
        assert!((&mut newcomer).now_or_never().is_none());
        assert_eq!(three.each_ref().map(Ticket::has_to_go), [true, false, false]);
        assert!(!two.iter().chain([&one]).any(Ticket::has_to_go));

        drop(three);
        assert!(newcomer.now_or_never().is_some());
    }

    /// Somebody with two connections is not who has most, beside a customer with many networks.
    #[test]
    fn many_narrow_networks_are_no_cover() {
        let connections = Connections::few();
        let person = [(); 2].map(|()| admit(&connections, "192.0.2.1"));
        let crowd = [1, 2, 3, 4].map(|n| admit(&connections, &format!("2001:db8:0:{n}::1")));

        let _newcomer = connections.admit("198.51.100.1".parse().unwrap()).now_or_never();

        assert!(!person.iter().any(Ticket::has_to_go));
        assert_eq!(crowd.map(|ticket| ticket.has_to_go()), [true, false, false, false]);
    }

    #[test]
    fn of_networks_that_have_as_many_the_stalest_makes_room() {
        let connections = Connections::few();
        let mut open: Vec<_> =
            (0..6).map(|n| admit(&connections, &format!("192.0.2.{n}"))).collect();

        for n in 6..30 {
            let newcomer = connections.admit(format!("192.0.2.{n}").parse().unwrap());
            let mut newcomer = Box::pin(newcomer);
            assert!((&mut newcomer).now_or_never().is_none());
            assert!(open.remove(0).has_to_go(), "{n}");
            open.push(newcomer.now_or_never().unwrap());
        }

        assert!(!open.iter().any(Ticket::has_to_go));
    }

    /// Some that go next are found at once.
    #[test]
    fn who_made_progress_since_it_was_found_stays_as_do_all_while_a_network_has_more() {
        let connections = Connections::few();
        let mut open: Vec<_> =
            (0..6).map(|n| admit(&connections, &format!("192.0.2.{n}"))).collect();
        let mut newcomer = |address: &str, goes: usize| {
            let newcomer = connections.admit(address.parse().unwrap());
            let mut newcomer = Box::pin(newcomer);
            assert!((&mut newcomer).now_or_never().is_none());
            assert!(open.remove(goes).has_to_go(), "{address}");
            assert!(!open.iter().any(Ticket::has_to_go), "{address}");
            open.push(newcomer.now_or_never().unwrap());
            open.first().unwrap().standing.requested();
        };

        newcomer("192.0.2.6", 0);
        newcomer("192.0.2.7", 1);
        newcomer("192.0.2.7", 1);
        newcomer("192.0.2.8", 4);
        newcomer("192.0.2.9", 1);
    }

    #[test]
    fn an_ipv6_customer_has_one_network() {
        let connections = Connections::few();
        let one = admit(&connections, "2001:db8::1");
        let others = [(); 2].map(|()| admit(&connections, "2001:db8::2"));

        let _newcomer = admit(&connections, "2001:db8::3");

        assert!(one.has_to_go() && !others.iter().any(Ticket::has_to_go));
    }

    #[test]
    fn a_proxy_of_ours_stands_for_many() {
        let connections = Connections::few();

        let of_proxy = [(); 6].map(|()| admit(&connections, "10.0.0.1"));

        assert!(!of_proxy.iter().any(Ticket::has_to_go));
        drop(of_proxy);
        assert!(connections.networks().is_empty());
    }
}
