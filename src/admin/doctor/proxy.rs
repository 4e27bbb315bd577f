//! What a proxy makes of a request: judged by how a request arrived that was sent through it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::finding::FindingView;
use crate::app::doctor::Observed;
use crate::model::network::ProxyNetwork;
use crate::oauth::issuer::Issuer;

const CHECK: &str = "proxy";

/// The address that the request brings in `X-Forwarded-For`, as somebody would who forges it. It is
/// nobody's (RFC 5737).
pub(super) const SENTINEL: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));

/// What this server expects of a request.
pub(super) struct Expected<'a> {
    /// Whether it speaks no TLS.
    pub(super) is_without_tls: bool,
    /// Its issuer.
    pub(super) issuer: &'a Issuer,
    /// The proxies that it believes.
    pub(super) proxies: &'a [ProxyNetwork],
}

/// The findings about a request that was sent to the issuer, and arrived.
pub(super) fn judged(expected: &Expected<'_>, observed: &Observed) -> Vec<FindingView> {
    let own = expected.issuer.authority();
    let Observed { forwarded_for, is_relayed, peer, .. } = observed;
    let host = without_default_port(expected.issuer, &observed.host);
    let mut findings = Vec::new();
    if host != own {
        let found = match host.as_str() {
            "" => format!("a request for {own} arrives without Host"),
            _ => format!("a request for {own} arrives with Host {host}"),
        };
        let remedy = "have the proxy pass the Host of the request on; nginx: proxy_set_header Host \
                      $http_host";
        findings.push(FindingView::problem(CHECK, found, remedy));
    }
    let is_named = expected.proxies.iter().any(|proxy| proxy.contains(*peer));
    // Nobody but a proxy speaks the TLS of the issuer, or changes a request on its way.
    let is_fronted = expected.issuer.is_https() && expected.is_without_tls;
    let is_changed = forwarded_for.as_slice() != [SENTINEL.to_string()];
    if !is_named && (is_fronted || *is_relayed || is_changed) {
        let found = format!(
            "a request comes from a proxy at {peer} that is not in behind_proxy, so everybody \
             counts as that address"
        );
        let remedy = format!(
            "name it: behind_proxy = [\"{peer}\"] in the configuration, or gatelodge serve \
             --behind-proxy {peer}, and start the server anew"
        );
        findings.push(FindingView::problem(CHECK, found, remedy));
    }
    if is_named {
        findings.extend(addresses(*peer, forwarded_for));
    }
    if findings.is_empty() {
        let found = if is_named {
            format!("a request for {own} comes from the proxy at {peer}, with its Host and sender")
        } else {
            format!("a request for {own} arrives as it was sent, from {peer}")
        };
        findings.push(FindingView::ok(CHECK, found));
    }
    findings
}

/// What is wrong with the addresses that a proxy which is believed sends along.
fn addresses(peer: IpAddr, forwarded_for: &[String]) -> Option<FindingView> {
    let last = forwarded_for.last().map(String::as_str).unwrap_or_default();
    let found = if last.is_empty() {
        format!(
            "the proxy at {peer} sends no X-Forwarded-For, so everybody counts as the proxy and no \
             limit by network holds"
        )
    } else if last == SENTINEL.to_string() {
        format!(
            "the proxy at {peer} passes X-Forwarded-For on as it came, so everybody chooses the \
             address that they count as"
        )
    } else if last.parse::<IpAddr>().is_err() && last.parse::<SocketAddr>().is_err() {
        format!("the proxy at {peer} sends {last} in X-Forwarded-For, which is no address")
    } else {
        return None;
    };
    let remedy = "have the proxy append its peer's address; nginx: proxy_set_header \
                  X-Forwarded-For $proxy_add_x_forwarded_for";
    Some(FindingView::problem(CHECK, found, remedy))
}

