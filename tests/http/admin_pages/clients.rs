//! The pages of clients: the list, a client, and what is done to it by a button.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{refused_above, server, stored, type_into, with_role};
use crate::support::{Browser, RelyingParty, Server};

async fn client(server: &Server, id: &str) -> Value {
    server.operate(Method::GET, &format!("/clients/{id}"), json!({})).await.json()
}

/// Who did the latest of this kind.
async fn actor(server: &Server, kind: &str) -> (Value, Value) {
    let path = format!("/events?kind={kind}");
    let events = server.operate(Method::GET, &path, json!({})).await.json();
    let actor = &events["events"][0]["actor"];
    (actor["kind"].clone(), actor["username"].clone())
}

fn by_ada() -> (Value, Value) {
    (json!("administrator"), json!("ada"))
}

/// What follows a label on the page of a new client, as code.
fn code_after(html: &str, label: &str) -> String {
    let (_, rest) = html.split_once(&format!("<dt>{label}</dt>")).unwrap();
    let (_, code) = rest.split_once("<code").unwrap();
    let (_, code) = code.split_once('>').unwrap();
    code.split_once("</code>").unwrap().0.to_owned()
}

/// A refusal says that it is one, and what to do.
#[tokio::test]
async fn an_app_at_home_without_tls_is_refused_with_a_way_on() {
    let (server, mut ada) = server().await;
    let path = "/gate/admin/clients/add?app=miniflux";
    let page = ada.visit(path).await;

    let refused = type_into(&mut ada, &page, &[("url", "http://miniflux.lan:8080")]).await;

    refused_above(&refused, Refusal::RedirectUriPrivate);
    assert!(refused.text().contains("in a private network"), "{}", refused.text());
    assert!(refused.text().contains("nothing was saved. Use https"), "{}", refused.text());
    assert!(refused.text().contains("gatelodge tls issue NAME"), "{}", refused.text());
    assert!(refused.text().contains("value=\"http://miniflux.lan:8080\""), "{}", refused.text());
    assert_eq!(stored(&server, "/clients").await["clients"], json!([]));
}

#[tokio::test]
async fn clients_are_listed_with_their_origin_and_found_by_their_name_or_id() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    RelyingParty::robot(&server).await;
    let own = json!({ "redirect_uris": ["https://own.example/cb"], "client_name": "Own" });
    let registered = crate::support::register(&server, own).await;
    assert_eq!(registered.status, 201, "{}", registered.text());
    server.operate(Method::PATCH, "/clients/robot", json!({ "enabled": false })).await;

    let all = ada.visit("/gate/admin/clients").await;
    let found = ada.visit("/gate/admin/clients?q=SH").await;
    let id = registered.json()["client_id"].as_str().unwrap().to_owned();
    let by_id = ada.visit(&format!("/gate/admin/clients?q={}", &id[..12])).await;
    let none = ada.visit("/gate/admin/clients?q=nothing%3Cb").await;

    assert!(all.text().contains("href=\"/gate/admin/clients/shop\""), "{}", all.text());
    assert!(all.text().contains("by itself") && all.text().contains("registered here"));
    assert_eq!(all.text().matches("class=\"tag off\"").count(), 1, "the robot is off");
    assert!(found.text().contains("/clients/shop"), "{}", found.text());
    assert!(!found.text().contains("Own"), "{}", found.text());
    assert_eq!(found.text().matches("/clients/shop").count(), 1, "{}", found.text());
    assert!(by_id.text().contains("Own"), "{}", by_id.text());
    assert!(!by_id.text().contains("/clients/shop"), "{}", by_id.text());
    assert!(none.text().contains("nothing&#60;b"), "{}", none.text());
}

#[tokio::test]
async fn a_long_list_goes_on_and_keeps_what_was_searched_for() {
    let (server, mut ada) = server().await;
    for number in 0..51 {
        let id = format!("app-{number:02}");
        let registration = json!({ "name": format!("App {number:02}"), "client_id": id });
        server.operate(Method::POST, "/clients", registration).await;
    }

    let first = ada.visit("/gate/admin/clients?q=app").await;
    let (_, more) =
        first.text().split_once("<p class=\"after\"><a class=\"button plain\" href=\"").unwrap();
    let more = more.split('"').next().unwrap().replace("&#38;", "&");
    let second = ada.visit(&more).await;

    assert!(more.contains("q=app&cursor="), "{more}");
    assert_eq!(first.text().matches("href=\"/gate/admin/clients/app").count(), 50);
    assert_eq!(second.text().matches("href=\"/gate/admin/clients/app").count(), 1);
    assert!(!second.text().contains("class=\"after\""), "{}", second.text());
}

