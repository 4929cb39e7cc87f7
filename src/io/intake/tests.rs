//! What an intake gives for files with every kind of dirt, for any batch size, resumed and retuned.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::base::{Duration, Span, Time};
use crate::diag::Code;
use crate::io::testing::{All, Hand, Source, assert_balanced, column, drain, float, take_some};
use crate::io::{Mode, Place};
use crate::ir::{BinaryOp, Connector, CsvOptions, Expr, ExprKind, FileConnector, FileFormat, Origin, TimeSpec, Type, Value};
use crate::node::Ordinal;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn room() -> Source {
    Source::csv(
        "room.csv",
        vec![column("at", Type::Time, false), column("co2", float(), false), column("on", Type::Bool, true)],
    )
}

fn reasons(all: &All) -> Vec<String> {
    all.bad.iter().map(|(reason, origin)| format!("{origin} {reason}")).collect()
}

#[test]
fn rows_come_with_what_is_wrong_beside_them() {
    let text = "at,co2,extra,on\n2026-01-01 00:00:00,450,x,1\n2026-01-01 00:01:00,many,x,0\n2026-01-01 00:02:00,460\n\n,,,\n2026-01-01 00:03:00,470,x,\n";
    let folder = folder(&[("room.csv", text)]);
    let mut intake = room().time("at").open(Mode::Recorded, &Place::beside(folder.path())).unwrap();
    let all = drain(&mut intake, 100);
    assert_eq!(all.rows, ["2026-01-01T00:00:00Z,450,true", "2026-01-01T00:03:00Z,470,"]);
    assert_eq!(reasons(&all), ["room.csv:3 `co2` is \"many\", which is no float", "room.csv:4 2 fields instead of 4"]);
    let counts = intake.counts();
    assert_eq!((counts.connection.input, counts.decode.passed), (5, 2));
    assert_eq!(counts.decode.dropped.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(), [("bad", 2), ("empty", 1)]);
    assert_eq!(intake.ignored().names, ["extra"]);
}

#[test]
fn a_recording_is_in_the_order_of_its_time_and_ties_in_that_of_the_files() {
    let a = "at,n\n2026-01-01 00:00:00,1\n2026-01-01 00:00:02,2\n2026-01-01 00:00:01,3\n";
    let b = "at,n\n2026-01-01 00:00:01,4\n2026-01-01 00:00:00,5\n";
    let folder = folder(&[("f2.csv", a), ("f10.csv", b)]);
    let source = Source::csv("f*.csv", vec![column("at", Type::Time, false), column("n", Type::Int, false)]);
    let numbers = |all: All| all.rows.iter().map(|row| row.split_once(',').unwrap().1.to_owned()).collect::<String>();
    assert_eq!(numbers(source.clone().time("at").read(folder.path(), 2)), "15342");
    assert_eq!(numbers(source.read(folder.path(), 2)), "12345");
}

#[test]
fn patterns_rows_and_nulls_fill_columns() {
    let folder = folder(&[("b1.csv", "x\n1\nbad\n2\n"), ("b10.csv", "x\n3\n"), ("bx.csv", "x\n9\n")]);
    let mut batch = column("batch", Type::Int, false);
    batch.origin = Origin::Pattern("batch".into());
    let mut nth = column("nth", Type::Int, false);
    nth.origin = Origin::Row;
    let source = Source::csv("b{batch}.csv", vec![batch, nth, column("x", Type::Int, false), column("y", float(), true)]);
    let mut intake = source.open(Mode::Recorded, &Place::beside(folder.path())).unwrap();
    assert_eq!(drain(&mut intake, 10).rows, ["1,1,1,", "1,3,2,", "10,4,3,"]);
    let notes = [
        "`bx.csv` is not part of the recording: `batch` is \"x\", which is no int",
        "`b1.csv` has no column \"y\", so `y` is null there; is \"x\" meant?",
        "`b10.csv` has no column \"y\", so `y` is null there; is \"x\" meant?",
    ];
    assert_eq!(intake.notes(), notes);
}