/// A `Host` in lower case, without the default port of the issuer's scheme (RFC 9110 §4.2.3).
fn without_default_port(issuer: &Issuer, host: &str) -> String {
    let port = if issuer.is_https() { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::finding::{FindingState, assert_finding};
    use super::*;

    const PROXY: &str = "172.18.0.2";

    fn judge(issuer: &str, is_without_tls: bool, observed: &Observed) -> Vec<FindingView> {
        let (issuer, proxies) = (issuer.parse().unwrap(), ["172.18.0.0/16".parse().unwrap()]);
        judged(&Expected { is_without_tls, issuer: &issuer, proxies: &proxies }, observed)
    }

    fn observed(host: &str, peer: &str, forwarded_for: &[&str]) -> Observed {
        Observed {
            forwarded_for: forwarded_for.iter().map(|entry| (*entry).to_owned()).collect(),
            host: host.to_owned(),
            is_relayed: false,
            peer: peer.parse().unwrap(),
        }
    }

    /// The one problem that there is, as what was found and what to do.
    #[track_caller]
    fn problem(findings: &[FindingView], found: &str, remedy: &str) {
        let [one] = findings else { panic!("{findings:?}") };
        assert_finding(one, FindingState::Problem, found, remedy);
    }

    #[track_caller]
    fn fine(findings: &[FindingView]) {
        let [one] = findings else { panic!("{findings:?}") };
        assert_eq!(one.state, FindingState::Ok, "{one:?}");
    }

    #[test]
    fn a_proxy_that_passes_host_and_sender_on_is_fine() {
        let sentinel = SENTINEL.to_string();
        for (host, entries) in [
            ("id.example", &[&*sentinel, "198.51.100.1"][..]),
            ("ID.example:443", &["198.51.100.1"]),
            ("id.example", &["198.51.100.1:4711"]),
            ("id.example", &[&*sentinel, "2001:db8::1"]),
        ] {
            fine(&judge("https://id.example", true, &observed(host, PROXY, entries)));
        }
    }

    #[test]
    fn a_host_of_the_proxys_own_is_named_beside_the_right_one() {
        let sent = observed("localhost:7455", PROXY, &["198.51.100.1"]);

        let findings = judge("https://id.example", true, &sent);

        problem(
            &findings,
            "for id.example arrives with Host localhost:7455",
            "proxy_set_header Host",
        );
        let without = judge("https://id.example", true, &observed("", PROXY, &["198.51.100.1"]));
        problem(&without, "arrives without Host", "proxy_set_header Host");
    }

    #[test]
    fn a_proxy_that_nobody_named_is_named_with_its_address() {
        let sentinel = SENTINEL.to_string();
        let found = "a proxy at 10.9.9.9 that is not in behind_proxy";
        let remedy = "behind_proxy = [\"10.9.9.9\"]";

        // The server speaks no TLS, and the issuer does.
        let silent = observed("id.example", "10.9.9.9", &[&sentinel]);
        problem(&judge("https://id.example", true, &silent), found, remedy);
        let dropping = observed("id.example", "10.9.9.9", &[]);
        problem(&judge("https://id.example", false, &dropping), found, remedy);
        let mut relaying = observed("id.example", "10.9.9.9", &[&sentinel]);
        relaying.is_relayed = true;
        problem(&judge("https://id.example", false, &relaying), found, remedy);
    }

    #[test]
    fn a_proxy_that_does_not_say_who_asks_is_a_problem() {
        let sentinel = SENTINEL.to_string();
        for (entries, found) in [
            (&[][..], "sends no X-Forwarded-For"),
            (&[""], "sends no X-Forwarded-For"),
            (&[&*sentinel], "passes X-Forwarded-For on as it came"),
            (&["198.51.100.1", "unknown"], "sends unknown in X-Forwarded-For"),
        ] {
            let findings =
                judge("https://id.example", true, &observed("id.example", PROXY, entries));
            problem(&findings, found, "$proxy_add_x_forwarded_for");
        }
    }

    #[test]
    fn what_arrives_as_it_was_sent_came_through_no_proxy() {
        let sentinel = SENTINEL.to_string();
        let direct = observed("id.example", "198.51.100.1", &[&sentinel]);

        fine(&judge("https://id.example", false, &direct));
        fine(&judge("http://localhost", true, &observed("localhost", "127.0.0.1", &[&sentinel])));
    }
}
