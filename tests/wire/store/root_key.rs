//! The root key is rotated and forgotten, and the process killed within: nobody signs in anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::rollback::{authorized, refreshed, stop};
use crate::connection::client_credentials;
use crate::person::Person;
use crate::program::{Home, Process, Server};

/// An installation with whatever hangs on a root key.
struct Installed {
    home: Home,
    ada: Person,
    /// The newest refresh token.
    tokens: Value,
    secret: String,
    /// The subject of ada towards a client with pairwise subjects.
    sub: String,
}

impl Installed {
    fn new() -> (Self, Server) {
        let home = Home::new();
        let server = home.serve_with_setup();
        let client = "client add Reader --id reader --public --redirect http://127.0.0.1/cb";
        home.json(&format!("{client} --pairwise reader.example"));
        let robot = home.json("client add Robot --id robot");
        let secret = robot["client_secret"].as_str().unwrap().to_owned();
        let mut ada = Person::enrolled(&server);
        let tokens = authorized(&server, &mut ada);
        let sub = subject(&tokens);
        (Self { home, ada, tokens, secret, sub }, server)
    }

    /// Everybody goes on as before.
    fn check(&mut self, server: &Server, when: &str) {
        let robot = client_credentials(server, "robot", &self.secret);
        assert_eq!(robot.status, 200, "{when}: {}", robot.body);
        let page = self.ada.visit(server, "/account");
        assert!(page.body.contains("ada"), "{when}: {}", page.body);
        self.tokens = refreshed(server, &self.tokens);
        assert_eq!(subject(&self.tokens), self.sub, "{when}");
    }

    fn key(&self) -> PathBuf {
        self.home.data().join("gatelodge.key")
    }

    /// The lines of the key file.
    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.key()).unwrap().lines().map(str::to_owned).collect()
    }

    /// How many root keys are in force.
    fn in_force(&self) -> usize {
        let planned = self.home.json("key rotate --root --forget --dry-run");
        planned["in_force"].as_array().unwrap().len()
    }
}

fn subject(tokens: &Value) -> String {
    let claims = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after its start.
    After(Duration),
    /// As soon as the draft of the key file is there, and so long after: before the rename or beside it.
    Draft(Duration),
    /// As soon as the key file has its new contents, and so long after: within the transaction or
    /// behind it.
    Renamed(Duration),
}

impl Moment {
    /// The moments of `rounds` rotations, of which one takes `whole`.
    fn spread(rounds: u32, whole: Duration) -> impl Iterator<Item = Self> {
        (0..rounds).map(move |round| {
            let part = f64::from(round) / f64::from(rounds);
            match round % 4 {
                0 => Self::After(whole.mul_f64(part)),
                1 => Self::Draft(Duration::from_micros(u64::from(round) * 10)),
                2 => Self::Renamed(Duration::from_micros(u64::from(round) * 100)),
                _ => Self::Renamed(Duration::from_millis(u64::from(round % 16))),
            }
        })
    }

    /// Returns at this moment, or once `ended` says that there is nothing left to wait for.
    #[expect(clippy::disallowed_methods, reason = "a file of another process tells nobody")]
    fn wait(self, key: &Path, before: &str, mut ended: impl FnMut() -> bool) {
        let draft = key.with_added_extension("new");
        let (has_come, after): (&dyn Fn() -> bool, _) = match self {
            Self::After(after) => (&|| true, after),
            Self::Draft(after) => {
                (&|| draft.exists() || fs::read_to_string(key).unwrap() != before, after)
            }
            Self::Renamed(after) => (&|| fs::read_to_string(key).unwrap() != before, after),
        };
        let started = Instant::now();
        while !has_come() && !ended() {
            assert!(started.elapsed() < Duration::from_secs(60), "{self:?}");
            thread::yield_now();
        }
        thread::sleep(after);
    }
}

/// The arguments of a round. Four root keys are in force at most, so every fifth round forgets the
/// earlier ones, and any that finds as many lines in the key file.
fn arguments(round: usize, own: &Installed) -> &'static [&'static str] {
    if round % 5 == 4 || own.lines().len() >= 4 {
        &["key", "rotate", "--root", "--forget"]
    } else {
        &["key", "rotate", "--root"]
    }
}

/// How long a rotation takes.
#[expect(clippy::disallowed_methods, reason = "the kills are spread over it")]
fn time_of_rotation(home: &Home) -> Duration {
    let started = Instant::now();
    home.json("key rotate --root");
    started.elapsed()
}

