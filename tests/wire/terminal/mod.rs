//! A command at a terminal: what it asks before it does what cannot be undone.

#[cfg(target_os = "linux")]
mod readme;
mod tables;

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{ffi, path};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::person::Person;
use crate::program::{Home, Process};

/// A program whose standard input and standard error are a terminal.
struct AtTerminal {
    process: Process,
    screen: File,
    seen: String,
}

impl AtTerminal {
    fn start(command: Command) -> Self {
        Self::with(command, false)
    }

    /// As [`Self::start`], with standard output on the screen, too.
    #[cfg(target_os = "linux")]
    fn whole(command: Command) -> Self {
        Self::with(command, true)
    }

    fn with(mut command: Command, whole: bool) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_bytes();
        let name = path::PathBuf::from(ffi::OsString::from_vec(name));
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let output = if whole { terminal.try_clone().unwrap().into() } else { Stdio::piped() };
        command.stdin(terminal.try_clone().unwrap()).stderr(terminal).stdout(output);
        let child: Child = command.spawn().unwrap();
        // The command holds the terminal, too: its end could not be read otherwise.
        drop(command);
        Self { process: Process(child), screen: File::from(screen), seen: String::new() }
    }

    /// Reads until the screen has `part`.
    fn wait_for(&mut self, part: &str) {
        let mut bytes = [0; 1024];
        while !self.seen.contains(part) {
            let length = self.screen.read(&mut bytes).unwrap_or(0);
            assert!(length > 0, "no {part:?} in {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }

    fn type_in(&mut self, line: &str) {
        self.screen.write_all(line.as_bytes()).unwrap();
    }

    /// Waits for the end. Returns the status, standard output, and all that was on the screen.
    fn end(mut self) -> (ExitStatus, String, String) {
        let mut output = String::new();
        let stdout = self.process.0.stdout.as_mut().unwrap();
        stdout.read_to_string(&mut output).unwrap();
        let mut bytes = [0; 1024];
        // A terminal that nobody has open any more is an error to read.
        while let Ok(length @ 1..) = self.screen.read(&mut bytes) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
        (self.process.0.wait().unwrap(), output, self.seen)
    }
}

fn split(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Calls a command at a terminal, and types `line` once it asks `question`.
fn asked(home: &Home, arguments: &str, question: &str, line: &str) -> (i32, String, String) {
    let mut at = AtTerminal::start(home.command(&split(arguments)));
    at.wait_for(&format!("gatelodge: {question} [y/N] "));
    at.type_in(line);
    let (status, output, seen) = at.end();
    (status.code().unwrap(), output, seen)
}

/// The clients that there are.
fn clients(home: &Home) -> Vec<Value> {
    let listed = home.json("client list");
    listed["clients"].as_array().unwrap().iter().map(|one| one["client_id"].clone()).collect()
}

#[test]
fn what_cannot_be_undone_is_done_after_a_yes_and_names_whom_it_meets() {
    let home = Home::new();
    let _server = home.serve();
    home.json("client add Shop --id shop-1");
    let question = "remove client shop-1 (Shop), with 0 grants?";

    let no = asked(&home, "client remove shop", question, "n\n");
    let between = clients(&home);
    let end = asked(&home, "client remove SHOP", question, "\u{4}");
    let yes = asked(&home, "client remove Shop", question, "yes\n");

    assert_eq!((no.0, no.1.as_str(), between), (4, "", vec![json!("shop-1")]));
    assert!(no.2.contains("gatelodge: nothing is done"), "{}", no.2);
    assert_eq!((end.0, end.1.as_str()), (4, ""));
    assert_eq!((yes.0, yes.1.as_str()), (0, "removed shop-1 (Shop); grants ended: 0\n"));
    assert!(clients(&home).is_empty());
}

#[test]
fn nothing_is_asked_with_yes_and_nothing_where_there_is_no_terminal() {
    let home = Home::new();
    home.serve().kill();
    home.json("client add Shop --id shop");
    home.json("client add Till --id till");

    let at = AtTerminal::start(home.command(&split("client remove shop --yes")));
    let (status, output, seen) = at.end();
    let piped = home.json("client remove till");

    assert!(status.success(), "{seen}");
    assert_eq!((output.as_str(), seen.as_str()), ("removed shop (Shop); grants ended: 0\n", ""));
    assert_eq!(piped["client_id"], "till");
    assert!(clients(&home).is_empty());
}

#[test]
fn each_command_that_ends_something_for_good_asks_first() {
    let home = Home::new();
    let _server = home.serve();
    home.json("client add Shop --id shop");
    home.json("user add ada --role admin");
    home.json("user add bob --name Bob");
    home.json("resource add https://api.example --name Orders");
    let pat = home.json("bridge issue-pat bob --name desk")["id"].take();
    let pat = pat.as_str().unwrap();
    let token = home.json("bridge issue-token bob");
    let session = token["session_id"].as_str().unwrap();
    let whole = token["token"].as_str().unwrap();

    let invitation = home.json("invite add --uses 2")["id"].take();
    let invitation = invitation.as_str().unwrap();

    for (arguments, question) in [
        ("link revoke --all", "revoke every open setup link, whoever it is for?"),
        ("link revoke --all --user bob", "revoke the open setup link of bob?"),
        (
            &format!("invite revoke {invitation}"),
            &format!("revoke the invitation {invitation}, by which 0 of 2 people have come?"),
        ),
        ("client rotate-secret shop", "give client shop (Shop) a new secret, and end the old one?"),
        ("resource remove orders", "remove resource https://api.example (Orders)?"),
        ("bridge revoke-pat desk", &format!("revoke token {pat} (desk) of bob, with its device?")),
        (
            "bridge end desk",
            &format!("end device {pat} (desk) of bob, with everything that it was given?"),
        ),
        (
            &format!("session revoke {session}"),
            &format!("end the session {session} of bob, with its whole device?"),
        ),
        (
            "user disable bob",
            "disable bob (Bob), who has 0 passkeys, and end every session, grant and token of theirs?",
        ),
        ("user remove bob", "remove bob (Bob), who has 0 passkeys, and everything that is theirs?"),
        ("issuer change http://localhost:1", "and lose 0 passkeys?"),
    ] {
        let mut at = AtTerminal::start(home.command(&split(arguments)));
        at.wait_for(&format!("{question} [y/N] "));
        at.type_in("\n");
        assert_eq!(at.end().0.code(), Some(4), "{arguments}");
    }
    let mut at = AtTerminal::start(home.command(&["token", "revoke", whole]));
    at.wait_for("revoke this access_token of client sp_bridge for ");
    at.type_in("y\n");
    let (status, output, seen) = at.end();

    assert!(status.success(), "{seen}");
    assert!(output.starts_with("revoked    access_token\nclient_id  sp_bridge\n"), "{output}");
    assert_eq!(home.json("user show bob")["disabled"], false);
    assert_eq!(home.json("bridge pats")["personal_tokens"].as_array().unwrap().len(), 1);
}

/// Each of what is there has a question of its own.
#[test]
fn a_recovery_asks_what_of_a_person_shall_end() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let _ada = Person::enrolled(&server);
    let asked = |first: &str, second: &str| {
        let mut at = AtTerminal::start(home.command(&split("user recover ada --json")));
        at.wait_for("gatelodge: ada has 1 passkey; end what is there? [y/N] ");
        at.type_in(first);
        at.wait_for("gatelodge: ada has 1 session; end what is there? [y/N] ");
        at.type_in(second);
        let (status, output, seen) = at.end();
        assert!(status.success(), "{seen}");
        let view: Value = serde_json::from_str(&output).unwrap();
        (view["ended_passkeys"].clone(), view["ended_sessions"].clone())
    };

    let retained = asked("n\n", "\n");
    let said = AtTerminal::start(home.command(&split("user recover ada --keep"))).end();
    let further = AtTerminal::start(home.command(&split("user recover ada --further"))).end();
    let piped = home.json("user recover ada");
    let ended = asked("y\n", "y\n");
    // Nothing is there, and nothing is asked.
    let again = AtTerminal::start(home.command(&split("user recover ada"))).end();

    assert_eq!(retained, (json!(0), json!(0)));
    for (status, output, seen) in [said, further, again] {
        assert!(status.success() && output.contains("setup link  "), "{seen}");
        assert!(!seen.contains("[y/N]") && !output.contains("ended"), "{seen}{output}");
    }
    assert_eq!((&piped["ended_passkeys"], &piped["ended_sessions"]), (&json!(0), &json!(0)));
    assert_eq!(ended, (json!(1), json!(1)));
    assert_eq!(home.json("user show ada")["passkeys"], 0);
}

#[test]
fn an_issuer_is_changed_at_a_terminal_after_a_yes() {
    let home = Home::new();
    home.serve().kill();

    let mut at = AtTerminal::start(home.command(&split("issuer change http://localhost:1")));
    at.wait_for("to http://localhost:1, and lose 0 passkeys? [y/N] ");
    at.type_in("y\n");
    let (status, output, seen) = at.end();

    assert!(status.success(), "{seen}");
    assert!(output.contains("and is now http://localhost:1"), "{output}");
    assert_eq!(home.json("issuer show")["issuer"], "http://localhost:1");
}

#[test]
fn what_may_have_been_meant_is_printed_in_lines() {
    let home = Home::new();
    home.serve().kill();
    home.json("client add Shop --id shop-1");
    home.json("client add Shop --id shop-2");

    let several = home.command(&split("client show shop")).output().unwrap();
    let role = home.command(&split("user add bob --role amdin")).output().unwrap();

    assert_eq!((several.status.code(), role.status.code()), (Some(4), Some(4)));
    let (several, role) =
        (String::from_utf8(several.stderr).unwrap(), String::from_utf8(role.stderr).unwrap());
    let lines = "gatelodge: it may be shop-1 (Shop)\ngatelodge: it may be shop-2 (Shop)\n";
    assert!(several.contains(lines), "{several}");
    assert!(role.contains("gatelodge: there is: admin, user\n"), "{role}");
}

#[test]
fn a_prune_asks_before_it_removes_and_names_what() {
    let home = Home::new();
    let _server = home.serve();
    let file = home.path("house.toml");
    std::fs::write(&file, "[clients.shop]\n[clients.till]\n[users.ada]\n").unwrap();
    let apply = format!("apply -f {}", file.display());
    home.json(&apply);
    std::fs::write(&file, "[clients.till]\n").unwrap();
    let question = "remove client shop, user ada, and everything that is theirs?";
    let prune = format!("{apply} --prune");

    let no = asked(&home, &prune, question, "n\n");
    let between = clients(&home);
    let yes = asked(&home, &prune, question, "y\n");
    let at = AtTerminal::start(home.command(&split(&prune)));
    let (status, output, _) = at.end();

    assert_eq!((no.0, no.1.as_str(), between.len()), (4, "", 2));
    assert_eq!((yes.0, yes.1.as_str()), (0, "- client shop\n- user ada\n"));
    assert!(
        status.success() && output == "nothing to change\n",
        "nothing is asked about: {output}"
    );
}
