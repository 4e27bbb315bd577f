//! The files of the installation and their disk: who may use them, and how much room there is.

use std::io;
use std::path::Path;

use crate::admin::doctor::FindingView;
use crate::config::Config;
use crate::error::shell_word;
use crate::private_file::{self, Owner, Ownership, is_root};
use crate::secret::RootSecrets;
use crate::tls::Authority;

/// The room below which a disk will soon be full, and below which it is.
const LITTLE: u64 = 256 << 20;
const NONE: u64 = 16 << 20;

/// The findings about the data directory, what is in it, and its disk.
pub(super) fn findings(config: &Config) -> Vec<FindingView> {
    let data = &config.places.data;
    let store = config.places.store();
    let ca = Authority::key_path(data);
    let about = Ownership::of(data);
    let owner = about.as_ref().ok().map(|about| about.owner.clone());
    let mut findings = vec![directory(data, &about, is_root())];
    if let Some(owner) = owner {
        let files = [&store, &ca].map(|path| (path.as_path(), Ownership::of(path).ok()));
        let files = files.into_iter().filter_map(|(path, about)| Some((path, about?)));
        findings.push(self::files(&owner, &files.collect::<Vec<_>>()));
    }
    findings.push(root_secret(config, store.exists()));
    findings.push(disk(free(data)));
    findings
}

fn directory(path: &Path, about: &io::Result<Ownership>, is_root: bool) -> FindingView {
    const CHECK: &str = "data-directory";
    let named = path.display();
    let about = match about {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = format!("there is no {named} yet; gatelodge serve makes it");
            return FindingView::skipped(CHECK, why);
        }
        Err(error) => {
            let remedy = Owner::behind(error, path).map(|owner| owner.remedy());
            let remedy = remedy.unwrap_or_else(|| "name another one: --data DIR".to_owned());
            return FindingView::problem(CHECK, format!("{named} cannot be used: {error}"), remedy);
        }
    };
    let Ownership { mode, owner, .. } = about;
    let close = format!("chmod 700 {}", word(path));
    if !about.is_own && !is_root {
        let remedy = format!(
            "sudo -u {} gatelodge doctor, or name a data directory of your own: --data DIR",
            shell_word(owner)
        );
        return FindingView::problem(CHECK, format!("{named} belongs to {owner}"), remedy);
    }
    if about.is_writable() {
        let found = format!("others can write to {named} (mode {mode:04o}), and replace its files");
        return FindingView::problem(CHECK, found, close);
    }
    if about.is_open() {
        let found = format!("others can open {named} (mode {mode:04o})");
        return FindingView::warning(CHECK, found, close);
    }
    FindingView::ok(CHECK, format!("{named} is open to {owner} alone (mode {mode:04o})"))
}

/// Judges files that only the owner of the data directory should be able to read.
fn files(owner: &str, files: &[(&Path, Ownership)]) -> FindingView {
    const CHECK: &str = "files";
    for (path, about) in files {
        let named = path.display();
        if about.is_open() {
            let found = format!("others can use {named} (mode {:04o})", about.mode);
            return FindingView::problem(CHECK, found, format!("chmod 600 {}", word(path)));
        }
        if about.owner != owner {
            let found = format!("{named} belongs to {}, and its directory to {owner}", about.owner);
            let remedy = format!("chown {} {}", shell_word(owner), word(path));
            return FindingView::problem(CHECK, found, remedy);
        }
    }
    if files.is_empty() {
        return FindingView::skipped(CHECK, "there are no files yet");
    }
    FindingView::ok(CHECK, "what is in the data directory is its owner's alone")
}

