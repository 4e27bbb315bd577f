//! Lists of which most is over: a page looks at a bounded number of rows, says so, and goes on.

use std::time::Duration;

use gatelodge::event::EventId;
use gatelodge::flow::person::people;
use gatelodge::model::actor::Actor;
use gatelodge::store::View as _;
use gatelodge::store::schema::{Event, Person, SESSIONS_BY_USER, Session};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{server, stored};
use crate::support::{Browser, RelyingParty, Response, Server, unescape};

/// More than a page looks at.
const MANY: u32 = 2_100;

/// What a page says that has more to look at.
const SO_FAR: &str = "Only a part of the list was searched so far.";

/// Gives ada many sessions that were revoked. All of them stand before the one in which she is.
async fn revoked_sessions(server: &Server) {
    let made = server.app.write(|tx, cx| {
        let (ada, _) = people::named(tx, &"ada".parse()?)?.expect("she is there");
        let own = *tx.by(&SESSIONS_BY_USER, &ada, 1)?.first().expect("she is signed in");
        let session = tx.find::<Session>(&own)?.expect("it is there");
        for n in 0..MANY {
            let holder = cx.rules.pepper.hash_parts("revoked", &n.to_be_bytes());
            let revoked = Session { holder, revoked: true, ..session.clone() };
            tx.put(&Uuid::from_u128(u128::from(n)).into(), revoked)?;
        }
        Ok(())
    });
    made.await.unwrap();
}

/// The page that the button `label` leads to.
async fn follow(browser: &mut Browser, page: &Response, label: &str) -> Response {
    let (before, _) = page.text().split_once(&format!("\">{label}</a>")).expect("it leads on");
    let (_, target) = before.rsplit_once("href=\"").unwrap();
    browser.visit(&unescape(target)).await
}

#[tokio::test]
async fn a_page_of_sessions_that_are_over_says_so_and_leads_on() {
    let (server, mut ada) = server().await;
    revoked_sessions(&server).await;

    for path in ["/gate/admin/sessions", "/gate/admin/sessions?user=ada"] {
        let first = ada.visit(path).await;
        let second = follow(&mut ada, &first, "Search on").await;

        assert!(first.text().contains(SO_FAR), "{path}: {}", first.text());
        assert!(
            !first.text().contains("Nobody is signed in") && !first.text().contains("None was")
        );
        assert!(!first.text().contains("/end\""), "{path} lists what is over: {}", first.text());
        assert!(second.text().contains("/end\""), "{path}: {}", second.text());
        assert!(!second.text().contains(SO_FAR), "{path}: {}", second.text());
    }
    let person = ada.visit("/gate/admin/people/ada").await;
    assert!(person.text().contains("/gate/admin/sessions?user="), "{}", person.text());
}

#[tokio::test]
async fn a_page_of_the_api_ends_after_so_many_rows_and_has_a_next_one() {
    let (server, _ada) = server().await;
    revoked_sessions(&server).await;

    let first = stored(&server, "/sessions?limit=10").await;
    let next = first["next"].as_str().expect("there is more").to_owned();
    let second = stored(&server, &format!("/sessions?limit=10&cursor={next}")).await;

    assert_eq!(first["sessions"], json!([]));
    assert_eq!(second["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(second["sessions"][0]["username"], "ada");
    assert_eq!(second.get("next"), None);
}

/// Makes many people who let no app do anything. All of them stand before those who are there.
async fn people_without_apps(server: &Server) {
    let made = server.app.write(|tx, _| {
        let (_, ada) = people::named(tx, &"ada".parse()?)?.expect("she is there");
        for n in 0..MANY {
            let person = Person { username: format!("p{n}").parse()?, ..ada.clone() };
            tx.put(&Uuid::from_u128(u128::from(n)).into(), person)?;
        }
        Ok(())
    });
    made.await.unwrap();
}

#[tokio::test]
async fn a_page_of_access_looks_at_so_many_people_and_leads_on() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens_of(&mut ada, "openid").await;
    people_without_apps(&server).await;

    let first = ada.visit("/gate/admin/grants?client=shop").await;
    let (mut page, mut pages) = (first, 1);
    while page.text().contains(SO_FAR) {
        assert!(!page.text().contains("/end\""), "{}", page.text());
        page = follow(&mut ada, &page, "Search on").await;
        pages += 1;
    }

    assert!(page.text().contains("/end\""), "{}", page.text());
    assert_eq!(pages, 5, "each looks at 500 people");
}

/// An event about the client `shop`, so many milliseconds after a time.
async fn events_of_shop(server: &Server) {
    let made = server.app.write(|tx, cx| {
        for n in 0..=MANY {
            let at = cx.now + Duration::from_millis(n.into());
            let event = Event {
                actor: Actor::Server,
                address: None,
                at,
                client: Some("shop".parse()?),
                expires: cx.now + Duration::from_hours(1),
                facts: Vec::new(),
                kind: if n == 0 { "client.removed" } else { "client.changed" }.to_owned(),
                named: Some("The shop".to_owned()),
                person: None,
                refused: None,
            };
            tx.put(&EventId::new(at, &cx.seed.derived(&n.to_string())), event)?;
        }
        Ok(())
    });
    made.await.unwrap();
}

#[tokio::test]
async fn a_search_of_events_that_finds_little_says_so_and_goes_on() {
    let (server, mut ada) = server().await;
    events_of_shop(&server).await;
    let found = |page: &Response| page.text().matches("/gate/admin/events/").count();

    let first = ada.visit("/gate/admin/events?client=shop&kind=client.removed").await;
    let second = follow(&mut ada, &first, "Search on").await;
    let usual = ada.visit("/gate/admin/events?client=shop").await;

    assert!(first.text().contains(SO_FAR) && found(&first) == 0, "{}", first.text());
    assert!(!first.text().contains("There is no such event."), "{}", first.text());
    assert_eq!(found(&second), 1, "{}", second.text());
    assert!(!second.text().contains(SO_FAR), "{}", second.text());
    assert!(found(&usual) == 50 && usual.text().contains(">Older</a>"), "{}", usual.text());
    let next: Value = stored(&server, "/events?client=shop&kind=client.removed").await;
    assert!(next["next"].is_string() && next["events"] == json!([]), "{next}");
}
