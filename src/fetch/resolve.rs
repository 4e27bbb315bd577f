//! Resolves hosts to checked addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup_ip::LookupIp;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use url::Host;

use super::FetchError;
use super::address::{is_private, is_public};
use super::target::{AddressBounds, Target, is_loopback};

/// The time after which a nameserver is asked again, since a packet may be lost.
const TIMEOUT: Duration = Duration::from_secs(2);

/// An address that may be connected to: it is in the bounds of its target.
#[derive(Clone, Copy)]
pub(super) struct CheckedAddress(SocketAddr);

impl CheckedAddress {
    pub(super) fn address(self) -> SocketAddr {
        self.0
    }
}

/// Resolves the target's host, with the system's nameservers or with `nameserver`.
///
/// If one address is out of bounds, all are refused: where they are public addresses, a name that
/// mixes public and private ones is an attack. No nameserver is asked about this machine.
pub(super) async fn resolve(
    target: &Target,
    nameserver: Option<SocketAddr>,
) -> Result<Vec<CheckedAddress>, FetchError> {
    let addresses = match (known(target), &target.host) {
        (None, Host::Domain(name)) => lookup(name, nameserver).await?,
        (known, _) => known.unwrap_or_default(),
    };
    if addresses.is_empty() {
        return Err(FetchError::HostUnknown);
    }
    check(target, &addresses)?;
    let checked = |address| CheckedAddress(SocketAddr::new(address, target.port));
    Ok(addresses.into_iter().map(checked).collect())
}

/// The addresses of the target, unless its name has to be looked up.
pub(super) fn known(target: &Target) -> Option<Vec<IpAddr>> {
    match &target.host {
        Host::Domain(_) if is_loopback(&target.host) => {
            Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(vec![IpAddr::V4(*address)]),
        Host::Ipv6(address) => Some(vec![IpAddr::V6(*address)]),
    }
}

/// Checks that all addresses are in the bounds of the target.
pub(super) fn check(target: &Target, addresses: &[IpAddr]) -> Result<(), FetchError> {
    let in_bounds = |address: IpAddr| match target.bounds {
        AddressBounds::All => true,
        AddressBounds::Loopback => address.is_loopback(),
        AddressBounds::Private => is_private(address) || is_public(address),
        AddressBounds::Public => is_public(address),
    };
    let all = addresses.iter().copied().all(in_bounds);
    if all { Ok(()) } else { Err(FetchError::AddressPrivate) }
}

async fn lookup(name: &str, nameserver: Option<SocketAddr>) -> Result<Vec<IpAddr>, FetchError> {
    let mut name = Name::from_ascii(name).map_err(|_| FetchError::HostUnknown)?;
    // The host of a URL is a complete name: the system's search domains do not apply.
    name.set_fqdn(true);
    let written = written_in(&Hosts::from_system().unwrap_or_default(), &name);
    if !written.is_empty() {
        return Ok(written);
    }
    let resolver = resolver(nameserver).map_err(|_| FetchError::NameserverFailed)?;
    match resolver.lookup_ip(name).await {
        Ok(found) => Ok(found.iter().collect()),
        Err(error) if error.is_no_records_found() => Err(FetchError::HostUnknown),
        Err(_) => Err(FetchError::NameserverFailed),
    }
}

/// The addresses of a name in the hosts file. If there is one, no nameserver is asked, not even for
/// the other address family: an installation that relies on that file may have no nameserver.
fn written_in(hosts: &Hosts, name: &Name) -> Vec<IpAddr> {
    [RecordType::A, RecordType::AAAA]
        .into_iter()
        .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)))
        .flat_map(LookupIp::from)
        .collect()
}

/// Makes a resolver, one for each lookup, so that the present `/etc/resolv.conf` is used: machines
/// move between networks, and lookups are rare.
fn resolver(nameserver: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match nameserver {
        Some(address) => with_nameserver(address),
        // resolv.conf(5): "If no nameserver entries are present, the default is to use the name
        // server on the local machine."
        None => TokioResolver::builder_tokio()
            .unwrap_or_else(|_| with_nameserver((Ipv4Addr::LOCALHOST, 53).into())),
    };
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = options.timeout.min(TIMEOUT);
    builder.build()
}

fn with_nameserver(address: SocketAddr) -> hickory_resolver::ResolverBuilder<TokioRuntimeProvider> {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    let config = ResolverConfig::from_name_servers(vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_file_tells_every_address_of_a_name() {
        let mut hosts = Hosts::default();
        let file = b"# ours\n10.0.0.1 shop Shop.test\nfd00::1 shop.test\n10.0.0.2 other.test\n";
        hosts.read_hosts_conf(&file[..]).unwrap();
        let written = |name| written_in(&hosts, &Name::from_ascii(name).unwrap());
        let known = |addresses: &[&str]| -> Vec<IpAddr> {
            addresses.iter().map(|address| address.parse().unwrap()).collect()
        };

        assert_eq!(written("shop.test."), known(&["10.0.0.1", "fd00::1"]));
        assert_eq!(written("shop."), known(&["10.0.0.1"]));
        assert_eq!(written("gone.test."), known(&[]));
    }
}
