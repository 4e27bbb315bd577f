//! What the server gives up before it serves, so that whoever takes it over has little.
//!
//! On Linux: files and directories that it does not need, every program, the system calls of other
//! trades, and in an offline installation UDP and every TCP port that it was not told of. The kernel
//! keeps it (landlock, seccomp), for this thread and those that it starts from then on, and nothing brings
//! it back. So it is done before there are others, and what the server will need later is allowed then.
//! A kernel that has a part of it gives that part.
//!
//! What this is not: the store, its key and the keys in memory are those of the process, and a Unix socket
//! that any process of this user may open by its path is in reach of this one.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::private_file::is_root;

/// What the process may still do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The ports to which it may connect by TCP, without UDP; `None`: any, and UDP.
    pub connect: Option<BTreeSet<u16>>,
    /// The files that it reads, and the directories whose files it reads.
    pub read: Vec<PathBuf>,
    /// The directories in which it reads and writes.
    pub write: Vec<PathBuf>,
}

/// What the system tells: this process, the names of addresses and users, and random bytes, which a static
/// program may read from a device. Whoever is not root reads the whole of `/etc`, whose files are put anew in
/// the place of old ones, and which has no secrets for them.
const SYSTEM: &[&str] = &[
    "/proc",
    "/sys/fs/cgroup",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/passwd",
    "/dev/urandom",
    "/dev/random",
    "/dev/null",
];

impl Bounds {
    /// What a server of `config` needs. `connect` are the ports of an offline one.
    pub fn of(config: &Config, connect: Option<BTreeSet<u16>>) -> Self {
        let home = std::env::home_dir().map(|home| home.canonicalize().unwrap_or(home));
        let home = home.as_deref();
        let store = config.places.store().canonicalize().ok();
        let write = [
            Some(config.places.data.clone()),
            // The store may be a link to another place; if that has too much else, to a file of it.
            store.map(|store| match store.parent().filter(own(home)) {
                Some(directory) => directory.to_path_buf(),
                None => store,
            }),
            config.backup.to.clone(),
        ];
        let tls = config.tls.certificate.iter().chain(&config.tls.key);
        let own = config.watched.iter().chain(&config.fetch.ca_file).chain(tls);
        let files = own.flat_map(|file| with_neighbours(file, home));
        let names = ["/etc/resolv.conf", "/etc/hosts"].map(Path::new);
        let names = names.into_iter().flat_map(|file| with_neighbours(file, home));
        let etc = (!is_root()).then(|| PathBuf::from("/etc"));
        let system = SYSTEM.iter().map(PathBuf::from).chain(names).chain(etc);
        let read = system.chain([config.places.key()]).chain(files);
        Self {
            connect,
            read: read.chain(assets()).collect(),
            write: write.into_iter().flatten().collect(),
        }
    }
}

/// A file, and its directory: whoever saves or renews a file may put another one in its place. A directory
/// in which the home directory lies, or is, has too much else.
fn with_neighbours(file: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let real = file.canonicalize().ok();
    let files = [Some(file), real.as_deref()].into_iter().flatten();
    let directories = files.clone().filter_map(Path::parent).filter(own(home));
    files.chain(directories).map(Path::to_path_buf).collect()
}

/// Whether a directory is one of its own, and neither has the home directory in it nor those of others.
fn own(home: Option<&Path>) -> impl Fn(&&Path) -> bool {
    const OF_ALL: &[&str] = &[
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc",
        "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var",
    ];
    move |directory| {
        !OF_ALL.iter().any(|of_all| *directory == Path::new(of_all))
            && !home.is_some_and(|home| home.starts_with(directory))
    }
}

/// The assets, which a build for tests reads when it needs them.
fn assets() -> Option<PathBuf> {
    cfg!(debug_assertions).then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"))
}

/// Gives up everything beyond `bounds`, on this thread and those that it starts. Returns what could not be
/// given up, a sentence each.
#[cfg(target_os = "linux")]
pub fn contain(bounds: &Bounds) -> Vec<String> {
    let files = files::contain(bounds).err();
    let calls = calls::contain(bounds.connect.is_some()).err();
    files.into_iter().chain(calls).collect()
}

