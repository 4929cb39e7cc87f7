//! The parser and the formatter.

use std::fs;

use mliot::base::{SourceId, Sources};
use mliot::diag::{Diagnostic, Style, render};
use mliot::syntax::{ast, parse};

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
