//! Where it goes and where it does not.

use gatelodge::fetch::{Asker, FetchError, Fetcher, Settings};
use gatelodge::model::named_by::NamedBy;

use crate::nameserver::{A, AAAA, Nameserver, Said};
use crate::origin::{Certificate, OK_JSON, Origin};
use crate::{PLENTY, fetcher_for, settings};

#[tokio::test]
async fn a_name_with_a_private_address_is_not_connected_to() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:8.8.8.8"]
    {
        let nameserver = Nameserver::saying(&[address]).await;
        let fetcher = Fetcher::new(&settings(&nameserver, &[])).unwrap();

        let got = fetcher
            .json(Asker::Operator, NamedBy::Stranger, &origin.url("https", "shop.test"), PLENTY)
            .await;
        let posted = fetcher
            .post_form(NamedBy::Stranger, &origin.url("https", "shop.test"), String::new())
            .await;

        assert_eq!(got, Err(FetchError::AddressPrivate), "{address}");
        assert_eq!(posted, Err(FetchError::AddressPrivate), "{address}");
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn one_private_address_among_public_ones_refuses_them_all() {
    for mixed in [["1.1.1.1", "127.0.0.1"], ["10.0.0.1", "1.1.1.1"], ["1.1.1.1", "::1"]] {
        let nameserver = Nameserver::saying(&mixed).await;
        let fetcher = Fetcher::new(&settings(&nameserver, &[])).unwrap();

        let got = fetcher
            .json(
                Asker::Operator,
                NamedBy::Stranger,
                &"https://shop.test/".parse().unwrap(),
                PLENTY,
            )
            .await;

        assert_eq!(got, Err(FetchError::AddressPrivate), "{mixed:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_rebound_after_the_check_changes_nothing() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    // Nobody listens at the second address, so that a connection to it would fail.
    let nameserver = Nameserver::new(|_, before| {
        Said::Addresses(if before == 0 { vec!["127.0.0.1"] } else { vec!["127.0.0.2"] })
    })
    .await;
    let fetcher = Fetcher::new(&settings(&nameserver, &[origin.listed("shop.test")])).unwrap();

    let got = fetcher
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "shop.test"), PLENTY)
        .await;

    assert!(got.is_ok());
    assert_eq!(origin.connections(), 1);
    assert_eq!(nameserver.times_asked("shop.test", A), 1);
    assert_eq!(nameserver.times_asked("shop.test", AAAA), 1);
}

#[tokio::test]
async fn a_name_that_is_rebound_to_a_private_address_is_judged_anew_at_each_fetch() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::new(|_, before| {
        Said::Addresses(if before == 0 { vec!["10.0.0.1"] } else { vec!["127.0.0.1"] })
    })
    .await;
    let fetcher = Fetcher::new(&settings(&nameserver, &[])).unwrap();
    let url = origin.url("https", "shop.test");

    let first = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await;
    let second = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await;

    assert_eq!((first, second), (Err(FetchError::AddressPrivate), Err(FetchError::AddressPrivate)));
    assert_eq!(nameserver.times_asked("shop.test", A), 2);
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn a_private_address_is_refused_in_every_notation_and_without_a_question() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::saying(&["1.1.1.1"]).await;
    let listed = [origin.listed("other.test"), "127.0.0.1:1".to_owned()];
    let fetcher = Fetcher::new(&settings(&nameserver, &listed)).unwrap();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.01",
        "0x7F.0.0.0x1",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "0",
        "0x0",
        "0.0.0.0",
        "10.1",
        "167772161",
        "172.16.0.1",
        "192.168.257",
        "0251.0376.0251.0376",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "0xffffffff",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::FFFF:7f00:1]",
        "[::ffff:1.1.1.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::1.1.1.1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[2001:db8::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ] {
        let got = fetcher
            .json(Asker::Operator, NamedBy::Stranger, &origin.url("https", host), PLENTY)
            .await;

        assert_eq!(got, Err(FetchError::AddressPrivate), "{host}");
    }
    assert_eq!(origin.connections(), 0);
    assert_eq!(nameserver.questions(), 0);
}

#[tokio::test]
async fn a_listed_destination_is_fetched_in_every_notation_of_its_host() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let fetcher = fetcher_for(&origin);

    for host in ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1"] {
        assert!(
            fetcher
                .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", host), PLENTY)
                .await
                .is_ok(),
            "{host}"
        );
    }

    let another = fetcher
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "127.0.0.2"), PLENTY)
        .await;
    assert_eq!(another, Err(FetchError::UrlNotHttps));
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_a_nameserver_says() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::new(|_, _| Said::NoSuchName).await;
    let fetcher = Fetcher::new(&settings(&nameserver, &[origin.listed("localhost")])).unwrap();

    let got = fetcher
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "localhost"), PLENTY)
        .await;

    assert!(got.is_ok());
}

