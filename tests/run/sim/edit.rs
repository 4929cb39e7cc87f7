//! Edits of a sheet. An edit says what it does and leaves the where to `which`, a number that is taken modulo what there is:
//! so it can be carried out on any sheet, and a case stays a case when another edit is left out of it.

mod special;

use super::grow;
use super::random::Random;
use super::sheet::*;

#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub kind: EditKind,
    pub which: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditKind {
    Remark,
    Limit,
    Bound,
    Value,
    Factor,
    AddStage,
    RemoveStage,
    AddEntry,
    RemoveEntry,
    Setting,
    Keys,
    Window,
    /// Windows that the old ones divide.
    Coarser,
    /// What a stage says about state that cannot be kept.
    Clause,
    Field,
    WideSource,
    Lateness,
    Idle,
    Reconnect,
    Rewire,
    MergeMore,
    MergeLess,
    AddStream,
    RemoveStream,
    Rename,
    RenameUnsaid,
    AddSink,
    RemoveSink,
    MoveSink,
    AddSource,
    RemoveSource,
    Features,
    Order,
    /// Another setting of a stage of the second family.
    Turn,
    /// Text that does not parse.
    Broken,
}

use EditKind::*;

/// By weight: what people change most often comes most often.
const KINDS: [EditKind; 52] = [
    Remark,
    Limit,
    Limit,
    Bound,
    Bound,
    Bound,
    Value,
    Value,
    Value,
    Factor,
    Factor,
    AddStage,
    AddStage,
    RemoveStage,
    AddEntry,
    AddEntry,
    AddEntry,
    RemoveEntry,
    RemoveEntry,
    Setting,
    Setting,
    Keys,
    Window,
    Window,
    Coarser,
    Coarser,
    Clause,
    Field,
    Field,
    WideSource,
    Lateness,
    Lateness,
    Idle,
    Reconnect,
    Rewire,
    Rewire,
    MergeMore,
    MergeMore,
    MergeLess,
    AddStream,
    AddStream,
    RemoveStream,
    Rename,
    Rename,
    RenameUnsaid,
    AddSink,
    RemoveSink,
    MoveSink,
    AddSource,
    RemoveSource,
    Order,
    Broken,
];

/// `many`: of the second family.
pub fn edit(many: bool, chance: &mut Random) -> Edit {
    if many && chance.chance(30) {
        return Edit { kind: Turn, which: chance.word() };
    }
    let kind = if chance.chance(3) { Features } else { *chance.pick(&KINDS) };
    Edit { kind, which: chance.word() }
}

/// What one save changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    Text(Sheet),
    /// A text that no compiler accepts.
    Broken(String),
}

/// The longest window that an edit makes, in seconds.
const LONGEST_S: i64 = 60;

/// A rename lasts for one save, and so does the word `was`.
pub fn apply(sheet: &Sheet, edits: &[Edit]) -> Saved {
    let mut sheet = sheet.clone();
    sheet.streams.iter_mut().for_each(|stream| stream.was = None);
    for edit in edits {
        if edit.kind == Broken {
            return Saved::Broken(mangled(&sheet.to_string(), edit.which));
        }
        let mut chance = Random::new(edit.which);
        let before = sheet.clone();
        if change(&mut sheet, edit.kind, &mut chance).is_none() {
            sheet = before;
        }
    }
    Saved::Text(sheet)
}

fn mangled(text: &str, which: u64) -> String {
    let breaks = [" | ", "source ", " = ", "{", "stream "];
    let word = breaks[(which % 5) as usize];
    text.replacen(word, ["} ", "sauce ", " == = ", "((", "stream stream "][(which % 5) as usize], 1)
}

