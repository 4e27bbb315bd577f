//! One flood from one source, on an installation of its own: a person signs in and a client
//! refreshes meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::arguments::Arguments;
use crate::floods::{Flood, How, Scene};
use crate::netns::Source;
use crate::person::{Browser, Person, Refresher};
use crate::sender::{self, Tally};
use crate::server::{Credentials, Server};
use crate::site;

/// The pause between two attempts of the person, or of the client.
const PAUSE: Duration = Duration::from_millis(200);

/// What a person, or a client, waited.
#[derive(Default)]
pub(crate) struct Attempts {
    /// The times of those that succeeded.
    pub(crate) succeeded: Vec<Duration>,
    /// Why the others failed.
    pub(crate) failed: Vec<String>,
}

/// What became of a run.
pub(crate) struct Outcome {
    pub(crate) flood: &'static str,
    pub(crate) source: Source,
    pub(crate) tally: Tally,
    /// How long the flood lasted, in seconds.
    pub(crate) seconds: f64,
    pub(crate) sign_ins: Attempts,
    pub(crate) refreshes: Attempts,
    /// Whether both succeeded once the flood was over, and why not.
    pub(crate) afterwards: Result<(), String>,
    /// The greatest memory of the server, and the part of it that no file backs, in KiB.
    pub(crate) peak: u64,
    pub(crate) anonymous: u64,
    /// The bytes of its file before and after.
    pub(crate) file: (u64, u64),
    /// The part of both cores that it had.
    pub(crate) processor: f64,
    pub(crate) complaints: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, flood: &Flood, source: Source) -> Outcome {
    let runtime = Runtime::new().unwrap();
    let site = site::serve(&runtime);
    let server = Server::start(&arguments.binary, &site, arguments.without_admission);
    let (shop, mut person, mut refresher, scene) = furnish(&server, site);
    let before = (server.file(), server.processor_time());

    let (started, over) = (Instant::now(), AtomicBool::new(false));
    let running = sender::start(&runtime, flood, source, &scene, arguments);
    let (mut sign_ins, mut refreshes) = (Attempts::default(), Attempts::default());
    let mut anonymous = 0;
    let mut ended = (Tally::default(), 0.0);
    thread::scope(|scope| {
        let sign_in = || person.sign_in(&shop, "openid profile").map(drop);
        scope.spawn(|| sign_ins.repeat(&over, sign_in));
        scope.spawn(|| refreshes.repeat(&over, || refresher.refresh()));
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                anonymous = anonymous.max(server.memory("RssAnon"));
                thread::sleep(PAUSE);
            }
        });
        ended = (running.end(&runtime), started.elapsed().as_secs_f64());
        over.store(true, Ordering::SeqCst);
    });
    let (mut tally, seconds) = ended;
    let processor = (server.processor_time() - before.1) / seconds;
    if matches!(flood.how, How::HalfSent | How::Unread) {
        let status = runtime.block_on(sender::held_status(source, flood.how));
        tally.statuses.insert(status.unwrap_or_default(), 1);
    }
    let afterwards = person.sign_in(&shop, "openid profile").and_then(|_| refresher.refresh());
    Outcome {
        flood: flood.name,
        source,
        tally,
        seconds,
        sign_ins,
        refreshes,
        afterwards,
        peak: server.memory("VmHWM"),
        anonymous,
        file: (before.0, server.file()),
        processor,
        complaints: server.complaints(),
    }
}

/// Makes the clients and the person, who signs in to both of theirs.
fn furnish(server: &Server, site: String) -> (Credentials, Person, Refresher, Scene) {
    let added = server
        .operate("client add Shop --id shop --redirect https://shop.example/cb --first-party", "");
    let secret = added["client_secret"].as_str().unwrap().to_owned();
    let shop = Credentials { id: "shop".to_owned(), secret };
    // A secret that a person chose: the client that refreshes proves it while others guess at it.
    let legacy = "client add Legacy --id legacy --redirect https://legacy.example/cb --first-party \
         --grant authorization_code --grant refresh_token --grant client_credentials --secret-file -";
    let secret = "correct horse battery staple".to_owned();
    server.operate(legacy, &secret);
    let legacy = Credentials { id: "legacy".to_owned(), secret };
    server
        .operate("client add Reader --id reader --public --redirect https://reader.example/cb", "");
    let device = "client add Telly --id telly --public \
         --grant urn:ietf:params:oauth:grant-type:device_code --grant refresh_token";
    server.operate(device, "");

    let mut person = Person::enrolled(&server.setup_url).unwrap();
    let tokens = person.sign_in(&shop, "openid profile").unwrap();
    let id_token = tokens["id_token"].as_str().unwrap().to_owned();
    let tokens = person.sign_in(&legacy, "openid offline_access").unwrap();
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    let mut browser = Browser::new();
    browser.open("/gate/login").unwrap();
    (shop, person, Refresher { client: legacy, token }, Scene { browser, id_token, site })
}

impl Attempts {
    fn repeat(&mut self, over: &AtomicBool, mut attempt: impl FnMut() -> Result<(), String>) {
        while !over.load(Ordering::SeqCst) {
            let started = Instant::now();
            match attempt() {
                Ok(()) => self.succeeded.push(started.elapsed()),
                Err(fault) => self.failed.push(fault),
            }
            thread::sleep(PAUSE);
        }
    }
}
