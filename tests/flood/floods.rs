//! The floods: what each sends, and what it means to provoke.

use gatelodge::oauth::params::form_encode;
use gatelodge::store::Pool;
use serde_json::json;

use crate::exchange::AUTHORITY;
use crate::person::{Browser, authorization};

/// Eight digits that differ from one request to the next.
pub(crate) const NUMBER: &[u8; 8] = b"########";

/// A flood.
pub(crate) struct Flood {
    pub(crate) name: &'static str,
    pub(crate) how: How,
    /// The fewest requests a second that count as a flood.
    pub(crate) min_rate: f64,
    /// The pools that it fills.
    pub(crate) pools: &'static [Pool],
    /// The statuses that say that a request came as far as it was meant to.
    pub(crate) provoked: &'static [u16],
    /// The statuses of a limit that it may meet after that.
    pub(crate) limited: &'static [u16],
}

/// How it sends.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// Requests, whose responses it reads.
    Requests(fn(&Scene) -> Vec<String>),
    /// Headers that have no end, each on a connection of its own that stays open.
    HalfSent,
    /// Requests whose responses it does not read, on connections that stay open.
    Unread,
}

/// What the requests of a flood need of the installation.
pub(crate) struct Scene {
    /// A browser at the sign-in page.
    pub(crate) browser: Browser,
    /// An ID token of the person.
    pub(crate) id_token: String,
    /// Where the documents are.
    pub(crate) site: String,
}

impl Flood {
    /// Whether the configuration has a bound of what it stores.
    pub(crate) fn is_bounded_by_configuration(&self) -> bool {
        self.pools.iter().any(|pool| *pool != Pool::Attempts)
    }

    fn requests(
        name: &'static str,
        pools: &'static [Pool],
        provoked: &'static [u16],
        make: fn(&Scene) -> Vec<String>,
    ) -> Self {
        Self { name, how: How::Requests(make), min_rate: 1000.0, pools, provoked, limited: &[] }
    }
}

pub(crate) fn all() -> Vec<Flood> {
    let waiting = |name, how| Flood {
        name,
        how,
        min_rate: 1000.0,
        pools: &[],
        provoked: &[200],
        limited: &[],
    };
    let interactions = &[Pool::Interactions];
    vec![
        Flood::requests("ceremonies", &[], &[200], ceremonies),
        Flood::requests("interactions", interactions, &[303], |_| vec![interaction("")]),
        Flood {
            limited: &[400],
            ..Flood::requests("cross-site", interactions, &[303], cross_site)
        },
        Flood::requests("logouts", interactions, &[303], logouts),
        Flood::requests("pushed-requests", &[Pool::PushedRequests], &[201], pushed_requests),
        Flood::requests("device-codes", &[Pool::Devices], &[200], device_codes),
        Flood {
            limited: &[429],
            ..Flood::requests(
                "registrations",
                &[Pool::Attempts, Pool::Clients],
                &[201],
                registrations,
            )
        },
        Flood {
            // 400: a full pool took the client again before its request was read.
            limited: &[400, 429],
            min_rate: 200.0,
            ..Flood::requests(
                "documents",
                &[Pool::Attempts, Pool::Clients, Pool::Interactions],
                &[303],
                documents,
            )
        },
        Flood {
            limited: &[429],
            min_rate: 200.0,
            ..Flood::requests("wrong-secrets", &[Pool::Attempts], &[401], wrong_secrets)
        },
        Flood::requests("refused", &[Pool::Events], &[400], refused),
        waiting("stalled-readers", How::Unread),
        waiting("half-sent-headers", How::HalfSent),
    ]
}

/// A request that stays where it is asked.
pub(crate) fn document() -> String {
    get("/.well-known/openid-configuration", "")
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {AUTHORITY}\r\n{headers}\r\n")
}

fn post(path: &str, kind: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {AUTHORITY}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
}

fn post_form(path: &str, headers: &str, fields: &[(&str, &str)]) -> String {
    let body = form_encode(fields.iter().copied());
    post(path, "application/x-www-form-urlencoded", headers, &body)
}

fn ceremonies(scene: &Scene) -> Vec<String> {
    let Browser { csrf, storage, .. } = &scene.browser;
    let own = format!(
        "Sec-Fetch-Site: same-origin\r\nX-CSRF-Token: {csrf}\r\nGatelodge-Storage: {storage}\r\n"
    );
    vec![post("/gate/webauthn/authenticate/start", "application/json", &own, "{}")]
}

fn interaction(headers: &str) -> String {
    let request = authorization("shop", "https://shop.example/cb", "openid profile");
    get(&format!("/oauth/authorize?{request}"), headers)
}

/// What a page of another site can have a browser ask for: a frame or a popup, and an image.
fn cross_site(_: &Scene) -> Vec<String> {
    let from = |mode: &str| {
        interaction(&format!("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: {mode}\r\n"))
    };
    vec![from("navigate"), from("no-cors")]
}

fn logouts(scene: &Scene) -> Vec<String> {
    vec![get(&format!("/oauth/logout?id_token_hint={}", scene.id_token), "")]
}

fn pushed_requests(_: &Scene) -> Vec<String> {
    let request = authorization("reader", "https://reader.example/cb", "openid profile");
    vec![post("/oauth/par", "application/x-www-form-urlencoded", "", &request)]
}

fn device_codes(_: &Scene) -> Vec<String> {
    let fields = [("client_id", "telly"), ("scope", "openid profile")];
    vec![post_form("/oauth/device_authorization", "", &fields)]
}

/// No two alike, since the same one again would replace the one before.
fn registrations(_: &Scene) -> Vec<String> {
    let number = str::from_utf8(NUMBER).unwrap();
    let described = json!({
        "client_name": format!("App {number}"),
        "redirect_uris": [format!("https://app{number}.example/cb").replace('#', "0")],
        "token_endpoint_auth_method": "none",
    });
    vec![post("/oauth/register", "application/json", "", &described.to_string())]
}

fn documents(scene: &Scene) -> Vec<String> {
    let number = str::from_utf8(NUMBER).unwrap();
    let id = format!("http://{}/clients/", scene.site);
    let request = authorization(&id, "http://127.0.0.1/cb", "openid");
    let named = form_encode([("", &*id)]);
    let request = request.replace(&named[1..], &format!("{}{number}", &named[1..]));
    vec![get(&format!("/oauth/authorize?{request}"), "")]
}

/// Requests that are refused on an error page, each of which would be an event.
fn refused(_: &Scene) -> Vec<String> {
    let number = str::from_utf8(NUMBER).unwrap();
    let request = authorization("shop", "https://evil.example/NUMBER", "openid profile");
    vec![get(&format!("/oauth/authorize?{}", request.replace("NUMBER", number)), "")]
}

/// Guesses at a secret that a person chose.
fn wrong_secrets(_: &Scene) -> Vec<String> {
    let number = str::from_utf8(NUMBER).unwrap();
    let body = form_encode([("grant_type", "client_credentials"), ("client_id", "legacy")]);
    let body = format!("{body}&client_secret=guess-{number}");
    vec![post("/oauth/token", "application/x-www-form-urlencoded", "", &body)]
}
