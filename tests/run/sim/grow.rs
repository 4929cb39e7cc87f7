//! Sheets by chance: sources, streams over each other, windows over windows, merges of what parted before.

mod special;

use super::random::Random;
use super::sheet::*;

pub use special::{brought, special};

const SOURCES: [&str; 3] = ["lab", "hall", "yard"];

/// How many streams a first sheet has at most.
const STREAMS_MAX: i64 = 7;

/// `many`: with stages of every kind.
pub fn sheet(many: bool, chance: &mut Random) -> Sheet {
    let empty =
        Sheet { limit: 8, sources: vec![], streams: vec![], sinks: vec![], task: None, remarks: 0, serial: 0, places: 0, many };
    let mut sheet = empty;
    let sources = chance.between(1, SOURCES.len() as i64) as usize;
    sheet.sources = SOURCES[..sources].iter().map(|name| source(name, chance)).collect();
    if many {
        sheet.sources.iter_mut().for_each(|source| source.lists = chance.chance(50));
    }
    for _ in 0..chance.between(2, STREAMS_MAX) {
        add_stream(&mut sheet, chance);
    }
    if chance.chance(40) {
        add_task(&mut sheet, chance);
    }
    add_needed_sinks(&mut sheet, chance);
    sheet
}

pub fn source(name: &str, chance: &mut Random) -> Source {
    Source {
        name: name.to_owned(),
        path: 0,
        lateness_s: chance.between(0, 3),
        idle_s: chance.chance(40).then(|| chance.between(2, 8)),
        field: 'a',
        wide: chance.chance(30),
        lists: false,
    }
}

/// A source whose name is free, if there is one.
pub fn free_source(sheet: &Sheet) -> Option<&'static str> {
    SOURCES.into_iter().find(|name| sheet.sources.iter().all(|source| source.name != *name))
}

pub fn add_stream(sheet: &mut Sheet, chance: &mut Random) {
    let input = chance.pick(&sheet.readable()).clone();
    let name = sheet.fresh("s");
    sheet.streams.push(Stream { name, was: None, input, stages: vec![] });
    let at = sheet.streams.len() - 1;
    for _ in 0..chance.between(1, 3) {
        let end = sheet.streams[at].stages.len();
        if let Some(stage) = stage(sheet, at, end, chance) {
            sheet.streams[at].stages.push(stage);
        }
    }
    if sheet.streams[at].stages.is_empty() {
        let test = test(&sheet.reaching(at, 0), chance);
        sheet.streams[at].stages.extend(test.map(Stage::Where));
    }
}

/// A stage that could stand at this place of a stream.
pub fn stage(sheet: &mut Sheet, stream: usize, at: usize, chance: &mut Random) -> Option<Stage> {
    if sheet.many && chance.chance(60) {
        return special(sheet, stream, at, chance);
    }
    let columns = sheet.reaching(stream, at);
    let has = |what: fn(&Stage) -> bool| sheet.streams[stream].stages.iter().any(what);
    let scans = has(|stage| matches!(stage, Stage::Scan { .. }));
    let windows = has(|stage| matches!(stage, Stage::Window { .. }));
    match chance.below(10) {
        0 | 1 => test(&columns, chance).map(Stage::Where),
        2 => Some(Stage::Set { value: num(&columns, chance, 2)?, name: sheet.fresh("x") }),
        3 => Some(Stage::Drop(chance.pick(&droppable(&columns)?).clone())),
        4 | 5 => {
            let id = scans.then(|| number_of(sheet.fresh("i")));
            scan(sheet, &columns, id, chance)
        }
        6 | 7 => {
            let id = windows.then(|| number_of(sheet.fresh("i")));
            window(sheet, &columns, id, chance)
        }
        _ => union(sheet, stream, &columns, chance),
    }
}

fn number_of(name: String) -> u32 {
    name[1..].parse().expect("a letter and a number")
}

fn droppable(columns: &Columns) -> Option<Vec<String>> {
    let made = of_kind(columns, &[Kind::Exact, Kind::Rough, Kind::Bool]);
    let made: Vec<String> = made.into_iter().filter(|name| name != "v").collect();
    (!made.is_empty()).then_some(made)
}

fn scan(sheet: &mut Sheet, columns: &Columns, id: Option<u32>, chance: &mut Random) -> Option<Stage> {
    let first = scanned(sheet, columns, chance)?;
    let more = if chance.chance(40) { scanned(sheet, columns, chance) } else { None };
    let entries = [Some(first), more].into_iter().flatten().collect();
    Some(Stage::Scan { id, by: by(columns, chance), entries, on_change: on_change(chance) })
}

