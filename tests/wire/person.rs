//! A person at a browser: cookies, a session key, a passkey, and the pages of a running server.

use std::collections::BTreeMap;

use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use crate::connection::{Response, ask};
use crate::program::Server;

#[expect(dead_code, reason = "these stories need less of it than those of tests/http")]
#[path = "../http/support/authenticator.rs"]
mod authenticator;

#[path = "../http/support/session_key.rs"]
mod session_key;

use authenticator::Authenticator;
use session_key::{SessionKey, storage_secret};

/// Ada, who runs the server, and her browser.
pub(crate) struct Person {
    authenticator: Authenticator,
    cookies: BTreeMap<String, String>,
    csrf: String,
    key: Option<SessionKey>,
    storage: String,
}

impl Person {
    /// Follows the setup link of a server that told it, and is signed in then.
    pub(crate) fn enrolled(server: &Server) -> Self {
        Self::by_link(server, server.ready["setup_url"].as_str().unwrap(), Some("ada"))
    }

    /// Follows a setup link with a browser and an authenticator of its own.
    pub(crate) fn by_link(server: &Server, link: &str, username: Option<&str>) -> Self {
        let (page, token) = link.split_once('#').unwrap();
        let mut ada = Self {
            authenticator: Authenticator::new(),
            cookies: BTreeMap::new(),
            csrf: String::new(),
            key: None,
            storage: storage_secret(),
        };
        ada.visit(server, page);
        let start = json!({ "token": token, "username": username });
        let started = ada.call(server, "/gate/webauthn/register/start", &start);
        let credential = waited(ada.authenticator.register(server.issuer(), &started["publicKey"]));
        let made =
            json!({ "ceremony": started["ceremony"], "token": token, "credential": credential });
        ada.call(server, "/gate/webauthn/register/finish", &made);
        ada
    }

    /// Opens an address of the server's, and follows its redirects.
    pub(crate) fn visit(&mut self, server: &Server, address: &str) -> Response {
        let mut path = address.strip_prefix(server.issuer()).unwrap_or(address).to_owned();
        loop {
            let response = self.send(server, &format!("GET {path}"), "Accept: text/html", "");
            let Some(next) = header(&response, "location") else { return response };
            let next = next.strip_prefix(server.issuer()).unwrap_or(&next).to_owned();
            if !next.starts_with('/') {
                return response;
            }
            path = next;
        }
    }

    /// Opens the address that a command printed, presses a button there, and gives the address to
    /// which the browser is sent on.
    pub(crate) fn decide(&mut self, server: &Server, address: &str, decision: &str) -> String {
        let page = self.visit(server, address);
        let action = between(&page.body, "action=\"", "\"").expect("the page has a form");
        let scope = hidden(&page, "scope");
        let response = self.submit(server, &action, &[("scope", &scope), ("decision", decision)]);
        let redirect = between(&response.body, "http-equiv=\"refresh\" content=\"0;url=", "\"");
        redirect.unwrap_or_else(|| panic!("nothing goes on: {} {}", response.head, response.body))
    }

    /// Lets the device in that the address leads to, and returns where its page leads on.
    pub(crate) fn allow_device(&mut self, server: &Server, address: &str) -> Option<String> {
        self.visit(server, address);
        let (_, code) = address.split_once("user_code=").expect("the address has the code");
        let page = self.submit(server, "/gate/device", &[("user_code", code)]);
        let (code, scope) = (hidden(&page, "user_code"), hidden(&page, "scope"));
        let fields = [("user_code", &*code), ("scope", &*scope), ("decision", "allow")];
        header(&self.submit(server, "/gate/device", &fields), "location")
    }

    fn submit(&mut self, server: &Server, path: &str, fields: &[(&str, &str)]) -> Response {
        let csrf = self.csrf.clone();
        let form = form_encode([("csrf", csrf.as_str())].iter().chain(fields).copied());
        let head = "Content-Type: application/x-www-form-urlencoded";
        self.send(server, &format!("POST {path}"), head, &form)
    }

    fn call(&mut self, server: &Server, path: &str, body: &Value) -> Value {
        let head = format!("Content-Type: application/json\r\nX-CSRF-Token: {}", self.csrf);
        let response = self.send(server, &format!("POST {path}"), &head, &body.to_string());
        assert_eq!(response.status, 200, "{}", response.body);
        response.json()
    }

    /// Sends a request as the script of a page does: with a proof.
    fn send(&mut self, server: &Server, line: &str, head: &str, body: &str) -> Response {
        let (method, target) = line.split_once(' ').unwrap();
        if !target.starts_with("/gate/") {
            return self.send_unproven(server, line, head, body);
        }
        let page = self.send_unproven(server, "GET /gate/login", "Accept: text/html", "");
        let challenge = header(&page, "gatelodge-challenge").unwrap();
        let mut head = format!("{head}\r\nGatelodge-Storage: {}", self.storage);
        let opened = target.ends_with("/finish").then(SessionKey::new);
        for (name, key) in [("Proof", &self.key), ("New-Key-Proof", &opened)] {
            if let Some(key) = key {
                let proof = key.proof(&challenge, method, target, body.as_bytes());
                head.push_str(&format!("\r\nGatelodge-{name}: {proof}"));
            }
        }
        let response = self.send_unproven(server, line, &head, body);
        if opened.is_some() && response.status == 200 {
            self.key = opened;
        }
        response
    }

    fn send_unproven(&mut self, server: &Server, line: &str, head: &str, body: &str) -> Response {
        let host = server.issuer().strip_prefix("http://").unwrap();
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookies}\
             \r\n{head}"
        );
        let response = ask(server, &head, body);
        for line in response.head.lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                let (name, rest) = cookie.split_once('=').unwrap();
                let value = rest.split(';').next().unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let csrf = between(&response.body, "<meta name=\"csrf\" content=\"", "\"");
        if let Some(csrf) = csrf.filter(|csrf| !csrf.is_empty()) {
            self.csrf = csrf;
        }
        response
    }
}

fn waited<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = |line: &str| line.strip_prefix(&format!("{name}: ")).map(str::to_owned);
    response.head.lines().find_map(value)
}

fn hidden(page: &Response, name: &str) -> String {
    between(&page.body, &format!("name=\"{name}\" value=\""), "\"").unwrap_or_default()
}

/// What stands between `before` and `after`, as its page means it.
fn between(html: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = html.split_once(before)?;
    let (between, _) = rest.split_once(after)?;
    let between = between.replace("&#34;", "\"").replace("&#39;", "'");
    let between = between.replace("&#60;", "<").replace("&#62;", ">");
    Some(between.replace("&#38;", "&").replace("&amp;", "&"))
}
