//! A whole installation in memory: its clock is moved by hand and its chance is the same each time.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::app::{App, Sources};
use gatelodge::clock::{Clock, Timestamp};
use gatelodge::config::{Config, Layers};
use gatelodge::error::Error;
use gatelodge::flow;
use gatelodge::http::Peer;
use gatelodge::keys::{self, JwtKind, Sealer, Signature};
use gatelodge::model::email::PersonEmail;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::id::KeyId;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::secret::{Entropy, RootSecret};
use gatelodge::store::check::check_rows;
use gatelodge::store::schema::{Client, Person, SigningKeyRow};
use gatelodge::store::{Backend, Store, StoreError, Tx, View};
use redb::backends::InMemoryBackend;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

use super::{Browser, RelyingParty, Response, Surface};

/// When every story begins: 2026-01-01T00:00:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// An installation, and both of its routers.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    issuer: Issuer,
    public: Router,
    admin: Router,
    whole: Arc<Whole>,
}

/// Checks the store of an installation when its story ends: nothing that a story does leaves a row, an
/// index entry or a sum behind that is wrong, or a row that names what is not there.
struct Whole {
    app: Arc<App>,
    may_be_flawed: AtomicBool,
}

impl Drop for Whole {
    fn drop(&mut self) {
        if thread::panicking() || self.may_be_flawed.load(Ordering::SeqCst) {
            return;
        }
        let flaws = check_rows(&self.app.read().unwrap()).flaws;
        assert!(flaws.is_empty(), "the story leaves a store that is not whole: {flaws:#?}");
    }
}

impl Server {
    /// An installation at `http://localhost:7455` in which nobody lives.
    pub(crate) async fn new() -> Self {
        Self::with(Issuer::localhost(7455), |_| {}).await
    }

    /// An installation at `issuer` whose configuration `change` has changed.
    pub(crate) async fn with(issuer: Issuer, change: impl FnOnce(&mut Config)) -> Self {
        let store = Store::memory().unwrap();
        keep_keys(&store).await;
        Self::over(issuer, store, change).await
    }

    /// An installation on disk that may reach one private destination. Waits until the store is
    /// unlocked.
    pub(crate) async fn at(path: &Path, private: &str) -> Self {
        let store = loop {
            match Store::open(path) {
                Err(StoreError::Locked) => tokio::time::sleep(Duration::from_millis(5)).await,
                opened => break opened.unwrap(),
            }
        };
        keep_keys(&store).await;
        let reach = |config: &mut Config| config.fetch.private = vec![private.to_owned()];
        Self::over(Issuer::localhost(7455), store, reach).await
    }

    /// An installation on a disk that counts how often it was synced, and can fail.
    pub(crate) async fn with_counted_syncs() -> (Self, Arc<Disk>) {
        Self::with_disk(|_| {}).await
    }

    /// As [`Self::with_counted_syncs`], with a configuration that `change` has changed.
    pub(crate) async fn with_disk(change: impl FnOnce(&mut Config)) -> (Self, Arc<Disk>) {
        let disk = Arc::new(Disk::default());
        let store = disk.store();
        keep_keys(&store).await;
        (Self::over(Issuer::localhost(7455), store, change).await, disk)
    }

    /// The same installation over another disk, which holds a copy of its store. The clock goes on.
    /// A `seed` of its own keeps it from making the ids again that the other has made.
    pub(crate) fn restored_from(&self, copy: &Arc<Disk>, seed: u64) -> Self {
        let (clock, rules) = (self.app.clock().clone(), self.app.rules());
        let sources = Sources { clock, entropy: Entropy::seeded(seed), ..Sources::default() };
        let (config, issuer) = (rules.config.clone(), rules.issuer.clone());
        Self::of(App::new(config, issuer, &root().into(), copy.store(), sources).unwrap())
    }

    /// An installation that has yet to make its keys.
    pub(crate) async fn without_keys() -> Self {
        Self::over(Issuer::localhost(7455), Store::memory().unwrap(), |_| {}).await
    }

    /// An installation that has yet to make its keys, on a disk that can fail.
    pub(crate) async fn without_keys_on_disk() -> (Self, Arc<Disk>) {
        let disk = Arc::new(Disk::default());
        (Self::over(Issuer::localhost(7455), disk.store(), |_| {}).await, disk)
    }

    /// An installation in a process that has drawn other keys than every other here.
    pub(crate) async fn of_another_process() -> Self {
        let (store, entropy) = (Store::memory().unwrap(), Entropy::seeded(8));
        Self::drawing(entropy, Issuer::localhost(7455), store, |_| {}).await
    }

    /// An installation in a data directory, with its key file. It has yet to make its keys.
    pub(crate) async fn on_disk(data: &Path) -> Self {
        let config = Config::at(data);
        Self::of(App::create(config, Issuer::localhost(7455)).await.ok().unwrap())
    }

