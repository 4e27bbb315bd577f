//! The pages of administrators over many rows of every kind, and the account page of somebody who has
//! much: what the slowest of them take in this process, from the request to its last byte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use gatelodge::app::App;
use gatelodge::config::Config;
use gatelodge::http::Peer;
use gatelodge::store::Store;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::crowd::{self, Cookies, username};
use crate::installed::install;

/// The most that a page may take, but for one in a hundred.
const PAGE_LIMIT: Duration = Duration::from_millis(50);

/// How often each page is asked for, after those that warm up. A build for tests is slow and asks less.
const TIMES: usize = if cfg!(debug_assertions) { 30 } else { 300 };
const WARM: usize = if cfg!(debug_assertions) { 3 } else { 20 };

/// A page, and what stands on it.
struct Page {
    name: String,
    path: String,
    has: &'static str,
}

impl Page {
    fn new(name: &str, path: impl Into<String>, has: &'static str) -> Self {
        Self { name: name.to_owned(), path: path.into(), has }
    }
}

/// What a page took.
struct Timed {
    /// Whether it was the page that was meant.
    is_it: bool,
    /// What one of a hundred took longer than.
    late: Duration,
    median: Duration,
}

/// What says that more rows follow.
const MORE: &str = "cursor=";
const ROW: &str = "<div class=\"name\">";
const SEARCH: &str = "role=\"search\"";
const NONE: &str = "None was found.";
const NOTHING_YET: &str = "Search on";

/// The installation with its crowd.
struct Site {
    admin: Router,
    app: Arc<App>,
    cookies: Cookies,
    rows: u32,
    public: Router,
}

/// Prints a line for each page over `rows` rows of a kind. Returns whether all were in time.
pub(crate) fn are_in_time(rows: u32) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let started = Instant::now();
    let site = runtime.block_on(async {
        let store = Store::open(&directory.path().join("store")).unwrap();
        let mut config = Config::at(directory.path());
        config.events.refusals = 1_000_000;
        let issuer = "https://id.example".parse().unwrap();
        let (app, _, _) = install(config, issuer, store, 0).await;
        let cookies = crowd::gather(&app, rows).await;
        let admin = gatelodge::admin::router(Arc::clone(&app));
        let public = gatelodge::http::router(Arc::clone(&app));
        Site { admin, app, cookies, rows, public }
    });
    println!(
        "\n{rows} people, clients, sessions, grants, bridges, links, invitations and refused requests, \
         made in {} s",
        started.elapsed().as_secs()
    );
    println!("{:<58} {:>9} {:>9}", "page", "p50 ms", "p99 ms");
    let mut in_time = true;
    for page in runtime.block_on(site.pages()) {
        in_time &= site.is_in_time(&runtime, &page);
    }
    runtime.block_on(crowd::end_sessions(&site.app));
    for page in site.ended() {
        in_time &= site.is_in_time(&runtime, &page);
    }
    in_time
}

impl Site {
    /// Every list: its beginning, its middle, what is found late and what is not found.
    async fn pages(&self) -> Vec<Page> {
        let last = username(self.rows - 1);
        let mut pages = vec![Page::new("overview", "/gate/admin", "Health")];
        for list in
            ["people", "clients", "sessions", "grants", "bridges", "events", "links", "invitations"]
        {
            let path = format!("/gate/admin/{list}");
            pages.push(Page::new(&format!("{list}, the first"), &path, MORE));
            let middle = format!("{path}?cursor={}", self.middle(list).await);
            pages.push(Page::new(&format!("{list}, from the middle on"), middle, MORE));
        }
        for list in ["sessions", "grants", "links"] {
            let name = format!("{list} of the last person");
            let path = format!("/gate/admin/{list}?user={last}");
            pages.push(Page::new(&name, path, "user"));
            let name = format!("{list} of nobody there is");
            let path = format!("/gate/admin/{list}?user=zoe");
            pages.push(Page::new(&name, path, "role=\"alert\""));
        }
        for (name, query, has) in [
            ("people, the last by name", format!("people?q={last}"), ROW),
            ("people, none by name", "people?q=zoe".to_owned(), NONE),
            ("people, all by name", "people?q=p".to_owned(), MORE),
            (
                "clients, the last by name",
                format!("clients?q=client%20{:06}", self.rows - 1),
                "Client",
            ),
            ("clients, none by name", "clients?q=zoe".to_owned(), NONE),
            ("clients, all by name", "clients?q=client".to_owned(), MORE),
            ("grants of a client of all", "grants?client=shop".to_owned(), MORE),
            ("grants of much, and little fits", "grants?user=busy&client=shop".to_owned(), "found"),
            ("grants of much", "grants?user=busy".to_owned(), MORE),
            ("sessions of much", "sessions?user=busy".to_owned(), MORE),
            ("events of the last person", format!("events?user={last}"), ROW),
            ("events of a kind", "events?kind=user.added".to_owned(), MORE),
            (
                "events of a kind that is not there",
                "events?kind=token.withheld".to_owned(),
                "no such event",
            ),
            ("events of a client of all", "events?client=shop".to_owned(), MORE),
            (
                "events of much, and nothing fits",
                "events?client=shop&kind=user.added".to_owned(),
                SEARCH,
            ),
            ("events of a time", "events?since=2026-01-01T00:00:00Z".to_owned(), MORE),
            (
                "events of another time",
                "events?until=2026-01-01T00:00:00Z".to_owned(),
                "no such event",
            ),
            ("the last person", format!("people/{last}"), "Passkeys"),
            ("a person of much", "people/busy".to_owned(), "Passkeys"),
            ("the last client", format!("clients/c{}", self.rows - 1), "Client"),
        ] {
            pages.push(Page::new(name, format!("/gate/admin/{query}"), has));
        }
        pages.push(Page::new("the account of a person of much", "/gate/account", "Your passkeys"));
        pages
    }

