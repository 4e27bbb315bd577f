//! The installer: what it refuses, where it puts what, and how it fetches.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::{MADE, file, succeed, text};
use crate::program::{Home, Process};

/// Serves the files of a directory by TLS, or those of a path that begins with `/http` or `/https` by a
/// redirect to the other server, which speaks that. Says both addresses in one line.
const SITE: &str = r#"
import functools, http.server, ssl, sys, threading
directory, certificate, key = sys.argv[1:]
class Site(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        scheme, _, name = self.path[1:].partition("/")
        if scheme not in ports: return super().do_GET()
        self.send_response(302)
        self.send_header("Location", f"{scheme}://localhost:{ports[scheme]}/{name}")
        self.end_headers()
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    def handle_error(self, *_): pass
handler = functools.partial(Site, directory=directory)
servers = {name: Server(("127.0.0.1", 0), handler) for name in ("http", "https")}
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
servers["https"].socket = context.wrap_socket(servers["https"].socket, server_side=True)
ports = {name: server.server_address[1] for name, server in servers.items()}
threading.Thread(target=servers["http"].serve_forever, daemon=True).start()
print(f"https://localhost:{ports['https']}", flush=True)
servers["https"].serve_forever()
"#;

/// The archive, as an argument.
fn archive() -> String {
    file(".tar.gz").to_str().unwrap().to_owned()
}

/// Its sum.
fn sum() -> String {
    let sums = fs::read_to_string(file("SHA256SUMS")).unwrap();
    let line = sums.lines().find(|line| line.ends_with(".tar.gz")).unwrap();
    line.split(' ').next().unwrap().to_owned()
}

/// The installer, for somebody whose home is `home`.
fn install(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.arg(file("install.sh")).args(arguments);
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").output().unwrap()
}

#[test]
fn the_installer_needs_no_root_and_says_what_it_did() {
    let home = tempfile::tempdir().unwrap();
    let archive = file(".tar.gz");

    let output = install(home.path(), &["--from", archive.to_str().unwrap()]);

    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let program = home.path().join(".local/bin/gatelodge");
    assert!(said.contains("the SHA-256 is right"), "{said}");
    assert!(said.contains(&format!("start it: {}", program.display())), "{said}");
    assert!(said.contains("export PATH="), "{said}");
    let version = succeed(Command::new(&program).arg("version"));
    assert!(version.starts_with("gatelodge 0.1.0"), "{version}");
    let page = home.path().join(".local/share/man/man1/gatelodge-client-add.1");
    assert!(fs::read_to_string(page).unwrap().contains("gatelodge client add"));
    let completions = home.path().join(".local/share/bash-completion/completions/gatelodge");
    assert!(completions.exists());
    let documents = home.path().join(".local/share/doc/gatelodge");
    let readme = fs::read_to_string(documents.join("README.md")).unwrap();
    assert!(readme.contains("](manual/edge.md)") && !readme.contains("](assets/"), "{readme}");
    assert!(documents.join("manual/edge.md").exists());
    // Where the server has its data.
    assert!(!home.path().join(".local/share/gatelodge").exists());
    // A second time it replaces what is there.
    assert!(install(home.path(), &["--from", archive.to_str().unwrap()]).status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn the_installer_has_new_terminals_find_the_program_by_one_line() {
    let archive = file(".tar.gz").display().to_string();
    let install = |home: &Path, shell: &str, more: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(file("install.sh")).args(["--from", &archive]).args(more);
        command.env_clear().env("HOME", home).env("SHELL", shell).env("PATH", "/usr/bin:/bin");
        succeed(&mut command)
    };
    for (shell, startup, line) in [
        ("/bin/bash", ".bashrc", "export PATH=\"{bin}:$PATH\"\n"),
        ("/usr/bin/zsh", ".zshrc", "export PATH=\"{bin}:$PATH\"\n"),
        ("/usr/bin/fish", ".config/fish/conf.d/gatelodge.fish", "fish_add_path {bin}\n"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let startup = home.path().join(startup);
        let bin = home.path().join(".local/bin").display().to_string();

        install(home.path(), shell, &["--no-path"]);
        let to = home.path().join("other").display().to_string();
        install(home.path(), shell, &["--to", &to]);
        let before = startup.exists();
        fs::create_dir_all(startup.parent().unwrap()).unwrap();
        fs::write(&startup, "# mine").unwrap();
        let said = install(home.path(), shell, &[]);
        install(home.path(), shell, &[]);

        assert!(!before, "{shell}");
        assert!(said.contains(&format!("a line in {}", startup.display())), "{said}");
        let line = format!("# mine\n{}", line.replace("{bin}", &bin));
        assert_eq!(fs::read_to_string(&startup).unwrap(), line, "{shell}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_login_shell_finds_the_program_whichever_files_it_has() {
    let archive = file(".tar.gz").display().to_string();
    for (files, expected) in [
        (&[][..], &[".bashrc", ".profile"][..]),
        (&[".bash_profile", ".profile"], &[".bash_profile", ".bashrc"]),
        (&[".profile"], &[".bashrc", ".profile"]),
    ] {
        let home = tempfile::tempdir().unwrap();
        for name in files {
            fs::write(home.path().join(name), "# mine\n").unwrap();
        }
        let mut command = Command::new("sh");
        command.arg(file("install.sh")).args(["--from", &archive]).env_clear();
        command.env("HOME", home.path()).env("SHELL", "/bin/bash").env("PATH", "/usr/bin:/bin");
        succeed(&mut command);

        let mut with: Vec<_> = fs::read_dir(home.path()).unwrap().map(|it| it.unwrap()).collect();
        with.retain(|it| fs::read_to_string(it.path()).is_ok_and(|it| it.contains(".local/bin")));
        let mut with: Vec<_> = with.into_iter().map(|it| it.file_name()).collect();
        with.sort();
        assert_eq!(with, expected, "{files:?}");
        let mut shell = Command::new("bash");
        shell.args(["-lc", "command -v gatelodge"]).env_clear().env("HOME", home.path());
        let found = succeed(shell.env("PATH", "/usr/bin:/bin"));
        assert!(found.ends_with("/.local/bin/gatelodge\n"), "{found}");
    }
    // One that reads the other file gets no line of its own.
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".profile"), ". ~/.bashrc\n").unwrap();
    let mut command = Command::new("sh");
    command.arg(file("install.sh")).args(["--from", &archive]).env_clear();
    command.env("HOME", home.path()).env("SHELL", "/bin/bash").env("PATH", "/usr/bin:/bin");
    succeed(&mut command);
    assert_eq!(fs::read_to_string(home.path().join(".profile")).unwrap(), ". ~/.bashrc\n");
}

#[test]
fn the_installer_writes_nothing_of_what_is_not_what_it_should_be() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = file(".tar.gz");
    let changed = place.path().join(archive.file_name().unwrap());
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&changed, bytes).unwrap();
    let refused = |arguments: &[&str], part: &str| {
        let output = install(home.path(), arguments);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "{arguments:?}");
    };
    let changed = changed.to_str().unwrap();

    refused(&["--from", changed], "SHA256SUMS: name the sum by --sha256");
    fs::copy(file("SHA256SUMS"), place.path().join("SHA256SUMS")).unwrap();
    refused(&["--from", changed], "is not what it should be");
    refused(&["--from", archive.to_str().unwrap(), "--sha256", "0"], "is not what it should be");
    refused(&["--from", "/nowhere.tar.gz"], "there is no file /nowhere.tar.gz");
    refused(&["--from", "http://localhost:1/a.tar.gz"], "name the sum by --sha256");
    refused(&["--from", archive.to_str().unwrap(), "--to", ""], "sh install.sh");
    refused(&["--from"], "sh install.sh --from FILE|URL");
}

