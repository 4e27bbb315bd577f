//! Ending a person, a client, a session or an authorization with thousands of grants: everything is
//! refused at once, and the rows are removed in bounded steps.

use gatelodge::error::Error;
use gatelodge::flow::client::operator;
use gatelodge::flow::installation::sweep;
use gatelodge::flow::person::people;
use gatelodge::flow::token::{connection, grant};
use gatelodge::flow::{Context, session};
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::id::{ClientId, GrantId, SessionId, UserId};
use gatelodge::store::schema::{Authorization, Grant, Passkey, Removal, Session};
use gatelodge::store::{Row, Span, Tx, View};
use serde_json::json;
use uuid::Uuid;

use crate::support::Server;

/// How many grants everybody has here.
const GRANTS: u128 = 10_000;

/// The most rows and index entries that one transaction may write: 100 rows of six, and the mark of their end.
const MAX_WRITTEN: usize = 620;

/// Those of the sweep, for which others wait: five rows of six, and the mark.
const MAX_SWEPT: usize = 50;

/// An installation in which bob gave a client [`GRANTS`] grants that outlive their session.
struct Crowded {
    server: Server,
    client: ClientId,
    session: SessionId,
    user: UserId,
}

impl Crowded {
    async fn new() -> Self {
        let (server, _) = Server::with_ada().await;
        server.person("bob").await;
        let registration = json!({
            "client_id": "shop",
            "name": "Shop",
            "redirect_uris": ["https://shop.example/cb"],
        });
        server.client(registration).await;
        let view = server.app.read().unwrap();
        let (user, _) = people::named(&view, &"bob".parse().unwrap()).unwrap().unwrap();
        let sessions =
            session::list(&view, &server.app.context(), Some(user), &Span::first(1)).unwrap();
        let session = sessions.items[0].id();
        let authentication = sessions.items[0].authentication().clone();
        let client: ClientId = "shop".parse().unwrap();
        drop(view);
        let authorized = client.clone();
        let fill = move |tx: &mut Tx<'_>, cx: &Context| {
            let grant = Grant {
                by_operator: false,
                authorization: Authorization {
                    authentication: authentication.clone(),
                    claims: ClaimsRequest::default(),
                    client: authorized.clone(),
                    given: cx.now,
                    resources: Vec::new(),
                    scope: "openid offline_access".parse()?,
                    session,
                    user,
                },
                created: cx.now,
                ended: None,
                expires: cx.now + std::time::Duration::from_hours(24),
                family: None,
                offline: true,
            };
            for n in 0..GRANTS {
                tx.put(&id(n), grant.clone())?;
            }
            Ok(())
        };
        server.app.write(fill).await.unwrap();
        let crowded = Self { server, client, session, user };
        assert_eq!(crowded.live(), 10_000);
        crowded
    }

    /// How many grants are in force.
    fn live(&self) -> usize {
        let (view, cx) = (self.server.app.read().unwrap(), self.server.app.context());
        (0..GRANTS).filter(|n| grant::live(&view, &cx, id(*n)).unwrap().is_some()).count()
    }

    fn count<R: Row>(&self) -> usize {
        self.server.app.read().unwrap().count::<R>(20_000).unwrap()
    }

    /// Runs a transition, which is to write no more than it may.
    async fn bounded<T: Send + 'static>(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.within(MAX_WRITTEN, transition).await
    }

    /// Runs a transition, which is to write at most `limit` rows and index entries.
    async fn within<T: Send + 'static>(
        &self,
        limit: usize,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> T {
        let counted = move |tx: &mut Tx<'_>, cx: &Context| {
            let outcome = transition(tx, cx)?;
            Ok((outcome, tx.written()))
        };
        let (outcome, written) = self.server.app.write(counted).await.unwrap();
        assert!(written <= limit, "{written} rows and entries in one transaction");
        outcome
    }

    /// Sweeps until nothing is left to sweep.
    async fn sweep(&self) {
        for _ in 0..4_000 {
            if !self.within(MAX_SWEPT, sweep::run).await.more {
                return;
            }
        }
        panic!("the sweep does not end");
    }

    fn assert_no_grant_is_left(&self) {
        assert_eq!((self.count::<Grant>(), self.count::<Removal>()), (0, 0));
    }
}

fn id(n: u128) -> GrantId {
    Uuid::from_u128(n + 1).into()
}

#[tokio::test]
async fn a_person_with_ten_thousand_grants_is_removed_in_bounded_steps() {
    let crowded = Crowded::new().await;

    crowded.bounded(|tx, cx| people::remove(tx, cx, &"bob".parse()?)).await;

    assert_eq!(crowded.live(), 0);
    crowded.sweep().await;
    crowded.assert_no_grant_is_left();
    // Those of ada.
    assert_eq!((crowded.count::<Passkey>(), crowded.count::<Session>()), (1, 1));
}