fn root_secret(config: &Config, has_store: bool) -> FindingView {
    const CHECK: &str = "root-secret";
    if config.root_secret.is_some() {
        let source = config.settings.get("root_secret").map(|setting| setting.source.to_string());
        let source = source.unwrap_or_else(|| "the configuration".to_owned());
        return FindingView::ok(CHECK, format!("the root secret comes from {source}"));
    }
    let path = config.places.key();
    let named = path.display();
    match private_file::read(&path) {
        Ok(written) => match written.parse::<RootSecrets>() {
            Ok(_) => FindingView::ok(CHECK, format!("{named} is its owner's alone")),
            Err(why) => {
                let remedy = "restore the key file that the store was made with";
                FindingView::problem(CHECK, format!("{named} holds no root secret: {why}"), remedy)
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && !has_store => {
            FindingView::skipped(CHECK, "there is no root secret yet; gatelodge serve makes it")
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let found = format!("{named} is missing, and without it the store cannot be read");
            let remedy = "restore it, or name it with GATELODGE_ROOT_SECRET_FILE";
            FindingView::problem(CHECK, found, remedy)
        }
        Err(error) => {
            let (why, remedy) = match (Owner::behind(&error, &path), error.to_string()) {
                (Some(owner), _) => (owner.to_string(), owner.remedy()),
                (None, why) => match why.split_once(": ") {
                    Some((why, remedy)) => (why.to_owned(), remedy.to_owned()),
                    None => (why, "restore the key file that the store was made with".to_owned()),
                },
            };
            FindingView::problem(CHECK, format!("{named} cannot be used: {why}"), remedy)
        }
    }
}

/// The bytes that this user may still write to the disk of `path`, or of where it will be.
fn free(path: &Path) -> io::Result<u64> {
    let existing = path.ancestors().find(|place| place.exists()).unwrap_or(path);
    let found = rustix::fs::statvfs(existing)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

fn disk(free: io::Result<u64>) -> FindingView {
    const CHECK: &str = "disk";
    const REMEDY: &str = "make room on the disk of the data directory, or move it: --data DIR";
    let free = match free {
        Ok(free) => free,
        Err(error) => {
            return FindingView::skipped(CHECK, format!("the disk cannot be examined: {error}"));
        }
    };
    let found = format!("{} are free on the disk of the data directory", size(free));
    match free {
        0..NONE => FindingView::problem(CHECK, found, REMEDY),
        NONE..LITTLE => FindingView::warning(CHECK, found, REMEDY),
        LITTLE.. => FindingView::ok(CHECK, found),
    }
}

/// A number of bytes in the unit of which it has at least one.
fn size(bytes: u64) -> String {
    const UNITS: [(u32, &str); 4] = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = UNITS.iter().find(|(shift, _)| bytes >> shift > 0);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(shift, unit)| format!("{} {unit}", bytes >> shift),
    )
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    shell_word(&path.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::doctor::FindingState::{Ok as Fine, Problem, Skipped, Warning};
    use crate::admin::doctor::assert_finding;

    fn about(mode: u32, owner: &str) -> Ownership {
        Ownership { is_own: owner == "ada", mode, owner: owner.to_owned() }
    }

    #[test]
    fn a_directory_is_its_owners_alone() {
        let judged = |about: io::Result<Ownership>, is_root| {
            directory(Path::new("/var/my data"), &about, is_root)
        };

        assert_finding(&judged(Ok(about(0o700, "ada")), false), Fine, "ada alone (mode 0700)", "");
        let open = judged(Ok(about(0o755, "ada")), false);
        assert_finding(&open, Warning, "mode 0755", "chmod 700 '/var/my data'");
        let writable = judged(Ok(about(0o1777, "ada")), false);
        assert_finding(&writable, Problem, "replace its files", "chmod 700");
        let others = judged(Ok(about(0o700, "bob")), false);
        assert_finding(&others, Problem, "belongs to bob", "sudo -u bob gatelodge doctor");
        assert_finding(&judged(Ok(about(0o700, "bob")), true), Fine, "bob alone", "");
        let missing = judged(Err(io::ErrorKind::NotFound.into()), false);
        assert_finding(&missing, Skipped, "gatelodge serve makes it", "");
        let broken = judged(Err(io::ErrorKind::NotADirectory.into()), false);
        assert_finding(&broken, Problem, "cannot be used", "--data DIR");
    }

    #[test]
    fn a_file_that_others_can_use_or_own_is_named() {
        let judged = |about| files("ada", &[(Path::new("/d/store"), about)]);

        assert_finding(&judged(about(0o600, "ada")), Fine, "", "");
        assert_finding(&judged(about(0o640, "ada")), Problem, "mode 0640", "chmod 600 /d/store");
        let foreign = judged(about(0o600, "root"));
        assert_finding(&foreign, Problem, "belongs to root", "chown ada /d/store");
        assert_finding(&files("ada", &[]), Skipped, "", "");
    }

    #[test]
    fn a_disk_is_judged_by_the_room_that_is_left() {
        assert_finding(&disk(Ok(3 << 30)), Fine, "3 GiB are free", "");
        assert_finding(&disk(Ok(100 << 20)), Warning, "100 MiB", "make room");
        assert_finding(&disk(Ok(12)), Problem, "12 bytes", "--data DIR");
        assert_finding(&disk(Err(io::ErrorKind::Unsupported.into())), Skipped, "", "");
    }
}
