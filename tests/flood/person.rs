//! The person who signs in, and the client that refreshes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use crate::exchange::{self, ISSUER, Response};
use crate::server::Credentials;

#[path = "../http/support/authenticator.rs"]
mod authenticator;

#[path = "../http/support/session_key.rs"]
mod session_key;

use authenticator::Authenticator;
use session_key::{SessionKey, storage_secret};

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser with nothing in it yet.
pub(crate) struct Browser {
    challenge: String,
    cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
    key: Option<SessionKey>,
    pub(crate) storage: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self {
            challenge: String::new(),
            cookies: BTreeMap::new(),
            csrf: String::new(),
            key: None,
            storage: storage_secret(),
        }
    }

    /// Opens a page as a browser does, and then as its script does, with the proof.
    pub(crate) fn open(&mut self, path: &str) -> Result<Response, String> {
        self.send(&format!("GET {path}"), "Accept: text/html\r\n", "")?;
        self.load(path)
    }

    fn load(&mut self, path: &str) -> Result<Response, String> {
        self.send_proven("GET", path, "Accept: text/html\r\n", "")
    }

    fn call(&mut self, path: &str, body: &Value) -> Result<Value, String> {
        let headers = format!("Content-Type: application/json\r\nX-CSRF-Token: {}\r\n", self.csrf);
        let response = self.send_proven("POST", path, &headers, &body.to_string())?;
        response.with_status(200)?.json()
    }

    fn send_proven(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<Response, String> {
        let mut headers = format!("{headers}Gatelodge-Storage: {}\r\n", self.storage);
        let opened = path.ends_with("/finish").then(SessionKey::new);
        for (name, key) in [("Proof", &self.key), ("New-Key-Proof", &opened)] {
            if let Some(key) = key {
                let proof = key.proof(&self.challenge, method, path, body.as_bytes());
                headers.push_str(&format!("Gatelodge-{name}: {proof}\r\n"));
            }
        }
        let response = self.send(&format!("{method} {path}"), &headers, body)?;
        if opened.is_some() && response.status == 200 {
            self.key = opened;
        }
        Ok(response)
    }

    fn send(&mut self, line: &str, headers: &str, body: &str) -> Result<Response, String> {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = format!("Sec-Fetch-Site: same-origin\r\nCookie: {cookies}\r\n{headers}");
        let response = exchange::ask(line, &headers, body)?;
        for cookie in response.headers("set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap_or_default();
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(challenge) = response.headers("gatelodge-challenge").next() {
            challenge.clone_into(&mut self.challenge);
        }
        let csrf = between(&response.body, "<meta name=\"csrf\" content=\"", "\"");
        if let Some(csrf) = csrf.filter(|csrf| !csrf.is_empty()) {
            self.csrf = csrf;
        }
        Ok(response)
    }
}

/// Ada, who has a passkey.
pub(crate) struct Person(Authenticator);

impl Person {
    /// Follows a setup link.
    pub(crate) fn enrolled(link: &str) -> Result<Self, String> {
        let mut authenticator = Authenticator::new();
        let token = link.split_once('#').ok_or("the link has no secret")?.1;
        let mut browser = Browser::new();
        browser.open("/gate/setup")?;
        let start = json!({ "token": token, "username": "ada" });
        let started = browser.call("/gate/webauthn/register/start", &start)?;
        let credential = waited(authenticator.register(ISSUER, &started["publicKey"]));
        let made =
            json!({ "ceremony": started["ceremony"], "token": token, "credential": credential });
        browser.call("/gate/webauthn/register/finish", &made)?;
        Ok(Self(authenticator))
    }

    /// Signs in to `client` in a new browser: from its request to its tokens.
    pub(crate) fn sign_in(&mut self, client: &Credentials, scope: &str) -> Result<Value, String> {
        let mut browser = Browser::new();
        let request = authorization(&client.id, &client.redirect_uri(), scope);
        let started = browser.send(&format!("GET /oauth/authorize?{request}"), "", "")?;
        let page = location(&started).ok_or_else(|| format!("no page: {}", started.status))?;
        browser.open(&page)?.with_status(200)?;

        let started = browser.call("/gate/webauthn/authenticate/start", &json!({}))?;
        let credential = waited(self.0.authenticate(ISSUER, &started["publicKey"]));
        let signed = json!({ "ceremony": started["ceremony"], "credential": credential });
        browser.call("/gate/webauthn/authenticate/finish", &signed)?;

        let response = browser.load(&page)?;
        let back = location(&response)
            .or_else(|| between(&response.body, "http-equiv=\"refresh\" content=\"0;url=", "\""))
            .ok_or_else(|| format!("nothing goes on: {}", response.body))?;
        let code = between(&format!("{back}&"), "code=", "&").ok_or("no code comes back")?;
        client.token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &client.redirect_uri()),
            ("code_verifier", VERIFIER),
        ])
    }
}

/// A client with a refresh token.
pub(crate) struct Refresher {
    pub(crate) client: Credentials,
    pub(crate) token: String,
}

impl Refresher {
    pub(crate) fn refresh(&mut self) -> Result<(), String> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &*self.token)];
        let tokens = self.client.token(&fields)?;
        let next = tokens["refresh_token"].as_str().ok_or("no refresh token")?;
        next.clone_into(&mut self.token);
        Ok(())
    }
}

impl Credentials {
    pub(crate) fn redirect_uri(&self) -> String {
        format!("https://{}.example/cb", self.id)
    }

    fn token(&self, fields: &[(&str, &str)]) -> Result<Value, String> {
        let basic = STANDARD.encode(format!("{}:{}", self.id, self.secret));
        let headers = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic {basic}\r\n"
        );
        let form = form_encode(fields.iter().copied());
        exchange::ask("POST /oauth/token", &headers, &form)?.with_status(200)?.json()
    }
}

/// The query of an authorization request.
pub(crate) fn authorization(client: &str, redirect_uri: &str, scope: &str) -> String {
    form_encode([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("scope", scope),
        ("state", "af0ifjsldkj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

fn location(response: &Response) -> Option<String> {
    let location = response.headers("location").next()?;
    Some(location.strip_prefix(ISSUER).unwrap_or(location).to_owned())
}

fn waited<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What stands between `before` and `after`, as its page means it.
fn between(html: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = html.split_once(before)?;
    let (between, _) = rest.split_once(after)?;
    Some(between.replace("&#38;", "&").replace("&amp;", "&"))
}
