//! Clients that are named by the address of a document on the web.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::config::Config;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::http::Peer;
use gatelodge::oauth::client::{DocumentPolicy, SigningAlg};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};
use url::Url;

use crate::refusals::documents::document;
use crate::support::{
    Browser, RelyingParty, Response, Server, Signer, Site, posted, presenting, register, token,
};

/// An installation that may fetch from `site`, and ada, who is signed in there.
pub(crate) async fn reaching(site: &Site, change: impl FnOnce(&mut Config)) -> (Server, Browser) {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.fetch.private = vec![site.listed()];
        change(config);
    })
    .await;
    let ada = server.first_administrator().await;
    (server, ada)
}

/// An authorization request of the client at `url`, whose redirect URI is of no matter.
async fn asked_by(server: &Server, url: &str) -> Response {
    let client = json!({ "client_id": url, "redirect_uris": ["https://app.example/cb"] });
    server.get(&RelyingParty::new(server, &client).request(&[])).await
}

async fn revision(server: &Server, id: &str) -> Value {
    let listed = server.operate(Method::GET, "/clients", json!({})).await.json();
    let clients = listed["clients"].as_array().unwrap();
    clients.iter().find(|client| client["client_id"] == id).unwrap().clone()
}

#[tokio::test]
async fn a_client_that_nobody_registered_signs_a_person_in() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let client = RelyingParty::new(&server, &document(&site));

    let tokens = client.tokens(&mut ada).await;
    let seed = client.refresh(tokens.refresh()).await.tokens();

    assert_eq!(client.userinfo(&seed.access).await.status, 200);
    assert_eq!(site.asked(), 1);
    assert_eq!(revision(&server, &client.id).await["origin"], "document");
    let metadata = server.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
}

#[tokio::test]
async fn consent_shows_who_named_the_client_and_warns_of_this_machine() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let client = RelyingParty::new(&server, &document(&site));

    let page = ada.visit(&client.request(&[])).await;

    assert!(page.asks_for_consent(), "{}", page.text());
    assert!(page.text().contains("Named by"));
    assert!(page.text().contains(&format!("<bdi>{}</bdi>", site.listed())));
    assert!(page.text().contains("A program on this machine gave the app its name."));
}

#[tokio::test]
async fn a_document_is_kept_as_long_as_its_server_says_within_bounds() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    let client = RelyingParty::new(&server, &document(&site));

    for (said, minutes) in
        [("", 5), ("no-store", 5), ("max-age=3600", 60), ("max-age=9999999", 1440)]
    {
        site.serve(&document(&site), &format!("\r\nCache-Control: {said}"));
        ada.visit(&client.request(&[])).await;
        let asked = site.asked();
        server.advance(Duration::from_secs(minutes * 60 - 1));
        ada.visit(&client.request(&[])).await;
        let within = site.asked() - asked;
        server.advance(Duration::from_secs(1));
        ada.visit(&client.request(&[])).await;

        assert_eq!((within, site.asked() - asked), (0, 1), "{said}");
        server.advance(Duration::from_hours(24));
    }
}

#[tokio::test]
async fn a_document_that_changed_counts_once_the_old_one_is_stale() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let mut client = RelyingParty::new(&server, &document(&site));
    client.tokens(&mut ada).await;
    let mut changed = document(&site);
    changed["redirect_uris"] = json!([site.url("/moved")]);
    site.serve(&changed, "");
    client.redirect_uri = site.url("/moved");

    let soon = ada.visit(&client.request(&[])).await;
    server.advance(Duration::from_mins(5));
    let later = client.tokens(&mut ada).await;

    soon.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    assert!(later.refresh.is_some());
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    let client = RelyingParty::new(&server, &document(&site));
    site.respond("500 Oops", "");

    let failed = ada.visit(&client.request(&[])).await;
    site.serve(&document(&site), "");
    let tokens = client.tokens(&mut ada).await;

    failed.refused(ErrorCode::InvalidRequest, Refusal::DocumentStatusWrong);
    assert!(tokens.refresh.is_some());
}

