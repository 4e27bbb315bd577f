//! How often it asks, and how many at once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatelodge::fetch::{Asker, FetchError, Fetched, Fetcher, Settings};
use gatelodge::model::named_by::NamedBy;
use gatelodge::model::network::Network;
use tokio::task::JoinSet;

use crate::origin::{OK_JSON, Origin, Step, response};
use crate::{PLENTY, SHORT, fetcher_for, impatient_fetcher_for};

type Outcome = Result<Fetched, FetchError>;

/// A server that pauses before it responds.
async fn thoughtful() -> Origin {
    let pause = Step::Pause(Duration::from_millis(200));
    Origin::playing(vec![pause, Step::Send(response(OK_JSON, "{}"))]).await
}

#[tokio::test]
async fn callers_of_one_url_share_one_fetch() {
    let origin = thoughtful().await;
    let fetcher = Arc::new(fetcher_for(&origin));
    let url = origin.url("http", "127.0.0.1");

    let mut callers = JoinSet::new();
    for _ in 0..32 {
        let (fetcher, url) = (Arc::clone(&fetcher), url.clone());
        callers.spawn(async move {
            fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await
        });
    }
    let outcomes = callers.join_all().await;

    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap().body == b"{}"));
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_but_never_kept() {
    let origin = Origin::playing(vec![Step::Hang]).await;
    let fetcher = impatient_fetcher_for(&origin, SHORT);
    let url = origin.url("http", "127.0.0.1");

    let both = tokio::join!(
        fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY),
        fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY)
    );
    let later = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await;

    assert_eq!(both, (Err(FetchError::Deadline), Err(FetchError::Deadline)));
    assert_eq!(later, Err(FetchError::Deadline));
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn who_asks_later_gets_a_fetch_of_its_own() {
    let origin = Origin::responding(OK_JSON, "{}").await;
    let fetcher = fetcher_for(&origin);
    let url = origin.url("http", "127.0.0.1");

    fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await.unwrap();
    fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await.unwrap();

    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn who_goes_away_takes_nothing_from_the_others() {
    let origin = thoughtful().await;
    let fetcher = Arc::new(fetcher_for(&origin));
    let url = origin.url("http", "127.0.0.1");
    let first = tokio::spawn({
        let (fetcher, url) = (Arc::clone(&fetcher), url.clone());
        async move { fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await }
    });
    while origin.connections() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    first.abort();
    let second = fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY).await;

    assert!(second.is_ok());
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn a_smaller_bound_shares_nothing_with_a_larger_one() {
    let origin = thoughtful().await;
    let fetcher = fetcher_for(&origin);
    let url = origin.url("http", "127.0.0.1");

    let (large, small) = tokio::join!(
        fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY),
        fetcher.json(Asker::Operator, NamedBy::Stranger, &url, 1)
    );

    assert!(large.is_ok());
    assert_eq!(small, Err(FetchError::BodyTooLarge));
}

/// A customer's network.
fn network(n: u8) -> Asker {
    Asker::Network(Network::of(IpAddr::from([192, 0, n, 1])))
}

/// Begins this many fetches, each of a document of its own.
fn fetch_many(
    fetcher: &Arc<Fetcher>,
    asker: Asker,
    origin: &Origin,
    many: usize,
) -> JoinSet<Outcome> {
    let mut fetches = JoinSet::new();
    for n in 0..many {
        let (fetcher, mut url) = (Arc::clone(fetcher), origin.url("http", "127.0.0.1"));
        url.set_path(&n.to_string());
        fetches.spawn(async move { fetcher.json(asker, NamedBy::Stranger, &url, PLENTY).await });
    }
    fetches
}

async fn until_connected(origin: &Origin, many: usize) {
    while origin.connections() < many {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn at_most_sixteen_fetches_are_under_way_and_the_others_wait() {
    let origin = thoughtful().await;
    let fetcher = Arc::new(fetcher_for(&origin));

    let mut fetches = JoinSet::new();
    for n in 0..40 {
        let (fetcher, mut url) = (Arc::clone(&fetcher), origin.url("http", "127.0.0.1"));
        url.set_path(&n.to_string());
        fetches
            .spawn(async move { fetcher.json(network(n), NamedBy::Stranger, &url, PLENTY).await });
    }
    let outcomes = fetches.join_all().await;

    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(origin.max_concurrent(), 16);
    assert_eq!(origin.connections(), 40);
}

#[tokio::test]
async fn a_network_has_a_quarter_of_the_turns_and_others_the_rest_at_once() {
    let hanging = Origin::playing(vec![Step::Hang]).await;
    let origin = Origin::responding(OK_JSON, "{}").await;
    let private = vec![hanging.listed("127.0.0.1"), origin.listed("127.0.0.1")];
    let settings = Settings { deadline: SHORT, private, ..Settings::default() };
    let fetcher = Arc::new(Fetcher::new(&settings).unwrap());
    let fetches = fetch_many(&fetcher, network(1), &hanging, 40);
    until_connected(&hanging, 4).await;

    let other =
        fetcher.json(network(2), NamedBy::Stranger, &origin.url("http", "127.0.0.1"), PLENTY).await;

    assert!(other.is_ok() && hanging.max_concurrent() == 4);
    let outcomes = fetches.join_all().await;
    // Each had the whole deadline from its turn on, and none waited without end.
    let gave_up = |error| outcomes.iter().filter(|outcome| **outcome == Err(error)).count();
    assert_eq!(gave_up(FetchError::Deadline) + gave_up(FetchError::Crowded), 40);
    assert!(gave_up(FetchError::Deadline) >= 8 && gave_up(FetchError::Crowded) > 0);
    assert_eq!(hanging.max_concurrent(), 4);
}

/// Whoever has a document of somebody else's fetched makes nobody wait with them.
#[tokio::test]
async fn a_fetch_is_shared_within_a_lane_alone() {
    let origin = thoughtful().await;
    let fetcher = fetcher_for(&origin);
    let url = origin.url("http", "127.0.0.1");

    let (one, other) = tokio::join!(
        fetcher.json(network(1), NamedBy::Stranger, &url, PLENTY),
        fetcher.json(network(2), NamedBy::Stranger, &url, PLENTY)
    );

    assert!(one.is_ok() && other.is_ok());
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn a_delivery_does_not_wait_behind_fetches() {
    let hanging = Origin::playing(vec![Step::Hang]).await;
    let origin = Origin::responding("HTTP/1.1 204 No Content", "").await;
    let private = vec![hanging.listed("127.0.0.1"), origin.listed("127.0.0.1")];
    let settings = Settings { deadline: SHORT * 4, private, ..Settings::default() };
    let fetcher = Arc::new(Fetcher::new(&settings).unwrap());
    let mut fetches: Vec<_> =
        (1..=5).map(|n| fetch_many(&fetcher, network(n), &hanging, 4)).collect();
    until_connected(&hanging, 16).await;

    let delivered =
        fetcher.post_form(NamedBy::Stranger, &origin.url("http", "127.0.0.1"), String::new()).await;

    assert_eq!(delivered, Ok(()));
    fetches.iter_mut().for_each(JoinSet::abort_all);
}
