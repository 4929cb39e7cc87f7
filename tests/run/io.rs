//! Real recordings, read as a pipeline reads them. Skipped where `MLIOT_DATA` does not name their folder.

use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use mliot::base::{Duration, Span, Time, Unit};
use mliot::io::{End, Intake, Mode, Pending, Place};
use mliot::ir::{
    Column, Connector, CsvOptions, EnumItem, Expr, ExprKind, FileConnector, FileFormat, Limits, Origin, Schema, SourceColumn,
    TimeSpec, Type, Value,
};
use mliot::node::Ordinal;
use mliot::plan::{Connection, Decode, Gate};

/// The folder of the recordings; says that the test is skipped where there is none.
fn data() -> Option<PathBuf> {
    let data = std::env::var_os("MLIOT_DATA").map(PathBuf::from);
    if data.is_none() {
        eprintln!("skipped: MLIOT_DATA does not name the folder of the recordings");
    }
    data
}

fn column(name: &str, ty: Type, origin: Origin) -> SourceColumn {
    let column = Column { name: name.into(), ty, nullable: false, span: Span::default() };
    SourceColumn { column, origin, sentinels: vec![], bounds: None }
}

fn field(name: &str, ty: Type, header: &str) -> SourceColumn {
    column(name, ty, Origin::Field(header.into()))
}

fn float() -> Type {
    Type::Float(Unit::one())
}

fn classes(texts: &[&str]) -> Type {
    Type::Enum(texts.iter().map(|text| EnumItem { code: None, text: (*text).into() }).collect())
}

fn at(column: &str) -> TimeSpec {
    let kind = ExprKind::Column(column.into());
    TimeSpec::Column { expr: Expr { kind, ty: Type::Time, nullable: false, span: Span::default() }, by: vec![] }
}

fn every(minutes: i64, from: &str) -> TimeSpec {
    TimeSpec::Every { every: Duration(minutes * 60_000_000), from: Time::parse(from).unwrap() }
}

/// A source that reads files of the recordings.
struct Source {
    path: &'static str,
    format: FileFormat,
    columns: Vec<SourceColumn>,
    time: TimeSpec,
}

impl Source {
    fn schema(&self) -> Schema {
        let mut columns: Vec<Column> = self.columns.iter().map(|column| column.column.clone()).collect();
        let time = match &self.time {
            TimeSpec::None => None,
            TimeSpec::Column { expr: Expr { kind: ExprKind::Column(name), .. }, .. } => Some(name.clone()),
            TimeSpec::Column { .. } | TimeSpec::Arrival | TimeSpec::Every { .. } => {
                columns.push(Column { name: "@time".into(), ty: Type::Time, nullable: false, span: Span::default() });
                Some("@time".into())
            }
        };
        Schema { columns, time, clock_by: vec![] }
    }

    fn open(&self, data: PathBuf) -> Intake {
        let recorded = Some(Connector::File(FileConnector { path: self.path.into(), format: self.format.clone() }));
        let connection = Connection { recorded, live: None, keep: None, columns: self.columns.clone() };
        let decode = Decode { columns: self.columns.clone() };
        let gate = Gate { time: self.time.clone(), limits: Limits::default() };
        let place = Place { data: Some(data), ..Place::beside("nowhere") };
        let open = Intake::open(
            &"source".into(),
            &connection,
            &decode,
            &gate,
            &self.schema(),
            &place,
            End { mode: Mode::Recorded, from: None },
        );
        open.unwrap_or_else(|error| panic!("{error:?}"))
    }
}

/// All rows as one batch, and how many were bad. Event times never fall.
fn read(intake: &mut Intake) -> (RecordBatch, usize) {
    let (mut batches, mut bad, mut newest, mut next) = (Vec::new(), 0, Time::MIN, Ordinal(0));
    loop {
        match intake.pending().unwrap() {
            Pending::Rows { next: at } => {
                assert!(at.is_none_or(|at| at >= newest), "time fell to {at:?}");
                newest = at.unwrap_or(newest);
            }
            Pending::Idle { until } => panic!("a recording waits for {until:?}"),
            Pending::End => break,
        }
        let taken = intake.take(4_096, None, next).unwrap();
        next = taken.batch.upto;
        bad += taken.bad.map_or(0, |bad| bad.num_rows());
        batches.push(taken.batch.rows);
    }
    assert_eq!(next, Ordinal(intake.rows()));
    let counts = intake.counts();
    assert!(counts.connection.balance() && counts.decode.balance() && counts.gate.balance());
    (arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap(), bad)
}

