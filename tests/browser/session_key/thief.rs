//! A program on another port that catches what a browser sends, and replays it.

use chromiumoxide::cdp::browser_protocol::fetch::{
    ContinueRequestParams, DisableParams, EnableParams, EventRequestPaused, RequestPattern,
};
use chromiumoxide::listeners::EventStream;
use futures_util::StreamExt as _;
use reqwest::Method;

use super::elsewhere::Elsewhere;
use crate::application::Application;
use crate::bridge::link;
use crate::program::Home;
use crate::setup::ada;
use crate::window::Window;

/// A request of a page's script, caught on its way.
pub(super) struct Caught {
    request: EventRequestPaused,
    on: EventStream<EventRequestPaused>,
}

impl Caught {
    /// Catches the next request for `path` that carries a proof, which `act` brings about.
    pub(super) async fn at(window: &Window, path: &str, act: impl AsyncFnOnce()) -> Self {
        let pattern = RequestPattern::builder().url_pattern(format!("*{path}")).build();
        window.page.execute(EnableParams::builder().pattern(pattern).build()).await.unwrap();
        let mut on = window.page.event_listener::<EventRequestPaused>().await.unwrap();
        act().await;
        loop {
            let request = (*on.next().await.unwrap()).clone();
            let caught = Self { request, on };
            if !caught.header("gatelodge-proof").is_empty() {
                return caught;
            }
            let id = caught.request.request_id.clone();
            window.page.execute(ContinueRequestParams::new(id)).await.unwrap();
            on = caught.on;
        }
    }

    fn header(&self, name: &str) -> &str {
        self.request.request.headers.inner()[name].as_str().unwrap_or_default()
    }

    /// Lets it go on.
    pub(super) async fn released(self, window: &Window) {
        let id = self.request.request_id.clone();
        window.page.execute(ContinueRequestParams::new(id)).await.unwrap();
        window.page.execute(DisableParams::default()).await.unwrap();
    }

    /// Sends what it carries to `path`.
    async fn replayed(
        &self,
        issuer: &str,
        method: Method,
        path: &str,
        body: &str,
    ) -> (u16, String) {
        let headers = ["gatelodge-proof", "gatelodge-storage"];
        let headers = headers.map(|name| (name, self.header(name).to_owned()));
        replay(&format!("{issuer}{path}"), method, &headers, body).await
    }
}

async fn replay(
    url: &str,
    method: Method,
    headers: &[(&str, String)],
    body: &str,
) -> (u16, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let mut request = client
        .build()
        .unwrap()
        .request(method, url)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if !body.is_empty() {
        let form = "application/x-www-form-urlencoded";
        request = request.header("content-type", form).body(body.to_owned());
    }
    let response = request.send().await.unwrap();
    let location = response.headers().get("location").cloned();
    let status = response.status().as_u16();
    (status, format!("{location:?} {}", response.text().await.unwrap()))
}

#[tokio::test]
async fn every_cookie_that_another_port_catches_opens_nothing() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;
    let interaction: String = window.ask("location.pathname").await.unwrap();
    window.open(link(server.issuer(), None)).await;
    window.reads("Link this device?").await;
    let bridge: String = window.ask("location.pathname").await.unwrap();
    let thief = Elsewhere::at_port(0).await;

    window.open(format!("http://localhost:{}/", thief.port)).await;
    window.reads("Nothing to see.").await;

    // The browser did send them: nothing that is worth anything may be among them.
    let caught = thief.caught();
    assert!(caught[0].contains("_i_"), "{caught:?}");
    let cookies = [("cookie", caught[0].clone())];
    let allow = "decision=allow&scope=openid&csrf=";
    for (method, path, body) in [
        (Method::GET, "/gate/account", ""),
        (Method::GET, interaction.as_str(), ""),
        (Method::GET, bridge.as_str(), ""),
        (Method::POST, interaction.as_str(), allow),
        (Method::POST, bridge.as_str(), allow),
        (Method::POST, "/gate/logout", "csrf="),
    ] {
        let url = format!("{}{path}", server.issuer());
        let (status, text) = replay(&url, method.clone(), &cookies, body).await;
        let refused = method == Method::POST && status == 403;
        assert!(refused || text.contains("/prove.js"), "{method} {path}: {status} {text}");
        assert!(!text.contains("Ada") && !text.contains("code="), "{path}: {text}");
    }
    window.open(format!("{}/account", server.issuer())).await;
    window.reads("Ada Lovelace").await;
}

