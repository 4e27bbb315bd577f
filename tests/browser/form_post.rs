//! Form Post Response Mode: the browser delivers the response in a form.

use crate::application::Application;
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;

#[tokio::test]
async fn a_code_is_posted_home_after_consent_and_silently() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    let request = format!("{}&response_mode=form_post", shop.request("openid"));

    for press in [Some("Allow"), None] {
        window.set_off(request.clone());
        if let Some(button) = press {
            window.press(button).await;
        }
        let posted = shop.visited("/callback").await;

        assert_eq!(posted["state"], "af0ifjsldkj");
        assert_eq!(shop.redeem(&posted["code"]).await.0, 200);
        window.reads("Welcome back.").await;
    }
}

#[tokio::test]
async fn a_form_that_has_arrived_without_an_answer_is_looked_at() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    window.set_off(format!("{}&response_mode=form_post", shop.request("openid")));
    window.press("Allow").await;
    shop.turns_away("/callback").await;

    window.reads("On your way").await;
    look(&window, "form-post").await;
}
