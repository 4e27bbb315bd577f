use std::fs;

use super::*;
use crate::tls::KeyWithRequest;

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);
const DAY: Duration = Duration::from_hours(24);

fn made(directory: &Path) -> Authority {
    Authority::at(directory, &["id.example".to_owned()], NOW).unwrap()
}

fn issue(authority: &Authority, usage: Usage, name: &str) -> Result<String, TlsError> {
    let request = KeyWithRequest::generate().unwrap().request;
    authority.issue(&request, usage, &[name.to_owned()], DAY, NOW)
}

#[test]
fn it_is_made_once_and_its_key_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();

    let first = made(directory.path());
    let second = made(directory.path());

    assert_eq!(first.pem(), second.pem());
    assert!(first.certificate().holds(NOW + LIFETIME));
    for path in [Authority::path(directory.path()), Authority::key_path(directory.path())] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn one_of_1970_is_unfit_and_one_whose_time_is_not_now_is_invalid_if_the_clock_is_right() {
    let directory = tempfile::tempdir().unwrap();
    let epoch = Timestamp::from_seconds(100);
    let of_1970 = Authority::at(directory.path(), &[], epoch).unwrap();
    let present = of_1970.renew(directory.path(), NOW).unwrap();

    assert_eq!([epoch, NOW].map(|now| of_1970.fitness(now)), [Fitness::Fit, Fitness::Unfit]);
    let due = NOW + LIFETIME - RENEWAL;
    let moments = [epoch, NOW - DAY * 30, NOW - BEHIND, NOW, due - DAY, due, NOW + LIFETIME + DAY];
    assert_eq!(
        moments.map(|now| present.fitness(now)),
        [
            Fitness::Fit,
            Fitness::Invalid,
            Fitness::Fit,
            Fitness::Fit,
            Fitness::Fit,
            Fitness::Due,
            Fitness::Invalid
        ]
    );
    assert_eq!(present.renews(), due);
    assert_ne!(of_1970.pem(), present.pem());
    assert_eq!(made(directory.path()).pem(), present.pem());
}

#[test]
fn a_renewed_one_and_the_one_before_vouch_for_what_either_issues() {
    let directory = tempfile::tempdir().unwrap();
    let names = ["id.example", "192.0.2.7", "2001:db8::7"].map(str::to_owned);
    let first = Authority::at(directory.path(), &names, NOW).unwrap();
    let key = fs::read(Authority::key_path(directory.path())).unwrap();
    let later = NOW + LIFETIME - RENEWAL;

    let renewed = first.renew(directory.path(), later).unwrap();

    assert_eq!(fs::read(Authority::key_path(directory.path())).unwrap(), key);
    assert_eq!(renewed.certificate().not_after, later + LIFETIME);
    let number = |authority: &Authority| {
        let (_, read) = x509_parser::parse_x509_certificate(&authority.der).unwrap();
        (read.subject().to_string(), read.serial.clone())
    };
    let ((subject, serial), (renewed_subject, renewed_serial)) = (number(&first), number(&renewed));
    assert_eq!(subject, renewed_subject);
    assert_ne!(serial, renewed_serial, "one number for two certificates");
    for (issuer, verifier) in [(&first, &renewed), (&renewed, &first)] {
        for name in [&names[..], &["nas.lan".to_owned(), "10.0.0.1".to_owned()]].concat() {
            let key = KeyPair::generate().unwrap();
            let own = std::slice::from_ref(&name);
            let issued = issuer.sign(&key, Usage::Server, own, DAY, later).unwrap();
            assert!(verifier.vouches(issued.der(), &name, later).is_ok(), "{name}");
        }
    }
    for forbidden in ["bank.example", "192.0.2.8", "2001:db8::8"] {
        let refused = issue(&renewed, Usage::Server, forbidden);
        assert!(matches!(refused, Err(TlsError::NameForbidden(_))), "{forbidden}");
    }
}

#[test]
fn no_two_certificates_have_one_number() {
    let directory = tempfile::tempdir().unwrap();
    let authority = made(directory.path());
    let request = KeyWithRequest::generate().unwrap().request;
    let numbers: std::collections::BTreeSet<_> = (0..32)
        .map(|_| {
            let pem = authority.issue(&request, Usage::Client, &[], DAY, NOW).unwrap();
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
            assert!(read.raw_serial().len() == 16 && read.raw_serial()[0] < 0x80);
            read.raw_serial().to_vec()
        })
        .collect();
    assert_eq!(numbers.len(), 32);
}

