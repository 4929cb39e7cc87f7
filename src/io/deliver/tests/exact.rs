//! Sinks whose process ends at any moment, and every row in exactly one file, once.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, cast::AsArray};
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use crate::base::Span;
use crate::ir::{Column, CsvOptions, Type};

use super::super::*;

fn schema() -> Schema {
    let column = |name: &str, ty| Column { name: name.into(), ty, nullable: true, span: Span::default() };
    Schema { columns: vec![column("n", Type::Int), column("dev", Type::Text)], ..Schema::default() }
}

/// Rows numbered from `first` on, of two devices in turn.
fn rows(first: u64, count: u64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((first..first + count).map(|n| n as i64)));
    let devices = (first..first + count).map(|n| if n % 2 == 0 { "a" } else { "b" });
    let devices: ArrayRef = Arc::new(StringArray::from_iter_values(devices));
    RecordBatch::try_from_iter([("n", numbers), ("dev", devices)]).unwrap()
}

#[derive(Default)]
struct Begun(Mutex<Vec<FileMark>>);

impl Ledger for Begun {
    fn begin(&self, mark: FileMark) -> Result<(), Diagnostic> {
        self.0.lock().unwrap().push(mark);
        Ok(())
    }
}

/// What survives a process: committed marks with the number of rows that they say, and files begun since.
struct Disk<'a> {
    folder: &'a Path,
    path: &'static str,
    format: FileFormat,
    committed: (u64, SinkMark),
    begun: Arc<Begun>,
}

impl Disk<'_> {
    fn open(&self) -> Box<dyn Deliver> {
        let begun: Vec<FileMark> = self.begun.0.lock().unwrap().clone();
        settle([&self.committed.1], &begun).unwrap();
        let accept = Accept {
            connector: Connector::File(FileConnector { path: self.path.into(), format: self.format.clone() }),
            keeps: false,
        };
        let keep = Keep { mark: self.committed.1.clone(), ledger: self.begun.clone() };
        deliver(&"out".into(), &accept, &schema(), &Place::beside(self.folder), Mode::Live, Some(&keep)).unwrap()
    }

    /// As an epoch does: what stands is committed, and only then gets its name, unless the process ends between the two.
    fn commit(&mut self, sink: &mut dyn Deliver, delivered: u64, publishes: bool) {
        let exact = sink.exact().unwrap();
        self.committed = (delivered - exact.open_rows(), exact.mark().unwrap());
        self.begun.0.lock().unwrap().clear();
        if publishes {
            self.committed.1.files.iter().for_each(|mark| mark.publish().unwrap());
        }
    }
}

/// A process that has just ended may have left half a line, or half a file.
fn tear(folder: &Path, path: &str, format: &FileFormat) {
    let whole = folder.join(path);
    let grows = matches!(format, FileFormat::Csv(_) | FileFormat::Jsonl);
    if grows && let Ok(mut file) = OpenOptions::new().append(true).open(&whole) {
        file.write_all(b"{\"n\": 12").unwrap();
    }
    if whole.parent().is_some_and(Path::exists) {
        let name = whole.file_name().unwrap().to_string_lossy().into_owned();
        let _ = fs::write(whole.with_file_name(format!(".{name}.half.part")), b"half a file");
    }
}