/// Starts a round, and kills the command at its moment, or `server` if there is one.
fn kill_within(own: &Installed, arguments: &[&str], moment: Moment, server: Option<Server>) {
    let before = fs::read_to_string(own.key()).unwrap();
    let mut command = own.home.command(arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut process = Process(child);
    moment.wait(&own.key(), &before, || process.0.try_wait().unwrap().is_some());
    if let Some(server) = server {
        server.kill();
    }
}

#[test]
fn a_command_that_is_killed_within_a_rotation_leaves_the_old_root_key_or_the_new() {
    let (mut own, server) = Installed::new();
    stop(server);
    let whole = time_of_rotation(&own.home);

    for (round, moment) in Moment::spread(50, whole).enumerate() {
        let arguments = arguments(round, &own);
        kill_within(&own, arguments, moment, None);

        let server = own.home.serve();
        own.check(&server, &format!("round {round}, {arguments:?}, {moment:?}"));
        stop(server);
    }
}

#[test]
fn a_server_that_is_killed_within_a_rotation_goes_on_with_the_old_root_key_or_the_new() {
    let (mut own, mut server) = Installed::new();
    let whole = time_of_rotation(&own.home);

    for (round, moment) in Moment::spread(50, whole).enumerate() {
        let arguments = arguments(round, &own);
        kill_within(&own, arguments, moment, Some(server));

        server = own.home.serve();
        own.check(&server, &format!("round {round}, {arguments:?}, {moment:?}"));
    }
    assert!(own.lines().len() >= own.in_force());
}

/// Between the last sync of the draft and its rename: the draft is nothing.
#[test]
fn a_draft_that_was_never_renamed_changes_nothing() {
    let (mut own, server) = Installed::new();
    stop(server);
    let before = own.lines();
    fs::write(own.key().with_added_extension("new"), "0".repeat(64)).unwrap();

    let server = own.home.serve();

    own.check(&server, "after the start");
    assert_eq!((own.lines(), own.in_force()), (before, 1));
    own.home.json("key rotate --root");
    assert_eq!((own.lines().len(), own.in_force()), (2, 2));
    assert!(!own.key().with_added_extension("new").exists());
    own.check(&server, "after the rotation");
}

/// Between the rename and the transaction: the next start goes on, whatever starts.
#[test]
fn a_new_root_key_that_the_store_does_not_know_is_taken_at_the_next_start() {
    let (mut own, server) = Installed::new();
    stop(server);
    let pending = "5".repeat(64);
    let mut lines = own.lines();
    lines.insert(0, pending.clone());
    fs::write(own.key(), lines.join("\n") + "\n").unwrap();

    let server = own.home.serve();

    own.check(&server, "after the start");
    assert_eq!(own.in_force(), 2);
    assert!(own.home.log_with("the root key was rotated").contains("not yet in force"));
    let rotated = own.home.json("key rotate --root");
    assert_eq!((&rotated["went_on"], own.lines().len()), (&json!(false), 3));
    assert_eq!(own.lines()[1], pending);
    own.check(&server, "after another rotation");
    own.home.json("key rotate --root --forget");
    assert_eq!((own.lines().len(), own.in_force()), (1, 1));
    own.check(&server, "after the end of the earlier ones");
    stop(server);
    let server = own.home.serve();
    own.check(&server, "after another start");
}

/// A backup of the store from before a rotation, beside the key file of after it.
#[test]
fn an_older_store_takes_the_rotation_again_and_what_was_given_out_since() {
    let (mut own, server) = Installed::new();
    stop(server);
    let store = own.home.data().join("gatelodge.redb");
    let copy = own.home.path("copy");
    fs::copy(&store, &copy).unwrap();
    let server = own.home.serve();
    own.home.json("key rotate --root");
    own.check(&server, "before");
    stop(server);

    fs::copy(&copy, &store).unwrap();
    let server = own.home.serve();

    own.check(&server, "after the older store came back");
    assert_eq!(own.in_force(), 2);
}

#[test]
fn a_key_file_without_a_root_key_that_the_store_needs_is_refused_with_what_to_do() {
    let (own, server) = Installed::new();
    own.home.json("key rotate --root");
    stop(server);
    let lines = own.lines();

    fs::write(own.key(), format!("{}\n", lines[0])).unwrap();
    let without_earlier = own.home.command(&["serve"]).output().unwrap();
    fs::write(own.key(), format!("{}\n", lines[1])).unwrap();
    let without_newest = own.home.command(&["serve"]).output().unwrap();

    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((without_earlier.status.code(), without_newest.status.code()), (Some(5), Some(5)));
    assert!(
        said(&without_earlier).contains("put it back behind the newest"),
        "{without_earlier:?}"
    );
    assert!(said(&without_newest).contains("not the one that the store"), "{without_newest:?}");
}

#[test]
fn a_root_key_in_a_setting_is_printed_and_taken_at_the_next_start() {
    let (own, server) = Installed::new();
    stop(server);
    let old = own.lines().remove(0);
    fs::remove_file(own.key()).unwrap();
    let with = |arguments: &[&str], secrets: &str| {
        let mut command = own.home.command(arguments);
        command.env("GATELODGE_ROOT_SECRET", secrets);
        command
    };

    let printed = with(&["key", "rotate", "--root"], &old).output().unwrap();
    let new = String::from_utf8(printed.stdout.clone()).unwrap().trim().to_owned();
    let both = format!("{new} {old}");
    let rotated = with(&["key", "rotate", "--root", "--forget", "--dry-run", "--json"], &both);
    let rotated = { rotated }.output().unwrap();
    let forgotten = with(&["key", "rotate", "--root", "--forget", "--json"], &both);
    let forgotten = { forgotten }.output().unwrap();
    let alone = with(&["key", "list"], &new).output().unwrap();

    assert_eq!((printed.status.code(), new.len()), (Some(4), 64), "{printed:?}");
    assert!(String::from_utf8_lossy(&printed.stderr).contains("Put this new one before"));
    let in_force = |output: &std::process::Output| {
        let view: Value = serde_json::from_slice(&output.stdout).unwrap();
        view["in_force"].as_array().unwrap().len()
    };
    assert_eq!((in_force(&rotated), in_force(&forgotten)), (2, 1), "{rotated:?} {forgotten:?}");
    assert!(alone.status.success(), "{alone:?}");
    assert!(!own.key().exists(), "nothing is written");
}
