//! A simulation is a function of its seed: of nothing else.

use proptest::prelude::*;

use crate::base::{Duration, Span, Time};
use crate::io::testing::{All, Hand, Source, assert_balanced, column, drain, float, take_some};
use crate::io::{Mode, Pending, Place};
use crate::ir::{
    BinaryOp, Connector, Expr, ExprKind, Fault, GeneratedColumn, Generator, GeneratorCall, Origin, Simulate, Type, Value,
};

use super::*;

const MINUTE: i64 = 60_000_000;

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: false, span: Span::default() }
}

fn slot(ty: Type) -> Expr {
    expr(ExprKind::Slot(0), ty)
}

fn call(function: Generator) -> GeneratorCall {
    GeneratorCall { function, every: None, values: vec![], range: None, size: None }
}

/// The example of the language: two rooms, one row a minute each.
fn simulate() -> Simulate {
    let step = GeneratorCall {
        every: Some(Duration(40 * MINUTE)),
        values: vec![Value::Bool(false), Value::Bool(true)],
        ..call(Generator::Step)
    };
    let walk = GeneratorCall { range: Some((400.0, 900.0)), size: Some(5.0), ..call(Generator::Walk) };
    let sine = GeneratorCall { every: Some(Duration(1_440 * MINUTE)), range: Some((18.0, 26.0)), ..call(Generator::Sine) };
    let noise = GeneratorCall { size: Some(0.3), ..call(Generator::Noise) };
    let number = |value| Box::new(expr(ExprKind::Literal(Value::Float(value)), float()));
    let occupied = Box::new(expr(ExprKind::Column("occupied".into()), Type::Bool));
    let more = expr(ExprKind::If(occupied, number(300.0), number(0.0)), float());
    let plus = |left, right| expr(ExprKind::Binary(BinaryOp::Add, Box::new(left), Box::new(right)), float());
    let column = |name: &str, calls, value| GeneratedColumn { name: name.into(), calls, value };
    Simulate {
        rows: 1,
        per: Duration(MINUTE),
        by: Some(("device".into(), vec![Value::Text("lab".into()), Value::Text("hall".into())])),
        seed: 7,
        span: Some(Duration(240 * MINUTE)),
        columns: vec![
            column("occupied", vec![step], slot(Type::Bool)),
            column("co2", vec![walk], plus(slot(float()), more)),
            column("temperature", vec![sine, noise], plus(slot(float()), expr(ExprKind::Slot(1), float()))),
        ],
        faults: vec![],
    }
}

fn source(recorded: Option<Simulate>, live: Option<Simulate>) -> Source {
    let columns = vec![
        column("at", Type::Time, false),
        column("device", Type::Text, false),
        column("occupied", Type::Bool, true),
        column("co2", float(), false),
        column("temperature", float(), false),
    ];
    Source::of(recorded.map(Connector::Simulate), live.map(Connector::Simulate), columns).time("at")
}

fn recorded(simulate: Simulate, batch: usize) -> All {
    let mut intake = source(Some(simulate), None).open(Mode::Recorded, &Place::beside(".")).unwrap();
    drain(&mut intake, batch)
}

fn co2(row: &str) -> f64 {
    row.split(',').nth(3).unwrap().parse().unwrap()
}

#[test]
fn a_recording_ends_where_live_begins_and_walks_stay_within_their_steps() {
    let all = recorded(simulate(), 1_000);
    assert_eq!((all.rows.len(), all.bad.len()), (480, 0));
    assert!(all.rows[0].starts_with("2025-12-31T20:00:00Z,lab,false,"), "{}", all.rows[0]);
    assert!(all.rows[1].starts_with("2025-12-31T20:00:00Z,hall,false,"), "{}", all.rows[1]);
    assert!(all.rows[479].starts_with("2025-12-31T23:59:00Z,hall,true,"), "{}", all.rows[479]);
    for key in [0, 1] {
        let walk: Vec<f64> =
            all.rows.iter().skip(key).step_by(2).map(|row| co2(row) - if row.contains("true") { 300.0 } else { 0.0 }).collect();
        assert!(walk.iter().all(|value| (400.0..=900.0).contains(value)));
        assert!(walk.windows(2).all(|pair| (pair[0] - pair[1]).abs() <= 5.0 + 1e-9));
        assert!(walk.windows(2).any(|pair| pair[0] != pair[1]));
    }
    assert_ne!(co2(&all.rows[0]), co2(&all.rows[1]));
    assert_ne!(recorded(Simulate { seed: 8, ..simulate() }, 1_000).rows, all.rows);
}

#[test]
fn live_goes_on_with_the_walks_of_the_recording_as_its_clock_does() {
    let longer = Simulate { span: Some(Duration(250 * MINUTE)), ..simulate() };
    let whole = recorded(longer, 1_000);
    let both = source(Some(simulate()), Some(Simulate { span: None, ..simulate() }));
    let (mut place, clock) = (Place::beside("."), Hand::default());
    place.now = std::sync::Arc::new(clock.clone());
    clock.set(place.began);
    let mut live = both.open(Mode::Live, &place).unwrap();
    let mut all = drain(&mut live, 100);
    assert_eq!(all.rows.len(), 2);
    assert_eq!(live.pending().unwrap(), Pending::Idle { until: Some(place.began + Duration(MINUTE)) });
    clock.set(place.began + Duration(9 * MINUTE));
    take_some(&mut live, 3, usize::MAX, &mut all).unwrap();
    let values = |rows: &[String]| rows.iter().map(|row| row.split_once(',').unwrap().1.to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&all.rows), values(&whole.rows[480..]));
    assert!(all.rows[19].starts_with("2026-01-01T00:09:00Z,hall"), "{}", all.rows[19]);
}

