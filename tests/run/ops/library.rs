//! What the language declares is what runs here: examples of the library, and every stage of whole files.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use mliot::compile::{Compiled, Disk, World, compile};
use mliot::diag::{Style, render};
use mliot::ir::{self, Op, Outlet, Type, Value};
use mliot::ops::{evaluate_aggregate, evaluate_constant};
use mliot::plan::{Graph, Input, NodeOp, NodeSpec};
use mliot::sema::{Builtin, TEXTS, library};

struct OneFile(String);

impl World for OneFile {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.clone())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

fn compiled(text: &str) -> Compiled {
    let out = compile(Path::new("room.mliot"), &OneFile(text.to_owned()), &[]);
    let said: String = out.diagnostics.iter().map(|found| render(found, &out.sources, Style::Plain)).collect();
    assert!(!out.has_errors(), "{text}\n{said}");
    out
}

/// The example as it is written: the arguments and the result.
fn example(function: &str, range: std::ops::Range<usize>) -> (String, String) {
    let declares = format!("function {function}(");
    let (_, text) = TEXTS.iter().find(|(_, text)| text.contains(&declares)).expect("some file declares it");
    let (args, result) = text[range].trim_start_matches("example").split_once("->").expect("an example has a result");
    (args.trim().to_owned(), result.trim().to_owned())
}

#[test]
fn examples_of_scalar_functions_give_what_they_say() {
    let mut tried = BTreeSet::new();
    for signature in library().functions.values().flatten() {
        let Builtin::Scalar(function) = signature.function else { continue };
        for one in &signature.examples {
            let (args, result) = example(&signature.name, one.span.range());
            let call = format!("{}({args})", signature.name);
            let text = format!(
                "source s {{\n  columns {{ n: int }}\n  recorded csv(\"s.csv\")\n  time none\n}}\n\
                 sink out = s | set {{ x = {call} == {result} }} | to stdout\n"
            );
            let out = compiled(&text);
            let Op::Set { entries } = &out.program.sinks["out"].stages[0].op else { panic!("a `set` was written") };
            assert_eq!(evaluate_constant(&entries[0].value), Ok(Value::Bool(true)), "{call} == {result}");
            tried.insert(function);
        }
    }
    // No example can write a signal out; functions of samples show their other form.
    let of_values = ir::Scalar::ALL.iter().filter(|function| ir::Aggregate::named(function.name()).is_none());
    assert_eq!(tried.len(), of_values.count(), "each has an example");
}

#[test]
fn examples_of_aggregates_give_what_they_say() {
    let mut tried = BTreeSet::new();
    for signature in library().functions.values().flatten() {
        let Builtin::Aggregate(function) = signature.function else { continue };
        for one in &signature.examples {
            let (args, result) = example(&signature.name, one.span.range());
            tried.insert(function);
            // Quantities and tensors take the whole way through a file, in `stdlib.rs`.
            if args.contains("Hz") || result.starts_with('[') {
                continue;
            }
            let (mut columns, mut settings) = (Vec::new(), Vec::new());
            for arg in split(&args) {
                match arg.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
                    Some(list) => columns.push(list_of(list)),
                    None => settings.push(value(arg)),
                }
            }
            let expected = value(&result);
            let given = evaluate_aggregate(function, &settings, &columns, &type_of(&expected));
            assert_eq!(given, Ok(expected), "{}({args})", signature.name);
        }
    }
    // Its example would need times.
    let slope = evaluate_aggregate(ir::Aggregate::Slope, &[], &[list_of("1.0, 3.0, 5.0")], &Type::NUMBER());
    assert_eq!(slope, Ok(Value::Float(2.0)), "per second");
    tried.insert(ir::Aggregate::Slope);
    assert_eq!(tried.len(), ir::Aggregate::ALL.len(), "each has an example");
}

