//! Any text at all, and damaged and commented ones.

use mliot::base::Sources;
use mliot::diag::{Style, render};
use mliot::syntax::format;
use proptest::prelude::*;

use super::layout::check_format;
use super::{accept_files, parsed};

/// A place in a text that is no middle of a character.
fn boundary(text: &str, at: prop::sample::Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn all_accepted() -> Vec<String> {
    accept_files().into_iter().map(|(_, text)| text).collect()
}

/// Every message must lie in the text, and be drawn.
fn check_messages(text: &str) {
    let sources = Sources::of("any.mliot", text);
    let (file, messages) = parsed(text);
    for message in messages {
        assert!(!render(&message, &sources, Style::Plain).is_empty());
        if let Some(fix) = message.fix {
            assert!(text.get(fix.span.range()).is_some());
        }
    }
    format(&file, text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        check_messages(&text);
    }

    #[test]
    fn words_of_the_language_in_any_order_are_read(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        check_messages(&words.concat());
    }

    #[test]
    fn damaged_text_is_read_without_a_panic(
        text in prop::sample::select(all_accepted()),
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        instead in prop::sample::select(WORDS),
    ) {
        let start = boundary(&text, from);
        let mut end = (start + length).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        check_messages(&format!("{}{instead}{}", &text[..start], &text[end..]));
    }

    #[test]
    fn comments_between_any_two_tokens_survive(
        text in prop::sample::select(all_accepted()),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        check_format("commented", &commented(&text, &places));
    }
}

/// Few, so that the tests stay quick; `PROPTEST_CASES=5000` looks harder.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

/// Comments behind some lines of a text that have none.
fn commented(text: &str, places: &[prop::sample::Index]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (nth, place) in places.iter().enumerate() {
        let line = place.index(lines.len());
        if !lines[line].contains('#') {
            lines[line].push_str(&format!(" # note {nth}"));
        } else {
            lines.insert(line, format!("  # own {nth}"));
        }
    }
    lines.join("\n")
}

const WORDS: &[&str] = &[
    "\n",
    "\n",
    " ",
    " ",
    " ",
    "stream ",
    "source ",
    "task ",
    "policy ",
    "sink ",
    "test ",
    "let ",
    "x",
    "a = ",
    "| ",
    "where ",
    "set ",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "; ",
    ", ",
    ": ",
    "= ",
    "== ",
    "+ ",
    "- ",
    "5",
    "5ms",
    "5 min",
    "20%",
    "..",
    "\"t\"",
    "'r'",
    "`b`",
    "#c\n",
    "##d\n",
    "@2026-01-01",
    "if ",
    "then ",
    "else ",
    "and ",
    "or ",
    "not ",
    "is null",
    "match ",
    "-> ",
    "in ",
    "by ",
    "window ",
    "columns ",
    "time ",
    "float<ppm>",
    "?",
    "\"",
    "%",
    "&&",
    "é",
    "every ",
    "within ",
    "features ",
];
