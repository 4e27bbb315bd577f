//! Every refusal that a command mends: the request is made, explained, the printed command is run in a
//! shell by the built program, and the same request passes.

use std::collections::BTreeSet;
use std::process::Command;

use axum::http::Method;
use gatelodge::error::{Refusal, Resolution};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use super::explained;
use crate::forward_auth::{NOTES, Visit, installed};
use crate::support::{RelyingParty, Response, Server, Signer, assert_to, basic, token};

const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

/// How a request is made to pass.
#[derive(Clone, Copy)]
enum Way {
    /// By the command that is printed, in a shell.
    Command,
    /// By the operation of the administration, as the page does it.
    Operation,
}

/// Makes a request, which is refused, does what is said about it, and makes it again.
async fn mended<C>(
    way: Way,
    server: &Server,
    refusal: Refusal,
    with: &mut C,
    request: impl AsyncFn(&mut C) -> Response,
) -> Refusal {
    let refused = request(with).await;
    assert_eq!(refused.refusal(), Some(refusal), "{}", refused.text());
    let explanation = explained(server, &refused).await;
    let command = explanation["command"].as_str().unwrap_or_else(|| panic!("{explanation:#}"));
    assert!(command.starts_with("gatelodge "), "{command}");

    match way {
        Way::Command => in_a_shell(server, command).await,
        Way::Operation => {
            let repair = &explanation["repair"];
            let method = repair["method"].as_str().unwrap().parse().unwrap();
            let path = repair["path"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
            let made = server.operate(method, path, repair["body"].clone()).await;
            assert!(made.status.is_success(), "{refusal:?}, {repair}: {}", made.text());
        }
    }

    let passed = request(with).await;
    assert_eq!(passed.refusal(), None, "{refusal:?}, {command}: {}", passed.text());
    assert!(passed.status.as_u16() < 400, "{refusal:?}, {command}: {}", passed.text());
    refusal
}

/// Runs a command line as an operator does, with the server at its socket.
async fn in_a_shell(server: &Server, command: &str) {
    let data = tempfile::tempdir().unwrap();
    let socket = tokio::net::UnixListener::bind(data.path().join("gatelodge.sock")).unwrap();
    let router = gatelodge::admin::router(server.app.clone());
    let serving = tokio::spawn(async move { axum::serve(socket, router).await });
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_gatelodge")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).env("PATH", path).env("GATELODGE_DATA", data.path());
    let ran = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    serving.abort();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command}: {said}");
}