#[tokio::test]
async fn whoever_only_looks_has_nothing_fetched() {
    let site = Site::new().await;
    let (server, _) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let request = RelyingParty::new(&server, &document(&site)).request(&[]);

    let response = server.send(Request::head(request).body(Body::empty()).unwrap()).await;

    assert_eq!((response.status.as_u16(), site.asked()), (400, 0));
}

/// A private name and one that is not there look alike.
#[tokio::test]
async fn strangers_do_not_learn_which_names_lead_inside() {
    let site = Site::new().await;
    let (server, _) = reaching(&site, |_| {}).await;
    site.respond("", "");
    let explanation = |page: &Response| {
        let (_, rest) = page.text().split_once("the server of the metadata document").unwrap();
        rest.split('.').next().unwrap().to_owned()
    };

    let private = asked_by(&server, "https://10.0.0.1/client.json").await;
    let broken = asked_by(&server, &site.url("/client.json")).await;

    private.refused(ErrorCode::InvalidRequest, Refusal::DocumentAddressPrivate);
    broken.refused(ErrorCode::InvalidRequest, Refusal::DocumentUnreachable);
    assert_eq!(explanation(&private), explanation(&broken));
}

/// OpenID Connect Registration §5. Its address is an operator's, and may be on this machine.
#[tokio::test]
async fn an_imported_document_has_a_sector_that_holds() {
    let site = Site::new().await;
    let server = Server::new().await;
    let import = json!({
        "client_id": "https://app.example/client.json",
        "document": {
            "client_id": "https://app.example/client.json",
            "redirect_uris": ["https://app.example/cb"],
            "subject_type": "pairwise",
            "sector_identifier_uri": site.url("/uris.json"),
        },
    });

    site.serve(&json!([]), "");
    let lacking = server.operate(Method::POST, "/documents", import.clone()).await;
    site.serve(&json!(["https://app.example/cb"]), "");
    let strange = register(&server, import["document"].clone()).await;
    let asked = site.asked();
    let whole = server.operate(Method::POST, "/documents", import).await;

    lacking.refused(ErrorCode::InvalidClientMetadata, Refusal::SectorUnclear);
    strange.refused(ErrorCode::InvalidClientMetadata, Refusal::SectorUnclear);
    assert_eq!(whole.status, 201, "{}", whole.text());
    assert_eq!((asked, site.asked()), (1, 2));
}

/// As [`asked_by`], from this address.
async fn asked_from(server: &Server, address: &str, url: &str) -> Response {
    let client = json!({ "client_id": url, "redirect_uris": ["https://app.example/cb"] });
    let mut request =
        Request::get(RelyingParty::new(server, &client).request(&[])).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    server.send(request).await
}

#[tokio::test]
async fn a_network_has_a_minutes_worth_of_documents_fetched() {
    let site = Site::new().await;
    let (server, _) = reaching(&site, |_| {}).await;
    site.respond("404 Not Found", "");

    for n in 0..60 {
        let missing = asked_from(&server, "192.0.2.1", &site.url(&format!("/{n}"))).await;
        missing.refused(ErrorCode::InvalidRequest, Refusal::DocumentStatusWrong);
    }
    let beyond = asked_from(&server, "192.0.2.1", &site.url("/client.json")).await;
    let other = asked_from(&server, "192.0.2.2", &site.url("/client.json")).await;

    beyond.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    other.refused(ErrorCode::InvalidRequest, Refusal::DocumentStatusWrong);
    assert_eq!(site.asked(), 61);
}

/// On loopback everybody has one address.
#[tokio::test]
async fn on_loopback_a_document_that_fails_counts_and_no_other_of_its_host() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    let client = RelyingParty::new(&server, &document(&site));
    site.respond("404 Not Found", "");

    for n in 0..80 {
        let missing = asked_by(&server, &site.url(&format!("/{n}"))).await;
        missing.refused(ErrorCode::InvalidRequest, Refusal::DocumentStatusWrong);
    }
    for _ in 0..60 {
        asked_by(&server, &site.url("/missing")).await;
    }
    let beyond = asked_by(&server, &site.url("/missing")).await;
    site.serve(&document(&site), "");
    let tokens = client.tokens(&mut ada).await;

    beyond.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert!(tokens.refresh.is_some());
}

