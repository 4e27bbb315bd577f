//! A disk that takes nothing more: one that is full, and one on which the system lets this process
//! write no more, which needs no privilege and is lifted at will.

use std::fs::{self, File};
use std::io;
use std::process::{Command, Output};

use crate::connection::{client_credentials, get};
use crate::namespace;
use crate::program::{Home, Server};

const NOTHING: &str = "0";
const EVERYTHING: &str = "unlimited";

impl Home {
    fn serve_to_limit(&self) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("GATELODGE_LOG", "error,gatelodge=info");
        Server::start(command, &self.path("log"))
    }
}

impl Server {
    /// From now on it may write files up to this length.
    pub(crate) fn limit(&self, length: &str) {
        let pid = self.process.0.id().to_string();
        let limited =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={length}:")]).status();
        assert!(limited.unwrap().success());
    }
}

fn call(home: &Home, arguments: &str) -> Output {
    home.command(&arguments.split(' ').collect::<Vec<_>>()).output().unwrap()
}

#[test]
fn a_full_disk_is_told_before_a_write_fails_and_forgotten_when_there_is_space() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    let disk = "mount -t tmpfs -o size=3m,mode=700 tmpfs \"$GATELODGE_DATA\"";
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let Some(command) = namespace::command(&home, "--mount", disk, &arguments) else { return };
    let server = Server::start(command, &home.path("log"));
    // The disk as the server sees it.
    let data = format!("/proc/{}/root{}", server.process.0.id(), home.data().display());
    let operate = |arguments: &[&str]| {
        home.command(&[&["--data", &data], arguments].concat()).output().unwrap()
    };
    assert_eq!(get(&server, "/readyz").status, 200);
    let filler = format!("{data}/filler");

    let filled = io::copy(&mut io::repeat(0), &mut File::create(&filler).unwrap());

    assert_eq!(filled.unwrap_err().kind(), io::ErrorKind::StorageFull);
    let ready = get(&server, "/readyz");
    assert_eq!(ready.status, 503);
    let detail = "the store cannot be written: No space left on device (os error 28)";
    assert_eq!(ready.json()["detail"], detail);
    let mut added = (0..400)
        .take_while(|n| operate(&["user", "add", &format!("user-{n}")]).status.code() != Some(5));
    let count = added.by_ref().count();
    assert!(count < 400, "nothing was refused");
    let users = operate(&["user", "list", "--json"]);
    let users: serde_json::Value = serde_json::from_slice(&users.stdout).unwrap();
    assert_eq!(users["users"].as_array().unwrap().len(), count);

    fs::remove_file(&filler).unwrap();

    assert_eq!(get(&server, "/readyz").status, 200);
    assert!(operate(&["user", "add", "ada"]).status.success());
    server.terminate();
    assert_eq!(server.end().code(), Some(0));
    let log = fs::read_to_string(home.path("log")).unwrap();
    let count = |line: &str| log.matches(line).count();
    assert_eq!(count("the store cannot be written"), 1, "{log}");
    assert_eq!(count("the store can be written again"), 1, "{log}");
}

#[test]
fn a_file_that_cannot_be_written_stops_writes_alone_and_they_return_without_a_restart() {
    let home = Home::new();
    let server = home.serve_to_limit();
    let client = home.json("client add nightly --id nightly --auth client_secret_post");
    let secret = client["client_secret"].as_str().unwrap();
    assert_eq!(get(&server, "/readyz").status, 200);
    // It waits until every key is made.
    assert_eq!(get(&server, "/.well-known/jwks.json").status, 200);

    server.limit(NOTHING);

    // Nobody has written since.
    let ready = get(&server, "/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.head.contains("\r\nretry-after: 10"), "{}", ready.head);
    let detail = "the store cannot be written: File too large (os error 27)";
    assert_eq!(ready.json()["detail"], detail);
    for _ in 0..3 {
        let refused = call(&home, "user add ada");
        assert_eq!(refused.status.code(), Some(5));
        assert_eq!(
            String::from_utf8(refused.stderr).unwrap(),
            "gatelodge: the server cannot write at the moment, and nothing was changed \
             (temporarily_unavailable)\ngatelodge: see that the disk of the data directory has space and \
             can be written; gatelodge paths says which\n"
        );
        assert_eq!(client_credentials(&server, "nightly", secret).status, 200);
        assert_eq!(get(&server, "/.well-known/openid-configuration").status, 200);
        assert_eq!(get(&server, "/.well-known/jwks.json").status, 200);
        assert_eq!(home.json("client list")["clients"][0]["client_id"], "nightly");
    }
    let second = call(&home, "serve --listen 127.0.0.1:0");
    assert_eq!(second.status.code(), Some(5), "the store is still this server's alone");

    server.limit(EVERYTHING);

    assert_eq!(get(&server, "/readyz").status, 200);
    home.json("user add ada");
    server.terminate();
    assert_eq!(server.end().code(), Some(0));
    let log = fs::read_to_string(home.path("log")).unwrap();
    let count = |line: &str| log.matches(line).count();
    // The log was a file that could not be written either.
    assert_eq!(count("lines of the log were dropped"), 1, "{log}");
    assert_eq!(count("the store can be written again"), 1, "{log}");
    assert_eq!(home.json("user list")["users"][0]["username"], "ada");
}

#[test]
fn a_backup_beyond_the_limit_on_the_length_of_files_is_an_error_and_no_file() {
    let home = Home::new();
    let _server = home.serve();
    let backup = home.path("backup");
    let command = home.command(&["backup", backup.to_str().unwrap()]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""]).arg(command.get_program());
    limited.args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));

    let output = limited.output().unwrap();

    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("File too large"), "{said}");
    assert!(!backup.exists());
}
