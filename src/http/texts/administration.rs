//! The texts of the pages of the administration, below `page.t.admin`, as in `sections.rs`.

use super::declare::sections;

sections! {
    /// The texts of the administration, by section.
    Administration {
        frame: AdminFrame {
            title,
            account(name),
            cancel,
            keys,
            overview,
        }
        keys: AdminKeys {
            title,
            lead,
            now,
            published,
            published_until(time),
            retired,
            retiring,
            revoke,
            rotate,
            rotate_means,
            rotate_title,
            signing,
            signs_from(time),
            signs_until(time),
        }
        overview: AdminOverview {
            title,
            all_well,
            checks,
            data,
            events,
            issuer,
            listens,
            metadata,
            nothing,
            problem,
            runs(version, pid),
            runs_as,
            warning,
        }
    }
}
