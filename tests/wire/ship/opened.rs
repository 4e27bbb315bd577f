//! `--open`: the browser gets the first page of a server, and nobody else learns of its secret.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::geteuid;

use super::soon;
use crate::login::open;
use crate::person::Person;
use crate::program::{Home, Server};

impl Home {
    /// A program that opens pages: it notes what it is to open, and ends with `exit`.
    fn with_browser(&self, exit: u8) -> PathBuf {
        let directory = self.path("programs");
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join("xdg-open");
        let note = self.path("opened");
        let script = format!("#!/bin/sh\necho \"$@\" >>'{}'\nexit {exit}\n", note.display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        directory
    }

    /// A server that `arguments` start at a desk with such a browser.
    fn opening(&self, arguments: &[&str], exit: u8) -> Server {
        let mut command = self.command(arguments);
        command.env("PATH", self.with_browser(exit)).env("DISPLAY", ":0");
        Server::start(command, &self.path("log"))
    }

    /// What the browser was to open, line by line.
    fn opened(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("opened")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn first_opened(&self) -> String {
        soon(|| self.opened().pop())
    }
}

impl Server {
    /// The processes that it started and that are there.
    fn children(&self) -> Vec<u32> {
        let server = self.process.0.id();
        let of_server = |process: &u32| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            status.lines().any(|line| line == format!("PPid:\t{server}"))
        };
        processes().filter(of_server).collect()
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
}

/// Whether a command line of any process has this in it.
fn is_in_a_command_line(part: &str) -> bool {
    let line = |process| fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    processes().any(|process| String::from_utf8_lossy(&line(process)).contains(part))
}

/// What the address responds to another user of this machine, if this one may become another.
fn fetched_by_another(address: &str) -> Option<String> {
    const FETCH: &str = "\
import os, socket, sys
os.setuid(65534)
host, path = sys.argv[1].removeprefix('http://').split('/', 1)
address, port = host.split(':')
with socket.socket() as connection:
    connection.connect((address, int(port)))
    connection.sendall(f'GET /{path} HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n'.encode())
    print(connection.recv(4096).decode())
";
    let output = geteuid()
        .is_root()
        .then(|| Command::new("python3").args(["-c", FETCH, address]).output().unwrap())?;
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_browser_of_this_user_is_led_to_the_setup_link_and_no_command_line_has_it() {
    let home = Home::new();

    let server = home.opening(&["serve", "--listen", "127.0.0.1:0", "--print-setup", "--open"], 0);

    let link = server.ready["setup_url"].as_str().unwrap().to_owned();
    let (_, secret) = link.split_once('#').unwrap();
    let address = home.first_opened();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    let children = server.children();
    assert_eq!(children.len(), 1);
    let environment = fs::read(format!("/proc/{}/environ", children[0])).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("GATELODGE_"));
    assert!(!is_in_a_command_line(secret) && is_in_a_command_line("open-page"));
    if let Some(refused) = fetched_by_another(&address) {
        assert!(refused.starts_with("HTTP/1.1 403 ") && !refused.contains(secret), "{refused}");
    }
    let redirect = open(&address);
    assert!(redirect.starts_with("HTTP/1.1 303 "), "{redirect}");
    assert!(redirect.contains(&format!("location: {link}\r\n")), "{redirect}");
    assert!(!is_in_a_command_line(secret));
    // Nothing is left over, and it does not happen again.
    soon(|| server.children().is_empty().then_some(()));
    assert_eq!(home.opened().len(), 1);
    assert_eq!(server.standing("Seccomp"), "2");
    Person::by_link(&server, &link, Some("ada"));
}

#[test]
fn the_link_is_opened_where_nothing_prints_it_and_the_account_page_once_there_is_somebody() {
    let home = Home::new();
    let server = home.opening(&["serve", "--listen", "127.0.0.1:0", "--open"], 0);
    assert!(server.ready["setup_url"].is_null(), "{}", server.ready);
    let redirect = open(&home.first_opened());
    let location = redirect.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    Person::by_link(&server, location, Some("ada"));
    server.kill();
    fs::remove_file(home.path("opened")).unwrap();

    let server = home.opening(&["--open"], 0);

    assert_eq!(home.first_opened(), format!("{}/account", server.issuer()));
    soon(|| server.children().is_empty().then_some(()));
}

#[test]
fn a_page_that_nobody_fetched_is_given_up_with_the_server() {
    let home = Home::new();
    let server = home.opening(&["serve", "--listen", "127.0.0.1:0", "--open"], 0);
    let address = home.first_opened();
    let children = server.children();
    assert_eq!(children.len(), 1);

    server.kill();

    let is_there = |process| fs::exists(format!("/proc/{process}/cwd")).unwrap();
    soon(|| (!children.iter().any(is_there)).then_some(()));
    let (host, _) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert!(TcpStream::connect(host).is_err());
}

#[test]
fn a_server_without_a_browser_says_so_and_serves() {
    let open = ["serve", "--listen", "127.0.0.1:0", "--open"];
    let refusing = Home::new();
    let _refusing = refusing.opening(&open, 3);
    refusing.log_with("no browser was opened: xdg-open: exit status: 3");

    let bare = Home::new();
    let mut command = bare.command(&open);
    command.env("DISPLAY", ":0").env("PATH", bare.path("nowhere"));
    let server = Server::start(command, &bare.path("log"));
    bare.log_with("no browser was opened: xdg-open: No such file or directory");
    soon(|| server.children().is_empty().then_some(()));

    let remote = Home::new();
    let _remote = remote.start(&open);
    remote.log_with("no browser was opened: there is no display");

    let managed = Home::new();
    let mut command = managed.command(&open);
    command.env("DISPLAY", ":0").env("NOTIFY_SOCKET", managed.path("nobody"));
    let _managed = Server::start(command, &managed.path("log"));
    managed.log_with("no browser was opened: a service manager runs this server");
}

#[test]
fn nothing_but_a_server_opens_a_page() {
    let home = Home::new();

    let output = home.command(&["--open", "paths"]).output().unwrap();

    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("gatelodge serve --open"));
}