/// At commas outside brackets.
fn split(args: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = args.split(|letter| {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        letter == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}

fn list_of(list: &str) -> (Vec<Value>, Type) {
    let values: Vec<Value> = split(list).into_iter().map(value).collect();
    let ty = values.iter().find(|value| **value != Value::Null).map_or(Type::Int, type_of);
    (values, ty)
}

fn value(text: &str) -> Value {
    match text {
        "null" => Value::Null,
        _ if text.starts_with('"') => Value::Text(text.trim_matches('"').into()),
        _ if text.ends_with('%') => Value::Float(text.trim_end_matches('%').parse::<f64>().unwrap() / 100.0),
        _ => text.parse().map(Value::Int).unwrap_or_else(|_| Value::Float(text.parse().unwrap())),
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::NUMBER(),
        Value::Text(_) => Type::Text,
        _ => panic!("{value} is no example's"),
    }
}

/// The columns at an outlet; none where they are not of the language (`room.bad`).
fn at(graph: &Graph, input: &Input) -> Option<ir::Schema> {
    let node = &graph.nodes[&input.node];
    match input.outlet {
        Outlet::Rows => Some(node.schema.clone()),
        Outlet::Late => at(graph, node.inputs.first()?),
        Outlet::Bad => None,
    }
}

/// Of a `lookup`: its table without a row.
fn table_of(spec: &NodeSpec) -> Option<RecordBatch> {
    let NodeOp::Stage(op) = &spec.op else { return None };
    let Op::Join(join) = &**op else { return None };
    let ir::JoinKind::Lookup { table } = &join.kind else { return None };
    Some(RecordBatch::new_empty(mliot::node::schema(&table.schema)))
}

/// Builds every stage and task; how many there were.
fn built(out: &Compiled, name: &str) -> usize {
    let graph = out.graph.as_ref().unwrap_or_else(|| panic!("{name} has no graph"));
    let mut count = 0;
    for (key, spec) in &graph.nodes {
        if let NodeOp::Stage(_) | NodeOp::Task(_) = spec.op
            && let Some(inputs) = spec.inputs.iter().map(|input| at(graph, input)).collect::<Option<Vec<_>>>()
        {
            let built = match table_of(spec) {
                Some(rows) => mliot::ops::lookup(spec, &inputs, &rows),
                None => mliot::ops::build(spec, &inputs),
            };
            built.unwrap_or_else(|error| panic!("{name}: {key}: {error}"));
            count += 1;
        }
    }
    count
}

#[test]
fn every_stage_of_a_checked_file_is_carried_out() {
    let text = r#"
source s {
  columns { at: time; k: text; x: float<m>?; n: int; on: bool?; d: duration; mode: enum("a", "b") }
  recorded csv("s.csv")
  time at, lateness 5s
}
stream rows = s
  | where x > 0m and n in [1, 2] or on is null
  | set { y = 2 * x + 1m; late = at + d; half = d / 2; hours = d / 1h; name = lower(k); hot = x else 0m; m = match n { 1 -> "one"; 2..5 -> "few"; else -> "many" } }
  | scan by k { p = previous(x); l = lag(n, 3); e = ewma(x, 30s); r = rate(x); si = since(on); c = changed(mode); f = for(on, 2min); h = hysteresis(x, on: 5m, off: 2m); cs = cumulative(sum(n)); cm = cumulative(mean(x)) }
  | drop [name]
  | rename { z = y }
stream timed = rows | window 10s every 2s by k { a = mean(x); b = count(); g = slope(x); q = quantile(x, 90%); spread = max(x) - min(x); mo = mode(mode); u = count(x, where: on) }
stream counted = rows | window 4 rows every 2 rows partial by [k, mode] { a = mean(x); i = last(at) }
stream once = rows | window whole by k { a = median(x); v = variance(x) }
stream both = timed | select [k, window_end, a] | union [late]
stream late = rows | window 3s by k { a = mean(x) } | select [k, window_end, a]
sink out = both | to stdout
sink out2 = counted | to stdout
sink out3 = once | to stdout
task t = classify on from rows { features [x, p, mode, n]; history 1000 rows }
sink guesses = rows | predict t | to stdout
"#;
    assert_eq!(built(&compiled(text), "the text"), 14);
}

#[test]
fn every_stage_of_the_course_is_carried_out() {
    let inside =
        |folder: &Path| -> Vec<PathBuf> { std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect() };
    let chapters = inside(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines"));
    let files: Vec<PathBuf> = chapters.iter().filter(|path| path.is_dir()).flat_map(|chapter| inside(chapter)).collect();
    let mut stages = 0;
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "mliot")) {
        let out = compile(path, &Disk, &[]);
        // What is wrong with a file is another test's affair.
        if !out.has_errors() {
            stages += built(&out, &path.display().to_string());
        }
    }
    assert!(stages > 0, "no pipeline was read");
}
