//! Tasks.

use crate::base::Span;
use crate::syntax::ast::{
    Extent, Goal, History, HoldOutKind, Horizon, LabelMatch, Labels, ModelsKind, Per, StartKind, Target, Task, Train,
};

use super::Formatter;
use super::block::{SQUARE, item};
use super::clause::Clauses;
use super::doc::{Doc, all, text};

impl Formatter<'_> {
    pub fn task(&mut self, task: &Task, span: Span) -> Doc {
        let head = text(format!("task {} = ", self.head(&task.head)));
        let goal = self.goal(&task.goal);
        let by = task.by.as_ref().map(|by| format!(" by {}", self.keys(by))).unwrap_or_default();
        let from = text(format!(" from {}{by}", self.stream_ref(&task.from)));
        if !self.source(span).ends_with('}') {
            return all([head, goal, from]);
        }
        all([head, goal, from, text(" "), self.clauses(task_clauses(task), span.end as usize - 1)])
    }

    fn goal(&mut self, goal: &Goal) -> Doc {
        match goal {
            Goal::Classify(target) => all([text("classify "), self.target(target)]),
            Goal::Regress(target) => all([text("regress "), self.target(target)]),
            Goal::Rank(target) => all([text("rank "), self.target(target)]),
            Goal::Detect => text("detect anomalies"),
            Goal::Forecast(forecast) => {
                let column = text(format!("forecast {} ", self.name(&forecast.column)));
                match &forecast.horizon {
                    Horizon::Ahead(length) => all([column, self.expr(length), text(" ahead")]),
                    Horizon::Next { length, every } => {
                        all([column, text("next "), self.expr(length), text(" every "), self.expr(every)])
                    }
                }
            }
        }
    }

    fn target(&mut self, target: &Target) -> Doc {
        let name = text(format!("{}{}", self.name(&target.name), self.was(target.was.as_ref())));
        all([name, self.maybe(" = ", target.value.as_ref(), "")])
    }

    fn labels(&mut self, labels: &Labels) -> Doc {
        let head = text(format!("from {} on {}", self.stream_ref(&labels.from), self.keys(&labels.on)));
        let matching = match &labels.matching {
            None => text(""),
            Some(LabelMatch::Containing(column)) => text(format!(" containing {}", self.name(column))),
            Some(LabelMatch::Within(within)) => all([text(" within "), self.expr(within)]),
        };
        all([head, matching, self.maybe(" wait ", labels.wait.as_ref(), "")])
    }

    fn hold_out(&mut self, kind: &HoldOutKind) -> Doc {
        match kind {
            HoldOutKind::Where(condition) => all([text("where "), self.expr(condition)]),
            HoldOutKind::Last(share) => all([text("last "), self.expr(share)]),
        }
    }

    fn start(&mut self, kind: &StartKind) -> Doc {
        match kind {
            StartKind::Where(condition) => all([text("where "), self.expr(condition)]),
            StartKind::First { rows, by } => {
                let by = by.as_ref().map(|by| format!(" by {}", self.keys(by))).unwrap_or_default();
                all([text("first "), self.expr(rows), text(format!(" rows{by}"))])
            }
        }
    }

    fn per(&mut self, per: &Per) -> Doc {
        let keys = text(self.keys(&per.keys));
        match &per.after {
            Some(rows) => all([keys, text(" after "), self.expr(rows), text(" rows")]),
            None => keys,
        }
    }

    fn models(&mut self, kind: &ModelsKind) -> Doc {
        let models = match kind {
            ModelsKind::Auto => return text("auto"),
            ModelsKind::List(models) => models,
        };
        let close = models.last().map_or(0, |last| self.close_after(last.span.end as usize));
        let items = models.iter().map(|model| item(model.span, move |f| f.call(model))).collect();
        self.enclosed(&SQUARE, items, close)
    }

    fn history(&mut self, history: &History) -> Doc {
        let reservoir = if history.reservoir.is_some() { " reservoir" } else { "" };
        all([self.extent(&history.extent), text(reservoir)])
    }

    pub fn extent(&mut self, extent: &Extent) -> Doc {
        match extent {
            Extent::Duration(length) => self.expr(length),
            Extent::Rows(count) => all([self.expr(count), text(" rows")]),
        }
    }

    fn train(&mut self, train: &Train) -> Doc {
        let Train { optimizer, epochs, batch, patience, augment, span } = train;
        let mut clauses = Clauses::default();
        if let Some(optimizer) = optimizer {
            clauses.add("optimizer", optimizer.span, move |f| f.call(optimizer));
        }
        for (word, amount) in [("epochs", epochs), ("batch", batch), ("patience", patience)] {
            if let Some(amount) = amount {
                clauses.add(word, amount.span, move |f| f.expr(amount));
            }
        }
        if let (Some(first), Some(last)) = (augment.first(), augment.last()) {
            clauses.add("augment", first.span.to(last.span), move |f| f.calls(augment));
        }
        self.clauses(clauses, span.end as usize - 1)
    }
}

fn task_clauses(task: &Task) -> Clauses<'_> {
    let mut clauses = Clauses::default();
    data_clauses(&mut clauses, task);
    learning_clauses(&mut clauses, task);
    clauses
}

/// What is learned from.
fn data_clauses<'c>(clauses: &mut Clauses<'c>, task: &'c Task) {
    if let Some(it) = &task.features {
        clauses.add("features", it.span, move |f| f.column_set(it));
    }
    if let Some(it) = &task.labels {
        clauses.add("labels", it.span, move |f| f.labels(it));
    }
    if let Some(it) = &task.hold_out {
        clauses.add("hold_out", it.span, move |f| f.hold_out(&it.kind));
    }
    if let Some(it) = &task.start {
        clauses.add("start", it.span, move |f| f.start(&it.kind));
    }
    if let Some(it) = &task.group {
        clauses.add("group", it.span, move |f| text(format!("by {}", f.keys(&it.by))));
    }
    if let Some(it) = &task.weights {
        clauses.add("weights", it.span, move |f| f.expr(it));
    }
    if let Some(it) = task.balance {
        clauses.add_word("balance", it);
    }
    if let Some(it) = &task.truth {
        clauses.add("truth", it.span, move |f| text(f.name(it)));
    }
    if let Some(it) = &task.history {
        clauses.add("history", it.span, move |f| f.history(it));
    }
}

/// How it is learned.
fn learning_clauses<'c>(clauses: &mut Clauses<'c>, task: &'c Task) {
    if let Some(it) = &task.per {
        clauses.add("per", it.span, move |f| f.per(it));
    }
    if let Some(it) = &task.models {
        clauses.add("models", it.span, move |f| f.models(&it.kind));
    }
    if let Some(it) = &task.policy {
        clauses.add("policy", it.span, move |f| text(f.name(it)));
    }
    if let Some(it) = &task.train {
        clauses.add_body("train", it.span, move |f| f.train(it));
    }
    if let Some(it) = &task.flag {
        clauses.add("flag", it.span, move |f| f.expr(it));
    }
}