async fn changed(server: &Server, client: &str, change: serde_json::Value) {
    let changed = server.operate(Method::PATCH, &format!("/clients/{client}"), change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
}

/// At authorization: what a client asks for.
async fn authorizations(way: Way) -> Vec<Refusal> {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let at = async |changes: &[(&str, &str)], refusal| {
        let request = shop.request(changes);
        mended(way, &server, refusal, &mut (), async |()| server.get(&request).await).await
    };
    let quoted = "https://shop.example/c'b$(id)?q=1;2";
    let mended_here = vec![
        at(&[("redirect_uri", "https://shop.example/other")], Refusal::RedirectUriUnregistered)
            .await,
        at(
            &[("redirect_uri", "https://shop.example/cb?a=1&b=2")],
            Refusal::RedirectUriUnregistered,
        )
        .await,
        at(&[("code_challenge", ""), ("code_challenge_method", "")], Refusal::CodeChallengeMissing)
            .await,
        at(&[("resource", "https://api.example/orders")], Refusal::ResourceUnknown).await,
    ];
    // What no redirect URI can be is in no command.
    let refused = server.get(&shop.request(&[("redirect_uri", quoted)])).await;
    let explanation = explained(&server, &refused).await;
    if let Some(command) = explanation["command"].as_str() {
        assert!(command.contains("'\\''"), "{command}");
        in_a_shell(&server, command).await;
    }

    changed(&server, "shop", json!({ "resources": ["https://api.example/orders"] })).await;
    server.operate(Method::POST, "/resources", json!({ "resource": "https://b.example" })).await;
    at(&[("resource", "https://b.example")], Refusal::ResourceUnknown).await;
    changed(&server, "shop", json!({ "require_pushed_authorization_requests": true })).await;
    let pushed = at(&[], Refusal::RequestNotPushed).await;
    changed(&server, "shop", json!({ "enabled": false })).await;
    let disabled = at(&[], Refusal::ClientDisabledAtAuthorize).await;
    // And one that nobody knows.
    let mut stranger = shop.clone();
    stranger.id = "it's-new".to_owned();
    let request = stranger.request(&[]);
    let unknown = Refusal::ClientUnknownAtAuthorize;
    let unknown =
        mended(way, &server, unknown, &mut (), async |()| server.get(&request).await).await;
    [mended_here, vec![pushed, disabled, unknown]].concat()
}

/// At authorization: who the person is.
async fn people(way: Way) -> Vec<Refusal> {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let silent = shop.request(&[("prompt", "none")]);
    let consent = mended(way, &server, Refusal::ConsentNeeded, &mut ada, async |ada| {
        ada.visit(&silent).await
    })
    .await;
    let tokens = shop.tokens(&mut ada).await;
    let refresh = tokens.refresh().to_owned();

    changed(&server, "shop", json!({ "groups": ["staff"] })).await;
    let outside = mended(way, &server, Refusal::GrantOutsideGroups, &mut (), async |()| {
        shop.refresh(&refresh).await
    })
    .await;
    changed(&server, "shop", json!({ "groups": ["ops"] })).await;
    let astray =
        mended(way, &server, Refusal::PersonAstray, &mut ada, async |ada| ada.visit(&silent).await)
            .await;

    changed(&server, "shop", json!({ "scope": "openid" })).await;
    let request = shop.request(&[("scope", "email profile"), ("prompt", "none")]);
    let scope = mended(way, &server, Refusal::ScopeNotAllowed, &mut ada, async |ada| {
        ada.visit(&request).await
    })
    .await;

    server.operate(Method::POST, "/users", json!({ "username": "eve", "roles": ["admin"] })).await;
    let mut eve = server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "disabled": true })).await;
    let disabled = mended(way, &server, Refusal::PersonDisabled, &mut eve, async |eve| {
        let signed = eve.signed_challenge().await;
        eve.finish_sign_in(&signed).await
    })
    .await;
    vec![consent, outside, astray, scope, disabled]
}

/// At the token endpoint: how a client proves itself, and what it may do.
async fn clients(way: Way) -> Vec<Refusal> {
    let server = Server::new().await;
    let registration = json!({
        "name": "Robot", "client_id": "robot", "token_endpoint_auth_method": "client_secret_basic",
    });
    let robot = server.client(registration).await;
    let secret = robot.secret.clone().unwrap();
    let by_post = [CREDENTIALS, ("client_id", "robot"), ("client_secret", &secret)];
    let method = mended(way, &server, Refusal::AuthMethodNotRegistered, &mut (), async |()| {
        token(&server, None, &by_post).await
    })
    .await;
    changed(&server, "robot", json!({ "enabled": false })).await;
    let disabled = mended(way, &server, Refusal::ClientDisabled, &mut (), async |()| {
        token(&server, None, &by_post).await
    })
    .await;
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let header = basic(&shop.id, shop.secret.as_deref().unwrap());
    let grant = mended(way, &server, Refusal::GrantTypeNotRegistered, &mut (), async |()| {
        token(&server, Some(&header), &[CREDENTIALS]).await
    })
    .await;
    let scope = json!({ "resource": "https://api.example", "scope": "orders", "open": false });
    server.operate(Method::POST, "/resources", scope).await;
    let asked = [CREDENTIALS, ("scope", "orders")];
    let itself = mended(way, &server, Refusal::ScopeNotForItself, &mut (), async |()| {
        token(&server, Some(&header), &asked).await
    })
    .await;
    let spa = RelyingParty::spa(&server).await;
    let anonymous = mended(way, &server, Refusal::AnonymousNotAllowed, &mut (), async |()| {
        crate::anonymous::ask(&server, &json!({ "client_id": spa.id })).await
    })
    .await;
    vec![method, disabled, grant, itself, anonymous]
}

