//! Files that grow, are rotated, emptied, replaced and taken away, on a real disk.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use crate::io::place::Mode;
use crate::io::testing::{Source, column, float, lines};
use crate::ir::{CsvOptions, FileFormat, Origin, TailFrom, Type};

use super::*;

/// Looks each time, and leaves files at once that are gone.
const AT_ONCE: TailLimits = TailLimits { poll: Duration::ZERO, poll_without_events: Duration::ZERO, linger: Duration::ZERO };

/// Looks each time, and never leaves a file that is gone.
const PATIENT: TailLimits = TailLimits { linger: Duration::from_secs(3_600), ..AT_ONCE };

struct Bench {
    folder: tempfile::TempDir,
    place: Place,
    spec: Arc<Spec>,
    connector: TailConnector,
}

impl Bench {
    fn new(path: &str, format: FileFormat, from: TailFrom) -> Bench {
        Bench::of(path, format, from, vec![column("x", float(), false)])
    }

    fn of(path: &str, format: FileFormat, from: TailFrom, columns: Vec<crate::ir::SourceColumn>) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::beside(folder.path());
        let connector = TailConnector { path: path.into(), format, from };
        Bench { folder, place, spec: spec(columns), connector }
    }

    fn jsonl(from: TailFrom) -> Bench {
        Bench::new("a.log", FileFormat::Jsonl, from)
    }

    fn csv(from: TailFrom) -> Bench {
        Bench::new("a.csv", FileFormat::Csv(CsvOptions::default()), from)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn add(&self, name: &str, text: &str) {
        add(&self.path(name), text);
    }

    /// Rows of `x`, one JSON object a line.
    fn rows(&self, name: &str, rows: std::ops::Range<u32>) {
        self.add(name, &rows.map(|row| format!("{{\"x\":{row}}}\n")).collect::<String>());
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn open(&self) -> Tail {
        self.with(AT_ONCE)
    }

    fn with(&self, limits: TailLimits) -> Tail {
        Tail::with(&self.spec, &self.connector, &self.place, limits).unwrap()
    }

    fn again(&self, positions: &[TailPosition]) -> Tail {
        let mut tail = self.open();
        tail.resume(positions).unwrap();
        tail
    }
}

fn spec(columns: Vec<crate::ir::SourceColumn>) -> Arc<Spec> {
    let source = Source::of(None, None, columns);
    Arc::new(Spec::new(&"room".into(), Mode::Live, &source.decode(), &source.gate(), &source.schema()).unwrap())
}

fn add(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Rows, and what is bad as `origin reason`.
#[derive(Default)]
struct Got {
    rows: Vec<String>,
    bad: Vec<String>,
}

impl Got {
    fn put(&mut self, tail: &mut Tail, block: &Block) {
        tail.delivered(&block.at, &block.aside);
        self.rows.extend(lines(&block.rows));
        self.bad.extend(block.aside.bad.iter().map(|bad| format!("{} {}", bad.origin, bad.reason)));
    }
}

/// Until nothing more has come.
fn drain(tail: &mut Tail) -> Got {
    let (mut got, place, mut quiet) = (Got::default(), tail.place.clone(), 0);
    // One look may only notice that a file is gone, and the next one leaves it.
    while quiet < 3 {
        match tail.next(&place).unwrap() {
            Some(block) => got.put(tail, &block),
            None => quiet += 1,
        }
    }
    got
}

fn rows(tail: &mut Tail) -> String {
    drain(tail).rows.join(" ")
}

#[test]
fn lines_count_when_their_end_has_come() {
    let bench = Bench::jsonl(TailFrom::Start);
    bench.add("a.log", "{\"x\":1}\n{\"x\"");
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "1");
    bench.add("a.log", ":2}");
    assert_eq!(rows(&mut tail), "");
    bench.add("a.log", "\n\n{\"x\":3}\n");
    assert_eq!(rows(&mut tail), "2 3");
}

#[test]
fn from_the_end_a_half_line_is_read_whole_and_what_was_there_is_not() {
    let bench = Bench::jsonl(TailFrom::End);
    bench.add("a.log", "{\"x\":1}\nnonsense\n{\"x\"");
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "");
    bench.add("a.log", ":2}\nwrong\n");
    let got = drain(&mut tail);
    assert_eq!(
        (got.rows.join(" "), got.bad),
        ("2".to_owned(), vec!["a.log:4 no JSON: expected value at line 1 column 1".to_owned()])
    );
}

