use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::draft::Draft;
use super::places::Platform;
use super::*;
use crate::clock::Timestamp;
use crate::oauth::client::PkcePolicy;

const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A home with a configuration file, and flags and variables.
struct Case {
    env: BTreeMap<String, String>,
    flags: Flags,
    home: tempfile::TempDir,
}

impl Case {
    fn new(file: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".config/gatelodge")).unwrap();
        let case = Self { env: BTreeMap::new(), flags: Flags::default(), home };
        fs::write(case.file(), file).unwrap();
        let home = case.home.path().display().to_string();
        case.with("HOME", &home)
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.env.insert(variable.to_owned(), value.to_owned());
        self
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".config/gatelodge/gatelodge.toml")
    }

    fn read(&self) -> Result<Config, Faults> {
        let (config, faults) = Draft::read(Platform::Linux, &self.flags, &self.env).finish()?;
        faults.map_or(Ok(config), Err)
    }

    fn config(&self) -> Config {
        self.read().unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// The faults, one line each, with the file's path as `FILE`.
    fn faults(&self) -> Vec<String> {
        let faults = self.read().err().map(|faults| faults.to_string()).unwrap_or_default();
        let faults = faults.replace(&self.file().display().to_string(), "FILE");
        faults.lines().map(str::to_owned).collect()
    }
}

#[test]
fn without_a_word_everything_is_at_its_default() {
    let case = Case::new("");
    let config = case.config();

    assert_eq!(config.lifetimes, Lifetimes::default());
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.places.data, case.home.path().join(".local/share/gatelodge"));
    assert_eq!(config.places.config, Some(case.file()));
    assert_eq!(
        config.scope().to_string(),
        "admin admin:clients admin:keys admin:people admin:read email groups offline_access openid profile roles"
    );
    assert!(config.issuer.is_none() && config.listen.is_empty() && config.root_secret.is_none());
}

#[test]
fn a_flag_goes_before_a_variable_and_that_before_the_file() {
    let mut case = Case::new("issuer = 'http://file.localhost'\nlog = 'debug'\n");
    assert_eq!(case.config().issuer.unwrap().as_str(), "http://file.localhost");

    case = case.with("GATELODGE_ISSUER", "http://variable.localhost");
    assert_eq!(case.config().issuer.unwrap().as_str(), "http://variable.localhost");

    case.flags.issuer = Some("http://flag.localhost".to_owned());
    let config = case.config();
    let settings = config.settings.values();
    assert_eq!(config.issuer.unwrap().as_str(), "http://flag.localhost");
    assert_eq!(config.log, "debug");
    let sources: Vec<_> =
        settings.map(|settings| (settings.key.as_str(), &settings.source)).collect();
    assert_eq!(
        sources,
        [("issuer", &Source::Flag("--issuer")), ("log", &Source::File(case.file()))]
    );
}

#[test]
fn every_kind_is_read_from_the_file() {
    let case = Case::new(
        r#"
        behind_proxy = ["127.0.0.1", "172.18.0.0/16"]
        data = "state"
        hosts = ["id.lan"]
        issuer = "https://id.example"
        listen = ["0.0.0.0:80", "[::1]:7455"]
        [fetch]
        private = ["apps.lan:443", "[::1]:8443"]
        [lifetimes]
        access_token = 300
        anonymous = "1d"
        refresh_idle = "10d"
        [policy]
        anonymous_sessions = 16
        interactions = 50
        iss_parameter = false
        pkce = "nonce"
        private_use_schemes = ["myapp"]
        session_key = true
        [scopes."orders:read"]
        description = "See your orders"
        open = true
        [scopes.bare]
        [roles.ops]
        scopes = ["openid", "bare"]
        "#,
    );
    let config = case.config();

    assert_eq!(config.places.data, case.file().with_file_name("state"));
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.hosts, ["id.lan"]);
    assert_eq!(config.fetch.private, ["apps.lan:443", "[::1]:8443"]);
    assert_eq!(config.lifetimes.access_token, Duration::from_secs(300));
    assert_eq!(config.lifetimes.refresh_idle, Duration::from_secs(864_000));
    assert_eq!(config.policy.anonymous_sessions, 16);
    assert_eq!(config.policy.interactions, 50);
    assert_eq!(config.policy.pkce, PkcePolicy::Nonce);
    assert!(!config.policy.iss_parameter);
    assert_eq!(config.policy.session_key, Some(true));
    assert_eq!(config.scopes[&"bare".parse().unwrap()].description, "bare");
    let roles = |name: &str| config.allowed(&[name.parse().unwrap()]).to_string();
    assert_eq!(roles("ops"), "bare openid");
    assert_eq!(roles("user"), "email groups offline_access openid orders:read profile roles");
    let administration = "admin admin:clients admin:keys admin:people admin:read";
    let others = "bare email groups offline_access openid orders:read profile roles";
    assert_eq!(roles("admin"), format!("{administration} {others}"));
}

