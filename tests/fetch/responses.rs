//! Its request, and which responses it reads.

use std::time::Duration;

use gatelodge::fetch::{Asker, FetchError, Fetched};
use gatelodge::model::named_by::NamedBy;

use crate::origin::{OK_JSON, Origin, Step, response};
use crate::{PLENTY, fetcher_for};

/// What comes of a response with this head, to which the length is added, and this body.
async fn got(head: &str, body: &str) -> Result<Fetched, FetchError> {
    let origin = Origin::responding(head, body).await;
    fetcher_for(&origin)
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "127.0.0.1"), PLENTY)
        .await
}

/// What comes of these bytes, and of at most 10 bytes of body.
async fn ten_bytes_of(bytes: &str) -> Result<Fetched, FetchError> {
    let origin = Origin::playing(vec![Step::Send(bytes.to_owned())]).await;
    fetcher_for(&origin)
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "127.0.0.1"), 10)
        .await
}

#[tokio::test]
async fn a_document_comes_whole_with_its_freshness() {
    let head = format!("{OK_JSON}; charset=utf-8\r\nCache-Control: public, max-age=600\r\nAge: 60");

    let fetched = got(&head, r#"{"a": 1}"#).await;

    let freshness_lifetime = Some(Duration::from_secs(540));
    assert_eq!(fetched, Ok(Fetched { body: br#"{"a": 1}"#.to_vec(), freshness_lifetime }));
    assert_eq!(got(OK_JSON, "{}").await.unwrap().freshness_lifetime, None);
}

#[tokio::test]
async fn the_request_says_what_it_must_and_nothing_of_us_but_the_version() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let mut url = origin.url("http", "127.0.0.1");
    url.set_path("/a b/c");
    url.set_query(Some("d=e"));

    fetcher_for(&origin).json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await.unwrap();

    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        origin.requests(),
        [format!(
            "GET /a%20b/c?d=e HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept: application/json\r\n\
             accept-encoding: identity\r\nconnection: close\r\nuser-agent: gatelodge/{version}\r\n\
             \r\n",
            origin.port
        )]
    );
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Origin::responding(OK_JSON, "{}").await;
    for status in ["301 Moved", "302 Found", "303 See Other", "304 Not Modified", "307 T", "308 P"]
    {
        let location = elsewhere.url("http", "127.0.0.1");
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nLocation: {location}");

        assert_eq!(got(&head, "{}").await, Err(FetchError::Redirected), "{status}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn any_status_but_200_is_refused() {
    for status in [201, 203, 206, 400, 401, 404, 418, 500, 503] {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json");

        assert_eq!(got(&head, "{}").await, Err(FetchError::StatusWrong(status)));
    }
}

#[tokio::test]
async fn only_json_is_read() {
    for kind in ["text/html", "text/plain", "application/javascript", "application/octet-stream"] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}");

        assert_eq!(got(&head, "{}").await, Err(FetchError::ContentTypeWrong), "{kind}");
    }
    assert_eq!(got("HTTP/1.1 200 OK", "{}").await, Err(FetchError::ContentTypeWrong));
    assert!(got("HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json", "{}").await.is_ok());
}

#[tokio::test]
async fn a_compressed_answer_is_refused() {
    let head = format!("{OK_JSON}\r\nContent-Encoding: gzip");

    assert_eq!(got(&head, "{}").await, Err(FetchError::ContentEncoded));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound_however_its_length_is_told() {
    let (ten, eleven) = ("1234567890", "12345678901");
    let with_length = |body| response(OK_JSON, body);
    let without_length = |body| format!("{OK_JSON}\r\n\r\n{body}");
    let chunked = |body: &str| {
        let (half, rest) = body.split_at(5);
        let rest = format!("5\r\n{half}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len());
        format!("{OK_JSON}\r\nTransfer-Encoding: chunked\r\n\r\n{rest}")
    };

    for fits in [with_length(ten), without_length(ten), chunked(ten)] {
        assert_eq!(ten_bytes_of(&fits).await.unwrap().body, ten.as_bytes(), "{fits}");
    }
    for exceeds in [with_length(eleven), without_length(eleven), chunked(eleven)] {
        assert_eq!(ten_bytes_of(&exceeds).await, Err(FetchError::BodyTooLarge), "{exceeds}");
    }
    // Refused by what it says, before any of it came.
    let endless = format!("{OK_JSON}\r\nContent-Length: 99999999999\r\n\r\n");
    assert_eq!(ten_bytes_of(&endless).await, Err(FetchError::BodyTooLarge));
}

#[tokio::test]
async fn an_endless_body_ends_at_its_bound() {
    let script = vec![
        Step::Send(format!("{OK_JSON}\r\n\r\n")),
        Step::Drip("................................", Duration::ZERO),
    ];
    let origin = Origin::playing(script).await;

    let got = fetcher_for(&origin)
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "127.0.0.1"), PLENTY)
        .await;

    assert_eq!(got, Err(FetchError::BodyTooLarge));
}

#[tokio::test]
async fn what_is_no_whole_http_answer_is_refused() {
    for bytes in [
        "",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1, 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    ] {
        assert_eq!(ten_bytes_of(bytes).await, Err(FetchError::Broken), "{bytes}");
    }
}

#[tokio::test]
async fn a_head_is_read_up_to_its_bound() {
    let filling = "x".repeat(20 << 10);

    let got = got(&format!("{OK_JSON}\r\nX-Filling: {filling}"), "{}").await;

    assert_eq!(got, Err(FetchError::Broken));
}
