//! `gatelodge dev`: what a test harness meets.

mod approval;
mod clients;
mod clock;
mod control;
mod faults;
mod received;
mod seed;
mod start;
mod testing;

use gatelodge::oauth::params::{Params, form_encode};
use serde_json::{Value, json};

use crate::connection::{Response, ask};
use crate::program::{Home, Server};

/// Of RFC 7636 §B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Where the codes of every client here go.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:3000/callback";

/// A client that is registered.
const SHOP: &str = r#"
[clients.shop]
client_type = "public"
redirect_uris = ["http://127.0.0.1:3000/callback"]
grant_types = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]
scopes = ["openid", "profile", "email", "offline_access"]
"#;

/// A development server, and the home that it runs in.
pub(crate) struct Dev {
    pub(crate) home: Home,
    pub(crate) server: Server,
}

impl Dev {
    /// One that `arguments` ask for.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let home = Home::new();
        let server = home.start(&[&["dev"], arguments].concat());
        Self { home, server }
    }

    /// One that has a client, and in which ada approves everything.
    pub(crate) fn with_shop(arguments: &[&str]) -> Self {
        let home = Home::new();
        let file = home.path("house.toml");
        std::fs::write(&file, SHOP).unwrap();
        let own = ["dev", "--auto-approve", "ada", "--apply", file.to_str().unwrap()];
        let server = home.start(&[&own, arguments].concat());
        Self { home, server }
    }

    /// Sends a request under the issuer's name; each of `headers` is a line.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Response {
        let host = self.server.issuer().strip_prefix("http://").unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}");
        for header in headers {
            head.push_str(&format!("\r\n{header}"));
        }
        ask(&self.server, &head, body)
    }

    /// Sends a form.
    pub(crate) fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Response {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        self.send("POST", path, &[kind], &form_encode(pairs.iter().copied()))
    }

    /// Asks the control API as the ready line says.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Response {
        let token = self.server.ready["token"].as_str().unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bearer = format!("Authorization: Bearer {token}");
        self.send(method, &format!("/gate/dev{path}"), &[&bearer], &body)
    }

    /// As [`Self::control`], which succeeds.
    #[expect(clippy::needless_pass_by_value, reason = "a story says it in one word")]
    #[track_caller]
    pub(crate) fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let response = self.control(method, path, &body);
        assert!(response.status < 300, "{method} {path}: {}", response.body);
        response.json()
    }

    /// The response to an authorization request of the shop, with `more` parameters, which replace
    /// those of the same name.
    pub(crate) fn authorize(&self, more: &[(&str, &str)]) -> Response {
        let usual = [
            ("client_id", "shop"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("nonce", "n-0"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile email offline_access"),
            ("state", "s-0"),
        ];
        let usual = usual.iter().filter(|(name, _)| more.iter().all(|(own, _)| own != name));
        let query = form_encode(usual.chain(more).copied());
        self.send("GET", &format!("/oauth/authorize?{query}"), &[], "")
    }

    /// The code that the shop gets at once.
    #[track_caller]
    pub(crate) fn code(&self, more: &[(&str, &str)]) -> String {
        let response = self.authorize(more);
        callback(&response, "code").unwrap_or_else(|| panic!("{}{}", response.head, response.body))
    }

    /// The response to the redemption of a code.
    pub(crate) fn redeem(&self, code: &str) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "shop"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", CALLBACK),
        ];
        self.post("/oauth/token", &form)
    }

    /// The tokens that the shop gets for ada.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Value {
        let response = self.redeem(&self.code(&[]));
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    }

    /// The response to a refresh.
    pub(crate) fn refresh(&self, tokens: &Value) -> Response {
        let token = tokens["refresh_token"].as_str().unwrap();
        let form =
            [("grant_type", "refresh_token"), ("client_id", "shop"), ("refresh_token", token)];
        self.post("/oauth/token", &form)
    }

    /// The status of userinfo for an access token.
    pub(crate) fn userinfo(&self, tokens: &Value) -> Response {
        let bearer = format!("Authorization: Bearer {}", tokens["access_token"].as_str().unwrap());
        self.send("GET", "/oauth/userinfo", &[&bearer], "")
    }
}

/// The value of a header.
pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let line = |line: &'a str| {
        let (own, value) = line.split_once(": ")?;
        own.eq_ignore_ascii_case(name).then_some(value)
    };
    response.head.lines().find_map(line)
}

/// A parameter that a response sends to the callback of the shop.
pub(crate) fn callback(response: &Response, name: &str) -> Option<String> {
    let query = header(response, "location")?.strip_prefix(CALLBACK)?.strip_prefix('?')?;
    Params::parse(query.as_bytes()).ok()?.one(name).ok()?.map(str::to_owned)
}

/// The claims of a JWT.
pub(crate) fn claims(token: &Value) -> Value {
    use base64::Engine as _;
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// What is said without a body.
pub(crate) const NOTHING: Value = Value::Null;

/// A fault of the token endpoint.
#[expect(clippy::needless_pass_by_value, reason = "a story says it in one word")]
pub(crate) fn at_token(fault: Value) -> Value {
    let mut whole = json!({ "path": "/oauth/token" });
    whole.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    whole
}