#[tokio::test]
async fn an_application_of_the_catalogue_asks_for_its_address_alone() {
    let (server, mut ada) = server().await;

    let choice = ada.visit("/gate/admin/clients/add?q=gite").await;
    let asked = ada.visit("/gate/admin/clients/add?app=gitea").await;
    let added = type_into(&mut ada, &asked, &[("url", "https://git.lan/")]).await;

    assert!(choice.text().contains("/gate/admin/clients/add?app=gitea"), "{}", choice.text());
    assert!(!choice.text().contains("app=grafana"), "{}", choice.text());
    let example = "https://git.example/user/oauth2/gatelodge/callback";
    for own in
        [example, "client_secret_basic", "email groups openid profile", "A state alone", "RS256"]
    {
        assert!(asked.text().contains(own), "{own}: {}", asked.text());
    }
    assert_eq!(added.status, 200, "{}", added.text());
    let (id, secret) =
        (code_after(added.text(), "Client ID"), code_after(added.text(), "Client secret"));
    let stored = client(&server, &id).await;
    let callback = "https://git.lan/user/oauth2/gatelodge/callback";
    assert_eq!(stored["redirect_uris"], json!([callback]));
    assert_eq!((&stored["name"], &stored["pkce"]), (&json!("Gitea"), &json!("optional")));
    // What is pasted is what the command line prints.
    let pasted = format!("--key {id} --secret {secret} --auto-discover-url {}", server.issuer());
    assert!(added.unmarked().contains(&pasted), "{}", added.text());
    assert_eq!(actor(&server, "client.added").await, by_ada());
    let again = ada.visit(&format!("/gate/admin/clients/{id}")).await;
    assert!(!again.text().contains(&secret), "a secret is displayed once");
}

#[tokio::test]
async fn an_address_that_is_none_comes_back_with_what_is_wrong() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/clients/add?app=gitea").await;

    let typed = [("url", "git.lan"), ("option.provider", "lodge")];
    let refused = type_into(&mut ada, &asked, &typed).await;

    assert_eq!(refused.status, 400);
    assert_eq!(refused.refusal(), Some(Refusal::CatalogueUrlUnfit));
    assert!(refused.text().contains("must begin with https://"), "{}", refused.text());
    assert!(refused.text().contains("value=\"git.lan\""), "{}", refused.text());
    assert!(refused.text().contains("value=\"lodge\""), "{}", refused.text());
    assert_eq!(refused.hidden("app").as_deref(), Some("gitea"));
    let clients = server.operate(Method::GET, "/clients", json!({})).await.json();
    assert_eq!(clients["clients"], json!([]));
}

#[tokio::test]
async fn a_client_by_hand_is_what_its_form_says() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/clients/add?by=hand").await;

    let typed = [
        ("name", "The Editor"),
        ("client_type", "public"),
        ("redirect_uris", "http://127.0.0.1/cb\r\n\r\n https://editor.example/cb \r\n"),
        ("scope", "openid"),
        ("scope", "groups"),
        ("groups", "staff\r\nops"),
        ("access_token_lifetime", "600"),
        ("first_party", "yes"),
    ];
    let added = type_into(&mut ada, &asked, &typed).await;

    assert_eq!(added.status, 200, "{}", added.text());
    let id = code_after(added.text(), "Client ID");
    let stored = client(&server, &id).await;
    assert_eq!(stored["name"], "The Editor");
    assert_eq!(stored["client_type"], "public");
    assert_eq!(
        stored["redirect_uris"],
        json!(["http://127.0.0.1/cb", "https://editor.example/cb"])
    );
    assert_eq!(stored["scope"], "groups openid");
    assert_eq!(stored["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(stored["groups"], json!(["staff", "ops"]));
    assert_eq!(stored["access_token_lifetime"], 600);
    assert_eq!(stored["first_party"], true);
    assert!(!added.text().contains("Client secret"), "a public client has none");
    let pasted = format!(
        "OIDC_ISSUER=http://localhost:7455\nOIDC_CLIENT_ID={id}\n\
         OIDC_REDIRECT_URI=http://127.0.0.1/cb\nOIDC_SCOPE=&#39;groups openid&#39;"
    );
    assert!(added.unmarked().contains(&pasted), "{}", added.text());
}

#[tokio::test]
async fn the_secret_that_a_form_makes_works() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/clients/add?by=hand").await;

    let typed = [
        ("name", "Nightly"),
        ("grant_types", "client_credentials"),
        ("scope", ""),
        ("redirect_uris", ""),
    ];
    let added = type_into(&mut ada, &asked, &typed).await;

    let (id, secret) =
        (code_after(added.text(), "Client ID"), code_after(added.text(), "Client secret"));
    let registered = json!({ "client_id": id, "client_secret": secret, "redirect_uris": [] });
    let nightly = RelyingParty::new(&server, &registered);
    nightly.ask(&[("grant_type", "client_credentials")]).await.tokens();
}

