//! One deadline over everything.

use std::time::Duration;

use gatelodge::fetch::{Asker, FetchError, Fetcher, Settings};
use gatelodge::model::named_by::NamedBy;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::nameserver::{Nameserver, Said};
use crate::origin::{OK_JSON, Origin, Step};
use crate::{PLENTY, SHORT, impatient_fetcher_for, settings};

/// What comes of a script, within the short deadline and some time for a busy machine.
async fn late(script: Vec<Step>) {
    let origin = Origin::playing(script).await;
    let fetcher = impatient_fetcher_for(&origin, SHORT);
    let started = Instant::now();

    let got = fetcher
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("http", "127.0.0.1"), PLENTY)
        .await;

    assert_eq!(got, Err(FetchError::Deadline));
    assert!(started.elapsed() >= SHORT && started.elapsed() < SHORT * 4, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    late(vec![Step::Hang]).await;
}

#[tokio::test]
async fn a_head_that_drips_is_given_up() {
    late(vec![Step::Send(OK_JSON.to_owned()), Step::Drip("x", Duration::from_millis(20))]).await;
}

#[tokio::test]
async fn a_body_that_drips_is_given_up() {
    let head = format!("{OK_JSON}\r\nContent-Length: 1000\r\n\r\n");

    late(vec![Step::Send(head), Step::Drip("x", Duration::from_millis(20))]).await;
}

#[tokio::test]
async fn preliminary_answers_without_end_are_given_up() {
    late(vec![Step::Drip("HTTP/1.1 103 Early Hints\r\n\r\n", Duration::from_millis(20))]).await;
}

#[tokio::test]
async fn the_deadline_is_one_for_all_steps_together() {
    let pause = Step::Pause(SHORT * 3 / 5);

    late(vec![
        pause.clone(),
        Step::Send(format!("{OK_JSON}\r\nContent-Length: 2\r\n\r\n{{")),
        pause,
        Step::Send("}".to_owned()),
    ])
    .await;
}

#[tokio::test]
async fn a_nameserver_that_says_nothing_is_given_up() {
    let nameserver = Nameserver::new(|_, _| Said::Nothing).await;
    let impatient = Settings { deadline: SHORT, ..settings(&nameserver, &[]) };
    let fetcher = Fetcher::new(&impatient).unwrap();
    let started = Instant::now();

    let got = fetcher
        .json(Asker::Operator, NamedBy::Stranger, &"https://shop.test/".parse().unwrap(), PLENTY)
        .await;

    assert_eq!(got, Err(FetchError::Deadline));
    assert!(started.elapsed() < SHORT * 4);
    assert!(nameserver.questions() > 0);
}

#[tokio::test]
async fn a_server_that_never_ends_its_handshake_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let private = vec![host.clone()];
    let impatient = Settings { deadline: SHORT, private, ..Settings::default() };
    let fetcher = Fetcher::new(&impatient).unwrap();

    let got = fetcher
        .json(
            Asker::Operator,
            NamedBy::Stranger,
            &format!("https://{host}/").parse().unwrap(),
            PLENTY,
        )
        .await;

    assert_eq!(got, Err(FetchError::Deadline));
}

#[tokio::test]
async fn the_connection_ends_with_the_fetch() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let private = vec![host.clone()];
    let impatient = Settings { deadline: SHORT, private, ..Settings::default() };
    let fetcher = Fetcher::new(&impatient).unwrap();
    let url = format!("http://{host}/").parse().unwrap();

    let fetch = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY);
    let (got, accepted) = tokio::join!(fetch, listener.accept());
    let mut stream = accepted.unwrap().0;
    let mut rest = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);

    assert_eq!(got, Err(FetchError::Deadline));
    assert!(tokio::time::timeout(SHORT, ended).await.is_ok());
}