#[test]
fn every_kind_is_read_from_the_environment() {
    let config = Case::new("")
        .with("GATELODGE_BEHIND_PROXY", "10.0.0.1, ::ffff:10.0.0.2")
        .with("GATELODGE_DATA", "~/elsewhere")
        .with("GATELODGE_LIFETIMES__ACCESS_TOKEN", "120")
        .with("GATELODGE_LIFETIMES__SETUP_TOKEN", "1h")
        .with("GATELODGE_POLICY__INTERACTIONS", "99")
        .with("GATELODGE_POLICY__ISS_PARAMETER", "false")
        .with("GATELODGE_POLICY__SESSION_KEY", "false")
        .with("GATELODGE_ROLES__OPS__SCOPES", "openid,email")
        .config();

    let proxies: Vec<_> = config.behind_proxy.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.1", "10.0.0.2"]);
    assert!(config.places.data.ends_with("elsewhere") && config.places.data.is_absolute());
    assert_eq!(config.lifetimes.access_token, Duration::from_secs(120));
    assert_eq!(config.lifetimes.setup_token, Duration::from_secs(3600));
    assert_eq!(config.policy.interactions, 99);
    assert_eq!(config.policy.session_key, Some(false));
    assert!(!config.policy.iss_parameter);
    assert_eq!(config.allowed(&["ops".parse().unwrap()]).to_string(), "email openid");
}

