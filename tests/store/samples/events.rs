//! Events.

use gatelodge::event::EventId;
use gatelodge::model::actor::Actor;
use gatelodge::oauth::id::UserId;
use gatelodge::store::schema::{Event, EventDelivery, RefusedRequest};

use super::{at, id, shop};

pub(super) fn events() -> Vec<(EventId, Event)> {
    let person: UserId = id(7);
    let actors = [
        Actor::Server,
        Actor::Operator { uid: None },
        Actor::Operator { uid: Some(1000) },
        Actor::Administrator { client: Some(shop()), person: None },
        Actor::Administrator { client: Some(shop()), person: Some(person) },
        Actor::Person(person),
        Actor::Client(shop()),
        Actor::Stranger,
    ];
    let events = actors.into_iter().zip(1..).map(|(actor, n)| {
        let event = Event {
            actor,
            address: None,
            at: at(n),
            client: None,
            expires: at(n + 60),
            facts: Vec::new(),
            kind: "user.added".to_owned(),
            named: None,
            person: None,
            refused: None,
        };
        (EventId::from_bits(n), event)
    });
    let refused = RefusedRequest {
        expected: Some("https://shop.example/cb".to_owned()),
        method: "GET".to_owned(),
        reason: "redirect_uri is not registered for this client".to_owned(),
        received: Some("https://shop.example/other".to_owned()),
        refusal: Some("RedirectUriUnregistered".to_owned()),
        route: "/oauth/authorize".to_owned(),
        status: 400,
    };
    let fault = RefusedRequest { expected: None, received: None, refusal: None, ..refused.clone() };
    let full = |refused, address: &str| Event {
        actor: Actor::Stranger,
        address: Some(address.parse().unwrap()),
        at: at(9),
        client: Some(shop()),
        expires: at(99),
        facts: vec![("scope".to_owned(), "openid".to_owned())],
        kind: "request.refused".to_owned(),
        named: Some("Shop".to_owned()),
        person: Some(person),
        refused: Some(refused),
    };
    let full = [
        (EventId::from_bits(u64::MAX), full(refused, "192.0.2.1")),
        (EventId::from_bits(0), full(fault, "2001:db8::1")),
    ];
    events.chain(full).collect()
}

pub(super) fn deliveries() -> Vec<(EventId, EventDelivery)> {
    let delivery = |attempts, seconds| EventDelivery { attempts, due: at(seconds) };
    vec![(EventId::from_bits(1), delivery(0, 1)), (EventId::from_bits(u64::MAX), delivery(300, 2))]
}
