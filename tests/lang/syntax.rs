//! The parser and the formatter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use mliot::base::{SourceId, Sources};
use mliot::diag::{Code, Diagnostic, Style, render};
use mliot::syntax::{FILE_BYTES_MAX, NESTING_MAX, ast, format, parse};
use proptest::prelude::*;

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

/// A tree as text without its places, so that two layouts of one file compare equal.
fn without_places(file: &ast::File) -> String {
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
fn check_format(name: &str, text: &str) {
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

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let text = "# much\n".repeat(FILE_BYTES_MAX / 7 + 1);
    let (file, messages) = parsed(&text);
    assert!(file.declarations.is_empty());
    assert_eq!(messages.iter().map(|it| it.code).collect::<Vec<_>>(), [Code::E0116]);
}

/// Each nests further than any stack holds, in another way.
#[test]
fn depth_is_refused_in_every_form() {
    let n = 20_000;
    let forms = [
        format!("let x = {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("let x = {}1{}", "[".repeat(n), "]".repeat(n)),
        format!("let x = {}1{}", "f(".repeat(n), ")".repeat(n)),
        format!("let x = {}1{}", "{ a: ".repeat(n), " }".repeat(n)),
        format!("let x = {}1", "not ".repeat(n)),
        format!("let x = {}1", "- ".repeat(n)),
        format!("let x = {}1", "!".repeat(n)),
        format!("let x = 1{}", " + 1".repeat(n)),
        format!("let x = 1{}", " ^ 1".repeat(n)),
        format!("let x = 1{}", " else 1".repeat(n)),
        format!("let x = 1{}", " or\n 1".repeat(n)),
        format!("let x = {}1{}", "if 1 then ".repeat(n), " else 1".repeat(n)),
        format!("let x = {}1", "if 1 then 1 else ".repeat(n)),
        format!("let x = {}1{}", "1 ? ".repeat(n), " : 1".repeat(n)),
        format!("let x = a{}", " is null".repeat(n)),
        format!("let x = a{}", ".b".repeat(n)),
        format!("let x = {}1{}", "match x { 1 -> ".repeat(n), " }".repeat(n)),
        format!("stream s = r | set {{ x = a{} }}", "\n and b".repeat(n)),
        format!("stream s = r | set {{ x = a{} }}", " +\n b".repeat(n)),
        format!("source s {{ columns {{ x: {}int{} }} }}", "list<".repeat(n), ">".repeat(n)),
        format!("policy p {{ {}minimize x{} }}", "when a > 1 { ".repeat(n), " }".repeat(n)),
        format!("policy p {{ retrain when {}drift{} }}", "(".repeat(n), ")".repeat(n)),
        format!("network n(x: tensor[1]) = x | {}relu{}", "skip(".repeat(n), ")".repeat(n)),
        format!("stream s = r | frob {}x{}", "(".repeat(n), ")".repeat(n)),
        format!("task t = frob {}x{}", "{".repeat(n), "}".repeat(n)),
    ];
    for text in forms {
        let start: String = text.chars().take(40).collect();
        let (_, messages) = parsed(&text);
        assert_eq!(messages.iter().map(|it| it.code).collect::<Vec<_>>(), [Code::E0115], "{start}");
    }
}

/// The deepest that is allowed is read, formatted and dropped on the small stack of a test's thread.
#[test]
fn the_deepest_allowed_text_fits_the_stack() {
    let n = NESTING_MAX - 6;
    let forms = [
        format!("let x = {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("let x = {}1{}", "f([{ a: ".repeat(n / 4), " }])".repeat(n / 4)),
        format!("let x = {}1", "if 1 then 1 else ".repeat(n * 3 / 4)),
        format!("let x = {}1{}", "if 1 then ".repeat(n * 3 / 4), " else 1".repeat(n * 3 / 4)),
        format!("let x = {}1", "not ".repeat(n * 4)),
        format!("let x = 1{}", " + 1".repeat(n * 4)),
        format!("let x = 1{}", " ^ 1".repeat(n * 4)),
        format!("let x = {}1{}", "match x { else -> ".repeat(n / 3), " }".repeat(n / 3)),
    ];
    for text in forms {
        let formatted = format(&accepted("deep", &text), &text);
        accepted("deep, formatted", &formatted);
    }
}

#[test]
fn lists_may_be_long() {
    let items: Vec<String> = (0..5_000).map(|nth| format!("{{ a: {nth} + 1; b: -{nth} }}")).collect();
    accepted("long", &format!("test \"t\" {{ given r [\n{}\n] }}", items.join(",\n")));
    let entries: Vec<String> = (0..5_000).map(|nth| format!("    c{nth} = a * {nth} + b")).collect();
    accepted("long", &format!("stream s = r\n  | set {{\n{}\n  }}", entries.join("\n")));
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_read() {
    let (name, text) = accept_files().into_iter().find(|(name, _)| name.ends_with("room.mliot")).unwrap();
    let plain = without_places(&accepted(&name, &text));
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(without_places(&accepted("windows", &windows)), plain);
    check_format("windows", &windows);
}

/// All repairs of one text, the last first, so that places stay true.
fn repaired(text: &str) -> String {
    let mut fixes: Vec<_> = parsed(text).1.into_iter().filter_map(|message| message.fix).collect();
    fixes.sort_by_key(|fix| std::cmp::Reverse((fix.span.start, fix.span.end)));
    let (mut out, mut until) = (text.to_owned(), text.len());
    for fix in fixes.into_iter() {
        let range = fix.span.range();
        if range.end <= until {
            until = range.start;
            out.replace_range(range, &fix.text);
        }
    }
    out
}

/// What a message offers to do must mend what it is about.
#[test]
fn repairs_leave_no_message_of_their_kind() {
    for file in ui::files("tests/ui/syntax") {
        let text = fs::read_to_string(&file).unwrap();
        let offered: BTreeMap<Code, usize> = count(parsed(&text).1.iter().filter(|it| it.fix.is_some()).map(|it| it.code));
        let mut mended = text.clone();
        for _ in 0..6 {
            mended = repaired(&mended);
        }
        let left: Vec<Diagnostic> = parsed(&mended).1.into_iter().filter(|it| it.fix.is_some()).collect();
        assert!(left.is_empty(), "{}: {offered:?}\n{mended}\n{left:?}", file.display());
    }
}

fn count<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    items.fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(item).or_default() += 1;
        counts
    })
}

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
