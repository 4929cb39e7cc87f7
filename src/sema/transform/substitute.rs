//! Arguments in the places of parameters: a tree is copied, and every name of a parameter in it becomes what was given.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::sema::findings::Findings;
use crate::syntax::ast::*;

use super::message::needs_a_name;

/// What the parameters stand for at one use.
pub struct Given<'t>(BTreeMap<Name, (&'t Ident, &'t Expr)>);

impl<'t> Given<'t> {
    pub fn new(pairs: impl Iterator<Item = (&'t Ident, &'t Expr)>) -> Given<'t> {
        Given(pairs.map(|(param, value)| (param.name.clone(), (param, value))).collect())
    }

    pub fn stage(&self, stage: &Stage, findings: &mut Findings) -> Stage {
        let mut copy = Copy { given: self, findings };
        Stage { kind: copy.stage_kind(&stage.kind), ..stage.clone() }
    }

    fn of(&self, name: &Name) -> Option<(&'t Ident, &'t Expr)> {
        self.0.get(name).copied()
    }
}

struct Copy<'g, 't> {
    given: &'g Given<'t>,
    findings: &'g mut Findings,
}

impl Copy<'_, '_> {
    fn stage_kind(&mut self, kind: &StageKind) -> StageKind {
        match kind {
            StageKind::Where(it) => StageKind::Where(Where { condition: self.expr(&it.condition) }),
            StageKind::Set(it) => StageKind::Set(SetColumns { entries: self.entries(&it.entries) }),
            StageKind::Select(it) => StageKind::Select(Select { selection: self.selection(&it.selection) }),
            StageKind::Drop(it) => StageKind::Drop(Drop { columns: self.set(&it.columns) }),
            StageKind::Rename(it) => {
                StageKind::Rename(Rename { renamings: it.renamings.iter().map(|one| self.renaming(one)).collect() })
            }
            StageKind::Scan(it) => StageKind::Scan(Scan { by: self.by(&it.by), entries: self.entries(&it.entries) }),
            StageKind::Window(it) => StageKind::Window(self.window(it)),
            StageKind::Summarize(it) => StageKind::Summarize(Summarize {
                by: self.by(&it.by),
                every: it.every.as_ref().map(|every| self.expr(every)),
                entries: self.entries(&it.entries),
            }),
            StageKind::Join(it) => StageKind::Join(Join {
                other: self.stream(&it.other),
                on: self.keys(&it.on),
                within: self.expr(&it.within),
                take: self.take(it.take.as_ref()),
                required: it.required,
            }),
            StageKind::Asof(it) => StageKind::Asof(Asof {
                other: self.stream(&it.other),
                on: self.keys(&it.on),
                within: it.within.as_ref().map(|within| self.expr(within)),
                take: self.take(it.take.as_ref()),
                required: it.required,
            }),
            StageKind::Lookup(it) => StageKind::Lookup(Lookup {
                table: self.name(&it.table),
                on: self.keys(&it.on),
                take: self.take(it.take.as_ref()),
                required: it.required,
            }),
            StageKind::Resample(it) => StageKind::Resample(Resample {
                every: self.expr(&it.every),
                by: self.by(&it.by),
                fill: it.fill,
                within: it.within.as_ref().map(|within| self.expr(within)),
            }),
            StageKind::Fill(it) => StageKind::Fill(Fill { entries: it.entries.iter().map(|one| self.assign(one)).collect() }),
            StageKind::Dedupe(it) => StageKind::Dedupe(Dedupe { by: self.keys(&it.by), within: self.expr(&it.within) }),
            StageKind::Union(it) => {
                StageKind::Union(Union { others: it.others.iter().map(|other| self.stream(other)).collect(), ..it.clone() })
            }
            StageKind::Unnest(it) => StageKind::Unnest(Unnest { column: self.name(&it.column) }),
            StageKind::Sample(it) => StageKind::Sample(Sample { share: self.expr(&it.share) }),
            StageKind::Limit(it) => StageKind::Limit(Limit { count: self.expr(&it.count) }),
            StageKind::Throttle(it) => {
                StageKind::Throttle(Throttle { count: self.expr(&it.count), per: self.expr(&it.per), by: self.by(&it.by) })
            }
            StageKind::Sort(it) => StageKind::Sort(Sort { by: self.keys(&it.by), within: self.expr(&it.within) }),
            StageKind::Predict(it) => StageKind::Predict(Predict {
                tasks: it.tasks.iter().map(|task| self.predicted(task)).collect(),
                probabilities: it.probabilities,
            }),
            StageKind::Top(it) => {
                StageKind::Top(Top { count: self.expr(&it.count), by: self.expr(&it.by), within: self.expr(&it.within) })
            }
            StageKind::Apply(it) => {
                let args = it.args.iter().map(|arg| self.arg(arg)).collect();
                StageKind::Apply(Apply { transform: it.transform.clone(), args })
            }
        }
    }

