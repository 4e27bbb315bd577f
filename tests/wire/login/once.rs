//! Many processes, one refresh token.

use std::fs::File;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Desk, at_once};
use crate::program::Process;

/// A token is good for a minute when it is handed out.
#[test]
fn a_token_near_its_end_is_replaced() {
    let mut desk = Desk::with(&[("GATELODGE_LIFETIMES__ACCESS_TOKEN", "62")]);
    desk.login("").json();
    let asked = desk.token_requests();
    #[expect(clippy::disallowed_methods, reason = "a token of the real clock grows old")]
    thread::sleep(Duration::from_secs(3));

    let first = desk.token("");

    assert_eq!(desk.token_requests(), asked + 1);
    let stored = desk.document()["session"]["access"][0]["token"].clone();
    assert_eq!(stored, first);
}

#[test]
fn two_hundred_processes_cause_one_refresh_and_all_get_its_token() {
    let desk = Desk::signed_in("");
    let asked = desk.token_requests();

    // A scope for which there is no token yet.
    let said = at_once(&desk, 200, |_| "credential --scope openid".to_owned());

    assert!(said.iter().all(|said| said.code() == 0), "{}", said[0].err);
    assert!(said.iter().all(|one| one.out == said[0].out && !one.out.is_empty()));
    assert_eq!(desk.token_requests(), asked + 1);
}

#[test]
fn processes_that_want_different_tokens_take_turns() {
    let desk = Desk::signed_in("");
    let asked = desk.token_requests();

    let scopes = ["openid", "profile", "offline_access"];
    let said = at_once(&desk, 30, |nth| format!("credential --scope {}", scopes[nth % 3]));

    assert!(said.iter().all(|said| said.code() == 0), "{}", said[0].err);
    assert!((3..30).all(|nth| said[nth].out == said[nth % 3].out));
    assert!(said[0].out != said[1].out && said[1].out != said[2].out);
    assert_eq!(desk.token_requests(), asked + 3);
}

#[test]
fn a_process_killed_while_it_holds_the_lock_harms_nobody() {
    let desk = Desk::signed_in("");
    let server = desk.server.process.0.id().to_string();
    signal("-STOP", &server);
    let mut command = desk.command("credential --scope openid");
    let mut holder = Process(command.stdout(Stdio::null()).spawn().unwrap());
    let lock = File::open(desk.file().with_extension("lock")).unwrap();
    wait_until(|| lock.try_lock().map(|()| lock.unlock().unwrap()).is_err());

    holder.0.kill().unwrap();
    holder.0.wait().unwrap();
    signal("-CONT", &server);

    desk.token("--scope openid");
    assert!(lock.try_lock().is_ok());
}

/// As if the program were killed between the server's response and the file: the server forgives a
/// spent refresh token for a minute.
#[test]
fn a_refresh_that_was_lost_on_its_way_is_done_again() {
    let desk = Desk::signed_in("");
    let before = std::fs::read(desk.file()).unwrap();
    desk.token("--scope openid");
    std::fs::write(desk.file(), before).unwrap();

    desk.token("--scope profile");
    desk.token("--scope openid");
}

fn signal(name: &str, pid: &str) {
    assert!(Command::new("kill").args([name, pid]).status().unwrap().success());
}

fn wait_until(mut true_now: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "the lock of another process tells nobody")]
    let (began, pause) = (Instant::now(), || thread::sleep(Duration::from_millis(5)));
    while !true_now() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never was");
        pause();
    }
}
