//! What a sink writes, and what it leaves alone.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DurationMicrosecondArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};

use crate::base::Span;
use crate::io::testing::{Source, column, float};
use crate::ir::{Column, CsvOptions, Type};
use crate::node;

use super::*;

mod exact;

fn schema() -> Schema {
    let column = |name: &str, ty, nullable| Column { name: name.into(), ty, nullable, span: Span::default() };
    let columns = vec![
        column("at", Type::Time, false),
        column("dev", Type::Text, true),
        column("x", float(), true),
        column("n", Type::Int, false),
        column("on", Type::Bool, true),
        column("wait", Type::Duration, true),
        column("@time", Type::Time, false),
    ];
    Schema { columns, time: Some("@time".into()), clock_by: vec![] }
}

fn rows(first: i64) -> RecordBatch {
    let time =
        || Arc::new(TimestampMicrosecondArray::from(vec![first * 1_000_000, 1_500_000]).with_timezone("UTC")) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        time(),
        Arc::new(StringArray::from(vec![Some("a,\"b\""), None])),
        Arc::new(Float64Array::from(vec![Some(21.5), None])),
        Arc::new(Int64Array::from(vec![first, 2])),
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(DurationMicrosecondArray::from(vec![Some(1_500_000), None])),
        time(),
    ];
    RecordBatch::try_new(node::schema(&schema()), columns).unwrap()
}

fn sink(folder: &Path, path: &str, format: FileFormat, mode: Mode) -> Result<Box<dyn Deliver>, Diagnostic> {
    let accept = Accept { connector: Connector::File(FileConnector { path: path.into(), format }), keeps: false };
    deliver(&"out".into(), &accept, &schema(), &Place::beside(folder), mode, None)
}

fn send(folder: &Path, path: &str, format: FileFormat, mode: Mode, batches: &[i64]) {
    let mut sink = sink(folder, path, format, mode).unwrap();
    batches.iter().for_each(|first| sink.deliver(&rows(*first)).unwrap());
    sink.finish().unwrap();
}

fn csv() -> FileFormat {
    FileFormat::Csv(CsvOptions::default())
}

#[test]
fn lines_are_appended_live_and_written_anew_in_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let first = "1970-01-01T00:00:01Z,\"a,\"\"b\"\"\",21.5,1,true,1.5\n1970-01-01T00:00:01.500Z,,,2,,\n";
    let text = || fs::read_to_string(folder.path().join("out/a.csv")).unwrap();
    send(folder.path(), "out/a.csv", csv(), Mode::Live, &[1]);
    send(folder.path(), "out/a.csv", csv(), Mode::Live, &[1]);
    assert_eq!(text(), format!("at,dev,x,n,on,wait\n{first}{first}"));
    send(folder.path(), "out/a.csv", csv(), Mode::Recorded, &[1]);
    assert_eq!(text(), format!("at,dev,x,n,on,wait\n{first}"));
    send(folder.path(), "a.jsonl", FileFormat::Jsonl, Mode::Live, &[1]);
    let lines = fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
    let json = "{\"at\":\"1970-01-01T00:00:01Z\",\"dev\":\"a,\\\"b\\\"\",\"x\":21.5,\"n\":1,\"on\":true,\"wait\":1.5}\n\
                {\"at\":\"1970-01-01T00:00:01.500Z\",\"dev\":null,\"x\":null,\"n\":2,\"on\":null,\"wait\":null}\n";
    assert_eq!(lines, json);
}

#[test]
fn lines_are_on_the_disk_after_every_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut open = sink(folder.path(), "a.csv", csv(), Mode::Live).unwrap();
    open.deliver(&rows(1)).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap().lines().count(), 3);
}

#[test]
fn a_file_with_other_columns_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "other,columns\n1,2\n").unwrap();
    let error = sink(folder.path(), "a.csv", csv(), Mode::Live).map(|_| ()).unwrap_err();
    assert_eq!(error.code, Code::E0719);
    assert!(error.message.contains("other,columns"), "{}", error.message);
    fs::create_dir(folder.path().join("b.csv")).unwrap();
    for mode in [Mode::Live, Mode::Recorded] {
        for format in [csv(), FileFormat::Json, FileFormat::Parquet] {
            let error = sink(folder.path(), "b.csv", format, mode).map(|_| ()).unwrap_err();
            assert!(error.code == Code::E0719 && error.message.contains("is a folder"), "{}", error.message);
        }
    }
    assert!(fs::read_dir(folder.path().join("b.csv")).unwrap().next().is_none(), "nothing is written into it");
    assert!(sink(folder.path(), "a.csv/c.csv", csv(), Mode::Live).is_err());
}

#[test]
fn files_with_an_end_appear_when_they_are_whole_and_replace_nothing_live() {
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.join(" ")
    };
    let mut open = sink(folder.path(), "a.parquet", FileFormat::Parquet, Mode::Live).unwrap();
    open.deliver(&rows(1)).unwrap();
    assert!(!names().contains(" a.parquet") && !names().starts_with("a.parquet"), "{}", names());
    drop(open);
    assert_eq!(names(), "");
    send(folder.path(), "a.parquet", FileFormat::Parquet, Mode::Live, &[1]);
    send(folder.path(), "a.parquet", FileFormat::Parquet, Mode::Live, &[1]);
    send(folder.path(), "b.json", FileFormat::Json, Mode::Recorded, &[1]);
    send(folder.path(), "b.json", FileFormat::Json, Mode::Recorded, &[1, 3]);
    assert_eq!(names(), "a-2.parquet a.parquet b.json");
    let array: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join("b.json")).unwrap()).unwrap();
    assert_eq!((array.as_array().unwrap().len(), array[2]["n"].as_i64()), (4, Some(3)));
}

#[test]
fn a_path_with_a_column_makes_a_file_for_each_value() {
    let folder = tempfile::tempdir().unwrap();
    send(folder.path(), "by/{n}-{dev}.csv", csv(), Mode::Recorded, &[1, 3]);
    let text = |name: &str| fs::read_to_string(folder.path().join("by").join(name)).unwrap().lines().count();
    assert_eq!((text("1-a,\"b\".csv"), text("3-a,\"b\".csv"), text("2-null.csv")), (2, 2, 3));
    let error = sink(folder.path(), "{nix}.csv", csv(), Mode::Recorded).map(|_| ()).unwrap_err();
    assert_eq!(error.code, Code::E0719);
    assert_eq!(super::split::safe_for_tests("../x"), ".._x");
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let columns = vec![
        column("at", Type::Time, false),
        column("x", float(), true),
        column("n", Type::Int, false),
        column("wait", Type::Duration, true),
    ];
    let expected = ["1970-01-01T00:00:01Z,21.5,1,1.5", "1970-01-01T00:00:01.500Z,,2,"];
    let options = CsvOptions { separator: Some(';'), decimal: ',', index: true, ..CsvOptions::default() };
    for (path, format) in [
        ("a.csv", csv()),
        ("b.csv.gz", csv()),
        ("c.csv", FileFormat::Csv(options)),
        ("d.jsonl", FileFormat::Jsonl),
        ("e.json", FileFormat::Json),
    ] {
        send(folder.path(), path, format.clone(), Mode::Live, &[1]);
        assert_eq!(Source::file(path, format, columns.clone()).read(folder.path(), 9).rows, expected, "{path}");
    }
}