fn sum(rows: &RecordBatch, column: &str) -> f64 {
    let column = rows.column_by_name(column).unwrap();
    arrow::compute::sum(
        &arrow::compute::cast(column, &arrow::datatypes::DataType::Float64).unwrap().as_primitive::<Float64Type>().clone(),
    )
    .unwrap()
}

#[test]
fn occupancy() {
    let Some(data) = data() else { return };
    for (path, rows, occupied) in [
        ("occupancy/datatraining.txt.gz", 8_143, 1_729.0),
        ("occupancy/datatest.txt.gz", 2_665, 972.0),
        ("occupancy/datatest2.txt.gz", 9_752, 2_049.0),
    ] {
        let columns = vec![
            field("at", Type::Time, "date"),
            field("temperature", float(), "Temperature"),
            field("co2", float(), "CO2"),
            field("occupied", Type::Bool, "Occupancy"),
        ];
        let format = FileFormat::Csv(CsvOptions { index: true, ..CsvOptions::default() });
        let mut intake = Source { path, format, columns, time: at("at") }.open(data.clone());
        let (read, bad) = read(&mut intake);
        assert_eq!((read.num_rows(), bad, sum(&read, "occupied")), (rows, 0, occupied), "{path}");
        assert_eq!(intake.ignored().names, ["Humidity", "Light", "HumidityRatio"]);
    }
}

#[test]
fn elec2() {
    let Some(data) = data() else { return };
    let columns = vec![
        field("period", float(), "period"),
        field("demand", float(), "nswdemand"),
        field("class", classes(&["UP", "DOWN"]), "class"),
    ];
    let time = every(30, "1996-05-07");
    let source = Source { path: "elec2/electricity.csv.gz", format: FileFormat::Csv(CsvOptions::default()), columns, time };
    let (rows, bad) = read(&mut source.open(data));
    assert_eq!((rows.num_rows(), bad), (45_312, 0));
    let up = rows.column(2).as_string::<i32>().iter().filter(|class| *class == Some("UP")).count();
    assert_eq!(up, 19_237);
}

#[test]
fn machine_records_with_a_mark_and_windows_lines_and_units_in_headers() {
    let Some(data) = data() else { return };
    let columns = vec![
        field("id", Type::Int, "UDI"),
        field("kind", classes(&["L", "M", "H"]), "Type"),
        field("air", float(), "Air temperature [K]"),
        field("failure", Type::Bool, "Machine failure"),
        field("last", Type::Int, "RNF"),
    ];
    let source = Source {
        path: "ai4i2020/ai4i2020.csv.gz",
        format: FileFormat::Csv(CsvOptions::default()),
        columns,
        time: TimeSpec::None,
    };
    let (rows, bad) = read(&mut source.open(data));
    assert_eq!((rows.num_rows(), bad, sum(&rows, "failure"), sum(&rows, "last")), (10_000, 0, 339.0, 19.0));
    assert_eq!(sum(&rows, "id"), 50_005_000.0);
}

#[test]
fn air_quality_with_decimal_commas_sentinels_and_empty_lines() {
    let Some(data) = data() else { return };
    let nullable = |name: &str, header: &str| {
        let mut column = field(name, float(), header);
        (column.column.nullable, column.sentinels) = (true, vec![Value::Int(-200)]);
        column
    };
    let columns =
        vec![nullable("co", "CO(GT)"), nullable("nmhc", "NMHC(GT)"), nullable("t", "T"), field("date", Type::Text, "Date")];
    let format = FileFormat::Csv(CsvOptions { separator: Some(';'), decimal: ',', ..CsvOptions::default() });
    let mut intake =
        Source { path: "air-quality/AirQualityUCI.csv.gz", format, columns, time: every(60, "2004-03-10T18:00:00Z") }
            .open(data);
    let (rows, bad) = read(&mut intake);
    assert_eq!((rows.num_rows(), bad), (9_357, 0));
    assert_eq!([0, 1, 2].map(|nth| rows.column(nth).null_count()), [1_683, 8_443, 366]);
    assert_eq!(intake.counts().decode.dropped.get("empty"), Some(&114));
}

