//! Every way in which a file gets other contents, with real files. Nothing sleeps: each wait is a limited one on the channel.

use std::fs::{self, File};
use std::io::Write;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Instant;

use tempfile::TempDir;

use super::super::stop::{Stop, Wanted};
use super::*;

mod places;

/// Long enough for a machine under load; a passing test never waits for it.
const ARRIVES: Duration = Duration::from_secs(20);
/// Longer than debounce and poll together: what has not come by then was not sent.
const STAYS_AWAY: Duration = Duration::from_millis(250);

struct Bench {
    folder: TempDir,
    name: &'static str,
    watcher: Watcher,
    notices: Receiver<Notice>,
}

fn limits() -> WatchLimits {
    WatchLimits {
        poll: Duration::from_millis(100),
        poll_without_events: Duration::from_millis(40),
        patience: Duration::from_millis(120),
        settle_max: ARRIVES,
        ..WatchLimits::default()
    }
}

impl Bench {
    fn with(events: bool, limits: WatchLimits) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        Bench::at_name(folder, "room.mliot", events, limits)
    }

    /// The followed file is this one, in a folder of its own.
    fn at_name(folder: TempDir, name: &'static str, events: bool, limits: WatchLimits) -> Bench {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "one").unwrap();
        let (watcher, notices) = Watcher::start(limits, events).unwrap();
        let bench = Bench { folder, name, watcher, notices };
        bench.watcher.follow([(bench.file(), Some(Hash::of_bytes(b"one")))]);
        bench
    }

    fn new() -> Bench {
        Bench::with(true, limits())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.at(self.name)
    }

    fn sees(&self, text: &str) {
        assert_eq!(self.next(), Seen::Text(text.into()));
    }

    fn next(&self) -> Seen {
        let mut seen = self.notices.recv_timeout(ARRIVES).expect("a notice").seen;
        let (path, what) = seen.pop().expect("a notice is about a file");
        assert_eq!((path, seen), (self.file(), vec![]));
        what
    }

    fn sees_nothing(&self) {
        assert_eq!(self.notices.recv_timeout(STAYS_AWAY), Err(RecvTimeoutError::Timeout));
    }
}

const WAYS: [fn(&Bench, &str); 7] = [
    save_in_place,
    rename_over,
    backup_and_new,
    delete_and_recreate,
    backup_and_in_place,
    over_a_read_only_one,
    under_the_same_time,
];

fn save_in_place(bench: &Bench, text: &str) {
    fs::write(bench.file(), text).unwrap();
}

fn rename_over(bench: &Bench, text: &str) {
    fs::write(bench.at(".room.tmp"), text).unwrap();
    fs::rename(bench.at(".room.tmp"), bench.file()).unwrap();
}

fn backup_and_new(bench: &Bench, text: &str) {
    fs::rename(bench.file(), bench.at("room.mliot~")).unwrap();
    fs::write(bench.file(), text).unwrap();
}

fn delete_and_recreate(bench: &Bench, text: &str) {
    fs::remove_file(bench.file()).unwrap();
    fs::write(bench.file(), text).unwrap();
}

/// vim with `backupcopy=yes`: the old text is copied away, and the file itself written again.
fn backup_and_in_place(bench: &Bench, text: &str) {
    fs::copy(bench.file(), bench.at("room.mliot~")).unwrap();
    fs::write(bench.file(), text).unwrap();
    fs::remove_file(bench.at("room.mliot~")).unwrap();
}

