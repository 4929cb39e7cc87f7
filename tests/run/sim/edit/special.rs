//! Edits inside a stage of the second family: another setting, another key, another column.

use crate::sim::grow;
use crate::sim::random::Random;
use crate::sim::sheet::*;

/// None where there is nothing to change in this way.
pub fn turn(sheet: &mut Sheet, (stream, at): (usize, usize), chance: &mut Random) -> Option<()> {
    let columns = sheet.reaching(stream, at);
    let Stage::Special(mut special) = sheet.streams[stream].stages[at].clone() else { return None };
    if special.remembers() && chance.chance(10) {
        special.on_change = grow::on_change(chance);
    } else {
        setting(sheet, &mut special, &columns, chance)?;
    }
    sheet.streams[stream].stages[at] = Stage::Special(special);
    Some(())
}

fn setting(sheet: &mut Sheet, special: &mut Special, columns: &Columns, chance: &mut Random) -> Option<()> {
    match &mut special.what {
        What::Fill { value, .. } => *value = Num::Quarters(chance.between(-4, 8)),
        What::Unnest(_) => return None,
        What::Limit(rows) => *rows = chance.between(1, 90),
        What::Sample(percent) => *percent = *chance.pick(&[20, 50, 80]),
        What::Dedupe { by, within_s } => match chance.below(3) {
            0 => *by = Some(grow::by(columns, chance)).filter(|by| !by.is_empty())?,
            _ => *within_s = chance.between(1, 8),
        },
        What::Throttle { rows, per_s, by } => match chance.below(4) {
            0 => *by = grow::by(columns, chance),
            1 => *rows = chance.between(1, 4),
            _ => *per_s = chance.between(1, 8),
        },
        What::Asof(partner) => join(sheet, partner, false, chance)?,
        What::Join(partner) => join(sheet, partner, true, chance)?,
        What::Lookup { required, .. } => match chance.below(2) {
            0 => *required = !*required,
            _ => sheet.places = (sheet.places + 1) % 4,
        },
        What::Summarize { by, every_s, entries } => match chance.below(5) {
            0 => *by = grow::by(columns, chance),
            1 => *every_s = chance.between(2, 6),
            _ => aggregates(sheet, entries, columns, chance)?,
        },
        What::Top { rows, of, within_s } => match chance.below(4) {
            0 => *of = grow::num(columns, chance, 1)?,
            1 => *within_s = chance.between(2, 7),
            _ => *rows = chance.between(1, 5),
        },
        What::Use(transform) => {
            let changed = Transform { bound: chance.between(-12, 4), ..transform.clone() };
            let changed = if chance.chance(40) { Transform { factor: *chance.pick(&[4, 8, -4]), ..changed } } else { changed };
            everywhere(sheet, &changed);
            *transform = changed;
        }
    }
    Some(())
}

fn join(sheet: &mut Sheet, partner: &mut Partner, bounded: bool, chance: &mut Random) -> Option<()> {
    match chance.below(5) {
        0 => partner.required = !partner.required,
        1 => partner.take.push(grow::brought(sheet, partner, chance)?),
        2 if partner.take.len() > 1 => _ = partner.take.remove(0),
        3 if !bounded => partner.within_s = chance.chance(60).then(|| chance.between(1, 8)),
        _ => partner.within_s = Some(chance.between(1, 8)),
    }
    Some(())
}

fn aggregates(sheet: &mut Sheet, entries: &mut Vec<Folded>, columns: &Columns, chance: &mut Random) -> Option<()> {
    let at = chance.below(entries.len());
    match chance.below(3) {
        0 => entries.push(grow::folded(sheet, columns, chance)?),
        1 if entries.len() > 1 => _ = entries.remove(at),
        _ => entries[at].of = grow::num(columns, chance, 1)?,
    }
    Some(())
}

/// The text declares a transform once.
fn everywhere(sheet: &mut Sheet, changed: &Transform) {
    for stage in sheet.streams.iter_mut().flat_map(|stream| &mut stream.stages) {
        if let Stage::Special(Special { what: What::Use(transform), .. }) = stage
            && transform.name == changed.name
        {
            transform.clone_from(changed);
        }
    }
}