/// A site that has what `make dist` made, the archive also by a name with a blank, and a certificate of
/// the local CA.
struct Site {
    address: String,
    ca: PathBuf,
    home: Home,
    _directory: TempDir,
    _process: Process,
}

impl Site {
    fn new() -> Self {
        let (home, directory) = (Home::new(), tempfile::tempdir().unwrap());
        for made in fs::read_dir(MADE.path()).unwrap().map(Result::unwrap) {
            fs::copy(made.path(), directory.path().join(made.file_name())).unwrap();
        }
        fs::copy(archive(), directory.path().join("my archive.tar.gz")).unwrap();
        let sums = fs::read_to_string(file("SHA256SUMS")).unwrap();
        let sums = format!("{} *my archive.tar.gz\r\n{sums}", sum());
        fs::write(directory.path().join("SHA256SUMS"), sums).unwrap();
        home.start(&["serve", "--tls", "local", "--listen", "127.0.0.1:0"]).kill();
        let (ca, certificate, key) =
            (home.path("ca.pem"), home.path("site.pem"), home.path("site.key"));
        fs::write(&ca, home.json("tls ca")["certificate"].as_str().unwrap()).unwrap();
        succeed(home.command(&["tls", "issue", "localhost"]).args([
            OsStr::new("--out"),
            certificate.as_os_str(),
            OsStr::new("--key"),
            key.as_os_str(),
        ]));
        let mut command = Command::new("python3");
        command.args(["-c", SITE]).arg(directory.path()).args([certificate, key]);
        let mut process = Process(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut address = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        Self { address, ca, home, _directory: directory, _process: process }
    }

    /// The installer, for somebody who trusts the CA, by `program` alone.
    fn install(&self, program: &str, path: &str, more: &[&str]) -> Output {
        let programs = self.home.path(program);
        fs::create_dir_all(&programs).unwrap();
        let found = "awk basename cat cp cut dirname find gzip id mkdir mktemp mv rm sed sha256sum sh tar tr";
        for name in found.split(' ').chain([program]) {
            let link = programs.join(name);
            if !link.exists() {
                symlink(Path::new("/usr/bin").join(name), link).unwrap();
            }
        }
        let url = format!("{}/{path}", self.address);
        let mut command = Command::new("/bin/sh");
        command.arg(file("install.sh")).args(["--from", &url]).args(more).env_clear();
        command.env("HOME", self.home.path("ada")).env("PATH", programs);
        let settings = self.home.path("wgetrc");
        fs::write(&settings, format!("ca_certificate = {}\n", self.ca.display())).unwrap();
        command.env("CURL_CA_BUNDLE", &self.ca).env("WGETRC", settings).output().unwrap()
    }

    fn is_installed(&self) -> bool {
        self.home.path("ada/.local/bin/gatelodge").exists()
    }
}

#[test]
fn what_comes_by_https_never_comes_by_http() {
    let site = Site::new();
    let name = file(".tar.gz").file_name().unwrap().to_str().unwrap().to_owned();

    for program in ["curl", "wget"].into_iter().filter(|name| is_there(name)) {
        let sent_on = site.install(program, &format!("http/{name}"), &[]);
        assert!(!sent_on.status.success(), "{program}: {}", text(&sent_on.stdout));
        assert!(text(&sent_on.stderr).contains("cannot have https://"), "{program}");
        assert!(!site.is_installed(), "{program}");
    }

    if is_there("curl") {
        let output = site.install("curl", &format!("https/{name}?token=1"), &[]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(site.is_installed());
    }
}

#[test]
fn each_program_that_fetches_checks_the_certificate() {
    let site = Site::new();
    let name = file(".tar.gz").file_name().unwrap().to_str().unwrap().to_owned();

    for program in ["curl", "wget"].into_iter().filter(|name| is_there(name)) {
        let trusted = site.ca.with_extension("away");
        fs::rename(&site.ca, &trusted).unwrap();
        let refused = site.install(program, &name, &["--sha256", &sum()]);
        fs::rename(&trusted, &site.ca).unwrap();
        assert!(!refused.status.success(), "{program}: {}", text(&refused.stdout));

        let output = site.install(program, "my%20archive.tar.gz", &[]);
        assert!(output.status.success(), "{program}: {}", text(&output.stderr));
        fs::remove_dir_all(site.home.path("ada")).unwrap();
    }
}

fn is_there(program: &str) -> bool {
    Path::new("/usr/bin").join(program).exists()
}

#[test]
fn over_http_it_is_installed_by_its_sum() {
    if !is_there("curl") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = MADE.path().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            respond(stream.unwrap(), &served);
        }
    });
    let name = file(".tar.gz").file_name().unwrap().to_str().unwrap().to_owned();
    let url = format!("http://{address}/{name}");

    let output = install(home.path(), &["--from", &url, "--sha256", &sum()]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(home.path().join(".local/bin/gatelodge").exists());
}

