//! Arbitrary sequences of what can happen to codes and tokens, beside a small model of what should.
//!
//! The model knows no hashes, rows or transactions: a code issues once; a token that returns too
//! late ends its grant; nothing is alive under a grant that has ended, whose session is over, or
//! whose client has gone.

use std::time::Duration;

use axum::http::Method;
use gatelodge::clock::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Browser, RelyingParty, Server, Tokens};

#[derive(Clone, Debug)]
enum Operation {
    Advance(u64),
    Authorize { offline: bool },
    Redeem(usize),
    RefreshNewest(usize),
    RefreshOlder(usize, usize),
    ReplaceClient,
    SignOut,
}

fn operation() -> impl Strategy<Value = Operation> {
    let moments = vec![1, 30, 61, 600, 900, 86_400, 8 * 86_400, 31 * 86_400];
    prop_oneof![
        2 => proptest::sample::select(moments).prop_map(Operation::Advance),
        4 => any::<bool>().prop_map(|offline| Operation::Authorize { offline }),
        5 => (0..8_usize).prop_map(Operation::Redeem),
        4 => (0..8_usize).prop_map(Operation::RefreshNewest),
        2 => (0..8_usize, 0..4_usize).prop_map(|(grant, age)| Operation::RefreshOlder(grant, age)),
        1 => Just(Operation::ReplaceClient),
        1 => Just(Operation::SignOut),
    ]
}

const DAY: Duration = Duration::from_hours(24);

struct Code {
    text: String,
    made: Timestamp,
    offline: bool,
    session: usize,
    client: usize,
    grant: Option<usize>,
}

struct Grant {
    line: Vec<Link>,
    access: Vec<(String, Timestamp)>,
    created: Timestamp,
    offline: bool,
    session: usize,
    ended: bool,
}

struct Link {
    token: String,
    expires: Timestamp,
    spent: Option<Timestamp>,
}

/// A session, and when it began and ends.
struct Session {
    created: Timestamp,
    expires: Timestamp,
    over: bool,
}

struct World {
    server: Server,
    browser: Browser,
    shop: RelyingParty,
    codes: Vec<Code>,
    grants: Vec<Grant>,
    sessions: Vec<Session>,
    client: usize,
}

impl World {
    async fn new() -> Self {
        let (server, browser) = Server::with_ada().await;
        let shop = RelyingParty::web(&server).await;
        let mut world = Self {
            server,
            browser,
            shop,
            codes: Vec::new(),
            grants: Vec::new(),
            sessions: Vec::new(),
            client: 0,
        };
        world.start_session();
        world
    }

    fn now(&self) -> Timestamp {
        self.server.app.clock().now()
    }

    fn start_session(&mut self) {
        let now = self.now();
        self.sessions.push(Session { created: now, expires: now + DAY * 7, over: false });
    }

    fn session_lives(&self, session: usize) -> bool {
        self.sessions.get(session).is_some_and(|own| !own.over && self.now() < own.expires)
    }

    fn grant_lives(&self, grant: &Grant) -> bool {
        !grant.ended
            && self.now() < grant.created + DAY * 180
            && (grant.offline || self.session_lives(grant.session))
    }

