//! `stdlib/` declares exactly what Rust carries out, and its examples are typed as they say.

use std::collections::BTreeSet;

use mliot::ir::{Aggregate, Generator, Running, Scalar};
use mliot::sema::{Builtin, TEXTS, library};

use super::{compiled, said};

#[test]
fn the_library_declares_exactly_the_built_ins() {
    let declared: BTreeSet<Builtin> = library().functions.values().flatten().map(|signature| signature.function).collect();
    let scalars = Scalar::ALL.iter().map(|function| Builtin::Scalar(*function));
    let running = Running::ALL.iter().map(|function| Builtin::Running(*function));
    let aggregates = Aggregate::ALL.iter().map(|function| Builtin::Aggregate(*function));
    let generators = Generator::ALL.iter().map(|function| Builtin::Generator(*function));
    let carried_out: BTreeSet<Builtin> = scalars.chain(running).chain(aggregates).chain(generators).collect();
    assert_eq!(declared, carried_out);
}

#[test]
fn every_function_is_documented() {
    for (name, signatures) in &library().functions {
        assert!(!signatures[0].doc.is_empty(), "`{name}` has no doc comment");
    }
}

#[test]
fn every_scalar_and_aggregate_has_an_example() {
    let without: Vec<&str> = library()
        .functions
        .iter()
        .filter(|(_, signatures)| matches!(signatures[0].function, Builtin::Scalar(_) | Builtin::Aggregate(_)))
        .filter(|(_, signatures)| signatures.iter().all(|signature| signature.examples.is_empty()))
        .map(|(name, _)| name.as_str())
        // Over event time, which an example cannot give.
        .filter(|name| *name != "slope")
        .collect();
    assert_eq!(without, Vec::<&str>::new());
}

/// The type that a column gets which is made by this expression.
fn type_of(stage: &str) -> String {
    let text = format!(
        "source s {{\n  columns {{ at: time; t: float<degC>; c: float<ppm>; v: float<m/s>; a: float<m^2>; n: int; f: float; d: duration; on: bool; e: enum(\"x\", \"y\"); w: text }}\n  \
         recorded csv(\"s.csv\")\n  time at\n}}\nsink out = s | {stage} | to stdout\n"
    );
    let out = compiled(&text);
    assert_eq!(said(&out), "", "{stage}");
    let column = out.program.sinks["out"].schema.get("x").expect("the stage makes x").clone();
    format!("{}{}", column.ty, if column.nullable { "?" } else { "" })
}

#[test]
fn units_follow_the_functions() {
    for (stage, ty) in [
        ("set { x = abs(c) }", "float<ppm>"),
        ("set { x = sqrt(a) }", "float<m>?"),
        ("set { x = v * 2s }", "float<m/s*s>"),
        ("set { x = t - 20degC }", "float<K>"),
        ("set { x = t + 5 }", "float<degC>"),
        ("set { x = n + 1 }", "int"),
        ("set { x = n / 2 }", "float"),
        ("set { x = n + 0.5 }", "float"),
        ("set { x = d + 5s }", "duration"),
        ("set { x = d / 1s }", "float"),
        ("set { x = at - at }", "duration"),
        ("set { x = at + 5min }", "time"),
        ("set { x = 2 ^ 10 }", "float"),
        ("set { x = clamp(n, 0, 125) }", "int"),
        ("set { x = coalesce(f, n) }", "float"),
        ("set { x = if on then 1 else 0 }", "int"),
        ("set { x = match n { 1 or 2 -> \"on\"; 3..9 -> \"far\"; else -> \"off\" } }", "text"),
        ("set { x = match n { 1 -> 5 } }", "int?"),
        ("set { x = hour(at) }", "int"),
        ("set { x = e == \"x\" }", "bool"),
        ("set { x = c / f }", "float<ppm>?"),
        ("scan { x = previous(t) }", "float<degC>?"),
        ("scan { x = t - (previous(t) else t) }", "float<K>"),
        ("scan { x = rate(t) }", "float<K/s>?"),
        ("scan { x = cumulative(sum(n)) }", "int?"),
        ("scan { x = cumulative(mean(n)) }", "float?"),
        ("scan { x = ewma(c, 30s) else 0 }", "float<ppm>"),
        ("scan { x = since(on) }", "duration?"),
        ("scan { x = for(c > 900, 2min) else false }", "bool"),
        ("scan { x = hysteresis(c, on: 900, off: 700) }", "bool?"),
        ("scan { x = ewma(c - (lag(c, 5) else c), 1min) }", "float<ppm>?"),
        ("window 1min { x = mean(t) }", "float<degC>?"),
        ("window 1min { x = stddev(t) }", "float<K>?"),
        ("window 1min { x = variance(v) }", "float<(m/s)^2>?"),
        ("window 1min { x = slope(c) }", "float<ppm/s>?"),
        ("window 1min { x = count() }", "int"),
        ("window 1min { x = count(c, where: on) }", "int"),
        ("window 1min { x = sum(n) }", "int?"),
        ("window 1min { x = mode(e) }", "enum(\"x\", \"y\")?"),
        ("window 1min { x = max(c) - min(c) }", "float<ppm>?"),
        ("window 1min { x = quantile(c, 90%) }", "float<ppm>?"),
        ("window 1min { x = correlation(c, t) }", "float?"),
        ("window 10 rows by w { x = last(at) }", "time?"),
    ] {
        assert_eq!(type_of(stage), ty, "{stage}");
    }
}

/// The example as it is written: the arguments and the result.
fn example_text(function: &str, range: std::ops::Range<usize>) -> (String, String) {
    let declares = format!("function {function}(");
    let (_, text) = TEXTS.iter().find(|(_, text)| text.contains(&declares)).expect("some file declares it");
    let (args, result) = text[range].trim_start_matches("example").split_once("->").expect("an example has a result");
    (args.trim().to_owned(), result.trim().to_owned())
}

/// What an example gives can be compared with what it says, for every function of one row.
#[test]
fn examples_have_the_types_that_they_say() {
    let mut count = 0;
    for signature in library().functions.values().flatten() {
        let Builtin::Scalar(_) = signature.function else { continue };
        for example in &signature.examples {
            let (args, result) = example_text(&signature.name, example.span.range());
            let ty = type_of(&format!("set {{ x = {}({args}) == {result} }}", signature.name));
            assert!(ty.starts_with("bool"), "{}({args})", signature.name);
            count += 1;
        }
    }
    assert!(count >= 30, "only {count} examples were read");
}
