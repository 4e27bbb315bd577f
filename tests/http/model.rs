//! Arbitrary sequences of what can happen to codes and tokens, beside a small model of what should.
//!
//! The model knows no hashes, rows or transactions: a code issues once; a token that returns too
//! late ends its grant; nothing is alive under a grant that has ended, whose session is over, or
//! whose client has gone; and a store that is replaced by an older copy of itself loses no grant
//! that stood in the copy.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use gatelodge::clock::Timestamp;
use gatelodge::error::Refusal;
use gatelodge::flow::installation::{restore, sweep};
use proptest::prelude::*;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Browser, Disk, RelyingParty, Response, Server, Tokens};

#[derive(Clone, Debug)]
enum Operation {
    Advance(u64),
    Authorize { offline: bool },
    Backup,
    Redeem(usize),
    RefreshAtOnce(usize, usize),
    RefreshNewest(usize),
    RefreshOlder(usize, usize),
    ReplaceClient,
    Restore { recorded: bool },
    SignOut,
}

fn operation() -> impl Strategy<Value = Operation> {
    let moments = vec![1, 7, 30, 61, 600, 900, 86_400, 8 * 86_400, 31 * 86_400];
    prop_oneof![
        6 => proptest::sample::select(moments).prop_map(Operation::Advance),
        8 => any::<bool>().prop_map(|offline| Operation::Authorize { offline }),
        3 => Just(Operation::Backup),
        10 => (0..8_usize).prop_map(Operation::Redeem),
        1 => (0..8_usize, 0..4_usize).prop_map(|(grant, age)| Operation::RefreshAtOnce(grant, age)),
        12 => (0..8_usize).prop_map(Operation::RefreshNewest),
        6 => (0..8_usize, 0..4_usize).prop_map(|(grant, age)| Operation::RefreshOlder(grant, age)),
        2 => Just(Operation::ReplaceClient),
        3 => any::<bool>().prop_map(|recorded| Operation::Restore { recorded }),
        2 => Just(Operation::SignOut),
    ]
}

const AT_ONCE: usize = 64;
const DAY: Duration = Duration::from_hours(24);
const GRACE: Duration = Duration::from_mins(1);
/// By which a generation may seem to be spent later than it was.
const WINDOW: Duration = Duration::from_secs(8);

#[derive(Clone)]
struct Code {
    text: String,
    made: Timestamp,
    offline: bool,
    session: usize,
    client: usize,
    grant: Option<usize>,
    /// Whether the store was replaced by one that does not know it.
    lost: bool,
}

#[derive(Clone)]
struct Grant {
    /// The refresh token of every generation that was ever issued.
    line: Vec<String>,
    /// When every generation before the newest was spent, as the store knows.
    spent: Vec<Timestamp>,
    access: Vec<(String, Timestamp)>,
    created: Timestamp,
    /// Whether a token ahead of the store was taken without a record of a restore.
    ahead: bool,
    offline: bool,
    session: usize,
    ended: bool,
    lost: bool,
}

/// A session, and when it began and ends.
#[derive(Clone)]
struct Session {
    created: Timestamp,
    expires: Timestamp,
    over: bool,
}

/// What the store holds, as far as the model knows.
#[derive(Clone)]
struct Stored {
    codes: Vec<Code>,
    grants: Vec<Grant>,
    sessions: Vec<Session>,
    client: usize,
    shop: RelyingParty,
    /// When the last recorded restore was, and from when on what it restored lives on.
    restored: Option<(Timestamp, Timestamp)>,
}

struct World {
    server: Server,
    disk: Arc<Disk>,
    browser: Browser,
    /// The session that the browser's cookie is of.
    browsing: Option<usize>,
    stored: Stored,
    backup: Option<(Timestamp, Arc<Disk>, Stored)>,
    restores: u64,
}