/// None where there is nothing to change in this way.
fn change(sheet: &mut Sheet, kind: EditKind, chance: &mut Random) -> Option<()> {
    match kind {
        Remark => sheet.remarks = (sheet.remarks + 1) % 4,
        Limit => sheet.limit = chance.between(-4, 12),
        Bound => *chance_of(tests(sheet), chance)? = again(sheet, chance)?,
        Value | Factor | Setting | Keys | Window | Coarser | Clause | AddEntry | RemoveEntry => inside(sheet, kind, chance)?,
        AddStage => add_stage(sheet, chance)?,
        RemoveStage => {
            let (stream, stage) = place(sheet, |stage| *stage != Stage::Predict, chance)?;
            sheet.streams[stream].stages.remove(stage);
        }
        Field => {
            let source = a_source(sheet, chance)?;
            source.field = if source.field == 'a' { 'b' } else { 'a' };
        }
        WideSource => {
            let source = a_source(sheet, chance)?;
            source.wide = !source.wide;
        }
        Lateness => a_source(sheet, chance)?.lateness_s = chance.between(0, 4),
        Idle => a_source(sheet, chance)?.idle_s = chance.chance(60).then(|| chance.between(2, 8)),
        Reconnect => {
            let source = a_source(sheet, chance)?;
            source.path = (source.path + 1) % super::rows::PATHS;
        }
        Rewire => rewire(sheet, chance)?,
        MergeMore => merge_more(sheet, chance)?,
        MergeLess => merge_less(sheet, chance)?,
        AddStream => {
            grow::add_stream(sheet, chance);
            let name = sheet.streams.last()?.name.clone();
            let sink = grow::sink(sheet, name, chance);
            sheet.sinks.push(sink);
        }
        RemoveStream => remove_stream(sheet, chance)?,
        Rename | RenameUnsaid => rename(sheet, kind == Rename, chance)?,
        AddSink => {
            let input = chance.pick(&sheet.readable()).clone();
            let sink = grow::sink(sheet, input, chance);
            sheet.sinks.push(sink);
        }
        RemoveSink if sheet.sinks.len() > 1 => _ = sheet.sinks.remove(chance.below(sheet.sinks.len())),
        MoveSink if !sheet.sinks.is_empty() => {
            let sink = chance.below(sheet.sinks.len());
            sheet.sinks[sink].path = (sheet.sinks[sink].path + 1) % 3;
        }
        AddSource => {
            let source = grow::source(grow::free_source(sheet)?, chance);
            let name = source.name.clone();
            sheet.sources.push(source);
            let sink = grow::sink(sheet, name, chance);
            sheet.sinks.push(sink);
        }
        RemoveSource => remove_source(sheet, chance)?,
        Features => {
            let columns = sheet.columns(&sheet.task.as_ref()?.from);
            let mut features = of_kind(&columns, &[Kind::Exact]);
            features.truncate(chance.between(1, 3) as usize);
            sheet.task.as_mut()?.features = features;
        }
        Order => {
            let by = chance.below(sheet.streams.len());
            sheet.streams.rotate_left(by);
            sheet.sinks.reverse();
        }
        Turn => {
            let place = place(sheet, |stage| matches!(stage, Stage::Special(_)), chance)?;
            special::turn(sheet, place, chance)?;
        }
        RemoveSink | MoveSink | Broken => return None,
    }
    Some(())
}

fn a_source<'a>(sheet: &'a mut Sheet, chance: &mut Random) -> Option<&'a mut Source> {
    let at = chance.below(sheet.sources.len());
    sheet.sources.get_mut(at)
}

fn chance_of<'a, T>(mut all: Vec<&'a mut T>, chance: &mut Random) -> Option<&'a mut T> {
    let at = chance.below(all.len());
    (at < all.len()).then(|| all.swap_remove(at))
}

fn place(sheet: &Sheet, wanted: impl Fn(&Stage) -> bool, chance: &mut Random) -> Option<(usize, usize)> {
    let places = sheet.streams.iter().enumerate();
    let places = places.flat_map(|(at, stream)| stream.stages.iter().enumerate().map(move |(nth, stage)| (at, nth, stage)));
    let places: Vec<(usize, usize)> = places.filter(|(.., stage)| wanted(stage)).map(|(at, nth, _)| (at, nth)).collect();
    (!places.is_empty()).then(|| *chance.pick(&places))
}

fn add_stage(sheet: &mut Sheet, chance: &mut Random) -> Option<()> {
    let stream = chance.below(sheet.streams.len());
    let at = chance.below(sheet.streams.get(stream)?.stages.len() + 1);
    let stage = grow::stage(sheet, stream, at, chance)?;
    sheet.streams[stream].stages.insert(at, stage);
    Some(())
}

/// Another bound in a `where`, or another filter.
fn again(sheet: &Sheet, chance: &mut Random) -> Option<Test> {
    let columns = sheet.sources.first()?.columns();
    let columns: Columns = columns.into_iter().filter(|(name, _)| name == "v" || name == "key").collect();
    grow::test(&columns, chance)
}

