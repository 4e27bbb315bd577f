//! A disk that can fail: it knows what was synced and what was only written, and stops, tears,
//! fills up or refuses where a test wants it to.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use gatelodge::store::{Backend, Store, StoreError};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A disk, shared by all its handles.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// What survives whatever happens.
    synced: Vec<u8>,
    /// What a reader sees.
    current: Vec<u8>,
    /// What was changed since the last sync, in order.
    unsynced: Vec<Change>,
    /// How often it was synced, and how often it was written to.
    syncs: usize,
    writes: usize,
    faults: Faults,
}

/// What is wrong with a disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// The sync, counted from now, at which the power goes.
    pub(crate) power_ends: Option<usize>,
    /// The one sync, counted from now, that fails. As Linux does, the disk forgets what it could
    /// not write and goes on showing it.
    pub(crate) sync_fails: Option<usize>,
    /// The write, counted from now, from which on there is no space.
    pub(crate) full_from: Option<usize>,
    /// The length beyond which there is no space.
    pub(crate) room: Option<u64>,
    /// Whether nothing can be changed.
    pub(crate) read_only: bool,
    /// Whether nothing can be read.
    pub(crate) unreadable: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Write(usize, Vec<u8>),
}

/// What of the unsynced changes is still there after the power went.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Survivors {
    All,
    None,
    /// Some of the writes, whole.
    Some(u64),
    /// Some of the sectors of each write.
    Torn(u64),
}

impl Disk {
    /// An empty disk.
    pub(crate) fn new() -> Self {
        Self::of(Vec::new())
    }

    /// A disk with these bytes on it.
    pub(crate) fn of(synced: Vec<u8>) -> Self {
        let current = synced.clone();
        Self(Arc::new(Mutex::new(Platter { synced, current, ..Platter::default() })))
    }

    /// The store on it.
    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        Store::over(self.clone())
    }

    /// What is on it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().current.clone()
    }

    /// One with the bits `bits` of the byte at `at` flipped.
    pub(crate) fn flipped(&self, at: u64, bits: u8) -> Self {
        let mut bytes = self.bytes();
        bytes[place(at)] ^= bits;
        Self::of(bytes)
    }

    /// One that ends at `length`.
    pub(crate) fn cut(&self, length: u64) -> Self {
        let mut bytes = self.bytes();
        bytes.truncate(place(length));
        Self::of(bytes)
    }

    /// From now on this is wrong with it, and nothing else.
    pub(crate) fn suffer(&self, faults: Faults) {
        let mut platter = self.lock();
        (platter.syncs, platter.writes) = (0, 0);
        platter.faults = faults;
    }

    /// How long it is.
    pub(crate) fn length(&self) -> u64 {
        self.lock().current.len() as u64
    }

    /// Whether the fault that waits for a sync has come.
    pub(crate) fn struck(&self) -> bool {
        let platter = self.lock();
        let at = platter.faults.power_ends.or(platter.faults.sync_fails);
        at.is_some_and(|at| platter.syncs > at)
    }

    /// Whether the fault that waits for a write has come.
    pub(crate) fn filled(&self) -> bool {
        let platter = self.lock();
        platter.faults.full_from.is_some_and(|at| platter.writes > at)
    }

    /// The disk as it is found when the power is back.
    pub(crate) fn restart(&self, survivors: Survivors) -> Self {
        let platter = self.lock();
        let mut found = platter.synced.clone();
        let mut dice = match survivors {
            Survivors::All | Survivors::None => 0,
            Survivors::Some(seed) | Survivors::Torn(seed) => seed,
        };
        for change in &platter.unsynced {
            match (survivors, change) {
                (Survivors::None, _) => {}
                (Survivors::Torn(_), Change::Write(offset, data)) => {
                    for (n, sector) in data.chunks(SECTOR).enumerate() {
                        if toss(&mut dice) {
                            Change::Write(offset + n * SECTOR, sector.to_vec()).make(&mut found);
                        }
                    }
                }
                (Survivors::Some(_) | Survivors::Torn(_), change) => {
                    if toss(&mut dice) {
                        change.make(&mut found);
                    }
                }
                (Survivors::All, change) => change.make(&mut found),
            }
        }
        Self::of(found)
    }

    fn powered(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = self.lock();
        if platter.faults.power_ends.is_some_and(|at| platter.syncs > at) {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(platter)
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut platter = self.powered()?;
        let end = match &change {
            Change::Length(length) => *length,
            Change::Write(offset, data) => offset + data.len(),
        };
        if platter.faults.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        platter.writes += 1;
        let full = platter.faults.full_from.is_some_and(|at| platter.writes > at)
            || platter.faults.room.is_some_and(|room| end as u64 > room);
        if full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        change.make(&mut platter.current);
        platter.unsynced.push(change);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(offset, data) => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }
}

/// A coin.
fn toss(dice: &mut u64) -> bool {
    mixed(dice) & 1 == 1
}

/// Numbers that look random, the same ones for a seed.
pub(crate) fn dice(mut seed: u64) -> impl FnMut() -> u64 {
    move || mixed(&mut seed)
}

/// SplitMix64.
fn mixed(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*dice ^ (*dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl Backend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.powered()?.current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.powered()?;
        if platter.faults.unreadable {
            return Err(io::Error::other("a sector cannot be read"));
        }
        let found = platter.current.get(place(offset)..place(offset) + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(place(length)))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.powered()?;
        let (at, faults) = (platter.syncs, platter.faults.clone());
        platter.syncs += 1;
        if faults.power_ends == Some(at) {
            return Err(io::Error::other("the power is gone"));
        }
        let changes = std::mem::take(&mut platter.unsynced);
        if faults.sync_fails == Some(at) {
            return Err(io::Error::other("what was written is lost"));
        }
        for change in changes {
            change.make(&mut platter.synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write(place(offset), data.to_vec()))
    }
}