    /// An installation at `issuer` under another root secret, which has no signing keys.
    pub(crate) async fn under_another_root(issuer: &str) -> Self {
        let root = RootSecret::generate(&Entropy::seeded(2).seed());
        let (clock, entropy) = (Clock::manual(BEGINNING), Entropy::seeded(9));
        let (config, store) = (Config::at("/nowhere"), Store::memory().unwrap());
        let sources = Sources { clock, entropy, ..Sources::default() };
        let app = App::new(config, issuer.parse().unwrap(), &root.into(), store, sources).unwrap();
        app.write(flow::installation::create).await.unwrap();
        Self::of(app)
    }

    async fn over(issuer: Issuer, store: Store, change: impl FnOnce(&mut Config)) -> Self {
        Self::drawing(Entropy::seeded(7), issuer, store, change).await
    }

    async fn drawing(
        entropy: Entropy,
        issuer: Issuer,
        store: Store,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        Self::of(made(entropy, issuer, store, change).await)
    }

    /// An installation that reads `layers` again when it is asked to.
    pub(crate) async fn with_layers(layers: Layers) -> Self {
        let config = layers.load().unwrap();
        let (issuer, store) = (Issuer::localhost(7455), Store::memory().unwrap());
        let app = made(Entropy::seeded(7), issuer, store, |own| *own = config).await;
        Self::of(app.with_layers(layers))
    }

    fn of(app: App) -> Self {
        let app = Arc::new(app);
        let public = gatelodge::http::router(Arc::clone(&app));
        let admin = gatelodge::admin::router(Arc::clone(&app));
        let issuer = app.rules().issuer.clone();
        let whole = Whole { app: Arc::clone(&app), may_be_flawed: AtomicBool::new(false) };
        Self { app, issuer, public, admin, whole: Arc::new(whole) }
    }

    /// An installation whose administrator, ada, is signed in in a browser.
    pub(crate) async fn with_ada() -> (Self, Browser) {
        let server = Self::new().await;
        let browser = server.first_administrator().await;
        (server, browser)
    }

    /// Makes ada the first administrator.
    pub(crate) async fn first_administrator(&self) -> Browser {
        let mut browser = Browser::new(self);
        let link = self.operate(Method::POST, "/recover", json!({})).await.json();
        browser.enrol(link["setup_url"].as_str().unwrap(), Some("ada")).await;
        browser
    }

    /// Adds a person, who enrols in a browser of their own.
    pub(crate) async fn person(&self, username: &str) -> Browser {
        let link = self.operate(Method::POST, "/users", json!({ "username": username })).await;
        let mut browser = Browser::new(self);
        browser.enrol(link.json()["setup_url"].as_str().unwrap(), None).await;
        browser
    }

    /// Registers a client.
    pub(crate) async fn client(&self, registration: Value) -> RelyingParty {
        let response = self.operate(Method::POST, "/clients", registration).await;
        assert_eq!(response.status, 201, "{}", response.text());
        RelyingParty::new(self, &response.json())
    }

