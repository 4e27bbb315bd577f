//! OpenID Connect Back-Channel Logout: every client of a session is notified of its end.

use std::time::Duration;

use axum::http::Method;
use gatelodge::flow::Context;
use gatelodge::flow::installation::sweep;
use gatelodge::flow::session::backchannel;
use gatelodge::keys::JwtKind;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use gatelodge::store::schema::Delivery;
use gatelodge::store::{Row as _, Tx, View as _};
use serde_json::{Value, json};

use crate::support::{Browser, Receiver, RelyingParty, Server, decoded, register};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// An installation that may reach the receiver, and ada in her browser.
async fn beside(receiver: &Receiver) -> (Server, Browser) {
    let listed = receiver.listed();
    let server =
        Server::with(Issuer::localhost(7455), |config| config.fetch.private = vec![listed]);
    let server = server.await;
    let ada = server.first_administrator().await;
    (server, ada)
}

/// A client whose logout tokens go to the receiver.
async fn listening(server: &Server, name: &str, receiver: &Receiver, more: Value) -> RelyingParty {
    let mut registration = json!({
        "name": name,
        "client_id": name,
        "redirect_uris": [format!("https://{name}.example/cb")],
        "backchannel_logout_uri": receiver.url(),
    });
    let members = registration.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    server.client(registration).await
}

async fn deliver(server: &Server) -> usize {
    server.app.deliver_logouts().await.unwrap()
}

/// §2.4 and §2.5
#[tokio::test]
async fn each_client_of_the_session_gets_a_logout_token_of_its_own() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let mut bob = server.person("bob").await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    let pairwise = json!({
        "subject_type": "pairwise", "sector": "bank.example", "id_token_signed_response_alg": "ES256",
    });
    let bank = listening(&server, "bank", &receiver, pairwise).await;
    let idle = listening(&server, "idle", &receiver, json!({})).await;
    let reader = RelyingParty::spa(&server).await;
    idle.code(&mut bob).await;
    reader.code(&mut ada).await;
    let mut id_claims = Vec::new();
    for client in [&shop, &bank] {
        id_claims.push(decoded(client.tokens(&mut ada).await.id()).1);
    }
    let while_it_lives = deliver(&server).await;
    server.advance(Duration::from_secs(5));
    assert_ne!(id_claims[0]["sid"], id_claims[1]["sid"]);

    ada.sign_out().await;
    let sent = deliver(&server).await;
    let again = deliver(&server).await;

    assert_eq!((while_it_lives, sent, again), (0, 2, 0));
    let tokens = receiver.logout_tokens();
    assert_eq!(tokens.len(), 2);
    for (client, id) in [(&shop, &id_claims[0]), (&bank, &id_claims[1])] {
        let of_client = |token: &&String| decoded(token).1["aud"] == client.id.as_str();
        let token = tokens.iter().find(of_client).unwrap();
        let (header, claims) = decoded(token);
        let verified = server.verified(token, JwtKind::Logout);
        assert_eq!(claims, verified);
        assert_eq!(header["alg"], if client.id == "bank" { "ES256" } else { "RS256" });
        assert_eq!(header["typ"], "logout+jwt");
        for claim in ["iss", "sub", "aud", "sid"] {
            assert_eq!(claims[claim], id[claim], "{claim}");
        }
        assert_eq!(claims["events"], json!({ EVENT: {} }));
        assert_eq!(claims["iat"], server.app.clock().now().seconds());
        assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|iat| iat + 120));
        assert_eq!((claims.get("nonce"), claims["jti"].is_string()), (None, true));
        assert_eq!(claims.as_object().unwrap().len(), 8);
    }
    let head = &receiver.requests()[0];
    assert!(head.starts_with("POST /logout HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
}

#[tokio::test]
async fn a_logout_token_passes_for_no_other() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;
    deliver(&server).await;

    let token = &receiver.logout_tokens()[0];
    let hint = server.get(&shop.request(&[("id_token_hint", token)])).await;

    assert!(hint.location().contains("error=invalid_request"));
    assert_eq!(shop.userinfo(token).await.status, 401);
}

#[tokio::test]
async fn a_logout_that_a_client_began_is_told_to_all() {
    let receiver = Receiver::responding(&[204]).await;
    let (server, mut ada) = beside(&receiver).await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    let bank = listening(&server, "bank", &receiver, json!({})).await;
    bank.code(&mut ada).await;
    let tokens = shop.tokens(&mut ada).await;

    let hint = form_encode([("id_token_hint", tokens.id()), ("logout_hint", "ada")]);
    ada.visit(&format!("/oauth/logout?{hint}&ui_locales=de")).await;

    assert_eq!(deliver(&server).await, 2);
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn whoever_signs_in_after_somebody_else_ends_their_session() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let bob = server.person("bob").await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    let of_ada = decoded(shop.tokens(&mut ada).await.id()).1;

    ada.sign_in().await;
    let same_person = deliver(&server).await;
    ada.authenticator = bob.authenticator.clone();
    ada.sign_in().await;

    assert_eq!((same_person, deliver(&server).await), (0, 1));
    assert_eq!(decoded(&receiver.logout_tokens()[0]).1["sub"], of_ada["sub"]);
}