#[test]
fn gas_drift_in_files_by_batch() {
    let Some(data) = data() else { return };
    let gases = classes(&["Ammonia", "Acetaldehyde", "Acetone", "Ethylene", "Ethanol", "Toluene"]);
    let mut columns =
        vec![column("batch", Type::Int, Origin::Pattern("batch".into())), column("gas", gases, Origin::Position(1))];
    columns.extend((2..=130).map(|nth| column(&format!("s{nth}"), float(), Origin::Position(nth))));
    let format = FileFormat::Csv(CsvOptions { header: false, ..CsvOptions::default() });
    let (rows, bad) =
        read(&mut Source { path: "gas-drift/batch{batch}.csv.gz", format, columns, time: TimeSpec::None }.open(data));
    assert_eq!((rows.num_rows(), bad), (6_697, 0));
    let batches: Vec<i64> = rows.column(0).as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
    assert!(batches.is_sorted());
    let count = |batch: i64| batches.iter().filter(|nth| **nth == batch).count();
    assert_eq!([1, 2, 3, 4, 5, 6, 8, 9].map(count), [445, 1_244, 1_586, 161, 197, 2_300, 294, 470]);
}

#[test]
fn engines_between_blanks_without_a_header() {
    let Some(data) = data() else { return };
    let mut columns = vec![column("unit", Type::Int, Origin::Position(1)), column("cycle", Type::Int, Origin::Position(2))];
    columns.push(column("last", float(), Origin::Position(26)));
    let format = FileFormat::Csv(CsvOptions { header: false, separator: None, ..CsvOptions::default() });
    let (rows, bad) = read(&mut Source { path: "cmapss/train_FD001.txt.gz", format, columns, time: TimeSpec::None }.open(data));
    assert_eq!((rows.num_rows(), bad), (20_631, 0));
    let (first, last) = (rows.slice(0, 1), rows.slice(20_630, 1));
    assert_eq!((sum(&first, "unit"), sum(&last, "unit"), sum(&last, "cycle")), (1.0, 100.0, 200.0));
}

#[test]
fn mote_packets_that_were_written_wrongly_are_bad_and_counted() {
    let Some(data) = data() else { return };
    let columns = vec![
        column("node", Type::Int, Origin::Position(2)),
        column("number", Type::Int, Origin::Position(3)),
        column("temperature", float(), Origin::Position(7)),
    ];
    let format = FileFormat::Csv(CsvOptions { header: false, separator: None, decimal: ',', ..CsvOptions::default() });
    let (rows, bad) =
        read(&mut Source { path: "wsn-library/library1_R*.txt.gz", format, columns, time: TimeSpec::None }.open(data));
    assert_eq!(rows.num_rows() + bad, 7_563 + 11_110 + 11_029);
    assert!(bad >= 11_029, "{bad}");
}

#[test]
fn road_sensors_of_many_files_in_one_order_of_time() {
    let Some(data) = data() else { return };
    let columns = vec![
        column("road", Type::Text, Origin::Pattern("road".into())),
        field("at", Type::Time, "timestamp"),
        field("value", float(), "value"),
    ];
    let format = FileFormat::Csv(CsvOptions::default());
    let (rows, bad) = read(&mut Source { path: "nab/realTraffic/{road}.csv.gz", format, columns, time: at("at") }.open(data));
    assert_eq!((rows.num_rows(), bad), (15_664, 0));
}

