//! Columns of files in other types than the declared ones, and files that are not what they should be.

use std::fs::{self, File};

use arrow::array::{
    DictionaryArray, Float32Array, Int8Array, Int16Array, ListArray, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::{Field, Float64Type, Int32Type};
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use crate::base::Time;
use crate::io::testing::{All, Source, column, float, take_some};
use crate::io::{Mode, Place};
use crate::ir::{EnumItem, FileFormat, Type, Value};

use super::*;

/// Rows `from..to` in narrow types.
fn batch(from: i64, to: i64) -> RecordBatch {
    let count = (to - from) as usize;
    let inner = Float32Array::from_iter((from..to).map(|n| Some(n as f32 + 0.5)));
    let parts = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Float32, true)), Arc::new(inner) as ArrayRef)]);
    let list = ListArray::from_iter_primitive::<Float64Type, _, _>((from..to).map(|n| Some(vec![Some(n as f64), Some(1.0)])));
    let keys = arrow::array::Int32Array::from_iter_values((from..to).map(|n| (n % 2) as i32));
    let kind = DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from(vec!["even", "odd"])));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("at", Arc::new(TimestampMillisecondArray::from_iter_values((from..to).map(|n| n * 1_000)))),
        ("n", Arc::new(Int16Array::from_iter_values((from..to).map(|n| n as i16)))),
        ("code", Arc::new(Int8Array::from_iter_values((from..to).map(|n| (n % 3) as i8 + 1)))),
        ("kind", Arc::new(kind)),
        ("parts", Arc::new(parts)),
        ("list", Arc::new(list)),
        ("text", Arc::new(StringArray::from_iter_values((from..to).map(|n| n.to_string())))),
        ("unread", Arc::new(StringArray::from_iter_values(vec!["x"; count]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn parquet(path: &Path, batches: &[RecordBatch]) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(7)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

fn source(path: &str, format: FileFormat) -> Source {
    let code = Type::Enum(
        ["one", "two"].iter().zip(1..).map(|(text, code)| EnumItem { code: Some(code), text: (*text).into() }).collect(),
    );
    let mut x = column("x", float(), false);
    x.origin = Origin::Path("$.parts.x".into());
    let mut n = column("n", float(), true);
    (n.sentinels, n.bounds) = (vec![Value::Int(3)], Some((0.0, 1_000.0)));
    let columns = vec![
        column("at", Type::Time, false),
        n,
        column("code", code, false),
        column("kind", Type::Text, false),
        x,
        column("list", Type::Tensor(vec![2]), false),
        column("text", Type::Int, false),
    ];
    Source::file(path, format, columns).time("at")
}

#[test]
fn types_are_widened_and_what_does_not_fit_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    parquet(&folder.path().join("a.parquet"), &[batch(0, 6)]);
    let all = source("a.parquet", FileFormat::Parquet).read(folder.path(), 10);
    assert_eq!(
        all.rows,
        [
            "1970-01-01T00:00:00Z,0,one,even,0.5,[0.0,1.0],0",
            "1970-01-01T00:00:01Z,1,two,odd,1.5,[1.0,1.0],1",
            "1970-01-01T00:00:03Z,,one,odd,3.5,[3.0,1.0],3",
            "1970-01-01T00:00:04Z,4,two,even,4.5,[4.0,1.0],4",
        ]
    );
    assert_eq!(all.bad[0], ("`code` is \"3\", not one of \"one\", \"two\"".to_owned(), "a.parquet, row 3".to_owned()));
}

#[test]
fn arrow_files_and_streams_are_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (batches, schema) = ([batch(0, 5), batch(5, 9)], batch(0, 1).schema());
    let create = |name: &str| File::create(folder.path().join(name)).unwrap();
    let packed = IpcWriteOptions::default().try_with_compression(Some(arrow::ipc::CompressionType::LZ4_FRAME)).unwrap();
    let mut file = FileWriter::try_new_with_options(create("a.arrow"), &schema, packed).unwrap();
    let mut stream = StreamWriter::try_new(create("a.arrows"), &schema).unwrap();
    for batch in &batches {
        file.write(batch).unwrap();
        stream.write(batch).unwrap();
    }
    file.finish().unwrap();
    stream.finish().unwrap();
    parquet(&folder.path().join("a.parquet"), &batches);
    let expected = source("a.parquet", FileFormat::Parquet).read(folder.path(), 100).rows;
    assert_eq!(expected.len(), 6);
    for path in ["a.arrow", "a.arrows"] {
        assert_eq!(source(path, FileFormat::Arrow).read(folder.path(), 100).rows, expected, "{path}");
    }
}

#[test]
fn what_is_no_such_file_or_has_no_such_column_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.parquet"), "at,n\n").unwrap();
    fs::write(folder.path().join("empty.parquet"), "").unwrap();
    parquet(&folder.path().join("b.parquet"), &[batch(0, 3)]);
    fs::write(folder.path().join("half.parquet"), &fs::read(folder.path().join("b.parquet")).unwrap()[..200]).unwrap();
    let code = |path: &str, format| source(path, format).refused(folder.path()).code;
    assert_eq!(code("a.parquet", FileFormat::Parquet), Code::E0715);
    assert_eq!(code("a.parquet", FileFormat::Arrow), Code::E0715);
    assert_eq!(code("empty.parquet", FileFormat::Parquet), Code::E0713);
    assert_eq!(code("half.parquet", FileFormat::Parquet), Code::R0711);
    let mut wrong = source("b.parquet", FileFormat::Parquet);
    wrong.columns[3].column.ty = Type::Time;
    wrong.columns[3].origin = Origin::Field("n".into());
    assert_eq!(wrong.refused(folder.path()).code, Code::E0715);
    wrong.columns[3].origin = Origin::Field("knd".into());
    let error = wrong.refused(folder.path());
    assert_eq!((error.code, error.help.unwrap().starts_with("write `from \"kind\"`")), (Code::E0714, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_batch_size_gives_equal_rows_and_any_resumption_the_rest(
        a in prop::collection::vec(0i64..100, 1..40),
        b in prop::collection::vec(0i64..100, 1..40),
        sorted in any::<bool>(),
        size in 1usize..20,
        first in 0usize..8,
    ) {
        let folder = tempfile::tempdir().unwrap();
        for (name, mut rows) in [("r1.parquet", a), ("r2.parquet", b)] {
            if sorted {
                rows.sort_unstable();
            }
            let batches: Vec<RecordBatch> = rows.iter().map(|row| batch(*row, row + 1)).collect();
            parquet(&folder.path().join(name), &batches);
        }
        let source = source("r*.parquet", FileFormat::Parquet);
        let whole = source.read(folder.path(), 1_000);
        let times: Vec<Time> = whole.rows.iter().map(|row| Time::parse(row.split(',').next().unwrap()).unwrap()).collect();
        prop_assert!(times.is_sorted());
        prop_assert_eq!(&whole.rows, &source.read(folder.path(), size).rows);
        let place = Place::beside(folder.path());
        let mut intake = source.open(Mode::Recorded, &place).unwrap();
        let mut all = All::default();
        take_some(&mut intake, size, first, &mut all).unwrap();
        let mut other = source.open(Mode::Recorded, &place).unwrap();
        other.resume(&intake.position()).unwrap();
        let mut rest = All::default();
        take_some(&mut other, size, usize::MAX, &mut rest).unwrap();
        prop_assert_eq!(&whole.rows, &[all.rows, rest.rows].concat());
        prop_assert_eq!(whole.bad.len(), all.bad.len() + rest.bad.len());
    }
}