#[tokio::test]
async fn a_document_that_was_fetched_well_before_waits_for_nobodys_limit() {
    let site = Site::new().await;
    let (server, _) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let known = document(&site)["client_id"].as_str().unwrap().to_owned();
    asked_from(&server, "192.0.2.1", &known).await;
    server.advance(Duration::from_mins(6));
    for n in 0..60 {
        asked_from(&server, "192.0.2.1", &site.url(&format!("/{n}"))).await;
    }
    let asked = site.asked();

    let unknown = asked_from(&server, "192.0.2.1", &site.url("/other")).await;
    let again = asked_from(&server, "192.0.2.1", &known).await;

    unknown.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    again.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    assert_eq!(site.asked(), asked + 1);
}

#[tokio::test]
async fn no_private_address_is_asked_in_whichever_notation() {
    let server = Server::new().await;

    for host in ["10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "127.0.0.1"]
        .into_iter()
        .chain(["[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "[fe80::1]", "localhost"])
    {
        let response = asked_by(&server, &format!("https://{host}/client.json")).await;
        let canonical = !host.contains("ffff");
        let refusal = if canonical {
            Refusal::DocumentAddressPrivate
        } else {
            Refusal::DocumentAddressMalformed
        };
        response.refused(ErrorCode::InvalidRequest, refusal);
    }
    for host in ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "10.1"] {
        let response = asked_by(&server, &format!("https://{host}/client.json")).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::DocumentAddressMalformed);
    }
    let unlisted = asked_by(&server, "http://127.0.0.1:8080/client.json").await;
    unlisted.refused(ErrorCode::InvalidRequest, Refusal::DocumentAddressMalformed);
}

#[tokio::test]
async fn the_policy_says_whose_documents_count() {
    let site = Site::new().await;
    site.serve(&document(&site), "");
    let at = |policy: DocumentPolicy, hosts: Vec<String>| {
        let site = &site;
        async move {
            let (server, mut ada) = reaching(site, |config| {
                config.documents.policy = policy;
                config.documents.hosts = hosts;
            })
            .await;
            ada.visit(&RelyingParty::new(&server, &document(site)).request(&[])).await
        }
    };

    let off = at(DocumentPolicy::Off, Vec::new()).await;
    let listed = at(DocumentPolicy::Listed, vec!["127.0.0.1".to_owned()]).await;

    off.refused(ErrorCode::InvalidRequest, Refusal::ClientUnknownAtAuthorize);
    assert!(listed.asks_for_consent(), "{}", listed.text());
}

#[tokio::test]
async fn an_imported_document_needs_no_network_and_is_never_stale() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |config| config.offline = true).await;
    let import = json!({
        "client_id": "https://app.example/client.json",
        "document": {
            "client_id": "https://app.example/client.json",
            "redirect_uris": ["https://app.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
        },
    });

    let imported = server.operate(Method::POST, "/documents", import.clone()).await;
    let client = RelyingParty::new(&server, &imported.json());
    server.advance(Duration::from_hours(24 * 365));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(drop)).await.unwrap();
    let page = ada.visit(&client.request(&[])).await;

    assert_eq!(imported.status, 201, "{}", imported.text());
    assert_eq!(page.status, 200, "{}", page.text());
    let mut other = import;
    other["client_id"] = "https://app.example/other.json".into();
    let refused = server.operate(Method::POST, "/documents", other).await;
    assert_eq!(site.asked(), 0);
    refused.refused(ErrorCode::InvalidClientMetadata, Refusal::DocumentOfAnotherClient);
}

