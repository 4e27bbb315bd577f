//! What happened, why a request was refused, and its repair, at the pages of the administration.

use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;

use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;

#[tokio::test]
async fn a_refused_address_is_let_pass_by_whoever_knows_its_host() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    home.json("client add shop --id shop --redirect https://shop.example/cb");
    let request = "client_id=shop&response_type=code&redirect_uri=https://shop.example/other\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    window.open(format!("{}/oauth/authorize?{request}", server.issuer())).await;
    window.reads("https://shop.example/other").await;
    window.excuses("400").await;
    let events = home.json("events --kind request.refused");
    let id = events["events"][0]["id"].as_str().unwrap();

    window.open(format!("{}/gate/admin/events", server.issuer())).await;
    window.reads("RedirectUriUnregistered: shop").await;
    look(&window, "admin-events-refused").await;
    window.open(format!("{}/gate/admin/events/{id}", server.issuer())).await;
    window.reads("Came instead").await;
    look(&window, "admin-event").await;
    window.press("Make it work").await;
    window.reads("I know this host, and it is the app").await;
    look(&window, "admin-repair").await;
    let ticked: Option<bool> = window.ask("document.getElementById('trust').checked").await;
    assert_eq!(ticked, Some(false), "it is never preselected");
    let _: Option<()> = window.ask("document.getElementById('trust').click()").await;
    window.press("Change it").await;

    window.is_at(&format!("/gate/admin/events/{id}")).await;
    let shop = home.json("client show shop");
    let uris = shop["redirect_uris"].as_array().unwrap();
    assert!(uris.iter().any(|uri| uri == "https://shop.example/other"), "{uris:?}");
}

/// On a phone the events come first, and what is searched for unfolds at a press.
#[tokio::test]
async fn the_filters_fold_away_on_a_phone_alone() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.open(format!("{}/gate/admin/events", server.issuer())).await;
    window.reads("A person signed in").await;
    let seen = "document.getElementById('kind').checkVisibility()";
    let summary = "document.querySelector('.filters > summary')";

    for (width, folds) in [(1280, false), (360, true)] {
        let size = SetDeviceMetricsOverrideParams::new(width, 800, 1.0, folds);
        window.page.execute(size).await.unwrap();

        assert_eq!(window.ask(seen).await, Some(!folds), "{width}");
        assert_eq!(window.ask(&format!("{summary}.checkVisibility()")).await, Some(folds));
    }
    let _: Option<()> = window.ask(&format!("{summary}.click()")).await;
    assert_eq!(window.ask(seen).await, Some(true), "it unfolds");
}