#[test]
fn every_and_computed_times() {
    let folder = folder(&[("t.csv", "ms\n0\n20\nx\n40\n")]);
    let mut source = Source::csv("t.csv", vec![column("ms", Type::Int, false)]);
    let start = Time::parse("2020-01-01").unwrap();
    source.time = TimeSpec::Every { every: Duration(60_000_000), from: start };
    assert_eq!(
        source.read(folder.path(), 9).rows,
        ["0,2020-01-01T00:00:00Z", "20,2020-01-01T00:01:00Z", "40,2020-01-01T00:03:00Z"]
    );
    let expr = |kind, ty| Expr { kind, ty, nullable: false, span: Span::default() };
    let ms = expr(ExprKind::Column("ms".into()), Type::Int);
    let step = expr(ExprKind::Literal(Value::Duration(Duration(1_000))), Type::Duration);
    let since = expr(ExprKind::Binary(BinaryOp::Mul, Box::new(ms), Box::new(step)), Type::Duration);
    let begin = expr(ExprKind::Literal(Value::Time(start)), Type::Time);
    let at = expr(ExprKind::Binary(BinaryOp::Add, Box::new(begin), Box::new(since)), Type::Time);
    source.time = TimeSpec::Column { expr: at, by: vec![] };
    assert_eq!(source.read(folder.path(), 9).rows[1], "20,2020-01-01T00:00:00.020Z");
}

#[test]
fn formats_of_separated_values() {
    let options = CsvOptions { separator: Some(';'), decimal: ',', ..CsvOptions::default() };
    let mut x = column("x", float(), true);
    x.sentinels = vec![Value::Int(-200)];
    let folder = folder(&[
        ("semicolons.csv", "\u{feff}x;y;\r\n1,5;a;\r\n-200;\"b;c\";\r\n;;\r\n"),
        ("blanks.txt", "  1.5  a \n -200\t\"b c\"\n"),
        ("index.csv", "\"x\",\"y\"\n\"1\",1.5,\"a\"\n\"2\",-200,\"b\"\n"),
        ("named.csv", "\"\",\"x\",\"y\"\n\"1\",1.5,\"a\"\n"),
    ]);
    let y = column("y", Type::Text, false);
    let read = |path: &str, options: CsvOptions, columns: Vec<_>| {
        Source::file(path, FileFormat::Csv(options), columns).read(folder.path(), 9).rows
    };
    assert_eq!(read("semicolons.csv", options, vec![x.clone(), y.clone()]), ["1.5,a", ",b;c"]);
    let index = CsvOptions { index: true, ..CsvOptions::default() };
    assert_eq!(read("index.csv", index.clone(), vec![x.clone(), y.clone()]), ["1.5,a", ",b"]);
    assert_eq!(read("named.csv", index, vec![x.clone(), y.clone()]), ["1.5,a"]);
    let (mut x, mut y) = (x, y);
    (x.origin, y.origin) = (Origin::Position(1), Origin::Position(2));
    let blanks = CsvOptions { header: false, separator: None, ..CsvOptions::default() };
    assert_eq!(read("blanks.txt", blanks, vec![x, y]), ["1.5,a", ",b c"]);
}

#[test]
fn json_by_line_and_by_array() {
    let text = "{\"acc\":[1,2.5],\"id\":\"a\",\"sub\":{\"t\":3},\"more\":{}}\n{\"id\":5,\"acc\":[\"4\"]}\nnot json\n[1]\n{\"acc\":[1,2],\"sub\":{\"t\":1}}\n";
    let array = format!("[\n{}\n]\n", text.trim_end().replace("not json\n", "").replace('\n', ",\n"));
    let folder = folder(&[("a.jsonl", text), ("a.json", &array)]);
    let mut columns = vec![column("id", Type::Text, false), column("y", float(), true), column("t", Type::Int, true)];
    (columns[1].origin, columns[2].origin) = (Origin::Path("$.acc[1]".into()), Origin::Path("$.sub.t".into()));
    let all = Source::file("a.jsonl", FileFormat::Jsonl, columns.clone()).read(folder.path(), 9);
    assert_eq!(all.rows, ["a,2.5,3", "5,,"]);
    let bad = [
        "a.jsonl:3 no JSON: expected ident at line 1 column 2",
        "a.jsonl:4 the record is a list, not an object",
        "a.jsonl:5 `id` is missing",
    ];
    assert_eq!(reasons(&all), bad);
    let all = Source::file("a.json", FileFormat::Json, columns).read(folder.path(), 9);
    assert_eq!((all.rows.join(" ").as_str(), reasons(&all)[1].as_str()), ("a,2.5,3 5,,", "a.json:5 `id` is missing"));
}

