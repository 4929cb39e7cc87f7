//! Stages of the second family by chance, and their other settings.

use crate::sim::random::Random;
use crate::sim::sheet::*;

use super::{by, folded, num, on_change};

/// One of a kind stands in a stream, so that each is known by its kind alone.
pub fn special(sheet: &mut Sheet, stream: usize, at: usize, chance: &mut Random) -> Option<Stage> {
    let columns = sheet.reaching(stream, at);
    let what = what(sheet, stream, &columns, chance)?;
    let is_new = |stage: &Stage| !matches!(stage, Stage::Special(other) if same_kind(&other.what, &what));
    if !sheet.streams[stream].stages.iter().all(is_new) {
        return None;
    }
    Some(Stage::Special(Special { what, on_change: on_change(chance) }))
}

fn same_kind(left: &What, right: &What) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
}

fn what(sheet: &mut Sheet, stream: usize, columns: &Columns, chance: &mut Random) -> Option<What> {
    Some(match chance.below(15) {
        0 => What::Fill {
            column: chance.pick(&some(of_kind(columns, &[Kind::Exact]))?).clone(),
            value: filling(columns, chance)?,
        },
        1 => What::Unnest(chance.pick(&some(of_kind(columns, &[Kind::List]))?).clone()),
        2 => What::Limit(chance.between(1, 60)),
        3 => What::Sample(*chance.pick(&[20, 50, 80])),
        4 | 5 => What::Dedupe { by: some(keys(columns, chance))?, within_s: chance.between(1, 5) },
        6 => What::Throttle { rows: chance.between(1, 3), per_s: chance.between(1, 6), by: keys(columns, chance) },
        7 | 8 => What::Asof(partner(sheet, stream, columns, false, chance)?),
        9 | 10 => What::Join(partner(sheet, stream, columns, true, chance)?),
        11 => {
            has(columns, "key")?;
            What::Lookup { required: chance.chance(30), area: sheet.fresh("m") }
        }
        12 => {
            let entries: Vec<Folded> = (0..chance.between(1, 2)).filter_map(|_| folded(sheet, columns, chance)).collect();
            What::Summarize { by: keys(columns, chance), every_s: chance.between(2, 6), entries: some(entries)? }
        }
        13 => What::Top { rows: chance.between(1, 4), of: num(columns, chance, 1)?, within_s: chance.between(2, 7) },
        _ => What::Use(transform(sheet, columns, chance)?),
    })
}

fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

fn has(columns: &Columns, name: &str) -> Option<()> {
    columns.iter().any(|(column, _)| column == name).then_some(())
}

fn keys(columns: &Columns, chance: &mut Random) -> Vec<String> {
    by(columns, chance)
}

fn filling(columns: &Columns, chance: &mut Random) -> Option<Num> {
    if chance.chance(50) { Some(Num::Quarters(chance.between(-4, 8))) } else { num(columns, chance, 1) }
}

/// Reads a stream that does not read this one, or a source; also itself, as it came in.
fn partner(sheet: &mut Sheet, stream: usize, columns: &Columns, bounded: bool, chance: &mut Random) -> Option<Partner> {
    let own = sheet.streams[stream].name.clone();
    let others = sheet.readable().into_iter().filter(|name| *name != own && !sheet.reads(name, &own));
    let keyed = |name: &String| {
        let theirs = sheet.columns(name);
        ["key", "g"].iter().any(|key| has(columns, key).is_some() && has(&theirs, key).is_some()) && timed(&theirs)
    };
    let with = chance.pick(&some(others.filter(keyed).collect::<Vec<String>>())?).clone();
    let theirs = sheet.columns(&with);
    let shared = ["key", "g"].into_iter().filter(|key| has(columns, key).is_some() && has(&theirs, key).is_some());
    let shared: Vec<String> = shared.map(str::to_owned).collect();
    let on = if chance.chance(25) { shared } else { vec![chance.pick(&shared).clone()] };
    let mut partner = Partner { with, on, within_s: None, take: vec![], required: chance.chance(25) };
    partner.within_s = (bounded || chance.chance(60)).then(|| chance.between(1, 6));
    partner.take.push(brought(sheet, &partner, chance)?);
    Some(partner)
}

fn timed(columns: &Columns) -> bool {
    columns.iter().any(|(_, kind)| *kind == Kind::Time)
}

/// A column more of the other stream.
pub fn brought(sheet: &mut Sheet, partner: &Partner, chance: &mut Random) -> Option<Brought> {
    let theirs = sheet.columns(&partner.with);
    let free = theirs.into_iter().filter(|(name, kind)| {
        matches!(kind, Kind::Exact | Kind::Rough | Kind::Int | Kind::Bool)
            && !partner.on.contains(name)
            && partner.take.iter().all(|brought| brought.from != *name)
    });
    let (from, kind) = chance.pick(&some(free.collect::<Columns>())?).clone();
    Some(Brought { name: sheet.fresh("m"), from, kind })
}

/// One that is used already, or a new one.
fn transform(sheet: &mut Sheet, columns: &Columns, chance: &mut Random) -> Option<Transform> {
    has(columns, "v").and(has(columns, "key"))?;
    let known = sheet.streams.iter().flat_map(|stream| &stream.stages).filter_map(|stage| match stage {
        Stage::Special(Special { what: What::Use(transform), .. }) if has(columns, &transform.column).is_none() => {
            Some(transform.clone())
        }
        _ => None,
    });
    let known: Vec<Transform> = known.collect();
    if !known.is_empty() && chance.chance(60) {
        return Some(chance.pick(&known).clone());
    }
    let (name, column) = (sheet.fresh("t"), sheet.fresh("r"));
    Some(Transform { name, bound: chance.between(-12, 4), column, factor: *chance.pick(&[4, 8, -4]) })
}
