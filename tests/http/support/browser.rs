//! A browser with one person and one passkey.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use gatelodge::clock::Timestamp;
use gatelodge::http::Peer;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};
use url::Url;

use super::{Authenticator, Response, Server, SessionKey, storage_secret};

struct Cookie {
    name: String,
    value: String,
    path: String,
    expires: Timestamp,
}

/// Cookies, a session key, a passkey, and the page that was seen last.
pub(crate) struct Browser {
    pub(crate) server: Server,
    pub(crate) authenticator: Authenticator,
    pub(crate) csrf: String,
    /// What it tells of itself with every request.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// The key of its session, where a session is one.
    pub(crate) key: Option<SessionKey>,
    cookies: Vec<Cookie>,
    address: IpAddr,
    /// The secret of its storage.
    pub(crate) storage: String,
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            server: server.clone(),
            authenticator: Authenticator::new(),
            csrf: String::new(),
            headers: Vec::new(),
            key: None,
            cookies: Vec::new(),
            address: Ipv4Addr::LOCALHOST.into(),
            storage: storage_secret(),
        }
    }

    /// A browser that has seen the sign-in page and nothing else.
    pub(crate) async fn at_login(server: &Server) -> Self {
        let mut browser = Self::new(server);
        browser.visit("/login").await;
        browser
    }

    /// The browser, on a machine with that address.
    pub(crate) fn at(self, address: &str) -> Self {
        Self { address: address.parse().unwrap(), ..self }
    }

    /// Sends a request with what belongs to its path, and keeps the cookies that come back. Where a
    /// session is a key, it is the script of a page that asks for one.
    pub(crate) async fn send(&mut self, request: Request) -> Response {
        let at_pages = request.uri().path().starts_with("/gate/");
        if !at_pages || !self.server.app.rules().session_is_key() {
            return self.send_unproven(request).await;
        }
        let (mut parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let challenge = self.server.app.session_challenge();
        let target = parts.uri.path_and_query().unwrap().to_string();
        let proof = |key: &SessionKey| {
            let proof = key.proof(&challenge, parts.method.as_str(), &target, &body);
            proof.parse::<HeaderValue>().unwrap()
        };
        let opens = target.ends_with("/finish") && !target.ends_with("/add/finish");
        let opened = opens.then(SessionKey::new);
        let proofs = [
            ("gatelodge-proof", self.key.as_ref().map(proof)),
            ("gatelodge-new-key-proof", opened.as_ref().map(proof)),
        ];
        for (name, proof) in proofs {
            if let Some(proof) = proof {
                parts.headers.insert(name, proof);
            }
        }
        parts.headers.insert("gatelodge-storage", self.storage.parse().unwrap());
        let mut response = self.send_unproven(Request::from_parts(parts, Body::from(body))).await;
        if opened.is_some() && response.status == StatusCode::OK {
            self.key = opened;
        }
        // The script goes on as after a redirect.
        if response.status == StatusCode::OK && response.headers.contains_key(header::LOCATION) {
            response.status = StatusCode::SEE_OTHER;
        }
        response
    }

    /// Sends a request as the browser itself does, with cookies and nothing else.
    pub(crate) async fn send_unproven(&mut self, mut request: Request) -> Response {
        let cookies = self.cookies_for(request.uri().path());
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        request.extensions_mut().insert(Peer(self.address));
        let response = self.server.send(request).await;
        for cookie in response.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        if let Some(csrf) = response.csrf().filter(|csrf| !csrf.is_empty()) {
            self.csrf = csrf;
        }
        response
    }

    /// The `Cookie` header for a path.
    pub(crate) fn cookies_for(&self, path: &str) -> String {
        let now = self.server.app.clock().now();
        let sent =
            self.cookies.iter().filter(|own| now < own.expires && path.starts_with(&own.path));
        sent.map(|own| format!("{}={}", own.name, own.value)).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, set_cookie: &str) {
        let mut parts = set_cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let (mut path, mut age) = ("/", 0);
        for attribute in parts {
            match attribute.split_once('=') {
                Some(("Max-Age", seconds)) => age = seconds.parse().unwrap(),
                Some(("Path", given)) => path = given,
                _ => {}
            }
        }
        let expires = self.server.app.clock().now() + std::time::Duration::from_secs(age);
        self.cookies.retain(|own| own.name != name);
        self.cookies.push(Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            path: path.to_owned(),
            expires,
        });
    }

    /// Takes over what another browser keeps, and never lets it go.
    pub(crate) fn keep_from(&mut self, other: &Self) {
        self.key.clone_from(&other.key);
        self.storage.clone_from(&other.storage);
        let copied = other.cookies.iter().map(|own| Cookie {
            name: own.name.clone(),
            value: own.value.clone(),
            path: own.path.clone(),
            expires: Timestamp::from_millis(u64::MAX),
        });
        self.cookies = copied.filter(|own| !own.value.is_empty()).collect();
    }

    /// Opens an address, and follows redirects as long as they stay with the issuer.
    pub(crate) async fn visit(&mut self, address: &str) -> Response {
        let base = Url::parse(self.server.issuer()).unwrap();
        let mut url = base.join(address).unwrap();
        loop {
            let target = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
            let request = Request::get(target).header(header::ACCEPT, "text/html");
            let response = self.send(request.body(Body::empty()).unwrap()).await;
            if !response.status.is_redirection() {
                return response;
            }
            url = base.join(response.location()).unwrap();
            if url.origin() != base.origin() {
                return response;
            }
        }
    }

    /// Sends a form as a page of the issuer's would.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let csrf = self.csrf.clone();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(form_encode(all))).unwrap()).await
    }

    /// Sends JSON as a script of the issuer's would.
    pub(crate) async fn call(&mut self, path: &str, body: &Value) -> Response {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin")
            .header("x-csrf-token", &self.csrf);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Presses a button of the page that an interaction showed.
    pub(crate) async fn decide(&mut self, page: &Response, decision: &str) -> Response {
        let path = page.action();
        let scope = page.hidden("scope").unwrap_or_default();
        self.submit(&path, &[("scope", &scope), ("decision", decision)]).await
    }

    /// Opens the link of a device, and goes on with the code that it filled in.
    pub(crate) async fn open_device(&mut self, device: &Value) -> Response {
        let text = |name: &str| device[name].as_str().unwrap();
        self.visit(text("verification_uri_complete")).await;
        self.submit("/gate/device", &[("user_code", text("user_code"))]).await
    }

    /// Presses a button of the page that asks about a device.
    pub(crate) async fn decide_on_device(&mut self, page: &Response, decision: &str) -> Response {
        let code = page.hidden("user_code").expect("the page asks about a device");
        let scope = page.hidden("scope").unwrap_or_default();
        let fields = [("user_code", &*code), ("scope", &*scope), ("decision", decision)];
        let response = self.submit("/gate/device", &fields).await;
        if response.status == StatusCode::SEE_OTHER {
            self.visit(response.location()).await
        } else {
            response
        }
    }

    /// Begins a sign-in, and signs its challenge.
    pub(crate) async fn signed_challenge(&mut self) -> Value {
        self.visit("/login").await;
        let started = self.call("/gate/webauthn/authenticate/start", &json!({})).await.json();
        let origin = self.server.issuer().to_owned();
        let credential = self.authenticator.authenticate(&origin, &started["publicKey"]).await;
        json!({ "ceremony": started["ceremony"], "credential": credential })
    }

    pub(crate) async fn finish_sign_in(&mut self, signed: &Value) -> Response {
        self.call("/gate/webauthn/authenticate/finish", signed).await
    }

    /// Signs in.
    pub(crate) async fn sign_in(&mut self) {
        let signed = self.signed_challenge().await;
        let response = self.finish_sign_in(&signed).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }

    /// Signs out on the account page.
    pub(crate) async fn sign_out(&mut self) {
        self.visit("/account").await;
        let response = self.submit("/gate/logout", &[]).await;
        assert_eq!(response.location(), "/gate/logged-out");
    }

    /// Opens a setup link, and gives the secret in its fragment.
    pub(crate) async fn open_link(&mut self, url: &str) -> String {
        let (page, token) = url.split_once('#').unwrap();
        self.visit(page).await;
        token.to_owned()
    }

    /// Starts the registration of a passkey, and signs its challenge.
    pub(crate) async fn made_passkey(&mut self, token: &str, username: Option<&str>) -> Value {
        let start = json!({ "token": token, "username": username });
        self.started_passkey(&start).await.unwrap_or_else(|refused| panic!("{}", refused.text()))
    }

    /// As [`Self::made_passkey`], for whatever the page sends; the response, if that is refused.
    pub(crate) async fn started_passkey(&mut self, start: &Value) -> Result<Value, Box<Response>> {
        let started = self.call("/gate/webauthn/register/start", start).await;
        if started.status != 200 {
            return Err(Box::new(started));
        }
        let (started, origin) = (started.json(), self.server.issuer().to_owned());
        let credential = self.authenticator.register(&origin, &started["publicKey"]).await;
        let token = &start["token"];
        Ok(json!({ "ceremony": started["ceremony"], "token": token, "credential": credential }))
    }

    pub(crate) async fn finish_setup(&mut self, made: &Value) -> Response {
        self.call("/gate/webauthn/register/finish", made).await
    }

    /// Follows a setup link to the end.
    pub(crate) async fn enrol(&mut self, url: &str, username: Option<&str>) {
        let token = self.open_link(url).await;
        let made = self.made_passkey(&token, username).await;
        let response = self.finish_setup(&made).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }
}
