//! Networks: the prefixes of addresses by which strangers are counted.

use std::net::IpAddr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
