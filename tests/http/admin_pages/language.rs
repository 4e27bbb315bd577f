//! What the server says in English everywhere, in the language of the administrator.

use axum::http::Method;
use serde_json::json;

use super::{server, type_into};
use crate::support::{RelyingParty, Response};

/// Whether a page says a sentence, and nothing in English.
#[track_caller]
fn says(page: &Response, sentence: &str) {
    let html = page.text();
    assert!(html.contains("<html lang=\"de\">"), "{html}");
    assert!(page.unmarked().contains(sentence), "{sentence}: {html}");
    // A document is cited as it is named.
    let english: Vec<_> = html.split("<bdi lang=\"en\">").skip(1).collect();
    assert!(english.iter().all(|rest| rest.starts_with("RFC ")), "{english:?}");
}

#[tokio::test]
async fn an_application_of_the_catalogue_is_told_in_the_language_of_the_page() {
    let (_server, mut ada) = server().await;
    ada.headers = vec![("accept-language", "de")];
    let to = |app: &str| format!("/gate/admin/clients/add?app={app}");

    let all = ada.visit("/gate/admin/clients/add").await;
    let found = ada.visit("/gate/admin/clients/add?q=Dokumente").await;
    let form = ada.visit(&to("gitea")).await;
    let made = type_into(&mut ada, &form, &[("url", "https://git.example")]).await;

    says(&all, "Dokumente");
    assert!(found.text().contains("Nextcloud") && !found.text().contains("Gitea"));
    says(&form, "Gitea sendet ein state und weder eine Challenge noch eine nonce.");
    says(&form, "der Name der Authentifizierungsquelle, ein Teil der Callback-URL");
    says(&made, "Shell des Gitea-Servers");
    says(&made, "Dieser Client darf deshalb ohne auskommen.");
    says(&made, "PKCE: Eine Anfrage ohne code_challenge und nonce muss ein state enthalten");
    says(&made, "email: ada zum Beispiel hat keine Adresse, und dann fehlt der Claim.");
    assert!(made.text().contains("<code class=\"line\">gatelodge user set ada <span>--email "));
}

#[tokio::test]
async fn a_note_and_a_refusal_are_told_in_the_language_of_the_page() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    server.get(&format!("{}&state=again", shop.request(&[]))).await;
    server.get(&shop.request(&[("redirect_uri", "https://shop.example/other")])).await;
    server.app.write_counts().await.unwrap();
    let events = server.operate(Method::GET, "/events?refusal=ParameterRepeated", json!({})).await;
    let id = events.json()["events"][0]["id"].as_str().unwrap().to_owned();
    ada.headers = vec![("accept-language", "de")];

    let client = ada.visit("/gate/admin/clients/shop").await;
    let all = ada.visit("/gate/admin/events").await;
    let event = ada.visit(&format!("/gate/admin/events/{id}")).await;

    says(
        &client,
        "Für ein Programm, das das nicht kann: <code class=\"line\">gatelodge client set",
    );
    assert!(
        client.text().contains("oder <code class=\"line\"><span>--pkce </span>optional</code>")
    );
    says(&client, "redirect_uri ist für diesen Client nicht registriert.");
    assert!(
        client.unmarked().contains("gatelodge client set shop --redirect URI</code>, einmal für")
    );
    says(&all, "state kam mehr als einmal.");
    says(&event, "state kam mehr als einmal.");
    says(&event, "Er darf nur einmal da sein.");
    says(&event, "Kein Befehl lässt eine solche Anfrage durch.");
}