/// The grant of a client without refresh tokens is over long before the session is.
#[tokio::test]
async fn a_session_that_expires_is_told_to_clients_whose_grants_are_gone() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let without_refresh = json!({ "grant_types": ["authorization_code"] });
    let shop = listening(&server, "shop", &receiver, without_refresh).await;
    shop.tokens(&mut ada).await;
    server.advance(Duration::from_hours(24));
    server.app.write(sweep::run).await.unwrap();
    let before = deliver(&server).await;
    server.advance(Duration::from_hours(6 * 24));

    server.app.write(sweep::run).await.unwrap();
    server.app.write(sweep::run).await.unwrap();

    assert_eq!((before, deliver(&server).await, deliver(&server).await), (0, 1, 0));
}

#[tokio::test]
async fn a_client_that_is_not_reached_is_tried_again_after_growing_pauses() {
    let receiver = Receiver::responding(&[503, 500, 429, 200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;
    let mut attempts = vec![deliver(&server).await];

    for pause in [10, 60, 300] {
        server.advance(Duration::from_secs(pause - 1));
        attempts.push(deliver(&server).await);
        server.advance(Duration::from_secs(1));
        attempts.push(deliver(&server).await);
    }
    server.advance(Duration::from_hours(24));

    assert_eq!(attempts, [1, 0, 1, 0, 1, 0, 1]);
    assert_eq!(deliver(&server).await, 0);
    let tokens = receiver.logout_tokens();
    let times: Vec<_> = tokens.iter().map(|token| decoded(token).1["iat"].clone()).collect();
    let first = times[0].as_u64().unwrap();
    assert_eq!(times, [first, first + 10, first + 70, first + 370]);
    // Each is a token of its own, which no replay cache mistakes for another.
    let ids: std::collections::BTreeSet<_> =
        tokens.iter().map(|token| decoded(token).1["jti"].to_string()).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_client_that_is_never_reached_is_given_up() {
    let receiver = Receiver::responding(&[503]).await;
    let (server, mut ada) = beside(&receiver).await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;

    for _ in 0..20 {
        deliver(&server).await;
        server.advance(Duration::from_hours(2));
    }

    assert_eq!(receiver.requests().len(), 6);
}

/// §2.8: with 400 the client says that it will not.
#[tokio::test]
async fn a_client_that_refuses_is_not_asked_again() {
    for status in [&[400], &[404], &[302]] {
        let receiver = Receiver::responding(status).await;
        let (server, mut ada) = beside(&receiver).await;
        let shop = listening(&server, "shop", &receiver, json!({})).await;
        shop.code(&mut ada).await;
        ada.sign_out().await;

        deliver(&server).await;
        server.advance(Duration::from_hours(24));

        assert_eq!((deliver(&server).await, receiver.requests().len()), (0, 1), "{status:?}");
    }
}

#[tokio::test]
async fn what_was_not_told_before_a_restart_is_told_after_it() {
    let receiver = Receiver::responding(&[200]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatelodge.redb");
    let listed = receiver.listed();
    let server = Server::at(&path, &listed).await;
    let mut ada = server.first_administrator().await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;
    drop((shop, ada, server));

    let server = Server::at(&path, &listed).await;

    assert_eq!((deliver(&server).await, deliver(&server).await), (1, 0));
    assert_eq!(decoded(&receiver.logout_tokens()[0]).1["aud"], "shop");
}

#[tokio::test]
async fn what_failed_before_a_restart_waits_its_time_after_it() {
    let receiver = Receiver::responding(&[503, 200]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatelodge.redb");
    let listed = receiver.listed();
    let server = Server::at(&path, &listed).await;
    let mut ada = server.first_administrator().await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;
    let failed = deliver(&server).await;
    drop((shop, ada, server));

    // Its clock begins anew, where the first attempt was.
    let server = Server::at(&path, &listed).await;
    let at_once = deliver(&server).await;
    server.advance(Duration::from_millis(9_999));
    let too_soon = deliver(&server).await;
    server.advance(Duration::from_millis(1));
    let in_time = deliver(&server).await;

    assert_eq!((failed, at_once, too_soon, in_time), (1, 0, 0, 1));
    let view = server.app.read().unwrap();
    assert!(view.list::<Delivery>(9).unwrap().is_empty());
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn who_was_signed_out_first_is_told_first() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let mut bob = server.person("bob").await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    let of_ada = decoded(shop.tokens(&mut ada).await.id()).1["sid"].clone();
    let of_bob = decoded(shop.tokens(&mut bob).await.id()).1["sid"].clone();
    bob.sign_out().await;
    server.advance(Duration::from_millis(1));
    ada.sign_out().await;

    let view = server.app.read().unwrap();
    let cx = server.app.context();
    let due = |limit| {
        let due = backchannel::due(&view, &cx, limit).unwrap();
        let session = |due: backchannel::DueDelivery| Value::from(due.key.0.to_string());
        due.into_iter().map(|due| session(due.unwrap())).collect::<Vec<_>>()
    };

    assert_eq!(due(1), std::slice::from_ref(&of_bob));
    assert_eq!(due(9), [of_bob, of_ada]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_other() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    for name in ["bank", "shop"] {
        listening(&server, name, &receiver, json!({})).await.code(&mut ada).await;
    }
    ada.sign_out().await;
    server.leaves_flaws();
    let session = server.app.read().unwrap().list::<Delivery>(1).unwrap()[0].0.0;
    let key = [&[Delivery::TABLE.byte], &session.uuid().as_bytes()[..], b"bank\0"].concat();
    let broken = move |tx: &mut Tx<'_>, _: &Context| {
        tx.put_raw(key.clone(), b"no row".to_vec());
        Ok(())
    };
    server.app.write(broken).await.unwrap();

    assert_eq!((deliver(&server).await, deliver(&server).await), (1, 0));
    assert_eq!(decoded(&receiver.logout_tokens()[0]).1["aud"], "shop");
}

#[tokio::test]
async fn a_client_that_has_gone_is_told_nothing() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;

    assert_eq!((deliver(&server).await, deliver(&server).await), (1, 0));
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_client_that_was_registered_anew_is_told() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;
    server.advance(Duration::from_secs(1));
    let shop = listening(&server, "shop", &receiver, json!({})).await;
    shop.code(&mut ada).await;

    ada.sign_out().await;

    assert_eq!((deliver(&server).await, receiver.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_client_is_told_where_it_is_registered_now() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    for name in ["moved", "silent"] {
        listening(&server, name, &receiver, json!({})).await.code(&mut ada).await;
    }
    let moved = json!({ "backchannel_logout_uri": format!("{}/now", receiver.url()) });
    server.operate(Method::PATCH, "/clients/moved", moved).await;
    let silent = json!({ "backchannel_logout_uri": null });
    server.operate(Method::PATCH, "/clients/silent", silent).await;

    ada.sign_out().await;

    assert_eq!((deliver(&server).await, deliver(&server).await), (2, 0));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("POST /logout/now HTTP/1.1\r\n"), "{}", requests[0]);
}

#[tokio::test]
async fn this_machine_is_told_where_an_operator_named_it_and_offline_too() {
    for offline in [false, true] {
        let receiver = Receiver::responding(&[200]).await;
        let server = Server::with(Issuer::localhost(7455), |config| config.offline = offline).await;
        let mut ada = server.first_administrator().await;
        let shop = listening(&server, "shop", &receiver, json!({})).await;
        shop.code(&mut ada).await;
        ada.sign_out().await;

        assert_eq!((deliver(&server).await, deliver(&server).await), (1, 0));
        assert_eq!(decoded(&receiver.logout_tokens()[0]).1["aud"], "shop", "{offline}");
    }
}

#[tokio::test]
async fn this_machine_is_not_told_where_a_stranger_named_it() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = Server::with_ada().await;
    let stated = json!({
        "redirect_uris": ["https://shop.example/cb"],
        "backchannel_logout_uri": receiver.url(),
    });
    let shop = RelyingParty::new(&server, &register(&server, stated).await.json());
    shop.code(&mut ada).await;
    ada.sign_out().await;

    assert_eq!((deliver(&server).await, deliver(&server).await), (1, 0));
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn many_are_told_a_round_at_a_time() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, mut ada) = beside(&receiver).await;
    for number in 0..20 {
        let client = listening(&server, &format!("app{number}"), &receiver, json!({})).await;
        client.code(&mut ada).await;
    }
    ada.sign_out().await;

    let rounds = [deliver(&server).await, deliver(&server).await, deliver(&server).await];

    assert_eq!(rounds, [16, 4, 0]);
    assert_eq!(receiver.requests().len(), 20);
}

#[tokio::test]
async fn metadata_lists_it_where_anything_is_fetched_at_all() {
    let offline = Server::with(Issuer::localhost(7455), |config| config.offline = true).await;

    let metadata = offline.get("/.well-known/openid-configuration").await.json();

    assert_eq!(metadata["backchannel_logout_supported"], false);
    assert_eq!(metadata["backchannel_logout_session_supported"], false);
}
