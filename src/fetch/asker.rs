//! Who asks for a fetch, and with whom they share the turns.

use url::Host;

use crate::model::network::Network;

/// Who has something fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A request from this network.
    Network(Network),
    /// The operator.
    Operator,
}

/// Those who share turns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lane {
    /// The operator.
    Operator,
    /// Everybody on loopback who has something fetched from this domain: its last two labels.
    Domain(String),
    /// Everybody in this network; on loopback, everybody who has something fetched from it. It is
    /// one of the widest, since a small one costs nothing.
    Network(Network),
}

impl Asker {
    /// The lane for a fetch from `host`. On loopback everybody has one network, so there the host
    /// tells programs apart; not by its full name, of which its owner has as many as they like.
    pub(super) fn lane(self, host: &Host) -> Lane {
        match (self, host) {
            (Self::Operator, _) => Lane::Operator,
            (Self::Network(network), _) if !network.is_loopback() => {
                Lane::Network(network.widest())
            }
            (Self::Network(_), Host::Ipv4(address)) => {
                Lane::Network(Network::of((*address).into()).widest())
            }
            (Self::Network(_), Host::Ipv6(address)) => {
                Lane::Network(Network::of((*address).into()).widest())
            }
            (Self::Network(_), Host::Domain(name)) => {
                let labels: Vec<&str> = name.trim_end_matches('.').rsplitn(3, '.').collect();
                let last: Vec<&str> = labels.into_iter().take(2).collect();
                Lane::Domain(last.join("."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(address: &str, host: &str) -> Lane {
        let network = Network::of(address.parse().unwrap());
        Asker::Network(network).lane(&Host::parse(host).unwrap())
    }

    #[test]
    fn a_network_shares_with_those_around_it_whatever_it_asks_for() {
        let asked = lane("2001:db8::1", "a.example");

        assert_eq!(asked, lane("2001:db8:0:ffff::1", "127.0.0.1"));
        assert_ne!(asked, lane("2001:db8:1::1", "a.example"));
        assert_eq!(lane("192.0.2.1", "a.example"), lane("192.0.2.9", "b.example"));
    }

    #[test]
    fn on_loopback_those_share_who_ask_the_same_domain_or_network() {
        let asked = |host| lane("127.0.0.1", host);

        assert_eq!(asked("a.shop.example"), lane("::1", "shop.example."));
        assert_ne!(asked("shop.example"), asked("bank.example"));
        assert_ne!(asked("localhost"), asked("127.0.0.1"));
        assert_eq!(asked("127.0.1.1"), asked("127.0.1.2"));
        assert_ne!(asked("127.0.1.1"), asked("127.0.0.1"));
        assert_eq!(asked("[2001:db8::1]"), asked("[2001:db8:0:1::1]"));
    }
}
