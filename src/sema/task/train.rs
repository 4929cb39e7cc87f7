//! `train`: how the listed networks are trained. Each of its clauses is a setting of every listed model that has it and whose
//! author does not say otherwise.

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Candidate, Choices, Dimension, FamilyFacts, NETWORK, Takes, Value};
use crate::sema::checker::Checker;
use crate::sema::findings::not_yet;
use crate::syntax::ast;

/// A clause with its place.
type Clauses = BTreeMap<Name, (Choices, Span)>;

impl<'a> Checker<'a> {
    /// E0527: under `models auto` nobody says what is trained so.
    pub(super) fn train_nobody(&mut self, task: &ast::Task) {
        if let Some(train) = &task.train {
            let message = "`train` says how listed models are trained, and no model is listed";
            let help = "name them: `models [conv1d, mlp]`";
            self.report(Diagnostic::new(Code::E0527, message).at(train.span, "").help(help));
        }
    }

    /// None after a message.
    pub(super) fn train(&mut self, train: &'a ast::Train) -> Option<Clauses> {
        let ast::Train { optimizer, epochs, batch, patience, augment, span: _ } = train;
        let mut clauses = Clauses::new();
        let mut sound = true;
        if let Some(call) = optimizer {
            sound &= self.optimizer(call, &mut clauses);
        }
        for (name, amount) in [("epochs", epochs), ("batch", batch), ("patience", patience)] {
            if let Some(amount) = amount {
                sound &= self.clause(name, amount, &mut clauses);
            }
        }
        for call in augment {
            sound &= self.augment(call, &mut clauses);
        }
        sound.then_some(clauses)
    }

    /// False after a message.
    fn optimizer(&mut self, call: &'a ast::Call, clauses: &mut Clauses) -> bool {
        if call.name.name != "adam" {
            let what = format!("the optimizer `{}`", call.name.name);
            self.report(not_yet(what, call.name.span, "write `adam(lr: 1e-3)`"));
            return false;
        }
        let mut sound = true;
        for arg in &call.args {
            match arg.name.as_ref().map(|ident| ident.name.as_str()) {
                Some(name @ ("lr" | "decay")) => sound &= self.clause(name, &arg.value, clauses),
                Some(_) | None => {
                    self.report(wrong("`adam` has `lr` and `decay`", arg.span, "write `adam(lr: 1e-4..1e-2, decay: 1e-3)`"));
                    sound = false;
                }
            }
        }
        sound
    }

    fn augment(&mut self, call: &'a ast::Call, clauses: &mut Clauses) -> bool {
        if call.name.name != "jitter" {
            let what = format!("the augmentation `{}`", call.name.name);
            self.report(not_yet(what, call.name.span, "write `jitter(0.05)`: noise of that share of a value's deviation"));
            return false;
        }
        match call.args.as_slice() {
            [ast::Arg { name: None, value, .. }] => self.clause("jitter", value, clauses),
            _ => {
                self.report(wrong("`jitter` has one number", call.span, "write `jitter(0.05)`"));
                false
            }
        }
    }

    /// False after a message.
    fn clause(&mut self, name: &str, value: &'a ast::Expr, clauses: &mut Clauses) -> bool {
        let Some(dimension) = self.dimension(value) else { return false };
        let Some(setting) = NETWORK.setting(name) else { return false };
        if !fits(setting.takes, &dimension) {
            let message = format!("`{name}` cannot have this value");
            self.report(wrong(&message, value.span, &format!("write {setting}")));
            return false;
        }
        clauses.insert(name.into(), (Choices::One(dimension), value.span));
        true
    }

    /// Candidates with what `train` says; E0527 where a clause concerns none of them.
    pub(super) fn trained(
        &mut self,
        mut candidates: Vec<Candidate>,
        clauses: Clauses,
        train: &ast::Train,
    ) -> Option<Vec<Candidate>> {
        let mut sound = true;
        for (name, (choices, span)) in clauses {
            let mut concerns = false;
            for candidate in &mut candidates {
                if has_setting(candidate, &name) {
                    concerns = true;
                    candidate.settings.entry(name.clone()).or_insert_with(|| choices.clone());
                }
            }
            if !concerns {
                let message = format!("none of the listed models has `{name}`");
                let help = "list one that has it: `mlp`, `conv1d`, `conv2d` or a `network` of the file";
                self.report(wrong(&message, span, help).at(train.span, "of all that are trained"));
                sound = false;
            }
        }
        sound.then_some(candidates)
    }
}

fn has_setting(candidate: &Candidate, name: &str) -> bool {
    match candidate.network {
        Some(_) => NETWORK.setting(name).is_some(),
        None => FamilyFacts::named(&candidate.family).is_some_and(|family| family.setting(name).is_some()),
    }
}

fn fits(takes: Takes, dimension: &Dimension) -> bool {
    let one = |value: &Value| match (takes, value.as_f64()) {
        (Takes::Whole { low, high } | Takes::Wholes { low, high, .. }, Some(value)) => {
            value.fract() == 0.0 && (low as f64..=high as f64).contains(&value)
        }
        (Takes::Number { low, high }, Some(value)) => (low..=high).contains(&value),
        (_, None) => false,
    };
    match dimension {
        Dimension::Fixed(value) => one(value),
        Dimension::Range(low, high) => one(low) && one(high),
    }
}

/// E0527.
fn wrong(message: &str, span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(Code::E0527, message).at(span, "").help(help)
}
