//! Whether the addresses of clients can be used.

use super::finding::FindingView;
use crate::app::doctor::{AddressKind, ClientAddress, FetchError, Unreached};
use crate::error::{Refusal, shell_word};

const CHECK: &str = "client-addresses";

/// The most addresses that are told one by one.
const MAX_NAMED: usize = 20;

/// The findings about addresses, with a line for each that is of no use.
pub(super) fn judged(addresses: &[ClientAddress]) -> Vec<FindingView> {
    let (mut reached, mut untried, mut offline, mut amiss) = (0, 0, 0, Vec::new());
    for own in addresses {
        match own.outcome {
            Ok(()) => reached += 1,
            Err(Unreached::Failed(FetchError::Offline)) => offline += 1,
            Err(Unreached::Failed(FetchError::Crowded) | Unreached::NotTried) => untried += 1,
            Err(Unreached::Failed(_) | Unreached::Refused(_)) => amiss.push(own),
        }
    }
    let named = amiss.iter().take(MAX_NAMED);
    let mut findings: Vec<_> =
        named.map(|own| FindingView::warning(CHECK, unreached(own), remedy(own))).collect();
    let more = amiss.len().saturating_sub(MAX_NAMED);
    if let Some(last) = findings.last_mut().filter(|_| more > 0) {
        last.found.push_str(&format!("; {more} more addresses are of no use"));
    }
    if addresses.is_empty() {
        findings.push(FindingView::ok(CHECK, "no client has an address to reach"));
    } else if amiss.is_empty() && reached > 0 {
        let found = format!("addresses of clients that can be reached: {reached}");
        findings.push(FindingView::ok(CHECK, found));
    }
    for (count, why) in
        [(offline, "this installation is offline"), (untried, "there was no time for them")]
    {
        if count > 0 {
            let found = format!("addresses of clients that were not tried, since {why}: {count}");
            findings.push(FindingView::skipped(CHECK, found));
        }
    }
    findings
}

/// What is wrong with an address.
fn unreached(own: &ClientAddress) -> String {
    let what = match own.kind {
        AddressKind::Document => "its document",
        AddressKind::Keys => "its keys",
        AddressKind::Logout => "its back-channel logout",
    };
    let why = match own.outcome {
        Ok(()) => "it can be reached".to_owned(),
        Err(Unreached::Failed(error)) => error.to_string(),
        Err(Unreached::NotTried) => "it was not tried".to_owned(),
        Err(Unreached::Refused(refusal)) => refusal.reason().into_owned(),
    };
    format!("client {}: {what} at {}: {why}", own.client, own.url)
}

/// What can be done about it.
fn remedy(own: &ClientAddress) -> String {
    let word = shell_word(own.client.as_str());
    let other = match own.kind {
        AddressKind::Document => format!("bring the document: gatelodge client import {word} FILE"),
        AddressKind::Keys => {
            format!("name another address: gatelodge client set {word} --jwks-uri URL")
        }
        AddressKind::Logout => {
            format!("name another address: gatelodge client set {word} --back-channel-logout URL")
        }
    };
    let first = match own.outcome {
        Err(Unreached::Failed(FetchError::AddressPrivate | FetchError::UrlNotHttps)) => {
            "list its host and port as fetch.private"
        }
        Err(Unreached::Failed(FetchError::CertificateWrong)) => {
            "name the authority of its certificate as fetch.ca_file"
        }
        Err(Unreached::Refused(Refusal::ClientKeysUnavailable)) => "have a JWK Set there",
        Err(Unreached::Refused(_)) => "have the document mended",
        Ok(()) | Err(Unreached::Failed(_) | Unreached::NotTried) => {
            "see to it that its server runs and can be reached from here"
        }
    };
    format!("{first}, or {other}")
}

#[cfg(test)]
mod tests {
    use super::super::finding::{FindingState, assert_finding};
    use super::*;

    fn address(kind: AddressKind, outcome: Result<(), Unreached>) -> ClientAddress {
        let client = "shop".parse().unwrap();
        ClientAddress { client, kind, outcome, url: "https://shop.example/x".to_owned() }
    }

    fn states(addresses: &[ClientAddress]) -> Vec<FindingState> {
        judged(addresses).iter().map(|finding| finding.state).collect()
    }

    #[test]
    fn each_address_of_no_use_is_told_with_its_reason_and_a_remedy() {
        use AddressKind::{Document, Keys, Logout};

        let failed = Unreached::Failed;
        for (kind, why, found, remedy) in [
            (Logout, failed(FetchError::ConnectionRefused), "back-channel logout at", "its server"),
            (Logout, failed(FetchError::CertificateWrong), "certificate", "fetch.ca_file"),
            (Keys, failed(FetchError::AddressPrivate), "private", "fetch.private"),
            (Keys, Unreached::Refused(Refusal::ClientKeysUnavailable), "its keys", "JWK Set"),
            (Document, failed(FetchError::StatusWrong(404)), "404", "client import shop FILE"),
            (Document, Unreached::Refused(Refusal::DocumentNotJson), "document", "mended"),
        ] {
            let [one] = &judged(&[address(kind, Err(why))])[..] else { panic!("{why:?}") };
            assert_finding(one, FindingState::Warning, found, remedy);
            assert!(one.found.contains("shop"), "{one:?}");
        }
    }

    #[test]
    fn what_was_not_tried_is_no_fault_of_the_client() {
        let logout = |outcome| address(AddressKind::Logout, outcome);
        let offline = logout(Err(Unreached::Failed(FetchError::Offline)));

        assert_eq!(states(&[]), [FindingState::Ok]);
        assert_eq!(states(&[logout(Ok(()))]), [FindingState::Ok]);
        assert_eq!(states(&[offline]), [FindingState::Skipped]);
        let late = [logout(Err(Unreached::NotTried)), logout(Ok(()))];
        assert_eq!(states(&late), [FindingState::Ok, FindingState::Skipped]);
    }

    #[test]
    fn many_addresses_are_twenty_lines_and_a_number() {
        let dead = Err(Unreached::Failed(FetchError::Deadline));
        let addresses = vec![address(AddressKind::Keys, dead); 23];

        let findings = judged(&addresses);

        assert_eq!(findings.len(), 20);
        assert!(findings[19].found.ends_with("; 3 more addresses are of no use"));
    }
}