#[test]
fn each_fault_names_its_source_its_key_and_what_is_allowed() {
    for (file, fault) in [
        ("isuer = 'x'", "FILE: isuer: there is no such key; the nearest is issuer"),
        (
            "[lifetime]\naccess_token = 900",
            "FILE: lifetime.access_token: there is no such key; the nearest is \
             lifetimes.access_token",
        ),
        (
            "[lifetimes]\naccess_token = 5",
            "FILE: lifetimes.access_token: found 5; 1m to 1d is allowed, in seconds (900) or with \
             a unit (\"45s\", \"15m\", \"12h\", \"30d\")",
        ),
        (
            "[lifetimes]\nanonymous = '25h'",
            "FILE: lifetimes.anonymous: found \"25h\"; 1m to 1d is allowed, in seconds (900) or with \
             a unit (\"45s\", \"15m\", \"12h\", \"30d\")",
        ),
        ("lifetimes = 5", "FILE: lifetimes: found 5; a table is allowed"),
        (
            "policy.iss_parameter = 'yes'",
            "FILE: policy.iss_parameter: found \"yes\"; true or false is allowed",
        ),
        (
            "policy.interactions = 1",
            "FILE: policy.interactions: found 1; a whole number from 16 to 1000000 is allowed",
        ),
        (
            "policy.pkce = 'plain'",
            "FILE: policy.pkce: found \"plain\"; \"required\" or \"nonce\" is allowed",
        ),
        (
            "policy.pkce = 'optional'",
            "FILE: policy.pkce: found \"optional\"; \"required\" or \"nonce\" is allowed; \
             \"optional\" is for one client at a time (gatelodge client set CLIENT --pkce optional)",
        ),
        (
            "listen = '127.0.0.1:1'",
            "FILE: listen: found \"127.0.0.1:1\"; a list is allowed, each item an IP address and a \
             port, such as 127.0.0.1:7455 or [::1]:7455",
        ),
        (
            "issuer = 'http://127.0.0.1:7455'",
            "FILE: issuer: found \"http://127.0.0.1:7455\"; a host name is allowed: an IP address \
             cannot be the RP ID of a passkey",
        ),
        (
            "issuer = 'http://id.example'",
            "FILE: issuer: found \"http://id.example\"; an https URL, or an http URL of localhost, \
             without path or trailing slash is allowed, such as http://localhost:7455",
        ),
        (
            "behind_proxy = ['10.0.0.0/33']",
            "FILE: behind_proxy: found [\"10.0.0.0/33\"]; a list is allowed, each item an IP address \
             or a network, such as 127.0.0.1 or 172.18.0.0/16",
        ),
        (
            "roles.ops.scopes = ['opnid']",
            "FILE: roles.ops.scopes: found opnid; known are admin admin:clients admin:keys admin:people \
             admin:read email groups offline_access openid profile roles, and [scopes.NAME] adds one",
        ),
        (
            "scopes.admin.open = true",
            "FILE: scopes.admin.open: found true; admin, admin: and hook: scopes are never open to everyone",
        ),
        (
            "scopes.'admin:read'.open = true",
            "FILE: scopes.\"admin:read\".open: found true; admin, admin: and hook: scopes are never \
             open to everyone",
        ),
        ("a = 1\n= 2", "FILE: line 2: this is no TOML: "),
        (
            "root_secret = 'hush'",
            "FILE: root_secret: a secret does not belong in this file; put it into a file of its \
             own, mode 0600, and name that as root_secret_file",
        ),
        (
            "[fetch]\nprivate = ['apps.lan']",
            "FILE: fetch.private: found [\"apps.lan\"]; a list is allowed, each item a host and a \
             port, such as apps.lan:443 or [::1]:8443",
        ),
        ("log = ''", "FILE: log: found \"\"; a text is allowed"),
    ] {
        let faults = Case::new(file).faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(fault), "{}\n{fault}", faults[0]);
        assert!(fault.ends_with(": ") || faults[0] == fault, "{}\n{fault}", faults[0]);
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let mut case =
        Case::new("isuer = 'x'\nlog = 3\n[policy]\npkce = 1\n").with("GATELODGE_HOSTS", "a b");
    case.flags.listen = vec!["nowhere".to_owned()];

    let faults = case.faults();

    let keys: Vec<Vec<&str>> =
        faults.iter().map(|line| line.split(": ").take(2).collect()).collect();
    let expected = [
        vec!["FILE", "isuer"],
        vec!["FILE", "log"],
        vec!["FILE", "policy.pkce"],
        vec!["GATELODGE_HOSTS", "hosts"],
        vec!["--listen", "listen"],
    ];
    assert_eq!(keys, expected);
}

/// Kubernetes makes a dozen variables for a service called gatelodge.
#[test]
fn a_variable_that_nobody_knows_is_a_warning() {
    let config = Case::new("").with("GATELODGE_LIFETIMES_ACCESS_TOKEN", "900").config();

    let [warning] = &*config.warnings else { panic!("{:?}", config.warnings) };
    let warning = warning.to_string();
    assert!(warning.starts_with("GATELODGE_LIFETIMES_ACCESS_TOKEN: "), "{warning}");
    assert!(warning.ends_with("the nearest is GATELODGE_LIFETIMES__ACCESS_TOKEN"), "{warning}");
}

