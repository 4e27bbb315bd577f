//! The ways in, and the ways back out.

use std::io::{BufReader, Read as _};
use std::process::Stdio;

use serde_json::json;

use super::{Desk, until};
use crate::connection::{ask, token_head};
use crate::program::{Home, Process};

#[test]
fn somebody_signs_in_through_the_browser_and_is_somebody_then() {
    let mut desk = Desk::new();

    let session = desk.login("").json();
    let who = desk.run("whoami --json").json();

    assert_eq!(session["issuer"], desk.server.issuer());
    assert_eq!(session["scope"], "offline_access openid profile");
    assert_eq!((&session["name"], &session["store"]), (&json!("ada"), &json!("file")));
    assert_eq!((&who["preferred_username"], &who["source"]), (&json!("ada"), &json!("userinfo")));
    assert_eq!(who["sub"], session["sub"]);
    assert!(!session.to_string().contains("gl_rt_"));
}

/// RFC 8628, at the pace that the server sets.
#[test]
fn somebody_signs_in_on_another_device() {
    let mut desk = Desk::new();
    let mut command = desk.command("login --device --store file --json");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process(command.spawn().unwrap());
    let mut stderr = BufReader::new(process.0.stderr.take().unwrap());

    let (before, address) = until(&mut stderr, "user_code=");
    let address = address.unwrap();
    let next = desk.ada.allow_device(&desk.server, &address);

    assert_eq!(next.as_deref(), Some("/gate/device/done"));
    let mut out = String::new();
    process.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(process.0.wait().unwrap().success());
    let code = address.rsplit_once('=').unwrap().1;
    assert!(before.contains(&format!("\n  {code}\n")), "{before}");
    assert!(out.contains("\"ada\""), "{out}");
    desk.token("");
}

#[test]
fn a_refusal_in_the_browser_ends_the_command_with_4() {
    let mut desk = Desk::new();
    let command = desk.command("login --no-browser --store file");

    let said = desk.login_by(command, "deny");

    assert_eq!(said.code(), 4, "{}", said.err);
    assert!(said.err.contains("refused in the browser"), "{}", said.err);
    assert!(!desk.file().exists());
}

#[test]
fn without_a_terminal_nobody_is_waited_for() {
    let home = Home::new();

    let output = home.command(&["login", "--issuer", "http://localhost:1"]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--no-browser") && said.contains("--device"), "{said}");
}

#[test]
fn without_a_server_the_command_ends_with_5() {
    let home = Home::new();

    // Nobody listens at port 1.
    let arguments = ["login", "--no-browser", "--issuer", "http://localhost:1"];
    let output = home.command(&arguments).output().unwrap();

    assert_eq!(output.status.code(), Some(5));
}

/// RFC 8414 §3.3
#[test]
fn a_server_that_calls_itself_otherwise_is_not_believed() {
    let desk = Desk::new();
    let address = desk.server.ready["listen"][0].as_str().unwrap();

    let said = desk.run(&format!("login --no-browser --issuer http://{address}"));

    assert_eq!(said.code(), 4);
    assert!(said.err.contains("nothing of it is believed"), "{}", said.err);
}

#[test]
fn the_next_sign_in_is_by_the_same_client_unless_the_server_forgot_it() {
    let mut desk = Desk::new();

    let first = desk.login("").json()["client_id"].clone();
    let second = desk.login("").json()["client_id"].clone();
    desk.run(&format!("client remove {} --json", first.as_str().unwrap())).json();
    let third = desk.login("").json()["client_id"].clone();

    assert_eq!(first, second);
    assert_ne!(second, third);
    desk.token("");
}

#[test]
fn where_nobody_registers_themselves_the_command_is_told_that_makes_a_client() {
    let mut desk = Desk::with(&[("GATELODGE_REGISTRATION__POLICY", "off")]);

    let refused = desk.login("");
    let failure: serde_json::Value =
        serde_json::from_str(refused.err.lines().last().unwrap()).unwrap();
    let text = failure["error_description"].as_str().unwrap();
    let advice = |verb: &str| {
        let line = text.lines().find_map(|line| line.split_once(&format!("gatelodge {verb}")));
        line.unwrap().1.to_owned()
    };
    let (add, login) = (advice("client add"), advice("login"));
    desk.run(&format!("client add {add} --json")).json();
    let session = desk.login(&login).json();

    assert_eq!(refused.code(), 4, "{}", refused.err);
    assert_eq!(session["client_id"], "command-line");
    desk.token("");
}

#[test]
fn logout_revokes_what_was_kept_and_forgets_it() {
    let mut desk = Desk::signed_in("");
    let refresh = desk.document()["session"]["refresh_token"].as_str().unwrap().to_owned();
    let client = desk.document()["client_id"].as_str().unwrap().to_owned();

    let outcome = desk.run("logout --json").json();

    assert_eq!((&outcome["revoked"], &outcome["forgotten"]), (&json!(true), &json!(true)));
    assert!(!std::fs::read_to_string(desk.file()).unwrap().contains("gl_rt_"));
    let form = format!("grant_type=refresh_token&refresh_token={refresh}&client_id={client}");
    let spent = ask(&desk.server, &token_head(&desk.server), &form);
    assert_eq!((spent.status, &spent.json()["error"]), (400, &json!("invalid_grant")));
    for verb in ["credential", "whoami"] {
        assert_eq!(desk.run(verb).code(), 3, "{verb}");
    }
    assert_eq!(desk.run("logout --json").json()["forgotten"], false);
    assert_eq!(desk.login("").json()["client_id"], json!(client));
}

#[test]
fn logout_forgets_also_where_the_server_is_gone_and_says_so() {
    let desk = Desk::signed_in("");
    let (issuer, file) = (desk.server.issuer().to_owned(), desk.file());
    let Desk { home, server, .. } = desk;
    server.kill();

    let output = home.command(&["logout", "--issuer", &issuer]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("did not hear of it"), "{said}");
    assert!(!std::fs::read_to_string(file).unwrap().contains("gl_rt_"));
}

#[test]
fn a_new_sign_in_ends_the_one_before() {
    let mut desk = Desk::signed_in("");
    let before = desk.document()["session"]["refresh_token"].as_str().unwrap().to_owned();

    desk.login("").json();

    let client = desk.document()["client_id"].as_str().unwrap().to_owned();
    let form = format!("grant_type=refresh_token&refresh_token={before}&client_id={client}");
    assert_eq!(ask(&desk.server, &token_head(&desk.server), &form).status, 400);
    desk.token("--scope openid");
}

#[test]
fn whoami_remembers_where_the_server_is_gone_and_remarks_on_it() {
    let desk = Desk::signed_in("");
    let Desk { home, server, .. } = desk;
    server.kill();

    let output = home.command(&["whoami", "--json"]).output().unwrap();

    let who: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&who["preferred_username"], &who["source"]), (&json!("ada"), &json!("id_token")));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("this is what it said at sign-in"), "{said}");
}
