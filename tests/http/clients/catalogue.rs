//! Clients that are made of an entry of the catalogue: each signs a person in as its entry says.

use std::path::Path;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server, decoded};

/// An address at which an application is reached.
const URL: &str = "https://app.example/at";

/// Every entry of the catalogue.
async fn entries(server: &Server) -> Vec<Value> {
    let listed = server.operate(Method::GET, "/catalogue?limit=1000", json!({})).await.json();
    listed["catalogue"].as_array().unwrap().clone()
}

fn text<'a>(entry: &'a Value, member: &str) -> &'a str {
    entry[member].as_str().unwrap_or_else(|| panic!("{member} of {entry}"))
}

/// A value for each option that has to be chosen.
fn chosen(entry: &Value) -> Value {
    let options = entry["options"].as_object().unwrap().iter();
    let without = options.filter(|(_, option)| option.get("default").is_none());
    without
        .map(|(name, _)| (name.clone(), json!("chosen")))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Registers the client of an entry.
async fn added(server: &Server, entry: &Value) -> Value {
    let catalogue = json!({
        "name": text(entry, "name"), "options": chosen(entry), "url": URL,
    });
    let response =
        server.operate(Method::POST, "/clients", json!({ "catalogue": catalogue })).await;
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()
}

/// What an application adds to its requests, or leaves out of them.
fn habits(entry: &Value) -> Vec<(&'static str, &str)> {
    let mut changes = vec![("scope", text(entry, "scope"))];
    match text(entry, "pkce") {
        "required" => changes.push(("nonce", "")),
        "nonce" => changes.extend([("code_challenge", ""), ("code_challenge_method", "")]),
        "optional" => {
            changes.extend([("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "")]);
        }
        other => panic!("{other}"),
    }
    changes
}

/// Redeems a code as the entry says, or with another method than that.
async fn redeemed(client: &RelyingParty, entry: &Value, code: &str) -> Response {
    let mut form = client.redemption(code);
    if text(entry, "pkce") != "required" {
        form.retain(|(name, _)| *name != "code_verifier");
    }
    client.ask(&form).await
}

async fn brought(
    client: &RelyingParty,
    ada: &mut Browser,
    changes: &[(&str, &str)],
) -> Option<String> {
    client.authorize(ada, changes).await.brought().remove("code")
}

#[tokio::test]
async fn each_entry_makes_a_client_that_signs_in_as_it_says_and_in_no_other_way() {
    let (server, mut ada) = Server::with_ada().await;
    let entries = entries(&server).await;
    assert!(entries.len() >= 30, "{}", entries.len());

    for entry in &entries {
        let name = text(entry, "name");
        let registered = added(&server, entry).await;
        let client = RelyingParty::new(&server, &registered);

        let code = brought(&client, &mut ada, &habits(entry)).await;
        let code = code.unwrap_or_else(|| panic!("{name} brings no code"));
        let tokens = redeemed(&client, entry, &code).await;
        assert_eq!(tokens.status, 200, "{name}: {}", tokens.text());
        let tokens = tokens.json();
        let (header, claims) = decoded(text(&tokens, "id_token"));

        assert_eq!(header["alg"], entry["id_token_signed_response_alg"], "{name}");
        assert_eq!(claims["aud"], registered["client_id"], "{name}");
        let mut granted: Vec<_> = text(&tokens, "scope").split(' ').collect();
        let mut asked: Vec<_> = text(entry, "scope").split(' ').collect();
        granted.sort_unstable();
        asked.sort_unstable();
        assert_eq!(granted, asked, "{name}");
        assert_eq!(tokens.get("refresh_token").is_some(), entry["refresh"] == true, "{name}");
        if let Some(claim) = entry.get("groups_claim") {
            assert!(claims[claim.as_str().unwrap()].is_array(), "{name}: {claims}");
        }
    }
}

#[tokio::test]
async fn a_client_of_an_entry_proves_itself_by_its_own_method_alone() {
    let (server, mut ada) = Server::with_ada().await;

    for entry in &entries(&server).await {
        let name = text(entry, "name");
        let mut registered = added(&server, entry).await;
        let method = text(entry, "token_endpoint_auth_method");
        assert_eq!(registered["token_endpoint_auth_method"], method, "{name}");
        let client = RelyingParty::new(&server, &registered);
        let code = brought(&client, &mut ada, &habits(entry)).await.unwrap();

        let other = match method {
            "client_secret_basic" => "client_secret_post",
            "client_secret_post" => "client_secret_basic",
            // A public client has no secret to bring.
            _ => {
                assert!(registered.get("client_secret").is_none(), "{name}");
                continue;
            }
        };
        registered["token_endpoint_auth_method"] = other.into();
        let impostor = RelyingParty::new(&server, &registered);
        let refused = redeemed(&impostor, entry, &code).await;
        refused.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
        registered["client_secret"].take();
        let stranger = RelyingParty::new(&server, &registered);
        let refused = redeemed(&stranger, entry, &code).await;
        assert_eq!(refused.json()["error"], "invalid_client", "{name}");
    }
}

#[tokio::test]
async fn a_client_of_an_entry_may_leave_out_what_its_entry_says_and_no_more() {
    let (server, mut ada) = Server::with_ada().await;

    for entry in &entries(&server).await {
        let name = text(entry, "name");
        let client = RelyingParty::new(&server, &added(&server, entry).await);
        let scope = ("scope", text(entry, "scope"));
        let no_challenge = [("code_challenge", ""), ("code_challenge_method", "")];
        let less: Vec<_> = match text(entry, "pkce") {
            "required" => no_challenge.to_vec(),
            "nonce" => no_challenge.into_iter().chain([("nonce", "")]).collect(),
            _ => no_challenge.into_iter().chain([("nonce", ""), ("state", "")]).collect(),
        };

        let changes: Vec<_> = less.into_iter().chain([scope]).collect();
        let refused = brought(&client, &mut ada, &changes).await;
        let whole = brought(&client, &mut ada, &[scope]).await.unwrap();
        let tokens = client.ask(&client.redemption(&whole)).await;

        assert_eq!(refused, None, "{name}");
        // Whoever may do without a challenge may bring one all the same.
        assert_eq!(tokens.status, 200, "{name}: {}", tokens.text());
    }
}

#[tokio::test]
async fn paths_are_joined_to_the_address_however_it_ends() {
    let server = Server::new().await;
    let redirects = async |name: &str, url: &str| {
        let body = json!({ "catalogue": { "name": name, "url": url } });
        let added = server.operate(Method::POST, "/clients", body).await;
        assert_eq!(added.status, 201, "{}", added.text());
        added.json()["redirect_uris"].clone()
    };

    for (url, joined) in [
        ("https://app.example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        ("https://app.example:8443//", "https://app.example:8443"),
        ("https://example.org/app", "https://example.org/app"),
        ("https://example.org/app/", "https://example.org/app"),
        ("http://localhost:3000/", "http://localhost:3000"),
    ] {
        let gitea = redirects("gitea", url).await;
        let portainer = redirects("portainer", url).await;

        assert_eq!(gitea, json!([format!("{joined}/user/oauth2/gatelodge/callback")]), "{url}");
        assert_eq!(portainer, json!([joined]), "{url}");
    }
    let vault = redirects("vault", "https://vault.example:8200").await;
    let ui = "https://vault.example:8200/ui/vault/auth/oidc/oidc/callback";
    assert_eq!(vault, json!([ui, "http://localhost:8250/oidc/callback"]));
}

#[tokio::test]
async fn an_option_is_a_part_of_the_callback_and_of_what_is_pasted() {
    let server = Server::new().await;
    let catalogue = json!({ "name": "gitea", "url": "https://git.example", "options": { "provider": "house" } });

    let added = server.operate(Method::POST, "/clients", json!({ "catalogue": catalogue })).await;

    let added = added.json();
    assert_eq!(added["redirect_uris"], json!(["https://git.example/user/oauth2/house/callback"]));
    assert_eq!(added["name"], "Gitea");
    let setup = &added["setup"];
    assert_eq!(setup["name"], "gitea");
    let pasted = text(&setup["settings"][0], "text");
    for part in [
        "--name house ",
        &format!("--key {} ", text(&added, "client_id")),
        &format!("--secret {} ", text(&added, "client_secret")),
        &format!("{}/.well-known/openid-configuration", server.issuer()),
    ] {
        assert!(pasted.contains(part), "{part} in {pasted}");
    }
    let path = format!("/clients/{}", text(&added, "client_id"));
    let again = server.operate(Method::GET, &path, json!({})).await.json();
    assert!(again.get("setup").is_none(), "{again}");
}

#[tokio::test]
async fn what_a_registration_says_itself_goes_before_the_entry() {
    let server = Server::new().await;
    let body = json!({
        "catalogue": { "name": "grafana", "url": "https://grafana.example" },
        "client_id": "boards",
        "name": "Boards",
        "scope": "openid email",
        "redirect_uris": ["https://other.example/cb"],
        "client_secret": "a secret of my own",
        "groups": ["ops"],
    });

    let added = server.operate(Method::POST, "/clients", body).await.json();

    assert_eq!(added["client_id"], "boards");
    assert_eq!(added["name"], "Boards");
    assert_eq!(added["scope"], "email openid");
    assert_eq!(added["redirect_uris"], json!(["https://other.example/cb"]));
    assert_eq!(added["groups"], json!(["ops"]));
    assert_eq!(added["pkce"], "required");
    let pasted = text(&added["setup"]["settings"][0], "text");
    assert!(pasted.contains("client_id = boards\n"), "{pasted}");
    assert!(pasted.contains("client_secret = THE-SECRET-THAT-YOU-CHOSE\n"), "{pasted}");
}

#[tokio::test]
async fn an_unknown_application_names_those_that_are_near() {
    let server = Server::new().await;
    let body = json!({ "catalogue": { "name": "gitae", "url": "https://git.example" } });

    let refused = server.operate(Method::POST, "/clients", body).await;
    let unknown = server.operate(Method::GET, "/catalogue/gitae", json!({})).await;

    for response in [refused, unknown] {
        response.refused(ErrorCode::NotFound, Refusal::CatalogueEntryNotFound);
        assert_eq!(response.json()["known"][0], "gitea");
    }
}

#[tokio::test]
async fn the_address_and_the_options_are_checked_before_anything_is_registered() {
    let server = Server::new().await;
    for (catalogue, refusal, known) in [
        (json!({ "name": "gitea" }), Refusal::CatalogueUrlUnfit, None),
        (json!({ "name": "gitea", "url": "git.example" }), Refusal::CatalogueUrlUnfit, None),
        (
            json!({ "name": "gitea", "url": "https://git.example", "options": { "name": "x" } }),
            Refusal::CatalogueOptionUnfit,
            Some("provider"),
        ),
        (
            json!({ "name": "gitea", "url": "https://git.example", "options": { "provider": "../x" } }),
            Refusal::CatalogueOptionUnfit,
            Some("provider"),
        ),
        (
            json!({ "name": "wikijs", "url": "https://wiki.example" }),
            Refusal::CatalogueOptionUnfit,
            Some("strategy"),
        ),
        (
            json!({ "name": "gitea", "address": "https://git.example" }),
            Refusal::MemberMalformed("catalogue", "an object of name, url and options is expected"),
            None,
        ),
    ] {
        let response =
            server.operate(Method::POST, "/clients", json!({ "catalogue": catalogue })).await;

        response.refused(refusal.code(), refusal);
        assert_eq!(response.json()["known"][0].as_str(), known, "{catalogue}");
    }
    let clients = server.operate(Method::GET, "/clients", json!({})).await.json();
    assert_eq!(clients["clients"], json!([]));
}

#[tokio::test]
async fn the_catalogue_is_listed_page_by_page_and_in_the_order_of_its_names() {
    let server = Server::with(Issuer::localhost(7455), |_| {}).await;
    let all: Vec<_> =
        entries(&server).await.iter().map(|entry| text(entry, "name").to_owned()).collect();

    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("/catalogue?limit=7{cursor}");
        let page = server.operate(Method::GET, &page, json!({})).await.json();
        let items = page["catalogue"].as_array().unwrap();
        assert!(items.len() <= 7);
        paged.extend(items.iter().map(|entry| text(entry, "name").to_owned()));
        match page.get("next") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => break,
        }
    }

    assert_eq!(paged, all);
    assert!(all.is_sorted());
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/applications");
    assert_eq!(std::fs::read_dir(files).unwrap().count(), all.len());
}

/// What is pasted has the syntax of a shell, of YAML or of Python.
#[tokio::test]
async fn an_id_that_would_break_out_of_the_settings_is_refused() {
    let server = Server::new().await;
    for id in ["x; touch y #", "x', 'z': '", "a\"b", "x y", "-x"] {
        let client = json!({
            "name": "git", "client_id": id,
            "catalogue": { "name": "gitea", "url": "https://git.example" },
        });
        let refused = server.operate(Method::POST, "/clients", client).await;
        assert_eq!(refused.status, 400, "{id}: {}", refused.text());
        assert!(refused.text().contains("beside catalogue"), "{id}: {}", refused.text());
    }
}