#[test]
fn a_list_column_takes_the_whole_array_and_its_parts_their_own() {
    let folder = folder(&[("a.jsonl", "{\"acc\":[1,2]}\n{\"acc\":[1]}\n")]);
    let mut columns = vec![column("acc", Type::Tensor(vec![2]), false), column("first", float(), false)];
    columns[1].origin = Origin::Path("$.acc[0]".into());
    let all = Source::file("a.jsonl", FileFormat::Jsonl, columns).read(folder.path(), 9);
    assert_eq!(
        (all.rows.join(" "), reasons(&all)),
        ("[1.0,2.0],1".to_owned(), vec!["a.jsonl:2 `acc` has 1 numbers instead of 2".to_owned()])
    );
}

#[test]
fn packed_files_are_unpacked_whole() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let packed = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let members = [packed("x\n1\n"), packed("2\n3\n")].concat();
    fs::write(folder.path().join("x.csv.gz"), &members).unwrap();
    fs::write(folder.path().join("x.csv.zst"), zstd::encode_all(&b"x\n1\n2\n3\n"[..], 3).unwrap()).unwrap();
    let read = |path: &str| Source::csv(path, vec![column("x", Type::Int, false)]).read(folder.path(), 9).rows;
    assert_eq!(read("x.csv.gz"), ["1", "2", "3"]);
    assert_eq!(read("x.csv.zst"), ["1", "2", "3"]);
    fs::write(folder.path().join("half.csv.gz"), &members[..members.len() - 12]).unwrap();
    let half = Source::csv("half.csv.gz", vec![column("x", Type::Int, false)]).refused(folder.path());
    assert_eq!((half.code, half.message.contains("half.csv.gz")), (Code::R0711, true));
}

#[test]
fn what_is_wrong_with_a_file_is_said_before_anything_runs() {
    let folder = folder(&[("room.csv", "at,CO2 [ppm],on\n"), ("no.jsonl", "a,b\n1,2\n"), ("array.jsonl", "[\n{}\n]\n")]);
    let refused = |source: Source| {
        let error = source.refused(folder.path());
        (error.code, error.message, error.help.unwrap_or_default())
    };
    let (code, message, help) = refused(room());
    assert_eq!((code, message.as_str()), (Code::E0714, "`room.csv` has no column \"co2\", from which `co2` is read"));
    assert_eq!(help, "write `from \"CO2 [ppm]\"`; the file has \"at\", \"CO2 [ppm]\", \"on\"");
    assert_eq!(refused(Source::csv("room.csv", vec![column("on", Type::Bool, false)])).0, Code::E0713);
    assert_eq!(refused(Source::csv("there.csv", vec![column("x", Type::Int, false)])).0, Code::E0711);
    assert_eq!(refused(Source::csv(".", vec![column("x", Type::Int, false)])).0, Code::E0712);
    assert_eq!(refused(Source::file("no.jsonl", FileFormat::Jsonl, vec![column("x", Type::Int, false)])).0, Code::E0715);
    assert!(refused(Source::file("array.jsonl", FileFormat::Jsonl, vec![column("x", Type::Int, false)])).2.contains("json("));
    assert_eq!(refused(Source::of(None, None, vec![column("x", Type::Int, false)])).0, Code::E0716);
    let mut far = column("x", Type::Int, false);
    far.origin = Origin::Position(4);
    assert_eq!(refused(Source::csv("room.csv", vec![far])).0, Code::E0714);
}

#[test]
fn rows_too_far_ahead_are_bad_when_live() {
    let folder = folder(&[("room.csv", "at,co2\n2026-01-01 00:00:00,1\n2026-01-01 02:00:00,2\n")]);
    let mut source = room().time("at");
    source.connection.live = source.connection.recorded.clone();
    source.limits.ahead = Some(Duration(3_600_000_000));
    let (mut place, clock) = (Place::beside(folder.path()), Hand::default());
    clock.set(Time::parse("2026-01-01 00:00:10").unwrap());
    place.now = std::sync::Arc::new(clock);
    let mut intake = source.open(Mode::Live, &place).unwrap();
    let all = drain(&mut intake, 9);
    assert_eq!(all.rows, ["2026-01-01T00:00:00Z,1,"]);
    assert_eq!(all.bad[0].0, "the row is more than 1h ahead of now, 2026-01-01T00:00:10Z");
    assert_eq!(intake.counts().gate.dropped.get("ahead"), Some(&1));
    assert_eq!(drain(&mut source.open(Mode::Recorded, &place).unwrap(), 9).rows.len(), 2);
}

