//! Reads the configuration in layers: file, environment, flags.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::clock::Timestamp;
use crate::model::application::AppHost;
use crate::model::person::Role;
use crate::oauth::client::RegistrationPolicy;
use crate::private_file;
use crate::tls::{FileFault, Which};

use super::draft::Draft;
use super::fault::{Fault, Faults, ResolvedSetting, Source};
use super::keys::{self, Key};
use super::kind::{self, Kind};
use super::places::{self, Platform};
use super::{Config, Flags, TlsMode};

const PREFIX: &str = "GATELODGE_";

impl Draft {
    /// Reads every layer, the lowest first.
    pub(super) fn read(platform: Platform, flags: &Flags, env: &BTreeMap<String, String>) -> Self {
        let mut draft = Self {
            config: Config::at(PathBuf::new()),
            convention: platform.data(env),
            data: None,
            faults: Vec::new(),
            home: Platform::home(env),
            platform,
            roles: BTreeMap::new(),
            state: platform.state(env),
            settings: BTreeMap::new(),
            is_named: true,
            unread: false,
        };
        draft.config.roles.clear();
        draft.config.default_roles.clear();
        if let Some(path) = places::credential(env).filter(|path| path.exists()) {
            draft.secret_from(
                &["root_secret".to_owned()],
                &path,
                &Source::Credential(path.clone()),
            );
        }
        if let Some(path) = draft.config_file(flags, env) {
            if draft.is_there(&path) {
                draft.file(&path);
                draft.config.places.config = Some(path.clone());
            }
            draft.config.watched.push(path);
        }
        draft.environment(env);
        draft.flags(flags);
        draft
    }

    /// Whether the data directory is the one that the layers name, whatever is faulty.
    pub(super) fn data_is_known(&self) -> bool {
        let hides = |fault: &Fault| fault.key == "data" || self.unread;
        self.settings.get("data").is_some_and(|own| !matches!(own.source, Source::File(_)))
            || !self.faults.iter().any(hides)
    }

    /// Checks and returns the whole configuration, with its faults: a faulty key has its default. The
    /// error lists every fault if there is no data directory.
    pub(super) fn finish(mut self) -> Result<(Config, Option<Faults>), Faults> {
        match self.data.take().or_else(|| self.convention.take()) {
            Some(data) => {
                // A service without a home keeps its tokens beside its store.
                self.config.places.state = self.state.take().unwrap_or_else(|| data.clone());
                self.config.places.data = data;
            }
            None => {
                let advice = self.platform.advice();
                self.fault(Source::Default, "data", format!("nobody has a home here; {advice}"));
                return Err(Faults(self.faults));
            }
        }
        self.fill_scopes_and_roles();
        self.keep_applications_to_known_roles();
        self.keep_applications_beside_the_issuer();
        self.keep_plain_http_on_loopback();
        self.keep_tls_whole();
        self.keep_webhook_whole();
        self.keep_look_whole();
        self.watch_statement_keys();
        self.give_the_token_policy_its_token();
        self.config.settings = self.settings;
        let faults = Some(self.faults).filter(|faults| !faults.is_empty());
        Ok((self.config, faults.map(Faults)))
    }

    /// The file to read: a named one, even if it does not exist, otherwise the default one.
    fn config_file(&mut self, flags: &Flags, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        let variable = format!("{PREFIX}CONFIG");
        let named = match (&flags.config, env.get(&variable)) {
            (Some(path), _) => Some((path.clone(), Source::Flag("--config"))),
            (None, Some(path)) => Some((PathBuf::from(path), Source::Variable(variable))),
            (None, None) => None,
        };
        let Some((path, source)) = named else {
            self.is_named = false;
            return self.platform.config(env);
        };
        let resolved = self.resolve(&path, &source);
        if resolved.is_none() {
            self.fault(source, "config", "~ stands for nothing where HOME is not set");
        }
        resolved
    }

    /// Whether the file has to be read: it was named, or it exists.
    fn is_there(&self, path: &Path) -> bool {
        self.is_named || path.exists()
    }

    fn file(&mut self, path: &Path) {
        let source = Source::File(path.to_owned());
        let text = match private_file::read_text(path) {
            Ok(text) => text,
            Err(error) => {
                self.unread = true;
                return self.fault(source, "config", unreadable(&error));
            }
        };
        match text.parse::<Table>() {
            Ok(table) => self.table(&mut Vec::new(), &table, &source),
            Err(error) => {
                self.unread = true;
                let before = error.span().and_then(|span| text.get(..span.start));
                let line = before.map_or(1, |before| before.matches('\n').count() + 1);
                let message = error.message().replace('\n', " ");
                self.fault(source, format!("line {line}"), format!("this is no TOML: {message}"));
            }
        }
    }

