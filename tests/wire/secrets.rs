//! What must never be read in a log, whatever is logged.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::connection::{ask, client_credentials, get, log, token_head};
use crate::program::{Home, Server};

#[test]
fn the_most_talkative_log_holds_no_secret() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--print-setup"]);
    command.env("GATELODGE_LOG", "trace");
    let server = Server::start(command, &home.path("log"));
    let added = home.json("client add nightly --id nightly --auth client_secret_post");
    let secret = added["client_secret"].as_str().unwrap();
    let link = home.json("user add ada --email ada@example.org");

    let issued = client_credentials(&server, "nightly", secret);
    let refused = client_credentials(&server, "nightly", "gl_cs_not_the_secret");
    let basic = "Basic bmlnaHRseTpub3QtdGhlLXNlY3JldA==";
    let head = format!("{}\r\nAuthorization: {basic}", token_head(&server));
    let wrong_basic = ask(&server, &head, "grant_type=client_credentials");
    let query = get(&server, "/oauth/authorize?client_id=nightly&state=a-state-of-a-client");
    let host = server.issuer().strip_prefix("http://").unwrap();
    let cookie =
        format!("GET /gate/account HTTP/1.1\r\nHost: {host}\r\nCookie: gl_session=a-cookie");
    let account = ask(&server, &cookie, "");
    let log = log(&home, &server);
    server.kill();

    let statuses =
        [&issued, &refused, &wrong_basic, &query, &account].map(|response| response.status);
    assert_eq!(statuses, [200, 401, 401, 400, 200]);
    let token = issued.json()["access_token"].as_str().unwrap().to_owned();
    let fragment = |link: &str| link.rsplit_once('#').unwrap().1.to_owned();
    let key = fs::read_to_string(home.data().join("gatelodge.key")).unwrap();
    for (what, secret) in [
        ("the root secret", key.trim()),
        ("a client secret", secret),
        ("a secret that is none", "not_the_secret"),
        ("a header", "bmlnaHRseTpub3Q"),
        ("a cookie", "a-cookie"),
        ("a query", "a-state-of-a-client"),
        ("an access token", &token),
        ("a signature", token.rsplit_once('.').unwrap().1),
        ("a setup token", &fragment(link["setup_url"].as_str().unwrap())),
        ("an e-mail address", "ada@example.org"),
        ("any token of ours", "gl_"),
    ] {
        assert!(!log.contains(secret), "{what} is in the log");
    }
    assert!(log.contains("\"refusal\":\"ClientSecretWrong\""), "{log}");
}

#[test]
fn the_log_is_a_line_of_json_for_each_request() {
    let home = Home::new();
    let server = home.serve();

    let unknown = get(&server, "/nowhere?a=b");
    get(&server, "/healthz");

    let log = log(&home, &server);
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused = lines.iter().find(|line| line["refusal"] == "PageNotFound").unwrap();
    let event = format!("gatelodge-event: {}", refused["event.id"].as_str().unwrap());
    assert!(unknown.head.contains(&event), "{}", unknown.head);
    assert!(lines.iter().any(|line| line["route"] == "/healthz" && line["status"] == 200));
}

#[test]
fn a_root_secret_that_others_can_read_is_refused_as_ssh_refuses_its_keys() {
    let home = Home::new();
    home.serve().kill();
    let key = home.data().join("gatelodge.key");
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();

    let refused = home.command(&["serve"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();

    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("chmod 600 {}", key.display())), "{said}");
    assert!(said.contains("0640"), "{said}");
    home.serve().kill();
}

/// Editors and shells of Windows write them so.
#[test]
fn a_secret_or_configuration_in_another_encoding_is_called_that() {
    let home = Home::new();
    let _server = home.serve();
    let file = home.path("file");
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let path = file.display().to_string();
    let secret = "a-secret-of-my-own";

    for (bytes, name) in [(wide(secret), "UTF-16"), (marked(secret), "byte-order mark")] {
        fs::write(&file, bytes).unwrap();
        let add = home.command(&["client", "add", "robot", "--secret-file", &path]);
        assert_says(add, &path, name);
    }
    for (bytes, name) in [(wide("log = 'info'"), "UTF-16"), (marked("log = 'info'"), "byte-order")]
    {
        fs::write(&file, bytes).unwrap();
        assert_says(home.command(&["config", "check", "--config", &path]), &path, name);
    }
    fs::write(&file, format!("{secret}\r\n")).unwrap();
    home.json(&format!(
        "client add robot --id robot --auth client_secret_post --secret-file {path}"
    ));
}

/// Asserts that a command ends with 2, and names the file and what is wrong with it.
#[track_caller]
fn assert_says(mut command: Command, file: &str, what: &str) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(file) && said.contains(what) && !said.contains("secret-of"), "{said}");
}