#[test]
fn the_clock_follows_the_rows() {
    let folder = folder(&[("room.csv", "at,co2\n1970-01-01 00:00:10,1\n1970-01-01 00:00:30,2\n1970-01-01 00:01:00,3\n")]);
    let mut source = room().time("at");
    source.limits.lateness = Duration(5_000_000);
    let mut intake = source.open(Mode::Recorded, &Place::beside(folder.path())).unwrap();
    assert_eq!(intake.pending().unwrap(), Pending::Rows { next: Some(Time(10_000_000)) });
    let none = intake.take(9, Some(Time(9_000_000)), Ordinal(100)).unwrap();
    assert_eq!((none.batch.len(), none.batch.upto), (0, Ordinal(100)));
    let two = intake.take(9, Some(Time(30_000_000)), Ordinal(100)).unwrap().batch;
    assert_eq!(
        (two.len(), two.upto, two.clock.before(Ordinal(101)), two.clock.after()),
        (2, Ordinal(102), Time(5_000_000), Time(25_000_000))
    );
    let one = intake.take(9, None, Ordinal(200)).unwrap().batch;
    assert_eq!((one.len(), one.clock.start(), one.clock.after()), (1, Time(25_000_000), Time(55_000_000)));
    assert_eq!(intake.pending().unwrap(), Pending::End);
}

#[test]
fn what_is_kept_is_read_behind_the_recording_in_the_order_of_its_arrival() {
    let file = |path: &str, format| Connector::File(FileConnector { path: path.into(), format });
    for format in [FileFormat::Parquet, FileFormat::Csv(CsvOptions::default()), FileFormat::Jsonl] {
        let folder = folder(&[("room.csv", "ms,t\n2,x\n1,x\n"), ("live.csv", "ms,t\n5,a\n3,\n")]);
        let mut ms = column("n", Type::Int, false);
        ms.origin = Origin::Field("ms".into());
        let mut source = Source::csv("room.csv", vec![ms, column("t", Type::Text, true)]);
        source.time = TimeSpec::Every { every: Duration(1_000_000), from: Time(0) };
        source.connection.live = Some(file("live.csv", FileFormat::Csv(CsvOptions::default())));
        source.connection.keep = Some(file("kept/", format));
        let place = Place::beside(folder.path());
        let recorded = ["2,x,1970-01-01T00:00:00Z", "1,x,1970-01-01T00:00:01Z"].map(str::to_owned).to_vec();
        assert_eq!(source.read(folder.path(), 9).rows, recorded);
        for _ in 0..2 {
            let mut live = source.open(Mode::Live, &place).unwrap();
            let mut keep = crate::io::keep(source.connection.keep.as_ref().unwrap(), &source.schema(), &place, None).unwrap();
            keep.deliver(&live.take(9, None, Ordinal(0)).unwrap().batch.rows).unwrap();
            keep.finish().unwrap();
        }
        let kept = ["5,a,1970-01-01T00:00:00Z", "3,,1970-01-01T00:00:01Z"].map(str::to_owned).to_vec();
        assert_eq!(source.read(folder.path(), 1).rows, [recorded.clone(), kept.clone(), kept.clone()].concat());
        let mut intake = source.open(Mode::Recorded, &place).unwrap();
        let mut all = All::default();
        take_some(&mut intake, 1, 3, &mut all).unwrap();
        let mut other = source.open(Mode::Recorded, &place).unwrap();
        other.resume(&intake.position()).unwrap();
        intake.retune(&source.decode(), &source.gate(), &source.schema()).unwrap();
        for mut intake in [intake, other] {
            let mut rest = all.clone();
            take_some(&mut intake, 1, usize::MAX, &mut rest).unwrap();
            assert_eq!(rest.rows, [recorded.clone(), kept.clone(), kept.clone()].concat());
        }
        source.connection.recorded = None;
        fs::remove_dir_all(folder.path().join("kept")).unwrap();
        assert_eq!(source.open(Mode::Recorded, &place).unwrap().pending().unwrap(), Pending::End);
    }
}