impl World {
    async fn new() -> Self {
        let (server, disk) = Server::with_counted_syncs().await;
        let browser = server.first_administrator().await;
        let shop = RelyingParty::web(&server).await;
        let stored = Stored {
            codes: Vec::new(),
            grants: Vec::new(),
            sessions: Vec::new(),
            client: 0,
            shop,
            restored: None,
        };
        let mut world =
            Self { server, disk, browser, browsing: None, stored, backup: None, restores: 0 };
        world.start_session();
        world
    }

    fn now(&self) -> Timestamp {
        self.server.app.clock().now()
    }

    fn start_session(&mut self) -> usize {
        let (now, session) = (self.now(), self.stored.sessions.len());
        self.browsing = Some(session);
        self.stored.sessions.push(Session { created: now, expires: now + DAY * 7, over: false });
        session
    }

    /// The expiry of what lives for `idle` after each use. What lived when a backup was made counts
    /// from its restore.
    fn idle_expiry(&self, expires: Timestamp, idle: Duration) -> Timestamp {
        match self.stored.restored {
            Some((at, living)) if living < expires => expires.max(at + idle),
            Some(_) | None => expires,
        }
    }

    fn session_lives(&self, session: usize) -> bool {
        self.stored.sessions.get(session).is_some_and(|own| {
            let expires = self.idle_expiry(own.expires, DAY * 7).min(own.created + DAY * 30);
            !own.over && self.now() < expires
        })
    }

    fn grant_lives(&self, grant: &Grant) -> bool {
        !grant.ended
            && !grant.lost
            && self.now() < grant.created + DAY * 180
            && (grant.offline || self.session_lives(grant.session))
    }

    fn newest_expires(&self, grant: &Grant) -> Timestamp {
        let issued = grant.spent.last().copied().unwrap_or(grant.created);
        self.idle_expiry(issued + DAY * 30, DAY * 30).min(grant.created + DAY * 180)
    }

    /// Whether a restore is on record that explains a token ahead of the store.
    fn explained(&self, grant: &Grant) -> bool {
        let restored = self.stored.restored;
        restored.is_some_and(|(at, _)| grant.created <= at && self.now() < at + DAY * 30)
    }

