//! What works after an import: everything under the same root secret at the same host, and what
//! does not under another one is told.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::keys::JwtKind;
use serde_json::{Value, json};

use super::{House, exported, house, imported};
use crate::refusals::codes;
use crate::support::{Browser, Server};

#[tokio::test]
async fn everybody_goes_on_at_another_installation_under_the_same_root_secret() {
    let House { ada, codes, link, pat, server, shop } = house().await;
    let lines = exported(&server).await;
    let other = Server::new().await;
    imported(&other, &lines, "").await;

    // The passkey of ada, her consent and the secret of the shop.
    let Browser { authenticator, .. } = ada;
    let mut ada = Browser::new(&other);
    ada.authenticator = authenticator;
    ada.sign_in().await;
    let shop = shop.at(&other);
    let page = ada.visit(&shop.request(&[])).await;
    assert!(!page.asks_for_consent(), "{}", page.text());
    let code = page.brought()["code"].clone();
    let tokens = shop.redeem(&code).await.tokens();
    let subject = |lines: &[String]| super::of_kind(lines, "person");
    let ids: Vec<Value> = subject(&lines).iter().map(|person| person["id"].clone()).collect();
    let claims = other.verified(tokens.id(), JwtKind::Id);
    assert!(ids.contains(&claims["sub"]), "{claims}");
    // A recovery code, the personal token and the open link of grace.
    let mut elsewhere = Browser::new(&other);
    assert_eq!(codes::used(&mut elsewhere, &codes[0]).await.status, 200);
    let inspected = other.operate(Method::POST, "/tokens/inspect", json!({ "token": pat })).await;
    assert_eq!(inspected.json()["active"], true, "{}", inspected.text());
    let mut grace = Browser::new(&other);
    grace.enrol(&link, None).await;
    // The chosen secret, which needs no root secret; and the rules know the scope of the file.
    let mut till = shop.clone();
    (till.id, till.secret) = ("till".to_owned(), Some("a-chosen-secret".to_owned()));
    assert_eq!(till.ask(&[("grant_type", "client_credentials")]).await.status, 200);
    let scope = json!({ "scope": "orders:read" });
    assert_eq!(other.operate(Method::PATCH, "/clients/shop", scope).await.status, 200);
}

#[tokio::test]
async fn what_depends_on_the_root_secret_and_the_host_is_listed_and_does_not_come_along() {
    let House { codes, server, shop, .. } = house().await;
    let lines = exported(&server).await;
    let other = Server::under_another_root("https://id.example").await;

    let view = imported(&other, &lines, "?links=true").await;
    let again = imported(&other, &lines, "").await;

    let notes: Vec<String> = view["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| format!("{}: {}", note["about"].as_str().unwrap(), note["sentence"]))
        .collect();
    let says = |about: &str, part: &str| {
        assert!(
            notes.iter().any(|note| note.starts_with(about) && note.contains(part)),
            "{notes:#?}"
        );
    };
    says(
        "issuer",
        "the file is of http://localhost:7455, and this installation is https://id.example",
    );
    says("client shop", "gatelodge client rotate-secret shop");
    says("user ada", "1 passkey of theirs cannot be used here");
    says("user ada", &format!("{} recovery codes of theirs", codes.len()));
    says("device desk of ada", "gatelodge bridge issue-pat ada");
    says("user grace", "gatelodge user recover grace");
    says("invitation", "gatelodge invite add");
    says("user ada", "they may administer this server: admin");
    assert_eq!(notes.len(), 8, "{notes:#?}");
    for kind in ["passkey", "recovery_code", "device", "setup_link", "invitation"] {
        assert!(view["added"].get(kind).is_none(), "{kind}");
    }
    // Both get a link, and bob, who is disabled, none.
    let links = view["links"].as_array().unwrap();
    let mut invited: Vec<_> = links.iter().map(|link| link["username"].as_str().unwrap()).collect();
    invited.sort_unstable();
    assert_eq!(invited, ["ada", "grace"]);
    let mut ada = Browser::new(&other);
    let link = links.iter().find(|link| link["username"] == "ada").unwrap();
    ada.enrol(link["setup_url"].as_str().unwrap(), None).await;
    // The shop has no secret until it gets a new one.
    let shop = shop.at(&other);
    let refused = shop.ask(&[("grant_type", "client_credentials")]).await;
    refused.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    let rotated = other.operate(Method::POST, "/clients/shop/secret", json!({})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    assert_eq!((&again["added"], &again["links"]), (&json!({}), &json!([])));
}

#[tokio::test]
async fn links_are_made_for_whoever_has_no_way_in_and_told_once() {
    let server = Server::new().await;
    server.operate(Method::POST, "/users", json!({ "username": "ada" })).await;
    let lines = exported(&server).await;
    let other = Server::under_another_root("http://localhost:7455").await;

    let without = imported(&other, &lines, "").await;
    let tried = imported(&other, &lines, "?links=true&dry_run=true").await;
    let with = imported(&other, &lines, "?links=true").await;
    let again = imported(&other, &lines, "?links=true").await;

    assert_eq!((&without["links"], &without["without_passkey"]), (&json!([]), &json!(["ada"])));
    assert_eq!(tried["links"], json!([]));
    assert_eq!(with["links"][0]["username"], "ada");
    assert_eq!((&again["links"], &again["without_passkey"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn what_was_removed_here_stays_removed() {
    let server = Server::new().await;
    server.first_administrator().await;
    server.person("bob").await;
    let shop = json!({
        "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"],
    });
    server.client(shop).await;
    let lines = exported(&server).await;
    let passkeys = server.operate(Method::GET, "/passkeys?user=ada", json!({})).await.json();
    let passkey = format!("/passkeys/{}", passkeys["passkeys"][0]["id"].as_str().unwrap());
    assert_eq!(server.operate(Method::DELETE, &passkey, json!({})).await.status, 200);
    for gone in ["/users/bob", "/clients/shop"] {
        assert_eq!(server.operate(Method::DELETE, gone, json!({})).await.status, 200, "{gone}");
    }

    let view = imported(&server, &lines, "").await;

    let notes = view["notes"].to_string();
    assert!(notes.contains("was removed here, and stays removed"), "{notes}");
    assert!(notes.contains("they were removed here, and stay removed"), "{notes}");
    assert_eq!(view["added"], json!({ "client": 1 }));
    let count = async |path: &str, member: &str| {
        let listed = server.operate(Method::GET, path, json!({})).await.json();
        listed[member].as_array().unwrap().len()
    };
    assert_eq!((count("/users", "users").await, count("/passkeys", "passkeys").await), (1, 0));
}
