//! Networks: the prefixes of addresses by which strangers are counted, and those of proxies.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// The lengths of the prefixes in bytes, from the narrowest network to the widest: an IPv4 address
/// and its /24.
const V4: [u8; 2] = [4, 3];
/// A customer of an IPv6 provider has a /64, a /56 or a /48.
const V6: [u8; 3] = [8, 7, 6];

/// A network: the first whole bytes of its addresses.
///
/// The narrowest network of an address is the IPv4 address itself, or the /64 of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Network {
    v6: bool,
    length: u8,
    prefix: [u8; 8],
}

impl Network {
    /// Whether they are of IPv6, and the length in bytes, of the widest networks.
    pub const WIDEST: [(bool, u8); 2] = [(false, V4[1]), (true, V6[2])];

    /// The narrowest network of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::new(false, &address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::new(true, &[a, b, c, d, e, f, g, h])
            }
        }
    }

    fn new(v6: bool, bytes: &[u8]) -> Self {
        let mut prefix = [0; 8];
        for (byte, given) in prefix.iter_mut().zip(bytes) {
            *byte = *given;
        }
        Self { v6, length: u8::try_from(bytes.len()).unwrap_or(u8::MAX).min(8), prefix }
    }

    /// The network whose version and prefix these are, if it is of a length that is counted.
    pub fn from_parts(v6: bool, prefix: &[u8]) -> Option<Self> {
        let network = Self::new(v6, prefix);
        let counted = prefix.len() <= 8 && network.lengths().contains(&network.length);
        counted.then_some(network)
    }

    /// Whether its addresses are of IPv6.
    pub fn is_v6(&self) -> bool {
        self.v6
    }

    /// The bytes of its prefix.
    pub fn prefix(&self) -> &[u8] {
        self.prefix.get(..self.length.into()).unwrap_or(&self.prefix)
    }

    fn lengths(&self) -> &'static [u8] {
        if self.v6 { &V6 } else { &V4 }
    }

    /// The next wider network around it.
    pub fn wider(&self) -> Option<Self> {
        let length = self.lengths().iter().find(|length| **length < self.length)?;
        let prefix = self.prefix.get(..usize::from(*length))?;
        Some(Self::new(self.v6, prefix))
    }

    /// The length in bytes of the next narrower networks in it.
    pub fn narrower(&self) -> Option<u8> {
        self.lengths().iter().rev().find(|length| **length > self.length).copied()
    }

    /// The widest network around it.
    pub fn widest(self) -> Self {
        self.and_wider().last().unwrap_or(self)
    }

    /// It and every wider network around it.
    pub fn and_wider(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), Self::wider)
    }

    /// Whether its addresses are of this machine.
    pub fn is_loopback(&self) -> bool {
        if self.v6 { self.prefix == [0; 8] } else { self.prefix().first() == Some(&127) }
    }
}

/// The address of a proxy, or a network of proxies (RFC 4632), as an operator names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyNetwork(IpNet);

/// The error of a text that is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl ProxyNetwork {
    /// Whether `address`, in its canonical form, is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl From<IpAddr> for ProxyNetwork {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical().into())
    }
}

impl FromStr for ProxyNetwork {
    type Err = NotANetwork;

    fn from_str(s: &str) -> Result<Self, NotANetwork> {
        if let Ok(address) = s.parse::<IpAddr>() {
            return Ok(address.into());
        }
        let written: IpNet = s.parse().map_err(|_| NotANetwork)?;
        // The network of IPv4-mapped addresses ends after 96 bits (RFC 4291 §2.5.5.2).
        let mapped = match written {
            IpNet::V6(v6) if v6.prefix_len() >= 96 => {
                v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96))
            }
            IpNet::V4(_) | IpNet::V6(_) => None,
        };
        let network = match mapped {
            Some((v4, length)) => Ipv4Net::new(v4, length).map_err(|_| NotANetwork)?.into(),
            None => written,
        };
        Ok(Self(network.trunc()))
    }
}

impl fmt::Display for ProxyNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_its_address_or_network() {
        let holds = |network: &str, address: &str| {
            let network: ProxyNetwork = network.parse().unwrap();
            network.contains(address.parse::<IpAddr>().unwrap().to_canonical())
        };

        assert!(holds("10.0.0.1", "10.0.0.1") && !holds("10.0.0.1", "10.0.0.2"));
        assert!(holds("172.18.0.0/16", "172.18.3.4") && !holds("172.18.0.0/16", "172.19.0.1"));
        assert!(holds("172.18.0.1/16", "::ffff:172.18.3.4"));
        assert!(holds("::ffff:172.18.0.0/112", "172.18.3.4"));
        assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "2001:db8::1"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        for wrong in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "nas.lan", "10.0.0.0/8 "] {
            assert_eq!(wrong.parse::<ProxyNetwork>(), Err(NotANetwork), "{wrong}");
        }
        for (written, printed) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("::1", "::1"),
        ] {
            assert_eq!(written.parse::<ProxyNetwork>().unwrap().to_string(), printed);
        }
    }

    fn of(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv4_address_is_a_network_of_its_own() {
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1").wider(), of("192.0.2.2").wider());
        assert_eq!(of("192.0.2.1").and_wider().count(), 2);
    }

    #[test]
    fn an_ipv6_network_has_64_bits() {
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("2001:db8::1").wider(), of("2001:db8:0:ff::1").wider());
        assert_ne!(of("2001:db8::1").wider(), of("2001:db8:0:100::1").wider());
        let wide = |address| of(address).and_wider().last();
        assert_eq!(wide("2001:db8::1"), wide("2001:db8:0:100::1"));
        assert_ne!(wide("2001:db8::1"), wide("2001:db8:1::1"));
    }

    #[test]
    fn a_network_is_read_back_from_its_parts() {
        for network in of("2001:db8::1").and_wider().chain(of("192.0.2.1").and_wider()) {
            assert_eq!(Network::from_parts(network.is_v6(), network.prefix()), Some(network));
        }
        assert_eq!(Network::from_parts(false, &[1; 2]), None);
        assert_eq!(Network::from_parts(true, &[1; 9]), None);
    }

    #[test]
    fn loopback_is_this_machine() {
        for (address, loopback) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(of(address).is_loopback(), loopback, "{address}");
        }
    }
}