#[tokio::test]
async fn a_person_with_ten_thousand_grants_is_disabled_in_a_bounded_step() {
    let crowded = Crowded::new().await;

    let disable = people::Change { disabled: Some(true), ..people::Change::default() };
    crowded.bounded(move |tx, cx| people::change(tx, cx, &"bob".parse()?, &disable)).await;

    assert_eq!(crowded.live(), 0);
    crowded.sweep().await;
    assert_eq!((crowded.count::<Session>(), crowded.count::<Removal>()), (1, 0));
}

/// Then a transaction has several steps, and ends with the last row.
#[tokio::test]
async fn a_sweep_that_has_fallen_behind_catches_up() {
    let crowded = Crowded::new().await;
    let session = crowded.session;
    crowded.bounded(move |tx, cx| session::revoke(tx, cx, session)).await;

    let before = crowded.count::<Grant>();

    assert!(crowded.within(3 * MAX_SWEPT, |tx, cx| sweep::steps(tx, cx, 3)).await.more);

    assert_eq!(crowded.count::<Grant>(), before - 15);
    let whole = crowded.within(usize::MAX, |tx, cx| sweep::steps(tx, cx, 4_000)).await;
    assert!(!whole.more);
    crowded.assert_no_grant_is_left();
}

#[tokio::test]
async fn a_session_with_ten_thousand_offline_grants_is_revoked_in_bounded_steps() {
    let crowded = Crowded::new().await;
    let session = crowded.session;

    crowded.bounded(move |tx, cx| session::revoke(tx, cx, session)).await;

    assert_eq!(crowded.live(), 0);
    crowded.sweep().await;
    crowded.assert_no_grant_is_left();
}

#[tokio::test]
async fn a_revoked_session_stays_revoked_while_a_grant_of_it_exists() {
    let crowded = Crowded::new().await;
    let session = crowded.session;
    crowded.bounded(move |tx, cx| session::revoke(tx, cx, session)).await;

    // The row expires before the sweep reaches every grant.
    crowded.server.advance(std::time::Duration::from_hours(1));
    crowded.within(MAX_SWEPT, sweep::run).await;

    assert!(crowded.count::<Grant>() > 0);
    assert_eq!(crowded.live(), 0);
}

#[tokio::test]
async fn ten_thousand_grants_of_one_authorization_are_withdrawn_in_bounded_steps() {
    let crowded = Crowded::new().await;
    let (user, client) = (crowded.user, crowded.client.clone());

    crowded.bounded(move |tx, cx| connection::withdraw(tx, cx, user, &client)).await;

    assert_eq!(crowded.live(), 0);
    crowded.sweep().await;
    crowded.assert_no_grant_is_left();
}

#[tokio::test]
async fn a_client_with_ten_thousand_grants_is_removed_in_bounded_steps() {
    let crowded = Crowded::new().await;
    let client = crowded.client.clone();

    crowded.bounded(move |tx, cx| operator::remove(tx, cx, &client)).await;

    assert_eq!(crowded.live(), 0);
    crowded.sweep().await;
    crowded.assert_no_grant_is_left();
}

#[tokio::test]
async fn a_removal_leaves_what_is_later_than_the_end() {
    let crowded = Crowded::new().await;
    let (user, client) = (crowded.user, crowded.client.clone());
    crowded.bounded(move |tx, cx| connection::withdraw(tx, cx, user, &client)).await;
    crowded.server.advance(std::time::Duration::from_secs(1));
    let anew = |tx: &mut Tx<'_>, cx: &Context| {
        let old = tx.find::<Grant>(&id(GRANTS - 1))?.expect("the last is removed last");
        let authorization = Authorization { given: cx.now, ..old.authorization.clone() };
        tx.put(&id(0), Grant { authorization, created: cx.now, ..old })?;
        Ok(())
    };
    crowded.server.app.write(anew).await.unwrap();

    crowded.sweep().await;

    assert_eq!((crowded.count::<Grant>(), crowded.live()), (1, 1));
}

/// A listing filters before it cuts: what has ended takes nobody's place.
#[tokio::test]
async fn grants_that_ended_hide_none_that_is_in_force() {
    let crowded = Crowded::new().await;
    let end = |tx: &mut Tx<'_>, cx: &Context| {
        for n in 0..GRANTS - 5 {
            if let Some(grant) = tx.find::<Grant>(&id(n))? {
                tx.put(&id(n), Grant { ended: Some(cx.now), ..grant })?;
            }
        }
        Ok(())
    };
    crowded.server.app.write(end).await.unwrap();
    let (view, cx) = (crowded.server.app.read().unwrap(), crowded.server.app.context());

    let of_bob = grant::list(&view, &cx, Some(crowded.user), None, &Span::first(100)).unwrap();
    let of_all = grant::list(&view, &cx, None, None, &Span::first(100)).unwrap();
    let few = grant::list(&view, &cx, Some(crowded.user), None, &Span::first(3)).unwrap();

    assert_eq!((of_bob.items.len(), of_all.items.len(), few.items.len()), (5, 5, 3));
}
