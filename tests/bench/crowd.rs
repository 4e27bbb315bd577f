//! A store with as many rows of each kind as is asked for, made by the transitions that make them
//! one at a time, many in one transaction.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use gatelodge::app::App;
use gatelodge::error::{Error, Refusal};
use gatelodge::event::EventId;
use gatelodge::flow::Context;
use gatelodge::flow::bridge::access::{self, AccessRequest, AccessTerms};
use gatelodge::flow::bridge::device::{Asking, Opener};
use gatelodge::flow::bridge::presence;
use gatelodge::flow::person::invitation::{self, NewInvitation};
use gatelodge::flow::person::people::{self, NewPerson};
use gatelodge::flow::session::{self, SignIn};
use gatelodge::flow::token::grant;
use gatelodge::model::actor::Actor;
use gatelodge::model::bridge::Heartbeat;
use gatelodge::model::user_agent::DeviceInfo;
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::id::{ClientId, SessionId, UserId};
use gatelodge::store::schema::{
    Authentication, Authorization, Client, Event, RefusedRequest, Session,
};
use gatelodge::store::{Tx, View as _};

/// The rows of each kind of one transaction.
const AT_ONCE: u32 = 1_000;

/// What the busy person has: sessions, and a grant in each.
const BUSY: u32 = 1_000;

/// The clients of those grants.
const APPS: u32 = 100;

/// What a browser calls itself.
pub(crate) const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                                  Chrome/140.0.0.0 Safari/537.36";

/// The cookies of two people.
pub(crate) struct Cookies {
    /// Of a person with many sessions and grants.
    pub(crate) busy: String,
    /// Of an administrator.
    pub(crate) root: String,
}

/// The name of a person of the crowd, in their order.
pub(crate) fn username(n: u32) -> String {
    format!("p{n:06}")
}

/// Fills the store with `rows` people, each with a setup link, a session, a grant and a bridge;
/// clients; invitations; and refused requests.
pub(crate) async fn gather(app: &Arc<App>, rows: u32) -> Cookies {
    for first in (0..rows).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let end = rows.min(first + AT_ONCE);
        let filled = app.write(move |tx, cx| {
            let template = shop(tx)?;
            (first..end).try_for_each(|n| one_of_each(tx, &own(cx, &n.to_string()), n, &template))
        });
        filled.await.unwrap();
    }
    let busy = app.write(|tx, cx| {
        let person = add(tx, &own(cx, "busy"), "busy", "user")?;
        let mut cookie = String::new();
        for n in 0..BUSY {
            let own = own(cx, &format!("busy {n}"));
            let (session, opened) = open(tx, &own, person)?;
            cookie = opened;
            let client: ClientId = format!("c{}", n % APPS).parse()?;
            allow(tx, &own, person, session, &client)?;
        }
        Ok(cookie)
    });
    let busy = busy.await.unwrap();
    let root = app.write(|tx, cx| {
        let cx = own(cx, "root");
        let person = add(tx, &cx, "root", "admin")?;
        Ok(open(tx, &cx, person)?.1)
    });
    Cookies { busy, root: root.await.unwrap() }
}

/// Revokes every session of the crowd, so that no grant is in force any more. All rows stay.
pub(crate) async fn end_sessions(app: &Arc<App>) {
    let mut last: Option<SessionId> = None;
    loop {
        let after = last;
        let ended = app.write(move |tx, cx| {
            let rows = tx.list_after::<Session, ()>(
                &(),
                after.as_ref(),
                usize::try_from(AT_ONCE).unwrap(),
            )?;
            let last = rows.last().map(|(id, _)| *id);
            for (id, session) in rows {
                let live = session::by_id(tx, cx, id)?;
                if live.is_some_and(|live| live.person().username.as_str() != "root") {
                    tx.put(&id, Session { revoked: true, ..session })?;
                }
            }
            Ok(last)
        });
        last = ended.await.unwrap();
        if last.is_none() {
            return;
        }
    }
}

/// The context of one of many.
pub(crate) fn own(cx: &Context, name: &str) -> Context {
    Context { seed: cx.seed.derived(name), ..cx.clone() }
}

fn shop(tx: &Tx<'_>) -> Result<Client, Error> {
    Ok(tx.find::<Client>(&"shop".parse()?)?.ok_or(Refusal::ClientNotFound)?)
}

