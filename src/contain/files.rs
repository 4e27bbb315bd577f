//! Files, directories and ports, by landlock(7).

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::Bounds;

/// What is given up, of what the newest of these kernels can keep. An older one keeps its part.
const NEWEST: ABI = ABI::V6;

/// Gives up every file, directory and port beyond `bounds`. What is not there is not allowed either.
pub(super) fn contain(bounds: &Bounds) -> Result<(), String> {
    match restricted(bounds) {
        Ok(RulesetStatus::FullyEnforced) => Ok(()),
        Ok(RulesetStatus::PartiallyEnforced) => {
            Err("the server is contained in part: this kernel has an older landlock".to_owned())
        }
        Ok(RulesetStatus::NotEnforced) => {
            Err("files and ports are not contained: this kernel has no landlock, or it is off"
                .to_owned())
        }
        Err(error) => Err(format!("files and ports are not contained: {error}")),
    }
}

fn restricted(bounds: &Bounds) -> Result<RulesetStatus, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    // Nothing is executed, and no device is made or spoken to.
    let write =
        all & !(AccessFs::Execute | AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::IoctlDev);
    let mut handled = Ruleset::default().handle_access(all)?.scope(Scope::from_all(NEWEST))?;
    if bounds.connect.is_some() {
        handled = handled.handle_access(AccessNet::ConnectTcp)?;
    }
    let read: Vec<_> = bounds.read.iter().filter(|path| can_be_allowed(path)).collect();
    let mut rules = handled
        .create()?
        .add_rules(path_beneath_rules(&read, AccessFs::from_read(NEWEST) & write))?
        .add_rules(path_beneath_rules(&bounds.write, write))?;
    for port in bounds.connect.iter().flatten() {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self().map(|status| status.ruleset)
}

/// Whether a path can be in a rule. A pipe can not, and one alone would take back all the others.
fn can_be_allowed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| {
        let kind = about.file_type();
        kind.is_file() || kind.is_dir() || kind.is_char_device()
    })
}
