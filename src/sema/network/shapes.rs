//! That every shape on the way through a network fits, whatever a search chooses, and that it ends in what its task needs.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::network::{Misfit, Network, Step, Unfit, shape_text};
use crate::syntax::ast;

use super::{Wanted, classes, inputs, known_classes};

/// Two numbers of classes, where it is not known: what only fits one of them does not fit.
const ANY_CLASSES: [usize; 2] = [2, 3];

pub fn check(
    bound: &Network,
    network: &ast::Network,
    call: Span,
    spans: &[Span],
    wanted: Wanted<'_>,
) -> Result<(), Box<Diagnostic>> {
    // Of features that are no tensors each is one number at least; layers that take them take any number.
    let width = bound.inputs.iter().filter(|input| input.shape.is_none()).map(|input| input.features.len()).sum();
    let Some(input) = bound.input_shape(width) else { return Err(cannot_join(bound, network, call, width)) };
    let counts = known_classes(&wanted).map_or(ANY_CLASSES.to_vec(), |count| vec![count]);
    for corner in corners(bound) {
        for classes in &counts {
            let steps = corner.steps(input.clone(), *classes).map_err(|unfit| unfits(&unfit, &input, spans, call))?;
            let output = steps.last().map_or(input.clone(), |step| step.output.clone());
            if output != [*classes] {
                let end = spans.last().copied().unwrap_or(network.head.name.span);
                let known = counts.len() == 1;
                return Err(other_head(network, &output, *classes, known, end, call, wanted));
            }
        }
    }
    Ok(())
}

/// All ranges at their lower ends, all at their upper ends, and each alone at its upper end: lengths fall with every kernel
/// and stride, so what fits there fits everywhere, and a `skip` around a range shows.
fn corners(network: &Network) -> Vec<Network> {
    let ranges = network.ranges();
    let at = |high: &dyn Fn(&str) -> bool| {
        network.with(&|setting| {
            let range = ranges.iter().find(|range| range.setting == setting)?;
            Some(if high(setting) { range.high } else { range.low })
        })
    };
    let mut all = vec![at(&|_| false)];
    if !ranges.is_empty() {
        all.push(at(&|_| true));
        all.extend(ranges.iter().map(|range| at(&|setting| setting == range.setting)));
    }
    all
}

/// `[128, 9] → conv1d(32, kernel: 5) [124, 32] → relu [124, 32]`: the last of them.
fn way(input: &[usize], steps: &[Step]) -> String {
    const SHOWN: usize = 5;
    let left_out = steps.len().saturating_sub(SHOWN);
    let begin = if left_out == 0 { shape_text(input) } else { "…".to_owned() };
    let steps = steps[left_out..].iter().map(|step| format!(" → {} {}", step.layer, shape_text(&step.output)));
    format!("{begin}{}", steps.collect::<String>())
}

/// E0523.
fn unfits(unfit: &Unfit, input: &[usize], spans: &[Span], call: Span) -> Box<Diagnostic> {
    let (layer, reaches) = (&unfit.layer, shape_text(&unfit.input));
    let span = spans.get(unfit.at).copied().unwrap_or(call);
    let (message, label, hint) = match unfit.misfit {
        Misfit::Rank { wants, hint } => {
            (format!("`{layer}` takes {wants}, and {reaches} reaches it"), format!("{reaches} comes in"), hint.to_owned())
        }
        Misfit::TooLong { what, size, length } => (
            format!("`{layer}` looks at {size} places at once, and only {length} are left"),
            format!("{reaches} comes in"),
            format!("make the {what} smaller, or pool less before it"),
        ),
        Misfit::Skip => (
            format!("`skip` adds what comes out to what goes in, and {} is not {reaches}", shape_text(&unfit.output)),
            format!("{} comes out", shape_text(&unfit.output)),
            "keep the shape inside: `padding: same`, and as many channels as go in".to_owned(),
        ),
    };
    let help = match unfit.before.is_empty() {
        true => hint,
        false => format!("{hint}; before it: {}", way(input, &unfit.before)),
    };
    Box::new(Diagnostic::new(Code::E0523, message).at(span, label).at(call, "with the features of this task").help(help))
}

/// E0524.
fn other_head(
    network: &ast::Network,
    output: &[usize],
    count: usize,
    known: bool,
    end: Span,
    call: Span,
    wanted: Wanted<'_>,
) -> Box<Diagnostic> {
    let name = &network.head.name.name;
    let classifies = matches!(wanted.kind, crate::ir::TaskKind::Classify);
    let needs = match (classifies, known) {
        (true, true) => format!("a score for each of {count} classes"),
        (true, false) => "a score for each class".to_owned(),
        (false, _) => "one number".to_owned(),
    };
    let message = format!("`{name}` gives {}, and the task needs {needs}", shape_text(output));
    let help = match (classifies, classes(network)) {
        (true, Some(param)) => format!("end it with `linear({})`", param.name.name),
        (true, None) => "declare `classes: int` and end it with `linear(classes)`".to_owned(),
        (false, _) => "end it with `linear(1)`".to_owned(),
    };
    let help = match output.len() {
        1 => help,
        _ => format!("{help}, behind `global_mean` or `flatten`"),
    };
    let out = Diagnostic::new(Code::E0524, message).at(end, format!("{} comes out", shape_text(output)));
    Box::new(out.at(call, "with the features of this task").help(help))
}

/// E0523.
fn cannot_join(bound: &Network, network: &ast::Network, call: Span, width: usize) -> Box<Diagnostic> {
    let shapes = bound.inputs.iter().map(|input| match &input.shape {
        Some(shape) => shape.iter().map(|size| *size as usize).collect::<Vec<_>>(),
        None => vec![width],
    });
    let shapes: Vec<String> = shapes.map(|shape| shape_text(&shape)).collect();
    let head = inputs(network).first().map_or(network.head.name.span, |ident| ident.span);
    let message = format!("`concat` joins along the last axis, and the others differ: {}", shapes.join(" and "));
    Box::new(
        Diagnostic::new(Code::E0523, message)
            .at(head, "")
            .at(call, "with the features of this task")
            .help("join tensors whose axes but the last are equal"),
    )
}
