//! Tables at a terminal: as wide as it is, with short ids, times from now and colours. Elsewhere
//! they are whole.

use std::fs::OpenOptions;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{ffi, fs::File, io::Read as _, thread};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::connection::get;
use crate::program::Home;

/// What a command displays at a terminal of so many columns, and what it remarks beside it.
fn displayed(mut command: Command, columns: u16) -> (String, String) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&screen, size).unwrap();
    let name =
        PathBuf::from(ffi::OsString::from_vec(ptsname(&screen, Vec::new()).unwrap().into_bytes()));
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    command.stdout(terminal).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // The command holds the terminal, too: its end could not be read otherwise.
    drop(command);
    let reader = thread::spawn(move || {
        let (mut screen, mut seen, mut bytes) = (File::from(screen), Vec::new(), [0; 4096]);
        // A terminal that nobody has open any more is an error to read.
        while let Ok(length @ 1..) = screen.read(&mut bytes) {
            seen.extend(&bytes[..length]);
        }
        String::from_utf8(seen).unwrap().replace("\r\n", "\n")
    });
    let output = child.wait_with_output().unwrap();
    let remarks = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{remarks}");
    (reader.join().unwrap(), remarks)
}

fn at(home: &Home, line: &str, columns: u16) -> String {
    displayed(home.command(&line.split(' ').collect::<Vec<_>>()), columns).0
}

fn piped(home: &Home, line: &str) -> String {
    let output = home.command(&line.split(' ').collect::<Vec<_>>()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `text` without the sequences that colour it.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| {
        let (sequence, rest) = part.split_once('m').unwrap();
        assert!(sequence.starts_with('['), "{part:?}");
        whole + rest
    })
}

/// An installation whose people, clients and devices have long and wide names.
fn crowded() -> Home {
    let home = Home::new();
    let server = home.serve();
    assert_eq!(get(&server, "/.well-known/jwks.json").status, 200, "all keys are there");
    server.kill();
    let names = [
        "買い物かごと注文の管理システム".to_owned(),
        "👩\u{200d}👩\u{200d}👧 Family 🛒 Shop 🇩🇪".to_owned(),
        "e\u{301}te\u{301}".repeat(20),
        "n".repeat(128),
        "日本".repeat(64),
    ];
    for (number, name) in names.iter().enumerate() {
        let client = format!("shop-{number}");
        let redirect = format!("https://{client}.example/callback");
        let user = format!("person-{number}");
        let email = format!("{user}@long.subdomain.of.a.company.example");
        for arguments in [
            &["client", "add", name, "--id", &client, "--redirect", &redirect][..],
            &["user", "add", &user, "--name", name, "--email", &email, "--group", "staff"],
            &["bridge", "issue-pat", &user, "--name", name],
            &["resource", "add", &format!("https://{client}.example/mcp"), "--name", name],
        ] {
            let output = home.command(arguments).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?}: {said}");
        }
    }
    for number in 0..3 {
        let both = format!("--user person-{number} --client shop-{number}");
        home.json(&format!("token issue {both} --scope openid"));
    }
    home
}

const TABLES: [&str; 7] = [
    "client list",
    "user list",
    "resource list",
    "bridge pats",
    "key list",
    "client usage",
    "grant list",
];

#[test]
fn no_line_is_wider_than_the_terminal() {
    let home = crowded();

    for table in TABLES {
        for columns in [80, 60] {
            let text = plain(&at(&home, table, columns));
            assert!(text.lines().count() > 1, "{table}: {text}");
            for line in text.lines() {
                assert!(line.width() <= columns.into(), "{table}: {} {line}", line.width());
            }
        }
    }
    let text = plain(&at(&home, "client list", 80));
    assert!(text.contains('…') && text.contains("買い物"), "{text}");
}

#[test]
fn what_finds_no_room_is_named_and_whole_elsewhere() {
    let home = crowded();

    let (text, remarks) = displayed(home.command(&["grant", "list"]), 60);
    let whole = piped(&home, "grant list");

    let heading = plain(text.lines().next().unwrap());
    assert!(!heading.contains("MADE BY"), "{heading}");
    assert!(remarks.contains("--json has everything"), "{remarks}");
    assert!(whole.lines().next().unwrap().contains("MADE BY"), "{whole}");
    let names = piped(&home, "client list");
    assert!(names.contains(&"n".repeat(128)) && !names.contains('…'), "{names}");
}

#[test]
fn times_are_from_now_and_ids_are_short_at_a_terminal_alone() {
    let home = crowded();
    let listed = home.json("grant list");
    let grants = listed["grants"].as_array().unwrap();
    let ids: Vec<&str> = grants.iter().map(|grant| grant["id"].as_str().unwrap()).collect();

    let text = plain(&at(&home, "grant list", 100));
    let whole = piped(&home, "grant list");

    assert_eq!(ids.len(), 3);
    assert!(text.contains("in 14 minutes") || text.contains("in 15 minutes"), "{text}");
    assert!(!text.contains("Z\n") && !text.contains("Z "), "{text}");
    for id in &ids {
        assert!(!text.contains(id) && text.contains(&id[..8]), "{id}: {text}");
        assert!(whole.contains(id), "{id}: {whole}");
    }
    assert!(whole.contains("Z\n") && !whole.contains("minutes"), "{whole}");
    // A short id serves where an id does.
    let line = text.lines().find(|line| line.contains(&ids[0][..8])).unwrap();
    let short = line.split_whitespace().next().unwrap();
    let revoked = home.json(&format!("grant revoke {short} --yes"));
    assert_eq!(revoked["id"], ids[0], "{revoked}");
}

#[test]
fn colours_are_for_terminals_that_have_them() {
    let home = crowded();
    let with = |name: &str, value: &str| {
        let mut command = home.command(&["client", "list"]);
        command.env(name, value);
        displayed(command, 80).0
    };

    assert!(at(&home, "client list", 80).starts_with("\u{1b}[1m"));
    assert!(with("NO_COLOR", "").contains('\u{1b}'), "an empty one says nothing");
    for uncoloured in [with("NO_COLOR", "1"), with("TERM", "dumb"), piped(&home, "client list")] {
        assert!(!uncoloured.contains('\u{1b}'), "{uncoloured}");
    }
    let json = at(&home, "client list --json", 80);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["clients"].as_array().unwrap().len(), 5);
}

#[test]
fn findings_are_folded_to_the_terminal() {
    let home = crowded();

    let text = at(&home, "doctor", 80);

    assert!(text.lines().count() > 10, "{text}");
    for line in text.lines().filter(|line| !line.contains("/gatelodge-")) {
        assert!(line.width() <= 80, "{line}");
    }
}

#[test]
fn a_link_has_a_qr_code_at_a_terminal_that_is_wide_enough_and_nowhere_else() {
    let home = Home::new();
    home.serve().kill();
    home.json("user add ada");
    let has_code = |text: &str| text.contains('█');

    for line in ["user add bob", "user recover ada", "invite add --uses 2"] {
        let wide = at(&home, line, 80);
        assert!(wide.contains("/setup#gl_") && has_code(&wide), "{line}: {wide}");
    }
    for line in ["user recover ada", "invite add --uses 2"] {
        let (narrow, plain) = (at(&home, line, 40), piped(&home, line));
        assert!(narrow.contains("/setup#gl_") && !has_code(&narrow), "{line}: {narrow}");
        assert!(plain.contains("/setup#gl_") && !has_code(&plain), "{line}: {plain}");
        assert!(!has_code(&at(&home, &format!("{line} --json"), 80)), "{line}");
    }
}