/// A file that is marked as read-only is replaced all the same.
fn over_a_read_only_one(bench: &Bench, text: &str) {
    let mut permissions = fs::metadata(bench.file()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(bench.file(), permissions).unwrap();
    rename_over(bench, text);
}

/// Same length and same time of change, as with `cp -p`, and where a clock stands.
fn under_the_same_time(bench: &Bench, text: &str) {
    let before = fs::metadata(bench.file()).unwrap().modified().unwrap();
    let mut file = File::create(bench.file()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_modified(before).unwrap();
}

#[test]
fn every_way_of_saving_is_seen_once_with_the_new_text() {
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        for round in 0..3 {
            for (nth, save) in WAYS.iter().enumerate() {
                let text = format!("text {round} {nth}");
                save(&bench, &text);
                bench.sees(&text);
            }
        }
        bench.sees_nothing();
    }
}

#[test]
fn the_same_text_again_is_no_change() {
    let bench = Bench::new();
    save_in_place(&bench, "one");
    rename_over(&bench, "one");
    bench.sees_nothing();
    rename_over(&bench, "two");
    bench.sees("two");
}

#[test]
fn other_rights_or_another_time_are_no_change() {
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        let mut permissions = fs::metadata(bench.file()).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(bench.file(), permissions).unwrap();
        File::open(bench.file()).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        bench.sees_nothing();
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_said_and_followed_on() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    fs::set_permissions(bench.file(), fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(bench.file()).is_ok() {
        // Whoever may do everything may read it too.
        return bench.sees_nothing();
    }
    assert!(matches!(bench.next(), Seen::Trouble(Trouble::Unreadable(_))));
    rename_over(&bench, "two");
    bench.sees("two");
}

#[test]
fn a_text_that_changed_before_the_watch_began_is_seen() {
    let bench = Bench::new();
    bench.watcher.follow([(bench.at("other.mliot"), None)]);
    fs::write(bench.file(), "two").unwrap();
    bench.watcher.follow([(bench.file(), Some(Hash::of_bytes(b"one")))]);
    bench.sees("two");
}

#[test]
fn an_empty_file_is_never_taken_for_a_program() {
    let bench = Bench::new();
    save_in_place(&bench, "");
    assert_eq!(bench.next(), Seen::Trouble(Trouble::Empty));
    save_in_place(&bench, "two");
    bench.sees("two");
}

#[test]
fn a_file_that_is_gone_is_said_once_and_followed_when_it_is_back() {
    let bench = Bench::new();
    fs::remove_file(bench.file()).unwrap();
    assert_eq!(bench.next(), Seen::Trouble(Trouble::Gone));
    bench.sees_nothing();
    save_in_place(&bench, "one");
    bench.sees("one");
    save_in_place(&bench, "two");
    bench.sees("two");
}

#[test]
fn bytes_that_are_no_text_are_trouble_and_not_the_end() {
    let bench = Bench::new();
    fs::write(bench.file(), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(bench.next(), Seen::Trouble(Trouble::NotText));
    save_in_place(&bench, "two");
    bench.sees("two");
}

#[test]
fn a_long_text_is_refused_by_its_limit() {
    let bench = Bench::with(true, WatchLimits { text_bytes_max: 8, ..limits() });
    save_in_place(&bench, "123456789");
    assert_eq!(bench.next(), Seen::Trouble(Trouble::TooLong { bytes_max: 8 }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_half_written_file_is_read_when_its_writer_has_closed() {
    let bench = Bench::new();
    // Once a change has come through, the folder is known to be watched.
    rename_over(&bench, "zero");
    bench.sees("zero");
    let mut file = File::create(bench.file()).unwrap();
    file.write_all(b"first half, ").unwrap();
    file.sync_all().unwrap();
    bench.sees_nothing();
    file.write_all(b"second half").unwrap();
    drop(file);
    bench.sees("first half, second half");
    bench.sees_nothing();
}

#[cfg(target_os = "linux")]
#[test]
fn a_writer_that_never_closes_is_not_waited_for_for_ever() {
    let bench = Bench::with(true, WatchLimits { settle_max: Duration::from_millis(200), ..limits() });
    let mut file = File::create(bench.file()).unwrap();
    file.write_all(b"all there is").unwrap();
    bench.sees("all there is");
    drop(file);
}

#[test]
fn many_quick_saves_end_in_the_newest() {
    let bench = Bench::with(true, WatchLimits { notices_max: 1, ..limits() });
    for nth in 0..200 {
        rename_over(&bench, &format!("text {nth}"));
    }
    while bench.next() != Seen::Text("text 199".into()) {}
    bench.sees_nothing();
}

/// Somebody who saves without a pause is not waited for for ever, and does not make a change of every save.
#[test]
fn a_save_every_five_milliseconds_ends_in_the_newest() {
    for events in [true, false] {
        let bench = Bench::with(events, WatchLimits { settle_max: Duration::from_millis(150), ..limits() });
        let (saves, pause) = (60, Stop::default());
        for nth in 0..saves {
            WAYS[nth % WAYS.len()](&bench, &format!("text {nth}"));
            pause.wait(Duration::from_millis(5), Wanted::End);
        }
        let last = Seen::Text(format!("text {}", saves - 1).into());
        let mut told = 1;
        while bench.next() != last {
            told += 1;
        }
        bench.sees_nothing();
        assert!(told < saves, "{told} changes were told of {saves} saves");
    }
}

#[test]
fn files_that_are_saved_together_are_told_together() {
    let bench = Bench::with(true, WatchLimits { debounce: Duration::from_millis(400), ..limits() });
    let other = bench.at("features.mliot");
    fs::write(&other, "a").unwrap();
    bench.watcher.follow([(bench.file(), Some(Hash::of_bytes(b"one"))), (other.clone(), Some(Hash::of_bytes(b"a")))]);
    rename_over(&bench, "two");
    fs::write(&other, "b").unwrap();
    let seen = bench.notices.recv_timeout(ARRIVES).unwrap().seen;
    assert_eq!(seen, [(other, Seen::Text("b".into())), (bench.file(), Seen::Text("two".into()))]);
    bench.sees_nothing();
}

/// A checkout takes one file away before it writes it again: the others are not compiled without it.
#[test]
fn a_file_that_is_away_for_a_moment_holds_the_others_back() {
    let bench = Bench::with(true, WatchLimits { patience: ARRIVES, ..limits() });
    let other = bench.at("features.mliot");
    fs::write(&other, "a").unwrap();
    bench.watcher.follow([(bench.file(), Some(Hash::of_bytes(b"one"))), (other.clone(), Some(Hash::of_bytes(b"a")))]);
    fs::remove_file(&other).unwrap();
    rename_over(&bench, "two");
    bench.sees_nothing();
    fs::write(&other, "b").unwrap();
    let seen = bench.notices.recv_timeout(ARRIVES).unwrap().seen;
    assert_eq!(seen, [(other, Seen::Text("b".into())), (bench.file(), Seen::Text("two".into()))]);
}

/// Whoever follows it knows already that it is not there.
#[test]
fn a_file_that_was_never_there_is_told_when_it_comes() {
    let bench = Bench::new();
    let other = bench.at("features.mliot");
    bench.watcher.follow([(bench.file(), Some(Hash::of_bytes(b"one"))), (other.clone(), None)]);
    bench.sees_nothing();
    fs::write(&other, "b").unwrap();
    let seen = bench.notices.recv_timeout(ARRIVES).unwrap().seen;
    assert_eq!(seen, [(other, Seen::Text("b".into()))]);
}

#[test]
fn a_busy_neighbour_is_not_our_change_and_holds_up_nothing() {
    let bench = Bench::with(true, WatchLimits { settle_max: Duration::from_secs(600), ..limits() });
    let mut log = File::create(bench.at("occupancy.jsonl")).unwrap();
    save_in_place(&bench, "two");
    let start = Instant::now();
    let seen = loop {
        log.write_all(b"{}\n").unwrap();
        match bench.notices.try_recv() {
            Ok(notice) => break notice.seen,
            Err(_) => assert!(start.elapsed() < ARRIVES, "a busy neighbour held the notice up"),
        }
    };
    assert_eq!(seen, [(bench.file(), Seen::Text("two".into()))]);
}

#[test]
fn several_files_are_followed_each_by_its_own_path() {
    let bench = Bench::new();
    fs::write(bench.at("features.mliot"), "a").unwrap();
    bench
        .watcher
        .follow([(bench.file(), Some(Hash::of_bytes(b"one"))), (bench.at("features.mliot"), Some(Hash::of_bytes(b"a")))]);
    fs::write(bench.at("features.mliot"), "b").unwrap();
    let notice = bench.notices.recv_timeout(ARRIVES).unwrap();
    assert_eq!(notice.seen, [(bench.at("features.mliot"), Seen::Text("b".into()))]);
    bench.watcher.follow([(bench.file(), Some(Hash::of_bytes(b"one")))]);
    fs::write(bench.at("features.mliot"), "c").unwrap();
    bench.sees_nothing();
}
