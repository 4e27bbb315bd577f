//! A reload, the way back and another tab after an answer.

use gatelodge::error::{ErrorCode, Refusal};

use crate::requests::device::{decided, user_code, waiting};
use crate::support::{Browser, RelyingParty, Server};

#[tokio::test]
async fn what_was_allowed_says_so_when_it_is_opened_or_sent_again() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    let path = page.action();

    let allowed = ada.decide(&page, "allow").await;
    let back = ada.visit(&path).await;
    let in_another_tab = ada.decide(&page, "deny").await;

    let code = allowed.brought()["code"].clone();
    assert_eq!((back.status.as_u16(), back.refusal()), (200, None));
    assert!(
        back.text().contains("You let <strong><bdi>Shop</bdi></strong> in."),
        "{}",
        back.text()
    );
    assert!(back.text().contains("href=\"https://shop.example/\""));
    assert!(back.text().contains("href=\"/gate/account\""));
    assert_eq!(in_another_tab.location(), path);
    // The code is what it was: nothing was granted again, and nothing taken back.
    shop.redeem(&code).await.tokens();
}

#[tokio::test]
async fn what_was_not_allowed_says_so() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;

    ada.decide(&page, "deny").await;
    let back = ada.visit(&page.action()).await;

    assert_eq!(back.status, 200);
    assert!(back.text().contains("You did not let <strong><bdi>Shop</bdi></strong> in."));
}

/// It is for the browser that answered, and for one that has proven nothing.
#[tokio::test]
async fn another_browser_reads_that_the_sign_in_is_over() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    ada.decide(&page, "allow").await;

    let seen = Browser::at_login(&server).await.visit(&page.action()).await;

    seen.refused(ErrorCode::InteractionOver, Refusal::InteractionUnknown);
    assert!(!seen.text().contains("Shop"));
}

#[tokio::test]
async fn a_browser_remembers_its_last_answers() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut paths = Vec::new();
    for _ in 0..5 {
        let page = ada.visit(&shop.request(&[("prompt", "consent")])).await;
        ada.decide(&page, "allow").await;
        paths.push(page.action());
    }

    let (first, rest) = paths.split_first().unwrap();
    ada.visit(first).await.refused(ErrorCode::InteractionOver, Refusal::InteractionUnknown);
    for path in rest {
        assert_eq!(ada.visit(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_page_after_a_decision_about_a_device_may_be_loaded_again() {
    for (decision, sentence) in
        [("allow", "Go back to your device"), ("deny", "Nothing was allowed")]
    {
        let (server, mut ada, _telly, device) = waiting().await;
        let page = ada.open_device(&device).await;

        let done = ada.decide_on_device(&page, decision).await;
        let again = ada.visit("/gate/device/done").await;
        let of_another = Browser::at_login(&server).await.visit("/gate/device/done").await;

        for page in [done, again] {
            assert!(page.text().contains(sentence), "{}", page.text());
            assert!(page.text().contains("<bdi>Telly</bdi>"));
        }
        assert!(!of_another.text().contains(sentence));
    }
}

/// A second tab has the same page open. Its answer is no guess at a code.
#[tokio::test]
async fn a_device_that_was_decided_in_another_tab_says_so() {
    let (_server, mut ada, telly, device) = waiting().await;
    let page = ada.open_device(&device).await;
    decided(&mut ada, &device, "allow").await;

    for _ in 0..12 {
        let late = ada.decide_on_device(&page, "deny").await;
        assert!(late.text().contains("Go back to your device"), "{}", late.text());
    }
    ada.submit("/gate/device", &[("user_code", user_code(&device))]).await;

    telly.poll(&device).await.tokens();
}

#[tokio::test]
async fn a_bridge_that_was_let_in_or_not_says_so() {
    let (_server, mut ada) = Server::with_ada().await;
    let redirect = "/bridge/device-link?redirect=http%3A%2F%2F127.0.0.1%3A8767%2Fcb";
    for (address, decision, sentence) in [
        (redirect, "allow", "The device is linked"),
        (redirect, "deny", "Nothing was linked"),
        ("/bridge/device-link", "allow", "The code was shown once"),
        ("/bridge/device-link", "deny", "Nothing was linked"),
    ] {
        let path = ada.visit(address).await.action();

        ada.submit(&path, &[("decision", decision)]).await;
        let back = ada.visit(&path).await;
        let again = ada.submit(&path, &[("decision", "allow")]).await;

        assert_eq!(back.status, 200);
        assert!(back.text().contains(sentence), "{decision}: {}", back.text());
        assert_eq!(again.location(), path);
        assert!(!back.text().contains("gl_"));
    }
}

#[tokio::test]
async fn a_sign_out_that_was_answered_leads_to_where_it_led() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    let stays = ada.visit("/oauth/logout?client_id=shop").await;
    ada.decide(&stays, "deny").await;
    let account = ada.visit(&stays.action()).await;
    let leaves = ada.visit("/oauth/logout?client_id=shop").await;
    ada.decide(&leaves, "allow").await;
    let out = ada.visit(&leaves.action()).await;

    assert!(account.text().contains("Your account"), "{}", account.text());
    assert!(out.text().contains("You are signed out"), "{}", out.text());
}

/// The cookie proves nothing: whoever sets it chooses among sentences.
#[tokio::test]
async fn a_made_up_answer_names_no_address() {
    let (_server, mut ada) = Server::with_ada().await;
    let id = "0".repeat(32);
    let uuid = "00000000-0000-0000-0000-000000000000";
    // evil.example in base64url.
    let value = format!("gl7455_outcomes={id}~a~ZXZpbC5leGFtcGxl");
    ada.headers = vec![("cookie", Box::leak(value.into_boxed_str()))];

    let page = ada.visit(&format!("/gate/interaction/{uuid}")).await;

    assert!(page.text().contains("You have answered already"), "{}", page.text());
    assert!(!page.text().contains("evil.example"), "{}", page.text());
    assert!(!page.text().contains("href=\"http"));
}
