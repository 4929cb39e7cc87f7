//! Every example of the standard library is carried out: it is written into a small file with a test of its own, which goes
//! the whole way from text to running nodes.

use std::path::Path;

use mliot::base::{Name, SourceId};
use mliot::compile::{World, compile};
use mliot::diag::Diagnostic;
use mliot::host::Machines;
use mliot::io::{Mode, Place};
use mliot::ir::Value;
use mliot::plan::Graph;
use mliot::runtime::{self, Recompile};
use mliot::sema::TEXTS;
use mliot::syntax::ast::{Declaration, DeclarationKind, Example, Expr, ExprKind, Function, FunctionKind};
use mliot::syntax::parse;

#[test]
fn examples_give_what_they_say() {
    let mut carried_out = 0;
    for (name, text) in TEXTS {
        let (file, _) = parse(SourceId(0), text);
        for function in file.declarations.iter().filter_map(declared) {
            for example in &function.examples {
                let Some(program) = program_of(function, example, text) else { continue };
                run(&program, &format!("{name}: {}", &text[example.span.range()]));
                carried_out += 1;
            }
        }
    }
    assert!(carried_out >= 40, "only {carried_out} examples were carried out");
}

fn declared(declaration: &Declaration) -> Option<&Function> {
    match &declaration.kind {
        DeclarationKind::Function(function) => Some(function),
        _ => None,
    }
}

/// A file whose one test is the example. Running functions and generators have none that could be carried out alone.
fn program_of(function: &Function, example: &Example, text: &str) -> Option<String> {
    let args: Vec<&str> = example.args.iter().map(|arg| &text[arg.span.range()]).collect();
    let result = &text[example.result.span.range()];
    match function.kind? {
        FunctionKind::Row => Some(scalar(&function.name.name, &args, result)),
        FunctionKind::Aggregate => Some(aggregate(&function.name.name, example, &args, text, result)),
        FunctionKind::Running | FunctionKind::Window => None,
    }
}

fn scalar(name: &str, args: &[&str], result: &str) -> String {
    let call = format!("{name}({})", args.join(", "));
    file("n: int", &format!("set {{ y = {call} }} | select [y]"), "{ n: 1 }", result)
}

/// Lists become columns, whose rows make one window.
fn aggregate(name: &str, example: &Example, args: &[&str], text: &str, result: &str) -> String {
    let columns: Vec<(usize, &Vec<Expr>)> = example.args.iter().enumerate().filter_map(list).collect();
    let rows = columns[0].1.len();
    let declared: Vec<String> = columns.iter().map(|(at, values)| format!("a{at}: {}?", type_of(values, text))).collect();
    let row = |row: usize| {
        let fields = columns.iter().map(|(at, values)| format!("a{at}: {}", &text[values[row].span.range()]));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join("; "))
    };
    let is_column = |at: usize| columns.iter().any(|(column, _)| *column == at);
    let args = args.iter().enumerate().map(|(at, arg)| if is_column(at) { format!("a{at}") } else { (*arg).to_owned() });
    let args = args.collect::<Vec<_>>().join(", ");
    // The one function that takes a set of columns.
    let call = if name == "tensor" { format!("tensor([{args}])") } else { format!("{name}({args})") };
    let given = (0..rows).map(row).collect::<Vec<_>>().join(", ");
    file(&declared.join("; "), &format!("window {rows} rows {{ y = {call} }}"), &given, result)
}

fn list((at, arg): (usize, &Expr)) -> Option<(usize, &Vec<Expr>)> {
    match &arg.kind {
        ExprKind::List(values) => Some((at, values)),
        _ => None,
    }
}

fn type_of(values: &[Expr], text: &str) -> &'static str {
    let first = values.iter().map(|value| &text[value.span.range()]).find(|value| *value != "null").unwrap_or("0.0");
    match first {
        "true" | "false" => "bool",
        quoted if quoted.starts_with(['"', '\'']) => "text",
        number if number.contains('.') => "float",
        _ => "int",
    }
}

fn file(columns: &str, stages: &str, given: &str, result: &str) -> String {
    format!(
        "source s {{\n  columns {{ {columns} }}\n  recorded csv(\"s.csv\")\n  time none\n}}\n\
         stream t = s | {stages}\n\
         test \"the example\" {{\n  given s [ {given} ]\n  expect t [ {{ y: {result} }} ] within 0.000001\n}}\n"
    )
}

fn run(program: &str, what: &str) {
    let compiled = compile(Path::new("example.mliot"), &Memory(program), &[]);
    let wrong: Vec<String> =
        compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.message.clone()).collect();
    assert!(wrong.is_empty(), "{what}\n{program}\n{wrong:?}");
    let parts = Machines { place: Place::beside("."), sinks: Mode::Recorded };
    let graph = compiled.graph.expect("a file without errors has a graph");
    let outcome = runtime::test(&compiled.program.tests[0], &graph, &parts, &mut NoEdits);
    assert!(outcome.passed(), "{what}\n{program}\n{:#?}", outcome.failures);
}

struct Memory<'a>(&'a str);

impl World for Memory<'_> {
    fn read(&self, _: &Path) -> std::io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

struct NoEdits;

impl Recompile for NoEdits {
    fn set(&mut self, _: &Name, _: &Value) -> Result<Graph, Vec<Diagnostic>> {
        unreachable!("the tests of examples edit nothing")
    }

    fn file(&mut self, _: &Name) -> Result<Graph, Vec<Diagnostic>> {
        unreachable!("the tests of examples edit nothing")
    }
}
