//! Formatting: no meaning changed, no comment lost, done after once.

use std::fs;

use mliot::syntax::{ast, format};

use super::{accept_files, accepted};

/// A tree as text without its places, so that two layouts of one file compare equal.
pub fn without_places(file: &ast::File) -> String {
    let shown = format!("{file:?}");
    let mut parts = shown.split("Span {");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('}').map_or("", |(_, behind)| behind))
}

/// All comments without their marks, in any order: a comment that has to move keeps its words.
fn comments(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_once('#').map(|(_, comment)| comment.trim_matches(['#', ' ']).to_owned());
    let mut found: Vec<String> = text.lines().filter_map(words).collect();
    found.sort();
    found
}

/// Formatting changes no meaning, loses no comment, and is done after once.
pub fn check_format(name: &str, text: &str) {
    let file = accepted(name, text);
    let once = format(&file, text);
    let again = accepted(&format!("{name}, formatted"), &once);
    assert_eq!(without_places(&file), without_places(&again), "{name}\n{once}");
    assert_eq!(comments(text), comments(&once), "{name}\n{once}");
    assert_eq!(once, format(&again, &once), "{name}");
}

#[test]
fn formatting_keeps_meaning_and_comments() {
    for (name, text) in accept_files() {
        check_format(&name, &text);
    }
}

#[test]
fn the_layout_is_as_it_was() {
    for (name, text) in accept_files() {
        let formatted = format(&accepted(&name, &text), &text);
        let file = std::path::Path::new(&name).with_extension("fmt");
        if std::env::var_os("MLIOT_BLESS").is_some() {
            fs::write(&file, &formatted).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap_or_default(), formatted, "{name}; MLIOT_BLESS=1 writes it anew");
    }
}

#[test]
fn comments_anywhere_survive() {
    let text = fs::read_to_string("tests/lang/accept/comments.mliot").unwrap();
    assert!(comments(&text).len() > 20);
    check_format("comments", &text);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_read() {
    let (name, text) = accept_files().into_iter().find(|(name, _)| name.ends_with("room.mliot")).unwrap();
    let plain = without_places(&accepted(&name, &text));
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(without_places(&accepted("windows", &windows)), plain);
    check_format("windows", &windows);
}
