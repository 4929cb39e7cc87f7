//! Files that go wrong at one step. What a power cut leaves of them is told by what was synced; the disk itself is not waited
//! for.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use mliot::host::state::{Append, Disk, Files};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The process does so many steps, and of the next one a half; what was not synced is half gone, too.
    Ends {
        after: usize,
    },
    /// This step fails half done, and all others are carried out.
    Refuses {
        step: usize,
    },
    /// From this step on nothing can be written.
    Full {
        from: usize,
    },
    /// The process ends before this row, between two steps.
    Killed {
        at: u64,
    },
}

/// Clones are the same disk.
#[derive(Clone)]
pub struct Faulty(Arc<Inner>);

struct Inner {
    fault: Fault,
    steps: AtomicUsize,
    met: AtomicBool,
    unsynced: Mutex<BTreeSet<PathBuf>>,
}

impl Faulty {
    pub fn with(fault: Fault) -> Faulty {
        let (steps, met) = (AtomicUsize::new(0), AtomicBool::new(false));
        Faulty(Arc::new(Inner { fault, steps, met, unsynced: Mutex::default() }))
    }

    /// Has the step come that goes wrong?
    pub fn was_met(&self) -> bool {
        self.0.met.load(SeqCst)
    }

    /// Has the process ended?
    pub fn is_over(&self) -> bool {
        self.was_met() && matches!(self.0.fault, Fault::Ends { .. })
    }

    pub fn killed_at(&self) -> Option<u64> {
        if let Fault::Killed { at } = self.0.fault { Some(at) } else { None }
    }

    fn step(&self) -> io::Result<()> {
        let step = self.0.steps.fetch_add(1, SeqCst);
        let fails = match self.0.fault {
            Fault::None | Fault::Killed { .. } => false,
            Fault::Ends { after } => step >= after,
            Fault::Refuses { step: refused } => step == refused,
            Fault::Full { from } => step >= from,
        };
        if !fails {
            return Ok(());
        }
        self.0.met.store(true, SeqCst);
        if let Fault::Ends { .. } = self.0.fault {
            let unsynced = std::mem::take(&mut *self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
            unsynced.iter().for_each(|path| halve(path));
        }
        Err(io::Error::other("the simulator made this: the disk is full"))
    }

    fn touched(&self, path: &Path) {
        self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }

    fn synced(&self, path: &Path) {
        self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}

fn halve(path: &Path) {
    if let Ok(bytes) = fs::read(path) {
        let _ = fs::write(path, &bytes[..bytes.len() / 2]);
    }
}

impl Files for Faulty {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.create_folder(path))
    }

    /// A write that fails has written the first half.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Disk.write(path, &bytes[..bytes.len() / 2])?;
        self.touched(path);
        self.step()?;
        Disk.write(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.synced(path);
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.step()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.remove_file(path))
    }

    /// One that fails has removed a file.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let first = fs::read_dir(path).ok().and_then(|mut entries| entries.next()).and_then(Result::ok);
        if let Err(over) = self.step() {
            first.iter().for_each(|first| drop(fs::remove_file(first.path())));
            return Err(over);
        }
        Disk.remove_folder(path)
    }

    fn begin(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        self.step()?;
        let file = Disk.begin(path)?;
        Ok(Box::new(Growing { files: self.clone(), file, path: path.to_owned(), whole: Vec::new(), synced: 0 }))
    }
}

/// A file that grows, and what of it a power cut leaves.
struct Growing {
    files: Faulty,
    file: Box<dyn Append>,
    path: PathBuf,
    whole: Vec<u8>,
    synced: usize,
}

impl Growing {
    /// Of what was not synced a half.
    fn torn(&self) {
        if self.files.is_over() {
            let kept = self.synced + (self.whole.len() - self.synced) / 2;
            let _ = fs::write(&self.path, &self.whole[..kept]);
        }
    }
}

impl Append for Growing {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.len() / 2;
        let stepped = self.files.step();
        let written = if stepped.is_ok() { bytes } else { &bytes[..half] };
        self.whole.extend(written);
        self.file.append(written)?;
        self.torn();
        stepped
    }

    fn sync(&mut self) -> io::Result<()> {
        let stepped = self.files.step();
        self.torn();
        stepped?;
        self.synced = self.whole.len();
        Ok(())
    }
}
