//! An application that people sign in to: a listener on loopback, and a client registered for it.

use std::collections::BTreeMap;

use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::callback_server::CallbackServer;
use crate::program::Home;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application called `The Shop`.
pub(crate) struct Application {
    issuer: String,
    callback_server: CallbackServer,
    redirect_uri: String,
    secret: String,
}

impl Application {
    /// One that an operator registers, with `more` on the command line.
    pub(crate) async fn registered(home: &Home, more: &[&str]) -> Self {
        Self::at("127.0.0.1", home, more).await
    }

    /// As [`Self::registered`], under that name of this machine.
    pub(crate) async fn at(host: &str, home: &Home, more: &[&str]) -> Self {
        let callback_server = CallbackServer::new().await.under(host);
        let (redirect_uri, bye) = (callback_server.at("/callback"), callback_server.at("/bye"));
        let mut arguments = vec!["client", "add", "The Shop", "--id", "shop", "--json"];
        arguments.extend(["--redirect", &redirect_uri, "--post-logout", &bye]);
        arguments.extend(more);
        let added = home.command(&arguments).output().unwrap();
        let added: Value = serde_json::from_slice(&added.stdout).unwrap();
        let issuer = home.json("issuer show")["issuer"].as_str().unwrap().to_owned();
        let secret = added["client_secret"].as_str().unwrap().to_owned();
        Self { issuer, callback_server, redirect_uri, secret }
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

    /// Waits for the browser to come back to `path`, and takes what it brings.
    pub(crate) async fn visited(&self, path: &str) -> BTreeMap<String, String> {
        self.callback_server.visited(path).await
    }

    /// As [`Self::visited`], and leaves the browser on the page that sent it.
    pub(crate) async fn turns_away(&self, path: &str) -> BTreeMap<String, String> {
        self.callback_server.turns_away(path).await
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
        let response = asked.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }
}
