//! Signing in on a device without a browser (RFC 8628).

use std::time::Duration;

use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::oauth::issuer::Issuer;
use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Browser, RelyingParty, Response, Server, decoded};

pub(super) fn complete(device: &Value) -> &str {
    device["verification_uri_complete"].as_str().unwrap()
}

pub(crate) fn user_code(device: &Value) -> &str {
    device["user_code"].as_str().unwrap()
}

/// Ada, and a device that waits for her.
pub(crate) async fn waiting() -> (Server, Browser, RelyingParty, Value) {
    let (server, ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    (server, ada, telly, device)
}

pub(crate) async fn decided(ada: &mut Browser, device: &Value, decision: &str) -> Response {
    let page = ada.open_device(device).await;
    ada.decide_on_device(&page, decision).await
}

/// RFC 8628 §3.2
#[tokio::test]
async fn a_device_is_told_what_to_show_and_how_often_to_ask() {
    let server = Server::new().await;

    let device = RelyingParty::tv(&server).await.device().await;

    let code = user_code(&device);
    assert!(device["device_code"].as_str().unwrap().starts_with("gl_dc_"));
    assert_eq!(code.len(), 9);
    assert!(code.bytes().all(|b| b"BCDFGHJKLMNPQRSTVWXZ-".contains(&b)), "{code}");
    assert_eq!(device["verification_uri"], "http://localhost:7455/device");
    assert_eq!(complete(&device), format!("http://localhost:7455/device?user_code={code}"));
    assert_eq!(device["qr_code_uri"], format!("http://localhost:7455/device/qr/{code}.svg"));
    assert_eq!((&device["expires_in"], &device["interval"]), (&json!(900), &json!(5)));
}

#[tokio::test]
async fn a_person_who_allows_a_device_signs_it_in() {
    let (server, mut ada, telly, device) = waiting().await;
    telly.poll(&device).await.refused(ErrorCode::AuthorizationPending, Refusal::DeviceCodePending);

    let page = ada.open_device(&device).await;
    let done = ada.decide_on_device(&page, "allow").await;
    let tokens = telly.poll(&device).await.tokens();

    assert!(page.text().contains(user_code(&device)));
    assert!(page.text().contains("Did you start this yourself, just now?"));
    assert!(done.text().contains("Go back to your device"));
    assert_eq!(tokens.scope, "openid profile");
    assert_eq!(decoded(tokens.id()).1["aud"], "telly");
    assert_eq!(telly.userinfo(&tokens.access).await.json()["preferred_username"], "ada");
    telly.refresh(tokens.refresh()).await.tokens();
    drop(server);
}

/// RFC 8628 §5.4: a link that somebody sent decides nothing by itself.
#[tokio::test]
async fn a_link_with_the_code_still_asks() {
    let (server, mut ada, telly, device) = waiting().await;

    ada.open_device(&device).await;
    ada.open_device(&device).await;

    server.advance(Duration::from_secs(5));
    telly.poll(&device).await.refused(ErrorCode::AuthorizationPending, Refusal::DeviceCodePending);
}

#[tokio::test]
async fn a_code_is_typed_as_people_type() {
    let (_server, mut ada, _telly, device) = waiting().await;
    let typed = user_code(&device).to_lowercase().replace('-', " ");

    let asked = ada.visit("/device").await;
    let page = ada.submit("/gate/device", &[("user_code", &typed)]).await;

    assert!(asked.text().contains("Type the code"));
    assert!(page.text().contains("Telly"));
    assert_eq!(page.hidden("user_code").as_deref(), Some(user_code(&device)));
}

/// RFC 8628 §6.1, and what people take for a letter.
#[tokio::test]
async fn a_code_is_typed_with_dots_and_what_looks_like_its_letters() {
    let (_server, mut ada, _telly, device) = waiting().await;
    let mistaken = [('B', "8"), ('G', "6"), ('L', "1"), ('S', "5"), ('Z', "2")];
    let mut typed = user_code(&device).replace('-', ".");
    for (letter, sign) in mistaken {
        typed = typed.replace(letter, sign);
    }

    ada.visit("/device").await;
    let page = ada.submit("/gate/device", &[("user_code", &typed)]).await;

    assert_eq!(page.hidden("user_code").as_deref(), Some(user_code(&device)));
}

/// RFC 8628 §5.4: the person is to notice a device that somebody else started.
#[tokio::test]
async fn the_page_says_where_and_when_the_device_asked() {
    let (server, mut ada, _telly, device) = waiting().await;
    let now = ada.open_device(&device).await;
    server.advance(Duration::from_secs(59));
    let soon = ada.open_device(&device).await;
    server.advance(Duration::from_secs(1));
    let later = ada.open_device(&device).await;
    server.advance(Duration::from_secs(65));
    let late = ada.open_device(&device).await;

    for page in [now, soon] {
        assert!(page.text().contains("less than a minute ago"), "{}", page.text());
        assert!(page.text().contains("<strong>this machine</strong>"));
    }
    assert!(later.text().contains("<strong>a minute ago</strong>"));
    assert!(late.text().contains("<strong>2 minutes ago</strong>"));
}

/// Elsewhere than on a loopback issuer, a loopback address is the server's and not the person's.
#[tokio::test]
async fn the_page_says_which_machine_a_loopback_address_is() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    let device = RelyingParty::tv(&server).await.device().await;

    let page = ada.open_device(&device).await;

    assert!(page.text().contains("<strong>the machine that Gatelodge runs on</strong>"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_first_and_comes_back() {
    let (server, ada, telly, device) = waiting().await;
    let mut browser = Browser::new(&server);
    browser.authenticator = ada.authenticator.clone();

    let page = browser.open_device(&device).await;
    let next = format!("data-next=\"/gate/device?user_code={}\"", user_code(&device));
    browser.sign_in().await;
    decided(&mut browser, &device, "allow").await;

    assert!(page.asks_to_sign_in() && page.text().contains(&next), "{}", page.text());
    assert!(!page.text().contains("Telly"));
    telly.poll(&device).await.tokens();
}

/// RFC 8628 §3.5, with the status of RFC 6749 §5.2.
#[tokio::test]
async fn a_person_who_denies_a_device_keeps_it_out() {
    let (server, mut ada, telly, device) = waiting().await;

    let done = decided(&mut ada, &device, "deny").await;

    assert!(done.text().contains("Nothing was allowed"));
    for _ in 0..2 {
        let response = telly.poll(&device).await;
        response.refused(ErrorCode::AuthorizationDenied, Refusal::DeviceCodeDenied);
        assert_eq!(
            (response.status.as_u16(), &response.json()["error"]),
            (400, &json!("access_denied"))
        );
        server.advance(Duration::from_secs(5));
    }
}

/// RFC 8628 §3.5: each poll that comes too soon makes the interval five seconds longer.
#[tokio::test]
async fn a_device_in_a_hurry_is_slowed_down() {
    let (server, _ada, telly, device) = waiting().await;
    let mut errors = Vec::new();

    for wait in [0, 5, 3, 5, 14, 13, 20] {
        server.advance(Duration::from_secs(wait));
        errors.push(telly.poll(&device).await.json()["error"].as_str().unwrap().to_owned());
    }

    let (pending, slow) = ("authorization_pending", "slow_down");
    assert_eq!(errors, [pending, pending, slow, slow, pending, slow, pending]);
}

#[tokio::test]
async fn a_device_that_heeds_its_interval_is_never_slowed_down() {
    let (server, mut ada, telly, device) = waiting().await;

    for _ in 0..10 {
        let response = telly.poll(&device).await;
        response.refused(ErrorCode::AuthorizationPending, Refusal::DeviceCodePending);
        // A second early, as networks are.
        server.advance(Duration::from_secs(4));
    }

    decided(&mut ada, &device, "allow").await;
    telly.poll(&device).await.tokens();
}

#[tokio::test]
async fn a_code_ends_with_its_time() {
    let (server, mut ada, telly, device) = waiting().await;
    server.advance(Duration::from_mins(15));

    let page = ada.open_device(&device).await;

    assert!(page.text().contains("No device waits for this code."));
    telly.poll(&device).await.refused(ErrorCode::ExpiredToken, Refusal::DeviceCodeExpired);
}

/// RFC 8628 §3.5: a device that asks every few seconds hears that its code has expired, however
/// the tidying falls.
#[tokio::test]
async fn a_device_hears_that_its_code_has_expired_for_a_while() {
    let (server, _ada, telly, device) = waiting().await;
    let tidied_at = async |minutes| {
        server.advance(Duration::from_mins(minutes));
        server.app.write(|tx, cx| sweep::run(tx, cx).map(drop)).await.unwrap();
        telly.poll(&device).await
    };

    let over = tidied_at(15).await;
    let later = tidied_at(14).await;
    let long_after = tidied_at(1).await;

    over.refused(ErrorCode::ExpiredToken, Refusal::DeviceCodeExpired);
    later.refused(ErrorCode::ExpiredToken, Refusal::DeviceCodeExpired);
    long_after.refused(ErrorCode::InvalidGrant, Refusal::DeviceCodeUnknown);
}

#[tokio::test]
async fn a_device_code_belongs_to_one_client() {
    let (server, mut ada, telly, device) = waiting().await;
    let registration = json!({
        "name": "Radio",
        "client_type": "public",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
    });
    let radio = server.client(registration).await;
    decided(&mut ada, &device, "allow").await;

    let response = radio.poll(&device).await;

    response.refused(ErrorCode::InvalidGrant, Refusal::DeviceCodeClientDiffers);
    telly.poll(&device).await.tokens();
}

#[tokio::test]
async fn a_client_registers_the_grant_before_it_uses_it() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let response = shop.post("/oauth/device_authorization", &[]).await;

    response.refused(ErrorCode::UnauthorizedClient, Refusal::GrantTypeNotRegistered);
}

#[tokio::test]
async fn what_a_device_may_not_ask_for_is_refused_at_once() {
    let server = Server::new().await;
    let telly = RelyingParty::tv(&server).await;
    let ask = async |name, value| telly.post("/oauth/device_authorization", &[(name, value)]).await;

    let scope = ask("scope", "payments").await;
    let resource = ask("resource", "https://mcp.example").await;

    scope.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
    resource.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

/// What would be granted is worked out anew at the moment of the yes.
#[tokio::test]
async fn a_yes_counts_only_for_what_was_shown() {
    let (server, mut ada, telly, device) = waiting().await;
    let page = ada.open_device(&device).await;
    server
        .change_client("telly", |client| {
            client.metadata_mut().scope = Some("openid".parse().unwrap());
        })
        .await;

    let again = ada.decide_on_device(&page, "allow").await;

    assert_eq!(again.hidden("scope").as_deref(), Some("openid"));
    telly.poll(&device).await.refused(ErrorCode::AuthorizationPending, Refusal::DeviceCodePending);
    ada.decide_on_device(&again, "allow").await;
    assert_eq!(telly.poll(&device).await.tokens().scope, "openid");
}

/// Without `offline_access` the grant hangs on the session of whoever allowed it.
#[tokio::test]
async fn signing_out_ends_the_grant_of_a_device() {
    let (_server, mut ada, telly, device) = waiting().await;
    decided(&mut ada, &device, "allow").await;
    let tokens = telly.poll(&device).await.tokens();

    ada.sign_out().await;

    let refreshed = telly.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

/// What was allowed is worth nothing once whoever allowed it has gone, if the device had not yet
/// asked.
#[tokio::test]
async fn a_yes_lasts_as_long_as_the_session_and_the_person_behind_it() {
    for ending in ["sign-out", "session expired", "person disabled"] {
        let server = Server::with(Issuer::localhost(7455), |config| {
            config.lifetimes.device_code = Duration::from_hours(1);
            config.lifetimes.session_idle = Duration::from_mins(30);
        });
        let server = server.await;
        let mut ada = server.first_administrator().await;
        let telly = RelyingParty::tv(&server).await;
        let device = telly.device().await;
        decided(&mut ada, &device, "allow").await;

        match ending {
            "sign-out" => ada.sign_out().await,
            "session expired" => server.advance(Duration::from_mins(30)),
            _ => server.change_person("ada", |ada| ada.disabled = true).await,
        }

        telly.poll(&device).await.refused(ErrorCode::InvalidGrant, Refusal::DeviceCodeEnded);
    }
}

#[tokio::test]
async fn a_client_that_went_takes_its_devices_with_it() {
    let (server, mut ada, _telly, device) = waiting().await;
    server.change_client("telly", |client| client.enabled = false).await;

    let page = ada.open_device(&device).await;

    assert!(page.text().contains("No device waits for this code."));
}

/// RFC 8628 §3.3.1. A picture is drawn of any code, so that it tells nobody which ones are live.
#[tokio::test]
async fn a_code_is_drawn_whether_or_not_a_device_waits() {
    let server = Server::new().await;

    let drawn = server.get("/device/qr/WDJB-MJHT.svg").await;

    let leads_to = QrCode::new("http://localhost:7455/device?user_code=WDJB-MJHT").unwrap();
    let picture = leads_to.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    assert_eq!(drawn.text(), picture);
    assert_eq!(drawn.header("content-type"), "image/svg+xml");
    assert_eq!(drawn.header("content-security-policy"), "default-src 'none'");
    assert_eq!(server.get("/device/qr/AAAA-AAAA.svg").await.status, 404);
    assert_eq!(server.get("/device/qr/WDJB-MJHT").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_polls_at_once_one_gets_tokens() {
    let (_server, mut ada, telly, device) = waiting().await;
    decided(&mut ada, &device, "allow").await;
    let mut tasks = JoinSet::new();

    for _ in 0..32 {
        let (telly, device) = (telly.clone(), device.clone());
        tasks.spawn(async move { telly.poll(&device).await });
    }

    let responses = tasks.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|a| a.status == 200);
    let [one] = &won[..] else { panic!("{} succeeded", won.len()) };
    assert_eq!(telly.userinfo(&one.tokens().access).await.status, 200);
    for response in lost {
        response.refused(ErrorCode::InvalidGrant, Refusal::DeviceCodeUnknown);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_yes_and_a_no_at_once_one_counts() {
    let (server, mut ada, telly, device) = waiting().await;
    let page = ada.open_device(&device).await;
    let mut tasks = JoinSet::new();

    for n in 0..32 {
        let mut same = Browser::new(&server);
        same.keep_from(&ada);
        same.csrf.clone_from(&ada.csrf);
        let page = page.clone();
        let decision = if n % 2 == 0 { "allow" } else { "deny" };
        tasks.spawn(async move { same.decide_on_device(&page, decision).await });
    }

    let responses = tasks.join_all().await;
    let said = |text: &str| responses.iter().filter(|a| a.text().contains(text)).count();
    let (yes, no) = (said("Go back to your device</h1>"), said("Nothing was allowed</h1>"));
    assert_eq!(yes + no, 1);
    assert_eq!(telly.poll(&device).await.status == 200, yes == 1);
}
