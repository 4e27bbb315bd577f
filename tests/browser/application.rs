//! An application that people sign in to: a listener on loopback, and a client registered for it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::program::Home;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// How long a browser may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// An application called `The Shop`.
pub(crate) struct Application {
    issuer: String,
    listener: TcpListener,
    redirect_uri: String,
    secret: String,
}

impl Application {
    /// One that an operator registers, with `more` on the command line.
    pub(crate) async fn registered(home: &Home, more: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let (redirect_uri, bye) = (format!("{own}/callback"), format!("{own}/bye"));
        let mut arguments = vec!["client", "add", "The Shop", "--id", "shop", "--json"];
        arguments.extend(["--redirect", &redirect_uri, "--post-logout", &bye]);
        arguments.extend(more);
        let added = home.command(&arguments).output().unwrap();
        let added: Value = serde_json::from_slice(&added.stdout).unwrap();
        let issuer = home.json("issuer show")["issuer"].as_str().unwrap().to_owned();
        let secret = added["client_secret"].as_str().unwrap().to_owned();
        Self { issuer, listener, redirect_uri, secret }
    }

    /// Where it sends a browser to sign in.
    pub(crate) fn request(&self, scope: &str) -> String {
        let query = Serializer::new(String::new())
            .extend_pairs([
                ("client_id", "shop"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
                ("nonce", "n-0S6_WzA2Mj"),
                ("redirect_uri", &self.redirect_uri),
                ("response_type", "code"),
                ("scope", scope),
                ("state", "af0ifjsldkj"),
            ])
            .finish();
        format!("{}/oauth/authorize?{query}", self.issuer)
    }

    /// Where it sends a browser to sign out.
    pub(crate) fn logout(&self) -> String {
        let bye = self.redirect_uri.replace("/callback", "/bye");
        let query = Serializer::new(String::new())
            .extend_pairs([
                ("client_id", "shop"),
                ("post_logout_redirect_uri", &bye),
                ("state", "until-we-meet-again"),
            ])
            .finish();
        format!("{}/oauth/logout?{query}", self.issuer)
    }

    /// Waits for the browser to come back to `path`, and takes what it brings, in a query or a form.
    pub(crate) async fn visited(&self, path: &str) -> BTreeMap<String, String> {
        let page = "<!doctype html><link rel=icon href=data:,><title>The Shop</title>Welcome back.";
        self.answers(path, &format!("200 OK\r\nContent-Type: text/html\r\n\r\n{page}")).await
    }

    /// As [`Self::visited`], and leaves the browser on the page that sent it.
    pub(crate) async fn turns_away(&self, path: &str) -> BTreeMap<String, String> {
        self.answers(path, "204 No Content\r\n\r\n").await
    }

    async fn answers(&self, path: &str, answer: &str) -> BTreeMap<String, String> {
        loop {
            let accepted = tokio::time::timeout(PATIENCE, self.listener.accept()).await;
            let mut stream = BufReader::new(accepted.expect("the browser comes back").unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
            // A browser opens connections ahead of need, and shuts them without a word.
            let Some(target) = head.split(' ').nth(1) else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length = length.and_then(|length| length.parse().ok());
            let mut form = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut form).await.unwrap();
            let answer = answer.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            let _ = stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await;
            let _ = stream.shutdown().await;
            let mut target = Url::parse(&self.redirect_uri).unwrap().join(target).unwrap();
            if target.path() == path {
                if head.starts_with("POST ") {
                    assert_eq!(target.query(), None);
                    target.set_query(Some(std::str::from_utf8(&form).unwrap()));
                }
                assert!(!head.to_lowercase().contains("\r\nreferer:"), "{head}");
                assert!(!head.to_lowercase().contains("\r\ncookie:"), "{head}");
                return target.query_pairs().into_owned().collect();
            }
        }
    }

    /// Redeems `code`.
    pub(crate) async fn redeem(&self, code: &str) -> (u16, Value) {
        let form = Serializer::new(String::new())
            .extend_pairs([
                ("code", code),
                ("code_verifier", VERIFIER),
                ("grant_type", "authorization_code"),
                ("redirect_uri", &self.redirect_uri),
            ])
            .finish();
        let asked = reqwest::Client::new()
            .post(format!("{}/oauth/token", self.issuer))
            .basic_auth("shop", Some(&self.secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }
}