#[tokio::test]
async fn a_caught_proof_serves_for_one_request_once() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;
    let issuer = server.issuer().to_owned();

    let page = Caught::at(&window, "/gate/account", async || {
        window.set_off(format!("{issuer}/gate/account"));
    })
    .await;
    let (status, text) = page.replayed(&issuer, Method::GET, "/gate/device", "").await;
    assert_eq!(status, 401, "{text}");
    let (status, text) = page.replayed(&issuer, Method::POST, "/gate/account", "a=b").await;
    assert!(matches!(status, 401 | 405), "{text}");
    let again =
        Caught { request: page.request.clone(), on: window.page.event_listener().await.unwrap() };
    page.released(&window).await;
    window.reads("Ada Lovelace").await;
    let (status, text) = again.replayed(&issuer, Method::GET, "/gate/account", "").await;
    assert_eq!(status, 401, "{text}");

    let form = Caught::at(&window, "/gate/logout", async || window.press("Sign out").await).await;
    let (status, text) = form.replayed(&issuer, Method::POST, "/gate/logout", "csrf=another").await;
    assert_eq!(status, 401, "{text}");
    window.passkeys.touch(false).await;
    form.released(&window).await;
    window.reads("You are signed out").await;
}

#[tokio::test]
async fn a_proof_from_before_a_restart_is_worth_nothing_after_it() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;
    let issuer = server.issuer().to_owned();
    let page = Caught::at(&window, "/gate/account", async || {
        window.set_off(format!("{issuer}/gate/account"));
    })
    .await;

    server.kill();
    let _server = home.serve();

    let (status, text) = page.replayed(&issuer, Method::GET, "/gate/account", "").await;
    assert_eq!(status, 401, "{text}");
    // The page itself makes another proof.
    page.released(&window).await;
    window.reads("Ada Lovelace").await;
    window.excuses("401").await;
}

/// A program that takes the port while the server is down is the origin, and has the key sign what
/// it likes. It knows no challenge of the process to come.
#[tokio::test]
async fn whoever_had_the_port_while_the_server_was_down_has_nothing_afterwards() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;
    let issuer = server.issuer().to_owned();
    let head = reqwest::get(format!("{issuer}/gate/account")).await.unwrap();
    let challenge = head.headers()["gatelodge-challenge"].to_str().unwrap().to_owned();
    server.kill();

    let port = issuer.rsplit_once(':').unwrap().1.parse().unwrap();
    let thief = Elsewhere::at_port(port).await;
    window.open(format!("{issuer}/page")).await;
    window.reads("Nothing to see.").await;
    let sign = format!(
        "(async () => {{ const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))\
         .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''); \
         const text = (value) => new TextEncoder().encode(value); \
         const database = await new Promise((resolve) => {{ \
         const request = indexedDB.open('gatelodge', 1); \
         request.onsuccess = () => resolve(request.result); }}); \
         const read = (name) => new Promise((resolve) => {{ \
         const request = database.transaction('session').objectStore('session').get(name); \
         request.onsuccess = () => resolve(request.result); }}); \
         const {{ privateKey, publicKey }} = await read('key'); \
         const {{ crv, kty, x, y }} = await crypto.subtle.exportKey('jwk', publicKey); \
         const claims = {{ digest: encode(await crypto.subtle.digest('SHA-256', text(''))), htm: 'GET', \
         htu: '/gate/account', jti: 'mine', jwk: {{ crv, kty, x, y }}, nonce: {challenge:?} }}; \
         const input = [{{ typ: 'session-proof+jwt', alg: 'ES256' }}, claims]\
         .map((part) => encode(text(JSON.stringify(part)))).join('.'); \
         const signature = await crypto.subtle.sign({{ name: 'ECDSA', hash: 'SHA-256' }}, privateKey, text(input)); \
         return [`${{input}}.${{encode(signature)}}`, await read('secret')]; }})()"
    );
    let [proof, storage]: [String; 2] = window.ask(&sign).await.unwrap();
    thief.leave().await;
    let server = home.serve();
    assert_eq!(server.issuer(), issuer);

    let headers = [("gatelodge-proof", proof), ("gatelodge-storage", storage)];
    let (status, text) = replay(&format!("{issuer}/gate/account"), Method::GET, &headers, "").await;

    assert_eq!(status, 401, "{text}");
    assert!(!text.contains("Ada"), "{text}");
    window.open(format!("{issuer}/account")).await;
    window.reads("Ada Lovelace").await;
}
