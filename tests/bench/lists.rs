//! Lists and filters of the administration over many rows of a kind, by the API in process: how long
//! the slowest of a hundred pages takes, beside the reading of one row.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use gatelodge::clock::Timestamp;
use gatelodge::config::Config;
use gatelodge::event::EventId;
use gatelodge::flow::Context;
use gatelodge::flow::person::people::{self, NewPerson};
use gatelodge::model::actor::Actor;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::schema::{Client, Event, Person, RefusedRequest};
use gatelodge::store::{Store, Tx, View as _};
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::installed::install;
use crate::measure::{Row, rates, window};

/// The rows of one transaction.
const AT_ONCE: u32 = 2_000;

/// The pages of which the slowest but one counts.
const PAGES: usize = 100;

pub(crate) fn rows(rows: u32) -> Vec<Row> {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(async {
        let store = Store::open(&directory.path().join("store")).unwrap();
        let mut config = Config::at(directory.path());
        config.events.refusals = 1_000_000;
        let (app, _, _) = install(config, Issuer::localhost(7455), store, 0).await;
        for first in (0..rows).step_by(usize::try_from(AT_ONCE).unwrap()) {
            let end = rows.min(first + AT_ONCE);
            app.write(move |tx, cx| fill(tx, cx, first, end)).await.unwrap();
        }
        app
    });
    let router = gatelodge::admin::router(Arc::clone(&app));
    let person = app.read().unwrap().list::<Person>(1).unwrap().remove(0);
    let read = || drop(app.read().unwrap().find::<Person>(&person.0).unwrap());
    let [one] = rates([&mut || window(read)]);
    let pages = [
        "users",
        "users?q=u5",
        "clients",
        "clients?q=Client%205",
        "events",
        "events?kind=user.added",
        "events?kind=token.withheld",
        "events?client=c77",
        "events?user=u77",
        "events?refusal=CodeReplayed",
        "events?since=2026-01-01T00:00:10Z&until=2026-01-01T00:00:20Z",
    ];
    let timed = pages.map(|path| {
        let (late, rate) = runtime.block_on(slowest(&router, path));
        Row::new(format!("{path}: p99 {:.1} ms", late.as_secs_f64() * 1e3), rate)
            .beside("read one row", one)
    });
    timed.into()
}

/// The slowest but one of a hundred pages of a listing, one after the other, and the rate of all.
async fn slowest(router: &axum::Router, path: &str) -> (Duration, f64) {
    let (mut times, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let between = if path.contains('?') { '&' } else { '?' };
        let target = format!("/api/v1/{path}{between}limit=100{cursor}");
        let started = Instant::now();
        let request = Request::get(&target).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        times.push(started.elapsed());
        assert_eq!(status, 200, "{target}: {}", String::from_utf8_lossy(&body));
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let next = page.get("next").and_then(serde_json::Value::as_str);
        cursor = next.map(|next| format!("&cursor={next}")).unwrap_or_default();
    }
    times.sort();
    let all: Duration = times.iter().sum();
    let late = times.iter().rev().nth(1).copied().unwrap_or_default();
    (late, f64::from(u32::try_from(PAGES).unwrap()) / all.as_secs_f64())
}

/// People, clients and events from `first` to before `end`.
fn fill(
    tx: &mut Tx<'_>,
    cx: &Context,
    first: u32,
    end: u32,
) -> Result<(), gatelodge::error::Error> {
    let template = tx.list::<Client>(1)?.remove(0).1;
    for n in first..end {
        let mut client = template.clone();
        client.metadata_mut().client_name = Some(format!("Client {n}").parse()?);
        tx.put(&format!("c{n}").parse()?, client)?;
        let own = Context { seed: cx.seed.derived(&format!("{n}")), ..cx.clone() };
        let new = NewPerson {
            display_name: None,
            email: None,
            groups: Vec::new(),
            roles: Vec::new(),
            username: format!("u{n}").parse()?,
        };
        let (stored, _) = people::add(tx, &own, &new)?;
        let at = Timestamp::from_millis(1_767_225_600_000 + u64::from(n));
        let event = Event {
            actor: Actor::Stranger,
            address: Some(IpAddr::from(Ipv4Addr::from(n))),
            at,
            client: Some(format!("c{}", n % 100).parse()?),
            expires: cx.now + Duration::from_hours(24),
            facts: vec![("scope".to_owned(), "openid profile".to_owned())],
            kind: "request.refused".to_owned(),
            named: None,
            person: Some(stored.id),
            refused: Some(RefusedRequest {
                expected: None,
                method: "GET".to_owned(),
                reason: "redirect_uri is not registered for this client".to_owned(),
                received: None,
                refusal: Some("RedirectUriUnregistered".to_owned()),
                route: "/oauth/authorize".to_owned(),
                status: 400,
            }),
        };
        tx.put(&EventId::new(at, &own.seed), event)?;
    }
    Ok(())
}
