//! What an entry reads and remembers, to say why it changes.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::ir::{Expr, ExprKind, JoinKind, JoinOp, Op, Type, Value};
use crate::plan::fingerprint::stage;
use crate::plan::fingerprint::values::Columns;
use crate::plan::{NodeOp, NodeSpec};

use super::{ParamEdit, Why};

/// Edited params if there are any, else that it is calculated differently.
pub(super) fn recalculated(old: &NodeSpec, new: &NodeSpec, entry: Option<&Name>, otherwise: Why) -> Vec<Why> {
    let edits = param_edits(&written(old, entry), &written(new, entry));
    if edits.is_empty() { vec![otherwise] } else { vec![Why::Params(edits)] }
}

fn param_edits(old: &[&Expr], new: &[&Expr]) -> Vec<ParamEdit> {
    let (old, new) = (params(old), params(new));
    let edits = new.into_iter().filter_map(|(name, is)| {
        let (was, ty) = (old.get(name)?.0, is.1);
        (was != is.0).then(|| ParamEdit { name: name.clone(), ty: ty.clone(), was: was.clone(), is: is.0.clone() })
    });
    edits.collect()
}

fn params<'a>(exprs: &[&'a Expr]) -> BTreeMap<&'a Name, (&'a Value, &'a Type)> {
    let mut found = BTreeMap::new();
    for expr in exprs {
        expr.walk(&mut |part| {
            if let ExprKind::Param(name, value) = &part.kind {
                found.insert(name, (value, &part.ty));
            }
        });
    }
    found
}

/// All expressions of one entry, or of the whole stage.
fn written<'a>(node: &'a NodeSpec, entry: Option<&Name>) -> Vec<&'a Expr> {
    let NodeOp::Stage(op) = &node.op else { return vec![] };
    let wanted = |name: &Name| entry.is_none_or(|entry| entry == name);
    match &**op {
        Op::Where { predicate } => vec![predicate],
        Op::Rank(rank) => rank.rule.exprs(),
        Op::Set { entries } | Op::Project { entries } | Op::Fill { entries } => {
            entries.iter().filter(|entry| wanted(&entry.name)).map(|entry| &entry.value).collect()
        }
        Op::Scan { by: _, entries } => {
            let entries = entries.iter().filter(|entry| wanted(&entry.name));
            entries.flat_map(|entry| entry.calls.iter().flat_map(|call| &call.args).chain([&entry.value])).collect()
        }
        Op::Window(window) => {
            let entries = window.entries.iter().filter(|entry| wanted(&entry.name));
            let calls = entries.clone().flat_map(|entry| &entry.calls);
            let args = calls.flat_map(|call| call.args.iter().chain(&call.filter));
            args.chain(entries.map(|entry| &entry.value)).collect()
        }
        Op::Union { .. } | Op::Predict(_) | Op::Unnest { .. } | Op::Keep(_) | Op::Join(_) | Op::Resample(_) => vec![],
    }
}

/// What an entry remembers and keys it by: the columns whose definitions `flow` is made of.
fn remembered(node: &NodeSpec, entry: &Name) -> Vec<Name> {
    let NodeOp::Stage(op) = &node.op else { return vec![] };
    let (by, args): (&[Name], Vec<&Expr>) = match &**op {
        Op::Scan { by, entries } => {
            let entries = entries.iter().filter(|one| one.name == *entry);
            (by, entries.flat_map(|entry| &entry.calls).flat_map(|call| &call.args).collect())
        }
        Op::Window(window) => {
            let entries = window.entries.iter().filter(|one| one.name == *entry);
            let calls = entries.flat_map(|entry| &entry.calls);
            (&window.by, calls.flat_map(|call| call.args.iter().chain(&call.filter)).collect())
        }
        Op::Where { .. }
        | Op::Set { .. }
        | Op::Project { .. }
        | Op::Union { .. }
        | Op::Predict(_)
        | Op::Fill { .. }
        | Op::Unnest { .. }
        | Op::Keep(_)
        | Op::Join(_)
        | Op::Rank(_)
        | Op::Resample(_) => (&[], vec![]),
    };
    by.iter().cloned().chain(args.into_iter().flat_map(Expr::columns)).collect()
}

/// Why what an entry remembers means something else: columns that were redefined upstream, or its own calculation.
pub(super) fn remembers(old: (&NodeSpec, &Columns), new: (&NodeSpec, &Columns), entry: &Name) -> Vec<Why> {
    let mut redefined = remembered(new.0, entry);
    redefined.retain(|name| old.1.of(name) != new.1.of(name));
    redefined.sort();
    redefined.dedup();
    if !redefined.is_empty() {
        return vec![Why::Remembers(redefined)];
    }
    recalculated(old.0, new.0, Some(entry), Why::Remembers(vec![]))
}

/// The same of a stage that remembers as a whole: its keys, what a join brings, and the time of the rows. `Columns` are by port.
pub(super) fn remembers_as_one(old: (&NodeSpec, &[Columns; 2]), new: (&NodeSpec, &[Columns; 2])) -> Vec<Why> {
    let (NodeOp::Stage(before), NodeOp::Stage(after)) = (&old.0.op, &new.0.op) else { return vec![] };
    let (known, brought) = (brought(before), brought(after));
    let redefined = |port: usize, name: &Name| old.1[port].of(name) != new.1[port].of(name);
    let mut names: Vec<Name> = stage::keys_of(after).iter().filter(|name| redefined(0, name)).cloned().collect();
    names.extend(brought.iter().filter(|name| known.contains(name) && redefined(1, name)).cloned());
    let added: Vec<Name> = brought.into_iter().filter(|name| !known.contains(name)).collect();
    match (names.is_empty(), added.is_empty()) {
        (false, _) => vec![Why::Remembers(names)],
        (true, false) => vec![Why::Entries { added, removed: vec![] }],
        (true, true) if old.1[0].time != new.1[0].time => vec![Why::Time],
        (true, true) => vec![Why::Remembers(vec![])],
    }
}

/// What a join takes of the other stream, called as it is there.
fn brought(op: &Op) -> Vec<Name> {
    let Op::Join(join) = op else { return vec![] };
    join.take.iter().map(|taken| taken.from.clone()).collect()
}

/// Why a join brings something else: its table has changed, or what the text says of it.
pub(super) fn partners(old: &NodeSpec, after: &JoinOp) -> Why {
    let NodeOp::Stage(op) = &old.op else { return Why::Partners };
    let Op::Join(before) = &**op else { return Why::Partners };
    if let (JoinKind::Lookup { table: was }, JoinKind::Lookup { table: is }) = (&before.kind, &after.kind)
        && was.digest != is.digest
    {
        return Why::TableFile(is.name.clone());
    }
    Why::Partners
}
