//! The commands of the pages, run in the order in which a reader meets them.

use std::fs;

use super::{is_applied, page, pieces, pieces_of, shell};
use crate::connection::free_port;
use crate::program::{Home, Server};

/// The lines of the blocks of a page that are commands, in their order.
fn lines_of(name: &str) -> Vec<String> {
    let blocks = pieces_of(&page(name)).into_iter().filter(|(language, _)| language.is_some());
    let text: String = blocks.map(|(_, text)| text).collect();
    let lines = text.lines().map(|line| line.trim().trim_start_matches("$ "));
    lines.filter(|line| line.starts_with("gatelodge ")).map(str::to_owned).collect()
}

/// What is not run here: it needs what no page gives, does not end, or changes the machine. Servers are
/// started in a story of their own, `login` and `service install` too.
const NOT_HERE: &[&str] = &[
    " --follow",
    " --from ",
    "gatelodge bridge end desk",
    "gatelodge dev ",
    "gatelodge login",
    "gatelodge serve ",
    "gatelodge service install",
    "gatelodge tls trust",
];

/// Runs the commands of a page in order, beside a server, after those of `before`.
#[track_caller]
fn run(name: &str, before: &[&str], at_least: usize) {
    run_filled(name, before, at_least, |_, line| line.to_owned());
}

/// As [`run`], where `filled` puts what there is in the place of what a page makes up.
#[track_caller]
fn run_filled(
    name: &str,
    before: &[&str],
    at_least: usize,
    filled: impl Fn(&Home, &str) -> String,
) {
    let home = Home::new();
    let _server = home.serve();
    let blocks = pieces();
    let house = |(language, text): &&(Option<String>, String)| {
        language.as_deref() == Some("toml") && is_applied(text)
    };
    fs::write(home.path("house.toml"), &blocks.iter().find(house).unwrap().1).unwrap();
    fs::write(home.path("shop.secret"), "a-secret-of-their-own\n").unwrap();
    for line in before {
        home.json(line);
    }
    let mut lines = lines_of(name);
    lines.retain(|line| !NOT_HERE.iter().any(|part| line.contains(part)));
    assert!(lines.len() >= at_least, "{lines:?}");

    for line in lines {
        let output = shell(&home, &filled(&home, &line));

        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

const ADA: &str = "user add ada";
const SHOP: &str = "client add shop --id shop --redirect https://shop.example/cb";

#[test]
fn the_commands_of_the_first_minute_work_in_their_order() {
    run("first-minute", &[], 2);
}

#[test]
fn the_commands_of_the_page_of_clients_work_in_their_order() {
    run("clients", &[], 9);
}

#[test]
fn the_commands_of_the_page_of_people_work_in_their_order() {
    run("people", &[ADA], 8);
}

#[test]
fn the_commands_of_the_pages_of_applications_and_mcp_servers_work_in_their_order() {
    run("app", &[ADA], 4);
    run("mcp", &[], 2);
}

#[test]
fn the_commands_of_the_pages_of_backup_and_upgrade_work_in_their_order() {
    run("backup", &[], 2);
    run("upgrade", &[], 3);
}

#[test]
fn the_commands_of_the_pages_of_pipelines_and_administration_work_in_their_order() {
    run("ci", &[ADA, SHOP, "client add billing --id billing"], 2);
    run("administration", &[ADA, SHOP], 6);
}

#[test]
fn the_commands_of_the_page_of_the_command_line_work_in_their_order() {
    run_filled(
        "command-line",
        &[
            ADA,
            "user set ada --add-group staff",
            SHOP,
            "client set shop --add-scope email",
            "resource add https://api.example",
        ],
        5,
        |home, line| {
            let id = home.json("user show ada")["id"].as_str().unwrap().to_owned();
            line.replace("30aea3", &id[..6])
        },
    );
}

#[test]
fn the_commands_of_the_page_of_bridges_work_in_their_order() {
    run_filled("bridge", &[ADA], 3, |home, line| {
        let made = rcgen::generate_simple_self_signed(["laptop".to_owned()]).unwrap();
        fs::write(home.path("its-own.pem"), made.cert.pem()).unwrap();
        let listed = home.json("bridge certs");
        let fingerprint =
            listed.pointer("/certificates/0/fingerprint").or(listed.pointer("/0/fingerprint"));
        line.replace("FINGERPRINT", fingerprint.and_then(|it| it.as_str()).unwrap_or("FINGERPRINT"))
    });
}

#[test]
fn the_commands_of_the_pages_of_a_lan_and_of_security_work_in_their_order() {
    run("lan", &[], 3);
    run("security", &[], 1);
}

#[test]
fn the_commands_of_the_page_of_troubles_work_in_their_order() {
    run_filled("troubleshooting", &[SHOP], 2, |home, line| {
        let events = home.json("events");
        let line = line.replace("19f3ac07d51b2e4c", events["events"][0]["id"].as_str().unwrap());
        // Nothing listens there, and the command says so.
        line.replace(" --url https://10.0.0.5", "")
    });
}

/// Each by itself, at a free port.
#[test]
fn every_server_that_a_page_starts_gets_ready() {
    let pages = super::texts();
    let lines =
        pages.iter().flat_map(|(_, text)| pieces_of(text)).filter_map(|(language, text)| {
            language
                .is_some()
                .then(|| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>())
        });
    let mut started = 0;
    for line in lines.flatten().filter(|line| line.starts_with("gatelodge serve ")) {
        let (home, port) = (Home::new(), free_port().to_string());
        let line = line.replace("7455", &port);
        let mut arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let free = format!("127.0.0.1:{port}");
        if !line.contains(" --listen ") {
            arguments.extend(["--listen", &free]);
        }

        let server = Server::start(home.command(&arguments), &home.path("log"));

        assert_eq!(server.ready["ready"], true, "{line}");
        started += 1;
    }
    assert!(started >= 3, "{started}");
}
