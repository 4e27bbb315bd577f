//! A client: what it asks of the browser, and what it asks of the server.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};
use url::Url;

use super::{Browser, Response, Server, Signer, Tokens, presenting};

/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered client.
#[derive(Clone)]
pub(crate) struct RelyingParty {
    pub(crate) server: Server,
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    pub(crate) redirect_uri: String,
    by_post: bool,
    signer: Option<Arc<Signer>>,
}

impl RelyingParty {
    /// The client of a registration response.
    pub(crate) fn new(server: &Server, registered: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            server: server.clone(),
            id: text(&registered["client_id"]).unwrap(),
            secret: text(&registered["client_secret"]),
            redirect_uri: text(&registered["redirect_uris"][0]).unwrap_or_default(),
            by_post: registered["token_endpoint_auth_method"] == "client_secret_post",
            signer: None,
        }
    }

    /// The same client, of another server.
    pub(crate) fn at(self, server: &Server) -> Self {
        Self { server: server.clone(), ..self }
    }

    /// The same client, which proves itself by what `signer` signs.
    pub(crate) fn signing_with(self, signer: &Arc<Signer>) -> Self {
        Self { signer: Some(Arc::clone(signer)), ..self }
    }

    /// A confidential client on the web.
    pub(crate) async fn web(server: &Server) -> Self {
        let registration = json!({
            "name": "Shop",
            "client_id": "shop",
            "redirect_uris": ["https://shop.example/cb"],
            "post_logout_redirect_uris": ["https://shop.example/bye"],
        });
        server.client(registration).await
    }

    /// A public client in a browser.
    pub(crate) async fn spa(server: &Server) -> Self {
        let registration = json!({
            "name": "Reader",
            "client_id": "reader",
            "client_type": "public",
            "redirect_uris": ["https://reader.example/cb"],
        });
        server.client(registration).await
    }

    /// A public client on the person's own machine.
    pub(crate) async fn native(server: &Server) -> Self {
        let registration = json!({
            "name": "Agent",
            "client_id": "agent",
            "client_type": "public",
            "redirect_uris": ["http://127.0.0.1/cb"],
        });
        server.client(registration).await
    }

    /// A public client on a device without a browser.
    pub(crate) async fn tv(server: &Server) -> Self {
        let registration = json!({
            "name": "Telly",
            "client_id": "telly",
            "client_type": "public",
            "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        });
        server.client(registration).await
    }

    /// Begins a device authorization.
    pub(crate) async fn device(&self) -> Value {
        let response = self.post("/oauth/device_authorization", &[("scope", "openid profile")]);
        let response = response.await;
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    /// Asks what became of a device authorization.
    pub(crate) async fn poll(&self, device: &Value) -> Response {
        let code = device["device_code"].as_str().unwrap();
        let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
        self.ask(&[("grant_type", grant_type), ("device_code", code)]).await
    }

    /// Pushes an authorization request, and gives the way to it.
    pub(crate) async fn push(&self, changes: &[(&str, &str)]) -> String {
        let response = self.push_raw(changes).await;
        assert_eq!(response.status, 201, "{}", response.text());
        self.pushed(response.json()["request_uri"].as_str().unwrap())
    }

    pub(crate) async fn push_raw(&self, changes: &[(&str, &str)]) -> Response {
        let request = self.request(changes);
        let query = Url::parse("http://localhost").unwrap().join(&request).unwrap();
        let fields: Vec<(String, String)> =
            query.query_pairs().into_owned().filter(|(name, _)| name != "client_id").collect();
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post("/oauth/par", &fields).await
    }

    /// The address to which a browser brings a `request_uri`.
    pub(crate) fn pushed(&self, request_uri: &str) -> String {
        let params = form_encode([("client_id", self.id.as_str()), ("request_uri", request_uri)]);
        format!("/oauth/authorize?{params}")
    }

    /// A client that acts for itself.
    pub(crate) async fn robot(server: &Server) -> Self {
        let registration = json!({ "name": "Robot", "client_id": "robot", "scope": "email" });
        server.client(registration).await
    }

    /// An authorization request, `changes` made to it: an empty value leaves a parameter out.
    pub(crate) fn request(&self, changes: &[(&str, &str)]) -> String {
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", "openid offline_access"),
            ("state", "s-1"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            params.retain(|(own, _)| own != name);
            params.push((name, value));
        }
        params.retain(|(_, value)| !value.is_empty());
        format!("/oauth/authorize?{}", form_encode(params))
    }

    /// Sends the browser with a request, and says yes to whatever it asks.
    pub(crate) async fn authorize(
        &self,
        browser: &mut Browser,
        changes: &[(&str, &str)],
    ) -> Response {
        let request = self.request(changes);
        let mut response = browser.visit(&request).await;
        if response.asks_to_sign_in() {
            let next = response.text().split("data-next=\"").nth(1).unwrap();
            let next = next.split('"').next().unwrap().to_owned();
            browser.sign_in().await;
            response = browser.visit(&next).await;
        }
        if response.asks_for_consent() {
            response = browser.decide(&response, "allow").await;
        }
        response
    }

    /// The code that such a request brings home.
    pub(crate) async fn code(&self, browser: &mut Browser) -> String {
        let response = self.authorize(browser, &[]).await;
        response
            .brought()
            .remove("code")
            .unwrap_or_else(|| panic!("no code: {:?}", response.redirect_url()))
    }

    /// The tokens that such a request leads to.
    pub(crate) async fn tokens(&self, browser: &mut Browser) -> Tokens {
        let code = self.code(browser).await;
        self.redeem(&code).await.tokens()
    }

    /// As [`Self::tokens`], for another scope.
    pub(crate) async fn tokens_of(&self, browser: &mut Browser, scope: &str) -> Tokens {
        let mut brought = self.authorize(browser, &[("scope", scope)]).await.brought();
        self.redeem(&brought.remove("code").unwrap()).await.tokens()
    }

    /// The form with which a code is redeemed.
    pub(crate) fn redemption<'a>(&'a self, code: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", VERIFIER),
        ]
    }

    pub(crate) async fn redeem(&self, code: &str) -> Response {
        self.ask(&self.redemption(code)).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Response {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Sends a form to the token endpoint, with the proof that this client registered.
    pub(crate) async fn ask(&self, fields: &[(&str, &str)]) -> Response {
        self.post("/oauth/token", fields).await
    }

    /// The response to this client's introspection of a token.
    pub(crate) async fn introspect(&self, token: &str) -> Response {
        self.post("/oauth/introspect", &[("token", token)]).await
    }

    pub(crate) async fn revoke(&self, token: &str) -> Response {
        self.post("/oauth/revoke", &[("token", token)]).await
    }

    /// Sends a form to an endpoint for programs, with the proof that this client registered.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut fields = fields.to_vec();
        if let Some(signer) = &self.signer {
            let assertion = signer.assertion(&self.server, &self.id, &json!({}));
            fields.extend(presenting(&assertion));
            return posted(&self.server, path, None, &fields).await;
        }
        match &self.secret {
            Some(secret) if !self.by_post => {
                let authorization = basic(&self.id, secret);
                return posted(&self.server, path, Some(&authorization), &fields).await;
            }
            Some(secret) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", secret)]);
            }
            None => fields.push(("client_id", &self.id)),
        }
        posted(&self.server, path, None, &fields).await
    }

    /// What an access token learns of its person.
    pub(crate) async fn userinfo(&self, access: &str) -> Response {
        let request = Request::get("/oauth/userinfo")
            .header(header::AUTHORIZATION, format!("Bearer {access}"));
        self.server.send(request.body(Body::empty()).unwrap()).await
    }
}

/// The `Authorization` header of RFC 6749 §2.3.1.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_encode([(text, "")]).trim_end_matches('=').to_owned();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// Sends client metadata to the registration endpoint.
pub(crate) async fn register(server: &Server, metadata: Value) -> Response {
    let request = Request::post("/oauth/register").header(header::CONTENT_TYPE, "application/json");
    server.send(request.body(Body::from(metadata.to_string())).unwrap()).await
}

/// Sends a form to the token endpoint.
pub(crate) async fn token(
    server: &Server,
    authorization: Option<&str>,
    fields: &[(&str, &str)],
) -> Response {
    posted(server, "/oauth/token", authorization, fields).await
}

/// Sends a form.
pub(crate) async fn posted(
    server: &Server,
    path: &str,
    authorization: Option<&str>,
    fields: &[(&str, &str)],
) -> Response {
    let mut request =
        Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    let body = form_encode(fields.iter().copied());
    server.send(request.body(Body::from(body)).unwrap()).await
}

/// The header and the claims of a JWT, unverified.
pub(crate) fn decoded(jwt: &str) -> (Value, Value) {
    let part = |position: usize| {
        let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(position).unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}
