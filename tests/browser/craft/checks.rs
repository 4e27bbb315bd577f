//! What judges a page can find something: each check is shown a page that it has to refuse.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

use super::contrast::FAINT;
use super::media::emulate;
use super::{MAX_WEIGHT, is_well_made, tools};
use crate::window::Window;

/// A valid page with this in its body.
fn page(body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>Checked</title>\n</head>\n<body>\n{body}\n</body>\n\
         </html>\n"
    )
}

/// A window at a page that a server of its own has.
async fn at(html: String) -> Window {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pages = Router::new().route("/", get(async move || Html(html.clone())));
    tokio::spawn(axum::serve(listener, pages).into_future());
    let window = Window::new().await;
    window.open(format!("http://{address}/")).await;
    window.reads("Here it is").await;
    window
}

#[tokio::test]
async fn a_page_that_is_well_made_passes() {
    let window = at(page("<p>Here it is.</p>")).await;

    is_well_made(&window, "good").await;
}

#[tokio::test]
#[should_panic(expected = "is no valid HTML")]
async fn html_that_is_not_valid_is_refused() {
    tools::validate("wrong", &page("<p>Here it is.</p><p id=\"a\"></p><p id=\"a\"></p>"));
}

#[tokio::test]
#[should_panic(expected = "heavy weighs ")]
async fn a_page_over_the_limit_is_refused() {
    let limit = usize::try_from(MAX_WEIGHT).unwrap();
    let window = at(page(&format!("<p>Here it is.</p><p>{}</p>", "much ".repeat(limit / 5)))).await;

    is_well_made(&window, "heavy").await;
}

#[tokio::test]
#[should_panic(expected = "moving shifts: ")]
async fn a_page_that_shifts_is_found() {
    let window = at(page(
        "<div id=\"top\"></div><p>Here it is.</p><script>setTimeout(() => { \
         document.getElementById('top').style.height = '20rem'; document.title = 'Moved'; }, 200)</script>",
    ))
    .await;
    window.until("document.title === 'Moved'", &"shift").await;

    is_well_made(&window, "moving").await;
}

/// What is found on a page with this style for whoever asks for more contrast, by day and by night.
async fn faint(more: &str) -> [Vec<String>; 2] {
    let window = at(page(&format!(
        "<style>:root {{ color-scheme: light dark; }} body {{ background: Canvas; }}\n\
         p, button, input {{ color: light-dark(#666, #999); }}\n\
         button, input {{ border: 1px solid light-dark(#999, #666); background: Canvas; }}\n\
         @media (prefers-contrast: more) {{ {more} }}</style>\n\
         <p>Here it is.</p><label for=\"name\">Name</label><input type=\"text\" id=\"name\">\n\
         <button type=\"button\">Press</button><button type=\"button\" disabled>Off</button>"
    )))
    .await;
    let mut found = [Vec::new(), Vec::new()];
    for (scheme, found) in ["light", "dark"].into_iter().zip(&mut found) {
        let features = [("prefers-color-scheme", scheme), ("prefers-contrast", "more")];
        emulate(&window, "", &features).await;
        *found = window.ask(FAINT).await.unwrap();
    }
    found
}

#[tokio::test]
async fn what_is_faint_for_whoever_asks_for_more_contrast_is_found() {
    let strong =
        "p, button, input { color: light-dark(#000, #fff); border-color: light-dark(#333, #ccc); }";
    let [day, night] = faint(strong).await;
    assert!(day.is_empty() && night.is_empty(), "{day:#?} {night:#?}");

    // Whoever wrote this forgot the night.
    let [day, night] = faint("p, button, input { color: #000; border-color: #333; }").await;
    assert!(day.is_empty(), "{day:#?}");
    let of = |what: &str| night.iter().filter(|found| found.starts_with(what)).count();
    assert_eq!((of("text "), of("edge ")), (3, 2), "{night:#?}");

    let [day, night] = faint("").await;
    assert_eq!((day.len(), night.len()), (5, 5), "{day:#?} {night:#?}");
}
