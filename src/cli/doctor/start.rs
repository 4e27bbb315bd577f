//! What a start of the server would meet: issuer, certificate, ports, descriptors.

use std::time::Duration;

use crate::admin::doctor::FindingView;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, TlsMode};
use crate::oauth::issuer::Issuer;
use crate::serve;
use crate::tls::{Authority, Certificate};

/// The time before its end from which a certificate in files is told of.
const SOON: Duration = Duration::from_hours(14 * 24);

/// Judges the configured issuer against `frozen`, that of the store.
pub(super) fn issuer(config: &Config, frozen: Option<&Issuer>) -> FindingView {
    const CHECK: &str = "issuer";
    if let (Some(frozen), Some(asked)) = (frozen, &config.issuer)
        && frozen != asked
    {
        let found = format!("the store's issuer is {frozen}, and the configuration says {asked}");
        let remedy = format!("gatelodge issuer change {asked} tells what a change means");
        return FindingView::problem(CHECK, found, remedy);
    }
    match frozen.or(config.issuer.as_ref()) {
        None => FindingView::ok(CHECK, "the first start makes an issuer on localhost"),
        Some(issuer) if issuer.is_loopback() => {
            let host = issuer.host();
            FindingView::ok(CHECK, format!("{issuer}; passkeys are for {host} on this machine"))
        }
        Some(issuer) => {
            FindingView::ok(CHECK, format!("{issuer}; passkeys are for {}", issuer.host()))
        }
    }
}

/// Judges the certificate that the server has, or would have.
pub(super) fn tls(config: &Config, frozen: Option<&Issuer>) -> FindingView {
    const CHECK: &str = "tls";
    let now = Clock::System.now();
    match config.tls.mode {
        TlsMode::Off => FindingView::skipped(CHECK, "this server speaks plain HTTP"),
        TlsMode::Local => {
            let path = Authority::path(&config.places.data);
            match std::fs::read_to_string(&path) {
                Ok(pem) => local(Certificate::from_pem(&pem).ok(), now),
                Err(_) => FindingView::ok(CHECK, "the server makes a local CA at its first start"),
            }
        }
        TlsMode::Files => {
            let Some(files) = config.tls.files() else {
                return FindingView::skipped(CHECK, "the configuration does not name the files");
            };
            let issuer = frozen.or(config.issuer.as_ref());
            // Behind a proxy, the proxy's certificate has the issuer's name.
            let issuer = issuer.filter(|_| config.behind_proxy.is_empty());
            let faults = files.faults(issuer.map(Issuer::host), now);
            let faults = faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>();
            let certificate = std::fs::read_to_string(&files.certificate);
            let certificate = certificate.ok().and_then(|pem| Certificate::from_pem(&pem).ok());
            of_files(&faults, certificate.as_ref(), now)
        }
    }
}

fn local(certificate: Option<Certificate>, now: Timestamp) -> FindingView {
    const CHECK: &str = "tls";
    match certificate {
        Some(certificate) if certificate.holds(now) => {
            let until = certificate.not_after.rfc3339();
            FindingView::ok(CHECK, format!("the local CA is valid until {until}"))
        }
        Some(_) => FindingView::warning(
            CHECK,
            "the local CA is not valid now",
            "set the clock if it is wrong; otherwise the server renews its certificate, which has to be \
             trusted anew: gatelodge tls trust",
        ),
        None => FindingView::problem(
            CHECK,
            "the certificate of the local CA is none",
            "restore gatelodge-ca.pem, or remove it and its key for a new CA, which has to be \
             trusted anew: gatelodge tls trust",
        ),
    }
}

fn of_files(faults: &[String], certificate: Option<&Certificate>, now: Timestamp) -> FindingView {
    const CHECK: &str = "tls";
    const REMEDY: &str = "have the certificate renewed; the server reads the files again by itself";
    if !faults.is_empty() {
        let remedy = "name a pair that fits as tls.certificate and tls.key; gatelodge config check";
        return FindingView::problem(CHECK, faults.join("; "), remedy);
    }
    let Some(&Certificate { not_before, not_after, .. }) = certificate else {
        return FindingView::skipped(CHECK, "the certificate cannot be read");
    };
    if now < not_before {
        let found = format!("the certificate is valid from {}", not_before.rfc3339());
        return FindingView::warning(CHECK, found, "set the clock if it is wrong, or wait");
    }
    let found = format!("the certificate is valid until {}", not_after.rfc3339());
    if not_after.since(now) < SOON {
        return FindingView::warning(CHECK, found, REMEDY);
    }
    FindingView::ok(CHECK, found)
}

