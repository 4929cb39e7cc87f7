//! The layers of a network with shapes, parameters and multiply-adds: of the smallest that a search may choose, and of the
//! largest.

use crate::ir::network::{Network, Step};
use crate::ir::{Models, Program, Task, TaskKind, Type};

/// A network in the task that lists it.
pub struct Found<'p> {
    pub task: &'p Task,
    pub network: &'p Network,
}

/// All that tasks list, in the order of the tasks' names.
pub fn of(program: &Program) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for task in program.tasks.values() {
        if let Models::Listed(candidates) = &task.models {
            let networks = candidates.iter().filter_map(|candidate| candidate.network.as_ref());
            found.extend(networks.map(|network| Found { task, network }));
        }
    }
    found
}

pub fn text(found: &Found<'_>) -> String {
    let Found { task, network } = found;
    let mut out = format!("{} in the task {}\n", network.name, task.name);
    let (classes, said) = classes(task);
    for input in &network.inputs {
        let what = match &input.shape {
            Some(shape) => format!("tensor{}", shape_text(&[shape.iter().map(|size| *size as usize).collect()])),
            None => format!("{}, as many numbers as these become, {} at least", join(&input.features), input.features.len()),
        };
        out += &format!("  {} is {what}\n", input.name);
    }
    out += &said;
    let width = network.inputs.iter().filter(|input| input.shape.is_none()).map(|input| input.features.len()).sum();
    let Some(input) = network.input_shape(width) else { return out };
    let ends = [least(network), most(network)].map(|network| network.steps(input.clone(), classes).unwrap_or_default());
    let mut rows = vec![["layer", "shape", "parameters", "multiply-adds"].map(str::to_owned).to_vec()];
    rows.push(vec![String::new(), shape_text(&[input]), String::new(), String::new()]);
    let written = layers(network);
    for (at, (low, high)) in ends[0].iter().zip(&ends[1]).enumerate() {
        let name = format!("{}{}", "  ".repeat(low.depth), written.get(at).map_or_else(String::new, Clone::clone));
        let shape = shape_text(&[low.output.clone(), high.output.clone()]);
        rows.push(vec![name, shape, between(low.parameters, high.parameters), between(low.multiply_adds, high.multiply_adds)]);
    }
    let sum = |steps: &[Step], of: &dyn Fn(&Step) -> usize| steps.iter().map(of).sum::<usize>();
    let total = |of: &dyn Fn(&Step) -> usize| between(sum(&ends[0], of), sum(&ends[1], of));
    rows.push(vec!["all".into(), String::new(), total(&|step| step.parameters), total(&|step| step.multiply_adds)]);
    out + &table(&rows)
}

/// How many classes to count with, and a line where that is not known.
fn classes(task: &Task) -> (usize, String) {
    match (&task.kind, &task.target.column.ty) {
        (TaskKind::Classify, Type::Bool) => (2, "  classes: 2\n".to_owned()),
        (TaskKind::Classify, Type::Enum(items)) => (items.len(), format!("  classes: {}\n", items.len())),
        (TaskKind::Classify, _) => (2, "  classes: as many as the rows have, counted here as 2\n".to_owned()),
        (TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Detect { .. } | TaskKind::Rank, _) => (1, String::new()),
    }
}

/// All ranges at their lower ends.
fn least(network: &Network) -> Network {
    let ranges = network.ranges();
    network.with(&|setting| ranges.iter().find(|range| range.setting == setting).map(|range| range.low))
}

/// All ranges at their upper ends.
fn most(network: &Network) -> Network {
    let ranges = network.ranges();
    network.with(&|setting| ranges.iter().find(|range| range.setting == setting).map(|range| range.high))
}

/// As they are written, those inside of a `skip` behind it.
fn layers(network: &Network) -> Vec<String> {
    fn walk(layers: &[crate::ir::network::Layer], out: &mut Vec<String>) {
        for layer in layers {
            out.push(layer.to_string());
            if let crate::ir::network::Layer::Skip(inside) = layer {
                walk(inside, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(&network.layers, &mut out);
    out
}

/// `[122..126, 16]`: of the shapes of one place, which have as many axes.
fn shape_text(shapes: &[Vec<usize>]) -> String {
    let Some(first) = shapes.first() else { return String::new() };
    let axis = |at: usize| {
        let sizes = || shapes.iter().filter_map(|shape| shape.get(at).copied());
        between(sizes().min().unwrap_or_default(), sizes().max().unwrap_or_default())
    };
    format!("[{}]", (0..first.len()).map(axis).collect::<Vec<_>>().join(", "))
}

/// Nothing where both are 0. A longer kernel leaves fewer places, so the larger network may be the cheaper one.
fn between(one: usize, other: usize) -> String {
    match (one.min(other), one.max(other)) {
        (_, 0) => String::new(),
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low}..{high}"),
    }
}

fn join(names: &[crate::base::Name]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Columns as wide as their widest cell; numbers right.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..4).map(width).collect();
    let line = |row: &Vec<String>| {
        let (name, shape) = (&row[0], &row[1]);
        let text =
            format!("  {name:<0$}  {shape:<1$}  {2:>3$}  {4:>5$}", widths[0], widths[1], row[2], widths[2], row[3], widths[3]);
        format!("{}\n", text.trim_end())
    };
    rows.iter().map(line).collect()
}