#[test]
fn a_file_that_does_not_exist_yet_is_read_from_its_beginning() {
    let bench = Bench::new("logs/day/*.log", FileFormat::Jsonl, TailFrom::End);
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "");
    fs::create_dir_all(bench.path("logs/day")).unwrap();
    bench.rows("logs/day/a.log", 0..2);
    assert_eq!(rows(&mut tail), "0 1");
    bench.rows("logs/day/b.log", 2..3);
    bench.rows("logs/day/a.log", 3..4);
    let mut all: Vec<String> = drain(&mut tail).rows;
    all.sort();
    assert_eq!(all, ["2", "3"]);
}

#[test]
fn after_a_rename_the_old_file_is_read_to_its_end_before_the_new_one() {
    let bench = Bench::jsonl(TailFrom::Start);
    bench.rows("a.log", 0..2);
    let mut tail = bench.with(PATIENT);
    assert_eq!(rows(&mut tail), "0 1");
    bench.rows("a.log", 2..4);
    bench.rename("a.log", "a.log.1");
    bench.rows("a.log", 5..7);
    // Its writer has not noticed yet.
    bench.rows("a.log.1", 4..5);
    assert_eq!(rows(&mut tail), "2 3 4 5 6");
    bench.rows("a.log.1", 7..8);
    assert_eq!(rows(&mut tail), "7");
}

#[test]
fn two_rotations_between_two_looks_lose_nothing_that_is_still_there() {
    let bench = Bench::new("a*.log", FileFormat::Jsonl, TailFrom::Start);
    bench.rows("a.log", 0..1);
    let mut tail = bench.with(PATIENT);
    assert_eq!(rows(&mut tail), "0");
    bench.rows("a.log", 1..2);
    bench.rename("a.log", "a-1.log");
    bench.rows("a.log", 2..3);
    bench.rename("a.log", "a-2.log");
    bench.rows("a.log", 3..4);
    let mut all = drain(&mut tail).rows;
    all.sort();
    assert_eq!(all, ["1", "2", "3"]);
}

#[test]
fn a_file_that_is_left_in_the_middle_of_a_line_says_so() {
    let bench = Bench::jsonl(TailFrom::Start);
    bench.add("a.log", "{\"x\":1}\n{\"x\":");
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "1");
    fs::remove_file(bench.path("a.log")).unwrap();
    assert_eq!(drain(&mut tail).bad, ["a.log:2 the file was left in the middle of this line"]);
    assert_eq!(tail.position(), []);
    bench.rows("a.log", 5..6);
    assert_eq!(rows(&mut tail), "5");
}

#[test]
fn a_file_that_is_copied_and_emptied_begins_anew() {
    let bench = Bench::csv(TailFrom::Start);
    bench.add("a.csv", "y,x\n0,1\n0,2\n");
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "1 2");
    fs::copy(bench.path("a.csv"), bench.path("a.csv.1")).unwrap();
    fs::write(bench.path("a.csv"), "").unwrap();
    // The writer does not know of it, and writes no header again.
    bench.add("a.csv", "0,3\n");
    assert_eq!(rows(&mut tail), "3");
    fs::write(bench.path("a.csv"), "x,y\n4,0\n").unwrap();
    assert_eq!(rows(&mut tail), "4");
}

#[test]
fn a_file_that_is_written_anew_and_has_grown_beyond_is_noticed_by_its_head() {
    let bench = Bench::jsonl(TailFrom::Start);
    bench.rows("a.log", 0..2);
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "0 1");
    fs::write(bench.path("a.log"), "{\"x\":10}\n{\"x\":11}\n{\"x\":12}\n").unwrap();
    assert_eq!(rows(&mut tail), "10 11 12");
    // The same bytes and more are the same file.
    fs::write(bench.path("a.log"), "{\"x\":10}\n{\"x\":11}\n{\"x\":12}\n{\"x\":13}\n").unwrap();
    assert_eq!(rows(&mut tail), "13");
}