/// The JWTs of older libraries.
async fn assertions(way: Way) -> Vec<Refusal> {
    let mut mended_here = Vec::new();
    for (refusal, typ, aud) in [
        (Refusal::ClientAssertionUntyped, "JWT", None),
        (
            Refusal::ClientAssertionAudienceOld,
            "client-authentication+jwt",
            Some("http://localhost:7455/oauth/token"),
        ),
    ] {
        let server = Server::new().await;
        let signer = Signer::new(SigningAlg::Es256);
        signer.register(&server, "signer").await;
        let mut number = 0;
        let refusal = mended(way, &server, refusal, &mut number, async |number| {
            *number += 1;
            let mut claims = json!({ "jti": format!("j{number}") });
            if let Some(aud) = aud {
                claims["aud"] = json!(aud);
            }
            assert_to(&server, &signer.typed_assertion(typ, &server, "signer", &claims)).await
        });
        mended_here.push(refusal.await);
    }
    mended_here
}

/// On the way out, and to an application behind a proxy.
async fn ways_out(way: Way) -> Vec<Refusal> {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    let logout = |uri: &str| {
        let params = form_encode([("client_id", "shop"), ("post_logout_redirect_uri", uri)]);
        format!("/oauth/logout?{params}")
    };
    let (registered, other) =
        (logout("https://shop.example/bye"), logout("https://shop.example/later"));
    let uri = mended(way, &server, Refusal::PostLogoutUriUnregistered, &mut (), async |()| {
        server.get(&other).await
    })
    .await;
    assert_eq!(server.get(&registered).await.refusal(), None, "the one before is still there");
    changed(&server, "shop", json!({ "enabled": false })).await;
    let client = mended(way, &server, Refusal::PostLogoutClientUnknown, &mut (), async |()| {
        server.get(&other).await
    })
    .await;

    let (server, mut ada) = installed().await;
    let role = mended(way, &server, Refusal::AppRoleMissing, &mut ada, async |ada| {
        Visit::default().code(ada, NOTES, "/_gatelodge/start").await
    })
    .await;
    vec![uri, client, role]
}

/// Tokens of two types.
async fn types(way: Way) -> Vec<Refusal> {
    let (server, mut ada) = Server::with_ada().await;
    for (resource, typ) in [("https://a.example", "jwt"), ("https://b.example", "at+jwt")] {
        let registration = json!({ "resource": resource, "typ": typ });
        server.operate(Method::POST, "/resources", registration).await;
    }
    let shop = RelyingParty::web(&server).await;
    let both = [("resource", "https://a.example"), ("resource", "https://b.example")];
    let request = format!("{}&{}", shop.request(&[]), form_encode(both));
    let header = basic(&shop.id, shop.secret.as_deref().unwrap());
    let refusal = Refusal::ResourceTokenTypesDiffer;
    let types = mended(way, &server, refusal, &mut ada, async |ada| {
        let page = ada.visit(&request).await;
        let allowed = if page.asks_for_consent() { ada.decide(&page, "allow").await } else { page };
        let code = allowed.brought().remove("code").unwrap();
        let fields = [shop.redemption(&code), both.to_vec()].concat();
        token(&server, Some(&header), &fields).await
    });
    vec![types.await]
}

#[tokio::test]
async fn a_printed_command_lets_the_same_request_pass() {
    lets_the_same_request_pass(Way::Command).await;
}

#[tokio::test]
async fn the_operation_that_is_shown_beside_it_does_too() {
    lets_the_same_request_pass(Way::Operation).await;
}

