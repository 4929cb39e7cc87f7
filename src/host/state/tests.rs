//! The state folder where a process ends at any step, where bytes go wrong, and where somebody else has been.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use tempfile::TempDir;

use crate::base::{Hash, Time};
use crate::diag::{Code, Diagnostic};
use crate::io::{FileMark, Ledger};
use crate::node::{Ordinal, State};
use crate::plan::{NodeKey, Slot};
use crate::runtime::{Engine, Epoch, History, Log, Past, Phase, Record, Settings, Standing};

use super::*;

/// A disk of which a process does so many steps, and of the last one a half. What was not synced by then is half gone too.
struct Ending {
    left: AtomicUsize,
    unsynced: Mutex<BTreeSet<PathBuf>>,
}

impl Ending {
    fn after(steps: usize) -> Arc<Ending> {
        Arc::new(Ending { left: AtomicUsize::new(steps), unsynced: Mutex::default() })
    }

    /// None: the process is over.
    fn step(&self) -> io::Result<()> {
        let left = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            for path in std::mem::take(&mut *self.unsynced.lock().unwrap()) {
                if let Ok(bytes) = std::fs::read(&path) {
                    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
                }
            }
        }
        left.map(drop).map_err(|_| io::Error::other("the process has ended"))
    }
}

impl Files for Ending {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.create_folder(path))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Disk.write(path, bytes)?;
        self.unsynced.lock().unwrap().insert(path.to_owned());
        self.step()
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.unsynced.lock().unwrap().remove(path);
        Disk.sync(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.sync_folder(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| Disk.remove_file(path))
    }

    /// The last one is removed in part: its first file is gone.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let first = std::fs::read_dir(path).ok().and_then(|mut entries| entries.next()).and_then(Result::ok);
        if let Err(over) = self.step() {
            if let Some(first) = first {
                std::fs::remove_file(first.path()).unwrap();
            }
            return Err(over);
        }
        Disk.remove_folder(path)
    }

    fn begin(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        self.step().and_then(|()| Disk.begin(path))
    }
}

fn epoch(at: u64) -> Epoch {
    let mut epoch = Engine::empty(Settings::default()).epoch().unwrap().unwrap();
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..at as i64));
    let tables = BTreeMap::from([("sums".into(), RecordBatch::try_from_iter([("v", values)]).unwrap())]);
    let state = State { format: 1, hash: Hash::of(&at), tables };
    epoch.states.insert(NodeKey::of_file(&"air".into(), Slot::Task), state);
    epoch.books.at = Ordinal(at);
    epoch
}

fn open(path: &Path) -> StateFolder {
    StateFolder::open(path).unwrap()
}

fn commit(folder: &StateFolder, number: u64) -> Result<(u64, u64), Diagnostic> {
    folder.commit(number, &epoch(number * 10), Time(7))
}

/// With committed epochs, each with its log.
fn folder(epochs: &[u64]) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let folder = open(temp.path());
    for number in epochs {
        write_log(temp.path(), *number, 3);
        commit(&folder, *number).unwrap();
    }
    temp
}

fn assigned(nth: u64) -> Record {
    Record::Assigned { task: format!("task{nth}").as_str().into(), at: Ordinal(nth), version: None }
}

fn write_log(path: &Path, number: u64, lines: u64) {
    let (mut log, thread) = LogHandle::start(Arc::new(Disk), path, number, Ordinal(number), |_| ()).unwrap();
    (0..lines).for_each(|nth| Log::append(&mut log, assigned(nth)));
    log.confirm().unwrap();
    drop(log);
    thread.join().unwrap();
}

fn found(path: &Path) -> Found {
    open(path).find().unwrap().expect("an epoch is there")
}

#[test]
fn an_epoch_is_read_as_it_was_written() {
    let temp = folder(&[1]);
    let Found { manifest, epoch: read, damaged } = found(temp.path());
    assert!(damaged.is_empty());
    assert_eq!((manifest.number, manifest.at, manifest.began, manifest.format), (1, Ordinal(10), Time(7), FORMAT));
    let written = epoch(10);
    assert_eq!((read.books, read.graph, read.states), (written.books, written.graph, written.states));
}

#[test]
fn whichever_step_of_a_commit_is_the_last_one_whole_epoch_is_there() {
    let mut committed = false;
    for steps in 0.. {
        let temp = folder(&[1, 2]);
        let ending = StateFolder::with(temp.path(), Ending::after(steps)).unwrap();
        committed = commit(&ending, 3).is_ok();
        drop(ending);
        let Found { manifest, epoch: read, damaged } = found(temp.path());
        assert!(damaged.is_empty(), "after {steps} steps: {damaged:#?}");
        assert!(manifest.number == 2 && !committed || manifest.number == 3, "{} after {steps} steps", manifest.number);
        assert_eq!(read.states, epoch(manifest.number * 10).states, "after {steps} steps");

        // And the next process goes on, and clears away what was left.
        let next = open(temp.path());
        commit(&next, next.next_number()).unwrap();
        let left = super::epochs::names(&temp.path().join("epochs")).unwrap();
        assert_eq!(left.len(), EPOCHS_KEPT, "after {steps} steps: {left:?}");
        if committed {
            break;
        }
    }
    assert!(committed);
}

