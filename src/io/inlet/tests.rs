//! Bodies of every shape, and what is wrong with them.

use std::sync::mpsc::channel;

use crate::base::{Duration, Time};
use crate::io::journal::{JournalLimits, Journals};
use crate::io::place::{Mode, Wall};
use crate::io::testing::{Source, column, float};
use crate::ir::{Origin, Type};

use super::*;

struct Bench {
    inlet: Inlet,
    folder: tempfile::TempDir,
}

fn bench(source: &Source, limits: JournalLimits) -> Bench {
    bench_in(tempfile::tempdir().unwrap(), source, limits)
}

fn bench_in(folder: tempfile::TempDir, source: &Source, limits: JournalLimits) -> Bench {
    let journals = Journals::at(folder.path(), limits);
    let inlet = Inlet::new(&spec(source), journals.lease(&"room".into()).unwrap(), Arc::new(Wall));
    Bench { inlet, folder }
}

fn spec(source: &Source) -> Arc<Spec> {
    Arc::new(Spec::new(&"room".into(), Mode::Live, &source.decode(), &source.gate(), &source.schema()).unwrap())
}

fn room() -> Source {
    Source::of(None, None, vec![column("x", float(), false), column("t", Type::Text, true)])
}

impl Bench {
    fn put(&self, body: &str) -> Result<Receipt, NotTaken> {
        self.put_with(None, body)
    }

    fn put_with(&self, key: Option<&str>, body: &str) -> Result<Receipt, NotTaken> {
        let (sender, told) = channel();
        self.inlet.put(body.as_bytes(), key.map(str::as_bytes), 4, Box::new(move |taken| _ = sender.send(taken)));
        told.recv().unwrap()
    }
}