#[test]
fn a_secret_comes_from_a_variable_a_file_or_a_credential() {
    let secrets = tempfile::tempdir().unwrap();
    let path = secrets.path().join("gatelodge.key");
    fs::write(&path, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let written = path.display().to_string();
    let directory = secrets.path().display().to_string();

    for case in [
        Case::new("").with("GATELODGE_ROOT_SECRET", SECRET),
        Case::new("").with("GATELODGE_ROOT_SECRET_FILE", &written),
        Case::new("").with("CREDENTIALS_DIRECTORY", &directory),
        Case::new(&format!("root_secret_file = {written:?}")),
    ] {
        let config = case.config();
        assert_eq!(config.root_secret.unwrap().expose().trim(), SECRET);
        assert_eq!(config.settings["root_secret"].value, "(secret)");
    }
    let without = Case::new("").with("CREDENTIALS_DIRECTORY", "/nowhere").config();
    assert!(without.root_secret.is_none());
}

#[test]
fn a_wrong_secret_is_refused_and_never_shown() {
    let (both, malformed, missing) = (
        Case::new("").with("GATELODGE_ROOT_SECRET", SECRET).with("GATELODGE_ROOT_SECRET_FILE", "x"),
        Case::new("").with("GATELODGE_ROOT_SECRET", "hush"),
        Case::new("root_secret_file = 'nowhere'"),
    );

    assert!(both.faults()[0].contains("one of them is enough"));
    assert_eq!(
        malformed.faults(),
        [
            "GATELODGE_ROOT_SECRET: root_secret: found (secret); a root secret is 64 hex characters, \
          32 bytes"
        ]
    );
    assert!(missing.faults()[0].contains("nowhere: it cannot be read"));
    let mistaken = Case::new("backup.recipients = ['AGE-SECRET-KEY-1QQ']").faults();
    assert!(mistaken[0].contains("found (secret)") && !mistaken[0].contains("1QQ"), "{mistaken:?}");
}

#[test]
fn plain_http_beyond_loopback_needs_a_named_proxy() {
    let open = Case::new("listen = ['127.0.0.1:1', '0.0.0.0:80', '[::]:80']").faults();
    assert_eq!(open.len(), 2);
    assert!(open[0].starts_with("FILE: listen: 0.0.0.0:80 is open to other machines"));

    let mut https = Case::new("");
    https.flags.issuer = Some("https://id.example".to_owned());
    assert!(https.faults()[0].starts_with("--issuer: issuer: https://id.example is https"));

    https.flags.behind_proxy = vec!["127.0.0.1".to_owned()];
    https.flags.listen = vec!["0.0.0.0:80".to_owned()];
    assert_eq!(https.config().listen.len(), 1);
}

#[test]
fn tls_lifts_the_rule_and_asks_for_an_https_issuer() {
    let mut case = Case::new("listen = ['0.0.0.0:443']\n[tls]\nmtls_listen = ['0.0.0.0:8443']\n");
    case.flags.tls = Some("local".to_owned());
    case.flags.issuer = Some("https://id.lan".to_owned());
    assert_eq!(case.config().tls.mode, TlsMode::Local);
    assert_eq!(case.config().tls.listen_for_devices.len(), 1);

    case.flags.issuer = Some("http://localhost:7455".to_owned());
    assert_eq!(
        case.faults(),
        ["--issuer: issuer: http://localhost:7455 is http, and this server speaks TLS: take an \
             https issuer, such as https://localhost:7455"]
    );
    let case = Case::new("tls.mode = 'on'");
    let allowed = "FILE: tls.mode: found \"on\"; \"files\", \"local\" or \"off\" is allowed";
    assert_eq!(case.faults(), [allowed]);
}

#[test]
fn a_listener_for_devices_needs_tls() {
    let mut case = Case::new("");
    case.flags.mtls_listen = vec!["127.0.0.1:1".to_owned()];

    assert_eq!(
        case.faults(),
        ["--mtls-listen: tls.mtls_listen: a certificate is proven over TLS alone: speak it \
             (--tls local)"]
    );
}

#[test]
fn tls_from_files_needs_both_and_a_check_looks_into_them() {
    let missing = Case::new("").with("GATELODGE_TLS__MODE", "files");
    assert_eq!(
        missing.faults(),
        ["tls.certificate", "tls.key"].map(|key| format!(
            "GATELODGE_TLS__MODE: {key}: tls.mode is \"files\", and this file is not named"
        ))
    );

    let case = Case::new("[tls]\nmode = 'files'\ncertificate = 'chain.pem'\nkey = '/k.pem'\n");
    let files = case.config().tls.files().unwrap();
    assert_eq!(files.certificate, case.file().with_file_name("chain.pem"));

    let mut draft = Draft::read(Platform::Linux, &case.flags, &case.env);
    draft.look_into_files(Timestamp::from_seconds(0));
    let Faults(faults) = draft.finish().unwrap().1.unwrap();
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["tls.certificate", "tls.key"]);
    assert!(faults.iter().all(|fault| fault.message.contains("cannot be read")));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let mut case = Case::new("").with("GATELODGE_CONFIG", "/nowhere/gatelodge.toml");
    assert!(case.faults()[0].starts_with("/nowhere/gatelodge.toml: config: it cannot be read"));

    case.flags.config = Some(case.file());
    assert_eq!(case.config().places.config, Some(case.file()));
}