#[test]
fn a_file_that_is_replaced_is_another_one() {
    let bench = Bench::jsonl(TailFrom::Start);
    bench.rows("a.log", 0..3);
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "0 1 2");
    bench.rows("new", 3..4);
    bench.rename("new", "a.log");
    assert_eq!(rows(&mut tail), "3");
    fs::remove_file(bench.path("a.log")).unwrap();
    assert_eq!(rows(&mut tail), "");
    bench.rows("a.log", 4..5);
    assert_eq!(rows(&mut tail), "4");
}

#[cfg(unix)]
#[test]
fn a_link_that_is_turned_leads_to_another_file_and_back() {
    let bench = Bench::new("now", FileFormat::Jsonl, TailFrom::Start);
    let turn = |to: &str| {
        std::os::unix::fs::symlink(to, bench.path("link")).unwrap();
        bench.rename("link", "now");
    };
    bench.rows("day1", 0..1);
    bench.rows("day2", 10..11);
    turn("day1");
    let mut tail = bench.open();
    assert_eq!(rows(&mut tail), "0");
    bench.rows("day1", 1..2);
    turn("day2");
    assert_eq!(rows(&mut tail), "1 10");
    bench.rows("day2", 11..12);
    assert_eq!(rows(&mut tail), "11");
    turn("day1");
    bench.rows("day1", 2..3);
    assert_eq!(rows(&mut tail), "2");
}

#[test]
fn a_position_finds_its_file_under_another_name() {
    let bench = Bench::jsonl(TailFrom::End);
    let mut tail = bench.open();
    bench.rows("a.log", 0..2);
    assert_eq!(rows(&mut tail), "0 1");
    let kept: Vec<TailPosition> = serde_json::from_str(&serde_json::to_string(&tail.position()).unwrap()).unwrap();
    drop(tail);
    bench.rows("a.log", 2..3);
    bench.rename("a.log", "a.log.1");
    bench.rows("a.log", 3..4);
    let mut tail = bench.again(&kept);
    assert_eq!((rows(&mut tail).as_str(), tail.take_notes().len()), ("2 3", 0));

    let kept = tail.position();
    fs::remove_file(bench.path("a.log")).unwrap();
    fs::write(bench.path("other"), "x").unwrap();
    bench.rows("a.log", 10..11);
    let mut tail = bench.again(&kept);
    assert_eq!(rows(&mut tail), "10");
    // Where the number was given to another file, the first bytes tell.
    let notes = tail.take_notes();
    assert_eq!((notes.len(), notes[0].code), (1, crate::diag::Code::R0711));
}

#[test]
fn rows_that_were_not_taken_are_read_again_in_their_new_meaning_and_bad_ones_are_told_once() {
    let bench = Bench::of("a.log", FileFormat::Jsonl, TailFrom::Start, vec![column("x", float(), false)]);
    bench.add("a.log", "{\"x\":1,\"y\":5}\n\n{\"x\":2,\"y\":6}\nwrong\n{\"x\":3,\"y\":7}\n");
    let mut tail = bench.open();
    let block = tail.next(&bench.place).unwrap().unwrap();
    tail.delivered(&block.at[..1], &block.aside);
    let kept = tail.position();
    assert_eq!((kept[0].byte, kept[0].line, kept[0].aside > kept[0].byte), (14, 2, true));
    tail.retune(&spec(vec![column("y", float(), false)])).unwrap();
    let got = drain(&mut tail);
    assert_eq!((got.rows.join(" "), got.bad.len()), ("6 7".to_owned(), 0));
    let got = drain(&mut bench.again(&kept));
    assert_eq!((got.rows.join(" "), got.bad.len()), ("2 3".to_owned(), 0));
    assert!(tail.retune(&spec(vec![column("z", Type::Tensor(vec![]), false)])).is_ok());
}

