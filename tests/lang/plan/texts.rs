//! Edits as people make them: `tests/edits/CASE/after.mliot` against `before.mliot` beside it, else `tests/edits/room.mliot`,
//! and the plan between them in `plan.snap`. `MLIOT_BLESS=1` writes the plans anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mliot::compile::{Compiled, Disk, World, compile};
use mliot::diag::{Style, render};
use mliot::plan::{Class, Diff, Graph, diff, lower, plan_text};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edits")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.is_dir());
    cases.sort();
    cases
}

fn compiled(path: &Path) -> Graph {
    graph_of(path, &Disk)
}

/// The graph of a text without errors.
fn compiled_text(text: &str) -> Graph {
    graph_of(Path::new("text.mliot"), &Memory(text))
}

fn graph_of(path: &Path, world: &dyn World) -> Graph {
    let Compiled { program, graph: _, sources, diagnostics, files: _ } = compile(path, world, &[]);
    let errors = diagnostics.iter().filter(|message| message.is_error());
    let said: String = errors.map(|message| render(message, &sources, Style::Plain)).collect();
    assert!(said.is_empty(), "{said}");
    lower(&program)
}

/// One file, and nothing around it.
struct Memory<'a>(&'a str);

impl World for Memory<'_> {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

fn plan(case: &Path) -> Diff {
    let own = case.join("before.mliot");
    let before = if own.exists() { own } else { folder().join("room.mliot") };
    diff(&compiled(&before), &compiled(&case.join("after.mliot")))
}

#[test]
fn every_edit_has_its_plan() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (found, snapshot) = (plan_text(&plan(&case)), case.join("plan.snap"));
        if std::env::var_os("MLIOT_BLESS").is_some() {
            fs::write(&snapshot, &found).unwrap();
        }
        if fs::read_to_string(&snapshot).unwrap_or_default() != found {
            wrong.push(format!("--- {} now gives\n{found}", case.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(wrong.is_empty(), "{}\nMLIOT_BLESS=1 writes the plans anew", wrong.join("\n"));
}

#[test]
fn undoing_an_edit_is_an_edit_that_changes_as_much() {
    for case in cases() {
        let there = plan(&case);
        let own = case.join("before.mliot");
        let before = compiled(&if own.exists() { own } else { folder().join("room.mliot") });
        let back = diff(&compiled(&case.join("after.mliot")), &before);
        assert_eq!(there.is_nothing(), back.is_nothing(), "{}", case.display());
    }
}

/// The parts of the text that stand in column 0, in another order, give the same graph.
#[test]
fn the_order_of_declarations_does_not_count() {
    let text = fs::read_to_string(folder().join("room.mliot")).unwrap();
    let mut declarations: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.chars().next().is_some_and(char::is_alphabetic) {
            declarations.push(String::new());
        }
        if let Some(last) = declarations.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    assert!(declarations.len() > 5);
    let graph = compiled_text(&text);
    for turn in 1..declarations.len() {
        declarations.rotate_left(1);
        assert!(compiled_text(&declarations.concat()) == graph, "turned by {turn}");
    }
    declarations.reverse();
    assert!(compiled_text(&declarations.concat()) == graph);
}

/// All pipelines of the course.
#[test]
fn every_pipeline_has_a_graph() {
    let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let folders = fs::read_dir(course).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut seen = 0;
    for path in files.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "mliot") {
            let graph = compiled(&path);
            assert!(graph.cycle().is_none(), "{}", path.display());
            let start = diff(&Graph::default(), &graph);
            assert!(start.nodes.values().all(|change| change.class == Class::Added), "{}", path.display());
            assert!(diff(&graph, &graph).is_nothing(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0);
}