    /// Lists whose rows are all over.
    fn ended(&self) -> Vec<Page> {
        let all = ["grants", "grants?client=shop", "grants?user=busy", "sessions?user=busy"];
        let mut pages: Vec<Page> = all
            .map(|list| {
                Page::new(&format!("{list}, all over"), format!("/gate/admin/{list}"), SEARCH)
            })
            .into();
        pages.push(Page::new(
            "sessions, all of browsers over",
            "/gate/admin/sessions",
            NOTHING_YET,
        ));
        pages
    }

    /// The cursor of a page in the middle of a list.
    async fn middle(&self, list: &str) -> String {
        let operation = match list {
            "people" => "users",
            "bridges" => "bridge",
            "grants" => "connections",
            other => other,
        };
        let (mut seen, mut cursor) = (0, String::new());
        while seen < self.rows / 2 {
            let between = if cursor.is_empty() { "" } else { "&cursor=" };
            let limit = 1_000.min(self.rows / 2);
            let target = format!("/api/v1/{operation}?limit={limit}{between}{cursor}");
            let request = Request::get(&target).body(Body::empty()).unwrap();
            let response = self.admin.clone().oneshot(request).await.unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let page: Value = serde_json::from_slice(&body).unwrap();
            cursor = page.get("next").and_then(Value::as_str).expect(&target).to_owned();
            seen += limit;
        }
        cursor
    }

    async fn ask(&self, page: &Page) -> Bytes {
        let cookie = match page.path.as_str() {
            "/gate/account" => &self.cookies.busy,
            _ => &self.cookies.root,
        };
        let mut request = Request::get(&page.path)
            .header(header::HOST, "id.example")
            .header(header::COOKIE, format!("__Host-gl_session={cookie}"))
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(Peer(std::net::Ipv4Addr::LOCALHOST.into()));
        let response = self.public.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    }

    async fn time(&self, page: &Page) -> Timed {
        let first = self.ask(page).await;
        let is_it = String::from_utf8_lossy(&first).contains(page.has);
        for _ in 1..WARM {
            self.ask(page).await;
        }
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let started = Instant::now();
            self.ask(page).await;
            times.push(started.elapsed());
        }
        times.sort();
        let at = |part: usize| times.get(TIMES * part / 100).copied().unwrap_or_default();
        Timed { is_it, late: at(99), median: at(50) }
    }

    /// Prints what a page took. A build for tests is never late: it says nothing of what is shipped.
    fn is_in_time(&self, runtime: &Runtime, page: &Page) -> bool {
        let Timed { is_it, late, median } = runtime.block_on(self.time(page));
        let [median_ms, late_ms] = [median, late].map(|time| time.as_secs_f64() * 1e3);
        let in_time = late <= PAGE_LIMIT || cfg!(debug_assertions);
        let verdict = match (is_it, in_time) {
            (true, true) => String::new(),
            (true, false) => "  FAIL: more than 50 ms".to_owned(),
            (false, _) => format!("  FAIL: {} has no {:?}", page.path, page.has),
        };
        println!("{:<58} {median_ms:>9.2} {late_ms:>9.2}{verdict}", page.name);
        is_it && in_time
    }
}
