//! The directories and files of an installation, by the conventions of each platform.
//!
//! Linux: the [XDG Base Directory Specification](https://specifications.freedesktop.org/basedir-spec/latest/),
//! and under systemd `STATE_DIRECTORY`, `CONFIGURATION_DIRECTORY` and
//! `CREDENTIALS_DIRECTORY` (systemd.exec(5)).

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// Where Linux keeps the files that this process has open (proc(5)).
const OPEN_FILES: &str = "/proc/self/fd";

/// The directories and files of this installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The configuration file that was read, if there is one.
    pub config: Option<PathBuf>,
    /// The data directory.
    pub data: PathBuf,
    /// The directory of the command line's own state, which is the same for every server.
    pub state: PathBuf,
}

impl Places {
    /// The most bytes of a socket's name: `sun_path` without its final NUL (unix(7), and unix(4) of
    /// macOS).
    pub const MAX_SOCKET_NAME: usize = if cfg!(target_os = "macos") { 103 } else { 107 };

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.data.join("gatelodge.redb")
    }

    /// The key file, which holds the root secret.
    pub fn key(&self) -> PathBuf {
        self.data.join(KEY_FILE)
    }

    /// The socket over which commands reach a running server.
    pub fn socket(&self) -> PathBuf {
        self.data.join(SOCKET_FILE)
    }

    /// The name by which the socket is bound and connected to: its path, or, if that is too long
    /// for a socket's name, its path below the data directory that this process has open. So the
    /// socket lies in the data directory however long that path is, and needs no second place that
    /// other users could reach.
    pub fn socket_name(&self) -> io::Result<SocketName> {
        if self.has_short_socket() {
            return Ok(SocketName { path: self.socket(), _directory: None });
        }
        let directory = File::open(&self.data)?;
        let below = Path::new(OPEN_FILES).join(directory.as_raw_fd().to_string());
        Ok(SocketName { path: below.join(SOCKET_FILE), _directory: Some(directory) })
    }

    /// Whether the socket can be bound: its path is short enough, or the system has
    /// `/proc/self/fd`, as Linux does and macOS does not.
    pub fn can_have_socket(&self) -> bool {
        self.has_short_socket() || Path::new(OPEN_FILES).is_dir()
    }

    fn has_short_socket(&self) -> bool {
        self.socket().as_os_str().len() <= Self::MAX_SOCKET_NAME
    }

    /// The directory of the tokens of `gatelodge login`.
    pub fn tokens(&self) -> PathBuf {
        self.state.join("tokens")
    }
}

/// The name of the socket, which is valid while this value lives.
pub struct SocketName {
    path: PathBuf,
    _directory: Option<File>,
}

impl SocketName {
    /// The name as a path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const SOCKET_FILE: &str = "gatelodge.sock";
const KEY_FILE: &str = "gatelodge.key";
const CONFIG_FILE: &str = "gatelodge.toml";

/// The platform whose conventions apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
}

impl Platform {
    /// The platform for which this program was built.
    pub(super) const fn here() -> Self {
        if cfg!(target_os = "macos") { Self::Macos } else { Self::Linux }
    }

    /// The home directory, which `~` means.
    pub(super) fn home(env: &BTreeMap<String, String>) -> Option<PathBuf> {
        directory(env, "HOME")
    }

    /// The default data directory.
    pub(super) fn data(self, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        // systemd.exec(5): "If multiple directories are set, then in the environment variable the
        // paths are concatenated with colon".
        let state = env.get("STATE_DIRECTORY").and_then(|all| all.split(':').next());
        if let (Self::Linux, Some(state)) = (self, state.filter(|state| !state.is_empty())) {
            return Some(PathBuf::from(state));
        }
        self.own(env, "XDG_DATA_HOME", ".local/share")
    }

    /// The directory of a person's state.
    pub(super) fn state(self, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        self.own(env, "XDG_STATE_HOME", ".local/state")
    }

    /// The default configuration file, which need not exist.
    pub(super) fn config(self, env: &BTreeMap<String, String>) -> Option<PathBuf> {
        let given = env.get("CONFIGURATION_DIRECTORY").and_then(|all| all.split(':').next());
        if let (Self::Linux, Some(given)) = (self, given.filter(|given| !given.is_empty())) {
            return Some(Path::new(given).join(CONFIG_FILE));
        }
        Some(self.own(env, "XDG_CONFIG_HOME", ".config")?.join(CONFIG_FILE))
    }

    /// The directory of this program by the platform's convention.
    fn own(self, env: &BTreeMap<String, String>, xdg: &str, below_home: &str) -> Option<PathBuf> {
        match self {
            Self::Linux => {
                let base = directory(env, xdg);
                Some(base.or_else(|| Some(Self::home(env)?.join(below_home)))?.join("gatelodge"))
            }
            Self::Macos => Some(Self::home(env)?.join("Library/Application Support/Gatelodge")),
        }
    }

