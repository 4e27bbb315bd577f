//! An installation with what the operations need, and the built program over it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatelodge::app::App;
use gatelodge::config::Config;
use gatelodge::error::Error;
use gatelodge::flow::client::operator::{self, NewClient};
use gatelodge::secret::{AppSecret, ExchangeCode};
use gatelodge::store::schema::{AppSession, Exchange};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::flow::APPLICATION;
use super::scale::disk::Shape;
use super::scale::fill;
use crate::crowd;
use crate::installed::grant;

pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_gatelodge");

/// The bounds as high as the configuration allows them.
const BOUNDS: &str = "
behind_proxy = ['127.0.0.1']
[policy]
anonymous_sessions = 1000000
interactions = 1000000
[lifetimes]
pushed_request = '10m'
[apps.'wiki.example']
";

/// Any port that is free.
const ANY: &str = "127.0.0.1:0";

/// How many exchange codes are made at one time, and how many a person has.
const CODES_AT_ONCE: usize = 2_000;
const CODES_OF_PERSON: usize = 40;

/// What a place has when its program starts.
pub(super) struct Stock {
    pub(super) callers: usize,
    pub(super) exchange_codes: usize,
    /// People beside the callers, each with a session and a grant.
    pub(super) grants: u32,
}

/// What the callers begin with: of each kind one for each of them.
pub(super) struct Seeds {
    secret: String,
    /// Refresh tokens of a client with an ID token by each algorithm, and of one without.
    pub(super) es256: Vec<String>,
    pub(super) quiet: Vec<String>,
    pub(super) rs256: Vec<String>,
    /// Refresh tokens that are introspected; whose access token is; and whose access token asks for claims.
    pub(super) asked: Vec<String>,
    pub(super) inspected: Vec<String>,
    pub(super) known: Vec<String>,
    /// Cookies of sessions, and of sessions at an application.
    pub(super) sessions: Vec<String>,
    pub(super) applications: Vec<String>,
    pub(super) exchange_codes: Arc<Mutex<Vec<String>>>,
}

impl Seeds {
    /// How the robot authenticates.
    pub(super) fn robot(&self) -> [(&str, &str); 2] {
        [("client_id", "robot"), ("client_secret", &self.secret)]
    }
}

/// The program as it serves. It ends with this value, and its directory too.
pub(super) struct Place {
    address: String,
    directory: TempDir,
    process: Child,
    /// How many keys its store had when the program started.
    pub(super) keys: u64,
}

impl Place {
    /// Makes what is in `stock`, and starts the program.
    pub(super) async fn new(stock: Stock) -> (Self, Seeds) {
        // Not below /tmp, which may be memory: what is measured includes the disk.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(directory.path().join("gatelodge.toml"), BOUNDS).unwrap();
        let issuer = "https://id.example".parse().unwrap();
        let config = Config::at(directory.path().join("data"));
        let store = config.places.store();
        let app = Arc::new(App::create(config, issuer).await.unwrap());
        app.make_missing_keys().await.unwrap();
        let mut seeds = seed(&app, u64::try_from(stock.callers).unwrap()).await;
        let mut codes = Vec::new();
        for batch in 0..stock.exchange_codes.div_ceil(CODES_AT_ONCE) {
            codes.extend(exchange_codes(&app, batch).await);
        }
        seeds.exchange_codes = Arc::new(Mutex::new(codes));
        fill::people(&app, stock.grants, fill::Life::InForce).await;
        drop(app);
        let keys = Shape::of(&store).rows;

        let mut process = start(&directory, ANY);
        let address = address(&mut process);
        (Self { address, directory, process, keys }, seeds)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn config(&self) -> Config {
        Config::at(self.file("data"))
    }

    /// The program with these arguments, over the same data.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        command(&self.directory, arguments)
    }

    pub(super) fn processor_time(&self) -> Duration {
        processor_time(self.process.id())
    }

    /// Its memory in MiB.
    pub(super) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        number(&status, "VmRSS:") / 1024
    }

    /// The memory in MiB once nothing is going on any more.
    pub(super) fn settled(&self) -> u64 {
        let mut before = None;
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let now = self.processor_time();
            if before.is_some_and(|before| now - before < Duration::from_millis(30)) {
                return self.memory();
            }
            before = Some(now);
        }
    }

    /// The bytes that it has written, and those of the pages of the system that it has changed.
    pub(super) fn written(&self) -> [u64; 2] {
        let io = fs::read_to_string(format!("/proc/{}/io", self.process.id())).unwrap();
        ["wchar:", "write_bytes:"].map(|name| number(&io, name))
    }

    /// Ends the program at once, as a crash does. Its log goes too: to empty a long one takes a while, in
    /// which the next start would not have begun.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        fs::remove_file(self.file("log")).unwrap();
    }

    /// Starts the program again, and waits until it says that it listens.
    pub(super) fn start(&mut self) {
        self.process = start(&self.directory, ANY);
        self.address = address(&mut self.process);
    }

    /// Starts the program again at this address, and does not wait.
    pub(super) fn start_at(&mut self, address: &str) {
        self.process = start(&self.directory, address);
        address.clone_into(&mut self.address);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--data").arg(directory.path().join("data"));
    command.arg("--config").arg(directory.path().join("gatelodge.toml"));
    command.env_clear().env("HOME", directory.path());
    command
}