#[test]
fn without_a_home_the_directory_must_be_named() {
    let mut flags = Flags::default();
    let nothing = BTreeMap::new();
    let faults = Draft::read(Platform::Linux, &flags, &nothing).finish().err().unwrap();
    assert_eq!(
        faults.to_string(),
        "default: data: nobody has a home here; name the directory by --data, or set HOME or \
         XDG_DATA_HOME"
    );

    flags.data = Some("/srv/gatelodge".into());
    let (config, _) = Draft::read(Platform::Linux, &flags, &nothing).finish().unwrap();
    assert_eq!(config.places.socket(), Path::new("/srv/gatelodge/gatelodge.sock"));
    assert_eq!(config.places.store(), Path::new("/srv/gatelodge/gatelodge.redb"));
    assert_eq!(config.places.key(), Path::new("/srv/gatelodge/gatelodge.key"));
}

#[test]
fn an_administrator_may_grant_everything_and_a_user_what_is_open() {
    let config = Case::new("[scopes.orders]").config();

    assert!(config.allowed(&["admin".parse().unwrap()]).has("orders"));
    assert!(!config.allowed(&["user".parse().unwrap()]).has("orders"));
    assert!(config.allowed(&["stranger".parse().unwrap()]).is_empty());
}

#[test]
fn an_application_is_named_by_its_host_and_lets_in_known_roles() {
    let file = "[apps.\"App.example:8443\"]\n[apps.\"b.example\"]\nroles = ['admin']\n";
    let config = Case::new(file).config();
    let apps: Vec<_> = config.apps.iter().map(|(app, roles)| (app.as_str(), roles.len())).collect();

    assert_eq!(apps, [("app.example:8443", 0), ("b.example", 1)]);
    let wrong = "[apps.\"https://a\"]\nroles = []\n[apps.\"b.example\"]\nroles = ['admim']\n";
    assert_eq!(
        Case::new(wrong).faults(),
        [
            "FILE: apps.\"https://a\".roles: found []; an application's name is its host, such as \
             app.example or wiki.localhost:8080; localhost and IP addresses have no cookies of its \
             own",
            "FILE: apps.\"b.example\".roles: found admim; known are admin, user, and [roles.NAME] \
             adds one",
        ]
    );
}

/// RFC 6265 §8.5: "Cookies do not provide isolation by port."
#[test]
fn an_application_has_a_host_of_its_own() {
    let of = |app: &str| format!("issuer = 'http://id.localhost:7455'\n[apps.\"{app}\"]\n");

    for shared in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        let faults = Case::new(&of(shared)).faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("localhost and IP addresses have no cookies"), "{faults:?}");
    }
    assert_eq!(
        Case::new(&format!("{}roles = []\n[apps.\"id.localhost\"]\n", of("id.localhost:8080")))
            .faults(),
        ["id.localhost", "id.localhost:8080"].map(|app| format!(
            "FILE: apps.\"{app}\".roles: this is the host of the issuer http://id.localhost:7455, \
             whose cookies would reach the application at any port; give it a host name of its own"
        ))
    );
    assert!(Case::new(&of("wiki.localhost:8080")).faults().is_empty());
}

#[test]
fn an_application_is_named_as_browsers_name_it() {
    let faults = |issuer: &str, app: &str| {
        let file = format!("behind_proxy = ['::1']\nissuer = '{issuer}'\n[apps.\"{app}\"]\n");
        Case::new(&file).faults()
    };

    assert_eq!(
        faults("http://localhost:7455", "wiki.localhost:80"),
        ["FILE: apps.\"wiki.localhost:80\".roles: browsers leave out the port of http; write \
             wiki.localhost"]
    );
    assert_eq!(faults("https://id.example", "app.example:443").len(), 1);
    assert!(faults("https://id.example", "app.example:80").is_empty());
}
