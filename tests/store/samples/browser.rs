//! Samples of what is bound to a browser.

use gatelodge::model::network::Network;
use gatelodge::model::user_agent::DeviceInfo;
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::authorize::{AuthorizeRequest, Prompt, ResponseMode};
use gatelodge::oauth::id::{ClientId, InteractionId, SessionId};
use gatelodge::oauth::state::State;
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{
    AnonymousEnding, AnonymousSession, Delivery, Device, DeviceState, Interaction, Purpose, Pushed,
    Session, StoredAuthorizationRequest,
};

use super::grants::authorization;
use super::{
    at, authentication, claims, device, hash, holding, id, persons, read, scope, shop, text, until,
    uris,
};

fn full() -> AuthorizeRequest {
    AuthorizeRequest {
        acr_values: vec![text("phr")],
        claims: claims(),
        code_challenge: Some(read("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")),
        login_hint: Some(text("ada")),
        max_age: Some(86_400),
        nonce: Some(text("n-0S6_WzA2Mj")),
        prompt: Prompt { none: false, login: true, consent: true, create: true },
        resources: vec![read("https://api.example/")],
        scope: Some(scope()),
        ui_locales: vec![text("de-CH")],
    }
}

fn least() -> AuthorizeRequest {
    AuthorizeRequest {
        acr_values: vec![],
        claims: ClaimsRequest::default(),
        code_challenge: None,
        login_hint: None,
        max_age: None,
        nonce: None,
        prompt: Prompt { none: true, login: false, consent: false, create: false },
        resources: vec![],
        scope: None,
        ui_locales: vec![],
    }
}

fn stored(
    request: AuthorizeRequest,
    response_mode: ResponseMode,
    given: bool,
) -> StoredAuthorizationRequest {
    StoredAuthorizationRequest {
        client: shop(),
        expected: given.then(|| text("0190163d")),
        pushed: given.then(|| hash(8)),
        redirect_uri: uris()[usize::from(given)].clone(),
        redirect_uri_named: given,
        request,
        requested: at(7),
        response_mode,
        state: given.then(|| State::from("{\"a\": 1}")),
    }
}

pub(super) fn interactions() -> Vec<(InteractionId, Interaction)> {
    let purposes = [
        Purpose::Authorize(Box::new(stored(full(), ResponseMode::FormPost, true))),
        Purpose::Authorize(Box::new(stored(least(), ResponseMode::Query, false))),
        Purpose::Logout {
            astray: false,
            client: Some(shop()),
            hint: Some((text("0190163d"), Some(id(3)))),
            next: Some((uris()[0].clone(), Some(State::from("s")))),
        },
        Purpose::Logout {
            astray: false,
            client: None,
            hint: Some((text("0190163d"), None)),
            next: Some((uris()[0].clone(), None)),
        },
        Purpose::Logout { astray: true, client: None, hint: None, next: None },
        Purpose::Link { redirect: Some(read("http://127.0.0.1:8767/cb")) },
        Purpose::Link { redirect: None },
    ];
    let row = |purpose| Interaction {
        browser: hash(6),
        claimed: None,
        created: at(1),
        expires: until(1800),
        holding: holding(),
        purpose,
    };
    let mut rows: Vec<_> = (10..).map(id).zip(purposes.map(row)).collect();
    rows[0].1.claimed = Some(hash(7));
    rows
}

pub(super) fn sessions() -> Vec<(SessionId, Session)> {
    let row = Session {
        authentication: authentication(),
        created: at(13),
        device: device("Mozilla/5.0"),
        expires: at(14),
        holder: hash(9),
        revoked: false,
        seen: at(15),
        user: id(5),
    };
    let revoked = Session { device: DeviceInfo::default(), revoked: true, ..row.clone() };
    vec![(id(3), row), (id(9), revoked)]
}

pub(super) fn anonymous_sessions() -> Vec<(SessionId, AnonymousSession)> {
    let full = AnonymousSession {
        device: device("shop/1.0"),
        client: shop(),
        cookie: hash(30),
        created: at(1),
        ending: Some(AnonymousEnding::Merged(id(5))),
        expires: at(86_401),
        metadata: Some(read("{\"cart\":[1,null]}")),
        network: Network::of(read("192.0.2.1")),
        redirect_uri: Some(uris()[0].clone()),
        sub: id(6),
    };
    let revoked =
        AnonymousSession { ending: Some(AnonymousEnding::Revoked), metadata: None, ..full.clone() };
    let least = AnonymousSession {
        device: DeviceInfo::default(),
        ending: None,
        redirect_uri: None,
        ..revoked.clone()
    };
    vec![(id(30), full), (id(31), revoked), (id(32), least)]
}

pub(super) fn pushed_requests() -> Vec<(TokenHash, Pushed)> {
    let holding = holding();
    let row = |request, spent| Pushed {
        created: at(1),
        expires: until(60),
        holding,
        request,
        retained_until: at(1800),
        spent,
    };
    vec![
        (hash(11), row(stored(full(), ResponseMode::FormPost, true), false)),
        (hash(12), row(stored(least(), ResponseMode::Query, false), true)),
    ]
}

pub(super) fn devices() -> Vec<(TokenHash, Device)> {
    let approved = DeviceState::Approved(Box::new(authorization()));
    let row = |state, given: bool, n| Device {
        address: text("192.0.2.1"),
        user_agent: given.then(|| text("telly/1.0")),
        client: shop(),
        created: at(1),
        expires: until(900),
        interval: 5,
        holding: persons(),
        polled: given.then(|| at(7)),
        resources: if given { vec![read("https://api.example/")] } else { vec![] },
        scope: given.then(scope),
        state,
        user_code: hash(n),
    };
    vec![
        (hash(13), row(approved, true, 16)),
        (hash(14), row(DeviceState::Denied, false, 17)),
        (hash(15), row(DeviceState::Pending, false, 18)),
    ]
}

pub(super) fn deliveries() -> Vec<((SessionId, ClientId), Delivery)> {
    let full =
        Delivery { attempts: 300, created: at(16), due: Some(at(17)), sub: text("0190163d") };
    let least = Delivery { attempts: 0, due: None, ..full.clone() };
    vec![((id(3), shop()), full), ((id(9), shop()), least)]
}
