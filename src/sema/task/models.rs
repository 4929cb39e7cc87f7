//! `models`: which families, with fixed values or ranges to search.

mod settings;

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{
    Candidate, Choices, Column, Dimension, ExprKind, FAMILIES, FamilyFacts, Models, NETWORK, TaskKind, Type, Value,
};
use crate::sema::checker::Checker;
use crate::sema::expr::{Typed, value_of};
use crate::sema::findings::{not_yet, unknown};
use crate::sema::index::Space;
use crate::sema::network::Wanted;
use crate::syntax::ast;

/// Do all listed families learn row by row?
pub(crate) fn all_online(models: &Models) -> bool {
    match models {
        Models::Auto => false,
        Models::Listed(list) => {
            !list.is_empty()
                && list.iter().all(|candidate| FamilyFacts::named(&candidate.family).is_some_and(|family| family.online))
        }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn models(&mut self, task: &'a ast::Task, wanted: Option<Wanted<'_>>) -> Option<Models> {
        let list = match task.models.as_ref().map(|models| &models.kind) {
            Some(ast::ModelsKind::List(list)) => list,
            Some(ast::ModelsKind::Auto) | None => {
                self.train_nobody(task);
                return Some(Models::Auto);
            }
        };
        let candidates: Vec<Option<Candidate>> = list.iter().map(|call| self.candidate(call, wanted)).collect();
        let candidates = candidates.into_iter().collect::<Option<Vec<_>>>();
        let Some(train) = &task.train else { return candidates.map(Models::Listed) };
        let trained = self.train(train);
        self.trained(candidates?, trained?, train).map(Models::Listed)
    }

    fn candidate(&mut self, call: &'a ast::Call, wanted: Option<Wanted<'_>>) -> Option<Candidate> {
        let name = &call.name.name;
        let kind = wanted.map(|wanted| wanted.kind);
        if let Some(network) = self.globals.index.networks.get(name).copied() {
            return self.network_candidate(call, network, wanted);
        }
        let Some(family) = FamilyFacts::named(name) else {
            let diagnostic = self.unknown_family(&call.name);
            self.report(diagnostic);
            return None;
        };
        if let Some(kind) = kind.filter(|kind| !family.learns(kind)) {
            self.report(cannot_learn(&call.name, kind));
            return None;
        }
        let settings = self.settings(call, family)?;
        if let Some(wrong) = wanted.and_then(|wanted| no_tensor(call, wanted.features?)) {
            self.report(wrong);
            return None;
        }
        Some(Candidate { family: name.clone(), settings, network: None, span: call.span })
    }

    fn network_candidate(
        &mut self,
        call: &'a ast::Call,
        network: &'a ast::Network,
        wanted: Option<Wanted<'_>>,
    ) -> Option<Candidate> {
        self.findings.mark_used(Space::Network, &call.name.name);
        if let Some(kind) = wanted.map(|wanted| wanted.kind).filter(|kind| !NETWORK.learns(kind)) {
            self.report(cannot_learn(&call.name, kind));
            return None;
        }
        let settings = self.settings(call, &FamilyFacts { name: "network", ..NETWORK });
        let network = self.network_for(network, call, wanted);
        Some(Candidate { family: call.name.name.clone(), settings: settings?, network: Some(network?), span: call.span })
    }

    /// None after a message.
    fn settings(&mut self, call: &'a ast::Call, family: &FamilyFacts) -> Option<BTreeMap<Name, Choices>> {
        let mut settings = BTreeMap::new();
        let mut sound = true;
        for arg in &call.args {
            let Some(ident) = &arg.name else {
                self.report(unnamed_setting(arg.span));
                sound = false;
                continue;
            };
            let choices = self.choices(&arg.value);
            let wrong = settings::misfit(family, ident, choices.as_ref(), arg.value.span);
            let wrong = wrong.or_else(|| settings.contains_key(&ident.name).then(|| settings::twice(ident)));
            sound &= wrong.is_none() && choices.is_some();
            wrong.into_iter().for_each(|wrong| self.report(wrong));
            settings.extend(choices.map(|choices| (ident.name.clone(), choices)));
        }
        sound.then_some(settings)
    }

    fn unknown_family(&self, ident: &ast::Ident) -> Diagnostic {
        if ident.name == "onnx" {
            return not_yet("`onnx`", ident.span, "use one of the families that mliot trains");
        }
        let mut out = unknown("model family", &ident.name, ident.span, self.model_names());
        out.code = Code::E0506;
        out.help.get_or_insert_with(|| {
            "such as `logistic`, `tree`, `forest`, `boosted`, `mlp`; `models auto` tries the usual ones".to_owned()
        });
        out
    }

    fn model_names(&self) -> impl Iterator<Item = &str> {
        FAMILIES.iter().map(|family| family.name).chain(self.globals.index.networks.keys().map(Name::as_str))
    }

    fn choices(&mut self, expr: &'a ast::Expr) -> Option<Choices> {
        match &expr.bare().kind {
            ast::ExprKind::List(items) => {
                let items: Vec<Option<Dimension>> = items.iter().map(|item| self.dimension(item)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Choices::Each)
            }
            _ => self.dimension(expr).map(Choices::One),
        }
    }

    pub(in crate::sema) fn dimension(&mut self, expr: &'a ast::Expr) -> Option<Dimension> {
        match &expr.bare().kind {
            ast::ExprKind::Range { low, high } => {
                let (low, high) = (self.setting(low), self.setting(high));
                let (low, high) = (low?, high?);
                match (low.as_f64(), high.as_f64()) {
                    (Some(a), Some(b)) if a <= b => Some(Dimension::Range(low, high)),
                    _ => {
                        self.report(no_range(expr.span));
                        None
                    }
                }
            }
            _ => self.setting(expr).map(Dimension::Fixed),
        }
    }

    /// A number without a unit (20% is 0.2), a text, or true or false.
    fn setting(&mut self, expr: &'a ast::Expr) -> Option<Value> {
        if let ast::ExprKind::Name(ident) = &expr.kind
            && self.globals.index.value(&ident.name).is_none()
        {
            return Some(Value::Text(ident.name.clone()));
        }
        let Typed { expr: typed, .. } = self.constant_typed(expr, "a setting of a model")?;
        let is_share = matches!(&typed.ty, Type::Float(unit) if !unit.is_one() && unit.dimension.is_empty());
        if is_share && matches!(typed.kind, ExprKind::Literal(_)) {
            return self.constant(expr, &Type::NUMBER(), "a setting of a model");
        }
        let value = value_of(&typed);
        if value.is_none() {
            self.report(
                Diagnostic::new(Code::E0308, "a setting of a model is a constant")
                    .at(expr.span, "")
                    .help("write a number, a text or a range"),
            );
        }
        value
    }
}

/// E0506.
fn cannot_learn(ident: &ast::Ident, kind: &TaskKind) -> Diagnostic {
    let (verb, families): (&str, Vec<&str>) = (
        match kind {
            TaskKind::Classify => "classify",
            TaskKind::Regress => "regress",
            TaskKind::Forecast { .. } => "forecast",
            TaskKind::Detect { .. } => "detect anomalies",
            TaskKind::Rank => "rank",
        },
        FAMILIES.iter().filter(|family| family.learns(kind) && family.is_in_this_version()).map(|family| family.name).collect(),
    );
    let list: Vec<String> = families.iter().map(|name| format!("`{name}`")).collect();
    let out = Diagnostic::new(Code::E0506, format!("`{}` cannot {verb}", ident.name))
        .at(ident.span, "")
        .help(format!("choose among {}", list.join(", ")));
    match (&*ident.name, kind) {
        ("logistic", TaskKind::Regress | TaskKind::Forecast { .. }) => out.fix(ident.span, "linear"),
        ("linear", TaskKind::Classify) => out.fix(ident.span, "logistic"),
        _ => out,
    }
}

/// E0525: `conv1d` and `conv2d` take one tensor.
fn no_tensor(call: &ast::Call, features: &[Column]) -> Option<Diagnostic> {
    let (axes, wants) = match &*call.name.name {
        "conv1d" => (1..=2, "one tensor[rows, channels]"),
        "conv2d" => (2..=3, "one tensor[height, width, channels]"),
        _ => return None,
    };
    let fits = match features {
        [Column { ty: Type::Tensor(shape), .. }] => axes.contains(&shape.len()),
        _ => false,
    };
    let message = format!("`{}` learns from {wants} and nothing else", call.name.name);
    let out = Diagnostic::new(Code::E0525, message).at(call.name.span, "");
    (!fits).then(|| out.help("name the tensor with `features`, or declare a `network` that joins what there is"))
}

/// E0506.
fn unnamed_setting(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0506, "a setting of a model has a name").at(span, "").help("write it, such as `trees: 50..400`")
}

/// E0309.
fn no_range(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "this is no range of numbers")
        .at(span, "")
        .help("write the smaller number first, such as `50..400`")
}