async fn lets_the_same_request_pass(way: Way) {
    let mended = [
        authorizations(way).await,
        people(way).await,
        clients(way).await,
        assertions(way).await,
        ways_out(way).await,
        types(way).await,
    ]
    .concat();

    let mended: BTreeSet<&str> = mended.iter().map(|refusal| refusal.name()).collect();
    let by_command =
        Refusal::ALL.iter().filter(|refusal| refusal.resolution() == Resolution::Command);
    let by_command: BTreeSet<&str> = by_command.map(|refusal| refusal.name()).collect();
    assert_eq!(mended, by_command);
}

/// What is said of a request that was refused: the kind of its repair, and whether it passes now.
async fn said_of(server: &Server, refused: &Response, refusal: Refusal) -> (Value, bool) {
    let explanation = explained(server, refused).await;
    assert_eq!(refused.refusal(), Some(refusal), "{explanation:#}");
    let passes = explanation["no_command"] == "it is allowed already: such a request passes now";
    assert_eq!(explanation["made"], passes, "{explanation:#}");
    (explanation["repair"]["kind"].clone(), passes)
}

/// The app may ask for the groups, and the person may not give them.
#[tokio::test]
async fn a_scope_that_was_refused_for_the_person_is_not_said_to_pass_now() {
    let issuer = "http://localhost:7455".parse().unwrap();
    let server = Server::with(issuer, |config| {
        config.roles.insert("guest".parse().unwrap(), "openid profile".parse().unwrap());
    });
    let server = server.await;
    let _ada = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "roles": ["guest"] })).await;
    let shop = RelyingParty::web(&server).await;
    changed(&server, "shop", json!({ "scope": "openid groups" })).await;
    let request = shop.request(&[("scope", "groups"), ("prompt", "none")]);

    let refused = bob.visit(&request).await;

    let said = said_of(&server, &refused, Refusal::ScopeNotAllowed).await;
    assert_eq!(said, (Value::Null, false));
}

/// No client is given for itself what is about a person.
#[tokio::test]
async fn a_scope_about_people_is_repaired_for_no_client_that_acts_for_itself() {
    let server = Server::new().await;
    let robot = server.client(json!({ "name": "Robot", "client_id": "robot" })).await;
    let header = basic("robot", robot.secret.as_deref().unwrap());

    let refused = token(&server, Some(&header), &[CREDENTIALS, ("scope", "email")]).await;

    let said = said_of(&server, &refused, Refusal::ScopeNotForItself).await;
    assert_eq!(said, (Value::Null, false));
}

/// A request passes once its client may name every resource of it.
#[tokio::test]
async fn of_several_resources_the_one_that_the_client_lacks_is_repaired() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let (first, second) = ("https://a.example", "https://b.example");
    for resource in [first, second] {
        let registration = json!({ "resource": resource, "open": false });
        server.operate(Method::POST, "/resources", registration).await;
    }
    changed(&server, "shop", json!({ "resources": [first] })).await;
    let both = form_encode([("resource", first), ("resource", second)]);
    let request = format!("{}&{both}", shop.request(&[]));

    let refused = server.get(&request).await;
    let lacking = said_of(&server, &refused, Refusal::ResourceUnknown).await;
    let repair = explained(&server, &refused).await["repair"]["value"].clone();
    changed(&server, "shop", json!({ "resources": [first, second] })).await;
    let made = said_of(&server, &refused, Refusal::ResourceUnknown).await;

    assert_eq!(lacking, (json!("add_resource"), false));
    assert!(repair.as_str().unwrap().starts_with(second), "{repair}");
    assert_eq!(made, (Value::Null, true));
    assert_eq!(server.get(&request).await.refusal(), None);
}

/// Where there is none, it is said why.
#[test]
fn a_refusal_without_a_command_says_why() {
    for refusal in Refusal::ALL {
        let why = refusal.resolution().without_command();
        assert_eq!(why.is_none(), refusal.resolution() == Resolution::Command);
        assert!(why.is_none_or(|why| why.len() > 40), "{}", refusal.name());
    }
}
