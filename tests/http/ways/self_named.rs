//! An app that chose its own name: wherever a person reads the name, the host of the app stands there.

use axum::http::Method;
use serde_json::{Value, json};

use crate::clients::documents::reaching;
use crate::refusals::documents::document;
use crate::support::{Browser, RelyingParty, Response, Server, Site, register};

const NAME: &str = "Your Bank";

/// An app that calls itself so, and leads people to these addresses.
pub(crate) async fn your_bank(server: &Server, redirect_uris: &[&str]) -> RelyingParty {
    let metadata = json!({
        "client_name": NAME,
        "grant_types": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "post_logout_redirect_uris": redirect_uris,
        "redirect_uris": redirect_uris,
        "token_endpoint_auth_method": "none",
    });
    let registered = register(server, metadata).await;
    assert_eq!(registered.status, 201, "{}", registered.text());
    RelyingParty::new(server, &registered.json())
}

#[track_caller]
fn names_both(page: &Response, hosts: &[&str], which: &str) {
    assert!(page.text().contains(NAME), "{which}: {}", page.text());
    for host in hosts {
        assert!(page.text().contains(host), "{which}, {host}: {}", page.text());
    }
}

/// Every page on which a person reads the name of the app.
async fn pages(
    server: &Server,
    ada: &mut Browser,
    bank: &RelyingParty,
) -> Vec<(&'static str, Response)> {
    let mut pages = Vec::new();
    let mut stranger = Browser::at_login(server).await;
    pages.push(("sign-in", stranger.visit(&bank.request(&[])).await));
    let wrong = [("redirect_uri", "https://elsewhere.example/")];
    pages.push(("an address that is not its own", server.get(&bank.request(&wrong)).await));
    // Whoever is vouched for gets it by a redirect.
    let error = server.get(&bank.request(&[("response_type", "token")])).await;
    pages.extend((!error.text().is_empty()).then_some(("an error", error)));

    let asked = ada.visit(&bank.request(&[])).await;
    let (action, denied) = (asked.action(), ada.visit(&bank.request(&[])).await);
    let code = ada.decide(&asked, "allow").await.brought()["code"].clone();
    bank.redeem(&code).await.tokens();
    ada.decide(&denied, "deny").await;
    pages.push(("consent", asked));
    pages.push(("allowed", ada.visit(&action).await));
    pages.push(("not allowed", ada.visit(&denied.action()).await));

    for decision in ["allow", "deny"] {
        let question = ada.open_device(&bank.device().await).await;
        ada.decide_on_device(&question, decision).await;
        pages.push(("a device asks", question));
        pages.push(("a device is answered", ada.visit("/gate/device/done").await));
    }
    pages.push(("account", ada.visit("/gate/account").await));
    let logout = format!("/oauth/logout?client_id={}", bank.id);
    pages.push(("sign-out", ada.visit(&logout).await));

    pages.push(("a person, for administrators", ada.visit("/gate/admin/people/ada").await));
    pages.push(("access, for administrators", ada.visit("/gate/admin/grants").await));
    only_for_staff(server, &bank.id).await;
    pages.push(("not for them", ada.visit(&bank.request(&[("prompt", "consent")])).await));
    pages
}

async fn only_for_staff(server: &Server, id: &str) {
    let path = format!("/clients/{}", gatelodge::oauth::params::segment_encode(id));
    let groups = json!({ "groups": ["staff"] });
    let changed = server.operate(Method::PATCH, &path, groups).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
}

/// With one of several hosts alone, it could name that of a bank.
#[tokio::test]
async fn each_host_to_which_an_app_leads_stands_beside_the_name_that_it_chose() {
    let (server, mut ada) = Server::with_ada().await;
    let uris = ["https://bank.example/cb", "https://evil.example/cb"];
    let bank = your_bank(&server, &uris).await;

    let pages = pages(&server, &mut ada, &bank).await;
    assert_eq!(pages.len(), 15);
    for (which, page) in pages {
        // There the answer goes to the one that the request names.
        let hosts: &[&str] = match which {
            "sign-in" | "consent" => &["bank.example"],
            _ => &["bank.example", "evil.example"],
        };
        names_both(&page, hosts, which);
    }
}

#[tokio::test]
async fn the_host_of_a_document_stands_beside_the_name_that_it_gives() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    let mut document = document(&site);
    document["client_name"] = NAME.into();
    document["grant_types"] =
        json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]);
    site.serve(&document, "");
    let bank = RelyingParty::new(&server, &document);

    for (which, page) in pages(&server, &mut ada, &bank).await {
        names_both(&page, &[&site.listed()], which);
    }
}

#[tokio::test]
async fn a_name_that_an_operator_gave_stands_alone() {
    let (server, mut ada) = Server::with_ada().await;
    let registration: Value = json!({
        "name": NAME, "client_id": "bank", "redirect_uris": ["https://bank.example/cb"],
    });
    let bank = server.client(registration).await;

    let asked = ada.visit(&bank.request(&[])).await;
    let code = ada.decide(&asked, "allow").await.brought()["code"].clone();
    bank.redeem(&code).await.tokens();

    for path in [&*asked.action(), "/gate/account", "/gate/admin/grants"] {
        let page = ada.visit(path).await;
        assert!(page.text().contains(NAME), "{path}: {}", page.text());
        assert!(!page.text().contains("chose this name"), "{path}: {}", page.text());
        assert!(!page.text().contains("Self-chosen"), "{path}: {}", page.text());
    }
}