#[test]
fn a_recording_does_not_know_when_its_rows_arrived() {
    let folder = folder(&[("room.csv", "at,co2\n2026-01-01 00:00:00,1\n")]);
    let mut source = room().time("at");
    let mut came = column("came", Type::Time, false);
    came.origin = Origin::Arrival;
    source.columns.push(came);
    assert_eq!(source.read(folder.path(), 1).rows, ["2026-01-01T00:00:00Z,1,,2026-01-01T00:00:00Z"]);
    assert_eq!(source.clone().time("came").refused(folder.path()).code, Code::E0717);
    source.time = TimeSpec::Arrival;
    assert_eq!(source.refused(folder.path()).code, Code::E0717);
}

#[test]
fn intakes_and_sinks_move_between_threads() {
    fn sent<T: Send>() {}
    sent::<Intake>();
    sent::<Box<dyn crate::io::Deliver>>();
}

#[test]
fn silence_moves_the_watermark_in_steps() {
    let (now, time, idle) = (Time(1_000_000_000), Time(5_000_000), Duration(40_000_000));
    let none = || RecordBatch::new_empty(std::sync::Arc::new(arrow::datatypes::Schema::empty()));
    let mut progress = Progress { arrived: now, ..Progress::start() };
    assert_eq!(progress.idle_from(idle, Duration::ZERO), None);
    progress.draw(none(), Some(vec![time.0].into()), Ordinal(0), Duration::ZERO);
    let moved = |progress: &Progress, seconds: i64| progress.idle(now + Duration(seconds * 1_000_000), idle, Duration::ZERO);
    assert_eq!((moved(&progress, 40), moved(&progress, 49)), (None, None));
    let to = moved(&progress, 50).unwrap();
    assert_eq!(to, time + Duration(10_000_000));
    let batch = progress.move_on(none(), to, Ordinal(5), Duration::ZERO);
    assert_eq!((batch.len(), batch.upto, batch.clock.passes(to, batch.upto)), (0, Ordinal(6), Some(Ordinal(6))));
    assert_eq!((moved(&progress, 59), moved(&progress, 60)), (None, Some(time + Duration(20_000_000))));
}

/// Rows of mixed dirt and of falling times.
fn dirty(rows: &[(i64, u8)]) -> String {
    let mut text = String::from("at,co2,on\n");
    for (at, kind) in rows {
        text.push_str(&match kind {
            0 => format!("{},x,1\n", Time(at * 1_000_000)),
            1 => format!("{},1\n", Time(at * 1_000_000)),
            2 => ",,\n".to_owned(),
            3 => ",5,0\n".to_owned(),
            _ => format!("{},{at},\n", Time(at * 1_000_000)),
        });
    }
    text
}