    fn table(&mut self, at: &mut Vec<String>, table: &Table, source: &Source) {
        if table.is_empty() {
            self.bare(at, source);
        }
        for (name, value) in table {
            at.push(name.clone());
            if let Some(key) = keys::find(at) {
                self.of_file(at, key, value, source);
            } else if keys::find_secret_file(at).is_some() {
                self.secret_file(at, value, source);
            } else if let Value::Table(below) = value
                && (keys::is_section(at) || !below.is_empty())
            {
                self.table(at, below, source);
            } else if keys::is_section(at) {
                let message = format!("found {}; a table is allowed", kind::show(value));
                self.fault(source.clone(), keys::dotted(at), message);
            } else {
                self.fault(source.clone(), keys::dotted(at), Self::unknown(at, source));
            }
            at.pop();
        }
    }

    /// Reads an empty table, which still adds its application, role or scope.
    fn bare(&mut self, at: &[String], source: &Source) {
        let named = match at {
            [section, name] if section == "apps" => {
                let anybody = Value::Array(Vec::new());
                Kind::AppRoles.read(self, name, &anybody, source)
            }
            [section, name] if section == "roles" => {
                let none = Value::Array(Vec::new());
                Kind::RoleScopes.read(self, name, &none, source)
            }
            [section, name] if section == "scopes" => self.scope_entry(name).map(|_| ()),
            _ => Ok(()),
        };
        if let Err(allowed) = named {
            self.fault(source.clone(), keys::dotted(at), allowed);
        }
    }

    fn of_file(&mut self, at: &[String], key: &'static Key, value: &Value, source: &Source) {
        if key.kind.is_secret() {
            let message = format!(
                "a secret does not belong in this file; put it into a file of its own, mode 0600, \
                 and name that as {}_file",
                key.path
            );
            return self.fault(source.clone(), key.path, message);
        }
        self.put(at, key, value, source);
    }

    fn put(&mut self, at: &[String], key: &'static Key, value: &Value, source: &Source) {
        let name = at.get(1).map_or("", String::as_str);
        let (dotted, display) = (keys::dotted(at), key.kind.show(value));
        match key.kind.read(self, name, value, source) {
            Ok(()) => {
                let settings =
                    ResolvedSetting { key: dotted.clone(), value: display, source: source.clone() };
                self.settings.insert(dotted, settings);
            }
            Err(allowed) => {
                self.fault(source.clone(), dotted, format!("found {display}; {allowed}"));
            }
        }
    }

    /// Reads a secret from the file that `value` names. `at` ends in `_file`.
    fn secret_file(&mut self, at: &[String], value: &Value, source: &Source) {
        let written = value.as_str().filter(|path| !path.is_empty());
        let Some(path) = written.and_then(|path| self.resolve(Path::new(path), source)) else {
            let message = format!("found {}; the path of a file is allowed", kind::show(value));
            return self.fault(source.clone(), keys::dotted(at), message);
        };
        let mut secret = at.to_vec();
        if let Some(last) = secret.last_mut() {
            last.truncate(last.len() - "_file".len());
        }
        self.secret_from(&secret, &path, source);
    }

    fn secret_from(&mut self, at: &[String], path: &Path, source: &Source) {
        let Some(key) = keys::find(at) else { return };
        self.config.watched.push(path.to_owned());
        // Whoever has the root secret can read and make everything. The others open less, and a
        // service manager may have to pass them on.
        let is_root = key.path == "root_secret";
        let read = if is_root { private_file::read(path) } else { private_file::read_text(path) };
        match read {
            Ok(text) => {
                self.put(at, key, &Value::from(private_file::without_newline(&text)), source);
            }
            Err(error) => {
                let message = format!("{}: {}", path.display(), unreadable(&error));
                self.fault(source.clone(), keys::dotted(at), message);
            }
        }
    }

    fn environment(&mut self, env: &BTreeMap<String, String>) {
        for (variable, text) in env {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            let at: Vec<_> = name.to_ascii_lowercase().split("__").map(str::to_owned).collect();
            let source = Source::Variable(variable.clone());
            if let Some(key) = keys::find(&at) {
                self.put(&at, key, &key.kind.of_text(text), &source);
            } else if keys::find_secret_file(&at).is_some() {
                let twin = variable.strip_suffix("_FILE").unwrap_or_default();
                if env.contains_key(twin) {
                    let message = format!("{twin} is set too, and one of them is enough");
                    self.fault(source, keys::dotted(&at), message);
                } else {
                    self.secret_file(&at, &Value::from(text.as_str()), &source);
                }
            } else if name != "CONFIG" {
                // Others name variables as they like: Kubernetes makes a dozen for a service called
                // gatelodge.
                let message = Self::unknown(&at, &source);
                let key = keys::dotted(&at);
                self.config.warnings.push(Fault { source, key, message });
            }
        }
    }