    fn window(&mut self, it: &Window) -> Window {
        let kind = match &it.spec.kind {
            WindowSpecKind::Time { length, every } => {
                WindowSpecKind::Time { length: self.expr(length), every: every.as_ref().map(|every| self.expr(every)) }
            }
            WindowSpecKind::Rows { count, every } => {
                WindowSpecKind::Rows { count: self.expr(count), every: every.as_ref().map(|every| self.expr(every)) }
            }
            WindowSpecKind::Session { gap } => WindowSpecKind::Session { gap: self.expr(gap) },
            WindowSpecKind::Whole => WindowSpecKind::Whole,
        };
        Window {
            spec: WindowSpec { kind, span: it.spec.span },
            align: it.align.clone(),
            partial: it.partial,
            by: self.by(&it.by),
            entries: self.entries(&it.entries),
        }
    }

    fn selection(&mut self, selection: &Selection) -> Selection {
        match selection {
            Selection::Set(set) => Selection::Set(self.set(set)),
            Selection::Items(items) => Selection::Items(items.iter().flat_map(|item| self.select_item(item)).collect()),
        }
    }

    fn select_item(&mut self, item: &SelectItem) -> Vec<SelectItem> {
        match item {
            SelectItem::Columns(item) => self.item(item).into_iter().map(SelectItem::Columns).collect(),
            SelectItem::Assign(assign) => vec![SelectItem::Assign(self.assign(assign))],
        }
    }

    fn entries(&mut self, entries: &[Entry]) -> Vec<Entry> {
        let entry = |entry: &Entry| match entry {
            Entry::Assign(assign) => Entry::Assign(self.assign(assign)),
            Entry::Across(across) => Entry::Across(Across {
                columns: self.set(&across.columns),
                functions: across.functions.iter().map(|function| self.call(function)).collect(),
                span: across.span,
            }),
        };
        entries.iter().map(entry).collect()
    }

    fn assign(&mut self, assign: &Assign) -> Assign {
        Assign { name: self.name(&assign.name), value: self.expr(&assign.value), ..assign.clone() }
    }

    fn renaming(&mut self, renaming: &Renaming) -> Renaming {
        Renaming { new: self.name(&renaming.new), old: self.name(&renaming.old) }
    }

    fn predicted(&mut self, predicted: &Predicted) -> Predicted {
        Predicted { task: self.name(&predicted.task), alias: predicted.alias.as_ref().map(|alias| self.name(alias)) }
    }

    fn take(&mut self, take: Option<&Take>) -> Option<Take> {
        let take = take?;
        let item = |item: &TakeItem| match item {
            TakeItem::Columns(item) => self.item(item).into_iter().map(TakeItem::Columns).collect(),
            TakeItem::Renamed(renaming) => vec![TakeItem::Renamed(self.renaming(renaming))],
        };
        Some(Take { items: take.items.iter().flat_map(item).collect(), span: take.span })
    }

    fn stream(&mut self, stream: &StreamRef) -> StreamRef {
        StreamRef { name: self.name(&stream.name), ..stream.clone() }
    }

    fn by(&mut self, by: &Option<Keys>) -> Option<Keys> {
        by.as_ref().map(|by| self.keys(by))
    }

    fn keys(&mut self, keys: &Keys) -> Keys {
        Keys { columns: keys.columns.iter().flat_map(|key| self.names(key)).collect(), span: keys.span }
    }