fn positions_and_rows(source: &Source, folder: &Path, first: usize, batch: usize) -> (All, All) {
    let place = Place::beside(folder);
    let mut intake = source.open(Mode::Recorded, &place).unwrap();
    let mut all = All::default();
    take_some(&mut intake, batch, first, &mut all).unwrap();
    let text = serde_json::to_string(&intake.position()).unwrap();
    let mut other = source.open(Mode::Recorded, &place).unwrap();
    other.resume(&serde_json::from_str(&text).unwrap()).unwrap();
    let mut rest = All::default();
    take_some(&mut other, batch, usize::MAX, &mut rest).unwrap();
    (all, rest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_batch_size_gives_equal_rows_and_any_resumption_the_rest(
        a in prop::collection::vec((0i64..50, 0u8..12), 1..40),
        b in prop::collection::vec((0i64..50, 0u8..12), 1..40),
        batch in 1usize..20,
        first in 0usize..10,
        timed in any::<bool>(),
    ) {
        let folder = folder(&[("r1.csv", &dirty(&a)), ("r2.csv", &dirty(&b))]);
        let mut source = room();
        source.connection.recorded = Source::csv("r*.csv", vec![]).connection.recorded;
        let source = if timed { source.time("at") } else { source };
        let whole = source.read(folder.path(), 1_000);
        let cut = source.read(folder.path(), batch);
        prop_assert_eq!((&whole.rows, &whole.bad), (&cut.rows, &cut.bad));
        let (taken, rest) = positions_and_rows(&source, folder.path(), first, batch);
        prop_assert_eq!(&whole.rows, &[taken.rows, rest.rows].concat());
        prop_assert_eq!(&whole.bad, &[taken.bad, rest.bad].concat());
    }

    #[test]
    fn a_retuned_intake_goes_on_where_it_was(times in prop::collection::vec(0i64..50, 1..40), batch in 1usize..9, first in 0usize..6) {
        let rows: Vec<(i64, u8)> = times.iter().map(|at| (*at, 9)).collect();
        let folder = folder(&[("room.csv", &dirty(&rows))]);
        let source = room().time("at");
        let mut intake = source.open(Mode::Recorded, &Place::beside(folder.path())).unwrap();
        let mut all = All::default();
        take_some(&mut intake, batch, first, &mut all).unwrap();
        let taken = all.rows.len();
        let mut wanted = source.clone();
        wanted.columns[1].bounds = Some((0.0, 25.0));
        intake.retune(&wanted.decode(), &wanted.gate(), &wanted.schema()).unwrap();
        take_some(&mut intake, batch, usize::MAX, &mut all).unwrap();
        assert_balanced(&intake);
        let whole = source.read(folder.path(), 1_000).rows;
        let high = |row: &&String| row.split(',').nth(1).unwrap().parse::<f64>().unwrap() > 25.0;
        let expected: Vec<&String> = whole.iter().take(taken).chain(whole.iter().skip(taken).filter(|row| !high(row))).collect();
        prop_assert_eq!(all.rows.iter().collect::<Vec<_>>(), expected);
        prop_assert_eq!(all.bad.len(), whole.iter().skip(taken).filter(high).count());
    }
}

/// Draws of an intake until its end, each as it is written down, with everything that it gave.
fn logged(intake: &mut Intake, batch: usize) -> (Vec<Draw>, All) {
    let (mut draws, mut all) = (Vec::new(), All::default());
    while matches!(intake.pending().unwrap(), Pending::Rows { .. }) {
        let taken = intake.take(batch, None, Ordinal(7)).unwrap();
        let bad = taken.bad.as_ref().map_or(0, |bad| bad.num_rows() as u64);
        draws.push(Draw { rows: taken.batch.len() as u64, bad, read: taken.read, silence: None, kept: None });
        all.put(&taken);
    }
    (draws, all)
}

proptest! {
    #[test]
    fn what_is_redone_from_any_position_is_what_was_drawn(
        dirt in prop::collection::vec(0u8..8, 1..60), batch in 1usize..7, at in 0usize..60,
    ) {
        let lines = dirt.iter().enumerate().map(|(nth, dirt)| match dirt {
            0 => format!("2026-01-01 00:00:{nth:02},many,1\n"),
            1 => ",,\n".to_owned(),
            _ => format!("2026-01-01 00:00:{nth:02},{nth},1\n"),
        });
        let text: String = ["at,co2,on\n".to_owned()].into_iter().chain(lines).collect();
        let folder = folder(&[("room.csv", &text)]);
        let place = Place::beside(folder.path());
        let source = room().time("at");
        let Ok(mut whole) = source.open(Mode::Recorded, &place) else { return Ok(()) };
        let (draws, all) = logged(&mut whole, batch);
        let at = at % draws.len().max(1);

        let mut first = source.open(Mode::Recorded, &place).unwrap();
        let mut again = All::default();
        for draw in &draws[..at] {
            again.put(&first.redo(draw, Ordinal(7)).unwrap());
        }
        let mut second = source.open_from(Mode::Recorded, &place, &first.position()).unwrap();
        for draw in draws.iter().skip(at) {
            let taken = second.redo(draw, Ordinal(7)).unwrap();
            prop_assert_eq!(taken.batch.len() as u64, draw.rows);
            again.put(&taken);
        }
        let rest = logged(&mut second, batch).1;
        again.rows.extend(rest.rows);
        again.bad.extend(rest.bad);
        prop_assert_eq!(&again.rows, &all.rows);
        prop_assert_eq!(&again.bad, &all.bad);
    }
}
