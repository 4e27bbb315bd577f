//! Whether the backups that the server makes by itself are made.

use super::finding::FindingView;
use crate::app::backup::{BackupStanding, Shared};
use crate::clock::Timestamp;

const CHECK: &str = "backups";

/// The finding about them.
pub(super) fn judged(standing: &BackupStanding, now: Timestamp) -> FindingView {
    let Some(to) = &standing.to else {
        let why = "the server makes no backup by itself, since backup.to names no directory; \
             gatelodge backup makes one";
        return FindingView::skipped(CHECK, why);
    };
    if let Some(fault) = standing.fault() {
        let remedy = format!("see to the directory {} and to the room on its disk", to.display());
        return FindingView::problem(CHECK, fault, remedy);
    }
    match &standing.last {
        Some(made) => {
            let hours = now.since(made.at).as_secs() / 3600;
            let newest = format!("the newest backup is {hours} hours old: {}", made.file.display());
            let place = match standing.shared {
                None => return FindingView::ok(CHECK, newest),
                Some(Shared::Directory) => "in the data directory, and whatever takes that takes",
                Some(Shared::Filesystem) => {
                    "on the disk of the store, and whatever takes that takes"
                }
            };
            let remedy = "name a directory on another disk or machine as backup.to, or have them \
                          copied to one";
            FindingView::warning(CHECK, format!("{newest}; it lies {place} both"), remedy)
        }
        None => {
            let found = format!("there is no backup in {} yet", to.display());
            FindingView::warning(CHECK, found, "a server makes one soon after its start")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::admin::doctor::{FindingState, assert_finding};
    use crate::app::backup::Made;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_000_000);

    #[test]
    fn backups_that_fail_are_a_problem() {
        let made = |seconds| Made {
            at: Timestamp::from_seconds(seconds),
            file: PathBuf::from("/b/gatelodge.backup"),
        };
        let none = BackupStanding::default();
        let new = BackupStanding { to: Some("/b".into()), ..none.clone() };
        let ok = BackupStanding { last: Some(made(1_795_992_800)), ..new.clone() };
        let failed =
            BackupStanding { failed: Some((NOW, "No space left".to_owned())), ..ok.clone() };
        let judged = |standing| judged(standing, NOW);

        assert_finding(&judged(&none), FindingState::Skipped, "makes no backup", "");
        assert_finding(&judged(&new), FindingState::Warning, "no backup in /b", "soon");
        assert_finding(&judged(&ok), FindingState::Ok, "2 hours old: /b/gatelodge.backup", "");
        let newest = "No space left; the newest is of 2026-11-29T22:53:20Z";
        assert_finding(&judged(&failed), FindingState::Problem, newest, "directory /b");
    }

    #[test]
    fn backups_beside_the_store_are_a_warning() {
        let made = Made { at: NOW, file: PathBuf::from("/b/gatelodge.backup") };
        let beside = |shared| BackupStanding {
            last: Some(made.clone()),
            shared: Some(shared),
            to: Some("/b".into()),
            ..BackupStanding::default()
        };
        let judged = |shared| judged(&beside(shared), NOW);

        let (inside, beside) = (judged(Shared::Directory), judged(Shared::Filesystem));

        let remedy = "another disk or machine as backup.to";
        assert_finding(&inside, FindingState::Warning, "lies in the data directory", remedy);
        assert_finding(&beside, FindingState::Warning, "lies on the disk of the store", remedy);
    }
}
