//! Rows that come through a journal: across restarts, edits, and damage.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration as Wait, Instant};

use crate::base::Time;
use crate::io::testing::{All, Source, column, drain, float, lines, take_some};
use crate::io::{InputPosition, Intake, Mode, Place, Position};
use crate::ir::{Connector, CsvOptions, Origin, Type};

use super::*;

fn at() -> HttpConnector {
    HttpConnector { host: "127.0.0.1".into(), port: 1, path: Some("/rows/room".into()) }
}

fn room() -> Source {
    Source::of(None, Some(Connector::Http(at())), vec![column("x", float(), false)])
}

fn place(state: &Path) -> Place {
    Place { live: Some(Arc::new(Live::at(state))), ..Place::beside(".") }
}

fn post(place: &Place, body: &str) -> u64 {
    let (sender, told) = channel();
    let inlet = place.live.as_ref().unwrap().inlets().get(&at()).unwrap();
    inlet.put(body.as_bytes(), None, 100, Box::new(move |taken| _ = sender.send(taken)));
    told.recv().unwrap().unwrap().first
}

fn open(source: &Source, place: &Place) -> Intake {
    source.open(Mode::Live, place).unwrap_or_else(|error| panic!("{error:?}"))
}

fn journal(position: &Position) -> (u64, u64) {
    match position.input {
        InputPosition::Journal { sequence, aside } => (sequence, aside),
        _ => panic!("{position:?}"),
    }
}

/// Of an intake that was opened at a position, whose counts are of its own rows alone.
fn rest(intake: &mut Intake) -> All {
    let mut all = All::default();
    take_some(intake, 9, usize::MAX, &mut all).unwrap();
    all
}

#[test]
fn what_was_acknowledged_comes_again_until_it_is_trimmed() {
    let state = tempfile::tempdir().unwrap();
    let first = place(state.path());
    let mut intake = open(&room(), &first);
    post(&first, "{\"x\":1}\n{\"x\":2}");
    let mut all = All::default();
    take_some(&mut intake, 1, 1, &mut all).unwrap();
    let kept = intake.position();
    assert_eq!((all.rows.join(" "), journal(&kept)), ("1".to_owned(), (1, 1)));
    assert_eq!(post(&first, "[{\"x\":3}]"), 2);
    assert_eq!(drain(&mut intake, 9).rows, ["2", "3"]);
    drop((intake, first));

    let second = place(state.path());
    let mut intake = open(&room(), &second);
    assert_eq!(drain(&mut intake, 9).rows, ["1", "2", "3"]);
    drop((intake, second));

    let third = place(state.path());
    let mut intake = room().open_from(Mode::Live, &third, &kept).unwrap();
    intake.acknowledge(&kept);
    assert_eq!(rest(&mut intake).rows, ["2", "3"]);
    let end = intake.position();
    assert_eq!((end.rows, end.records, journal(&end)), (3, 3, (3, 3)));
    intake.acknowledge(&end);
    drop((intake, third));
    let fourth = place(state.path());
    let mut intake = open(&room(), &fourth);
    assert_eq!(drain(&mut intake, 9).rows, [""; 0]);
    assert_eq!(post(&fourth, "{\"x\":4}"), 3);
    assert_eq!(drain(&mut intake, 9).rows, ["4"]);
}

#[test]
fn rows_carry_when_they_came_and_their_number() {
    let state = tempfile::tempdir().unwrap();
    let mut source = room();
    source.columns.extend([column("came", Type::Time, false), column("nth", Type::Int, false)]);
    (source.columns[1].origin, source.columns[2].origin) = (Origin::Arrival, Origin::Row);
    let hand = crate::io::testing::Hand::default();
    let place = Place { now: Arc::new(hand.clone()), ..place(state.path()) };
    let mut intake = open(&source, &place);
    for seconds in [5, 7] {
        hand.set(Time(seconds * 1_000_000));
        post(&place, "{\"x\":1}\n{\"x\":2}");
    }
    hand.set(Time(99_000_000));
    let rows = drain(&mut intake, 9).rows;
    assert_eq!(
        rows,
        ["1,1970-01-01T00:00:05Z,1", "2,1970-01-01T00:00:05Z,2", "1,1970-01-01T00:00:07Z,3", "2,1970-01-01T00:00:07Z,4"]
    );
}

/// Another version of a source takes over where the running one stands, and what waits is read in its new meaning.
#[test]
fn an_edit_loses_nothing_and_doubles_nothing() {
    let state = tempfile::tempdir().unwrap();
    let place = place(state.path());
    let mut intake = open(&room(), &place);
    post(&place, "{\"x\":1,\"y\":10}\n{\"x\":2,\"y\":20}\n{\"x\":3,\"y\":30}");
    let mut all = All::default();
    take_some(&mut intake, 1, 1, &mut all).unwrap();
    let mut wanted = room();
    wanted.columns[0] = column("y", float(), false);
    intake.retune(&wanted.decode(), &wanted.gate(), &wanted.schema()).unwrap();
    take_some(&mut intake, 1, 1, &mut all).unwrap();

    let mut other = open(&room(), &place);
    post(&place, "{\"x\":4,\"y\":40}");
    other.follow(&intake.position());
    drop(intake);
    all.rows.extend(drain(&mut other, 9).rows);
    assert_eq!(all.rows, ["1", "20", "3", "4"]);
}

