//! Pipelines and the stages that work on rows one by one. `window.rs` and `table_stage.rs` have the others.

use crate::syntax::ast::{
    Apply, Connector, Drop, Fill, Limit, OnChange, OnChangeKind, Pipe, Predict, Predicted, Rename, Sample, Scan, Select,
    SelectItem, Selection, SetColumns, Stage, StageKind, StreamRef, Throttle, Top, Union, Unnest, Where,
};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{foreign, wrong};
use super::Builder;

/// A pipe, and the connector at its end if it has one.
pub struct Ended {
    pub pipe: Pipe,
    pub to: Option<Connector>,
}

impl Builder<'_> {
    pub fn pipeline_in(&mut self, node: &Node<'_>) -> Ended {
        let pipeline = node.get(Rule::pipeline);
        let (input, first) = self.head(&pipeline);
        let (mut stages, mut to) = (Vec::from_iter(first), None);
        for stage in pipeline.all(Rule::stage) {
            if let Some(place) = &to {
                let Connector { span, .. } = place;
                self.report(wrong::stage_behind_to(self.span(&stage), *span));
            }
            match stage.find(Rule::to_stage) {
                Some(end) => to = Some(self.connector_in(&end)),
                None => stages.extend(self.stage(&stage)),
            }
            self.end_comma_in(&stage);
        }
        Ended { pipe: Pipe { input, stages, span: self.span(&pipeline) }, to }
    }

    /// What the pipeline begins with: one stream, or several as one.
    fn head(&mut self, pipeline: &Node<'_>) -> (StreamRef, Option<Stage>) {
        let Some(head) = pipeline.find(Rule::union_head) else { return (self.stream_ref_in(pipeline), None) };
        let mut streams: Vec<StreamRef> = head.all(Rule::stream_ref).map(|stream| self.stream_ref(&stream)).collect();
        let input = streams.remove(0);
        let kind = StageKind::Union(Union { others: streams, leads: true });
        let stage = Stage { kind, id: None, on_change: None, span: self.span(&head) };
        (input, Some(stage))
    }

    fn end_comma_in(&mut self, stage: &Node<'_>) {
        if let Some(comma) = stage.find(Rule::bad_end_comma) {
            self.report(wrong::comma_behind_stage(self.span(&comma)));
        }
    }

    fn stage(&mut self, node: &Node<'_>) -> Option<Stage> {
        let kind = self.stage_kind(node.only())?;
        let id = node.find(Rule::stage_id).map(|id| self.name_in(&id));
        let on_change = node.find(Rule::on_change).map(|change| self.on_change(&change));
        Some(Stage { kind, id, on_change, span: self.span(node) })
    }

    fn on_change(&mut self, node: &Node<'_>) -> OnChange {
        let kind = match node.one_of(&[Rule::k_backfill, Rule::k_empty]).map(|word| word.rule()) {
            Some(Rule::k_backfill) => OnChangeKind::Backfill,
            Some(_) => OnChangeKind::Empty,
            None => OnChangeKind::Reject,
        };
        OnChange { kind, span: self.span(node) }
    }

    fn stage_kind(&mut self, node: Node<'_>) -> Option<StageKind> {
        let node = &node;
        Some(match node.rule() {
            Rule::where_stage => StageKind::Where(Where { condition: self.expr_in(node) }),
            Rule::set_stage => StageKind::Set(SetColumns { entries: self.entries_in(node) }),
            Rule::select_stage => StageKind::Select(Select { selection: self.selection(node) }),
            Rule::drop_stage => StageKind::Drop(Drop { columns: self.column_set_in(node) }),
            Rule::rename_stage => StageKind::Rename(self.rename(node)),
            Rule::scan_stage => StageKind::Scan(Scan { by: self.by_in(node), entries: self.entries_in(node) }),
            Rule::window_stage => StageKind::Window(self.window(node)),
            Rule::summarize_stage => StageKind::Summarize(self.summarize(node)),
            Rule::join_stage => StageKind::Join(self.join(node)),
            Rule::asof_stage => StageKind::Asof(self.asof(node)),
            Rule::lookup_stage => StageKind::Lookup(self.lookup(node)),
            Rule::resample_stage => StageKind::Resample(self.resample(node)),
            Rule::fill_stage => StageKind::Fill(Fill { entries: self.assigns_in(node) }),
            Rule::dedupe_stage => StageKind::Dedupe(self.dedupe(node)),
            Rule::union_stage => StageKind::Union(Union { others: self.union(node), leads: false }),
            Rule::unnest_stage => StageKind::Unnest(Unnest { column: self.name_in(node) }),
            Rule::sample_stage => StageKind::Sample(Sample { share: self.amount_in(node) }),
            Rule::limit_stage => StageKind::Limit(Limit { count: self.amount_in(node) }),
            Rule::throttle_stage => StageKind::Throttle(self.throttle(node)),
            Rule::sort_stage => StageKind::Sort(self.sort(node)),
            Rule::predict_stage => StageKind::Predict(self.predict(node)),
            Rule::top_stage => StageKind::Top(self.top(node)),
            Rule::apply => StageKind::Apply(Apply { transform: self.name_in(node), args: self.args_in(node) }),
            Rule::bad_stage => return self.unknown_stage(node),
            other => unreachable!("{other:?} is no stage"),
        })
    }

    fn unknown_stage(&mut self, node: &Node<'_>) -> Option<StageKind> {
        let word = node.only();
        let diagnostic = match word.rule() {
            Rule::bad_group => wrong::group_stage(self.span(&word), node.get(Rule::bad_stage_rest).text()),
            _ => wrong::unknown_stage(self.span(&word), word.text(), foreign::stage(word.text())),
        };
        self.lose(diagnostic);
        None
    }

    fn selection(&mut self, node: &Node<'_>) -> Selection {
        if let Some(list) = node.find(Rule::select_list) {
            return Selection::Items(list.children().filter_map(|item| self.select_item(&item)).collect());
        }
        if let Some(single) = node.find(Rule::bad_single) {
            return Selection::Items(vec![SelectItem::Columns(self.single_column(&single))]);
        }
        if let Some(names) = node.find(Rule::bad_names) {
            return Selection::Items(self.bare_columns(&names).into_iter().map(SelectItem::Columns).collect());
        }
        let set = node.one_of(&[Rule::all_except, Rule::matching, Rule::k_all]).expect("a selection is a set");
        Selection::Set(self.column_set(&set))
    }

    fn select_item(&mut self, node: &Node<'_>) -> Option<SelectItem> {
        match node.rule() {
            Rule::assign => Some(SelectItem::Assign(self.assign(node))),
            Rule::column_item => Some(SelectItem::Columns(self.column_item(node))),
            // Commas and brackets.
            _ => None,
        }
    }

    fn rename(&mut self, node: &Node<'_>) -> Rename {
        self.commas_in(node);
        Rename { renamings: node.all(Rule::renaming).map(|renaming| self.renaming(&renaming)).collect() }
    }

    fn union(&mut self, node: &Node<'_>) -> Vec<StreamRef> {
        if let Some(single) = node.find(Rule::bad_stream) {
            let stream = self.stream_ref_in(&single);
            let text = self.text_at(stream.span).to_owned();
            self.report(wrong::single_without_brackets(stream.span, &text));
            return vec![stream];
        }
        node.all(Rule::stream_ref).map(|stream| self.stream_ref(&stream)).collect()
    }

    fn throttle(&mut self, node: &Node<'_>) -> Throttle {
        let [count, per] = self.amounts(node);
        Throttle { count, per, by: self.by_in(node) }
    }

    fn predict(&mut self, node: &Node<'_>) -> Predict {
        let tasks = node.all(Rule::predicted).map(|task| self.predicted(&task)).collect();
        Predict { tasks, probabilities: node.find(Rule::probabilities).map(|words| self.span(&words)) }
    }

    fn predicted(&mut self, node: &Node<'_>) -> Predicted {
        let mut names = self.names_in(node).into_iter();
        Predicted { task: names.next().expect("a prediction is of a task"), alias: names.next() }
    }

    fn top(&mut self, node: &Node<'_>) -> Top {
        Top { count: self.amount_in(node), by: self.expr_in(node), within: self.within_in(node) }
    }

    pub fn connector_in(&mut self, node: &Node<'_>) -> Connector {
        let node = node.get(Rule::connector);
        Connector { name: self.name_in(&node), args: self.args_in(&node), span: self.span(&node) }
    }
}