pub fn scanned(sheet: &mut Sheet, columns: &Columns, chance: &mut Random) -> Option<Scanned> {
    let of = num(columns, chance, 1)?;
    let function = match chance.below(8) {
        0 => Running::Previous,
        1 => Running::Lag(chance.between(1, 3)),
        2 | 3 => Running::Sum,
        4 => Running::Count,
        5 => Running::Max,
        6 => Running::Changed,
        _ if chance.chance(50) => Running::Ewma(chance.between(1, 20)),
        _ => Running::Hysteresis(12, 4),
    };
    Some(Scanned { name: sheet.fresh("r"), of, function, factor: chance.chance(30).then_some(8) })
}

pub fn by(columns: &Columns, chance: &mut Random) -> Vec<String> {
    let keys: Vec<String> = columns.iter().map(|(name, _)| name.clone()).filter(|name| name == "key" || name == "g").collect();
    match chance.below(6) {
        0 => vec![],
        1 => keys,
        _ if keys.is_empty() => vec![],
        _ => vec![chance.pick(&keys).clone()],
    }
}

fn window(sheet: &mut Sheet, columns: &Columns, id: Option<u32>, chance: &mut Random) -> Option<Stage> {
    let entries = (0..chance.between(1, 3)).filter_map(|_| folded(sheet, columns, chance)).collect::<Vec<_>>();
    let timed = columns.iter().any(|(_, kind)| *kind == Kind::Time);
    let fits = timed && !entries.is_empty();
    let session = sheet.many && chance.chance(50);
    let shape = |chance: &mut Random| if session { Shape::Session { gap: chance.between(1, 6) } } else { shape(chance) };
    fits.then(|| Stage::Window { id, shape: shape(chance), by: by(columns, chance), entries, on_change: on_change(chance) })
}

pub fn on_change(chance: &mut Random) -> OnChange {
    match chance.below(20) {
        0 => OnChange::Reject,
        1..=4 => OnChange::Empty,
        _ => OnChange::Unsaid,
    }
}

pub fn shape(chance: &mut Random) -> Shape {
    match chance.below(5) {
        0..=2 => {
            let size = chance.between(2, 9);
            Shape::Time { size, every: size }
        }
        3 => Shape::Time { size: chance.between(4, 10), every: chance.between(1, 4) },
        _ => Shape::Rows { size: chance.between(3, 5), every: chance.between(1, 3), partial: chance.chance(50) },
    }
}

pub fn folded(sheet: &mut Sheet, columns: &Columns, chance: &mut Random) -> Option<Folded> {
    let function = *chance.pick(&[Fold::Count, Fold::Sum, Fold::Mean, Fold::Min, Fold::Max, Fold::First, Fold::Last]);
    let of = num(columns, chance, 1)?;
    let only = if chance.chance(15) { test(columns, chance) } else { None };
    Some(Folded { name: sheet.fresh("a"), of, function, only, factor: chance.chance(20).then_some(2) })
}

/// Merges with streams whose columns are the same now.
fn union(sheet: &Sheet, stream: usize, columns: &Columns, chance: &mut Random) -> Option<Stage> {
    let own = &sheet.streams[stream].name;
    let alike = |name: &String| name != own && same_columns(&sheet.columns(name), columns) && !sheet.reads(name, own);
    let others: Vec<String> = sheet.readable().into_iter().filter(alike).collect();
    if others.is_empty() {
        return Some(Stage::Narrow).filter(|_| *columns != narrow() && holds_narrow(columns));
    }
    let mut with = vec![chance.pick(&others).clone()];
    let second = chance.pick(&others).clone();
    if chance.chance(40) && !with.contains(&second) {
        with.push(second);
    }
    Some(Stage::Union(with))
}

fn holds_narrow(columns: &Columns) -> bool {
    narrow().iter().all(|column| columns.contains(column))
}

pub fn same_columns(left: &Columns, right: &Columns) -> bool {
    let holds = |all: &Columns, other: &Columns| other.iter().all(|column| all.contains(column));
    left.len() == right.len() && holds(left, right) && holds(right, left)
}

