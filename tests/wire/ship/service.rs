//! The server under a service manager: ports that it is given, word of how it is, its end when nobody
//! comes; and the files by which a manager runs it.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use crate::connection::free_port;
use crate::program::{Home, Server};

/// Opens ports of 127.0.0.1 as a service manager does, and becomes the program: its arguments are the ports
/// and the command.
const MANAGER: &str = "\
import os, socket, sys
ports = [socket.create_server(('127.0.0.1', int(port))) for port in sys.argv[1].split()]
for place, port in reversed(list(enumerate(ports, 3))):
    if port.fileno() != place: os.dup2(port.fileno(), place)
    os.set_inheritable(place, True)
os.environ.update(LISTEN_FDS=str(len(ports)), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
";

impl Home {
    /// The program with ports that a service manager opened for it.
    fn managed(&self, ports: &[u16], arguments: &[&str]) -> Command {
        let own = self.command(arguments);
        let ports = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
        let mut command = Command::new("python3");
        command.args(["-c", MANAGER, &ports]).arg(own.get_program());
        command.args(own.get_args()).env("GATELODGE_LOG", "info");
        for (name, value) in own.get_envs() {
            command.env(name, value.unwrap());
        }
        command
    }

    /// A service manager that notes what it is told in `calls`, and answers well or not.
    fn with_systemctl(&self, exit: u8) -> PathBuf {
        let directory = self.path("manager");
        fs::create_dir_all(&directory).unwrap();
        let program = directory.join("systemctl");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >>{}\n[ {exit} = 0 ] || echo 'no bus' >&2\nexit {exit}\n",
            self.path("calls").display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        directory
    }

    fn service(&self, arguments: &[&str], manager: &PathBuf) -> Output {
        let mut command = self.command(&[&["service"], arguments].concat());
        command.env("PATH", manager).env_remove("GATELODGE_DATA").output().unwrap()
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].concat().iter().map(|byte| char::from(*byte)).collect()
}

#[test]
fn a_port_of_the_manager_is_served_and_the_issuer_of_a_new_store_takes_it() {
    let (home, port) = (Home::new(), free_port());

    let server = Server::start(home.managed(&[port], &["serve"]), &home.path("log"));

    assert_eq!(server.issuer(), format!("http://localhost:{port}"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request =
        format!("GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn ports_of_the_manager_that_are_not_those_of_the_configuration_are_refused() {
    let (home, port) = (Home::new(), free_port());

    let output = home.managed(&[port], &["serve", "--listen", "127.0.0.1:1"]).output().unwrap();

    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let part = format!("the service manager opened 127.0.0.1:{port}, and listen says 127.0.0.1:1");
    assert!(said.contains(&part), "{said}");
    assert!(!home.data().exists());
}

/// `ListenStream=` names the ports for devices, too.
#[test]
fn a_port_for_devices_comes_from_the_manager_as_every_other_one() {
    let (home, pages, devices) = (Home::new(), free_port(), free_port());
    let at = format!("127.0.0.1:{devices}");
    let config = home.path("gatelodge.toml");
    fs::write(&config, format!("[tls]\nmode = 'local'\nmtls_listen = ['{at}']\n")).unwrap();
    let config = config.display().to_string();
    let serve = ["serve", "--config", &config];

    let server = Server::start(home.managed(&[devices, pages], &serve), &home.path("log"));
    let printed = home.service(&["show", "--config", &config], &home.with_systemctl(0));

    assert_eq!(server.issuer(), format!("https://localhost:{pages}"));
    assert_eq!(server.ready["listen"], serde_json::json!([format!("127.0.0.1:{pages}")]));
    assert_eq!(server.ready["mtls_listen"], serde_json::json!([at]));
    let unit = said(&printed);
    assert!(unit.contains(&format!("ListenStream={at}\n")), "{unit}");
}

#[test]
fn the_manager_hears_that_the_server_is_ready_and_alive_and_that_it_ends() {
    let home = Home::new();
    let ear = UnixDatagram::bind(home.path("notify")).unwrap();
    ear.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let hear = || {
        let mut bytes = [0; 512];
        let length = ear.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", home.path("notify")).env("WATCHDOG_USEC", "200000");

    let server = Server::start(command, &home.path("log"));

    let first = hear();
    assert!(first.contains("READY=1") && first.contains("STATUS=http://localhost:"), "{first}");
    assert!(hear().contains("WATCHDOG=1"));
    assert!(hear().contains("WATCHDOG=1"), "and again");
    server.terminate();
    let end = std::iter::repeat_with(hear).find(|text| !text.contains("WATCHDOG=1")).unwrap();
    assert!(end.contains("STOPPING=1"), "{end}");
    assert_eq!(server.end().code(), Some(0));
}

/// A minute is the shortest that can be asked for, and no test waits for it: what is seen here is that
/// the time is taken, and that no other is.
#[test]
fn an_idle_time_is_of_minutes_up_to_a_day() {
    let home = Home::new();
    for wrong in ["0", "1441", "soon"] {
        let output = home.command(&["serve", "--exit-when-idle", wrong]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    let _server = home.start(&["serve", "--listen", "127.0.0.1:0", "--exit-when-idle", "10"]);
}

#[test]
fn a_service_of_ones_own_is_installed_shown_and_removed() {
    let home = Home::new();
    let manager = home.with_systemctl(0);
    let place = home.path(".config/systemd/user");

    let printed = said(&home.service(&["show"], &manager));
    let installed = home.service(&["install"], &manager);

    assert!(installed.status.success(), "{}", said(&installed));
    assert!(said(&installed).contains("the server starts when somebody connects: 127.0.0.1:7455"));
    let socket = fs::read_to_string(place.join("gatelodge.socket")).unwrap();
    let service = fs::read_to_string(place.join("gatelodge.service")).unwrap();
    assert!(printed.contains(&socket) && printed.contains(&service), "{printed}");
    assert!(socket.contains("ListenStream=127.0.0.1:7455\nListenStream=[::1]:7455\n"), "{socket}");
    let start = format!("ExecStart={} serve", env!("CARGO_BIN_EXE_gatelodge"));
    assert!(service.contains(&start), "{service}");
    let calls = || fs::read_to_string(home.path("calls")).unwrap();
    assert_eq!(calls(), "--user daemon-reload\n--user enable --now gatelodge.socket\n");

    let again = home.service(&["install"], &manager);

    assert!(again.status.success(), "{}", said(&again));
    // What runs, runs as the files say now.
    let anew = "--user daemon-reload\n--user stop gatelodge.socket gatelodge.service\n\
                --user enable --now gatelodge.socket\n";
    assert!(calls().ends_with(anew), "{}", calls());

    let removed = home.service(&["remove"], &manager);

    assert!(removed.status.success(), "{}", said(&removed));
    assert!(calls().contains("--user disable --now gatelodge.socket gatelodge.service\n"));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    let again = home.service(&["remove"], &manager);
    assert_eq!(again.status.code(), Some(3), "{}", said(&again));
}

#[test]
fn a_named_data_directory_is_in_the_unit() {
    let home = Home::new();
    let manager = home.with_systemctl(0);

    let printed = home.service(&["show", "--data", "/srv/my data", "--json"], &manager);

    let view: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    let unit = home.path(".config/systemd/user/gatelodge.service").display().to_string();
    let text = view["files"][&unit].as_str().unwrap();
    assert!(text.contains("--exit-when-idle 10 --data \"/srv/my data\"\n"), "{text}");
}

#[test]
fn a_manager_that_does_not_answer_is_told_with_what_can_be_done() {
    let home = Home::new();
    let manager = home.with_systemctl(1);

    let output = home.service(&["install"], &manager);

    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("systemctl --user daemon-reload: no bus"), "{text}");
    assert!(text.contains("the files are in"), "{text}");
}

#[test]
fn a_service_of_the_machine_needs_a_program_that_its_user_can_reach() {
    let home = Home::new();
    let own = home.path("gatelodge");
    fs::copy(env!("CARGO_BIN_EXE_gatelodge"), &own).unwrap();

    let output = Command::new(&own)
        .args(["service", "install", "--system"])
        .env_clear()
        .env("HOME", home.path(""))
        .output()
        .unwrap();

    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("who cannot reach") && text.contains("/usr/local/bin"), "{text}");
}

#[test]
fn a_program_that_systemd_would_not_start_is_refused() {
    let home = Home::new();
    let (place, manager) = (home.path("ada's"), home.with_systemctl(0));
    fs::create_dir(&place).unwrap();
    let own = place.join("gatelodge");
    fs::copy(env!("CARGO_BIN_EXE_gatelodge"), &own).unwrap();
    let mut command = Command::new(&own);
    command
        .args(["service", "install"])
        .env_clear()
        .env("HOME", home.path(""))
        .env("PATH", manager);

    let output = command.output().unwrap();

    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("systemd starts no program with a quote in its path"), "{text}");
    assert!(!home.path("calls").exists());
}

#[test]
fn a_unit_that_somebody_wrote_is_neither_replaced_nor_removed() {
    let home = Home::new();
    let manager = home.with_systemctl(0);
    let place = home.path(".config/systemd/user");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("gatelodge.service"), "# mine\n").unwrap();

    for verb in ["install", "remove"] {
        let output = home.service(&[verb], &manager);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        assert!(said(&output).contains("is not of gatelodge service install"));
    }

    assert_eq!(fs::read_to_string(place.join("gatelodge.service")).unwrap(), "# mine\n");
    assert!(!home.path("calls").exists());
}

#[test]
fn the_ports_are_those_of_the_issuer_in_the_store() {
    let home = Home::new();
    let server = home.serve();
    let port = server.issuer().rsplit(':').next().unwrap().to_owned();
    let data = home.data().display().to_string();

    let printed = home.service(&["show", "--data", &data], &home.with_systemctl(0));

    let text = said(&printed);
    assert!(text.contains(&format!("ListenStream=127.0.0.1:{port}\n")), "{text}");
}
