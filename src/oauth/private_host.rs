//! Hosts of private networks, which the public internet does not reach.

use std::net::Ipv6Addr;

use url::Host;

/// The endings of private names: special-use ones (RFC 6761, RFC 6762, RFC 8375), and those that
/// are not in the public DNS.
const ENDINGS: [&str; 6] = [".home.arpa", ".internal", ".lan", ".local", ".localhost", ".test"];

/// Whether `host` is an address or a name of a private network. A name without a dot is one.
pub(super) fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            !name.contains('.') || ENDINGS.iter().any(|ending| name.ends_with(ending))
        }
        Host::Ipv4(v4) => {
            // RFC 6598: the addresses of carriers, which VPNs use, too.
            let shared = matches!(v4.octets(), [100, 64..=127, ..]);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        Host::Ipv6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(&Host::Ipv4(v4)),
            None => {
                *v6 == Ipv6Addr::LOCALHOST || v6.is_unique_local() || v6.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_host_is_known_by_its_address_or_name() {
        let is_private = |host: &str| {
            let host = Host::parse(host).unwrap();
            is_private(&match &host {
                Host::Domain(name) => Host::Domain(name.as_str()),
                Host::Ipv4(v4) => Host::Ipv4(*v4),
                Host::Ipv6(v6) => Host::Ipv6(*v6),
            })
        };

        for private in [
            "10.0.0.1",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "127.0.0.2",
            "[fd00::1]",
            "[fe80::1]",
            "[::1]",
            "[::ffff:10.0.0.1]",
            "nas",
            "NAS.local",
            "nas.lan.",
            "a.b.home.arpa",
        ] {
            assert!(is_private(private), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "[2001:db8::1]", "app.example", "local.example"] {
            assert!(!is_private(public), "{public}");
        }
    }
}
