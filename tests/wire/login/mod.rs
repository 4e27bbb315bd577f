//! The other side: `gatelodge login` and what follows it, against a server that runs.

mod credential;
mod once;
mod signing_in;
mod store;
mod tls;
mod verbs;

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use serde_json::Value;

use crate::connection::log;
use crate::person::Person;
use crate::program::{Home, Process, Server};

/// A server, the person who runs it, and the shell in which they sign in.
struct Desk {
    home: Home,
    server: Server,
    ada: Person,
}

/// What a command said.
struct Said {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Said {
    fn code(&self) -> i32 {
        self.status.code().unwrap()
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.code(), 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap()
    }
}

impl Desk {
    fn new() -> Self {
        Self::with(&[])
    }

    /// With a server of this configuration.
    fn with(settings: &[(&str, &str)]) -> Self {
        let home = Home::new();
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--print-setup"]);
        command.env("GATELODGE_LOG", "debug").envs(settings.iter().copied());
        let server = Server::start(command, &home.path("log"));
        let ada = Person::enrolled(&server);
        Self { home, server, ada }
    }

    /// Where somebody is signed in, by `arguments`.
    fn signed_in(arguments: &str) -> Self {
        let mut desk = Self::new();
        desk.login(arguments).json();
        desk
    }

    fn command(&self, line: &str) -> Command {
        self.home.command(&line.split_whitespace().collect::<Vec<_>>())
    }

    fn run(&self, line: &str) -> Said {
        finish(self.command(line))
    }

    /// As [`Desk::run`], with something on standard input.
    fn piped(&self, line: &str, text: &str) -> Said {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        said(child.wait_with_output().unwrap())
    }

    /// A token in the shell.
    #[track_caller]
    fn token(&self, arguments: &str) -> String {
        let said = self.run(&format!("credential {arguments}"));
        assert_eq!(said.code(), 0, "{}", said.err);
        said.out.trim().to_owned()
    }

    /// Signs in through the browser, where ada allows it. Without a word about it, the tokens are in
    /// a file.
    fn login(&mut self, arguments: &str) -> Said {
        let command = self.command(&format!("login --no-browser --store file --json {arguments}"));
        self.login_by(command, "allow")
    }

    fn login_by(&mut self, mut command: Command, decision: &str) -> Said {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process(command.spawn().unwrap());
        let mut stderr = BufReader::new(process.0.stderr.take().unwrap());
        let (mut err, address) = until(&mut stderr, "/oauth/authorize?");
        if let Some(address) = address {
            let redirect = self.ada.decide(&self.server, &address, decision);
            let page = open(&redirect);
            assert!(page.contains("You may close this window"), "{page}");
            let title = if decision == "allow" { "You are signed in" } else { "not signed in" };
            assert!(page.contains(title), "{page}");
        }
        let mut out = String::new();
        process.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        stderr.read_to_string(&mut err).unwrap();
        Said { status: process.0.wait().unwrap(), out, err }
    }

    /// Where the token files are.
    fn token_directory(&self) -> PathBuf {
        self.home.path(".local/state/gatelodge/tokens")
    }

    /// The file of the server's issuer.
    fn file(&self) -> PathBuf {
        let port = self.server.issuer().rsplit_once(':').unwrap().1;
        self.token_directory().join(format!("http%3A%2F%2Flocalhost%3A{port}.json"))
    }

    fn document(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    /// How often the token endpoint was asked so far.
    fn token_requests(&self) -> usize {
        let log = log(&self.home, &self.server);
        log.matches("\"route\":\"/oauth/token\"").count()
    }
}

fn finish(mut command: Command) -> Said {
    said(command.output().unwrap())
}

fn said(output: std::process::Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { status: output.status, out: text(output.stdout), err: text(output.stderr) }
}

/// The lines up to the one with `part`, and that one, without what stands around it.
fn until(lines: &mut impl std::io::BufRead, part: &str) -> (String, Option<String>) {
    let mut before = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 {
            return (before, None);
        }
        if line.contains(part) {
            let word = line.split_whitespace().find(|word| word.contains(part)).unwrap();
            return (before, Some(word.to_owned()));
        }
        before.push_str(&line);
    }
}

/// The page at an address of 127.0.0.1.
pub(crate) fn open(address: &str) -> String {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

/// What `count` processes said that ran at once, each by its own line.
fn at_once(desk: &Desk, count: usize, line: impl Fn(usize) -> String) -> Vec<Said> {
    let children: Vec<_> = (0..count)
        .map(|nth| {
            let mut command = desk.command(&line(nth));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let waiting = children
        .into_iter()
        .map(|child| thread::spawn(move || said(child.wait_with_output().unwrap())));
    waiting.collect::<Vec<_>>().into_iter().map(|one| one.join().unwrap()).collect()
}
