//! What one caller does, again and again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::Request;
use gatelodge::oauth::params::form_encode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::Response;
use super::caller::{Ask, Caller, Recorded};
use super::place::Seeds;

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application behind a proxy.
pub(super) const APPLICATION: &str = "wiki.example";

const CALLBACK: &str = "https://app.example/cb";
const TOKEN: &str = "/oauth/token";

/// An operation of one caller, with what it needs for the next time.
pub(super) enum Flow {
    /// The requests of an operation as they were once sent.
    Recorded(Arc<[Request<Bytes>]>),
    /// The same request each time.
    Same { form: Option<String>, headers: Vec<(&'static str, String)>, path: Cow<'static, str> },
    /// The style sheet, which a page names at first, and then again and again.
    StyleSheet,
    /// An exchange code, of those that all callers share.
    Exchange(Arc<Mutex<Vec<String>>>),
    /// A refresh token, and the next one.
    Refresh { client: &'static str, token: String },
    /// A code by a session, and its tokens.
    Code { cookies: BTreeMap<String, String> },
    /// An access token, which is made at first, and then the same request by it each time.
    ByToken { client: &'static str, refresh: String, to: To },
}

/// Where an access token goes.
pub(super) enum To {
    /// The form that stands before the token.
    Introspection {
        robot: String,
    },
    Userinfo,
}

pub(super) fn metadata(_: &Seeds, _: usize) -> Flow {
    same("/.well-known/openid-configuration", None)
}

pub(super) fn jwks(_: &Seeds, _: usize) -> Flow {
    same("/.well-known/jwks.json", None)
}

pub(super) fn style_sheet(_: &Seeds, _: usize) -> Flow {
    Flow::StyleSheet
}

pub(super) fn client_credentials(seeds: &Seeds, _: usize) -> Flow {
    let form = [("grant_type", "client_credentials")];
    same(TOKEN, Some(form_encode(form.into_iter().chain(seeds.robot()))))
}

pub(super) fn introspect_jwt(seeds: &Seeds, n: usize) -> Flow {
    let to = To::Introspection { robot: introspection("", seeds) };
    Flow::ByToken { client: "quiet", refresh: own(&seeds.inspected, n), to }
}

pub(super) fn introspect_refresh_token(seeds: &Seeds, n: usize) -> Flow {
    same("/oauth/introspect", Some(introspection(&own(&seeds.asked, n), seeds)))
}

pub(super) fn userinfo(seeds: &Seeds, n: usize) -> Flow {
    let refresh = own(&seeds.known, n);
    Flow::ByToken { client: "shop", refresh, to: To::Userinfo }
}

pub(super) fn refresh_quiet(seeds: &Seeds, n: usize) -> Flow {
    Flow::Refresh { client: "quiet", token: own(&seeds.quiet, n) }
}

pub(super) fn refresh_es256(seeds: &Seeds, n: usize) -> Flow {
    Flow::Refresh { client: "shop", token: own(&seeds.es256, n) }
}

pub(super) fn refresh_rs256(seeds: &Seeds, n: usize) -> Flow {
    Flow::Refresh { client: "rsa", token: own(&seeds.rs256, n) }
}

pub(super) fn pushed_request(_: &Seeds, _: usize) -> Flow {
    same("/oauth/par", Some(request()))
}

pub(super) fn code(seeds: &Seeds, n: usize) -> Flow {
    let cookie = ("__Host-gl_session".to_owned(), own(&seeds.sessions, n));
    Flow::Code { cookies: BTreeMap::from([cookie]) }
}

/// That of the caller with this number.
fn own(all: &[String], n: usize) -> String {
    all.get(n).cloned().unwrap()
}

/// The form that asks about `token`, which stands at its end.
fn introspection(token: &str, seeds: &Seeds) -> String {
    form_encode(seeds.robot().into_iter().chain([("token", token)]))
}

pub(super) fn exchange(seeds: &Seeds, _: usize) -> Flow {
    Flow::Exchange(Arc::clone(&seeds.exchange_codes))
}

/// What a proxy asks about each request for an application.
pub(super) fn verify(seeds: &Seeds, n: usize) -> Flow {
    let headers = vec![
        ("cookie", format!("__Host-gatelodge={}", own(&seeds.applications, n))),
        ("x-forwarded-host", APPLICATION.to_owned()),
        ("x-forwarded-method", "GET".to_owned()),
        ("x-forwarded-uri", "/wiki/start?page=1".to_owned()),
    ];
    Flow::Same { form: None, headers, path: "/auth/verify".into() }
}

fn same(path: &'static str, form: Option<String>) -> Flow {
    Flow::Same { form, headers: Vec::new(), path: path.into() }
}

/// An authorization request.
pub(super) fn request() -> String {
    form_encode([
        ("response_type", "code"),
        ("client_id", "shop"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile"),
        ("state", "af0ifjsldkj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

fn refresh_form(client: &str, token: &str) -> String {
    form_encode([("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)])
}

/// A text of a response in JSON.
fn member(response: &Response, name: &str) -> String {
    let tokens: Value = serde_json::from_slice(&response.body).unwrap();
    tokens.get(name).and_then(Value::as_str).expect(name).to_owned()
}

impl Flow {
    /// These requests, each time the same.
    pub(super) fn again(requests: &[Recorded]) -> Self {
        Self::Recorded(requests.iter().map(|own| own.request.clone()).collect())
    }

    /// Does it once.
    pub(super) async fn go(&mut self, caller: &mut Caller) {
        match self {
            Self::Recorded(requests) => {
                for request in requests.iter() {
                    caller.send(request.clone()).await;
                }
            }
            Self::Same { form, headers, path } => {
                caller.ask(Ask { form: form.clone(), headers, ..Ask::get(path) }).await;
            }
            Self::StyleSheet => {
                let page = caller.ask(Ask::get("/gate/login")).await;
                let page = String::from_utf8(page.body.to_vec()).unwrap();
                let mut links = page.split('"').filter(|text| text.starts_with("/assets/"));
                let path =
                    links.find(|path| path.ends_with(".css")).expect("a style sheet").to_owned();
                let headers = vec![("accept-encoding", "gzip".to_owned())];
                *self = Self::Same { form: None, headers, path: path.into() };
            }
            Self::Exchange(codes) => {
                let code = codes.lock().unwrap().pop().expect("an exchange code is left");
                let body = json!({ "code": code }).to_string();
                let ask = Ask::post("/v1/auth/bridge/session", body);
                let response = caller.ask(Ask { is_json: true, ..ask }).await;
                member(&response, "token");
            }
            Self::Refresh { client, token } => {
                let response = caller.ask(Ask::post(TOKEN, refresh_form(client, token))).await;
                *token = member(&response, "refresh_token");
            }
            Self::ByToken { client, refresh, to } => {
                let form = refresh_form(client, refresh);
                let response = caller.ask(Ask::post(TOKEN, form)).await;
                let access = member(&response, "access_token");
                let next = match to {
                    To::Introspection { robot } => {
                        same("/oauth/introspect", Some(format!("{robot}{access}")))
                    }
                    To::Userinfo => Self::Same {
                        form: None,
                        headers: vec![("authorization", format!("Bearer {access}"))],
                        path: "/oauth/userinfo".into(),
                    },
                };
                *self = next;
            }
            Self::Code { cookies } => {
                let path = format!("/oauth/authorize?{}", request());
                let mut at = path;
                let code = loop {
                    let ask = Ask { cookies: Some(cookies), ..Ask::get(&at) };
                    let response = caller.ask(ask).await;
                    let to = response.location.expect(&at);
                    if let Some((_, query)) = to.split_once("/cb?") {
                        let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
                        break code.expect("a code").to_owned();
                    }
                    at = to;
                };
                let form = form_encode([
                    ("grant_type", "authorization_code"),
                    ("client_id", "shop"),
                    ("code", &code),
                    ("redirect_uri", CALLBACK),
                    ("code_verifier", VERIFIER),
                ]);
                member(&caller.ask(Ask::post(TOKEN, form)).await, "id_token");
            }
        }
    }
}
