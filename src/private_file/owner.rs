//! Whose a file is that this process may not use.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where the system lists its users (passwd(5)).
const USERS: &str = "/etc/passwd";

/// The mode of a file or directory, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// Whether it belongs to the user of this process.
    pub(crate) is_own: bool,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The owner's name, or a number if the system's list has none.
    pub(crate) owner: String,
}

impl Ownership {
    /// That of the file or directory at `path`.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        let uid = found.uid();
        Ok(Self {
            is_own: uid == effective_user(),
            mode: found.mode() & 0o7777,
            owner: name(uid).unwrap_or_else(|| format!("#{uid}")),
        })
    }

    /// Whether others than the owner have any access.
    pub(crate) const fn is_open(&self) -> bool {
        self.mode & super::OTHERS != 0
    }

    /// Whether others than the owner may write.
    pub(crate) const fn is_writable(&self) -> bool {
        self.mode & super::OTHERS_WRITE != 0
    }
}

/// The user whose rights this process has.
pub(crate) fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Another user, and the file or directory that is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The name, if the system's list has it.
    name: Option<String>,
    place: PathBuf,
    uid: u32,
}

impl Owner {
    /// The other user who keeps this process from `path`, if `error` is that it may not use it: the
    /// owner of `path`, or of the nearest directory above it that can be examined.
    pub(crate) fn behind(error: &io::Error, path: &Path) -> Option<Self> {
        if error.kind() != io::ErrorKind::PermissionDenied {
            return None;
        }
        let seen = |place: &Path| Some((place.to_owned(), fs::metadata(place).ok()?.uid()));
        let (place, uid) = path.ancestors().find_map(seen)?;
        let own = rustix::process::geteuid().as_raw();
        (uid != own).then(|| Self { name: name(uid), place, uid })
    }

    /// The command line that acts as this user.
    pub(crate) fn remedy(&self) -> String {
        let user = self.name.clone().unwrap_or_else(|| format!("'#{}'", self.uid));
        format!("sudo -u {user} gatelodge ..., or name a data directory of your own: --data DIR")
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} belongs to ", self.place.display())?;
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "the user with the id {}", self.uid),
        }
    }
}

fn name(uid: u32) -> Option<String> {
    name_in(&String::from_utf8_lossy(&fs::read(USERS).ok()?), uid)
}

/// The name of `uid` in a list of the form of passwd(5).
fn name_in(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        let is_plain = !name.is_empty() && !name.contains(char::is_control);
        (is_plain && id.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_of_the_systems_list_or_a_number() {
        let users = "root:x:0:0::/root:/bin/sh\nmalformed\nada:x:1000:1000::/home/ada:/bin/sh\n";
        let owner = |uid| Owner { name: name_in(users, uid), place: "/data".into(), uid };

        assert_eq!(owner(1000).to_string(), "/data belongs to ada");
        assert!(owner(1000).remedy().starts_with("sudo -u ada gatelodge "));
        assert_eq!(owner(7).to_string(), "/data belongs to the user with the id 7");
        assert!(owner(7).remedy().starts_with("sudo -u '#7' gatelodge "));
    }

    #[test]
    fn nobody_else_is_behind_what_is_our_own_or_not_forbidden() {
        let directory = tempfile::tempdir().unwrap();
        let (denied, missing) = (io::ErrorKind::PermissionDenied, io::ErrorKind::NotFound);

        assert_eq!(Owner::behind(&denied.into(), directory.path()), None);
        assert_eq!(Owner::behind(&missing.into(), Path::new("/")), None);
    }
}
