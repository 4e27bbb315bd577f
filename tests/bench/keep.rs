//! What keeps a store for years, over one with many rows: start, backup, restore, check, compaction and
//! upgrade by the built program. Each beside a plain copy of the same file that is synced.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatelodge::app::App;
use gatelodge::config::Config;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::migrate::SCHEMA_KEY;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::crowd;
use crate::installed::furnish;

const PROGRAM: &str = env!("CARGO_BIN_EXE_gatelodge");

/// Where the server listens.
const PORT: u16 = 7459;

/// A data directory, and the files beside it.
struct Place {
    directory: TempDir,
}

/// What a run took.
struct Took {
    /// The most memory that it had, in bytes.
    memory: u64,
    time: Duration,
}

/// Prints a line for each command, over `rows` rows of each of eight kinds.
pub(crate) fn tell(rows: u32) {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    let started = Instant::now();
    place.fill(rows);
    println!(
        "\n{rows} people, clients, sessions, grants, bridges, links, invitations and refused requests, \
         made in {} s: {}",
        started.elapsed().as_secs(),
        size(&place.store())
    );
    println!("{:<44} {:>9} {:>9} {:>9}   file", "what", "seconds", "× copy", "memory");
    let copied = copy(&place.store(), &place.file("copy"));
    let line = |what: &str, took: &Took, file: &Path| {
        let ratio = took.time.as_secs_f64() / copied.as_secs_f64();
        println!(
            "{what:<44} {:>9.3} {ratio:>9.2} {:>9}   {}",
            took.time.as_secs_f64(),
            mebibytes(took.memory),
            size(file)
        );
    };
    line("a copy that is synced", &Took { memory: 0, time: copied }, &place.file("copy"));
    let run = |what: &str, arguments: &[&str], file: &Path| line(what, &place.run(arguments), file);

    run("db check, stopped", &["db", "check"], &place.store());
    run("db stats, stopped", &["db", "stats"], &place.store());
    let backup = place.file("stopped.backup");
    run("backup, stopped", &["backup", &text(&backup)], &backup);

    let (server, started) = place.serve();
    line("start, to the first line", &started, &place.store());
    let served = place.file("serving.backup");
    run("backup, serving (the command's memory)", &["backup", &text(&served)], &served);
    run("db check, serving (the command's memory)", &["db", "check"], &place.store());
    let memory = peak(server.id()).unwrap_or_default();
    println!("{:<44} {:>9} {:>9} {:>9}", "the server meanwhile", "", "", mebibytes(memory));
    killed(server);
    let (server, started) = place.serve();
    line("start after a kill, to the first line", &started, &place.store());
    let lines = place.file("house.jsonl");
    run("export, serving (the command's memory)", &["export", &text(&lines)], &lines);
    killed(server);

    let new = Place { directory: tempfile::tempdir().unwrap() };
    let (server, _) = new.serve();
    let took = new.run(&["import", &text(&lines)]);
    line("import, serving (the command's memory)", &took, &new.store());
    let memory = peak(server.id()).unwrap_or_default();
    println!("{:<44} {:>9} {:>9} {:>9}", "the server meanwhile", "", "", mebibytes(memory));
    killed(server);
    drop(new);

    let elsewhere = Place { directory: tempfile::tempdir().unwrap() };
    fs::create_dir_all(elsewhere.data()).unwrap();
    fs::copy(place.data().join("gatelodge.key"), elsewhere.data().join("gatelodge.key")).unwrap();
    let took = elsewhere.run(&["restore", &text(&backup)]);
    line("restore into an empty place", &took, &elsewhere.store());
    run("db compact, stopped", &["db", "compact"], &place.store());
    place.make_older();
    let took = place.first_start();
    line("start that upgrades from schema 1", &took, &place.store());
}

impl Place {
    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn store(&self) -> PathBuf {
        self.data().join("gatelodge.redb")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes an installation with its crowd.
    fn fill(&self, rows: u32) {
        Runtime::new().unwrap().block_on(async {
            let mut config = Config::at(self.data());
            config.events.refusals = 1_000_000;
            let app = App::create(config, Issuer::localhost(PORT)).await;
            let app = Arc::new(app.unwrap());
            furnish(&app, 0).await;
            crowd::gather(&app, rows).await;
        });
    }

    /// Says in the store that its schema is the first. Its rows have the newest layouts, which an upgrade
    /// reads and writes as it does the older ones.
    fn make_older(&self) {
        Runtime::new().unwrap().block_on(async {
            let app = App::open_existing(Config::at(self.data())).await;
            let app = app.unwrap();
            let older = app.write(|tx, _| {
                tx.put_raw(SCHEMA_KEY.to_vec(), 1_u32.to_be_bytes().to_vec());
                Ok(())
            });
            older.await.unwrap();
        });
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--data").arg(self.data()).stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    fn run(&self, arguments: &[&str]) -> Took {
        let started = Instant::now();
        let child = self.command(arguments).spawn().unwrap();
        let id = child.id();
        let watch = std::thread::spawn(move || {
            let mut memory = 0;
            while let Some(now) = peak(id) {
                memory = now;
                std::thread::sleep(Duration::from_millis(5));
            }
            memory
        });
        let output = child.wait_with_output().unwrap();
        let time = started.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        Took { memory: watch.join().unwrap(), time }
    }

    /// Starts a server, and gives it once it says that it listens.
    fn serve(&self) -> (Child, Took) {
        let started = Instant::now();
        let listen = format!("127.0.0.1:{PORT}");
        let mut server = self.command(&["serve", "--listen", &listen]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let time = started.elapsed();
        assert!(!line.is_empty(), "the server ended");
        let memory = peak(server.id()).unwrap_or_default();
        (server, Took { memory, time })
    }

    fn first_start(&self) -> Took {
        let (server, took) = self.serve();
        killed(server);
        took
    }
}

fn killed(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

/// The most memory that a process has had, in bytes, unless it has ended.
fn peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Copies a file, syncs the copy, and says what that took.
fn copy(from: &Path, to: &Path) -> Duration {
    let started = Instant::now();
    fs::copy(from, to).unwrap();
    File::open(to).unwrap().sync_all().unwrap();
    started.elapsed()
}

fn size(path: &Path) -> String {
    mebibytes(fs::metadata(path).unwrap().len())
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