#[tokio::test]
async fn nothing_typed_is_lost_over_a_refusal_or_an_old_sign_in() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/clients/add?by=hand").await;
    let typed = [
        ("name", "A <b>"),
        ("client_type", "public"),
        ("redirect_uris", "http://shop.example/cb"),
        ("scope", "email"),
        ("groups", "staff"),
    ];

    let refused = type_into(&mut ada, &asked, &typed).await;
    server.advance(std::time::Duration::from_secs(5 * 60 + 1));
    let late = [("redirect_uris", "https://shop.example/cb")];
    let late = type_into(&mut ada, &refused, &late).await;
    ada.sign_in().await;
    let filled = ada.visit(late.location()).await;

    assert_eq!(refused.refusal(), Some(Refusal::RedirectUriNotHttps));
    assert!(late.location().starts_with("/gate/admin/clients/add?draft="), "{}", late.location());
    for (page, uri) in [(&refused, "http://shop.example/cb"), (&filled, "https://shop.example/cb")]
    {
        let fields = super::fields(page);
        let typed = typed.map(|(name, value)| {
            (name.to_owned(), if name == "redirect_uris" { uri } else { value }.to_owned())
        });
        assert!(typed.iter().all(|own| fields.contains(own)), "{fields:?}");
        assert!(!fields.contains(&("scope".into(), "openid".into())), "{fields:?}");
    }
    let clients = server.operate(Method::GET, "/clients", json!({})).await.json();
    assert_eq!(clients["clients"], json!([]));
}

#[tokio::test]
async fn the_page_of_a_client_says_what_it_may_how_it_fares_and_what_was_refused() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;
    shop.refresh("gl_rt_none").await;
    server.app.write_counts().await.unwrap();
    let uris = json!({ "policy_uri": "https://shop.example/privacy", "groups": ["staff"] });
    server.operate(Method::PATCH, "/clients/shop", uris).await;

    let page = ada.visit("/gate/admin/clients/shop").await;

    let text = page.unmarked();
    for own in [
        "https://shop.example/cb",
        "href=\"https://shop.example/privacy\"",
        "staff",
        "<code>id_token_signed_response_alg</code>",
        "1 in 24 hours",
        "RefreshUnknown",
        "/gate/admin/events?client=shop",
        "gatelodge client set shop --pkce nonce",
        "href=\"/gate/admin/clients/shop/edit\"",
        "href=\"/gate/admin/clients/shop/disable\"",
        "href=\"/gate/admin/clients/shop/rotate-secret\"",
        "href=\"/gate/admin/clients/shop/remove\"",
    ] {
        assert!(text.contains(own), "{own}: {text}");
    }
    assert!(!text.contains("/shop/enable"), "{text}");
}

#[tokio::test]
async fn a_client_that_describes_itself_has_the_page_of_its_address() {
    let (server, mut ada) = server().await;
    let url = "https://app.example/client.json";
    let document = json!({
        "client_id": url,
        "document": { "client_id": url, "client_name": "Doc", "redirect_uris": ["https://app.example/cb"] },
    });
    let imported = server.operate(Method::POST, "/documents", document).await;
    assert_eq!(imported.status, 201, "{}", imported.text());

    let list = ada.visit("/gate/admin/clients").await;
    let (_, path) = list.text().split_once("href=\"/gate/admin/clients/https").unwrap();
    let path = format!("/gate/admin/clients/https{}", path.split('"').next().unwrap());
    let page = ada.visit(&path).await;
    let form = ada.visit(&format!("{path}/edit")).await;

    assert!(page.text().contains("It describes itself"), "{}", page.text());
    assert!(page.text().contains(&format!("{path}/disable")), "{}", page.text());
    assert!(!page.text().contains("rotate-secret"), "{}", page.text());
    assert!(form.text().contains("Only what you decide about it"), "{}", form.text());
    assert!(!form.text().contains("name=\"redirect_uris\""), "{}", form.text());
}

