//! Large writes that leave out what the disk has already.
//!
//! With every commit, redb writes which pages of the file are free: two bits for each, which are hundreds
//! of kilobytes for a file of some gigabytes, and of which a commit changes a few bytes. They go to one of
//! two or three places in turn, where those of a commit or two before still lie.
//!
//! What lies there is known from the writes before, and is not read: after a sync that failed, a disk may
//! give back what it never stored. A database that is opened anew knows of none.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use redb::StorageBackend as Backend;

/// What is compared, and written if it differs.
const BLOCK: usize = 4096;

/// The length from which a write is compared with the one before.
const MIN_LENGTH: usize = 8 * BLOCK;

/// The most places that are known, and their most bytes. It is enough for the lists of a file of 20 GB, which
/// has one for each 4 GiB; that of a larger one is written whole.
const MAX_PLACES: usize = 16;
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What the last large writes wrote, the latest last.
#[derive(Debug, Default)]
pub(super) struct LargeWrites(Mutex<Vec<(u64, Vec<u8>)>>);

impl LargeWrites {
    /// Makes the disk have `bytes` at `offset`. If this fails, the disk may have some of them, and nothing
    /// may be written by this value any more.
    pub(super) fn write(&self, disk: &dyn Backend, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = range(offset, bytes);
        let before = known.extract_if(.., |(at, before)| overlap(&own, &range(*at, before)));
        // What lies there otherwise, in part or beyond, is forgotten.
        let before = before.last().filter(|(at, before)| range(*at, before) == own);
        if bytes.len() < MIN_LENGTH {
            return disk.write(offset, bytes);
        }
        let place = match before {
            Some((_, mut before)) => {
                for changed in changed(&before, bytes) {
                    let part = bytes.get(changed.clone()).unwrap_or_default();
                    disk.write(offset + changed.start as u64, part)?;
                }
                before.copy_from_slice(bytes);
                before
            }
            None => {
                disk.write(offset, bytes)?;
                bytes.to_vec()
            }
        };
        known.push((offset, place));
        let bytes =
            |known: &[(u64, Vec<u8>)]| known.iter().map(|(_, own)| own.len()).sum::<usize>();
        while known.len() > MAX_PLACES || bytes(&known) > MAX_BYTES {
            known.remove(0);
        }
        Ok(())
    }

    /// The file has this length from now on.
    pub(super) fn cut(&self, length: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(at, bytes)| range(*at, bytes).end <= length);
    }
}

fn range(offset: u64, bytes: &[u8]) -> Range<u64> {
    offset..offset + bytes.len() as u64
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

/// The parts of `bytes` that differ from those `before`, in whole blocks.
fn changed(before: &[u8], bytes: &[u8]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let blocks = before.chunks(BLOCK).zip(bytes.chunks(BLOCK)).enumerate();
    for (index, (_, block)) in blocks.filter(|(_, (before, block))| before != block) {
        let start = index * BLOCK;
        let end = start + block.len();
        match parts.last_mut() {
            Some(part) if part.end == start => part.end = end,
            _ => parts.push(start..end),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redb::backends::InMemoryBackend;

    use super::*;

    /// A disk that counts what is written to it.
    #[derive(Debug, Default)]
    struct Counted {
        disk: InMemoryBackend,
        written: AtomicUsize,
    }

    impl Backend for Counted {
        fn len(&self) -> io::Result<u64> {
            self.disk.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.disk.read(offset, out)
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            self.disk.set_len(length)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.disk.sync_data()
        }

        fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            self.written.fetch_add(bytes.len(), Ordering::Relaxed);
            self.disk.write(offset, bytes)
        }
    }

    const LENGTH: usize = 16 * BLOCK;

    /// Writes, checks that the disk has it, and returns how many bytes went there.
    fn write(writes: &LargeWrites, disk: &Counted, offset: u64, bytes: &[u8]) -> usize {
        let before = disk.written.load(Ordering::Relaxed);
        writes.write(disk, offset, bytes).unwrap();
        let mut found = vec![0; bytes.len()];
        disk.read(offset, &mut found).unwrap();
        assert!(found == bytes, "the disk has what was written");
        disk.written.load(Ordering::Relaxed) - before
    }

    fn disk() -> Counted {
        let disk = Counted::default();
        disk.set_len(2 * MAX_BYTES as u64).unwrap();
        disk
    }

    #[test]
    fn what_the_disk_has_already_is_not_written_again() {
        let (disk, writes) = (disk(), LargeWrites::default());
        let mut bytes = vec![7; LENGTH];
        assert_eq!(write(&writes, &disk, 4096, &bytes), LENGTH);
        assert_eq!(write(&writes, &disk, 4096, &bytes), 0);

        for at in [0, 5 * BLOCK + 17, 6 * BLOCK, LENGTH - 1] {
            *bytes.get_mut(at).unwrap() = 8;
        }

        assert_eq!(write(&writes, &disk, 4096, &bytes), 4 * BLOCK);
        assert_eq!(write(&writes, &disk, 4096, &bytes), 0);
    }

    #[test]
    fn what_was_overwritten_in_part_or_cut_off_is_written_whole() {
        let (disk, writes) = (disk(), LargeWrites::default());
        let bytes = vec![7; LENGTH];
        let place = 8 * LENGTH as u64;
        let others: [(u64, &[u8]); 4] = [
            (place + 100, &[9]),
            (place - 4096, &bytes),
            (place + 4096, &bytes),
            (place, &[7; LENGTH / 2]),
        ];
        for (at, other) in others {
            write(&writes, &disk, place, &bytes);
            write(&writes, &disk, at, other);
            assert_eq!(write(&writes, &disk, place, &bytes), LENGTH, "after {at}");
        }

        for length in [place, place + 1] {
            writes.cut(length);
            disk.set_len(length).unwrap();
            disk.set_len(2 * MAX_BYTES as u64).unwrap();
            assert_eq!(write(&writes, &disk, place, &bytes), LENGTH, "after a cut to {length}");
        }
    }

    #[test]
    fn small_writes_and_places_of_long_ago_are_not_held_in_memory() {
        let (disk, writes) = (disk(), LargeWrites::default());
        for place in 0..20 {
            write(&writes, &disk, place * LENGTH as u64, &vec![7; LENGTH]);
        }
        assert_eq!(writes.0.lock().unwrap().len(), MAX_PLACES);
        write(&writes, &disk, 0, &vec![7; MAX_BYTES]);
        write(&writes, &disk, MAX_BYTES as u64, &[7; BLOCK]);
        assert_eq!(writes.0.lock().unwrap().len(), 1);
        write(&writes, &disk, 0, &vec![7; MAX_BYTES + 1]);
        assert!(writes.0.lock().unwrap().is_empty());
    }
}