/// This system has no such thing.
#[cfg(not(target_os = "linux"))]
pub fn contain(_: &Bounds) -> Vec<String> {
    vec!["the server is not contained: only Linux has what it takes".to_owned()]
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::{self, File};
    use std::io::{self, ErrorKind};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixListener;
    use std::process::Command;
    use std::thread;

    use super::*;

    /// What a thread that contained itself finds.
    #[expect(clippy::unwrap_used, reason = "a thread that failed has failed the test")]
    fn contained<T: Send + 'static>(
        bounds: Bounds,
        find: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let contained = thread::spawn(move || {
            let missing = contain(&bounds);
            // A kernel without it shows nothing.
            missing.is_empty().then(find)
        });
        contained.join().unwrap()
    }

    fn is_refused<T>(tried: io::Result<T>) -> bool {
        tried.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    }

    #[test]
    fn foreign_files_and_programs_are_out_of_reach_and_its_own_are_not() {
        let (own, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = foreign.path().join("secret");
        fs::write(&secret, "").unwrap();
        let listed = foreign.path().join("listed");
        fs::write(&listed, "listed").unwrap();
        let place = own.path().to_path_buf();
        let bounds =
            Bounds { read: vec![listed.clone()], write: vec![place.clone()], connect: None };

        let Some(()) = contained(bounds, move || {
            fs::write(place.join("store"), "row").unwrap();
            fs::rename(place.join("store"), place.join("renamed")).unwrap();
            fs::hard_link(place.join("renamed"), place.join("aside")).unwrap();
            assert_eq!(fs::read_to_string(place.join("aside")).unwrap(), "row");
            fs::remove_file(place.join("aside")).unwrap();
            drop(UnixListener::bind(place.join("socket")).unwrap());
            assert_eq!(fs::read_to_string(&listed).unwrap(), "listed");

            assert!(is_refused(File::options().write(true).open(&listed)));
            assert!(is_refused(fs::read(&secret)));
            assert!(is_refused(fs::remove_file(&secret)));
            assert!(is_refused(fs::read_dir(secret.parent().unwrap())));
            assert!(is_refused(fs::read("/etc/group")));
            assert!(is_refused(Command::new("/bin/true").status()));
        }) else {
            return;
        };
    }

    #[test]
    fn an_offline_server_reaches_the_ports_that_it_was_told_of_alone() {
        let [known, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [known, other] = [&known, &other].map(|listener| listener.local_addr().unwrap());
        let bounds = Bounds { connect: Some([known.port()].into()), ..Bounds::default() };

        let offline = contained(bounds, move || {
            assert!(!is_refused(TcpStream::connect(known)));
            assert!(is_refused(TcpStream::connect(other)));
            assert!(is_refused(UdpSocket::bind("127.0.0.1:0")));
        });
        let online = contained(Bounds::default(), move || {
            assert!(!is_refused(TcpStream::connect(other)));
            assert!(!is_refused(UdpSocket::bind("127.0.0.1:0")));
        });

        assert_eq!(offline.is_some(), online.is_some());
    }

    #[test]
    fn a_directory_of_the_configuration_is_read_unless_it_has_the_home_directory() {
        let home = Path::new("/home/ada");
        let read = |file: &str| with_neighbours(Path::new(file), Some(home));

        assert!(read("/etc/gatelodge/config.toml").contains(&"/etc/gatelodge".into()));
        assert!(read("/certs/chain.pem").contains(&"/certs".into()));
        assert!(read("/home/ada/.config/gatelodge/c.toml").len() == 2);
        assert_eq!(read("/home/ada/gatelodge.toml"), [Path::new("/home/ada/gatelodge.toml")]);
        assert_eq!(read("/etc/gatelodge.toml"), [Path::new("/etc/gatelodge.toml")]);
    }
}