#[test]
fn captured_messages_of_mixed_json() {
    let Some(data) = data() else { return };
    let mut humidity = column("humidity", float(), Origin::Path("$.payload.hum-percent".into()));
    humidity.column.nullable = true;
    let columns = vec![column("topic", Type::Text, Origin::Field("topic".into())), humidity];
    let source = Source { path: "mqtt-lab/sample-lab-data.json", format: FileFormat::Json, columns, time: TimeSpec::None };
    let (rows, bad) = read(&mut source.open(data));
    assert_eq!((rows.num_rows(), bad), (116, 4));
    let wet =
        rows.column(0).as_string::<i32>().iter().filter(|topic| topic.is_some_and(|topic| topic.contains("temp-hum"))).count();
    assert_eq!(rows.num_rows() - rows.column(1).null_count(), wet);
}

/// `time @2020-01-01T00:00:00Z + t_ms * 1ms by segment`.
fn segment_time() -> TimeSpec {
    use mliot::ir::BinaryOp;
    let expr = |kind, ty| Expr { kind, ty, nullable: false, span: Span::default() };
    let binary = |op, left, right, ty| expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty);
    let start = expr(ExprKind::Literal(Value::Time(Time::parse("2020-01-01").unwrap())), Type::Time);
    let step = expr(ExprKind::Literal(Value::Duration(Duration(1_000))), Type::Duration);
    let since = binary(BinaryOp::Mul, expr(ExprKind::Column("t_ms".into()), Type::Int), step, Type::Duration);
    TimeSpec::Column { expr: binary(BinaryOp::Add, start, since, Type::Time), by: vec!["segment".into()] }
}

#[test]
fn movements_of_thirty_people_with_a_clock_for_each_segment() {
    let Some(data) = data() else { return };
    let activities = ["walking", "up", "down", "sitting", "standing", "lying"].iter().zip(1..);
    let activities = Type::Enum(activities.map(|(text, code)| EnumItem { code: Some(code), text: (*text).into() }).collect());
    let mut columns = vec![
        field("subject", Type::Int, "subject"),
        field("segment", Type::Int, "segment"),
        field("t_ms", Type::Int, "t_ms"),
        field("activity", activities, "activity"),
    ];
    columns.extend(["body_acc_x", "body_gyro_z", "total_acc_y"].map(|name| field(name, float(), name)));
    let source = Source { path: "uci-har/inertial.parquet", format: FileFormat::Parquet, columns, time: segment_time() };
    let mut intake = source.open(data);
    let (mut rows, mut segments, mut next) = (0, 0, Ordinal(0));
    let (mut before, mut last) = (-1, Time::MIN);
    while let Pending::Rows { .. } = intake.pending().unwrap() {
        let batch = intake.take(100_000, None, next).unwrap().batch;
        next = batch.upto;
        rows += batch.len();
        let segment = batch.rows.column(1).as_primitive::<arrow::datatypes::Int64Type>().values().clone();
        let time =
            batch.rows.column_by_name("@time").unwrap().as_primitive::<arrow::datatypes::TimestampMicrosecondType>().clone();
        for (segment, at) in segment.iter().zip(time.values()) {
            let begins = *segment != before;
            assert_eq!(Time(*at), if begins { Time::parse("2020-01-01").unwrap() } else { last + Duration(20_000) });
            segments += usize::from(begins);
            (before, last) = (*segment, Time(*at));
        }
    }
    assert_eq!((rows, segments), (713_984, 857));
}

#[test]
fn bearings_in_one_order_of_time_over_ten_recordings() {
    let Some(data) = data() else { return };
    let columns = vec![
        field("fault", classes(&["normal", "ball", "inner_race", "outer_race"]), "fault"),
        field("sample", Type::Int, "sample"),
        field("drive_end", float(), "drive_end"),
    ];
    let TimeSpec::Column { mut expr, .. } = segment_time() else { unreachable!("it is computed") };
    if let ExprKind::Binary(_, _, since) = &mut expr.kind
        && let ExprKind::Binary(_, sample, _) = &mut since.kind
    {
        sample.kind = ExprKind::Column("sample".into());
    }
    let time = TimeSpec::Column { expr, by: vec![] };
    let source = Source { path: "cwru-bearing/cwru_0hp.parquet", format: FileFormat::Parquet, columns, time };
    let (rows, bad) = read(&mut source.open(data));
    assert_eq!((rows.num_rows(), bad), (1_341_856, 0));
}