/// A remembered consent suffices only where the redirect URI proves the client.
#[tokio::test]
async fn consent_is_remembered_where_the_redirect_has_the_origin_of_the_client_id() {
    let (server, mut ada) = Server::with_ada().await;
    let asks = async |ada: &mut Browser, redirect: &str| {
        let import = json!({
            "client_id": "https://app.example/client.json",
            "document": {
                "client_id": "https://app.example/client.json",
                "redirect_uris": [redirect],
            },
        });
        let imported = server.operate(Method::POST, "/documents", import).await.json();
        let client = RelyingParty::new(&server, &imported);
        client.code(ada).await;
        ada.visit(&client.request(&[])).await.asks_for_consent()
    };

    assert!(!asks(&mut ada, "https://app.example/cb").await);
    for elsewhere in ["https://app.example:8443/cb", "https://b.example/cb", "http://127.0.0.1/cb"]
    {
        assert!(asks(&mut ada, elsewhere).await, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_client_whose_document_nobody_uses_is_forgotten() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    ada.visit(&RelyingParty::new(&server, &document(&site)).request(&[])).await;

    server.advance(Duration::from_hours(31 * 24));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(drop)).await.unwrap();

    let listed = server.operate(Method::GET, "/clients", json!({})).await.json();
    assert_eq!(listed["clients"], json!([]));
}

/// What was authorized goes on while a site is down for a while; nothing new is.
#[tokio::test]
async fn a_client_whose_site_is_down_stays_signed_in_for_a_day() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let client = RelyingParty::new(&server, &document(&site));
    let tokens = client.tokens(&mut ada).await;

    site.respond("503 Service Unavailable", "");
    server.advance(Duration::from_hours(24));
    let tokens = client.refresh(tokens.refresh()).await.tokens();
    let authorized = ada.visit(&client.request(&[])).await;
    let pushed = client.push_raw(&[]).await;
    site.respond("404 Not Found", "");
    let gone = client.refresh(tokens.refresh()).await;
    site.respond("503 Service Unavailable", "");
    server.advance(Duration::from_mins(5));
    let later = client.refresh(tokens.refresh()).await;

    authorized.refused(ErrorCode::InvalidRequest, Refusal::DocumentStatusWrong);
    for refused in [pushed, gone, later] {
        refused.refused(ErrorCode::InvalidClient, Refusal::DocumentUnavailable);
    }
}

/// A document may name keys, by which its client proves itself wherever it asks.
#[tokio::test]
async fn a_document_with_keys_makes_a_client_that_signs() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    let signer = Signer::new(SigningAlg::Es256);
    let mut stated = document(&site);
    stated["token_endpoint_auth_method"] = "private_key_jwt".into();
    stated["jwks"] = json!({ "keys": [signer.jwk()] });
    site.serve(&stated, "");
    let client = RelyingParty::new(&server, &stated);
    let code = client.code(&mut ada).await;
    let assertion = signer.assertion(&server, &client.id, &json!({}));

    let unproven = client.redeem(&code).await;
    let mut fields = client.redemption(&code);
    fields.extend(presenting(&assertion));
    let proven = token(&server, None, &fields).await;

    unproven.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
    assert!(proven.tokens().refresh.is_some());
}

#[tokio::test]
async fn a_document_may_say_where_the_keys_of_its_client_lie() {
    let (site, keys) = (Site::new().await, Site::new().await);
    let (server, mut ada) = reaching(&site, |config| {
        config.fetch.private.push(keys.listed());
    })
    .await;
    let signer = Arc::new(Signer::new(SigningAlg::Es256));
    let mut stated = document(&site);
    stated["token_endpoint_auth_method"] = "private_key_jwt".into();
    stated["jwks_uri"] = keys.url("/jwks.json").into();
    site.serve(&stated, "");
    keys.serve(&json!({ "keys": [signer.jwk()] }), "");
    let client = RelyingParty::new(&server, &stated).signing_with(&signer);

    let tokens = client.tokens(&mut ada).await;
    client.refresh(tokens.refresh()).await.tokens();

    assert_eq!((site.asked(), keys.asked()), (1, 1));
}

#[tokio::test]
async fn a_client_may_be_met_first_where_it_pushes_its_request() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    let client = RelyingParty::new(&server, &document(&site));
    let request = client.request(&[]);
    let asked = Url::parse(server.issuer()).unwrap().join(&request).unwrap();
    let fields: Vec<_> = asked.query_pairs().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();

    let pushed = posted(&server, "/oauth/par", None, &fields).await.json();
    let query = [("client_id", client.id.as_str()), ("request_uri", text(&pushed["request_uri"]))];
    let page = ada.visit(&format!("/oauth/authorize?{}", form_encode(query))).await;

    assert!(page.asks_for_consent(), "{}", page.text());
    assert_eq!(site.asked(), 1);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