#[tokio::test]
async fn a_name_that_nobody_knows_and_a_nameserver_that_fails_are_told_apart() {
    let nameserver = Nameserver::new(|name, _| match name {
        "gone.test" => Said::NoSuchName,
        "empty.test" => Said::Addresses(Vec::new()),
        _ => Said::ServerFailure,
    })
    .await;
    let fetcher = Fetcher::new(&settings(&nameserver, &[])).unwrap();

    for (url, error) in [
        ("https://gone.test/", FetchError::HostUnknown),
        ("https://empty.test/", FetchError::HostUnknown),
        ("https://broken.test/", FetchError::NameserverFailed),
    ] {
        assert_eq!(
            fetcher.json(Asker::Operator, NamedBy::Stranger, &url.parse().unwrap(), PLENTY).await,
            Err(error),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_host_without_a_listener_is_told_as_such() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let private = vec![format!("127.0.0.1:{port}")];
    let fetcher = Fetcher::new(&Settings { private, ..Settings::default() }).unwrap();

    let got = fetcher
        .json(
            Asker::Operator,
            NamedBy::Stranger,
            &format!("http://127.0.0.1:{port}/").parse().unwrap(),
            PLENTY,
        )
        .await;

    assert_eq!(got, Err(FetchError::ConnectionRefused));
}

#[tokio::test]
async fn the_next_address_is_tried_where_one_does_not_answer() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::saying(&["127.0.0.2", "127.0.0.1"]).await;
    let fetcher = Fetcher::new(&settings(&nameserver, &[origin.listed("shop.test")])).unwrap();

    let got = fetcher
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "shop.test"), PLENTY)
        .await;

    assert!(got.is_ok());
}

/// Gets a document of an origin under `host`, to which the nameserver says `address`, and whose
/// certificate is trusted.
async fn got_by_name(named_by: NamedBy, address: &'static str) -> (Result<(), FetchError>, Origin) {
    let certificate = Certificate::of("shop.test");
    let ca = Some(certificate.ca.clone());
    let origin = Origin::over_tls(certificate).await;
    let nameserver = Nameserver::saying(&[address]).await;
    let fetcher = Fetcher::new(&Settings { ca, ..settings(&nameserver, &[]) }).unwrap();
    let url = origin.url("https", "shop.test");
    let got = fetcher.json(Asker::Operator, named_by, &url, PLENTY).await;
    (got.map(drop), origin)
}

#[tokio::test]
async fn a_name_that_an_operator_named_may_be_in_a_private_network() {
    let (got, origin) = got_by_name(NamedBy::Operator, "127.0.0.1").await;
    assert_eq!((got, origin.requests().len()), (Ok(()), 1));

    let (got, origin) = got_by_name(NamedBy::Stranger, "127.0.0.1").await;
    assert_eq!((got, origin.connections()), (Err(FetchError::AddressPrivate), 0));

    for address in ["169.254.169.254", "0.0.0.0", "224.0.0.1", "192.0.2.1", "fe80::1", "::"] {
        let (got, _) = got_by_name(NamedBy::Operator, address).await;
        assert_eq!(got, Err(FetchError::AddressPrivate), "{address}");
    }
}

#[tokio::test]
async fn an_operator_names_this_machine_without_tls_and_without_a_line_in_the_configuration() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::saying(&["1.1.1.1"]).await;
    let fetcher = Fetcher::new(&settings(&nameserver, &[])).unwrap();

    for host in ["127.0.0.1", "localhost"] {
        let url = origin.url("http", host);
        let got = fetcher.json(Asker::Operator, NamedBy::Operator, &url, PLENTY).await;
        let posted = fetcher.post_form(NamedBy::Operator, &url, String::new()).await;
        let strange = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await;

        assert!(got.is_ok() && posted.is_ok(), "{host}: {got:?} {posted:?}");
        assert_eq!(strange, Err(FetchError::UrlNotHttps), "{host}");
    }
    for host in ["10.0.0.1", "shop.test"] {
        let url = origin.url("http", host);
        let got = fetcher.json(Asker::Operator, NamedBy::Operator, &url, PLENTY).await;
        assert_eq!(got, Err(FetchError::UrlNotHttps), "{host}");
    }
    assert_eq!(nameserver.questions(), 0);
}

#[tokio::test]
async fn an_offline_installation_goes_to_this_machine_where_an_operator_says_so() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::saying(&["127.0.0.1"]).await;
    let online = settings(&nameserver, &[origin.listed("127.0.0.1")]);
    let fetcher = Fetcher::new(&Settings { offline: true, ..online }).unwrap();
    let got = async |named_by, scheme, host| {
        let url = origin.url(scheme, host);
        fetcher.json(Asker::Operator, named_by, &url, PLENTY).await.map(drop)
    };

    assert_eq!(got(NamedBy::Operator, "http", "127.0.0.1").await, Ok(()));
    assert_eq!(got(NamedBy::Operator, "http", "localhost").await, Ok(()));
    for host in ["shop.test", "10.0.0.1"] {
        assert_eq!(got(NamedBy::Operator, "https", host).await, Err(FetchError::Offline), "{host}");
    }
    assert_eq!(got(NamedBy::Stranger, "http", "127.0.0.1").await, Err(FetchError::Offline));
    assert_eq!((nameserver.questions(), origin.connections()), (0, 2));
}

#[tokio::test]
async fn an_offline_installation_sends_no_packet() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let nameserver = Nameserver::saying(&["127.0.0.1"]).await;
    let listed = settings(&nameserver, &[origin.listed("shop.test")]);
    let fetcher = Fetcher::new(&Settings { offline: true, ..listed }).unwrap();
    let url = origin.url("http", "shop.test");

    let got = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await;
    let posted = fetcher.post_form(NamedBy::Stranger, &url, String::new()).await;

    assert_eq!(got, Err(FetchError::Offline));
    assert_eq!(posted, Err(FetchError::Offline));
    assert_eq!((nameserver.questions(), origin.connections()), (0, 0));
}

#[tokio::test]
async fn an_entry_that_is_no_host_and_port_is_told_when_the_fetcher_is_made() {
    let private = vec!["shop.test".to_owned()];

    let made = Fetcher::new(&Settings { private, ..Settings::default() });

    assert_eq!(made.err().unwrap().to_string(), "`shop.test` is no host and port to fetch from");
}