#[tokio::test]
async fn a_client_is_switched_off_and_on() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;

    let asked = ada.visit("/gate/admin/clients/shop/disable").await;
    let off = ada.submit("/gate/admin/clients/shop/disable", &[]).await;
    let disabled = client(&server, "shop").await["enabled"].clone();
    let page = ada.visit(off.location()).await;
    ada.visit("/gate/admin/clients/shop/enable").await;
    ada.submit("/gate/admin/clients/shop/enable", &[]).await;

    assert!(asked.text().contains("One person lets it do something."), "{}", asked.text());
    assert_eq!(off.location(), "/gate/admin/clients/shop");
    assert_eq!(disabled, false);
    assert!(page.text().contains("/shop/enable"), "{}", page.text());
    assert_eq!(client(&server, "shop").await["enabled"], true);
}

#[tokio::test]
async fn a_new_secret_is_displayed_once_and_the_old_one_ends() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::robot(&server).await;
    ada.visit("/gate/admin/clients/robot/rotate-secret").await;

    let rotated = ada.submit("/gate/admin/clients/robot/rotate-secret", &[]).await;

    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let secret = code_after(rotated.text(), "Client secret");
    let old = shop.ask(&[("grant_type", "client_credentials")]).await;
    assert_eq!(old.status, 401);
    let registered = json!({ "client_id": "robot", "client_secret": secret, "redirect_uris": [] });
    let robot = RelyingParty::new(&server, &registered);
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
    assert_eq!(actor(&server, "client.secret_rotated").await, by_ada());
}

#[tokio::test]
async fn a_client_is_removed_with_what_people_allowed_it() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;

    let asked = ada.visit("/gate/admin/clients/shop/remove").await;
    let removed = ada.submit("/gate/admin/clients/shop/remove", &[]).await;

    assert!(asked.text().contains("One person lets it do something."), "{}", asked.text());
    assert!(asked.text().contains("This cannot be undone."), "{}", asked.text());
    assert_eq!(removed.location(), "/gate/admin/clients");
    let stored = server.operate(Method::GET, "/clients/shop", json!({})).await;
    assert_eq!(stored.status, 404);
    assert_eq!(actor(&server, "client.removed").await, by_ada());
}

/// Every page that changes a client, for somebody who may not.
async fn is_refused(bob: &mut Browser, refusal: Refusal) {
    for act in ["edit", "disable", "enable", "rotate-secret", "remove"] {
        let path = format!("/gate/admin/clients/shop/{act}");
        let response = bob.submit(&path, &[]).await;
        response.refused(ErrorCode::AccessDenied, refusal);
    }
    let typed = [("name", "Mine"), ("by", "hand"), ("typed", "yes"), ("scope", "openid")];
    for typed in [&typed[..], &[("app", "gitea"), ("url", "https://git.lan")]] {
        let response = bob.submit("/gate/admin/clients/add", typed).await;
        response.refused(ErrorCode::AccessDenied, refusal);
    }
}

#[tokio::test]
async fn who_may_not_change_clients_sees_no_button_and_changes_none() {
    let (server, _ada) = server().await;
    RelyingParty::web(&server).await;
    let before = client(&server, "shop").await;
    let mut bob = with_role(&server, "reader").await;

    let list = bob.visit("/gate/admin/clients").await;
    let page = bob.visit("/gate/admin/clients/shop").await;
    is_refused(&mut bob, Refusal::AdministrationClosed).await;

    assert!(list.text().contains("/gate/admin/clients/shop"), "{}", list.text());
    assert!(!list.text().contains("/gate/admin/clients/add"), "{}", list.text());
    assert!(!page.text().contains("/gate/admin/clients/shop/"), "{}", page.text());
    let clients = server.operate(Method::GET, "/clients", json!({})).await.json();
    assert_eq!(clients["clients"], json!([before]));
}

#[tokio::test]
async fn an_administrator_of_people_sees_no_client() {
    let (server, _ada) = server().await;
    RelyingParty::web(&server).await;
    let mut bob = with_role(&server, "people").await;

    for path in
        ["", "/add", "/add?app=gitea", "/add?by=hand", "/shop", "/shop/edit", "/shop/remove"]
    {
        let response = bob.visit(&format!("/gate/admin/clients{path}")).await;
        response.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    }
    is_refused(&mut bob, Refusal::AdministrationClosed).await;
}

