//! `summarize by K every D { … }`: aggregates of all rows so far, every D.

use crate::base::{Duration, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Op, StageKind, WindowOp, WindowShape};
use crate::sema::checker::Checker;
use crate::sema::expr::{Place, RowsOf};
use crate::sema::shape::Shape;
use crate::syntax::ast;

use super::Flow;
use super::window::key_columns;

impl<'a> Checker<'a> {
    pub(super) fn summarize_stage(&mut self, it: &'a ast::Summarize, stage: &'a ast::Stage, flow: &mut Flow) {
        let ast::Summarize { by, every, entries } = it;
        let shape = match every {
            Some(every) => {
                self.stage_needs_time("summarize … every", stage.span, flow);
                self.positive_duration(every, "`every`").map(|every| WindowShape::Cumulative { every })
            }
            None => {
                if flow.shape.live {
                    self.report(never_said(stage.span, &flow.shape));
                }
                Some(WindowShape::Whole)
            }
        };
        let keys = self.keys(by.as_ref(), stage, flow);
        let place = Place::Window { keys: keys.clone().unwrap_or_default(), rows: RowsOf::Unknown("`summarize`") };
        let mut out = key_columns(keys.as_deref().unwrap_or_default(), &flow.shape);
        let entries = self.window_entries(entries, &place, &mut out, flow);
        let named: &[&str] = if every.is_some() { &["window_end"] } else { &[] };
        self.window_time(named, &mut out, flow, stage.span);
        if let Some(WindowShape::Cumulative { every }) = shape {
            out.waits = Duration(out.waits.0.saturating_add(every.0));
        }
        let input = std::mem::replace(&mut flow.shape, out);
        match (shape, keys) {
            (Some(shape), Some(by)) => {
                let op = WindowOp { shape, partial: false, by, entries };
                flow.push(StageKind::Summarize, Op::Window(op), stage);
            }
            (None, _) | (_, None) => flow.shape.open |= input.open,
        }
    }
}

/// E0403.
fn never_said(span: Span, shape: &Shape) -> Diagnostic {
    let sources: Vec<String> = shape.sources.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::new(
        Code::E0403,
        "`summarize` without `every` says its result when the recording ends, and these rows also come in live",
    )
    .at(span, format!("reads {}, which has `live` or `keep`", sources.join(", ")))
    .help("say how often: `summarize by device every 1h { … }`")
}
