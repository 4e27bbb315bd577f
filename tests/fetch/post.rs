//! The delivery of a form.

use std::time::Duration;

use gatelodge::fetch::FetchError;
use gatelodge::model::named_by::NamedBy;

use crate::origin::{Origin, Step};
use crate::{SHORT, fetcher_for, impatient_fetcher_for};

const FORM: &str = "logout_token=abc.def.ghi";

async fn posted(response: &str) -> Result<(), FetchError> {
    let origin = Origin::responding(response, "").await;
    fetcher_for(&origin)
        .post_form(NamedBy::Stranger, &origin.url("http", "127.0.0.1"), FORM.to_owned())
        .await
}

#[tokio::test]
async fn a_form_arrives_as_it_was_given() {
    let origin = Origin::responding("HTTP/1.1 200 OK", "").await;

    let posted = fetcher_for(&origin)
        .post_form(NamedBy::Stranger, &origin.url("http", "127.0.0.1"), FORM.to_owned())
        .await;

    assert_eq!(posted, Ok(()));
    let request = origin.requests().concat();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /document HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{head}");
    assert!(head.contains("\r\naccept: application/json\r\n"), "{head}");
    assert_eq!(body, FORM);
}

#[tokio::test]
async fn json_arrives_with_headers_of_its_own() {
    let origin = Origin::responding("HTTP/1.1 204 No Content", "").await;
    let url = origin.url("http", "127.0.0.1");

    let headers = vec![("webhook-id", "1a2b".to_owned())];
    let posted = fetcher_for(&origin).post_json(url.as_str(), "{}".to_owned(), headers).await;

    assert_eq!(posted, Ok(()));
    let request = origin.requests().concat();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /document HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
    assert!(head.contains("\r\nwebhook-id: 1a2b"), "{head}");
    assert_eq!(body, "{}");
}

#[tokio::test]
async fn any_2xx_is_a_success_and_nothing_else_is() {
    for success in [200, 201, 202, 204] {
        assert_eq!(posted(&format!("HTTP/1.1 {success} X")).await, Ok(()), "{success}");
    }
    for failure in [400, 401, 404, 500, 501] {
        let outcome = posted(&format!("HTTP/1.1 {failure} X")).await;

        assert_eq!(outcome, Err(FetchError::StatusWrong(failure)));
    }
    let redirect = posted("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/").await;
    assert_eq!(redirect, Err(FetchError::Redirected));
}

#[tokio::test]
async fn the_body_of_the_answer_is_not_waited_for() {
    let script = vec![
        Step::Send("HTTP/1.1 200 OK\r\n\r\n".to_owned()),
        Step::Drip("x", Duration::from_millis(1)),
    ];
    let origin = Origin::playing(script).await;

    let posted = fetcher_for(&origin)
        .post_form(NamedBy::Stranger, &origin.url("http", "127.0.0.1"), FORM.to_owned())
        .await;

    assert_eq!(posted, Ok(()));
}

#[tokio::test]
async fn a_server_that_takes_the_form_and_says_nothing_is_given_up() {
    let origin = Origin::playing(vec![Step::Hang]).await;
    let fetcher = impatient_fetcher_for(&origin, SHORT);

    let posted = fetcher
        .post_form(NamedBy::Stranger, &origin.url("http", "127.0.0.1"), FORM.to_owned())
        .await;

    assert_eq!(posted, Err(FetchError::Deadline));
}

#[tokio::test]
async fn each_form_is_delivered() {
    let origin = Origin::responding("HTTP/1.1 204 No Content", "").await;
    let fetcher = fetcher_for(&origin);
    let url = origin.url("http", "127.0.0.1");

    let both = tokio::join!(
        fetcher.post_form(NamedBy::Stranger, &url, FORM.to_owned()),
        fetcher.post_form(NamedBy::Stranger, &url, FORM.to_owned())
    );

    assert_eq!(both, (Ok(()), Ok(())));
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn a_server_is_reached_by_the_same_rules_and_told_nothing() {
    let origin = Origin::responding("HTTP/1.1 200 OK", "").await;
    let fetcher = fetcher_for(&origin);
    let reach = async |url: &str| fetcher.reach(NamedBy::Stranger, &url.parse().unwrap()).await;

    assert_eq!(reach(origin.url("http", "127.0.0.1").as_str()).await, Ok(()));

    assert_eq!(reach("https://10.0.0.1/out").await, Err(FetchError::AddressPrivate));
    assert_eq!(reach("http://127.0.0.1:1/out").await, Err(FetchError::UrlNotHttps));
    assert_eq!(origin.requests(), [""; 0]);
}
