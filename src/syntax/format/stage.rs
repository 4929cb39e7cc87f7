//! Pipes and stages.

use crate::base::Span;
use crate::syntax::ast::{
    Connector, Expr, FillMethod, OnChangeKind, Pipe, Predict, SelectItem, Selection, Stage, StageKind, StreamRef, Take,
    TakeItem, Window, WindowSpecKind,
};

use super::Formatter;
use super::block::{Item, SQUARE, item};
use super::comments::begins_line;
use super::doc::{Doc, all, group, indent, text};
use super::expr::comma_list;

impl Formatter<'_> {
    /// One stage a line if the first one began a line, or if all do not fit.
    pub fn pipe(&mut self, pipe: &Pipe, to: Option<&Connector>) -> Doc {
        let (head, stages) = self.head_of(pipe);
        let spans: Vec<Span> = stages.iter().map(|stage| stage.span).chain(to.map(|to| to.span)).collect();
        let first_bar = spans.first().and_then(|span| self.text[..span.start as usize].rfind('|'));
        let broken = first_bar.is_some_and(|bar| begins_line(self.text, bar));
        let mut parts = Vec::new();
        let behind = if spans.is_empty() { text("") } else { self.comments.behind(head.1) };
        for (nth, span) in spans.iter().enumerate() {
            parts.push(if broken { Doc::Hard } else { Doc::Line });
            parts.push(self.piped(*span));
            let stage = match (stages.get(nth), to) {
                (Some(stage), _) => self.stage(stage),
                (None, Some(to)) => all([text("to "), self.connector(to)]),
                (None, None) => text(""),
            };
            parts.extend([text("| "), indent(2, stage)]);
            // What stands behind the last stage stands behind the declaration.
            parts.extend((nth + 1 < spans.len()).then(|| self.comments.behind(span.end as usize)));
        }
        group(all([head.0, behind, indent(2, all(parts))]))
    }

    /// What the pipe begins with and where that ends, and the stages behind it.
    fn head_of<'p>(&self, pipe: &'p Pipe) -> ((Doc, usize), &'p [Stage]) {
        let input = self.stream_ref(&pipe.input);
        match pipe.stages.split_first() {
            Some((Stage { kind: StageKind::Union(it), span, .. }, rest)) if it.leads => {
                let others = it.others.iter().map(|other| text(self.stream_ref(other)));
                let all_of = std::iter::once(text(input)).chain(others).collect();
                ((all([text("union ["), comma_list(all_of), text("]")]), span.end as usize), rest)
            }
            _ => ((text(input), pipe.input.span.end as usize), pipe.stages.as_slice()),
        }
    }

    pub fn stream_ref(&self, stream: &StreamRef) -> String {
        match &stream.output {
            Some(output) => format!("{}.{}", self.name(&stream.name), self.name(output)),
            None => self.name(&stream.name),
        }
    }

    fn stage(&mut self, stage: &Stage) -> Doc {
        let kind = self.stage_kind(&stage.kind, stage.span);
        let id = stage.id.as_ref().map(|id| format!(" id {}", self.name(id))).unwrap_or_default();
        let change = match stage.on_change.as_ref().map(|change| change.kind) {
            None => "",
            Some(OnChangeKind::Backfill) => " on change backfill",
            Some(OnChangeKind::Empty) => " on change empty",
            Some(OnChangeKind::Reject) => " on change reject",
        };
        all([kind, text(format!("{id}{change}"))])
    }

    fn stage_kind(&mut self, kind: &StageKind, span: Span) -> Doc {
        let from = span.start as usize;
        match kind {
            StageKind::Where(it) => all([text("where "), self.expr(&it.condition)]),
            StageKind::Set(it) => all([text("set "), self.entries(&it.entries, from)]),
            StageKind::Select(it) => all([text("select "), self.selection(&it.selection, from)]),
            StageKind::Drop(it) => all([text("drop "), self.column_set(&it.columns)]),
            StageKind::Rename(it) => {
                let renamings = &it.renamings;
                let items =
                    renamings.iter().map(|it| item(it.new.span.to(it.old.span), move |f| text(f.renaming(it)))).collect();
                all([text("rename "), self.braces(items, from)])
            }
            StageKind::Scan(it) => all([text(format!("scan {}", self.by(&it.by))), self.entries(&it.entries, from)]),
            StageKind::Window(it) => self.window(it, from),
            StageKind::Summarize(it) => {
                let every = self.maybe("every ", it.every.as_ref(), " ");
                all([text(format!("summarize {}", self.by(&it.by))), every, self.entries(&it.entries, from)])
            }
            StageKind::Join(it) => {
                let head = format!("join {} on {} within ", self.stream_ref(&it.other), self.keys(&it.on));
                all([text(head), self.expr(&it.within), self.brought(it.take.as_ref(), it.required)])
            }
            StageKind::Asof(it) => {
                let head = format!("asof {} on {}", self.stream_ref(&it.other), self.keys(&it.on));
                let within = self.maybe(" within ", it.within.as_ref(), "");
                all([text(head), within, self.brought(it.take.as_ref(), it.required)])
            }
            StageKind::Lookup(it) => {
                let head = format!("lookup {} on {}", self.name(&it.table), self.keys(&it.on));
                all([text(head), self.brought(it.take.as_ref(), it.required)])
            }
            StageKind::Resample(it) => {
                let tail = format!(" {}fill {}", self.by(&it.by), fill_method(it.fill));
                all([text("resample every "), self.expr(&it.every), text(tail), self.maybe(" within ", it.within.as_ref(), "")])
            }
            StageKind::Fill(it) => all([text("fill "), self.assigns(&it.entries, from)]),
            StageKind::Dedupe(it) => all([text(format!("dedupe by {} within ", self.keys(&it.by))), self.expr(&it.within)]),
            StageKind::Union(it) => {
                let others: Vec<Doc> = it.others.iter().map(|other| text(self.stream_ref(other))).collect();
                all([text("union ["), comma_list(others), text("]")])
            }
            StageKind::Unnest(it) => text(format!("unnest {}", self.name(&it.column))),
            StageKind::Sample(it) => all([text("sample "), self.expr(&it.share)]),
            StageKind::Limit(it) => all([text("limit "), self.expr(&it.count)]),
            StageKind::Throttle(it) => {
                let by = it.by.as_ref().map(|by| format!(" by {}", self.keys(by))).unwrap_or_default();
                all([text("throttle "), self.expr(&it.count), text(" per "), self.expr(&it.per), text(by)])
            }
            StageKind::Sort(it) => all([text(format!("sort by {} within ", self.keys(&it.by))), self.expr(&it.within)]),
            StageKind::Predict(it) => self.predict(it),
            StageKind::Top(it) => {
                let count = self.expr(&it.count);
                let by = self.expr(&it.by);
                all([text("top "), count, text(" by "), by, text(" within "), self.expr(&it.within)])
            }
            StageKind::Apply(it) => {
                let close = self.close_after(it.transform.span.end as usize + self.open_after(it.transform.span));
                let span = Span { end: close as u32 + 1, ..it.transform.span };
                all([text(self.name(&it.transform)), self.args(&it.args, span)])
            }
        }
    }

    /// How many bytes behind a name its bracket has been opened.
    fn open_after(&self, name: Span) -> usize {
        self.text[name.end as usize..].find('(').map_or(0, |at| at + 1)
    }

    /// `by K ` with a blank behind it, or nothing.
    fn by(&self, by: &Option<crate::syntax::ast::Keys>) -> String {
        by.as_ref().map(|by| format!("by {} ", self.keys(by))).unwrap_or_default()
    }

    /// An optional expression with what stands before and behind it.
    pub fn maybe(&mut self, before: &'static str, expr: Option<&Expr>, behind: &'static str) -> Doc {
        match expr {
            Some(expr) => all([text(before), self.expr(expr), text(behind)]),
            None => text(""),
        }
    }

    fn selection(&mut self, selection: &Selection, from: usize) -> Doc {
        let items = match selection {
            Selection::Set(set) => return self.column_set(set),
            Selection::Items(items) => items,
        };
        let items: Vec<Item<'_>> = items.iter().map(|it| item(select_span(it), move |f| f.select_item(it))).collect();
        let close = items.last().map_or(from, |last| self.close_after(last.end));
        self.enclosed(&SQUARE, items, close)
    }

    fn select_item(&mut self, item: &SelectItem) -> Doc {
        match item {
            SelectItem::Columns(columns) => self.column_item(columns),
            SelectItem::Assign(assign) => self.assign(assign, 0),
        }
    }

    fn window(&mut self, window: &Window, from: usize) -> Doc {
        let spec = match &window.spec.kind {
            WindowSpecKind::Time { length, every } => all([self.expr(length), self.maybe(" every ", every.as_ref(), "")]),
            WindowSpecKind::Rows { count, every } => {
                all([self.expr(count), text(" rows"), self.maybe(" every ", every.as_ref(), " rows")])
            }
            WindowSpecKind::Session { gap } => all([text("session gap "), self.expr(gap)]),
            WindowSpecKind::Whole => text("whole"),
        };
        let align = window.align.as_ref().map(|align| format!("align {} ", self.source(align.zone.span))).unwrap_or_default();
        let partial = if window.partial.is_some() { "partial " } else { "" };
        let options = text(format!(" {align}{partial}{}", self.by(&window.by)));
        all([text("window "), spec, options, self.entries(&window.entries, from)])
    }

    fn brought(&mut self, take: Option<&Take>, required: Option<Span>) -> Doc {
        let mut parts = Vec::new();
        if let Some(take) = take {
            let items: Vec<Doc> = take.items.iter().map(|item| self.take_item(item)).collect();
            parts.extend([text(" take ["), comma_list(items), text("]")]);
        }
        parts.extend(required.map(|_| text(" required")));
        all(parts)
    }

    fn take_item(&mut self, item: &TakeItem) -> Doc {
        match item {
            TakeItem::Columns(columns) => self.column_item(columns),
            TakeItem::Renamed(renaming) => text(self.renaming(renaming)),
        }
    }

    fn predict(&mut self, predict: &Predict) -> Doc {
        let mut tasks = Vec::new();
        for task in &predict.tasks {
            let alias = task.alias.as_ref().map(|alias| format!(" as {}", self.name(alias))).unwrap_or_default();
            tasks.push(format!("{}{alias}", self.name(&task.task)));
        }
        let list = tasks.join(", ");
        let list = if tasks.len() == 1 { list } else { format!("[{list}]") };
        let probabilities = if predict.probabilities.is_some() { " with probabilities" } else { "" };
        text(format!("predict {list}{probabilities}"))
    }
}

fn fill_method(method: FillMethod) -> &'static str {
    match method {
        FillMethod::Linear => "linear",
        FillMethod::Last => "last",
        FillMethod::Null => "null",
    }
}

fn select_span(item: &SelectItem) -> Span {
    match item {
        SelectItem::Columns(columns) => columns.span(),
        SelectItem::Assign(assign) => assign.span,
    }
}
