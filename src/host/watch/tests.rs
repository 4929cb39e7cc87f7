//! Every way in which a file gets other contents, with real files. Nothing sleeps: each wait is a limited one on the channel.

use std::fs::{self, File};
use std::io::Write;

use tempfile::TempDir;

use super::*;

/// Long enough for a machine under load; a passing test never waits for it.
const ARRIVES: Duration = Duration::from_secs(20);
/// Longer than debounce and poll together: what has not come by then was not sent.
const STAYS_AWAY: Duration = Duration::from_millis(250);

struct Bench {
    folder: TempDir,
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
        fs::write(folder.path().join("room.mliot"), "one").unwrap();
        let (watcher, notices) = Watcher::start(limits, events).unwrap();
        let bench = Bench { folder, watcher, notices };
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
        self.at("room.mliot")
    }

    fn sees(&self, text: &str) {
        assert_eq!(self.next(), Seen::Text(text.into()));
    }

    fn next(&self) -> Seen {
        let notice = self.notices.recv_timeout(ARRIVES).expect("a notice");
        assert_eq!(notice.path, self.file());
        notice.seen
    }

    fn sees_nothing(&self) {
        assert_eq!(self.notices.recv_timeout(STAYS_AWAY), Err(RecvTimeoutError::Timeout));
    }
}

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

#[test]
fn every_way_of_saving_is_seen_once_with_the_new_text() {
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        for round in 0..3 {
            for (nth, save) in [save_in_place, rename_over, backup_and_new, delete_and_recreate].iter().enumerate() {
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

#[cfg(unix)]
#[test]
fn a_flip_of_a_folders_link_is_seen() {
    use std::os::unix::fs::symlink;
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        fs::remove_file(bench.file()).unwrap();
        for version in ["v1", "v2", "v3"] {
            fs::create_dir(bench.at(version)).unwrap();
            fs::write(bench.at(version).join("room.mliot"), version).unwrap();
            symlink(version, bench.at(".data.tmp")).unwrap();
            fs::rename(bench.at(".data.tmp"), bench.at(".data")).unwrap();
            if version == "v1" {
                symlink(".data/room.mliot", bench.file()).unwrap();
            }
            bench.sees(version);
        }
    }
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
    assert_eq!(seen, Seen::Text("two".into()));
}

#[test]
fn several_files_are_followed_each_by_its_own_path() {
    let bench = Bench::new();
    fs::write(bench.at("features.mliot"), "a").unwrap();
    bench.watcher.follow([(bench.file(), None), (bench.at("features.mliot"), Some(Hash::of_bytes(b"a")))]);
    fs::write(bench.at("features.mliot"), "b").unwrap();
    let notice = bench.notices.recv_timeout(ARRIVES).unwrap();
    assert_eq!((notice.path, notice.seen), (bench.at("features.mliot"), Seen::Text("b".into())));
    bench.watcher.follow([(bench.file(), None)]);
    fs::write(bench.at("features.mliot"), "c").unwrap();
    bench.sees_nothing();
}