fn one_of_each(tx: &mut Tx<'_>, cx: &Context, n: u32, template: &Client) -> Result<(), Error> {
    let mut client = template.clone();
    client.metadata_mut().client_name = Some(format!("Client {n:06}").parse()?);
    tx.put(&format!("c{n}").parse()?, client)?;
    let person = add(tx, cx, &username(n), "user")?;
    let (session, _) = open(tx, cx, person)?;
    allow(tx, cx, person, session, &"shop".parse()?)?;
    link_bridge(tx, cx, person)?;
    let invitation = NewInvitation {
        groups: Vec::new(),
        lasting: Duration::from_hours(24),
        roles: Vec::new(),
        uses: 10,
    };
    invitation::add(tx, cx, &invitation)?;
    let refused = refused_request(cx, n, person)?;
    // The act of that moment has the id of the seed.
    Ok(tx.put(&EventId::new(cx.now, &cx.seed.derived("refused")), refused)?)
}

pub(crate) fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    username: &str,
    role: &str,
) -> Result<UserId, Error> {
    let new = NewPerson {
        display_name: None,
        email: None,
        groups: Vec::new(),
        roles: vec![role.parse()?],
        username: username.parse()?,
    };
    Ok(people::add(tx, cx, &new)?.0.id)
}

fn device() -> DeviceInfo {
    DeviceInfo {
        address: "192.0.2.7".to_owned(),
        user_agent: Some(BROWSER.to_owned()),
        ..DeviceInfo::default()
    }
}

fn signed_in(cx: &Context) -> Authentication {
    Authentication { amr: vec!["hwk".to_owned(), "user".to_owned()], at: cx.now }
}

/// Signs a person in. Returns the session, and the value of its cookie.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
) -> Result<(SessionId, String), Error> {
    let sign_in = SignIn { authentication: signed_in(cx), device: device(), key: None, user };
    let secret = session::open(tx, cx, sign_in, None)?.unwrap();
    Ok((SessionId::from_seed(&cx.seed), secret.expose().to_string()))
}

/// Makes a grant of a person in a session of theirs.
fn allow(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    session: SessionId,
    client: &ClientId,
) -> Result<(), Error> {
    let authorization = Authorization {
        authentication: signed_in(cx),
        claims: ClaimsRequest::default(),
        client: client.clone(),
        given: cx.now,
        resources: Vec::new(),
        scope: "openid profile".parse()?,
        session,
        user,
    };
    let row = tx.find_shared::<Client>(client)?.ok_or(Refusal::ClientNotFound)?;
    grant::create(tx, cx, row, authorization, Refusal::GrantEnded).map(drop)
}

/// Opens a bridge of a person, and hears of it.
fn link_bridge(tx: &mut Tx<'_>, cx: &Context, user: UserId) -> Result<(), Error> {
    let opener = Opener { by: Asking::Operator, user };
    let asked = AccessRequest { device: device(), session: None };
    let opened = access::open(tx, cx, &opener, &asked, &AccessTerms::usual()?)?;
    let live = access::live(tx, cx, &opened.session)?.ok_or(Refusal::SessionNotFound)?;
    let beat = Heartbeat {
        session: opened.session,
        version: "1.2.3".to_owned(),
        os: "linux".to_owned(),
        hostname: "laptop".to_owned(),
        last_activity: None,
        forwarded_total: 7,
        tokens_in_total: 7,
        tokens_out_total: 7,
    };
    presence::beat(tx, cx, &live, &beat)
}

fn refused_request(cx: &Context, n: u32, person: UserId) -> Result<Event, Error> {
    Ok(Event {
        actor: Actor::Stranger,
        address: Some(IpAddr::from(Ipv4Addr::from(n))),
        at: cx.now,
        client: Some("shop".parse()?),
        expires: cx.now + Duration::from_hours(24),
        facts: vec![("scope".to_owned(), "openid profile".to_owned())],
        kind: "request.refused".to_owned(),
        named: None,
        person: Some(person),
        refused: Some(RefusedRequest {
            expected: None,
            method: "GET".to_owned(),
            reason: "redirect_uri is not registered for this client".to_owned(),
            received: None,
            refusal: Some("RedirectUriUnregistered".to_owned()),
            route: "/oauth/authorize".to_owned(),
            status: 400,
        }),
    })
}
