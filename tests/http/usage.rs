//! How clients are used: what is counted, what is not, and what counting costs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::store::View;
use gatelodge::store::schema::{Grant, Usage};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{RelyingParty, Server, basic, posted, register, token};

const HOUR: Duration = Duration::from_secs(3600);

/// The usage of a client or of all, once the counts are written.
async fn usage(server: &Server, path: &str) -> Value {
    server.app.write_counts().await.unwrap();
    let response = server.operate(Method::GET, path, json!({})).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// How many rows are written.
fn rows(server: &Server) -> usize {
    server.app.read().unwrap().count::<Usage>(usize::MAX).unwrap()
}

#[tokio::test]
async fn a_client_that_nobody_used_has_used_nothing() {
    let server = Server::new().await;
    RelyingParty::web(&server).await;

    let none = json!({
        "tokens_issued": 0,
        "tokens_issued_by_grant_type": {},
        "refusals": 0,
        "refusals_by_reason": {},
        "withheld_introspections": 0,
    });
    assert_eq!(
        usage(&server, "/clients/shop/usage").await,
        json!({
            "client_id": "shop",
            "active_sessions": 0,
            "live_grants": 0,
            "people": 0,
            "at_least": false,
            "last_used": null,
            "last_day": none,
            "last_week": none,
            "last_refusals": [],
        })
    );
}

#[tokio::test]
async fn tokens_are_counted_by_their_grant_type_and_refusals_by_their_reason() {
    let (server, mut ada) = Server::with_ada().await;
    let (shop, robot) = (RelyingParty::web(&server).await, RelyingParty::robot(&server).await);
    let tokens = shop.tokens(&mut ada).await;
    shop.refresh(tokens.refresh()).await.tokens();
    shop.refresh("gl_rt_none").await;
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();

    let of_shop = usage(&server, "/clients/shop/usage").await;
    let of_all = usage(&server, "/usage").await;

    assert_eq!(of_shop["active_sessions"], 1);
    assert_eq!(of_shop["live_grants"], 1);
    assert_eq!(
        of_shop["last_day"],
        json!({
            "tokens_issued": 2,
            "tokens_issued_by_grant_type": { "authorization_code": 1, "refresh_token": 1 },
            "refusals": 1,
            "refusals_by_reason": { "RefreshUnknown": 1 },
            "withheld_introspections": 0,
        })
    );
    assert_eq!(of_shop["last_week"], of_shop["last_day"]);
    assert_eq!(of_all["client_id"], Value::Null);
    assert_eq!(of_all["last_day"]["tokens_issued"], 3);
    let by = &of_all["last_day"]["tokens_issued_by_grant_type"];
    assert_eq!((&by["client_credentials"], &by["refresh_token"]), (&json!(1), &json!(1)));
    assert_eq!((&of_all["live_grants"], &of_all["active_sessions"]), (&json!(1), &json!(1)));
}

/// Every endpoint that knows its client, pages too.
#[tokio::test]
async fn refusals_are_counted_wherever_the_client_is_known() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    token(&server, Some(&basic("shop", "wrong")), &[("grant_type", "client_credentials")]).await;
    shop.post("/oauth/introspect", &[]).await;
    shop.post("/oauth/revoke", &[]).await;
    shop.push_raw(&[("response_type", "token")]).await;
    shop.post("/oauth/device_authorization", &[("scope", "openid")]).await;
    ada.visit(&shop.request(&[("code_challenge", "")])).await;
    ada.visit(&shop.request(&[("prompt", "none")])).await;
    ada.visit(&shop.request(&[("redirect_uri", "https://shop.example/else")])).await;
    let page = ada.visit(&shop.request(&[])).await;
    ada.decide(&page, "deny").await;

    let counts = usage(&server, "/clients/shop/usage").await;

    assert_eq!(
        counts["last_day"]["refusals_by_reason"],
        json!({
            "ClientSecretWrong": 1,
            "CodeChallengeMissing": 1,
            "ConsentNeeded": 1,
            "GrantTypeNotRegistered": 1,
            "PersonDeclined": 1,
            "RedirectUriUnregistered": 1,
            "ResponseTypeUnsupported": 1,
            "TokenMissing": 2,
        })
    );
}

#[tokio::test]
async fn what_a_stranger_names_grows_nothing() {
    let server = Server::new().await;
    for n in 0..50 {
        let id = format!("stranger-{n}");
        let fields = [("grant_type", "client_credentials"), ("client_id", id.as_str())];
        for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/par"] {
            let refused = posted(&server, path, None, &fields).await;
            refused.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
        }
        let query = format!("/oauth/authorize?response_type=code&client_id={id}");
        assert_eq!(server.get(&query).await.status, 400);
    }

    let all = usage(&server, "/usage").await;

    assert_eq!(all["last_week"]["refusals"], 0);
    assert_eq!(rows(&server), 0);
    let unknown = server.operate(Method::GET, "/clients/stranger-1/usage", json!({})).await;
    unknown.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
}

/// Clients that come by themselves have no room without end; the operator's always have some.
#[tokio::test]
async fn so_many_clients_of_strangers_are_told_apart_in_an_hour() {
    let server = Server::new().await;
    for n in 0..502_u32 {
        if n % 100 == 0 {
            server.advance(Duration::from_secs(61));
        }
        let name = format!("App {n}");
        let uris = ["http://127.0.0.1/cb"];
        let registration = register(
            &server,
            json!({ "client_name": name, "redirect_uris": uris,
            "token_endpoint_auth_method": "none" }),
        );
        let id = registration.await.json()["client_id"].as_str().unwrap().to_owned();
        let fields = [("grant_type", "refresh_token"), ("client_id", &*id), ("refresh_token", "x")];
        token(&server, None, &fields).await;
    }
    server.app.write_counts().await.unwrap();
    let robot = RelyingParty::robot(&server).await;
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();

    let (own, all) = (usage(&server, "/clients/robot/usage").await, usage(&server, "/usage").await);

    assert_eq!(own["last_day"]["tokens_issued"], 1);
    assert_eq!(all["last_day"]["refusals"], 502);
    // Those of strangers, the robot's, and the sum.
    assert_eq!(rows(&server), 500 + 1 + 1);
}