#[test]
fn only_the_last_epochs_are_kept_and_logs_within_the_limits_of_history() {
    let temp = folder(&[1, 2, 3, 4, 5]);
    assert_eq!(super::epochs::numbers(temp.path()).unwrap(), [4, 5]);
    assert_eq!(super::log::numbers(temp.path()).unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(open(temp.path()).next_number(), 6);
    let trimmed = |limits: HistoryLimits| {
        super::log::trim(&Disk, temp.path(), 4, &limits).unwrap();
        super::log::numbers(temp.path()).unwrap()
    };
    assert_eq!(trimmed(HistoryLimits { logs_max: 2, ..HistoryLimits::default() }), [2, 3, 4, 5]);
    let one = std::fs::metadata(super::log::place(temp.path(), 3)).unwrap().len();
    assert_eq!(trimmed(HistoryLimits { bytes_max: one, ..HistoryLimits::default() }), [3, 4, 5]);
    assert_eq!(trimmed(HistoryLimits { age_max: Duration::ZERO, ..HistoryLimits::default() }), [4, 5]);
}

#[test]
fn history_is_told_from_every_log_that_says_how_all_stood_also_while_it_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let standing = |at: u64| {
        let stands = Standing {
            at: Ordinal(at),
            taken: Time(0),
            phase: Phase::Live,
            last: None,
            sources: vec![],
            live: vec![],
            meanings: vec![],
        };
        Entry::Stands(Box::new(stands))
    };
    let begin = |number: u64| LogHandle::start(Arc::new(Disk), temp.path(), number, Ordinal(number), |_| ()).unwrap();
    let mut history = LogHistory::of(temp.path());
    let mut told = || -> Vec<u64> {
        std::iter::from_fn(|| history.next())
            .map(|past| match past {
                Past::Stands(standing) => 1_000 + standing.at.0,
                Past::Record(Record::Assigned { at, .. }) => at.0,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(told(), [0; 0]);
    // What comes before it is told by a log that is gone.
    let (mut log, thread) = begin(3);
    Log::append(&mut log, assigned(1));
    log.append(&standing(2));
    Log::append(&mut log, assigned(3));
    log.write_out().unwrap();
    assert_eq!(told(), [1_002, 3]);
    Log::append(&mut log, assigned(4));
    log.write_out().unwrap();
    assert_eq!(told(), [4]);
    Log::append(&mut log, assigned(5));
    log.roll(4, Ordinal(6));
    log.append(&standing(6));
    log.write_out().unwrap();
    assert_eq!(told(), [5, 1_006]);
    drop(log);
    thread.join().unwrap();
    // Torn where its process ended; the next one goes on.
    let path = super::log::place(temp.path(), 4);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&bytes[..], &[9, 0, 0, 0, 1]].concat()).unwrap();
    assert_eq!(told(), [0; 0]);
    let (log, thread) = begin(5);
    log.append(&standing(7));
    log.sync().unwrap();
    assert_eq!(told(), [1_007]);
    drop(log);
    thread.join().unwrap();
}

#[test]
fn a_damaged_epoch_is_named_and_the_one_before_it_is_used() {
    let place = |temp: &TempDir| super::epochs::place(temp.path(), 2);
    let names: Vec<String> = super::epochs::names(&place(&folder(&[1, 2]))).unwrap();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        for harm in ["flipped", "cut", "gone"] {
            let temp = folder(&[1, 2]);
            let path = place(&temp).join(&name);
            let mut bytes = std::fs::read(&path).unwrap();
            match harm {
                "flipped" => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 4;
                    std::fs::write(&path, bytes).unwrap();
                }
                "cut" => std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap(),
                _ if name == "manifest.json" => continue,
                _ => std::fs::remove_file(&path).unwrap(),
            }
            let Found { manifest, damaged, .. } = found(temp.path());
            assert_eq!(manifest.number, 1, "{name} {harm}");
            assert_eq!(damaged.len(), 1, "{name} {harm}");
            assert_eq!(damaged[0].code, Code::R0101);
            assert!(damaged[0].message.contains("000002"), "{}", damaged[0].message);
            // The log since the older one is whole: both logs in a row.
            assert_eq!(open(temp.path()).log(1).count(), 6);
        }
    }
}