    async fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Advance(seconds) => {
                self.server.advance(Duration::from_secs(seconds));
                while self.server.app.write(sweep::run).await.unwrap().more {}
            }
            Operation::Authorize { offline } => self.authorize(offline).await,
            Operation::Backup => {
                self.backup = Some((self.now(), self.disk.copy(), self.stored.clone()));
            }
            Operation::Redeem(which) => self.redeem(which).await,
            Operation::RefreshAtOnce(which, age) => self.refresh(which, age, AT_ONCE).await,
            Operation::RefreshNewest(which) => self.refresh(which, 0, 1).await,
            Operation::RefreshOlder(which, age) => self.refresh(which, age + 1, 1).await,
            Operation::ReplaceClient => self.replace_client().await,
            Operation::Restore { recorded } => self.restore(recorded).await,
            Operation::SignOut => {
                self.browser.sign_out().await;
                // The browser keeps its key, which serves again after a restore.
                if let Some(session) = self.browsing {
                    self.stored.sessions[session].over = true;
                }
            }
        }
    }

    async fn authorize(&mut self, offline: bool) {
        let now = self.now();
        let session = match self.browsing.filter(|own| self.session_lives(*own)) {
            Some(session) => session,
            None => self.start_session(),
        };
        let own = &mut self.stored.sessions[session];
        own.expires = (now + DAY * 7).min(own.created + DAY * 30);
        let scope = if offline { "openid offline_access" } else { "openid" };
        let response = self.stored.shop.authorize(&mut self.browser, &[("scope", scope)]).await;
        self.stored.codes.push(Code {
            text: response.brought()["code"].clone(),
            made: now,
            offline,
            session,
            client: self.stored.client,
            grant: None,
            lost: false,
        });
    }

    async fn redeem(&mut self, which: usize) {
        if self.stored.codes.is_empty() {
            return;
        }
        let which = which % self.stored.codes.len();
        let (now, code) = (self.now(), &self.stored.codes[which]);
        let response = self.stored.shop.redeem(&code.text).await;

        let known = code.client == self.stored.client && !code.lost;
        let good = code.grant.is_none() && now < code.made + Duration::from_mins(10);
        let wanted = code.offline || self.session_lives(code.session);
        assert_eq!(response.status == 200, known && good && wanted, "{}", response.text());
        if let (Some(grant), true) = (code.grant, known) {
            self.stored.grants[grant].ended = true;
        }
        if response.status == 200 {
            let (offline, session) = (code.offline, code.session);
            let tokens = response.tokens();
            self.stored.codes[which].grant = Some(self.stored.grants.len());
            self.stored.grants.push(Grant {
                line: vec![tokens.refresh().to_owned()],
                spent: Vec::new(),
                access: Vec::new(),
                created: now,
                ahead: false,
                offline,
                session,
                ended: false,
                lost: false,
            });
            self.keep_access(self.stored.grants.len() - 1, &tokens);
        }
    }

    fn keep_access(&mut self, grant: usize, tokens: &Tokens) {
        let expires = self.now() + Duration::from_mins(15);
        self.stored.grants[grant].access.push((tokens.access.clone(), expires));
    }

    /// Presents the token that is `age` generations older than the newest that was ever issued,
    /// several times at once.
    async fn refresh(&mut self, which: usize, age: usize, times: usize) {
        if self.stored.grants.is_empty() {
            return;
        }
        let which = which % self.stored.grants.len();
        let grant = &self.stored.grants[which];
        let generation = (grant.line.len() - 1).saturating_sub(age);
        let responses = refreshed(&self.stored.shop, &grant.line[generation], times).await;

        let refusals: Vec<_> = responses.iter().map(Response::refusal).collect();
        let first = refusals[0];
        assert!(refusals.iter().all(|refusal| *refusal == first), "{refusals:?}");
        match self.expected(which, generation) {
            Expected::Refused(refusal) => {
                assert!(first == refusal || first.is_some() && refusal.is_none(), "{first:?}");
            }
            Expected::Replayed { maybe } => {
                let replayed = first == Some(Refusal::RefreshReplayed);
                assert!(replayed || maybe, "{first:?}");
                if replayed {
                    self.stored.grants[which].ended = true;
                } else {
                    self.assert_newest(which, &responses);
                }
            }
            Expected::Tokens => self.assert_newest(which, &responses),
            Expected::Rotation { ahead } => {
                let (now, grant) = (self.now(), &mut self.stored.grants[which]);
                grant.ahead |= ahead;
                grant.spent.resize(generation + 1, now);
                if grant.line.len() == generation + 1 {
                    grant.line.push(responses[0].tokens().refresh().to_owned());
                }
                self.assert_newest(which, &responses);
            }
        }
    }

    fn expected(&self, which: usize, generation: usize) -> Expected {
        let (now, grant) = (self.now(), &self.stored.grants[which]);
        let lives = self.grant_lives(grant);
        if let Some(spent) = grant.spent.get(generation) {
            let age = now.since(*spent);
            return match (age > GRACE, lives) {
                // The row of an ended grant may have been removed.
                (_, false) => Expected::Refused(None),
                (true, true) => Expected::Replayed { maybe: age <= GRACE + WINDOW },
                (false, true) => Expected::Tokens,
            };
        }
        let ahead = generation > grant.spent.len() && !self.explained(grant);
        match () {
            () if !lives => Expected::Refused(None),
            () if ahead && grant.ahead => Expected::Refused(Some(Refusal::RefreshAhead)),
            () if now >= self.newest_expires(grant) => {
                Expected::Refused(Some(Refusal::RefreshExpired))
            }
            () => Expected::Rotation { ahead },
        }
    }

    /// Asserts that every response brings the newest token of the grant, and keeps an access token.
    fn assert_newest(&mut self, which: usize, responses: &[Response]) {
        let grant = &self.stored.grants[which];
        let newest = &grant.line[grant.spent.len()];
        for response in responses {
            assert_eq!(response.tokens().refresh(), newest);
        }
        self.keep_access(which, &responses[0].tokens());
    }

    async fn replace_client(&mut self) {
        // What the new client is given must not be older than itself.
        self.server.advance(Duration::from_secs(1));
        self.server.operate(Method::DELETE, "/clients/shop", json!({})).await;
        self.stored.shop = RelyingParty::web(&self.server).await;
        self.stored.client += 1;
        for grant in &mut self.stored.grants {
            grant.ended = true;
        }
    }

    /// Replaces the store by its backup. What was issued since then stays in the world.
    async fn restore(&mut self, recorded: bool) {
        let Some((made, disk, stored)) = &self.backup else { return };
        let (made, mut stored) = (*made, stored.clone());
        self.restores += 1;
        self.disk = disk.copy();
        self.server = self.server.restored_from(&self.disk, 100 + self.restores);
        self.browser.server = self.server.clone();
        stored.shop = stored.shop.at(&self.server);
        let lost = self.stored.clone();
        for (own, known) in stored.grants.iter_mut().zip(&lost.grants) {
            own.line.clone_from(&known.line);
            own.access.clone_from(&known.access);
        }
        let grants = lost.grants.into_iter().skip(stored.grants.len());
        stored.grants.extend(grants.map(|grant| Grant { lost: true, ..grant }));
        let codes = lost.codes.into_iter().skip(stored.codes.len());
        stored.codes.extend(codes.map(|code| Code { lost: true, ..code }));
        let sessions = lost.sessions.into_iter().skip(stored.sessions.len());
        stored.sessions.extend(sessions.map(|session| Session { over: true, ..session }));
        self.stored = stored;
        if recorded {
            let now = self.now();
            let write = self.server.app.write(move |tx, cx| Ok(restore::record(tx, cx, made)?));
            write.await.unwrap();
            let earlier = self.stored.restored.filter(|(at, _)| made < *at + DAY * 30);
            let living = earlier.map_or(made, |(_, living)| living.min(made));
            self.stored.restored = Some((now, living));
        }
    }

    async fn is_active(&self, token: &str) -> bool {
        self.stored.shop.introspect(token).await.json()["active"].as_bool().unwrap()
    }

    /// Every token there is lives exactly as long as its grant and its own time.
    async fn check(&self) {
        for (which, grant) in self.stored.grants.iter().enumerate() {
            for (generation, token) in grant.line.iter().enumerate() {
                let unspent = generation >= grant.spent.len();
                let lives = unspent
                    && matches!(self.expected(which, generation), Expected::Rotation { .. });
                assert_eq!(self.is_active(token).await, lives, "generation {generation}");
            }
            for (access, expires) in &grant.access {
                let lives = self.grant_lives(grant) && self.now() < *expires;
                assert_eq!(self.stored.shop.userinfo(access).await.status == 200, lives);
                assert_eq!(self.is_active(access).await, lives);
            }
        }
    }
}

/// What should become of a refresh.
enum Expected {
    /// It is refused, for this reason if there is but one, and ends nothing.
    Refused(Option<Refusal>),
    /// It ends the grant, unless it `maybe` falls into the grace.
    Replayed { maybe: bool },
    /// A new generation, and whether it is the one that was taken `ahead` of the store.
    Rotation { ahead: bool },
    /// The newest token there is.
    Tokens,
}

/// The responses to a refresh that is made several times at once.
async fn refreshed(shop: &RelyingParty, token: &str, times: usize) -> Vec<Response> {
    let mut tasks = JoinSet::new();
    for _ in 0..times {
        let (shop, token) = (shop.clone(), token.to_owned());
        tasks.spawn(async move { shop.refresh(&token).await });
    }
    tasks.join_all().await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_happens_only_what_should_live_lives(
        operations in proptest::collection::vec(operation(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for operation in operations {
                world.run(operation).await;
                world.check().await;
            }
        });
    }
}
