//! Policies.

use crate::syntax::ast::{
    Keep, Kept, Objective, ObjectiveDirection, Otherwise, OtherwiseKind, Policy, PolicyClauses, Priority, PriorityLevel,
    Promote, Requirement, Search, Validate, ValidateKind, When,
};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{words, wrong};
use super::Builder;

impl Builder<'_> {
    pub fn policy(&mut self, node: &Node<'_>) -> Policy {
        let body = node.get(Rule::policy_body);
        let whens = body.all(Rule::policy_when).map(|when| self.when(&when)).collect();
        Policy { head: self.head_in(node), clauses: self.policy_clauses(&body), whens }
    }

    fn when(&mut self, node: &Node<'_>) -> When {
        let body = node.get(Rule::policy_body);
        for inner in body.all(Rule::policy_when) {
            self.lose(wrong::when_in_when(self.span(&inner.get(Rule::k_when)), self.span(&node.get(Rule::k_when))));
        }
        When { condition: self.trigger_in(node), clauses: self.policy_clauses(&body), span: self.span(node) }
    }

    fn policy_clauses(&mut self, body: &Node<'_>) -> PolicyClauses {
        self.clauses_in(body, &words::POLICY);
        let requirements: Vec<Node<'_>> = body.all(Rule::require).flat_map(|it| it.all(Rule::requirement)).collect();
        let allowed: Vec<Node<'_>> = body.all(Rule::allow).collect();
        PolicyClauses {
            objective: self.once(body, Rule::objective).map(|it| self.objective(&it)),
            requirements: requirements.iter().map(|it| self.requirement(it)).collect(),
            search: self.once(body, Rule::search).map(|it| self.search(&it)),
            validate: self.once(body, Rule::validate).map(|it| self.validate(&it)),
            seed: self.once(body, Rule::policy_seed).map(|it| self.amount_in(&it)),
            retrain: self.once(body, Rule::retrain).map(|it| self.trigger_in(&it)),
            promote: self.once(body, Rule::promote).map(|it| self.promote(&it)),
            rollback: self.once(body, Rule::rollback).map(|it| self.trigger_in(&it)),
            allow: allowed.iter().flat_map(|it| self.all_applied(it)).collect(),
            priority: self.once(body, Rule::priority).map(|it| self.priority(&it)),
            share: self.once(body, Rule::share).map(|it| self.amount_in(&it)),
            keep: body.all(Rule::policy_keep).map(|it| self.keep(&it)).collect(),
        }
    }

    fn objective(&mut self, node: &Node<'_>) -> Objective {
        let direction = match node.has(Rule::k_maximize) {
            true => ObjectiveDirection::Maximize,
            false => ObjectiveDirection::Minimize,
        };
        Objective { direction, metric: self.metric_in(node), span: self.span(node) }
    }

    fn requirement(&mut self, node: &Node<'_>) -> Requirement {
        let otherwise = node.find(Rule::otherwise).map(|otherwise| self.otherwise(&otherwise));
        Requirement { comparison: self.comparison(&node.get(Rule::comparison)), otherwise, span: self.span(node) }
    }

    fn otherwise(&mut self, node: &Node<'_>) -> Otherwise {
        let kind = match node.one_of(&[Rule::k_warn, Rule::k_abstain, Rule::keep_champion]).map(|word| word.rule()) {
            Some(Rule::k_warn) => OtherwiseKind::Warn,
            Some(Rule::k_abstain) => OtherwiseKind::Abstain,
            Some(_) => OtherwiseKind::KeepChampion,
            None => OtherwiseKind::Stop,
        };
        Otherwise { kind, span: self.span(node) }
    }

    fn search(&mut self, node: &Node<'_>) -> Search {
        let (mut trials, mut cores, mut time) = (None, None, None);
        for item in node.all(Rule::search_item) {
            let slot = match item.one_of(&[Rule::search_trials, Rule::search_cores]).map(|word| word.rule()) {
                Some(Rule::search_trials) => &mut trials,
                Some(_) => &mut cores,
                None => &mut time,
            };
            match slot {
                Some(first) => self.said_twice(first, &item),
                None => *slot = Some(item),
            }
        }
        let [trials, cores, time] = [trials, cores, time].map(|item| item.map(|item| self.amount_in(&item)));
        Search { trials, time, cores, span: self.span(node) }
    }

    fn validate(&mut self, node: &Node<'_>) -> Validate {
        let how = [Rule::validate_last, Rule::validate_random, Rule::validate_folds];
        let kind = match node.one_of(&how) {
            Some(last) if last.rule() == Rule::validate_last => ValidateKind::Last(self.amount_in(&last)),
            Some(random) if random.rule() == Rule::validate_random => ValidateKind::Random(self.amount_in(&random)),
            Some(folds) => ValidateKind::Folds(self.amount_in(&folds)),
            None => ValidateKind::Prequential,
        };
        Validate { kind, span: self.span(node) }
    }

    fn promote(&mut self, node: &Node<'_>) -> Promote {
        Promote {
            by: node.find(Rule::promote_by).map(|by| self.amount_in(&by)),
            over: self.over_in(node),
            confidence: node.find(Rule::promote_confidence).map(|with| self.amount_in(&with)),
            span: self.span(node),
        }
    }

    fn priority(&mut self, node: &Node<'_>) -> Priority {
        let level = match node.one_of(&[Rule::k_high, Rule::k_low]).map(|word| word.rule()) {
            Some(Rule::k_high) => PriorityLevel::High,
            Some(_) => PriorityLevel::Low,
            None => PriorityLevel::Normal,
        };
        Priority { level, span: self.span(node) }
    }

    fn keep(&mut self, node: &Node<'_>) -> Keep {
        let what = if node.has(Rule::k_previous) { Kept::Previous } else { Kept::Removed };
        Keep { what, length: self.amount_in(node), span: self.span(node) }
    }
}