#[tokio::test]
async fn an_administrator_of_clients_gives_none_a_scope_that_they_lack() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "clients").await;
    let asked = bob.visit("/gate/admin/clients/add?by=hand").await;

    let typed = [("name", "Sly"), ("redirect_uris", "https://sly.example/cb"), ("scope", "admin")];
    let refused = type_into(&mut bob, &asked, &typed).await;

    assert_eq!(refused.status, 403, "{}", refused.text());
    let clients = server.operate(Method::GET, "/clients", json!({})).await.json();
    assert_eq!(clients["clients"], json!([]));
}

#[tokio::test]
async fn the_page_of_a_client_says_when_it_was_used_last() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    let robot = RelyingParty::robot(&server).await;
    let path = |id: &str| format!("/gate/admin/clients/{id}");

    let unused = ada.visit(&path(&shop.id)).await;
    let tokens = shop.tokens(&mut ada).await;
    server.advance(Duration::from_mins(4));
    shop.refresh(tokens.refresh()).await.tokens();
    robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
    server.app.write_counts().await.unwrap();
    let used = ada.visit(&path(&shop.id)).await;
    let by_the_hour = ada.visit(&path(&robot.id)).await;

    assert!(unused.text().contains("It was not used within"), "{}", unused.text());
    for (page, time) in [(used, "00:04"), (by_the_hour, "00:00")] {
        let day = format!("Last used: <span class=\"day\">2026-01-01 {time} UTC</span>");
        assert!(page.text().contains(&day), "{day}: {}", page.text());
    }
}

#[tokio::test]
async fn what_a_person_has_leads_to_its_client_for_whoever_may_see_clients() {
    let (server, mut ada) = server().await;
    let mut grace = server.person("grace").await;
    let mut bob = with_role(&server, "people").await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens_of(&mut grace, "openid").await;
    let own = "href=\"/gate/admin/clients/shop\"><bdi>Shop</bdi></a>";

    for path in ["/gate/admin/people/grace", "/gate/admin/grants"] {
        let (of_ada, of_bob) = (ada.visit(path).await, bob.visit(path).await);

        assert!(of_ada.text().contains(own), "{}", of_ada.text());
        assert!(of_bob.text().contains("<bdi>Shop</bdi>"), "{}", of_bob.text());
        assert!(!of_bob.text().contains("/gate/admin/clients"), "{}", of_bob.text());
    }
}

#[tokio::test]
async fn what_to_paste_is_there_again_without_the_secret() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/clients/add?app=gitea").await;
    let typed = [("url", "https://git.lan/sub"), ("option.provider", "lodge")];
    let added = type_into(&mut ada, &asked, &typed).await;
    let id = code_after(added.text(), "Client ID");
    let secret = code_after(added.text(), "Client secret");
    let rename = json!({ "name": "Our code" });

    let page = ada.visit(&format!("/gate/admin/clients/{id}")).await;
    server.operate(Method::PATCH, &format!("/clients/{id}"), rename).await;
    let renamed = ada.visit(&format!("/gate/admin/clients/{id}")).await;

    let pasted = format!("--key {id} --secret THE-SECRET-THAT-YOU-CHOSE");
    let whole = format!("--key {id} --secret {secret}");
    assert!(added.unmarked().contains(&whole), "{}", added.text());
    assert!(page.unmarked().contains(&pasted), "{}", page.text());
    assert!(page.unmarked().contains("--name lodge"), "the option is told by the address");
    assert!(!page.text().contains(&secret), "a secret is displayed once");
    // What is another application gets the lines that every application understands.
    assert!(!renamed.text().contains("--key"), "{}", renamed.text());
    assert!(renamed.text().contains(&format!("OIDC_CLIENT_ID={id}")), "{}", renamed.text());
    for of in ["client-id", "client-secret", "lines-1"] {
        let button = format!("<copy-text class=\"beside\" data-of=\"{of}\">");
        assert!(added.text().contains(&button), "{of}: {}", added.text());
    }
}

#[tokio::test]
async fn what_was_refused_last_leads_to_its_events() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    let refused = server.get(&shop.request(&[("redirect_uri", "https://shop.example/o")])).await;
    let event = refused.header("gatelodge-event").to_owned();
    server.app.write_counts().await.unwrap();

    let page = ada.visit("/gate/admin/clients/shop").await;
    let path = "/gate/admin/events?client=shop&#38;refusal=RedirectUriUnregistered";
    let listed = ada.visit(&path.replace("&#38;", "&")).await;

    assert!(page.text().contains(&format!("href=\"{path}\"")), "{}", page.text());
    assert_eq!(listed.text().matches("href=\"/gate/admin/events/").count(), 1);
    assert!(listed.text().contains(&format!("/gate/admin/events/{event}\"")), "{}", listed.text());
}
