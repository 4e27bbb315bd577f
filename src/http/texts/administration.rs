//! The texts of the pages of the administration, below `page.t.admin`, as in `sections.rs`.

use super::declare::sections;

sections! {
    /// The texts of the administration, by section.
    Administration {
        frame: AdminFrame {
            overview,
        }
    }
}
