//! Somebody who has nothing but the README: installs the program as it says, and types its lines.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::AtTerminal;
use crate::login::open;
use crate::namespace::is_inside;
use crate::person::Person;
use crate::program::Server;
use crate::ship;

const README: &str = include_str!("../../../README.md");

/// The lines of the README that begin like this, without their prompt, and the commands within its text.
fn lines(beginning: &str) -> Vec<String> {
    let blocks = README.lines().filter_map(|line| {
        let line = line.strip_prefix("$ ").unwrap_or(line);
        line.starts_with(beginning).then(|| line.to_owned())
    });
    let within = README.split('`').skip(1).step_by(2);
    let within =
        within.filter(|text| text.starts_with(beginning)).map(|text| text.replace('\n', " "));
    blocks.chain(within).collect()
}

/// A new terminal of somebody whose shell is bash.
fn terminal(home: &Path, directory: &Path) -> AtTerminal {
    let mut command = Command::new("bash");
    command.arg("-i").env_clear().env("HOME", home).env("SHELL", "/bin/bash").env("TERM", "dumb");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(directory);
    AtTerminal::whole(command)
}

impl AtTerminal {
    /// Types a line, and waits until it has done what it does, well.
    fn run(&mut self, line: &str) -> String {
        self.seen.clear();
        self.type_in(&format!("{line}\n"));
        self.ended()
    }

    fn ended(&mut self) -> String {
        // What is typed is on the screen, too.
        self.type_in("echo ended with $?.\n");
        self.wait_for("ended with 0.");
        std::mem::take(&mut self.seen)
    }

    /// The word on the screen that begins like this, once all of it is there.
    fn word(&mut self, beginning: &str) -> String {
        self.wait_for(beginning);
        loop {
            let (_, rest) = self.seen.split_once(beginning).unwrap();
            if let Some((end, _)) = rest.split_once(char::is_whitespace) {
                return format!("{beginning}{end}");
            }
            let more = self.seen.len();
            let mut bytes = [0; 1024];
            let length = std::io::Read::read(&mut self.screen, &mut bytes).unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
            assert!(self.seen.len() > more, "{}", self.seen);
        }
    }
}

/// What stands for the server that somebody started in a terminal, for those who speak with it.
fn at_default_port(home: &Path) -> Server {
    let ready = r#"{"issuer":"http://localhost:7455","listen":["127.0.0.1:7455"]}"#;
    let mut command = Command::new("echo");
    command.arg(ready);
    Server::start(command, &home.join("log"))
}

#[test]
fn the_lines_of_the_readme_do_what_it_says() {
    let story = "terminal::readme::the_lines_of_the_readme_do_what_it_says";
    // Whatever the terminals leave behind ends with it.
    let own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
    if !is_inside(&own, "bash --version && ip link set lo up", story) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let dist = ship::file("install.sh").parent().unwrap().to_owned();
    let [install] = lines("sh install.sh").try_into().unwrap();
    let said = terminal(home.path(), &dist).run(&install);
    assert!(said.contains("new terminals find it"), "{said}");

    // The first terminal: the server.
    let mut first = terminal(home.path(), home.path());
    first.type_in("gatelodge\n");
    first.word("http://localhost:7455/setup#");
    let server = at_default_port(home.path());
    // A second one: what is registered, and who signs in, without a flag.
    let mut second = terminal(home.path(), home.path());
    second.type_in("gatelodge user recover\n");
    let link = second.word("http://localhost:7455/setup#");
    second.ended();
    let mut ada = Person::by_link(&server, &link, Some("ada"));
    let commands = lines("gatelodge ");
    let mut count = 0;
    for line in &commands {
        let is_for_another = ["gatelodge dev", "gatelodge --open", "gatelodge user recover"];
        if !is_for_another.iter().any(|other| line.starts_with(other)) {
            second.run(line);
            count += 1;
        }
    }
    assert!(count >= 5, "{commands:?}");
    second.type_in("gatelodge login\n");
    let address = second.word("http://localhost:7455/oauth/authorize?");
    let redirect = ada.decide(&server, &address, "allow");
    assert!(open(&redirect).contains("You are signed in"));
    assert!(second.ended().contains("signed in as"));
    assert!(second.run("gatelodge credential").contains("eyJ"));
    // A third one: the server in memory.
    let mut third = terminal(home.path(), home.path());
    let dev = commands.iter().find(|line| line.starts_with("gatelodge dev")).unwrap();
    third.type_in(&format!("{dev}\n"));
    third.wait_for("\"ready\":true");
}

#[test]
fn the_makefile_installs_where_a_new_terminal_looks() {
    let (home, dist) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [make] = README
        .lines()
        .filter(|line| *line == "make install")
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let program = dist.path().join("gatelodge");
    ship::write_program(&program);
    let out = dist.path().join("dist");
    // What was built is the program of this test.
    let (program, out) = (program.display(), out.display());
    let line = format!("{make} --old-file=build BINARY={program} DIST={out}");
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("HOME", home.path()).env("SHELL", "/bin/bash").env_remove("MAKEFLAGS");
    command.env("SOURCE_DATE_EPOCH", "1767225600");
    // The compiler is in the home of whoever runs this.
    for (name, place) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let own = std::env::home_dir().unwrap().join(place);
        command.env(name, std::env::var_os(name).unwrap_or_else(|| own.into()));
    }

    let output = command.output().unwrap();

    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && said.contains("make: not found") {
        return;
    }
    assert!(output.status.success(), "{said}");
    let startup = fs::read_to_string(home.path().join(".bashrc")).unwrap();
    let place = home.path().join(".local/bin");
    assert_eq!(startup, format!("export PATH=\"{}:$PATH\"\n", place.display()));
    assert!(place.join("gatelodge").exists());
}