fn tests(sheet: &mut Sheet) -> Vec<&mut Test> {
    let stages = sheet.streams.iter_mut().flat_map(|stream| &mut stream.stages);
    let wheres = stages.filter_map(|stage| if let Stage::Where(test) = stage { Some(test) } else { None });
    wheres.chain(sheet.sinks.iter_mut().filter_map(|sink| sink.bound.as_mut())).collect()
}

/// A change inside one stage.
fn inside(sheet: &mut Sheet, kind: EditKind, chance: &mut Random) -> Option<()> {
    let wanted = |stage: &Stage| match kind {
        Value => matches!(stage, Stage::Set { .. } | Stage::Scan { .. } | Stage::Window { .. }),
        Window => matches!(stage, Stage::Window { .. }),
        Coarser => matches!(stage, Stage::Window { shape: Shape::Time { .. }, .. }),
        Setting => matches!(stage, Stage::Scan { .. }),
        _ => stage.remembers(),
    };
    let (stream, at) = place(sheet, wanted, chance)?;
    let columns = sheet.reaching(stream, at);
    let mut stage = sheet.streams[stream].stages[at].clone();
    match (&mut stage, kind) {
        (Stage::Set { value, .. }, _) => *value = grow::num(&columns, chance, 2)?,
        (Stage::Window { shape: Shape::Session { gap }, .. }, Window) if chance.chance(70) => *gap = chance.between(1, 7),
        (Stage::Window { shape, .. }, Window) => *shape = grow::shape(chance),
        (Stage::Window { shape: Shape::Time { size, every }, .. }, Coarser) => {
            let times = chance.between(2, 3);
            (*size, *every) = (*size * times, if chance.chance(50) { *every * times } else { *every });
            // Windows that grow for ever are never seen to end.
            if *size > LONGEST_S {
                (*size, *every) = (2, 2);
            }
        }
        (Stage::Scan { on_change, .. } | Stage::Window { on_change, .. }, Clause) => {
            *on_change = grow::on_change(chance);
        }
        (Stage::Scan { by, .. } | Stage::Window { by, .. }, Keys) => *by = grow::by(&columns, chance),
        (Stage::Scan { entries, .. }, _) => scan(sheet, entries, &columns, kind, chance)?,
        (Stage::Window { entries, .. }, _) => window(sheet, entries, &columns, kind, chance)?,
        _ => return None,
    }
    sheet.streams[stream].stages[at] = stage;
    Some(())
}

fn scan(sheet: &mut Sheet, entries: &mut Vec<Scanned>, columns: &Columns, kind: EditKind, chance: &mut Random) -> Option<()> {
    let at = chance.below(entries.len());
    match kind {
        AddEntry => entries.push(grow::scanned(sheet, columns, chance)?),
        RemoveEntry if entries.len() > 1 => _ = entries.remove(at),
        Factor => entries[at].factor = another(entries[at].factor, chance),
        Value => entries[at].of = grow::num(columns, chance, 1)?,
        Setting => {
            let new = grow::scanned(sheet, columns, chance)?.function;
            entries[at].function = match entries[at].function {
                Running::Lag(rows) => Running::Lag(rows % 3 + 1),
                Running::Ewma(half) => Running::Ewma(half + 1),
                Running::Hysteresis(on, off) => Running::Hysteresis(on + 1, off),
                _ => new,
            };
        }
        _ => return None,
    }
    Some(())
}

fn window(sheet: &mut Sheet, entries: &mut Vec<Folded>, columns: &Columns, kind: EditKind, chance: &mut Random) -> Option<()> {
    let at = chance.below(entries.len());
    match kind {
        AddEntry => entries.push(grow::folded(sheet, columns, chance)?),
        RemoveEntry if entries.len() > 1 => _ = entries.remove(at),
        Factor => entries[at].factor = another(entries[at].factor, chance),
        Value => entries[at].of = grow::num(columns, chance, 1)?,
        _ => return None,
    }
    Some(())
}

fn another(factor: Option<Quarters>, chance: &mut Random) -> Option<Quarters> {
    if factor.is_some() && chance.chance(40) { None } else { Some(*chance.pick(&[2, 8, -4, 12])) }
}