/// How often each row is in visible files, and the order of the rows of each file.
fn written(folder: &Path, format: &FileFormat) -> BTreeMap<i64, usize> {
    let mut all = BTreeMap::new();
    for path in files(folder) {
        let numbers = numbers(&path, format);
        assert!(numbers.is_sorted(), "{}: {numbers:?}", path.display());
        numbers.into_iter().for_each(|n| *all.entry(n).or_default() += 1);
    }
    all
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let visible = files.into_iter().filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    visible.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

fn numbers(path: &Path, format: &FileFormat) -> Vec<i64> {
    match format {
        FileFormat::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
            reader.flat_map(|rows| rows.unwrap().column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
        }
        FileFormat::Csv(_)
        | FileFormat::Jsonl
        | FileFormat::Json
        | FileFormat::Arrow
        | FileFormat::Msgpack
        | FileFormat::Wav
        | FileFormat::Images
        | FileFormat::Idx { .. } => {
            let mut text = String::new();
            crate::io::open::bytes(path).unwrap().read_to_string(&mut text).unwrap();
            let digits = |line: &str| line.chars().filter(char::is_ascii_digit).collect::<String>();
            text.lines()
                .filter(|line| line.contains(|sign: char| sign.is_ascii_digit()))
                .map(|line| digits(line).parse().unwrap())
                .collect()
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Rows(u64),
    Close,
    Commit,
    /// Committed, and ended before anything got its name.
    CommitAndEnd,
    End,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        5 => (1u64..5).prop_map(Act::Rows),
        2 => Just(Act::Close),
        2 => Just(Act::Commit),
        1 => Just(Act::CommitAndEnd),
        2 => Just(Act::End),
    ];
    prop::collection::vec(act, 1..30)
}

fn run(path: &'static str, format: FileFormat, acts: &[Act]) {
    let temp = tempfile::tempdir().unwrap();
    let mut disk =
        Disk { folder: temp.path(), path, format: format.clone(), committed: (0, SinkMark::default()), begun: Arc::default() };
    let (mut sink, mut delivered, mut accepted) = (disk.open(), 0, 0);
    for act in acts.iter().chain([&Act::Close, &Act::Commit]) {
        match *act {
            Act::Rows(count) => {
                accepted += count;
                sink.deliver(&rows(delivered, count)).unwrap();
                delivered += count;
            }
            Act::Close => sink.exact().unwrap().close().unwrap(),
            Act::Commit => disk.commit(sink.as_mut(), delivered, true),
            Act::CommitAndEnd | Act::End => {
                if matches!(act, Act::CommitAndEnd) {
                    disk.commit(sink.as_mut(), delivered, false);
                }
                std::mem::forget(sink);
                if !path.contains('{') && matches!(act, Act::End) {
                    tear(temp.path(), path, &format);
                    let held = temp.path().join(format!(".{path}.half.part"));
                    disk.begun.begin(FileMark::Segment { aside: held.display().to_string(), path: path.into() }).unwrap();
                }
                sink = disk.open();
                // What does not stand comes again.
                delivered = disk.committed.0;
                if accepted > delivered {
                    sink.deliver(&rows(delivered, accepted - delivered)).unwrap();
                    delivered = accepted;
                }
            }
        }
    }
    let all = written(temp.path(), &format);
    let wanted: BTreeMap<i64, usize> = (0..accepted as i64).map(|n| (n, 1)).collect();
    assert_eq!(all, wanted, "{path}: {acts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_there_once_whenever_the_process_ends(acts in acts()) {
        let csv = || FileFormat::Csv(CsvOptions::default());
        run("out.jsonl", FileFormat::Jsonl, &acts);
        run("out.csv", csv(), &acts);
        run("out.csv.gz", csv(), &acts);
        run("out-{dev}.jsonl", FileFormat::Jsonl, &acts);
        run("lines/", FileFormat::Jsonl, &acts);
        run("out.parquet", FileFormat::Parquet, &acts);
        run("out-{dev}.parquet", FileFormat::Parquet, &acts);
        run("tables/", FileFormat::Parquet, &acts);
    }
}

#[test]
fn a_file_that_somebody_has_put_there_meanwhile_is_not_cut() {
    let temp = tempfile::tempdir().unwrap();
    let mut disk = Disk {
        folder: temp.path(),
        path: "out.jsonl",
        format: FileFormat::Jsonl,
        committed: (0, SinkMark::default()),
        begun: Arc::default(),
    };
    let mut sink = disk.open();
    sink.deliver(&rows(0, 2)).unwrap();
    disk.commit(sink.as_mut(), 2, true);
    drop(sink);
    let other = temp.path().join("other");
    fs::write(&other, "a longer text of somebody else, which is longer than what was there\n").unwrap();
    fs::rename(&other, temp.path().join("out.jsonl")).unwrap();
    drop(disk.open());
    assert!(fs::read_to_string(temp.path().join("out.jsonl")).unwrap().starts_with("a longer text"));
}

#[test]
fn a_segment_does_not_take_the_place_of_somebody_elses_file() {
    let temp = tempfile::tempdir().unwrap();
    let mut disk = Disk {
        folder: temp.path(),
        path: "out.parquet",
        format: FileFormat::Parquet,
        committed: (0, SinkMark::default()),
        begun: Arc::default(),
    };
    let mut sink = disk.open();
    sink.deliver(&rows(0, 2)).unwrap();
    sink.exact().unwrap().close().unwrap();
    fs::write(temp.path().join("out.parquet"), "mine").unwrap();
    disk.commit(sink.as_mut(), 2, true);
    assert_eq!(fs::read(temp.path().join("out.parquet")).unwrap(), b"mine");
    assert_eq!(numbers(&temp.path().join("out-2.parquet"), &FileFormat::Parquet), [0, 1]);
}