#[tokio::test]
async fn a_day_and_a_week_are_counted_by_the_hour_and_then_forgotten() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
    let counted = async |after: Duration| {
        server.advance(after);
        let counts = usage(&server, "/clients/robot/usage").await;
        let span = |name: &str| counts[name]["tokens_issued"].as_u64().unwrap();
        (span("last_day"), span("last_week"))
    };

    assert_eq!(counted(HOUR * 25 - Duration::from_millis(1)).await, (1, 1));
    assert_eq!(counted(Duration::from_millis(1)).await, (0, 1));
    assert_eq!(counted(HOUR * 144).await, (0, 0));
    server.advance(HOUR * 24);
    server.app.write(sweep::run).await.unwrap();

    assert_eq!(rows(&server), 0);
}

#[tokio::test]
async fn what_is_over_is_no_longer_active() {
    let (server, mut ada) = Server::with_ada().await;
    let (shop, reader) = (RelyingParty::web(&server).await, RelyingParty::spa(&server).await);
    shop.tokens_of(&mut ada, "openid offline_access").await;
    shop.tokens_of(&mut ada, "openid").await;
    reader.tokens_of(&mut ada, "openid").await;
    let before = usage(&server, "/clients/shop/usage").await;
    let all_before = usage(&server, "/usage").await;

    ada.sign_out().await;

    let held = |counts: &Value| (counts["active_sessions"].clone(), counts["live_grants"].clone());
    let after = usage(&server, "/clients/shop/usage").await;
    assert_eq!(held(&before), (json!(1), json!(2)));
    assert_eq!(held(&all_before), (json!(1), json!(3)));
    assert_eq!(held(&after), (json!(0), json!(1)));
}

/// A client of the same name is another one.
#[tokio::test]
async fn a_client_that_is_registered_anew_inherits_no_counts() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
    server.app.write_counts().await.unwrap();
    server.operate(Method::DELETE, "/clients/robot", json!({})).await;
    server.advance(HOUR);

    RelyingParty::robot(&server).await;

    let counts = usage(&server, "/clients/robot/usage").await;
    assert_eq!(counts["last_week"]["tokens_issued"], 0);
    assert_eq!(usage(&server, "/usage").await["last_week"]["tokens_issued"], 1);
}

/// So many grants are looked through and no more, which is said.
#[tokio::test]
async fn a_client_of_many_grants_has_at_least_some() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;
    let (_, grant) = server.app.read().unwrap().list::<Grant>(1).unwrap().remove(0);
    let made = server.app.write(move |tx, _| {
        (1..=5_000_u128).try_for_each(|n| Ok(tx.put(&Uuid::from_u128(n).into(), grant.clone())?))
    });
    made.await.unwrap();

    for path in ["/clients/shop/usage", "/usage"] {
        let counts = usage(&server, path).await;

        assert_eq!((&counts["live_grants"], &counts["at_least"]), (&json!(5_000), &json!(true)));
        assert_eq!(counts["active_sessions"], 1);
    }
}

#[tokio::test]
async fn what_could_not_be_written_stays_counted() {
    let (server, disk) = Server::with_counted_syncs().await;
    let robot = RelyingParty::robot(&server).await;
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();

    disk.fail(true);
    let failed = server.app.write_counts().await;
    disk.fail(false);
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();

    assert!(failed.is_err());
    let counts = usage(&server, "/clients/robot/usage").await;
    assert_eq!(counts["last_day"]["tokens_issued"], 2);
}

#[tokio::test]
async fn counting_makes_no_commit() {
    let (server, disk) = Server::with_counted_syncs().await;
    let robot = RelyingParty::robot(&server).await;
    let syncs = || disk.syncs.load(Ordering::SeqCst);

    let before = syncs();
    for _ in 0..100 {
        robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
        robot.ask(&[("grant_type", "refresh_token"), ("refresh_token", "x")]).await;
    }
    assert_eq!(syncs(), before);

    let counts = usage(&server, "/clients/robot/usage").await;
    assert_eq!(counts["last_day"]["tokens_issued"], 100);
    assert_eq!(counts["last_day"]["refusals"], 100);
    assert!(syncs() > before);
}

#[tokio::test]
async fn a_refresh_makes_the_one_commit_that_it_made_before_it_was_counted() {
    let (server, disk) = Server::with_counted_syncs().await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::spa(&server).await;
    let mut tokens = shop.tokens(&mut ada).await;
    let syncs = || disk.syncs.load(Ordering::SeqCst);
    server.app.write_counts().await.unwrap();
    let written = rows(&server);

    // What one commit of one row costs.
    let before = syncs();
    server.change_client("reader", |client| client.revision += 1).await;
    let one = syncs() - before;
    let before = syncs();
    for _ in 0..100 {
        tokens = shop.refresh(tokens.refresh()).await.tokens();
    }

    assert_eq!(syncs() - before, 100 * one);
    assert_eq!(rows(&server), written);
    let counts = usage(&server, "/clients/reader/usage").await;
    assert_eq!(counts["last_day"]["tokens_issued_by_grant_type"]["refresh_token"], 100);
}