    fn flags(&mut self, flags: &Flags) {
        let many = |values: &[String]| {
            let list = || Value::Array(values.iter().map(|v| Value::from(v.as_str())).collect());
            (!values.is_empty()).then(list)
        };
        let data = flags.data.as_ref().map(|path| Value::from(path.display().to_string()));
        for (flag, name, value) in [
            ("--behind-proxy", "behind_proxy", many(&flags.behind_proxy)),
            ("--data", "data", data),
            ("--issuer", "issuer", flags.issuer.as_deref().map(Value::from)),
            ("--listen", "listen", many(&flags.listen)),
            ("--mtls-listen", "tls.mtls_listen", many(&flags.mtls_listen)),
            ("--no-sandbox", "sandbox", flags.no_sandbox.then(|| Value::from(false))),
            ("--offline", "offline", flags.offline.then(|| Value::from(true))),
            ("--tls", "tls.mode", flags.tls.as_deref().map(Value::from)),
        ] {
            let at: Vec<String> = name.split('.').map(str::to_owned).collect();
            if let (Some(value), Some(key)) = (value, keys::find(&at)) {
                self.put(&at, key, &value, &Source::Flag(flag));
            }
        }
        // A path need not be valid text, as the value of a key is.
        if let Some(path) = &flags.data {
            self.data = self.resolve(path, &Source::Flag("--data")).or_else(|| self.data.take());
        }
        self.config.print_setup = flags.print_setup;
        self.config.exit_when_idle = flags.exit_when_idle;
    }

    /// The message about a key that there is not.
    fn unknown(at: &[String], source: &Source) -> String {
        let nearest = keys::nearest(at);
        match source {
            Source::Variable(_) => {
                let meant = nearest.replace('.', "__").to_uppercase();
                format!("there is no such key; the nearest is {PREFIX}{meant}")
            }
            Source::Applied
            | Source::Credential(_)
            | Source::Default
            | Source::File(_)
            | Source::Flag(_) => {
                format!("there is no such key; the nearest is {nearest}")
            }
        }
    }

    fn fill_scopes_and_roles(&mut self) {
        for (token, entry) in &mut self.config.scopes {
            if entry.description.is_empty() {
                entry.description = token.as_str().to_owned();
            }
        }
        let known = self.config.scope();
        for (role, (scope, source)) in std::mem::take(&mut self.roles) {
            let unknown = scope.minus(&known);
            if !unknown.is_empty() {
                let key = keys::dotted(&["roles", role.as_str(), "scopes"]);
                let message =
                    format!("found {unknown}; known are {known}, and [scopes.NAME] adds one");
                self.fault(source, key, message);
            }
            self.config.roles.insert(role, scope);
        }
        self.config.fill_roles();
    }

    /// Refuses an unknown role of an application, which would admit nobody.
    fn keep_applications_to_known_roles(&mut self) {
        let known: Vec<&str> = self.config.roles.keys().map(Role::as_str).collect();
        let mut faults = Vec::new();
        for (app, roles) in &self.config.apps {
            let unknown = roles.iter().find(|role| !self.config.roles.contains_key(role));
            let Some(unknown) = unknown else { continue };
            let (key, source) = self.app(app);
            let message = format!(
                "found {unknown}; known are {}, and [roles.NAME] adds one",
                known.join(", ")
            );
            faults.push(Fault { source, key, message });
        }
        self.faults.extend(faults);
    }

    /// Refuses applications whose host conflicts with the issuer. The server checks this again at
    /// its start, since the issuer may come from the store.
    fn keep_applications_beside_the_issuer(&mut self) {
        let Some(issuer) = &self.config.issuer else { return };
        let faults = self.config.misplaced_apps(issuer).into_iter().map(|(app, message)| {
            let (key, source) = self.app(app);
            Fault { source, key, message }
        });
        let faults: Vec<_> = faults.collect();
        self.faults.extend(faults);
    }

    /// The key of an application and its source. Only the file can name an application by an empty
    /// table.
    fn app(&self, app: &AppHost) -> (String, Source) {
        let key = keys::dotted(&["apps", app.as_str(), "roles"]);
        let settings = self.settings.get(&key).map(|settings| settings.source.clone());
        let file = self.config.places.config.clone().map(Source::File);
        (key, settings.or(file).unwrap_or(Source::Default))
    }