pub fn num(columns: &Columns, chance: &mut Random, depth: usize) -> Option<Num> {
    let exact = of_kind(columns, &[Kind::Exact]);
    if exact.is_empty() {
        return None;
    }
    let column = |chance: &mut Random| Num::Column(chance.pick(&exact).clone());
    let one = column(chance);
    Some(match chance.below(if depth > 0 { 9 } else { 2 }) {
        0..=3 => one,
        4 => Num::Times(one.into(), *chance.pick(&[2, 8, -4, 12])),
        5 => Num::Plus(one.into(), Num::Quarters(chance.between(-8, 8)).into()),
        6 => Num::Minus(one.into(), num(columns, chance, depth - 1)?.into()),
        7 => Num::Else(one.into(), chance.between(-4, 4)),
        _ => Num::If(test(columns, chance)?.into(), one.into(), num(columns, chance, depth - 1)?.into()),
    })
}

pub fn test(columns: &Columns, chance: &mut Random) -> Option<Test> {
    let exact = of_kind(columns, &[Kind::Exact]);
    if exact.is_empty() {
        return None;
    }
    let column = chance.pick(&exact).clone();
    let simple = |chance: &mut Random| Test::Above(Num::Column(column.clone()), Num::Quarters(chance.between(-12, 16)));
    Some(match chance.below(9) {
        0..=2 => simple(chance),
        3 => Test::AtMost(Num::Column(column), Num::Limit),
        4 => Test::Above(Num::Column(column), Num::Limit),
        5 => Test::Known(column),
        6 if columns.iter().any(|(name, _)| name == "key") => Test::Key(*chance.pick(&['a', 'b', 'c'])),
        6 => Test::Not(simple(chance).into()),
        7 => Test::Either(simple(chance).into(), Test::Null(chance.pick(&exact).clone()).into()),
        _ => Test::Both(Test::Not(simple(chance).into()).into(), Test::AtMost(Num::Column(column), Num::Quarters(30)).into()),
    })
}

fn add_task(sheet: &mut Sheet, chance: &mut Random) {
    let from: Vec<String> =
        sheet.readable().into_iter().filter(|name| sheet.columns(name).contains(&("y".into(), Kind::Target))).collect();
    let from = chance.pick(&from).clone();
    let mut features = of_kind(&sheet.columns(&from), &[Kind::Exact]);
    features.truncate(chance.between(1, 3) as usize);
    if features.is_empty() {
        return;
    }
    let name = sheet.fresh("s");
    sheet.streams.push(Stream { name, was: None, input: from.clone(), stages: vec![Stage::Predict] });
    sheet.task = Some(Task { from, features });
}

pub fn sink(sheet: &mut Sheet, input: String, chance: &mut Random) -> Sink {
    let columns = sheet.columns(&input);
    let bound = if chance.chance(20) { test(&columns, chance) } else { None };
    Sink { name: sheet.fresh("k"), input, outlet: Outlet::Rows, bound, path: 0 }
}

/// What nobody reads gets a sink, so that all of it is seen; some streams get several.
fn add_needed_sinks(sheet: &mut Sheet, chance: &mut Random) {
    for name in sheet.readable() {
        let wanted = !sheet.is_read(&name) || chance.chance(25);
        if wanted {
            let sink = sink(sheet, name, chance);
            sheet.sinks.push(sink);
        }
    }
    let late = sheet
        .streams
        .iter()
        .filter(|stream| stream.stages.iter().any(|stage| matches!(stage, Stage::Window { shape: Shape::Time { .. }, .. })));
    let late: Vec<String> = late.map(|stream| stream.name.clone()).collect();
    if !late.is_empty() && chance.chance(60) {
        add_outlet(sheet, chance.pick(&late).clone(), Outlet::Late);
    }
    if chance.chance(60) {
        let source = chance.pick(&sheet.sources).name.clone();
        add_outlet(sheet, source, Outlet::Bad);
    }
}

pub fn add_outlet(sheet: &mut Sheet, input: String, outlet: Outlet) {
    let name = sheet.fresh("k");
    sheet.sinks.push(Sink { name, input, outlet, bound: None, path: 0 });
}

impl Sheet {
    fn is_read(&self, name: &str) -> bool {
        let by_stream = |stream: &Stream| stream.input == name || merged(stream).any(|other| other == name);
        self.streams.iter().any(by_stream) || self.sinks.iter().any(|sink| sink.input == name && sink.outlet == Outlet::Rows)
    }

    /// Does `name` read `from`, directly or not?
    pub fn reads(&self, name: &str, from: &str) -> bool {
        let Some(stream) = self.streams.iter().find(|stream| stream.name == name) else { return false };
        std::iter::once(&stream.input).chain(merged(stream)).any(|input| input == from || self.reads(input, from))
    }
}

pub fn merged(stream: &Stream) -> impl Iterator<Item = &String> {
    stream.stages.iter().flat_map(Stage::others)
}
