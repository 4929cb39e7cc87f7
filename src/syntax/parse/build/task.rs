//! Tasks.

use crate::base::Span;
use crate::syntax::ast::{
    Forecast, Goal, Group, History, HoldOut, HoldOutKind, Horizon, Ident, LabelMatch, Labels, Models, ModelsKind, Per, Start,
    StartKind, StreamRef, Target, Task, Train,
};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{foreign, words, wrong};
use super::Builder;

const GOALS: [Rule; 6] =
    [Rule::goal_classify, Rule::goal_regress, Rule::goal_forecast, Rule::goal_detect, Rule::goal_rank, Rule::bad_goal];

impl Builder<'_> {
    pub fn task(&mut self, node: &Node<'_>) -> Task {
        self.assign_sign_in(node);
        let goal = node.one_of(&GOALS).expect("a task has a goal");
        let body = node.find(Rule::task_body);
        if let Some(body) = &body {
            self.clauses_in(body, &words::TASK);
        }
        // A task without a body has none of its clauses; its goal stands in for an empty body.
        let body = body.unwrap_or_else(|| goal.clone());
        let body = &body;
        Task {
            head: self.head_in(node),
            goal_span: self.span(&goal),
            from: self.goal_stream(&goal),
            by: self.by_in(&goal),
            goal: self.goal(&goal),
            features: self.once(body, Rule::task_features).map(|it| self.column_set_in(&it)),
            labels: self.once(body, Rule::task_labels).map(|it| self.labels(&it)),
            hold_out: self.once(body, Rule::task_hold_out).map(|it| self.hold_out(&it)),
            start: self.once(body, Rule::task_start).map(|it| self.start(&it)),
            group: self.once(body, Rule::task_group).map(|it| self.group(&it)),
            balance: self.once(body, Rule::k_balance).map(|it| self.span(&it)),
            weights: self.once(body, Rule::task_weights).map(|it| self.expr_in(&it)),
            per: self.once(body, Rule::task_per).map(|it| self.per(&it)),
            models: self.once(body, Rule::task_models).map(|it| self.models(&it)),
            history: self.once(body, Rule::task_history).map(|it| self.history(&it)),
            policy: self.once(body, Rule::task_policy).map(|it| self.name_in(&it)),
            train: self.once(body, Rule::task_train).map(|it| self.train(&it)),
            flag: self.once(body, Rule::task_flag).map(|it| self.amount_in(&it)),
            truth: self.once(body, Rule::task_truth).map(|it| self.name_in(&it)),
        }
    }

    fn goal(&mut self, node: &Node<'_>) -> Goal {
        match node.rule() {
            Rule::goal_classify => Goal::Classify(self.target_in(node)),
            Rule::goal_regress => Goal::Regress(self.target_in(node)),
            Rule::goal_rank => Goal::Rank(self.target_in(node)),
            Rule::goal_forecast => Goal::Forecast(self.forecast(node)),
            Rule::goal_detect => Goal::Detect,
            Rule::bad_goal => self.unknown_goal(node),
            other => unreachable!("{other:?} is no goal"),
        }
    }

    /// What cannot be read stands as `detect`; the declaration is dropped anyway.
    fn unknown_goal(&mut self, node: &Node<'_>) -> Goal {
        let word = node.get(Rule::name);
        self.lose(wrong::unknown_goal(self.span(&word), word.text(), foreign::goal(word.text())));
        Goal::Detect
    }

    fn goal_stream(&mut self, node: &Node<'_>) -> StreamRef {
        if node.has(Rule::stream_ref) {
            return self.stream_ref_in(node);
        }
        let name: Ident = self.name_in(node);
        StreamRef { span: name.span, name, output: None }
    }

    fn target_in(&mut self, node: &Node<'_>) -> Target {
        let node = node.get(Rule::target);
        let value = node.find(Rule::expr).map(|value| self.expr(&value));
        Target { name: self.name_in(&node), was: self.was_in(&node), value, span: self.span(&node) }
    }

    fn forecast(&mut self, node: &Node<'_>) -> Forecast {
        let horizon = match node.find(Rule::horizon_next) {
            Some(next) => {
                let [length, every] = self.amounts(&next);
                Horizon::Next { length, every }
            }
            None => Horizon::Ahead(self.amount_in(&node.get(Rule::horizon_ahead))),
        };
        Forecast { column: self.name_in(node), horizon }
    }

    fn labels(&mut self, node: &Node<'_>) -> Labels {
        Labels {
            from: self.stream_ref_in(node),
            on: self.on_in(node),
            matching: self.label_match(node),
            wait: node.find(Rule::label_wait).map(|wait| self.amount_in(&wait)),
            span: self.span(node),
        }
    }

    fn label_match(&mut self, node: &Node<'_>) -> Option<LabelMatch> {
        if let Some(containing) = node.find(Rule::label_containing) {
            return Some(LabelMatch::Containing(self.name_in(&containing)));
        }
        node.has(Rule::within).then(|| LabelMatch::Within(self.within_in(node)))
    }

    fn hold_out(&mut self, node: &Node<'_>) -> HoldOut {
        let kind = match node.has(Rule::k_where) {
            true => HoldOutKind::Where(self.expr_in(node)),
            false => HoldOutKind::Last(self.amount_in(node)),
        };
        HoldOut { kind, span: self.span(node) }
    }

    fn start(&mut self, node: &Node<'_>) -> Start {
        let kind = match node.find(Rule::start_first) {
            Some(first) => StartKind::First { rows: self.amount_in(&first), by: self.by_in(&first) },
            None => StartKind::Where(self.expr_in(node)),
        };
        Start { kind, span: self.span(node) }
    }

    fn group(&mut self, node: &Node<'_>) -> Group {
        Group { by: self.keys_in(node), span: self.span(node) }
    }

    fn per(&mut self, node: &Node<'_>) -> Per {
        let after = node.find(Rule::per_after).map(|after| self.amount_in(&after));
        Per { keys: self.keys_in(node), after, span: self.span(node) }
    }

    fn models(&mut self, node: &Node<'_>) -> Models {
        let kind = match node.one_of(&[Rule::model_list, Rule::bad_model]) {
            None => ModelsKind::Auto,
            Some(list) => {
                let models = self.all_applied(&list);
                if list.rule() == Rule::bad_model {
                    let text = self.text_at(self.span(&list)).to_owned();
                    self.report(wrong::single_without_brackets(self.span(&list), &text));
                }
                ModelsKind::List(models)
            }
        };
        Models { kind, span: self.span(node) }
    }

    fn history(&mut self, node: &Node<'_>) -> History {
        let reservoir: Option<Span> = node.find(Rule::k_reservoir).map(|word| self.span(&word));
        History { extent: self.extent_in(node), reservoir, span: self.span(node) }
    }

    fn train(&mut self, node: &Node<'_>) -> Train {
        self.clauses_in(node, &words::TRAIN);
        Train {
            optimizer: self.once(node, Rule::train_optimizer).map(|it| self.applied(&it.get(Rule::applied))),
            epochs: self.once(node, Rule::train_epochs).map(|it| self.amount_in(&it)),
            batch: self.once(node, Rule::train_batch).map(|it| self.amount_in(&it)),
            patience: self.once(node, Rule::train_patience).map(|it| self.amount_in(&it)),
            augment: self.once(node, Rule::train_augment).map(|it| self.all_applied(&it)).unwrap_or_default(),
            span: self.span(node),
        }
    }
}
