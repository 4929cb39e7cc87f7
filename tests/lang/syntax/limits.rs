//! Nothing is too deep or too long to be answered.

use mliot::diag::Code;
use mliot::syntax::{FILE_BYTES_MAX, NESTING_MAX, format};

use super::{accepted, parsed};

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