#[test]
fn a_first_time_that_ended_between_the_files_goes_on_with_its_key() {
    let directory = tempfile::tempdir().unwrap();
    made(directory.path());
    let key = fs::read(Authority::key_path(directory.path())).unwrap();
    fs::remove_file(Authority::path(directory.path())).unwrap();

    made(directory.path());

    assert_eq!(fs::read(Authority::key_path(directory.path())).unwrap(), key);
}

#[test]
fn a_key_that_is_missing_wrong_or_none_is_told_and_never_replaced() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    made(directory.path());
    made(other.path());
    let key = Authority::key_path(directory.path());
    let tried = || {
        let tried = Authority::at(directory.path(), &[], NOW);
        tried.err().unwrap().to_string()
    };

    fs::remove_file(&key).unwrap();
    assert!(tried().contains("gatelodge-ca.key is missing"));
    assert!(!key.exists());
    fs::copy(Authority::key_path(other.path()), &key).unwrap();
    assert!(tried().contains("gatelodge-ca.key is not the key of"));
    fs::write(&key, "nonsense").unwrap();
    assert!(tried().contains("gatelodge-ca.key is no private key"));
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    made(directory.path());
    let key = Authority::key_path(directory.path());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();

    let refused = Authority::at(directory.path(), &[], NOW).err().unwrap().to_string();

    assert!(refused.contains("others may read this file (mode 0644)"), "{refused}");
}

#[test]
fn it_vouches_for_private_names_and_for_those_it_was_made_for() {
    let directory = tempfile::tempdir().unwrap();
    let authority = made(directory.path());

    for name in [
        "localhost",
        "app.localhost",
        "*.app.localhost",
        "nas.lan",
        "printer.local",
        "id.example",
        "a.id.example",
        "127.0.0.1",
        "::1",
        "192.168.1.20",
        "fd00::1",
    ] {
        assert!(issue(&authority, Usage::Server, name).is_ok(), "{name}");
    }
    for name in ["example", "bank.example", "8.8.8.8", "2001:db8::1", "a b.lan", "", "*"] {
        let refused = issue(&authority, Usage::Server, name);
        assert!(matches!(refused, Err(TlsError::NameForbidden(_))), "{name}");
    }
}

#[test]
fn of_several_names_the_one_that_is_refused_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let authority = made(directory.path());
    let request = KeyWithRequest::generate().unwrap().request;
    let names = ["localhost", "::1", "bank.example", "nas.lan"].map(str::to_owned);

    let refused = authority.issue(&request, Usage::Server, &names, DAY, NOW).unwrap_err();

    assert_eq!(refused.to_string(), "the local CA does not vouch for bank.example");
}

#[test]
fn what_it_issues_lasts_as_long_as_it_was_asked_to() {
    let directory = tempfile::tempdir().unwrap();
    let authority = made(directory.path());

    let issued = issue(&authority, Usage::Client, "ada's laptop").unwrap();

    let read = Certificate::from_pem(&issued).unwrap();
    assert_eq!((read.not_before, read.not_after), (NOW - BEHIND, NOW + DAY));
}

#[test]
fn a_request_that_nobody_signed_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let authority = made(directory.path());
    let request = KeyWithRequest::generate().unwrap().request;
    let other = KeyWithRequest::generate().unwrap().request;
    let (body, signature) = (request.lines().nth(2).unwrap(), other.lines().nth(2).unwrap());

    for wrong in ["", "nonsense", &request.replace(body, signature)] {
        let issued = authority.issue(wrong, Usage::Server, &[], DAY, NOW);
        assert!(matches!(issued, Err(TlsError::NotARequest)));
    }
}

#[test]
fn one_is_trusted_towards_any_server_if_names_bound_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = Authority::path(directory.path());

    assert_eq!(Authority::bounded_at(directory.path()), None);
    made(directory.path());
    assert_eq!(Authority::bounded_at(directory.path()), Some(path.clone()));
    let mut boundless = CertificateParams::default();
    boundless.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let mut half = boundless.clone();
    half.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("lan".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let [boundless, half] = [boundless, half]
        .map(|params| params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem());
    for content in ["", "nonsense", &boundless, &half] {
        fs::write(&path, content).unwrap();
        assert_eq!(Authority::bounded_at(directory.path()), None, "{content}");
    }
}