#[test]
fn where_no_epoch_can_be_read_nothing_begins_by_itself() {
    let temp = folder(&[1]);
    std::fs::write(super::epochs::place(temp.path(), 1).join("books.json"), "{}").unwrap();
    let wrong = open(temp.path()).find().map(drop).unwrap_err();
    assert_eq!(wrong.code, Code::R0101);
    assert!(wrong.help.unwrap_or_default().contains("--fresh"));
}

/// As the version before the first would have written it.
const OLD: &str = include_str!("../../../tests/run/host/old-manifest.json");

#[test]
fn a_folder_of_another_format_is_left_alone() {
    let temp = folder(&[1]);
    let place = super::epochs::place(temp.path(), 2);
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("manifest.json"), OLD).unwrap();
    let wrong = open(temp.path()).find().map(drop).unwrap_err();
    assert_eq!(wrong.code, Code::R0102);
    assert!(wrong.message.contains("format 0") && wrong.message.contains("0.0.9"), "{}", wrong.message);

    let folder = open(temp.path());
    let aside = folder.set_aside().unwrap().expect("something was there");
    assert!(folder.find().unwrap().is_none());
    assert!(aside.join("epochs/000002/manifest.json").exists() && aside.join("log/000001.log").exists());
    assert_eq!(folder.set_aside().unwrap(), None);
}

#[test]
fn one_process_holds_a_folder() {
    let temp = tempfile::tempdir().unwrap();
    let held = open(temp.path());
    let wrong = StateFolder::open(temp.path()).map(drop).unwrap_err();
    assert_eq!(wrong.code, Code::R0103);
    drop(held);
    open(temp.path());
}

#[test]
fn a_log_that_is_torn_at_any_byte_gives_the_lines_before() {
    let temp = tempfile::tempdir().unwrap();
    write_log(temp.path(), 4, 5);
    let path = super::log::place(temp.path(), 4);
    let bytes = std::fs::read(&path).unwrap();
    let whole: Vec<_> = LogReader::from(temp.path(), 4).collect();
    assert_eq!(whole.len(), 5);
    let mut seen = 0;
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let mut reader = LogReader::from(temp.path(), 4);
        let lines: Vec<_> = reader.by_ref().collect();
        assert!(reader.wrong.is_none(), "cut at {cut}: {:?}", reader.wrong);
        assert!(lines.len() >= seen && lines[..] == whole[..lines.len()], "cut at {cut}");
        seen = lines.len();
    }
    assert_eq!(seen, 5);

    // The process that was to write the next one ended in its first line, and another came after it.
    let lines = |path: &Path| LogReader::from(path, 4).map(|logged| logged.number).collect::<Vec<u64>>();
    std::fs::write(super::log::place(temp.path(), 5), &bytes[..7]).unwrap();
    write_log(temp.path(), 6, 2);
    assert_eq!(lines(temp.path()), [4, 4, 4, 4, 4, 6, 6]);
}

#[test]
fn a_disk_that_refuses_breaks_the_log_until_the_next_epoch() {
    let temp = tempfile::tempdir().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = told.clone();
    let ending = Ending::after(3);
    let files: Arc<dyn Files> = ending.clone();
    let told_to = move |found: Diagnostic| hear.lock().unwrap().push(found.code);
    let (mut log, thread) = LogHandle::start(files, temp.path(), 1, Ordinal(0), told_to).unwrap();
    Log::append(&mut log, assigned(1));
    log.confirm().unwrap();
    // The next log cannot be begun, so nothing is written any more, and who asks is told.
    log.roll(2, Ordinal(5));
    assert_eq!(log.confirm().unwrap_err().code, Code::R0104);
    let mark = FileMark::Grown { path: "x".into(), bytes: 0, identity: None };
    assert_eq!(log.begin(mark).unwrap_err().code, Code::R0104);
    ending.left.store(100, SeqCst);
    log.roll(3, Ordinal(6));
    Log::append(&mut log, assigned(2));
    log.confirm().unwrap();
    drop(log);
    thread.join().unwrap();
    assert_eq!(*told.lock().unwrap(), [Code::R0104]);
    // What was begun shortly before is said once more.
    let entries: Vec<Entry> = LogReader::from(temp.path(), 3).map(|logged| logged.entry).collect();
    assert!(matches!(entries[..], [Entry::Begun(_), Entry::Record(_)]), "{entries:?}");
}

#[test]
fn what_is_kept_can_be_looked_at() {
    let temp = folder(&[1, 2]);
    std::fs::write(super::epochs::place(temp.path(), 2).join("books.json"), "{}").unwrap();
    let shown = show(temp.path()).unwrap();
    assert_eq!(shown.epochs.len(), 2);
    assert!(shown.epochs[0].damaged.is_none() && shown.epochs[1].damaged.is_some());
    assert_eq!((shown.nodes.len(), shown.nodes[0].rows), (1, 10));
    assert_eq!(shown.lines(), 6);
}
