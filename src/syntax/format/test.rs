//! Tests.

use crate::base::Span;
use crate::syntax::ast::{
    Change, ChangeClass, CountIs, Edit, EditKind, Expect, Expectation, ExpectationKind, Given, GivenRows, Step, StepKind, Test,
    TestFaultKind,
};

use super::Formatter;
use super::block::{BRACES, item};
use super::clause::Clauses;
use super::doc::{Doc, all, text};

impl Formatter<'_> {
    pub fn test(&mut self, test: &Test, span: Span) -> Doc {
        let real = if test.real.is_some() { "real " } else { "" };
        let head = text(format!("test {} {real}", self.source(test.name.span)));
        let mut clauses = Clauses::default();
        for step in &test.steps {
            add_step(&mut clauses, step);
        }
        all([head, self.clauses(clauses, span.end as usize - 1)])
    }

    fn given(&mut self, given: &Given, span: Span) -> Doc {
        let source = text(format!("{} ", self.name(&given.source)));
        let defaults = match &given.defaults {
            Some(defaults) => all([text("defaults "), self.record(defaults), text(" ")]),
            None => text(""),
        };
        let rows = match &given.rows {
            GivenRows::Rows(rows) => self.records(rows, span.end as usize - 1),
            GivenRows::Recorded { rows } => all([text("from recorded"), self.maybe(" rows ", rows.as_ref(), "")]),
        };
        all([source, defaults, rows])
    }

    fn edit(&mut self, edit: &Edit) -> Doc {
        match &edit.kind {
            EditKind::Set { param, value } => all([text(format!("set {} = ", self.name(param))), self.expr(value)]),
            EditKind::Apply(path) => text(format!("apply {}", self.source(path.span))),
        }
    }

    fn test_fault(&mut self, fault: &TestFaultKind) -> Doc {
        match fault {
            TestFaultKind::Drop { source, share: amount }
            | TestFaultKind::Duplicate { source, share: amount }
            | TestFaultKind::Delay { source, by: amount } => all([text(format!("{} ", self.name(source))), self.expr(amount)]),
            TestFaultKind::Disconnect { source } => text(self.name(source)),
            TestFaultKind::Restart => text(""),
        }
    }

    fn expect(&mut self, expect: &Expect) -> Doc {
        let mut parts = Vec::new();
        for (nth, expectation) in expect.expectations.iter().enumerate() {
            parts.extend((nth > 0).then(|| text(", ")));
            parts.push(self.expectation(expectation));
        }
        all(parts)
    }

    fn expectation(&mut self, expectation: &Expectation) -> Doc {
        match &expectation.kind {
            ExpectationKind::Rows { stream, rows, tolerance } => {
                let from = self.text[stream.span.end as usize..].find('[').map_or(0, |at| stream.span.end as usize + at + 1);
                let head = text(format!("{} ", self.stream_ref(stream)));
                let close = self.close_after(from);
                all([head, self.records(rows, close), self.maybe(" within ", tolerance.as_ref(), "")])
            }
            ExpectationKind::Count { stream, count } => {
                all([text(format!("{} count ", self.stream_ref(stream))), self.count(count)])
            }
            ExpectationKind::Metric { comparison, task } => {
                let metric = self.metric(&comparison.metric);
                let op = text(format!(" of {} {} ", self.name(task), comparison.op.text()));
                let bound = self.bound(&comparison.bound);
                all([metric, op, bound, self.maybe(" for ", comparison.held_for.as_ref(), "")])
            }
            ExpectationKind::Changes(changes) => self.changes(changes, expectation.span),
            ExpectationKind::Lost(count) => all([text("lost "), self.expr(count)]),
            ExpectationKind::Doubled(count) => all([text("doubled "), self.expr(count)]),
        }
    }

    fn count(&mut self, count: &CountIs) -> Doc {
        match count {
            CountIs::Exactly(value) => self.expr(value),
            CountIs::Between { low, high } => all([self.expr(low), text(".."), self.expr(high)]),
            CountIs::Compare { op, value } => all([text(format!("{} ", op.text())), self.expr(value)]),
        }
    }

    fn changes(&mut self, changes: &[Change], span: Span) -> Doc {
        let print = |change: &Change, f: &Formatter<'_>| format!("{}: {}", f.dotted(&change.path), class_word(change.class));
        let items = changes.iter().map(|change| item(change.span, move |f| text(print(change, f)))).collect();
        all([text("changes "), self.enclosed(&BRACES, items, span.end as usize - 1)])
    }
}

fn add_step<'c>(clauses: &mut Clauses<'c>, step: &'c Step) {
    let span = step.span;
    match &step.kind {
        StepKind::Given(given) => clauses.add("given", span, move |f| f.given(given, span)),
        StepKind::Edit(edit) => clauses.add("edit", span, move |f| f.edit(edit)),
        StepKind::Expect(expect) => clauses.add("expect", span, move |f| f.expect(expect)),
        StepKind::Fault(fault) => match fault_word(&fault.kind) {
            "restart" => clauses.add_word("restart", span),
            word => clauses.add(word, span, move |f| f.test_fault(&fault.kind)),
        },
    }
}

fn fault_word(fault: &TestFaultKind) -> &'static str {
    match fault {
        TestFaultKind::Drop { .. } => "drop",
        TestFaultKind::Duplicate { .. } => "duplicate",
        TestFaultKind::Delay { .. } => "delay",
        TestFaultKind::Disconnect { .. } => "disconnect",
        TestFaultKind::Restart => "restart",
    }
}

fn class_word(class: ChangeClass) -> &'static str {
    match class {
        ChangeClass::Same => "same",
        ChangeClass::Rewired => "rewired",
        ChangeClass::Retuned => "retuned",
        ChangeClass::Migrated => "migrated",
        ChangeClass::Stale => "stale",
        ChangeClass::Reset => "reset",
        ChangeClass::Shadowed => "shadowed",
        ChangeClass::Added => "added",
        ChangeClass::Removed => "removed",
    }
}
