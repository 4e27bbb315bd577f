//! TLS of the program's own: with the local CA, with given files, and where devices prove theirs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use gatelodge::clock::Clock;
use gatelodge::model::fingerprint::Fingerprint;
use gatelodge::tls::{Authority, KeyWithRequest, Usage};
use serde_json::json;

use crate::connection::{connect, get, read};
use crate::program::{Home, Server};
use crate::secure::{Client, Device, Got};

const LOCAL: [&str; 5] = ["serve", "--tls", "local", "--listen", "127.0.0.1:0"];

fn address(server: &Server) -> &str {
    server.ready["listen"][0].as_str().unwrap()
}

/// The CA of the server that runs in `home`.
fn ca(home: &Home) -> String {
    home.json("tls ca")["certificate"].as_str().unwrap().to_owned()
}

/// Asks `seen` again and again until it sees another certificate than `first`.
#[expect(clippy::disallowed_methods, reason = "the built program has the system's clock")]
fn until_another(first: Fingerprint, seen: impl Fn() -> Got) -> Fingerprint {
    let started = Instant::now();
    loop {
        let now = seen().certificate;
        if now != first {
            return now;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it stayed the same");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_local_ca_vouches_for_the_issuer_and_loopback() {
    let home = Home::new();
    let server = home.start(&LOCAL);
    let (address, client) = (address(&server), Client::new(&ca(&home), None));

    let port = address.rsplit_once(':').unwrap().1;
    assert_eq!(server.issuer(), format!("https://localhost:{port}"));
    for name in ["localhost", "127.0.0.1", "::1"] {
        let got = client.get(address, name, "/.well-known/openid-configuration").unwrap();

        assert_eq!(got.response.json()["issuer"], server.issuer(), "{name}");
        assert_eq!(got.protocol.as_deref(), Some(&b"http/1.1"[..]));
        assert!(!got.asked, "a browser would have to choose a certificate");
        assert!(!got.response.head.contains("strict-transport-security"), "{}", got.response.head);
    }
    let page = client.get(address, "localhost", "/bridge/device-link").unwrap().response;
    assert!(page.head.contains("; secure"), "{}", page.head);
    let stranger = Home::new();
    let _other = stranger.start(&LOCAL);
    assert!(Client::new(&ca(&stranger), None).get(address, "localhost", "/").is_err());
}

#[test]
fn the_certificates_are_told_with_the_page_where_others_trust_the_ca() {
    let home = Home::new();
    let server = home.start(&LOCAL);
    let client = Client::new(&ca(&home), None);

    let status = home.json("tls status");

    let seen = client.get(address(&server), "localhost", "/trust").unwrap();
    assert_eq!(seen.certificate.to_string(), status["certificate"]["fingerprint"]);
    assert_eq!(status["certificate"]["names"], json!(["localhost", "127.0.0.1", "::1"]));
    assert!(status["certificate"]["renews"].as_str() < status["certificate"]["not_after"].as_str());
    let fingerprint = status["ca"]["fingerprint"].as_str().unwrap();
    assert_eq!(status["ca"]["fingerprint"], home.json("tls ca")["fingerprint"]);
    assert!(status["ca"]["renews"].as_str() < status["ca"]["not_after"].as_str());
    let page = format!("{}/trust#sha256={fingerprint}", server.issuer());
    assert_eq!((&status["mode"], &status["trust_uri"]), (&json!("local"), &json!(page)));
    let spoken: Vec<_> =
        status["ca"]["spoken"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
    assert_eq!((spoken.len(), seen.response.status), (16, 200));
    assert!(seen.response.body.contains(&spoken[..4].join(" ")), "{}", seen.response.body);
    let printed = home.command(&["tls", "status"]).output().unwrap();
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains(&spoken[8..].join(" ")), "{text}");
}

#[test]
fn the_ca_stays_and_its_files_are_its_owners() {
    let home = Home::new();
    home.start(&LOCAL).kill();
    let first = ca(&home);

    let server = home.start(&["serve", "--tls", "local"]);

    assert_eq!(ca(&home), first);
    assert!(Client::new(&first, None).get(address(&server), "localhost", "/healthz").is_ok());
    for name in ["gatelodge-ca.key", "gatelodge-ca.pem"] {
        let mode = fs::metadata(home.data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
}

#[test]
fn a_certificate_is_renewed_while_the_server_runs() {
    let home = Home::new();
    let mut command = home.command(&LOCAL);
    command.env("GATELODGE_LIFETIMES__SERVER_CERTIFICATE", "10s");
    let server = Server::start(command, &home.path("log"));
    let client = Client::new(&ca(&home), None);
    let seen = || client.get(address(&server), "localhost", "/healthz").unwrap();

    until_another(seen().certificate, seen);
}

/// A chain and its key in `home`, for `name`, and the CA that vouches for it.
fn write_files(home: &Home, name: &str) -> String {
    let now = Clock::System.now();
    fs::create_dir_all(home.path("ca")).unwrap();
    let authority = Authority::at(&home.path("ca"), &[], now).unwrap();
    let made = KeyWithRequest::generate().unwrap();
    let (names, day) = ([name.to_owned()], Duration::from_hours(24));
    let issued = authority.issue(&made.request, Usage::Server, &names, day, now).unwrap();
    fs::write(home.path("chain.pem"), issued).unwrap();
    fs::write(home.path("key.pem"), &*made.key).unwrap();
    authority.pem().to_owned()
}

/// A command whose configuration names the files of `write_files`.
fn from_files(home: &Home, arguments: &[&str]) -> std::process::Command {
    let config = home.path("gatelodge.toml");
    fs::write(&config, "[tls]\nmode = \"files\"\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n")
        .unwrap();
    let mut command = home.command(arguments);
    command.env("GATELODGE_CONFIG", config);
    command
}

#[test]
fn given_files_are_shown_and_read_again_when_they_change() {
    let home = Home::new();
    let ca = write_files(&home, "localhost");
    let command = from_files(&home, &["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(command, &home.path("log"));
    let client = Client::new(&ca, None);
    let seen = || client.get(address(&server), "localhost", "/healthz").unwrap();
    let first = seen().certificate;

    // Half of a change is not shown.
    let chain = fs::read(home.path("chain.pem")).unwrap();
    write_files(&home, "localhost");
    let next = fs::read(home.path("chain.pem")).unwrap();
    fs::write(home.path("chain.pem"), chain).unwrap();
    assert_eq!(seen().certificate, first);
    fs::write(home.path("chain.pem"), next).unwrap();

    until_another(first, seen);
}

#[test]
fn wrong_files_are_refused_and_all_faults_told() {
    let home = Home::new();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--issuer", "https://id.example"];
    write_files(&home, "localhost");
    fs::write(home.path("key.pem"), "nonsense").unwrap();

    for arguments in [&serve[..], &["config", "check"]] {
        let mut command = from_files(&home, arguments);
        command.env("GATELODGE_ISSUER", "https://id.example");
        let output = command.output().unwrap();

        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for fault in [
            "tls.certificate: ",
            "chain.pem holds a certificate that is not for id.example",
            "tls.key: ",
            "key.pem holds no private key in PEM",
        ] {
            assert!(said.contains(fault), "{fault:?} is not in {said}");
        }
    }
    assert!(!home.data().exists());
}

/// The issuer of a new store is frozen; nothing is made before the certificate fits it.
#[test]
fn a_certificate_for_another_host_than_the_issuer_ends_a_first_start_before_anything_is_made() {
    let home = Home::new();
    write_files(&home, "id.lan");

    let output = from_files(&home, &["serve", "--listen", "127.0.0.1:0"]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is not for localhost") && said.contains("--issuer"), "{said}");
    assert!(!home.data().exists());
}

/// Its constraints were written when it was made.
#[test]
fn a_name_that_the_local_ca_does_not_vouch_for_is_told() {
    let home = Home::new();
    home.start(&LOCAL).kill();

    let mut command = home.command(&["serve", "--tls", "local"]);
    let output = command.env("GATELODGE_HOSTS", "id.example").output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("does not vouch for id.example"), "{said}");
    assert!(said.contains("remove gatelodge-ca.pem and gatelodge-ca.key from"), "{said}");
}

/// The pages' listener never asks; this one does, goes on without, and serves the whole API.
#[test]
fn a_listener_for_devices_asks_for_a_certificate_and_goes_on_without() {
    let home = Home::new();
    let server = home.start(&[&LOCAL[..], &["--mtls-listen", "127.0.0.1:0"]].concat());
    let (ca, device) = (ca(&home), Device::new());
    let listener = server.ready["mtls_listen"][0].as_str().unwrap();

    for device in [None, Some(&device)] {
        let client = Client::new(&ca, device);
        let pages = client.get(address(&server), "localhost", "/healthz").unwrap();
        let devices = client.get(listener, "localhost", "/.well-known/jwks.json").unwrap();

        assert!(!pages.asked && devices.asked);
        assert!(devices.response.json()["keys"].is_array());
    }
}

#[test]
fn plain_http_at_a_tls_port_is_told_so_and_harms_nobody() {
    let home = Home::new();
    let server = home.start(&LOCAL);
    let client = Client::new(&ca(&home), None);

    let mut stream = connect(&server);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let response = read(stream);
    assert_eq!(response.status, 400);
    assert!(response.body.contains("its address begins with https"), "{}", response.body);
    let mut garbage = connect(&server);
    garbage.write_all(&[0x16, 3, 1, 0xff, 0xff, 0, 0]).unwrap();
    let _ = garbage.read(&mut [0; 64]);
    drop(TcpStream::connect(address(&server)).unwrap());

    assert_eq!(client.get(address(&server), "localhost", "/healthz").unwrap().response.status, 200);
}

/// A handshake has the ten seconds of a header.
#[test]
fn a_handshake_that_never_ends_is_not_waited_for() {
    let home = Home::new();
    let server = home.start(&LOCAL);
    let mut stream = connect(&server);

    stream.write_all(&[0x16, 3, 1]).unwrap();
    // An error here is the read's own timeout, longer than the server's.
    stream.set_read_timeout(Some(Duration::from_secs(14))).unwrap();
    let read = stream.read(&mut [0; 64]);

    assert!(matches!(read, Ok(0)) || read.is_err_and(|error| error.raw_os_error() == Some(104)));
}

#[test]
fn a_listener_for_devices_without_tls_is_refused() {
    let home = Home::new();

    let (code, said) = ended(&home, "serve --listen 127.0.0.1:0 --mtls-listen 127.0.0.1:0");

    assert_eq!(code, 2, "{said}");
    assert!(said.contains("a certificate is proven over TLS alone"), "{said}");
    assert!(!home.data().exists());
}

#[test]
fn an_http_installation_is_not_served_over_tls() {
    let home = Home::new();
    let server = home.serve();
    assert_eq!(get(&server, "/healthz").status, 200);
    server.kill();

    let output = home.command(&["serve", "--tls", "local"]).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("gatelodge issuer change https://localhost:"), "{said}");
}

/// What the program says to `arguments`, and how it ends.
fn ended(home: &Home, arguments: &str) -> (i32, String) {
    let output = home.command(&arguments.split(' ').collect::<Vec<_>>()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn a_service_beside_this_one_gets_a_certificate_and_nothing_is_overwritten() {
    let home = Home::new();
    home.serve().kill();
    let (out, key) = (home.path("nas.pem"), home.path("nas.key"));
    let issue =
        |name: &str| format!("tls issue {name} --out {} --key {}", out.display(), key.display());

    let refused = ended(&home, &issue("bank.example"));
    let nothing = (out.exists(), key.exists());
    let issued = home.json(&issue("nas.lan"));
    let before = fs::read(&key).unwrap();
    let again = ended(&home, &issue("nas.lan"));

    assert_eq!((refused.0, nothing), (4, (false, false)), "{}", refused.1);
    assert_eq!(issued["key_file"], key.display().to_string());
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&out).unwrap();
    let device = Device::of(&text, &fs::read_to_string(&key).unwrap());
    assert_eq!(issued["fingerprint"], device.fingerprint().to_string());
    assert_eq!(again.0, 1, "{}", again.1);
    assert!(again.1.contains("nas.pem is there, and is not overwritten"), "{}", again.1);
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn the_ca_is_printed_and_what_to_do_with_it_is_told() {
    let home = Home::new();
    assert_eq!(ended(&home, "tls ca").0, 5);
    home.serve().kill();
    let (nothing, why) = ended(&home, "tls trust");
    assert_eq!(nothing, 3, "{why}");
    assert!(why.contains("this server has no CA of its own"), "{why}");
    assert!(!Authority::path(&home.data()).exists());

    let (code, pem) = ended(&home, "tls ca");
    let (status, steps) = ended(&home, "tls trust --print");

    assert_eq!((code, &pem), (0, &ca(&home)));
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(status, 0, "{steps}");
    assert!(steps.contains("security add-trusted-cert") && steps.contains("firefox:"), "{steps}");
    assert_eq!(home.json("tls trust --print")["installed"], false);
}

/// From the command to the handshake: the server knows the device by its certificate.
#[test]
fn a_device_that_was_enrolled_proves_its_certificate() {
    let home = Home::new();
    let server = home.start(&[&LOCAL[..], &["--mtls-listen", "127.0.0.1:0"]].concat());
    home.json("user add ada");
    let (out, key) = (home.path("laptop.pem"), home.path("laptop.key"));
    let enroll = format!(
        "bridge enroll-cert ada --name laptop --out {} --key {}",
        out.display(),
        key.display()
    );

    let enrolled = home.json(&enroll);

    let pem = fs::read_to_string(&out).unwrap();
    let device = Device::of(&pem, &fs::read_to_string(&key).unwrap());
    let fingerprint = device.fingerprint().to_string();
    assert_eq!(enrolled["fingerprint"], fingerprint);
    let listener = server.ready["mtls_listen"][0].as_str().unwrap();
    Client::new(&ca(&home), Some(&device)).get(listener, "localhost", "/healthz").unwrap();
    let log = home.log_with("a certificate was proven");
    assert!(log.contains(&fingerprint), "{log}");

    // One of its own making, as a file in PEM.
    let own = Device::new();
    fs::write(home.path("own.pem"), &own.pem).unwrap();
    let own_path = home.path("own.pem").display().to_string();
    let registered = home.json(&format!("bridge enroll-cert ada --cert {own_path}"));
    assert_eq!(registered["fingerprint"], own.fingerprint().to_string());
    let again = ended(&home, &format!("bridge enroll-cert ada --cert {own_path}"));
    assert_eq!(again.0, 4, "{}", again.1);
    let revoked = home.json(&format!("bridge revoke-cert {fingerprint}"));
    assert!(revoked["revoked"].is_string());
    assert_eq!(home.json("bridge certs --user ada")["certificates"].as_array().unwrap().len(), 2);
    assert_eq!(ended(&home, &format!("bridge revoke-cert {}", "0".repeat(64))).0, 3);
    assert_eq!(ended(&home, "bridge enroll-cert bob --cert /nowhere.pem").0, 1);
}

/// The bridge's contract over the program's own TLS, from a proven certificate to a heartbeat.
#[test]
fn a_bridge_plays_its_part_over_tls_by_its_certificate() {
    let home = Home::new();
    let server = home.start(&[&LOCAL[..], &["--mtls-listen", "127.0.0.1:0"]].concat());
    home.json("user add ada");
    let device = Device::new();
    fs::write(home.path("desk.pem"), &device.pem).unwrap();
    home.json(&format!("bridge enroll-cert ada --cert {}", home.path("desk.pem").display()));
    let devices = server.ready["mtls_listen"][0].as_str().unwrap();
    let bridge = Client::new(&ca(&home), Some(&device));
    let named = json!({ "device_cert_fingerprint": device.fingerprint().to_string() });

    let modes = bridge.get(devices, "localhost", "/v1/auth/bridge/capabilities").unwrap();
    let access = bridge.post(devices, "/v1/auth/bridge/mtls", "", &named).unwrap().response;

    assert!(modes.response.body.contains("\"mtls\""));
    assert_eq!(access.status, 200, "{}", access.body);
    let (token, session) = (access.json()["token"].clone(), access.json()["headers"].clone());
    let beat = json!({
        "session_id": session["x-session-id"], "bridge_version": "1.0", "os": "linux",
        "hostname": "desk", "forwarded_total": 1, "tokens_in_total": 2, "tokens_out_total": 3,
    });
    let token = token.as_str().unwrap();
    // The token is good at the pages' listener too; the certificate is not asked for there.
    for listener in [devices, address(&server)] {
        let beat = bridge.post(listener, "/v1/bridge/heartbeat", token, &beat).unwrap();
        assert_eq!(beat.response.status, 200, "{}", beat.response.body);
    }
    let hook = bridge.post(devices, "/v1/auth/bridge/oauth-client", token, &json!({})).unwrap();
    assert!(hook.response.json()["client_secret"].as_str().unwrap().starts_with("gl_cs_"));
    assert_eq!(home.json("bridge list")["bridges"][0]["hostname"], "desk");
    let elsewhere = bridge.post(address(&server), "/v1/auth/bridge/mtls", "", &named).unwrap();
    assert_eq!(elsewhere.response.status, 401);
    home.json(&format!("bridge revoke-cert {}", device.fingerprint()));
    let revoked = bridge.post(devices, "/v1/auth/bridge/mtls", "", &named).unwrap();
    assert_eq!(revoked.response.status, 401);
}