/// Responds to one request with a file of `directory`.
fn respond(mut stream: std::net::TcpStream, directory: &Path) {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let name = line.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    while reader.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    let body = fs::read(directory.join(name)).unwrap();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
}

#[test]
fn a_directory_that_is_a_link_stays_one() {
    let home = tempfile::tempdir().unwrap();
    let share = home.path().join(".local/share");
    fs::create_dir_all(&share).unwrap();
    fs::create_dir(home.path().join("man")).unwrap();
    symlink("../../man", share.join("man")).unwrap();

    let output = install(home.path(), &["--from", &archive()]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(share.join("man").is_symlink());
    assert!(home.path().join("man/man1/gatelodge.1").exists());
}

#[test]
fn a_directory_that_cannot_be_made_leaves_the_program_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let (share, bin) = (home.path().join("share"), home.path().join("bin"));
    for directory in [&share, &bin] {
        fs::create_dir(directory).unwrap();
    }
    symlink("nowhere", share.join("man")).unwrap();
    fs::write(bin.join("gatelodge"), "the one before").unwrap();

    let output =
        install(home.path(), &["--from", &archive(), "--to", home.path().to_str().unwrap()]);

    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("cannot make the directory") && said.contains("share/man"), "{said}");
    assert_eq!(fs::read_to_string(bin.join("gatelodge")).unwrap(), "the one before");
    let pages = share.join("doc/gatelodge/README.md");
    assert!(!pages.exists(), "nothing of it is there");
}