#[test]
fn a_header_that_lacks_a_column_is_said_before_anything_runs_and_is_bad_later() {
    let bench = Bench::csv(TailFrom::Start);
    bench.add("a.csv", "y\n1\n");
    let error = Tail::with(&bench.spec, &bench.connector, &bench.place, AT_ONCE).map(|_| ()).unwrap_err();
    assert_eq!(error.code, crate::diag::Code::E0714);
    let bench = Bench::csv(TailFrom::Start);
    let mut tail = bench.open();
    bench.add("a.csv", "y\nx\n1\n");
    let got = drain(&mut tail);
    assert_eq!((got.rows.join(" "), got.bad.len()), ("1".to_owned(), 1));
    assert!(got.bad[0].starts_with("a.csv:1 `a.csv` has no column \"x\""), "{:?}", got.bad);
}

#[test]
fn a_file_without_a_header_is_read_by_position_from_its_end() {
    let mut x = column("x", float(), false);
    x.origin = Origin::Position(2);
    let options = CsvOptions { header: false, ..CsvOptions::default() };
    let bench = Bench::of("a.csv", FileFormat::Csv(options), TailFrom::End, vec![x]);
    bench.add("a.csv", "0,1\n");
    let mut tail = bench.open();
    bench.add("a.csv", "0,2\n0,\"3\n\"\n0,4\n");
    let got = drain(&mut tail);
    assert_eq!((got.rows.join(" "), got.bad.len()), ("2 3 4".to_owned(), 0), "{:?}", got.bad);
}

#[test]
fn paths_fill_columns_and_a_misfit_is_said_once() {
    let mut nth = column("nth", Type::Int, false);
    nth.origin = Origin::Pattern("nth".into());
    let bench = Bench::of("r{nth}.log", FileFormat::Jsonl, TailFrom::Start, vec![column("x", float(), false), nth]);
    bench.rows("r7.log", 1..2);
    let mut tail = bench.open();
    bench.rows("r8.log", 2..3);
    bench.rows("rx.log", 3..4);
    assert_eq!(rows(&mut tail), "1,7 2,8");
    let notes = tail.take_notes();
    assert!(notes.len() == 1 && notes[0].message.contains("`rx.log` does not fit"), "{notes:?}");
}

#[test]
fn a_line_without_an_end_is_bad_and_the_next_one_is_read() {
    let bench = Bench::jsonl(TailFrom::Start);
    let mut tail = bench.open();
    bench.add("a.log", &"y".repeat(crate::io::lines::LINE_BYTES_MAX + 10));
    let got = drain(&mut tail);
    assert_eq!(got.bad, ["a.log:1 the line is longer than 16 MiB"]);
    let kept = tail.position();
    assert!(kept[0].skipping);
    bench.add("a.log", "yy\n{\"x\":1}\nno\n");
    for mut tail in [tail, bench.again(&kept)] {
        let got = drain(&mut tail);
        assert_eq!((got.rows.join(" "), got.bad[0].starts_with("a.log:3 ")), ("1".to_owned(), true), "{:?}", got.bad);
    }
}

#[test]
fn a_file_goes_on_where_its_recording_ended() {
    use crate::io::Intake;
    use crate::ir::{Connector, FileConnector};
    use crate::node::Ordinal;
    let bench = Bench::csv(TailFrom::End);
    bench.add("a.csv", "x\n1\n");
    let format = FileFormat::Csv(CsvOptions::default());
    let recorded = Connector::File(FileConnector { path: "a.csv".into(), format });
    let live = Connector::Tail(bench.connector.clone());
    let source = Source::of(Some(recorded), Some(live), vec![column("x", float(), false)]);
    let open = |mode| source.open(mode, &bench.place).unwrap();
    let taken = |intake: &mut Intake| lines(&intake.take(9, None, Ordinal(0)).unwrap().batch.rows).join(" ");
    // Both are opened at the start, and the recording is read while the file grows.
    let (mut tail, mut recording) = (open(Mode::Live), open(Mode::Recorded));
    assert_eq!(taken(&mut recording), "1");
    assert_eq!(taken(&mut recording), "");
    drop(recording);
    bench.add("a.csv", "2\n");
    let mut recording = open(Mode::Recorded);
    assert_eq!(taken(&mut recording), "1 2");
    assert_eq!(taken(&mut recording), "");
    bench.add("a.csv", "3\n");
    tail.follow(&recording.position());
    assert_eq!(taken(&mut tail), "3");
}