fn rewire(sheet: &mut Sheet, chance: &mut Random) -> Option<()> {
    if chance.chance(30) && !sheet.sinks.is_empty() {
        let at = chance.below(sheet.sinks.len());
        let columns = sheet.columns(&sheet.sinks[at].input);
        let alike: Vec<String> =
            sheet.readable().into_iter().filter(|name| grow::same_columns(&sheet.columns(name), &columns)).collect();
        if sheet.sinks[at].outlet == Outlet::Rows && !alike.is_empty() {
            sheet.sinks[at].input = chance.pick(&alike).clone();
        }
        return Some(());
    }
    let at = chance.below(sheet.streams.len());
    let name = sheet.streams.get(at)?.name.clone();
    let columns = sheet.columns(&sheet.streams[at].input);
    let fits =
        |other: &String| *other != name && !sheet.reads(other, &name) && grow::same_columns(&sheet.columns(other), &columns);
    let others: Vec<String> = sheet.readable().into_iter().filter(fits).collect();
    sheet.streams[at].input = (!others.is_empty()).then(|| chance.pick(&others).clone())?;
    Some(())
}

fn merge_more(sheet: &mut Sheet, chance: &mut Random) -> Option<()> {
    let (stream, at) = place(sheet, |stage| matches!(stage, Stage::Union(_)), chance)?;
    let (name, columns) = (sheet.streams[stream].name.clone(), sheet.reaching(stream, at));
    let Stage::Union(with) = sheet.streams[stream].stages[at].clone() else { return None };
    let fits = |other: &String| {
        let new = *other != name && !with.contains(other) && *other != sheet.streams[stream].input;
        new && !sheet.reads(other, &name) && grow::same_columns(&sheet.columns(other), &columns)
    };
    let others: Vec<String> = sheet.readable().into_iter().filter(fits).collect();
    let more = (!others.is_empty()).then(|| chance.pick(&others).clone())?;
    let Stage::Union(with) = &mut sheet.streams[stream].stages[at] else { return None };
    with.push(more);
    Some(())
}

fn merge_less(sheet: &mut Sheet, chance: &mut Random) -> Option<()> {
    let (stream, at) = place(sheet, |stage| matches!(stage, Stage::Union(with) if with.len() > 1), chance)?;
    let Stage::Union(with) = &mut sheet.streams[stream].stages[at] else { return None };
    with.remove(chance.below(with.len()));
    Some(())
}

fn remove_stream(sheet: &mut Sheet, chance: &mut Random) -> Option<()> {
    let named = |stream: &&Stream| sheet.streams.iter().all(|other| !sheet.reads(&other.name, &stream.name));
    let task = sheet.task.as_ref().map(|task| task.from.clone());
    let free = sheet.streams.iter().filter(named).map(|stream| stream.name.clone());
    let free: Vec<String> = free.filter(|name| Some(name) != task.as_ref()).collect();
    let name = (free.len() > 1).then(|| chance.pick(&free).clone())?;
    sheet.streams.retain(|stream| stream.name != name);
    sheet.sinks.retain(|sink| sink.input != name);
    Some(())
}

fn remove_source(sheet: &mut Sheet, chance: &mut Random) -> Option<()> {
    let task = sheet.task.as_ref().map(|task| task.from.clone());
    let unread = |name: &String| sheet.streams.iter().all(|stream| !sheet.reads(&stream.name, name));
    let free = sheet.sources.iter().map(|source| source.name.clone()).filter(unread);
    let free: Vec<String> = free.filter(|name| Some(name) != task.as_ref()).collect();
    let name = (!free.is_empty() && sheet.sources.len() > 1).then(|| chance.pick(&free).clone())?;
    sheet.sources.retain(|source| source.name != name);
    sheet.sinks.retain(|sink| sink.input != name);
    Some(())
}

/// `said`: with the word `was`. The other way it is the only change of its save that could be taken for it.
fn rename(sheet: &mut Sheet, said: bool, chance: &mut Random) -> Option<()> {
    let at = chance.below(sheet.streams.len());
    let old = sheet.streams.get(at)?.name.clone();
    let new = sheet.fresh("s");
    for stream in &mut sheet.streams {
        let with = stream.stages.iter_mut().flat_map(Stage::others_mut);
        let read = with.chain([&mut stream.input]);
        read.filter(|name| **name == old).for_each(|name| name.clone_from(&new));
    }
    sheet.sinks.iter_mut().filter(|sink| sink.input == old).for_each(|sink| sink.input.clone_from(&new));
    sheet.task.iter_mut().filter(|task| task.from == old).for_each(|task| task.from.clone_from(&new));
    sheet.streams[at].name = new;
    if said {
        sheet.streams[at].was.get_or_insert(old);
    }
    Some(())
}