    async fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Advance(seconds) => self.server.advance(Duration::from_secs(seconds)),
            Operation::Authorize { offline } => self.authorize(offline).await,
            Operation::Redeem(which) => self.redeem(which).await,
            Operation::RefreshNewest(which) => self.refresh(which, 0).await,
            Operation::RefreshOlder(which, age) => self.refresh(which, age + 1).await,
            Operation::ReplaceClient => self.replace_client().await,
            Operation::SignOut => {
                self.browser.sign_out().await;
                if let Some(session) = self.sessions.last_mut() {
                    session.over = true;
                }
            }
        }
    }

    async fn authorize(&mut self, offline: bool) {
        let current = self.sessions.len() - 1;
        let now = self.now();
        if !self.session_lives(current) {
            self.start_session();
        } else if let Some(session) = self.sessions.last_mut() {
            session.expires = (now + DAY * 7).min(session.created + DAY * 30);
        }
        let scope = if offline { "openid offline_access" } else { "openid" };
        let response = self.shop.authorize(&mut self.browser, &[("scope", scope)]).await;
        self.codes.push(Code {
            text: response.brought()["code"].clone(),
            made: now,
            offline,
            session: self.sessions.len() - 1,
            client: self.client,
            grant: None,
        });
    }

    async fn redeem(&mut self, which: usize) {
        if self.codes.is_empty() {
            return;
        }
        let which = which % self.codes.len();
        let (now, code) = (self.now(), &self.codes[which]);
        let response = self.shop.redeem(&code.text).await;

        let of_this_client = code.client == self.client;
        let seed = code.grant.is_none() && now < code.made + Duration::from_mins(10);
        let wanted = code.offline || self.session_lives(code.session);
        assert_eq!(response.status == 200, of_this_client && seed && wanted, "{}", response.text());
        if let (Some(grant), true) = (code.grant, of_this_client) {
            self.grants[grant].ended = true;
        }
        if response.status == 200 {
            let (offline, session) = (code.offline, code.session);
            self.codes[which].grant = Some(self.grants.len());
            self.grants.push(Grant {
                line: Vec::new(),
                access: Vec::new(),
                created: now,
                offline,
                session,
                ended: false,
            });
            self.keep(self.grants.len() - 1, &response.tokens());
        }
    }

    /// Writes down what a grant has brought.
    fn keep(&mut self, grant: usize, tokens: &Tokens) {
        let now = self.now();
        let grant = &mut self.grants[grant];
        grant.access.push((tokens.access.clone(), now + Duration::from_mins(15)));
        let token = tokens.refresh().to_owned();
        if grant.line.last().is_none_or(|newest| newest.token != token) {
            let expires = (now + DAY * 30).min(grant.created + DAY * 180);
            grant.line.push(Link { token, expires, spent: None });
        }
    }

    async fn refresh(&mut self, which: usize, age: usize) {
        if self.grants.is_empty() {
            return;
        }
        let which = which % self.grants.len();
        let (now, grant) = (self.now(), &self.grants[which]);
        let position = (grant.line.len() - 1).saturating_sub(age);
        let (length, link) = (grant.line.len(), &grant.line[position]);
        let response = self.shop.refresh(&link.token).await;

        let too_late = link.spent.is_some_and(|spent| now.since(spent) > Duration::from_mins(1));
        let idle = link.spent.is_none() && now >= link.expires;
        let expected = !too_late && !idle && self.grant_lives(grant);
        assert_eq!(response.status == 200, expected, "{}", response.text());
        self.grants[which].ended |= too_late;
        if expected {
            let rotates = self.grants[which].line[position].spent.is_none();
            self.keep(which, &response.tokens());
            self.grants[which].line[position].spent.get_or_insert(now);
            assert_eq!(self.grants[which].line.len(), length + usize::from(rotates));
        }
    }

    async fn replace_client(&mut self) {
        // What the new client is given must not be older than itself.
        self.server.advance(Duration::from_secs(1));
        self.server.operate(Method::DELETE, "/clients/shop", json!({})).await;
        self.shop = RelyingParty::web(&self.server).await;
        self.client += 1;
        for grant in &mut self.grants {
            grant.ended = true;
        }
    }

    async fn is_active(&self, token: &str) -> bool {
        self.shop.introspect(token).await.json()["active"].as_bool().unwrap()
    }

    /// Every token there is lives exactly as long as its grant and its own time.
    async fn check(&self) {
        for grant in &self.grants {
            for link in &grant.line {
                let unused = link.spent.is_none() && self.now() < link.expires;
                assert_eq!(self.is_active(&link.token).await, unused && self.grant_lives(grant));
            }
            for (access, expires) in &grant.access {
                let lives = self.grant_lives(grant) && self.now() < *expires;
                assert_eq!(self.shop.userinfo(access).await.status == 200, lives);
                assert_eq!(self.is_active(access).await, lives);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_happens_only_what_should_live_lives(
        operations in proptest::collection::vec(operation(), 1..20),
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