/// Rows that were kept when they were drawn come again without their file, and what follows is read behind them.
#[test]
fn what_was_kept_needs_no_file_and_the_rest_is_read_behind_it() {
    use crate::io::{Draw, Kept, Pending};
    use crate::ir::Connector;
    use crate::node::Ordinal;
    let bench = Bench::jsonl(TailFrom::Start);
    let source = Source::of(None, Some(Connector::Tail(bench.connector.clone())), vec![column("x", float(), false)]);
    let mut intake = source.open(Mode::Live, &bench.place).unwrap();
    let began = intake.position();
    bench.rows("a.log", 0..3);
    bench.add("a.log", "nonsense\n");
    while intake.pending().unwrap() == (Pending::Idle { until: None }) {
        std::thread::yield_now();
    }
    let taken = intake.take(2, None, Ordinal(0)).unwrap();
    let stands = Some(intake.position().input);
    let kept = Some(Kept { rows: taken.batch.rows, bad: taken.bad, stands });
    let draw = Draw { rows: 2, bad: 1, read: taken.read, silence: None, kept };
    drop(intake);
    bench.rename("a.log", "a.log.1");
    bench.rows("a.log", 3..4);

    let mut again = source.open_from(Mode::Live, &bench.place, &began).unwrap();
    let redone = again.redo(&draw, Ordinal(0)).unwrap();
    assert_eq!((lines(&redone.batch.rows).join(" "), redone.bad.unwrap().num_rows()), ("0 1".to_owned(), 1));
    let mut rest = Vec::new();
    while rest.len() < 2 {
        if let Pending::Rows { .. } = again.pending().unwrap() {
            let taken = again.take(9, None, Ordinal(2)).unwrap();
            assert!(taken.bad.is_none());
            rest.extend(lines(&taken.batch.rows));
        }
    }
    assert_eq!((rest.join(" "), again.position().records), ("2 3".to_owned(), 5));
}

/// What happens to a log between two looks.
#[derive(Clone, Copy, Debug)]
enum Act {
    Add,
    Half,
    Rename,
    Look,
    Restart,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is written, however it is rotated, and whenever the program begins again: each line comes once, in its order.
    #[test]
    fn each_line_comes_once_and_in_order(
        acts in prop::collection::vec(prop::sample::select(vec![
            Act::Add, Act::Add, Act::Half, Act::Rename, Act::Look, Act::Look, Act::Restart,
        ]), 1..40),
    ) {
        let bench = Bench::jsonl(TailFrom::Start);
        let mut tail = bench.with(PATIENT);
        let (mut next, mut half, mut got) = (0, false, Vec::new());
        for (nth, act) in acts.into_iter().enumerate() {
            match act {
                Act::Add => {
                    let begin = if half { "" } else { "{\"x\":" };
                    bench.add("a.log", &format!("{begin}{next}}}\n"));
                    (next, half) = (next + 1, false);
                }
                Act::Half if !half => {
                    bench.add("a.log", "{\"x\":");
                    half = true;
                }
                // A rotation in the middle of a line, or of a file that was not looked at, loses what nobody can find again.
                Act::Rename if !half && bench.path("a.log").exists() => {
                    got.extend(drain(&mut tail).rows);
                    bench.rename("a.log", &format!("a.log.{nth}"));
                }
                Act::Half | Act::Rename => {}
                Act::Look => got.extend(drain(&mut tail).rows),
                Act::Restart => {
                    let kept = tail.position();
                    tail = bench.with(PATIENT);
                    tail.resume(&kept).unwrap();
                }
            }
        }
        got.extend(drain(&mut tail).rows);
        prop_assert_eq!(got, (0..next).map(|row| row.to_string()).collect::<Vec<_>>());
    }
}
