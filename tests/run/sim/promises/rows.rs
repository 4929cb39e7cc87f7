//! Promises about rows: which plan saw them, in what order, and what came of them.

use std::collections::{BTreeMap, BTreeSet};

use mliot::base::Name;
use mliot::ir::Value;
use mliot::runtime::Row;

use crate::sim::ledger::Seen;
use crate::sim::log::Happening;
use crate::sim::record::Record;

/// Every sink has what the oracle has, row by row.
pub fn as_the_oracle_says(record: &Record) -> Result<(), String> {
    let paths: BTreeSet<&String> = record.written.keys().chain(record.oracle.written.keys()).collect();
    let none = Vec::new();
    for path in paths {
        let wanted = record.oracle.written.get(path).unwrap_or(&none);
        alike(path, wanted, record.written.get(path).unwrap_or(&none))?;
    }
    Ok(())
}

pub fn alike(what: &str, wanted: &[Row], got: &[Row]) -> Result<(), String> {
    let first = wanted.iter().zip(got).position(|(wanted, got)| wanted != got).unwrap_or(wanted.len().min(got.len()));
    if first == wanted.len() && first == got.len() {
        return Ok(());
    }
    let shown = |rows: &[Row]| rows.get(first).map_or("nothing".to_owned(), show);
    let counts = format!("{} rows, {} wanted", got.len(), wanted.len());
    Err(format!("{what}: {counts}; they part at row {first}\n  wanted {}\n  got    {}", shown(wanted), shown(got)))
}

fn show(row: &Row) -> String {
    row.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// 2. What one instance of a node has seen, no other instance of it sees again.
pub fn one_generation_of_a_node(record: &Record) -> Result<(), String> {
    let mut last: BTreeMap<(u64, usize), (u64, u64)> = BTreeMap::new();
    let mut by_name: BTreeMap<(&str, usize), (u64, u64)> = BTreeMap::new();
    for seen in record.seen.iter().filter(|seen| inner(seen).is_some()) {
        let (first, newest) = inner(seen).expect("it was asked");
        if let Some((other, upto)) = by_name.get(&(seen.node.as_str(), seen.port)).filter(|(other, _)| *other != seen.instance)
            && first < *upto
        {
            return Err(format!(
                "{}: row {first} came to instance {} after instance {other} had seen row {}",
                seen.node,
                seen.instance,
                upto - 1
            ));
        }
        by_name.insert((&seen.node, seen.port), (seen.instance, newest + 1));
        last.insert((seen.instance, seen.port), (first, newest));
    }
    Ok(())
}

/// Its rows that lie inside the span of their batch: rows that only time set free stand at its end.
fn inner(seen: &Seen) -> Option<(u64, u64)> {
    seen.ordinals.filter(|(_, last)| *last < seen.upto)
}

/// 3. A row before a cut is processed under the old plan, a row from it on under the new one, wherever it comes.
pub fn one_plan_on_all_paths(record: &Record) -> Result<(), String> {
    let cuts = record.log.iter().filter_map(|happening| if let Happening::Cut(cut) = happening { Some(cut.at) } else { None });
    let cuts: Vec<u64> = cuts.collect();
    for seen in &record.seen {
        let Some((first, last)) = seen.ordinals else { continue };
        let begins = cuts[seen.plan as usize - 1];
        let ends = cuts.get(seen.plan as usize).copied().unwrap_or(u64::MAX);
        let outside = first < begins || last > ends || (last == ends && last < seen.upto);
        if outside {
            return Err(format!(
                "{} was given rows {first}..={last} under plan {}, which holds from {begins} to {ends}",
                seen.node, seen.plan
            ));
        }
    }
    Ok(())
}

/// 4. Every draw has ordinals of its own, also one that brought nothing but what could not be read. At every port of every node ordinals rise, within batches and from batch to batch, over all changes.
pub fn order(record: &Record) -> Result<(), String> {
    let draws = record.log.iter().filter_map(|happening| if let Happening::Draw(draw) = happening { Some(draw) } else { None });
    let draws: Vec<_> = draws.collect();
    if let Some(pair) = draws.windows(2).find(|pair| pair[0].first.max(pair[0].upto.saturating_sub(1)) >= pair[1].first) {
        return Err(format!(
            "{} drew at {}, and after it {} at {}",
            pair[0].source, pair[0].first, pair[1].source, pair[1].first
        ));
    }
    let mut newest: BTreeMap<(u64, usize), u64> = BTreeMap::new();
    for seen in &record.seen {
        let Some((first, last)) = seen.ordinals else { continue };
        let before = newest.insert((seen.instance, seen.port), last);
        if !seen.rises || before.is_some_and(|before| before > first) {
            return Err(format!("{} was given row {first} after row {before:?}", seen.node));
        }
    }
    Ok(())
}

/// 7. The clock of a node never goes back, and no window of a key is told twice.
pub fn clocks(record: &Record) -> Result<(), String> {
    let mut clocks: BTreeMap<(&str, u64), i64> = BTreeMap::new();
    for seen in &record.seen {
        let (start, after) = seen.clock;
        // What comes in beside the rows is of the span of these.
        if seen.pairs && seen.port > 0 {
            continue;
        }
        let before = clocks.insert((&seen.node, seen.instance), after);
        if start > after || before.is_some_and(|before| before > start) {
            return Err(format!("the clock of {} goes from {before:?} to {start} and {after}", seen.node));
        }
    }
    for (path, rows) in &record.written {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        let wanted = record.oracle.written.get(path).map(Vec::as_slice).unwrap_or_default();
        for (row, sign) in rows.iter().map(|row| (row, 1)).chain(wanted.iter().map(|row| (row, 0))) {
            let times = told.entry(window_of(row)).or_default();
            *times += sign;
        }
        let twice = told
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .find(|(name, times)| **times > wanted.iter().filter(|row| window_of(row) == **name).count());
        if let Some((window, times)) = twice {
            return Err(format!("{path}: a window was told {times} times: {window}"));
        }
    }
    Ok(())
}

/// Which window a row is of, with its key; empty for other rows.
fn window_of(row: &Row) -> String {
    let (Some(start), Some(end)) = (row.get("window_start"), row.get("window_end")) else { return String::new() };
    let key = |name: &str| row.get(name).map_or(String::new(), ToString::to_string);
    format!("{start} to {end}, {} {}", key("key"), key("g"))
}

/// 18. Versions never fall but to null; which answer a version gives, the oracle says.
pub fn versions(record: &Record) -> Result<(), String> {
    let version = |row: &Row| match row.get("guess_version") {
        Some(Value::Text(version)) => version.strip_prefix("level-").and_then(|number| number.parse::<u64>().ok()),
        _ => None,
    };
    let columns: [Name; 2] = ["guess".into(), "guess_version".into()];
    for (path, rows) in &record.written {
        let mut newest = 0;
        for row in rows.iter().filter(|row| columns.iter().all(|name| row.contains_key(name))) {
            let Some(version) = version(row) else { continue };
            if version < newest {
                return Err(format!("{path}: version {version} answers after version {newest}: {}", show(row)));
            }
            newest = version;
        }
        let wanted = record.oracle.written.get(path).map(Vec::as_slice).unwrap_or_default();
        let answers = |rows: &[Row]| -> Vec<Row> {
            let answer = |row: &Row| columns.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone()))).collect();
            rows.iter().map(answer).filter(|answer: &Row| answer.len() == columns.len()).collect()
        };
        alike(&format!("answers in {path}"), &answers(wanted), &answers(rows))?;
    }
    Ok(())
}