#[test]
fn what_stands_aside_is_told_once() {
    let state = tempfile::tempdir().unwrap();
    let place_one = place(state.path());
    let mut intake = open(&room(), &place_one);
    post(&place_one, "{\"x\":1,\"y\":1}\n{\"x\":2}\n{\"x\":3,\"y\":3}\n{\"x\":4}");
    let mut strict = room();
    strict.columns.push(column("y", float(), false));
    intake.retune(&strict.decode(), &strict.gate(), &strict.schema()).unwrap();
    let mut all = All::default();
    take_some(&mut intake, 1, 1, &mut all).unwrap();
    let kept = intake.position();
    assert_eq!((all.bad.len(), journal(&kept)), (2, (1, 4)));
    assert_eq!(all.bad[0], ("`y` is missing".to_owned(), "/rows/room:2".to_owned()));
    drop((intake, place_one));
    let place_two = place(state.path());
    let mut intake = strict.open_from(Mode::Live, &place_two, &kept).unwrap();
    let rest = rest(&mut intake);
    assert_eq!((rest.rows.join(" "), rest.bad.len(), journal(&intake.position()).0), ("3,3".to_owned(), 0, 4));
}

#[test]
fn damage_is_a_bad_record_and_a_finding() {
    let state = tempfile::tempdir().unwrap();
    let first = place(state.path());
    let intake = open(&room(), &first);
    ["{\"x\":1}", "{\"x\":2}", "{\"x\":3}"].iter().for_each(|body| _ = post(&first, body));
    drop((intake, first));
    let path = state.path().join("journal/room/00000000000000000000.log");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let second = place(state.path());
    let mut intake = open(&room(), &second);
    let all = drain(&mut intake, 9);
    assert_eq!((all.rows.join(" "), all.bad.len()), ("1 3".to_owned(), 1));
    assert!(all.bad[0].0.contains("1 records cannot be read"), "{:?}", all.bad);
    let notes = intake.take_notes();
    assert_eq!((notes.len(), notes[0].code), (1, crate::diag::Code::R0716));
}

#[test]
fn without_a_state_folder_nothing_is_taken() {
    let error = room().open(Mode::Live, &Place::beside(".")).map(|_| ()).unwrap_err();
    assert!(error.message.contains("in a live run only"), "{}", error.message);
}

fn next(received: &mut Received) -> Option<Block> {
    let began = Instant::now();
    loop {
        match received.next().unwrap() {
            None if !received.is_over() && began.elapsed() < Wait::from_secs(20) => std::thread::yield_now(),
            block => return block,
        }
    }
}

fn stdin_spec() -> Arc<Spec> {
    let source = Source::of(None, None, vec![column("x", float(), false), column("t", Type::Text, true)]);
    Arc::new(Spec::new(&"room".into(), Mode::Live, &source.decode(), &source.gate(), &source.schema()).unwrap())
}

#[test]
fn the_standard_input_is_kept_with_its_header() {
    let state = tempfile::tempdir().unwrap();
    let format = FileFormat::Csv(CsvOptions::default());
    let first = place(state.path());
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut stdin = Received::over(&stdin_spec(), &format, first.live.as_ref().unwrap(), &first, reader).unwrap();
    writer.write_all(b"t,x\na,1\nb,2\n").unwrap();
    let block = next(&mut stdin).unwrap();
    assert_eq!(lines(&block.rows)[0], "1,a");
    stdin.delivered(&block.at[..1], &Aside::default());
    let (sequence, aside) = stdin.position();
    assert_eq!(sequence, 1);
    writer.write_all(b"c,3\n").unwrap();
    drop(writer);
    while let Some(block) = next(&mut stdin) {
        stdin.delivered(&block.at, &Aside::default());
    }
    assert!(stdin.is_over());
    drop((stdin, first));

    // Another process, whose input has its fields in another order.
    let second = place(state.path());
    let input: &[u8] = b"x,t\n4,d\n";
    let mut stdin = Received::over(&stdin_spec(), &format, second.live.as_ref().unwrap(), &second, input).unwrap();
    stdin.resume(sequence, aside).unwrap();
    let mut rows = Vec::new();
    while let Some(block) = next(&mut stdin) {
        rows.extend(lines(&block.rows));
        stdin.delivered(&block.at, &block.aside);
    }
    assert_eq!(rows, ["2,b", "3,c", "4,d"]);
    let other = Received::over(&stdin_spec(), &FileFormat::Parquet, second.live.as_ref().unwrap(), &second, std::io::empty());
    assert!(other.is_err());
}

/// Gives one line at each reading.
struct OneByOne(Vec<String>);

impl std::io::Read for OneByOne {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Some(line) = self.0.pop() else { return Ok(0) };
        out[..line.len()].copy_from_slice(line.as_bytes());
        Ok(line.len())
    }
}

#[test]
fn a_stream_that_cannot_be_kept_waits_and_says_so() {
    let state = tempfile::tempdir().unwrap();
    let limits = crate::io::JournalLimits { bytes_max: 2_000, ..Default::default() };
    let place = Place { live: Some(Arc::new(Live::with(state.path(), limits))), ..Place::beside(".") };
    let line = format!("{{\"x\":1,\"t\":\"{}\"}}\n", "y".repeat(700));
    let input = OneByOne(vec![line; 6]);
    let mut stdin = Received::over(&stdin_spec(), &FileFormat::Jsonl, place.live.as_ref().unwrap(), &place, input).unwrap();
    let (mut rows, mut told, began) = (0, false, Instant::now());
    while rows < 6 && began.elapsed() < Wait::from_secs(20) {
        if let Some(block) = stdin.next().unwrap() {
            rows += block.len();
            stdin.delivered(&block.at, &block.aside);
        }
        told |= stdin.take_notes().iter().any(|note| note.code == crate::diag::Code::R0715);
        // Only once it has waited is anything trimmed.
        if told {
            stdin.acknowledge(stdin.position().0);
        }
    }
    assert!(told);
    assert_eq!(rows, 6);
}