#[test]
fn faults_lose_double_delay_and_spoil_rows() {
    let with = |fault| recorded(Simulate { faults: vec![fault], ..simulate() }, 50);
    let clean = recorded(simulate(), 50).rows;
    let lost = with(Fault::Drop { share: 0.25 }).rows;
    assert!((300..420).contains(&lost.len()) && lost.iter().all(|row| clean.contains(row)), "{}", lost.len());
    let twice = with(Fault::Duplicate { share: 0.25 }).rows;
    assert!((540..660).contains(&twice.len()), "{}", twice.len());
    let gap = with(Fault::Gap { length: Duration(10 * MINUTE), every: Duration(60 * MINUTE) }).rows;
    assert_eq!((gap.len(), &gap[..100]), (400, &clean[..100]));
    let spiked = with(Fault::Spike { column: "co2".into(), times: 10.0, share: 0.05 }).rows;
    assert!((5..60).contains(&spiked.iter().filter(|row| co2(row) > 2_000.0).count()));
    let drifted = with(Fault::Drift { column: "co2".into(), add: 1_000.0, times: 1.0, after: Duration(120 * MINUTE) }).rows;
    assert!(drifted[..240] == clean[..240] && drifted[240..].iter().all(|row| co2(row) >= 1_400.0));
    let delayed = with(Fault::Delay { column: "occupied".into(), by: Duration(60 * MINUTE) }).rows;
    let nulls = delayed.iter().filter(|row| row.split(',').nth(2) == Some("")).count();
    assert_eq!((nulls, &delayed[..358]), (120 - 2, &clean[..358]));
}

#[test]
fn late_rows_arrive_behind_newer_ones_with_their_own_time() {
    let late = Fault::Late { share: 0.1, by: Duration(150_000_000) };
    let mut intake = source(Some(Simulate { faults: vec![late], ..simulate() }), None);
    let mut arrived = column("arrived", Type::Time, false);
    arrived.origin = Origin::Arrival;
    intake.columns.push(arrived);
    let rows = drain(&mut intake.open(Mode::Recorded, &Place::beside(".")).unwrap(), 64).rows;
    let times: Vec<(Time, Time)> = rows
        .iter()
        .map(|row| {
            let fields: Vec<&str> = row.split(',').collect();
            (Time::parse(fields[0]).unwrap(), Time::parse(fields[5]).unwrap())
        })
        .collect();
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].1), "arrivals fall");
    let late = times.iter().filter(|(at, arrived)| *arrived - *at == Duration(150_000_000)).count();
    assert!((20..80).contains(&late), "{late}");
    assert!(times.iter().all(|(at, arrived)| arrived == at || *arrived - *at == Duration(150_000_000)));
    assert!((470..=480).contains(&rows.len()), "{}", rows.len());
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let refused = |change: fn(&mut Simulate)| {
        let mut wrong = simulate();
        change(&mut wrong);
        source(Some(wrong), None).refused(std::path::Path::new(".")).code
    };
    assert_eq!(refused(|wrong| wrong.rows = 0), Code::E0718);
    assert_eq!(refused(|wrong| wrong.span = None), Code::E0718);
    assert_eq!(refused(|wrong| drop(wrong.columns.remove(1))), Code::E0718);
    assert_eq!(refused(|wrong| wrong.columns[1].calls[0].range = None), Code::E0718);
    assert_eq!(refused(|wrong| wrong.faults = vec![Fault::Delay { column: "co2".into(), by: Duration(1) }]), Code::E0718);
    assert_eq!(refused(|wrong| wrong.faults = vec![Fault::Late { share: 0.1, by: Duration(i64::MAX / 4) }]), Code::E0718);
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0.0..0.5f64, 0i64..300).prop_map(|(share, seconds)| Fault::Late { share, by: Duration(seconds * 1_000_000) }),
        (0.0..0.5f64).prop_map(|share| Fault::Drop { share }),
        (0.0..0.5f64).prop_map(|share| Fault::Duplicate { share }),
        (0.0..0.5f64).prop_map(|share| Fault::Spike { column: "co2".into(), times: 10.0, share }),
        Just(Fault::Gap { length: Duration(5 * MINUTE), every: Duration(17 * MINUTE) }),
        Just(Fault::Delay { column: "occupied".into(), by: Duration(60 * MINUTE) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_batch_size_gives_equal_rows_and_any_resumption_the_rest(
        faults in prop::collection::vec(fault(), 0..4),
        rows in 1u64..7,
        batch in 1usize..90,
        first in 0usize..20,
        bounds in any::<bool>(),
    ) {
        let simulate = Simulate { faults, rows, per: Duration(3 * MINUTE), span: Some(Duration(100 * MINUTE)), ..simulate() };
        let mut source = source(Some(simulate), None);
        source.columns[3].bounds = bounds.then_some((0.0, 700.0));
        let place = Place::beside(".");
        let whole = drain(&mut source.open(Mode::Recorded, &place).unwrap(), 10_000);
        let mut intake = source.open(Mode::Recorded, &place).unwrap();
        let mut all = All::default();
        take_some(&mut intake, batch, first, &mut all).unwrap();
        let mut other = source.open(Mode::Recorded, &place).unwrap();
        other.resume(&intake.position()).unwrap();
        let taken = all.clone();
        intake.retune(&source.decode(), &source.gate(), &source.schema()).unwrap();
        take_some(&mut intake, batch, usize::MAX, &mut all).unwrap();
        assert_balanced(&intake);
        prop_assert_eq!(&all.rows, &whole.rows);
        prop_assert_eq!(&all.bad, &whole.bad);
        let mut rest = taken;
        take_some(&mut other, batch, usize::MAX, &mut rest).unwrap();
        prop_assert_eq!(&rest.rows, &whole.rows);
    }
}