fn start(directory: &TempDir, listen: &str) -> Child {
    let log = fs::File::create(directory.path().join("log")).unwrap();
    let mut command = command(directory, &["serve", "--listen", listen]);
    command.stdout(Stdio::piped()).stderr(log).spawn().unwrap()
}

/// Where the program says that it listens.
fn address(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).expect("a server that is ready");
    ready.pointer("/listen/0").and_then(Value::as_str).unwrap().to_owned()
}

/// The number behind a name in a file of /proc.
fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The processor time that a process has had.
pub(super) fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // utime and stime, in the hundredths of a second of every Linux.
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

async fn seed(app: &Arc<App>, callers: u64) -> Seeds {
    let seeded = app.write(move |tx, cx| {
        let mut secret = String::new();
        for members in clients() {
            let new = NewClient::from_members(members.as_object().unwrap())?;
            let (_, _, made) = operator::add(tx, cx, &new)?;
            if let Some(made) = made {
                secret = made.expose().to_string();
            }
        }
        let mut kind = 0;
        let mut tokens = |client: &'static str, scope: &'static str| {
            kind += 1_000_000;
            (0..callers)
                .map(|n| Ok(grant(tx, cx, kind + n, client, scope)?.expose().to_string()))
                .collect::<Result<Vec<String>, Error>>()
        };
        let es256 = tokens("shop", "offline_access openid")?;
        let rs256 = tokens("rsa", "offline_access openid")?;
        let quiet = tokens("quiet", "offline_access profile")?;
        let asked = tokens("quiet", "offline_access profile")?;
        let inspected = tokens("quiet", "offline_access profile")?;
        let known = tokens("shop", "offline_access openid profile")?;
        let (mut sessions, mut applications) = (Vec::new(), Vec::new());
        for n in 0..callers {
            let cx = crowd::own(cx, &n.to_string());
            let person = crowd::add(tx, &cx, &crowd::username(u32::try_from(n).unwrap()), "user")?;
            let (session, cookie) = crowd::open(tx, &cx, person)?;
            sessions.push(cookie);
            let secret: AppSecret = cx.seed.token();
            let expires = cx.now + Duration::from_hours(24);
            let row = AppSession { app: APPLICATION.parse()?, expires, session };
            tx.put(&cx.rules.pepper.hash(&secret), row)?;
            applications.push(secret.expose().to_string());
        }
        let exchange_codes = Arc::default();
        Ok(Seeds {
            secret,
            es256,
            quiet,
            rs256,
            asked,
            inspected,
            known,
            sessions,
            applications,
            exchange_codes,
        })
    });
    seeded.await.unwrap()
}

/// Makes some exchange codes, and their people: each of them may use few in a minute.
async fn exchange_codes(app: &Arc<App>, batch: usize) -> Vec<String> {
    let made = app.write(move |tx, cx| {
        let mut codes = Vec::new();
        for n in 0..CODES_AT_ONCE / CODES_OF_PERSON {
            let cx = crowd::own(cx, &format!("{batch} {n}"));
            let user = crowd::add(tx, &cx, &format!("bridge{batch}-{n}"), "user")?;
            for code in 0..CODES_OF_PERSON {
                let code = ExchangeCode::from_seed(&cx.seed.derived(&code.to_string()));
                let expires = cx.deadline(Duration::from_hours(1));
                let row = Exchange { created: cx.now, expires, spent: false, user };
                tx.put(&code.hash(&cx.rules.pepper), row)?;
                codes.push(code.expose().to_string());
            }
        }
        Ok(codes)
    });
    made.await.unwrap()
}

/// A client for people with an ID token by ES256, one by RS256, one without any, and one that asks for itself.
fn clients() -> [Value; 4] {
    let people = |id: &str, alg: &str| {
        json!({
            "client_id": id, "name": id, "redirect_uris": ["https://app.example/cb"],
            "token_endpoint_auth_method": "none", "id_token_signed_response_alg": alg,
            "first_party": true,
        })
    };
    [
        people("shop", "ES256"),
        people("rsa", "RS256"),
        people("quiet", "ES256"),
        json!({
            "client_id": "robot", "name": "robot", "introspect_any": true,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["client_credentials"],
        }),
    ]
}