#[test]
fn a_body_is_an_object_lines_an_array_or_rows() {
    let bench = bench(&room(), JournalLimits::default());
    let bodies = [
        (r#"{"x": 1}"#, 1),
        ("{\n  \"x\": 1,\n  \"t\": \"a\"\n}\n", 1),
        ("{\"x\": 1}\n{\"x\": 2}\r\n\n{\"x\": 3}", 3),
        (r#"[{"x": 1}, {"x": 2, "more": [1, {"y": "],"}]}]"#, 2),
        ("\u{feff}[]", 0),
        (r#" {"rows": [{"x": 1}, {"x": 2}]} "#, 2),
    ];
    let mut first = 0;
    for (body, rows) in bodies {
        assert_eq!(bench.put(body), Ok(Receipt { rows, first, again: false }), "{body}");
        first += rows as u64;
    }
}

#[test]
fn what_does_not_read_is_named_and_nothing_is_taken() {
    let bench = bench(&room(), JournalLimits::default());
    let cases = [
        ("", 0, "it is empty"),
        ("x=1", 0, "it begins with `x`"),
        ("{\"x\": 1}\n{\"x\": ", 1, "EOF while parsing a value at line 2 column 5"),
        ("[{\"x\": 1}", 1, "the array is not closed"),
        ("[{\"x\": 1}] tail", 1, "something stands behind the rows"),
        ("{\"rows\": [{\"x\": 1}], \"more\": 1}", 1, "something stands behind the rows"),
    ];
    for (body, row, why) in cases {
        assert_eq!(bench.put(body), Err(NotTaken::NoRows { row, why: why.to_owned() }), "{body}");
    }
    assert_eq!(bench.put("[1,2,3,4,5]"), Err(NotTaken::TooManyRows { rows_max: 4 }));
    assert_eq!(bench.put("{\"x\": 1}").unwrap().first, 0);
}

#[test]
fn every_bad_row_is_told_with_its_place_and_none_is_taken() {
    let mut source = room();
    source.columns[0].bounds = Some((0.0, 9.0));
    let bench = bench(&source, JournalLimits::default());
    let body = r#"[{"x": "no"}, {"x": 1}, {"t": "a"}, {"x": 10}]"#;
    let Err(NotTaken::BadRows { bad, count, rows }) = bench.put(body) else { panic!("refused") };
    let told: Vec<(usize, &str)> = bad.iter().map(|(row, why)| (*row, why.as_str())).collect();
    let reasons = ["`x` is \"no\", which is no float", "`x` is missing", "`x` is 10, outside 0..9"];
    assert_eq!((count, rows, told), (3, 4, vec![(0, reasons[0]), (2, reasons[1]), (3, reasons[2])]));
    assert_eq!(bench.put("{\"x\": 1}").unwrap().first, 0);
}

#[test]
fn rows_ahead_of_now_are_bad_and_a_changed_source_reads_the_next_body() {
    let mut source = Source::of(None, None, vec![column("at", Type::Time, false)]).time("at");
    source.limits.ahead = Some(Duration(3_600_000_000));
    let bench = bench(&source, JournalLimits::default());
    let far = Time(Wall.now().0 + 7_200_000_000);
    let Err(NotTaken::BadRows { bad, .. }) = bench.put(&format!("{{\"at\": \"{far}\"}}")) else { panic!("refused") };
    assert!(bad[0].1.contains("more than 1h ahead of now"), "{bad:?}");
    bench.inlet.retune(&spec(&room()));
    assert_eq!(bench.put("{\"x\": 1}").unwrap().rows, 1);
}

#[test]
fn a_request_that_comes_again_with_its_key_is_taken_once_also_after_a_restart() {
    let limits = JournalLimits { segment_bytes: 200, ..JournalLimits::default() };
    let mut one = bench(&room(), limits);
    let once = Receipt { rows: 2, first: 0, again: false };
    assert_eq!(one.put_with(Some("a"), "[{\"x\": 1}, {\"x\": 2}]"), Ok(once));
    for nth in 0..20 {
        assert_eq!(one.put_with(Some(&format!("k{nth}")), "{\"x\": 3}").unwrap().first, 2 + nth);
    }
    for _ in 0..2 {
        assert_eq!(one.put_with(Some("a"), "[{\"x\": 1}, {\"x\": 2}]"), Ok(Receipt { again: true, ..once }));
        assert_eq!(one.put_with(Some("a"), "{\"x\": 1}"), Err(NotTaken::AnotherBody));
        assert_eq!(one.put("{\"x\": 9}").unwrap().rows, 1);
        let Bench { inlet, folder } = one;
        drop(inlet);
        // It reads its rows differently by now.
        one = bench_in(folder, &Source::of(None, None, vec![column("y", float(), false)]), limits);
        assert_eq!(one.put_with(Some("k19"), "{\"x\": 3}").map(|receipt| receipt.again), Ok(true));
        let Bench { inlet, folder } = one;
        drop(inlet);
        one = bench_in(folder, &room(), limits);
    }
}

#[test]
fn a_key_of_a_body_that_was_refused_is_free() {
    let bench = bench(&room(), JournalLimits { bytes_max: 150, ..JournalLimits::default() });
    assert!(bench.put_with(Some("a"), "{\"x\": \"no\"}").is_err());
    assert!(!bench.put_with(Some("a"), "{\"x\": 1}").unwrap().again);
    assert_eq!(bench.put_with(Some("b"), "{\"x\": 1}"), Err(NotTaken::Full { bytes_max: 150 }));
    assert_eq!(bench.put_with(Some("b"), "{\"x\": 1}"), Err(NotTaken::Full { bytes_max: 150 }));
}

#[test]
fn a_source_with_a_field_called_rows_has_it() {
    let mut source = Source::of(None, None, vec![column("n", Type::Int, false)]);
    source.columns[0].origin = Origin::Path("$.rows[0]".into());
    let bench = bench(&source, JournalLimits::default());
    assert_eq!(bench.put("{\"rows\": [7, 8]}").unwrap().rows, 1);
}

#[test]
fn a_full_journal_is_told() {
    let bench = bench(&room(), JournalLimits { bytes_max: 100, ..JournalLimits::default() });
    assert_eq!(bench.put("{\"x\": 1}").unwrap().rows, 1);
    assert_eq!(bench.put("{\"x\": 1}"), Err(NotTaken::Full { bytes_max: 100 }));
}

#[test]
fn the_running_inlet_of_a_place_is_asked_until_it_goes() {
    let at = HttpConnector { host: "127.0.0.1".into(), port: 1, path: Some("/rows/room".into()) };
    let (inlets, old, new) =
        (Inlets::default(), bench(&room(), JournalLimits::default()), bench(&room(), JournalLimits::default()));
    let (old, new) = (Arc::new(old.inlet), Arc::new(new.inlet));
    inlets.open(&at, &old);
    inlets.open(&at, &new);
    assert!(Arc::ptr_eq(&inlets.get(&at).unwrap(), &old));
    drop(old);
    assert!(Arc::ptr_eq(&inlets.get(&at).unwrap(), &new));
    drop(new);
    assert!(inlets.get(&at).is_none());
}