    fn set(&mut self, set: &ColumnSet) -> ColumnSet {
        let kind = match &set.kind {
            ColumnSetKind::List(items) => ColumnSetKind::List(items.iter().flat_map(|item| self.item(item)).collect()),
            ColumnSetKind::All => ColumnSetKind::All,
            ColumnSetKind::AllExcept(except) => ColumnSetKind::AllExcept(Box::new(self.set(except))),
            ColumnSetKind::Matching(text) => ColumnSetKind::Matching(text.clone()),
        };
        ColumnSet { kind, span: set.span }
    }

    fn item(&mut self, item: &ColumnItem) -> Vec<ColumnItem> {
        match item {
            ColumnItem::One(name) => self.names(name).into_iter().map(ColumnItem::One).collect(),
            ColumnItem::Range { first, last } => {
                vec![ColumnItem::Range { first: self.name(first), last: self.name(last) }]
            }
        }
    }

    /// Where exactly one name can stand.
    fn name(&mut self, place: &Ident) -> Ident {
        match self.names(place).as_slice() {
            [one] => one.clone(),
            _ => {
                if let Some((param, value)) = self.given.of(&place.name) {
                    self.findings.report(needs_a_name(param, value.span, place.span));
                }
                place.clone()
            }
        }
    }

    /// Where several may: a list of names is as good as one.
    fn names(&mut self, place: &Ident) -> Vec<Ident> {
        let Some((param, value)) = self.given.of(&place.name) else { return vec![place.clone()] };
        let name = |value: &Expr| if let ExprKind::Name(name) = &value.bare().kind { Some(name.clone()) } else { None };
        let names = match &value.bare().kind {
            ExprKind::List(items) => items.iter().map(name).collect::<Option<Vec<Ident>>>(),
            _ => name(value).map(|name| vec![name]),
        };
        names.unwrap_or_else(|| {
            self.findings.report(needs_a_name(param, value.span, place.span));
            vec![place.clone()]
        })
    }

    fn arg(&mut self, arg: &Arg) -> Arg {
        Arg { value: self.expr(&arg.value), ..arg.clone() }
    }

    fn call(&mut self, call: &Call) -> Call {
        Call { args: call.args.iter().map(|arg| self.arg(arg)).collect(), ..call.clone() }
    }

    fn boxed(&mut self, expr: &Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn expr(&mut self, expr: &Expr) -> Expr {
        let kind = match &expr.kind {
            ExprKind::Name(name) => match self.given.of(&name.name) {
                Some((_, value)) => return value.clone(),
                None => expr.kind.clone(),
            },
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Number(_)
            | ExprKind::Quantity(_)
            | ExprKind::Text(_)
            | ExprKind::Time(_) => expr.kind.clone(),
            ExprKind::Call(call) => ExprKind::Call(self.call(call)),
            ExprKind::List(items) => ExprKind::List(items.iter().map(|item| self.expr(item)).collect()),
            ExprKind::Record(record) => ExprKind::Record(Record {
                fields: record.fields.iter().map(|field| Field { value: self.expr(&field.value), ..field.clone() }).collect(),
                span: record.span,
            }),
            ExprKind::Range { low, high } => ExprKind::Range { low: self.boxed(low), high: self.boxed(high) },
            ExprKind::Unary { op, operand } => ExprKind::Unary { op: *op, operand: self.boxed(operand) },
            ExprKind::Binary { op, op_span, left, right } => {
                ExprKind::Binary { op: *op, op_span: *op_span, left: self.boxed(left), right: self.boxed(right) }
            }
            ExprKind::IsNull { operand, negated } => ExprKind::IsNull { operand: self.boxed(operand), negated: *negated },
            ExprKind::If { condition, then, otherwise } => {
                ExprKind::If { condition: self.boxed(condition), then: self.boxed(then), otherwise: self.boxed(otherwise) }
            }
            ExprKind::Match { subject, arms } => ExprKind::Match {
                subject: self.boxed(subject),
                arms: arms.iter().map(|arm| MatchArm { value: self.expr(&arm.value), ..arm.clone() }).collect(),
            },
            ExprKind::Tensor(set) => ExprKind::Tensor(self.set(set)),
            ExprKind::Columns(set) => ExprKind::Columns(self.set(set)),
            ExprKind::Paren(inner) => ExprKind::Paren(self.boxed(inner)),
        };
        Expr { kind, span: expr.span }
    }
}
