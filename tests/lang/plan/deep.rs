//! Expressions as deep as the checker lets them be: their graph is written and read again, as a kept model's is.

use mliot::plan::Graph;

use crate::sema::compiled;

/// With one expression in a stage and the same in a task's target, which workers are told.
fn program(value: &str) -> String {
    format!(
        "source room {{\n  columns {{ at: time; x: float; z: float; on: bool }}\n  recorded csv(\"a.csv\")\n  time at\n}}\n\
         stream air = room | set {{ deep = {value} }} | scan {{ total = cumulative_sum({value}) }}\n\
         task level = regress y = {value} from air {{ features [z] }}\n\
         sink out = air | where deep > 0 | to stdout\n"
    )
}

/// The deepest of its kind that the checker takes, counted in levels.
fn deepest(of: impl Fn(usize) -> String) -> (usize, Graph) {
    let taken = (1..400).map_while(|levels| Some((levels, compiled(&program(&of(levels))).graph?)));
    taken.last().expect("one level is taken")
}

#[test]
fn the_deepest_expressions_are_written_and_read() {
    let nested = |open: &str, close: &str, levels: usize| format!("{}x{}", open.repeat(levels), close.repeat(levels));
    type Kind = (&'static str, Box<dyn Fn(usize) -> String>);
    let kinds: [Kind; 5] = [
        ("calls", Box::new(move |levels| nested("abs(", ")", levels))),
        ("brackets", Box::new(move |levels| nested("(1 + ", ")", levels))),
        ("conditions", Box::new(move |levels| nested("if on then 1 else (", ")", levels))),
        ("operators", Box::new(|levels| format!("x{}", " + x".repeat(levels)))),
        ("signs", Box::new(move |levels| nested("-(", ")", levels))),
    ];
    for (kind, of) in kinds {
        let (levels, graph) = deepest(of);
        assert!(levels >= 30, "only {levels} {kind}");
        let text = serde_json::to_string(&graph).unwrap();
        let read: Graph = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{levels} {kind}: {error}"));
        assert_eq!(serde_json::to_string(&read).unwrap(), text, "{levels} {kind}");
        assert_eq!(read, graph, "{levels} {kind}");
    }
}

/// Arms of a `match` are no levels of the text, but of what it means: here three hundred.
#[test]
fn hundreds_of_arms_are_written_and_read() {
    let arms = |of: usize| (0..60).map(|arm| format!("{} -> {arm}.5; ", 60 * of + arm)).collect::<String>();
    let matches = (0..5).fold("0.0".to_owned(), |rest, of| format!("match x {{ {}else -> {rest} }}", arms(of)));
    let graph = compiled(&program(&matches)).graph.expect("it is taken");
    let text = serde_json::to_string(&graph).unwrap();
    assert_eq!(serde_json::from_str::<Graph>(&text).unwrap(), graph);
}