#[test]
fn a_name_with_a_blank_is_found_among_the_sums() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let named = place.path().join("my archive.tar.gz");
    fs::copy(archive(), &named).unwrap();
    let sums = |name: &str| {
        fs::write(place.path().join("SHA256SUMS"), format!("{}  {name}\n", sum())).unwrap();
        install(home.path(), &["--from", named.to_str().unwrap()])
    };

    let other = sums("archive.tar.gz");
    let right = sums("my archive.tar.gz");

    assert!(text(&other.stderr).contains("says nothing of my archive.tar.gz"));
    assert!(right.status.success(), "{}", text(&right.stderr));
}

#[test]
fn the_services_start_the_program_where_it_is() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("100% $HOME & <co>");

    let output = install(home.path(), &["--from", &archive(), "--to", to.to_str().unwrap()]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    let read = |name: &str| fs::read_to_string(to.join("share").join(name)).unwrap();
    let place = home.path().canonicalize().unwrap().display().to_string();
    let start = format!("ExecStart=\"{place}/100%% $HOME & <co>/bin/gatelodge\" serve --exit");
    let unit = read("systemd/user/gatelodge.service");
    assert!(unit.contains(&start), "{unit}");
    let job = read("doc/gatelodge/gatelodge.plist");
    assert!(job.contains("100% $HOME &amp; &lt;co&gt;/bin/gatelodge</string>"), "{job}");
    assert!(!to.join("lib").exists(), "systemd does not look there");
}
