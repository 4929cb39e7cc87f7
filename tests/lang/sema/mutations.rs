//! Nothing panics on what people write: files with words taken out, doubled or exchanged are compiled and their messages
//! drawn.

use proptest::prelude::*;

use crate::ui;

use super::{compiled, said};

/// The texts of all files that the check is tested with.
fn texts() -> Vec<String> {
    let files = ui::files("tests/lang/sema/accept").into_iter().chain(ui::files("tests/ui/sema"));
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Words, numbers and single marks, blanks included, so that joining them gives the text again.
fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        out.push(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

/// One change: which word, what happens to it, and which other word takes part.
fn mutate(words: &mut Vec<&str>, (at, kind, other): (usize, u8, usize)) {
    if words.is_empty() {
        return;
    }
    let (at, other) = (at % words.len(), other % words.len());
    match kind % 4 {
        0 => drop(words.remove(at)),
        1 => words.insert(at, words[other]),
        2 => words[at] = words[other],
        _ => words.swap(at, other),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_check_panic(
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<usize>()), 1..6),
    ) {
        let texts = texts();
        let text = file.get(&texts);
        let mut words = words(text);
        changes.into_iter().for_each(|change| mutate(&mut words, change));
        let out = compiled(&words.concat());
        said(&out);
        let broken = out.diagnostics.iter().any(|diagnostic| diagnostic.is_error());
        prop_assert_eq!(out.graph.is_some(), !broken);
    }
}
