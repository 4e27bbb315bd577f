//! Who gets in, and what they see around a page.

use std::time::Duration;

use gatelodge::error::{ErrorCode, Refusal};

use super::{server, type_into, with_role};
use crate::support::Browser;

/// The time after which a sign-in is no longer recent.
const LATER: Duration = Duration::from_secs(5 * 60 + 1);

#[tokio::test]
async fn a_stranger_signs_in_first_and_comes_back() {
    let (server, _ada) = server().await;

    let page = Browser::new(&server).visit("/gate/admin/keys?a=b").await;

    assert!(page.asks_to_sign_in(), "{}", page.text());
    assert!(page.text().contains("data-next=\"/gate/admin/keys?a=b\""), "{}", page.text());
}

#[tokio::test]
async fn nobody_gets_in_whose_roles_allow_nothing_of_it() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "user").await;

    for path in ["/gate/admin", "/gate/admin/keys", "/gate/admin/keys/rotate"] {
        let refused = bob.visit(path).await;
        refused.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    }
    let refused = bob.submit("/gate/admin/keys/rotate", &[]).await;
    refused.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
}

#[tokio::test]
async fn a_limited_administrator_sees_what_their_roles_allow_and_no_more() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "people").await;

    let overview = bob.visit("/gate/admin").await;
    let keys = bob.visit("/gate/admin/keys").await;

    assert_eq!(overview.status, 200);
    assert!(!overview.text().contains("/gate/admin/keys"), "{}", overview.text());
    assert!(!overview.text().contains("id=\"events\""), "{}", overview.text());
    keys.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
}

#[tokio::test]
async fn a_page_that_changes_something_asks_for_a_sign_in_that_is_not_old() {
    let (server, mut ada) = server().await;
    server.advance(LATER);

    let view = ada.visit("/gate/admin/keys").await;
    let page = ada.visit("/gate/admin/keys/rotate").await;

    assert!(!view.asks_to_sign_in());
    assert!(page.asks_to_sign_in());
    assert!(page.text().contains("data-next=\"/gate/admin/keys/rotate\""), "{}", page.text());
}

#[tokio::test]
async fn a_form_over_which_the_sign_in_grew_old_comes_back_filled() {
    let (server, mut ada) = server().await;
    ada.visit("/gate/admin/keys/rotate").await;
    server.advance(LATER);

    let late = ada.submit("/gate/admin/keys/rotate", &[("now", "yes")]).await;
    let asked = ada.visit(late.location()).await;
    ada.sign_in().await;
    let filled = ada.visit(late.location()).await;

    let (page, draft) = late.location().split_once("?draft=").expect("the form is kept");
    assert_eq!(page, "/gate/admin/keys/rotate");
    assert!(draft.len() == 32 && draft.bytes().all(|b| b.is_ascii_hexdigit()), "{draft}");
    assert!(asked.asks_to_sign_in());
    let cancel = "<a href=\"/gate/admin/keys\">Cancel</a>";
    assert!(asked.text().contains(cancel), "{}", asked.text());
    assert!(filled.text().contains("Nothing was sent yet."), "{}", filled.text());
    assert!(filled.text().contains("name=\"now\" type=\"checkbox\" value=\"yes\" checked"));
    assert!(!filled.text().contains("name=\"revoke\" type=\"checkbox\" value=\"yes\" checked"));
}

#[tokio::test]
async fn a_role_that_is_taken_away_counts_at_once() {
    let (server, mut ada) = server().await;
    ada.visit("/gate/admin/keys/rotate").await;
    server.change_person("ada", |ada| ada.roles.clear()).await;

    let refused = ada.submit("/gate/admin/keys/rotate", &[]).await;

    refused.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
}

/// The address is in the history of the browser and in the log of a proxy.
#[tokio::test]
async fn the_address_of_a_filled_form_has_nothing_of_what_was_typed() {
    let (server, mut ada) = server().await;
    let page = ada.visit("/gate/admin/people/add").await;
    server.advance(LATER);

    let typed = [("username", "grace"), ("display_name", "Grace"), ("email", "g@hopper.example")];
    let late = type_into(&mut ada, &page, &typed).await;
    ada.sign_in().await;
    let filled = ada.visit(late.location()).await;

    let address = late.location().to_lowercase();
    for (_, value) in typed {
        assert!(!address.contains(&value.to_lowercase()), "{address}");
        assert!(filled.text().contains(&format!("value=\"{value}\"")), "{}", filled.text());
    }
}

#[tokio::test]
async fn a_form_that_was_sent_does_not_come_back() {
    let (server, mut ada) = server().await;
    let page = ada.visit("/gate/admin/people/add").await;
    server.advance(LATER);
    let late = type_into(&mut ada, &page, &[("username", "grace")]).await;
    ada.sign_in().await;
    let filled = ada.visit(late.location()).await;
    assert!(filled.text().contains("value=\"grace\""), "{}", filled.text());

    let sent = type_into(&mut ada, &filled, &[]).await;
    let back = ada.visit(late.location()).await;

    assert_eq!(sent.status, 200, "{}", sent.text());
    assert!(!back.text().contains("value=\"grace\""), "{}", back.text());
    assert!(!back.text().contains("Nothing was sent yet."), "{}", back.text());
}

#[tokio::test]
async fn a_form_is_kept_for_an_hour() {
    let (server, mut ada) = server().await;
    ada.visit("/gate/admin/keys/rotate").await;
    server.advance(LATER);
    let late = ada.submit("/gate/admin/keys/rotate", &[("now", "yes")]).await;

    server.advance(Duration::from_secs(59 * 60));
    ada.sign_in().await;
    let filled = ada.visit(late.location()).await;
    server.advance(Duration::from_secs(60));
    let over = ada.visit(late.location()).await;

    assert!(filled.text().contains(" checked"), "{}", filled.text());
    assert!(!over.text().contains(" checked"), "{}", over.text());
}

#[tokio::test]
async fn a_link_of_somebody_else_fills_in_nothing() {
    let (server, mut ada) = server().await;
    ada.visit("/gate/admin/keys/rotate").await;
    server.advance(LATER);
    let late = ada.submit("/gate/admin/keys/rotate", &[("now", "yes")]).await;
    let own = late.location().to_owned();
    ada.sign_in().await;
    let mut eve = with_role(&server, "admin").await;

    let filled = ada.visit("/gate/admin/keys/rotate?revoke=yes").await;
    let beside = ada.visit("/gate/admin/keys/rotate?draft=0123456789abcdef&revoke=yes").await;
    let of_another = eve.visit(&own).await;

    for page in [filled, beside, of_another] {
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Rotate the signing keys?"), "{}", page.text());
        assert!(!page.text().contains(" checked"), "{}", page.text());
        assert!(!page.text().contains("Nothing was sent yet."), "{}", page.text());
    }
}