    fn watch_statement_keys(&mut self) {
        let keys = self.config.registration.software_statement_keys.clone();
        self.config.watched.extend(keys);
    }

    fn give_the_token_policy_its_token(&mut self) {
        let registration = &self.config.registration;
        let needs = registration.policy == Some(RegistrationPolicy::Token);
        // A token that could not be read is a fault already.
        if needs && registration.token.is_none() && !self.is_faulty("registration.token") {
            let message = "found \"token\", and no token; put one into a file of its own, mode 0600, \
                           and name that as registration.token_file";
            self.fault(self.decided("registration.policy"), "registration.policy", message);
        }
    }

    /// Refuses plain HTTP beyond loopback, since everything that it would carry is a credential.
    fn keep_plain_http_on_loopback(&mut self) {
        if !self.config.behind_proxy.is_empty() || self.config.tls.mode != TlsMode::Off {
            return;
        }
        let remedy = "speak TLS (--tls local), or put a proxy that does in front and name its \
                      address by --behind-proxy";
        if let Some(issuer) = self.config.issuer.clone().filter(|issuer| issuer.is_https()) {
            let message = format!(
                "{issuer} is https, and this server speaks plain HTTP: {remedy}, or take an \
                 http://localhost issuer"
            );
            self.fault(self.decided("issuer"), "issuer", message);
        }
        for listener in self.config.listen.clone() {
            if !listener.ip().is_loopback() {
                let message = format!(
                    "{listener} is open to other machines, and plain HTTP would show them every \
                     credential: {remedy}, or listen on 127.0.0.1 and [::1]"
                );
                self.fault(self.decided("listen"), "listen", message);
            }
        }
    }

    /// Refuses TLS that lacks a setting, and settings that need TLS without it.
    fn keep_tls_whole(&mut self) {
        let tls = self.config.tls.clone();
        if tls.mode == TlsMode::Off {
            if !tls.listen_for_devices.is_empty() {
                let message = "a certificate is proven over TLS alone: speak it (--tls local)";
                self.fault(self.decided("tls.mtls_listen"), "tls.mtls_listen", message);
            }
            return;
        }
        if let Some(issuer) = self.config.issuer.clone().filter(|issuer| !issuer.is_https()) {
            let message = format!(
                "{issuer} is http, and this server speaks TLS: take an https issuer, such as \
                 https://localhost:7455"
            );
            self.fault(self.decided("issuer"), "issuer", message);
        }
        for (key, path) in [("tls.certificate", &tls.certificate), ("tls.key", &tls.key)] {
            if tls.mode == TlsMode::Files && path.is_none() && !self.is_faulty(key) {
                let message = "tls.mode is \"files\", and this file is not named";
                self.fault(self.decided("tls.mode"), key, message);
            }
        }
    }

    /// Checks the files that only a server reads.
    pub(super) fn look_into_files(&mut self, now: Timestamp) {
        self.read_logo();
        self.keep_backups_to_a_directory();
        let Some(files) = self.config.tls.files() else { return };
        // Behind a proxy, the proxy's certificate has the issuer's name.
        let named = self.config.issuer.as_ref().filter(|_| self.config.behind_proxy.is_empty());
        let host = named.map(|issuer| issuer.host().to_owned());
        for FileFault { which, message } in files.faults(host.as_deref(), now) {
            let key = match which {
                Which::Certificate => "tls.certificate",
                Which::Key => "tls.key",
            };
            self.fault(self.decided(key), key, message);
        }
    }

    /// Refuses a place of backups that is something else than a directory. One that is not there is made.
    fn keep_backups_to_a_directory(&mut self) {
        let Some(to) = self.config.backup.to.clone() else { return };
        let is_else = match fs::metadata(&to) {
            Ok(found) => !found.is_dir(),
            Err(error) => error.kind() == io::ErrorKind::NotADirectory,
        };
        if is_else {
            let message = format!(
                "{} is no directory: name one, or one that is not there yet in one that is",
                to.display()
            );
            self.fault(self.decided("backup.to"), "backup.to", message);
        }
    }

    /// The source that set `key`.
    pub(super) fn decided(&self, key: &str) -> Source {
        self.settings.get(key).map_or(Source::Default, |settings| settings.source.clone())
    }

    pub(super) fn is_faulty(&self, key: &str) -> bool {
        self.faults.iter().any(|fault| fault.key == key)
    }
}

pub(super) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        // These are this program's own, and say what is wrong.
        io::ErrorKind::InvalidData | io::ErrorKind::Other => error.to_string(),
        _ => format!("it cannot be read: {error}"),
    }
}