    pub(crate) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, by: Duration) {
        self.app.clock().advance(by);
    }

    /// The claims of a JWT of this kind that a published key of this server signed.
    pub(crate) fn verified(&self, token: &str, kind: JwtKind) -> Value {
        let examined = self.app.keys().examine(token, self.app.clock().now()).unwrap();
        assert_eq!((examined.kind, examined.signature), (kind, Signature::Valid));
        examined.claims
    }

    /// Sends a request from this machine, if it has no other peer; without a `Host` it goes to the
    /// issuer's.
    pub(crate) async fn send(&self, mut request: Request) -> Response {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(Ipv4Addr::LOCALHOST.into()));
        }
        self.send_over_no_listener(request).await
    }

    /// Sends a request that no listener has marked with its peer.
    pub(crate) async fn send_over_no_listener(&self, mut request: Request) -> Response {
        if !request.headers().contains_key(header::HOST) {
            let host = self.app.rules().issuer.authority().parse().unwrap();
            request.headers_mut().insert(header::HOST, host);
        }
        let response = self.public.clone().oneshot(request).await.unwrap();
        Response::read(response, Surface::Public).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a request to the administration API; `path` stands below `/api/v1`.
    /// The address of a file of the pages, as they name it.
    pub(crate) async fn asset(&self, name: &str) -> String {
        let page = self.get("/gate/login").await;
        let (_, rest) = page.text().split_once("href=\"/assets/").unwrap();
        format!("/assets/{}/{name}", rest.split('/').next().unwrap())
    }

    pub(crate) async fn operate(&self, method: Method, path: &str, body: Value) -> Response {
        self.operate_raw(method, path, body.to_string()).await
    }

    pub(crate) async fn operate_raw(&self, method: Method, path: &str, body: String) -> Response {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.body(Body::from(body)).unwrap();
        let response = self.admin.clone().oneshot(request).await.unwrap();
        Response::read(response, Surface::Admin).await
    }

    /// Sends a request to the administration API at the port, with an access token; `path` stands
    /// below `/api/v1`.
    pub(crate) async fn administer(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Response {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header(header::HOST, self.app.rules().issuer.authority());
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        request.extensions_mut().insert(Peer(Ipv4Addr::new(192, 0, 2, 1).into()));
        let response = self.public.clone().oneshot(request).await.unwrap();
        Response::read(response, Surface::Admin).await
    }

    /// An access token of a client that acts for itself, with this scope.
    pub(crate) async fn token_of_robot(&self, scope: &str) -> String {
        let robot = json!({ "name": "Robot", "scope": scope });
        let robot = self.client(robot).await;
        robot.ask(&[("grant_type", "client_credentials")]).await.tokens().access
    }

    /// Changes a client's row, as commands to come will.
    pub(crate) async fn change_client(&self, id: &str, change: fn(&mut Client)) {
        let id = id.parse().unwrap();
        let changed = self.app.write(move |tx, _| {
            let mut client = tx.find::<Client>(&id)?.expect("the client is there");
            change(&mut client);
            Ok(tx.put(&id, client)?)
        });
        changed.await.unwrap();
    }

    /// Changes the row of the person called `username`, as commands to come will.
    pub(crate) async fn change_person(&self, username: &str, change: fn(&mut Person)) {
        let username = username.parse().unwrap();
        let changed = self.app.write(move |tx, _| {
            let (id, mut person) =
                flow::person::people::named(tx, &username)?.expect("they are there");
            change(&mut person);
            Ok(tx.put(&id, person)?)
        });
        changed.await.unwrap();
    }

    /// The store need not be whole at the end: the story changes it past all transitions.
    pub(crate) fn leaves_flaws(&self) {
        self.whole.may_be_flawed.store(true, Ordering::SeqCst);
    }

    /// Removes the row of the person called `username`, and nothing else of theirs.
    pub(crate) async fn forget_person(&self, username: &str) {
        self.leaves_flaws();
        let username = username.parse().unwrap();
        let forgotten = self.app.write(move |tx, _| {
            let (id, _) = flow::person::people::named(tx, &username)?.expect("they are there");
            Ok(tx.remove::<Person>(&id)?)
        });
        forgotten.await.unwrap();
    }
}

/// The e-mail address of a person, as an operator enters it.
pub(crate) fn address(email: &str) -> Option<PersonEmail> {
    Some(PersonEmail::by_operator(email.parse().unwrap()))
}

/// A disk in memory. Each commit syncs it as often as every other of its size.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    fails: AtomicBool,
    pub(crate) syncs: AtomicUsize,
    backend: InMemoryBackend,
}

impl Disk {
    /// A store over it.
    fn store(self: &Arc<Self>) -> Store {
        Store::over(Counting(Arc::clone(self))).unwrap()
    }

    /// Another disk of the same content.
    pub(crate) fn copy(&self) -> Arc<Self> {
        let length = self.backend.len().unwrap();
        let mut content = vec![0; usize::try_from(length).unwrap()];
        self.backend.read(0, &mut content).unwrap();
        let copy = Self::default();
        copy.backend.set_len(length).unwrap();
        copy.backend.write(0, &content).unwrap();
        Arc::new(copy)
    }

    /// From now on nothing can be written, or everything again.
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct Counting(Arc<Disk>);

impl Backend for Counting {
    fn len(&self) -> io::Result<u64> {
        self.0.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.backend.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.backend.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("nothing is written"));
        }
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        self.0.backend.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.backend.write(offset, data)
    }
}

fn root() -> RootSecret {
    RootSecret::generate(&Entropy::seeded(1).seed())
}

async fn keep_keys(store: &Store) {
    let keys = signing_keys().await.clone();
    let written = store.write(move |tx: &mut Tx<'_>| -> Result<(), Error> {
        keys.iter().try_for_each(|(id, key)| Ok(tx.put(id, key.clone())?))
    });
    written.await.unwrap();
}

/// One set of keys for all installations, since an RSA key takes a while to make.
async fn signing_keys() -> &'static Vec<(KeyId, SigningKeyRow)> {
    static KEYS: OnceCell<Vec<(KeyId, SigningKeyRow)>> = OnceCell::const_new();
    KEYS.get_or_init(|| async {
        let sealer = Sealer::new(&root());
        let make = |alg: &SigningAlg| keys::generate(*alg, &sealer, BEGINNING, BEGINNING).unwrap();
        SigningAlg::ALL.iter().map(make).collect()
    })
    .await
}

/// A new installation over `store`, whose configuration `change` has changed.
async fn made(
    entropy: Entropy,
    issuer: Issuer,
    store: Store,
    change: impl FnOnce(&mut Config),
) -> App {
    let mut config = Config::at("/nowhere");
    change(&mut config);
    let sources = Sources { clock: Clock::manual(BEGINNING), entropy, ..Sources::default() };
    let app = App::new(config, issuer, &root().into(), store, sources).unwrap();
    app.write(flow::installation::create).await.unwrap();
    app
}
