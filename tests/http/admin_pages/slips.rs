//! A form that is refused: in words of the page, and without an event for a slip.

use std::time::Duration;

use gatelodge::error::Refusal;

use super::{page_of, refused_above, server, stored, type_into};
use crate::support::{Response, Server, unescape};

/// What the page says above its form.
#[track_caller]
fn alert(page: &Response) -> String {
    let (_, rest) = page.text().split_once("role=\"alert\"><bdi>").expect("something is wrong");
    unescape(rest.split("</bdi>").next().unwrap())
}

/// The refused requests that are stored.
async fn refused(server: &Server) -> Vec<String> {
    let events = stored(server, "/events?kind=request.refused").await["events"].clone();
    let events = events.as_array().unwrap().iter();
    events.map(|event| event["refused"]["refusal"].as_str().unwrap().to_owned()).collect()
}

/// The operation names members, and nobody at a page knows them.
#[tokio::test]
async fn a_page_says_what_is_wrong_by_the_labels_that_stand_on_it() {
    let (server, mut ada) = server().await;
    let client = ada.visit("/gate/admin/clients/add?by=hand").await;
    let catalogue = ada.visit("/gate/admin/clients/add?app=grafana").await;
    let invitation = ada.visit("/gate/admin/invitations/add").await;
    let resource = ada.visit("/gate/admin/resources/add").await;
    let recover = ada.visit(&format!("{}/recover", page_of(&server, "ada").await)).await;
    let uri = ("redirect_uris", "https://shop.example/cb");

    for (page, typed, says) in [
        (&client, vec![uri], "An app needs a name."),
        (
            &client,
            vec![("name", "Shop"), uri, ("access_token_lifetime", "an hour")],
            "The lifetime of its access tokens is a number from 60 to 86400",
        ),
        (
            &client,
            vec![("name", "Shop"), uri, ("access_token_lifetime", "5")],
            "The lifetime of its access tokens is a number from 60 to 86400",
        ),
        (
            &client,
            vec![("name", "Shop"), uri, ("pkce", "odd")],
            "PKCE: none of the values that are known here",
        ),
        (&catalogue, vec![("url", "grafana.example")], "The address must begin with https://"),
        (&invitation, vec![("days", "999")], "An invitation is open for 1 to 366 days."),
        (&resource, vec![("resource", "api.example")], "The URI must begin with https://"),
        (
            &recover,
            vec![("further", "yes"), ("end_sessions", "yes")],
            "A link that only adds a passkey ends nothing.",
        ),
    ] {
        let again = type_into(&mut ada, page, &typed).await;

        assert_eq!(again.status, 400, "{typed:?}: {}", again.text());
        let alert = alert(&again);
        assert!(alert.starts_with(says), "{typed:?}: {alert}");
    }
}

/// Otherwise the requests that were refused to apps would drown among them.
#[tokio::test]
async fn a_slip_in_a_form_of_an_administrator_is_no_event() {
    let (server, mut ada) = server().await;
    let person = ada.visit("/gate/admin/people/add").await;

    let slip = type_into(&mut ada, &person, &[("username", "a b")]).await;
    let search = ada.visit("/gate/admin/links?user=nobody").await;
    let filter = ada.visit("/gate/admin/events?since=yesterday").await;
    let none = refused(&server).await;
    let taken = type_into(&mut ada, &person, &[("username", "ada")]).await;
    server.advance(Duration::from_secs(1));
    let one = refused(&server).await;

    refused_above(&slip, Refusal::UsernameMalformed);
    assert_eq!(search.refusal(), Some(Refusal::UserNotFound));
    assert_eq!(filter.refusal(), Some(Refusal::TimeMalformed));
    assert_eq!(none, Vec::<String>::new());
    refused_above(&taken, Refusal::UserExists);
    assert_eq!(one, ["UserExists"]);
}
