//! The parser and the formatter.

mod any;
mod layout;
mod limits;
mod readings;
mod repairs;

use std::collections::BTreeSet;
use std::fs;

use mliot::base::{SourceId, Sources};
use mliot::diag::{Code, Diagnostic, Style, render};
use mliot::syntax::{ast, format, parse};

use crate::ui;

fn parsed(text: &str) -> (ast::File, Vec<Diagnostic>) {
    parse(SourceId(0), text)
}

/// The tree of a text without mistakes.
fn accepted(name: &str, text: &str) -> ast::File {
    let (file, messages) = parsed(text);
    let sources = Sources::of(name, text);
    let said: String = messages.iter().map(|message| render(message, &sources, Style::Plain)).collect();
    assert!(messages.is_empty(), "{said}");
    file
}

/// All files that must be read without a message.
fn accept_files() -> Vec<(String, String)> {
    let read = |file: &std::path::PathBuf| (file.display().to_string(), fs::read_to_string(file).unwrap());
    ui::files("tests/lang/accept").iter().map(read).collect()
}

#[test]
fn every_construct_is_read() {
    for (name, text) in accept_files() {
        let file = accepted(&name, &text);
        assert!(!file.declarations.is_empty(), "{name}");
    }
}

#[test]
fn messages_are_as_they_were() {
    ui::check_folder("tests/ui/syntax", |_, text| parsed(text).1);
}

/// The grammar must know the units before it can read the file that declares them.
#[test]
fn the_grammar_has_the_units_of_stdlib() {
    let units = fs::read_to_string("stdlib/units.mliot").unwrap();
    let file = accepted("units.mliot", &units);
    let declared: BTreeSet<&str> = file.declarations.iter().filter_map(|it| Some(it.kind.name()?.name.as_str())).collect();
    let grammar = fs::read_to_string("grammar/mliot.pest").unwrap();
    let rule = grammar.split_once("\nunit = @{ (").unwrap().1.split_once(") ~ !idc }").unwrap().0;
    let listed: Vec<&str> = rule.split('"').skip(1).step_by(2).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), declared);
    assert!(listed.is_sorted_by_key(|unit| std::cmp::Reverse(unit.len())), "the longest must stand first");
    assert_eq!(format(&file, &units), units, "stdlib is in canonical layout");
}

#[test]
fn every_syntax_code_has_a_file_that_gives_it() {
    let texts: Vec<String> = ui::files("tests/ui/syntax").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let given: BTreeSet<Code> = texts.iter().flat_map(|text| parsed(text).1).map(|message| message.code).collect();
    let ours = |code: &&Code| code.as_str().starts_with("E01") || **code == Code::W0101;
    // A file that is too large is made below.
    let missing: Vec<&Code> = Code::ALL.iter().filter(ours).filter(|code| !given.contains(code)).collect();
    assert_eq!(missing, [&Code::E0116]);
}
