//! What the figures were taken on.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use crate::measure::{rates, window};

/// Says what the machine is, how busy it is, and how fast its disk syncs.
pub(crate) fn tell() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("an unknown processor").trim_start_matches([':', ' ', '\t']);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    println!("{cores} cores of {model}; load {load} at the start");

    let place = tempfile::NamedTempFile::new().unwrap();
    let file: &File = place.as_file();
    let mut sync = || {
        window(|| {
            file.write_all_at(&[0; 4096], 0).unwrap();
            file.sync_data().unwrap();
        })
    };
    let [synced] = rates([&mut sync]);
    println!(
        "the disk of {} syncs 4 KiB {synced:.0} times a second\n",
        std::env::temp_dir().display()
    );
}