    /// The advice for a process without a home.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Linux => "name the directory by --data, or set HOME or XDG_DATA_HOME",
            Self::Macos => "name the directory by --data, or set HOME",
        }
    }
}

/// The key file that systemd passes as a credential.
pub(super) fn credential(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    Some(directory(env, "CREDENTIALS_DIRECTORY")?.join(KEY_FILE))
}

/// Resolves `path`: a leading `~` means `home`, and a relative path is relative to `base`.
pub(super) fn resolve(path: &Path, home: Option<&Path>, base: Option<&Path>) -> Option<PathBuf> {
    match (path.strip_prefix("~"), base) {
        (Ok(below), _) => Some(home?.join(below)),
        (Err(_), Some(base)) => Some(base.join(path)),
        (Err(_), None) => Some(path.to_owned()),
    }
}

/// The directory that a variable names. XDG: "All paths set in these environment variables must
/// be absolute. If an implementation encounters a relative path […] it should consider the path
/// invalid and ignore it."
fn directory(env: &BTreeMap<String, String>, variable: &str) -> Option<PathBuf> {
    Some(PathBuf::from(env.get(variable)?)).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn data(platform: Platform, pairs: &[(&str, &str)]) -> Option<String> {
        platform.data(&env(pairs)).map(|path| path.display().to_string())
    }

    #[test]
    fn data_lies_where_the_platform_keeps_it() {
        use Platform::{Linux, Macos};
        for (platform, pairs, expected) in [
            (Linux, &[("HOME", "/h")][..], Some("/h/.local/share/gatelodge")),
            (Linux, &[("HOME", "/h"), ("XDG_DATA_HOME", "/x")], Some("/x/gatelodge")),
            (
                Linux,
                &[("HOME", "/h"), ("XDG_DATA_HOME", "relative")],
                Some("/h/.local/share/gatelodge"),
            ),
            (Linux, &[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")], Some("/var/lib/a")),
            (Linux, &[], None),
            (Macos, &[("HOME", "/h")], Some("/h/Library/Application Support/Gatelodge")),
            (Macos, &[], None),
        ] {
            assert_eq!(data(platform, pairs).as_deref(), expected, "{platform:?} {pairs:?}");
        }
    }

    #[test]
    fn the_state_of_a_person_lies_in_their_home() {
        let state = |platform: Platform, pairs| platform.state(&env(pairs));

        let of_home = state(Platform::Linux, &[("HOME", "/h"), ("STATE_DIRECTORY", "/var/lib/a")]);
        assert_eq!(of_home, Some("/h/.local/state/gatelodge".into()));
        let named = state(Platform::Linux, &[("XDG_STATE_HOME", "/x")]);
        assert_eq!(named, Some("/x/gatelodge".into()));
        assert_eq!(state(Platform::Linux, &[]), None);
    }

    /// A socket of a data directory with a name of so many bytes.
    fn bound(directory: &Path, length: usize) -> io::Result<PathBuf> {
        use std::os::unix::net::{UnixListener, UnixStream};

        let own = directory.as_os_str().len() + "/".len();
        let data = directory.join("d".repeat(length - own));
        std::fs::create_dir(&data)?;
        let places = Places { config: None, state: data.clone(), data };
        let _listener = UnixListener::bind(places.socket_name()?.path())?;
        UnixStream::connect(places.socket_name()?.path())?;
        assert!(places.socket().exists());
        Ok(places.socket_name()?.path().to_owned())
    }

    #[test]
    fn a_socket_has_its_path_for_a_name_unless_that_is_too_long() {
        let directory = tempfile::tempdir().unwrap();
        let largest_data = Places::MAX_SOCKET_NAME - "/gatelodge.sock".len();

        let short = bound(directory.path(), largest_data).unwrap();
        assert!(short.starts_with(directory.path()), "{short:?}");
        if Path::new(OPEN_FILES).is_dir() {
            let long = bound(directory.path(), largest_data + 1).unwrap();
            assert!(long.starts_with(OPEN_FILES), "{long:?}");
        }
    }

    #[test]
    fn a_tilde_stands_for_the_home() {
        let home = Some(Path::new("/h"));

        assert_eq!(resolve(Path::new("~/a"), home, None), Some("/h/a".into()));
        assert_eq!(resolve(Path::new("a"), home, Some(Path::new("/etc"))), Some("/etc/a".into()));
        assert_eq!(resolve(Path::new("/a"), home, Some(Path::new("/etc"))), Some("/a".into()));
        assert_eq!(resolve(Path::new("~"), None, None), None);
    }
}