/// Judges the ports of a server of `issuer`, which are bound for a moment.
pub(super) fn ports(config: &Config, issuer: Option<&Issuer>) -> FindingView {
    const CHECK: &str = "ports";
    match serve::try_listening(config, issuer.or(config.issuer.as_ref())) {
        Ok(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            FindingView::ok(CHECK, format!("a server can listen at {}", addresses.join(", ")))
        }
        Err(stop) => {
            let remedy = "gatelodge serve --help says which addresses and issuers go together";
            let remedy = stop.remedy.clone().unwrap_or_else(|| remedy.to_owned());
            FindingView::problem(CHECK, stop.to_string().replace('\n', "; "), remedy)
        }
    }
}

/// Judges the limit of descriptors, which a server that is started from here would have.
pub(super) fn open_files() -> FindingView {
    const CHECK: &str = "open-files";
    const REMEDY: &str = "raise the limit: ulimit -n, or LimitNOFILE= in a unit of systemd";
    match serve::foreseen_connections() {
        Ok(None) => FindingView::ok(CHECK, "a server may open as many files as it needs"),
        Ok(Some(few)) => {
            let found = format!(
                "a server that starts here may open few files, enough for {few} connections"
            );
            FindingView::warning(CHECK, found, REMEDY)
        }
        Err(stop) => {
            let remedy = stop.remedy.clone().unwrap_or_else(|| REMEDY.to_owned());
            FindingView::problem(CHECK, stop.to_string(), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::doctor::FindingState::{Ok as Fine, Problem, Warning};
    use crate::admin::doctor::assert_finding;
    use crate::model::fingerprint::Fingerprint;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn certificate(from: Timestamp, until: Timestamp) -> Option<Certificate> {
        Some(Certificate { fingerprint: Fingerprint::of(b""), not_before: from, not_after: until })
    }

    #[test]
    fn an_issuer_is_that_of_the_store_or_a_problem() {
        let mut config = Config::at("/d");
        let (own, other) = (Issuer::localhost(1), Issuer::localhost(2));

        assert_finding(&issuer(&config, None), Fine, "first start", "");
        assert_finding(&issuer(&config, Some(&own)), Fine, "for localhost on this machine", "");
        let far = "https://id.example".parse().unwrap();
        assert_finding(&issuer(&config, Some(&far)), Fine, "passkeys are for id.example", "");
        config.issuer = Some(other);
        let wrong = issuer(&config, Some(&own));
        assert_finding(&wrong, Problem, &own.to_string(), "issuer change http://localhost:2");
    }

    #[test]
    fn a_certificate_in_files_is_told_of_before_it_ends() {
        let judged = |from, until| of_files(&[], certificate(from, until).as_ref(), NOW);

        assert_finding(&judged(NOW, NOW + DAY * 15), Fine, "valid until", "");
        assert_finding(&judged(NOW, NOW + DAY * 13), Warning, "valid until", "renewed");
        assert_finding(&judged(NOW + DAY, NOW + DAY * 90), Warning, "valid from", "clock");
        let faults = ["chain.pem is for another host".to_owned()];
        assert_finding(&of_files(&faults, None, NOW), Problem, "another host", "tls.certificate");
    }

    #[test]
    fn a_local_ca_is_judged_by_its_time() {
        assert_finding(&local(certificate(NOW, NOW + DAY), NOW), Fine, "valid until", "");
        let over = local(certificate(NOW - DAY, NOW - DAY), NOW);
        assert_finding(&over, Warning, "not valid now", "gatelodge tls trust");
        assert_finding(&local(None, NOW), Problem, "is none", "gatelodge-ca.pem");
    }
}
