//! A device without a browser: the person brings its code to one, and lets it in or not.

use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::program::{Home, Server};
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};
use crate::window::Window;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device called `Telly` that shows a code.
pub(crate) struct Telly {
    issuer: String,
    authorization: Value,
}

impl Telly {
    /// One that has just asked.
    pub(crate) async fn waiting(home: &Home, server: &Server) -> Self {
        home.json(&format!("client add Telly --id telly --public --grant {GRANT_TYPE}"));
        let issuer = server.issuer().to_owned();
        let asked = [("client_id", "telly"), ("scope", "openid profile")];
        let (status, authorization) =
            post(&format!("{issuer}/oauth/device_authorization"), &asked).await;
        assert_eq!(status, 200, "{authorization}");
        Self { issuer, authorization }
    }

    /// The page that it asks the person to open.
    pub(crate) fn page(&self) -> &str {
        self.authorization["verification_uri"].as_str().unwrap()
    }

    /// The same, with the code in it, as a QR code has it.
    fn link(&self) -> &str {
        self.authorization["verification_uri_complete"].as_str().unwrap()
    }

    /// What the person types.
    pub(crate) fn code(&self) -> &str {
        self.authorization["user_code"].as_str().unwrap()
    }

    /// The response to a poll.
    async fn polls(&self) -> (u16, Value) {
        let code = self.authorization["device_code"].as_str().unwrap();
        let asked = [("client_id", "telly"), ("device_code", code), ("grant_type", GRANT_TYPE)];
        post(&format!("{}/oauth/token", self.issuer), &asked).await
    }
}

async fn post(url: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let asked = reqwest::Client::new().post(url);
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form);
    let response = asked.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

/// Types `code` into the page of devices.
pub(crate) async fn types_code(window: &Window, code: &str) {
    window.fill("user_code", code).await;
    window.press("Continue").await;
}

#[tokio::test]
async fn a_code_that_is_typed_and_allowed_signs_the_device_in() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let telly = Telly::waiting(&home, &server).await;

    window.open(telly.page()).await;
    window.reads("Sign in a device").await;
    types_code(&window, &telly.code().to_lowercase().replace('-', " ")).await;
    window.reads("Allow Telly?").await;
    window.reads("Did you start this yourself, just now?").await;
    window.reads(telly.code()).await;
    window.press("Allow").await;
    window.reads("Go back to your device").await;

    let (status, tokens) = telly.polls().await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["scope"], "openid profile");
}

#[tokio::test]
async fn a_device_that_is_not_allowed_is_told_so() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let telly = Telly::waiting(&home, &server).await;

    window.open(telly.link()).await;
    window.reads("Compare this code").await;
    window.press("Continue").await;
    window.reads("Allow Telly?").await;
    window.press("Don’t allow").await;
    window.reads("Nothing was allowed").await;

    let (status, response) = telly.polls().await;
    assert_eq!((status, &response["error"]), (400, &"access_denied".into()));
}

#[tokio::test]
async fn a_slip_in_the_code_is_told_beside_its_field() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let telly = Telly::waiting(&home, &server).await;

    window.open(telly.page()).await;
    types_code(&window, "BBBB-BBBB").await;
    window.reads("No device waits for this code.").await;
    let typed: String = window.ask("document.getElementById('user_code').value").await.unwrap();
    assert_eq!(typed, "BBBB-BBBB");
    types_code(&window, telly.code()).await;

    window.reads("Allow Telly?").await;
}

#[tokio::test]
async fn somebody_who_is_signed_out_signs_in_on_the_way_to_the_device() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let telly = Telly::waiting(&home, &server).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;

    window.open(telly.link()).await;
    window.is_at("/gate/device").await;
    by_button(&window).await;
    window.reads("Compare this code").await;
    window.press("Continue").await;
    window.reads("Allow Telly?").await;
    window.press("Allow").await;
    window.reads("Go back to your device").await;

    assert_eq!(telly.polls().await.0, 200);
}
